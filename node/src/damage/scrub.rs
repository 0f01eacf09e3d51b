//! Examining a node's store while it runs, so that damage is known before somebody asks for it.

use super::examine::{Damage, Examination, UPLOAD};
use crate::config::StorageConfig;
use crate::index;
use crate::log::Log;
use crate::reason::with_causes;
use crate::rotation::SharedLogKeys;
use crate::storage::{StorageError, Store};
use crate::view::View;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// Most places that are named.
const NAMED: usize = 16;

/// Longest time between two pieces: a small log is examined more often than it has to be.
const LONGEST: Duration = Duration::from_millis(200);

/// What to do about the index, which a start makes anew from the entries.
const RESTART: &str = "restart the node, which makes the index anew";

/// What to do about anything else.
const REBUILD: &str = "stop the node, and run `assay-node rebuild`";

/// What is damaged, as far as is known.
#[derive(Debug, Default)]
pub struct Damaged(Mutex<Vec<Known>>);

#[derive(Debug, PartialEq, Eq)]
struct Known {
    place: String,
    advice: &'static str,
}

impl Known {
    fn of(damage: &Damage) -> Self {
        Known {
            place: damage.to_string(),
            advice: match damage {
                Damage::Index(_) => RESTART,
                Damage::Attachment(_) => UPLOAD,
                _ => REBUILD,
            },
        }
    }
}

impl Damaged {
    /// What is damaged and what to do, for people; `None` if nothing is known to be.
    pub fn text(&self) -> Option<String> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What takes more comes first.
        let rebuild = places.iter().find(|known| known.advice == REBUILD);
        let Known { place, advice } = rebuild.or(places.first())?;
        let more = match places.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("the store is damaged: {place}{more}; {advice}"))
    }

    fn note(&self, damage: &Damage) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = Known::of(damage);
        if places.contains(&known) {
            return;
        }
        let Known { place, advice } = &known;
        tracing::error!(place, advice, "ALARM: the store is damaged");
        // Of each advice one is kept, however many there are of the other.
        let is_first = places.iter().all(|other| other.advice != known.advice);
        if places.len() < NAMED || is_first {
            places.push(known);
        }
        metrics::gauge!("assay_store_damaged").set(places.len() as f64);
    }
}

/// Examines the store of a log again and again, on a thread of its own that ends soon after `stop`
/// says so. One round takes as many hours at most as the configuration says; with 0 there is none.
/// Returns what is found to be damaged.
pub fn start<S: Store + 'static>(
    log: &Log<S>,
    config: &StorageConfig,
    stop: watch::Receiver<bool>,
) -> io::Result<Arc<Damaged>> {
    let damaged = Arc::new(Damaged::default());
    metrics::gauge!("assay_store_damaged").set(0.0);
    if config.scrub_hours > 0 {
        let scrubber = Scrubber {
            view: log.view().clone(),
            store: log.store().clone(),
            keys: log.keys().clone(),
            round: Duration::from_secs(config.scrub_hours * 3600),
            damaged: damaged.clone(),
        };
        let waits = Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("scrub".into());
        thread.spawn(move || scrubber.run(&waits, &stop))?;
    }
    Ok(damaged)
}

struct Scrubber<S> {
    view: Arc<View<S>>,
    store: Arc<S>,
    keys: SharedLogKeys,
    /// How long one round takes, at most.
    round: Duration,
    damaged: Arc<Damaged>,
}

impl<S: Store + 'static> Scrubber<S> {
    fn run(&self, waits: &Runtime, stop: &watch::Receiver<bool>) {
        while !*stop.borrow() && stop.has_changed().is_ok() {
            let started = Instant::now();
            match self.round(waits, stop) {
                Ok(true) => {
                    metrics::counter!("assay_scrub_rounds_total").increment(1);
                    let took = started.elapsed().as_secs();
                    tracing::debug!(took, "the store was examined");
                }
                Ok(false) => {}
                Err(error) => {
                    let reason = with_causes(&error);
                    tracing::warn!(reason, "the store cannot be examined");
                }
            }
            pause(waits, stop, LONGEST);
        }
    }

    /// One round. Returns whether it came to its end.
    fn round(&self, waits: &Runtime, stop: &watch::Receiver<bool>) -> Result<bool, StorageError> {
        let Some(signed) = self.signed() else {
            return Ok(false);
        };
        let mut examination = Examination::new(self.store.clone(), signed);
        let started = Instant::now();
        while let Some(found) = examination.step()? {
            for damage in &found {
                // First, so that the restart that is advised does something.
                if let Damage::Index(_) = damage
                    && let Err(error) = index::doubt(&*self.store)
                {
                    tracing::warn!(%error, "it cannot be noted that the index is wrong");
                }
                self.damaged.note(damage);
            }
            let steps = examination.steps();
            metrics::gauge!("assay_scrub_progress").set(steps.done as f64 / steps.all as f64);
            let left = u32::try_from(steps.all - steps.done).unwrap_or(u32::MAX);
            let time = self.round.saturating_sub(started.elapsed());
            pause(waits, stop, (time / left.max(1)).min(LONGEST));
            if *stop.borrow() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the log shows.
    fn signed(&self) -> Option<VerifiedHead> {
        let keys = self.keys.load();
        let log = LogVerifier::new(keys.origin(), keys.verifiers()).ok()?;
        log.verify(self.view.published().ok()?.note()).ok()
    }
}

/// Waits for so long, or until `stop` says so.
fn pause(waits: &Runtime, stop: &watch::Receiver<bool>, time: Duration) {
    let mut stop = stop.clone();
    waits.block_on(async {
        let stopped = stop.wait_for(|stop| *stop);
        let _ = tokio::time::timeout(time, stopped).await;
    });
}

//! One mirrored log, as whoever copies it shares it: the follower, uploads, and the scrubber.

use super::clock::{ClockError, MirrorClock};
use super::copy::Copy;
use super::fault::RoundError;
use super::limits::{LogLimits, Memory};
use super::shelf::ShownLog;
use super::site::Site;
use super::ticket::Tickets;
use crate::audit;
use crate::gossip::seen::Seen;
use crate::misbehavior::Evidence;
use crate::quota::Growth;
use crate::signer::floors::Floors;
use crate::storage::{StorageError, Tables};
use arc_swap::ArcSwap;
use assay_tlog::head::LogVerifier;
use assay_tlog::witness::WitnessKeys;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

/// Uploads of one log at once.
const UPLOADS: usize = 4;

/// Larger heads of one log in an hour, and at once: as a witness takes them, unless it is
/// configured otherwise.
const HEADS_PER_HOUR: u32 = 36_000;
const HEADS: u32 = 60;

/// What is the same for every log of a mirror.
pub struct Shared<S> {
    /// Where copies are stored.
    pub store: Arc<S>,
    /// What the mirror signs with.
    pub keys: Arc<ArcSwap<WitnessKeys>>,
    /// What was let through to those keys.
    pub floors: Floors,
    /// Its clock.
    pub clock: MirrorClock,
    /// What is told of logs that sign two histories.
    pub evidence: Option<Arc<Evidence>>,
    /// What is told of heads that logs signed and that are not followed.
    pub seen: Seen,
    /// Memory for what is being copied.
    pub memory: Memory,
    /// What makes tickets of uploads.
    pub tickets: Tickets,
    /// Where others publish their copies of the log whose origin has this SHA-256, in lower-case
    /// hex.
    pub mirrors: Box<dyn Fn(&str) -> Vec<Site> + Send + Sync>,
    /// How many bytes are free where copies are stored.
    pub free: Box<dyn Fn() -> Result<u64, StorageError> + Send + Sync>,
    /// How many of them are left free.
    pub reserve: u64,
}

impl<S: Tables> audit::Clock for Shared<S> {
    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn state(&self, last: u64) -> Result<u64, ClockError> {
        self.clock.commit(&*self.store, last, |_, _| {})
    }
}

/// One log.
pub struct Copied<S> {
    /// What is the same for every log.
    pub shared: Arc<Shared<S>>,
    /// Origin and keys.
    pub log: Arc<LogVerifier>,
    /// Where it is published.
    pub site: Site,
    /// How much of it is copied.
    pub limits: LogLimits,
    /// What is shown of it.
    pub shown: Arc<ShownLog>,
    /// Room for uploads.
    pub uploads: Arc<Semaphore>,
    /// Larger heads of the log.
    pub quota: Growth,
    /// What is known, unless something failed since.
    copy: Arc<Mutex<Option<Copy<S>>>>,
    /// Set once nothing is to be written any more.
    closed: AtomicBool,
}

impl<S: Tables + 'static> Copied<S> {
    /// A log of which nothing has been loaded yet.
    pub fn new(
        shared: Arc<Shared<S>>,
        log: LogVerifier,
        site: Site,
        limits: LogLimits,
    ) -> Arc<Self> {
        Arc::new(Copied {
            shared,
            shown: ShownLog::new(&log),
            log: Arc::new(log),
            site,
            limits,
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            quota: Growth::new(HEADS_PER_HOUR, HEADS),
            copy: Arc::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Does something with the copy, which nobody else uses meanwhile, on a thread that may wait.
    /// It goes on to its end if nobody waits for it any more.
    ///
    /// Loads what is stored, if nothing is known. If `work` fails, what is known is dropped, as
    /// memory and store may say different things, unless strangers can have it fail as they like
    /// ([`RoundError::keeps_copy`]).
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Copy<S>) -> Result<T, RoundError> + Send + 'static,
    ) -> Result<T, RoundError> {
        let mut known = self.lock().await?;
        let (shared, log) = (self.shared.clone(), self.log.clone());
        let (shown, limits) = (self.shown.clone(), self.limits);
        let done = tokio::task::spawn_blocking(move || {
            let before = known.take();
            let load = || Copy::load(shared, log, shown.clone(), limits);
            let done = before.map_or_else(load, Ok).and_then(|mut copy| {
                let done = work(&mut copy);
                let keeps = done.as_ref().err().is_none_or(RoundError::keeps_copy);
                *known = keeps.then_some(copy);
                done
            });
            shown.hold(known.as_ref().and_then(|copy| copy.mirror.held()));
            done
        });
        done.await.map_err(|_| RoundError::Stopped)?
    }

    /// Does something with the store that changes what is loaded of the copy, which nobody uses
    /// meanwhile.
    pub async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RoundError> + Send + 'static,
    ) -> Result<T, RoundError> {
        let mut known = self.lock().await?;
        let shown = self.shown.clone();
        let done = tokio::task::spawn_blocking(move || {
            *known = None;
            shown.hold(None);
            work()
        });
        done.await.map_err(|_| RoundError::Stopped)?
    }

    /// Ends once nobody uses the copy. Nobody does after that, so that the same log can be copied
    /// anew: whoever still has this one fails with [`RoundError::Stopped`].
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        drop(self.copy.lock().await);
    }

    async fn lock(&self) -> Result<OwnedMutexGuard<Option<Copy<S>>>, RoundError> {
        let known = self.copy.clone().lock_owned().await;
        if self.closed.load(Ordering::Acquire) {
            return Err(RoundError::Stopped);
        }
        Ok(known)
    }

    /// Whether the log is convicted: nothing that it signs is worth anything any more.
    pub fn is_convicted(&self) -> bool {
        let evidence = self.shared.evidence.as_ref();
        evidence.is_some_and(|evidence| evidence.convicts_log(self.log.origin()))
    }
}

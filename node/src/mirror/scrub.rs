//! Reads what is stored of each mirrored log again and again, one bundle after the other, so that a
//! disk that damages a copy is noticed while others still have it.

use super::copied::Copied;
use super::repair::Scrubbed;
use super::shelf::Shelf;
use crate::reason::with_causes;
use crate::storage::Tables;
use assay_tlog::tree::tile::TILE_WIDTH;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, time::MissedTickBehavior};

/// A bundle of a log.
type Place<S> = (Arc<Copied<S>>, u64);

/// The task that scrubs all logs.
pub struct Scrubber<S> {
    shelf: Arc<Shelf<S>>,
    every: Duration,
    /// What is known of each log, by the digest of its origin.
    logs: HashMap<String, Progress>,
    /// The digest of the log that was last.
    last: String,
    steps: u64,
}

/// How far a log is scrubbed.
#[derive(Default)]
struct Progress {
    /// The next bundle.
    next: u64,
    /// Bundles that nobody had. The first one is tried again next.
    lost: VecDeque<u64>,
}

impl<S: Tables + 'static> Scrubber<S> {
    /// Scrubs the logs of a shelf, a bundle of one of them at a time.
    pub fn new(shelf: Arc<Shelf<S>>, every: Duration) -> Self {
        Scrubber {
            shelf,
            every,
            logs: HashMap::new(),
            last: String::new(),
            steps: 0,
        }
    }

    /// Scrubs until `stop` says so, or is gone.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(self.every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = tick.tick() => {}
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.step() => {}
            }
        }
    }

    /// Scrubs one bundle. Every other time it is one that is known to be damaged, if there is one.
    pub(super) async fn step(&mut self) {
        let logs = self.shelf.logs();
        self.logs.retain(|digest, _| logs.contains_key(digest));
        self.steps += 1;
        let known = if self.steps.is_multiple_of(2) {
            None
        } else {
            self.known_damage(&logs)
        };
        let (log, bundle) = match known.or_else(|| self.next(&logs)) {
            Some(next) => next,
            None => return,
        };
        match log.scrub(bundle).await {
            Ok(scrubbed) => self.note(&log, bundle, scrubbed),
            Err(error) => {
                let (origin, reason) = (log.log.origin(), with_causes(&error));
                tracing::warn!(origin, bundle, reason, "a mirrored log cannot be scrubbed");
            }
        }
    }

    /// A bundle that was found damaged when it was read, or that nobody had.
    fn known_damage(&mut self, logs: &HashMap<String, Arc<Copied<S>>>) -> Option<Place<S>> {
        for digest in self.turn(logs) {
            let log = &logs[digest];
            let mut bundle = log.shown.take_damaged();
            if let (None, Some(progress)) = (bundle, self.logs.get_mut(digest)) {
                progress
                    .lost
                    .rotate_left(usize::from(!progress.lost.is_empty()));
                bundle = progress.lost.back().copied();
            }
            if let Some(bundle) = bundle {
                self.last.clone_from(digest);
                return Some((log.clone(), bundle));
            }
        }
        None
    }

    /// The digests of all logs, in their order, from the one after the last on.
    fn turn<'a>(&self, logs: &'a HashMap<String, Arc<Copied<S>>>) -> Vec<&'a String> {
        let mut digests: Vec<&String> = logs.keys().collect();
        digests.sort_unstable();
        let place = digests.partition_point(|digest| **digest <= self.last);
        digests.rotate_left(place);
        digests
    }

    /// The next bundle of the next log, in the order of their digests.
    fn next(&mut self, logs: &HashMap<String, Arc<Copied<S>>>) -> Option<Place<S>> {
        for digest in self.turn(logs) {
            let log = &logs[digest];
            let size = log.shown.head.load().as_ref().map(|head| head.size().get());
            let bundles = size.unwrap_or(0).div_ceil(TILE_WIDTH as u64);
            if bundles == 0 {
                continue;
            }
            let progress = self.logs.entry(digest.clone()).or_default();
            let bundle = progress.next % bundles;
            progress.next = (bundle + 1) % bundles;
            self.last.clone_from(digest);
            return Some((log.clone(), bundle));
        }
        None
    }

    fn note(&mut self, log: &Copied<S>, bundle: u64, scrubbed: Scrubbed) {
        let origin = log.log.origin();
        let digest = log.shown.rows.digest().to_hex();
        let lost = &mut self.logs.entry(digest).or_default().lost;
        if scrubbed != Scrubbed::Lost {
            lost.retain(|other| *other != bundle);
        } else if !lost.contains(&bundle) {
            tracing::error!(
                origin,
                bundle,
                "a stored bundle of a mirrored log is damaged, and neither the log nor another \
                 mirror has it; it is not served until somebody has"
            );
            lost.push_back(bundle);
        }
        metrics::gauge!("assay_mirror_scrub_unrepaired", "log" => origin.to_owned())
            .set(lost.len() as f64);
    }
}

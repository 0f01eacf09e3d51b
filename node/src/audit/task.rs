//! The task that follows the copy of one log.

use super::auditor::{Auditor, Next};
use super::shown::{CopiedLog, Copies};
use super::{Copied, CopyView, Shared};
use crate::mirror::shelf::ShownLog;
use crate::reason::with_causes;
use assay_tlog::head::LogVerifier;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::watch;

/// Longest time without a look at the copy: a head that is idle is cosigned again.
const LOOK: Duration = Duration::from_secs(10);

/// First wait after a fault. It doubles each time.
const BACKOFF: Duration = Duration::from_millis(500);

/// How often it doubles: a minute or so at most.
const BACKOFF_DOUBLES: u32 = 7;

/// Memory for the tiles that answers about one log are made from, in MiB.
const TILES_MIB: usize = 1;

/// The auditor of a node: one task for each log.
#[derive(Clone)]
pub struct Audits {
    shared: Arc<Shared>,
    copies: Copies,
}

impl Audits {
    /// An auditor without logs.
    pub fn new(shared: Shared) -> Self {
        Audits {
            shared: Arc::new(shared),
            copies: Copies::default(),
        }
    }

    /// What it shows.
    pub fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Whether a log can be audited: none of the auditor's keys is the log's.
    pub fn takes(&self, log: &LogVerifier) -> bool {
        assay_tlog::witness::WitnessedLog::new(log.clone(), &self.shared.keys.load()).is_ok()
    }

    /// Follows a copy until `stop` says so, or is gone. On return, nothing is written any more.
    pub async fn run(
        self,
        log: LogVerifier,
        mirrored: Arc<ShownLog>,
        mut stop: watch::Receiver<bool>,
    ) {
        let part = Copied::new(self.shared.store.clone(), mirrored.rows.digest());
        let view = Arc::new(CopyView::new(Arc::new(part), TILES_MIB));
        let copied = Arc::new(CopiedLog::new(log.origin(), view));
        self.copies.put(copied.clone());
        let origin = log.origin().to_owned();
        let task = Task {
            shared: self.shared.clone(),
            mirrored: mirrored.clone(),
            copied: copied.clone(),
            failures: 0,
            auditor: Some(Auditor::new(self.shared.clone(), log, mirrored, copied)),
        };
        task.run(&mut stop).await;
        if !self.shared.ending.load(Ordering::Relaxed) {
            self.copies.remove(&origin);
        }
    }

    /// Everything is to end soon: what is being replayed stops at the next chunk.
    pub fn end(&self) {
        self.shared.ending.store(true, Ordering::Relaxed);
    }
}

struct Task {
    shared: Arc<Shared>,
    mirrored: Arc<ShownLog>,
    copied: Arc<CopiedLog>,
    /// Rounds that failed, one after the other.
    failures: u32,
    /// None while it works, and after a panic.
    auditor: Option<Auditor>,
}

impl Task {
    async fn run(mut self, stop: &mut watch::Receiver<bool>) {
        loop {
            let wait = match self.round().await {
                None => return,
                Some(wait) => wait,
            };
            if *stop.borrow() {
                break;
            }
            let Some(wait) = wait else { continue };
            // Only a fault is waited for whatever comes.
            let changed = self.mirrored.changed.notified();
            let is_fault = self.failures > 0;
            tokio::select! {
                () = async { _ = stop.wait_for(|stop| *stop).await } => break,
                () = changed, if !is_fault => {}
                () = self.copied.clear.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.close().await;
    }

    /// Does what is due, and returns how long to wait then; `None` inside if there is more. `None`
    /// if it cannot go on.
    async fn round(&mut self) -> Option<Option<Duration>> {
        let turn = self.shared.turns.acquire().await.ok()?;
        let mut auditor = self.auditor.take()?;
        let done = tokio::task::spawn_blocking(move || {
            let next = auditor.round();
            (auditor, next)
        });
        let done = done.await;
        drop(turn);
        let (auditor, next) = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "the audit of a mirrored log ended");
                return None;
            }
        };
        let wait = match next {
            Ok(Next::More) => None,
            Ok(Next::Wait) => Some(LOOK),
            Err(error) => {
                let reason = with_causes(&error);
                let origin = auditor.origin();
                if self.failures == 0 {
                    tracing::error!(origin, reason, "a mirrored log cannot be audited for now");
                } else {
                    tracing::debug!(origin, reason, "a mirrored log still cannot be audited");
                }
                auditor.failed();
                let wait = BACKOFF * 2_u32.pow(self.failures.min(BACKOFF_DOUBLES));
                self.failures = self.failures.saturating_add(1);
                self.auditor = Some(auditor);
                return Some(Some(wait));
            }
        };
        self.failures = 0;
        self.auditor = Some(auditor);
        Some(wait)
    }

    async fn close(&mut self) {
        let Some(mut auditor) = self.auditor.take() else {
            return;
        };
        let closed = tokio::task::spawn_blocking(move || auditor.close()).await;
        if let Ok(Err(error)) = closed {
            tracing::warn!(%error, "the index of a mirrored log cannot be stored as it is");
        }
    }
}

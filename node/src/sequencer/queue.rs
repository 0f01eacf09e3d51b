//! What the sequencer waits for: submissions, a moment, and news of witnesses.

use super::{Submission, fair};
use crate::cosigner::{Asking, Told};
use std::{
    future::pending,
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, time::timeout_at};

/// Most candidates in one commit: at 1 KiB each, a batch of a mebibyte, which syncs in about a
/// millisecond.
const BATCH: usize = 1024;

/// Most bytes of payload in one commit, and of what labels count as. A batch is in memory several
/// times over while it is written, and the next one waits until its labels are in the index.
const BATCH_BYTES: usize = 4 << 20;

/// How long a commit waits for more candidates if the last one had several. Under load that makes
/// commits fewer, and answers leave in larger groups. The delay is small beside that of a sync on
/// most disks. An idle node never waits.
const LINGER: Duration = Duration::from_millis(3);

/// Why the sequencer woke up.
pub(super) enum Woken {
    /// These came.
    Batch(Vec<Submission>),
    /// The moment came.
    Timeout,
    /// There is news.
    Told(Told),
    /// No more submissions will come.
    Closed,
}

/// Waits for a submission, and collects what else is in the queue, up to a full batch; or for news
/// of `witnesses`, or until `until`.
pub(super) fn next(
    queue: &mut fair::Receiver<Submission>,
    witnesses: Option<&mut Asking>,
    until: Option<Instant>,
    crowded: bool,
) -> Woken {
    let woken = Handle::current().block_on(async {
        tokio::select! {
            // What witnesses say decides what others wait for.
            biased;
            told = told(witnesses) => Woken::Told(told),
            received = received(queue, until) => received,
        }
    });
    let Woken::Batch(mut batch) = woken else {
        return woken;
    };
    if !drain(queue, &mut batch) && crowded && queue.is_empty() {
        // A sleep, not a wait on the queue: a wake-up for each submission costs more than the
        // submission.
        thread::sleep(LINGER);
        drain(queue, &mut batch);
    }
    Woken::Batch(batch)
}

/// Waits for news of `witnesses` until `end`.
pub(super) fn told_until(witnesses: &mut Asking, end: Instant) -> Option<Told> {
    Handle::current().block_on(async { timeout_at(end.into(), witnesses.told()).await.ok() })
}

async fn told(witnesses: Option<&mut Asking>) -> Told {
    match witnesses {
        Some(witnesses) => witnesses.told().await,
        None => pending().await,
    }
}

/// The channel itself can only wait for ever.
async fn received(queue: &mut fair::Receiver<Submission>, until: Option<Instant>) -> Woken {
    let received = match until {
        Some(until) => timeout_at(until.into(), queue.recv()).await,
        None => Ok(queue.recv().await),
    };
    match received {
        Ok(Some(one)) => Woken::Batch(vec![one]),
        Ok(None) => Woken::Closed,
        Err(_) => Woken::Timeout,
    }
}

/// Takes what is in the queue. Returns whether the batch is full.
fn drain(queue: &mut fair::Receiver<Submission>, batch: &mut Vec<Submission>) -> bool {
    let mut claims: usize = batch.iter().map(|one| one.candidates.len()).sum();
    let mut bytes: usize = batch.iter().map(Submission::bytes).sum();
    while claims < BATCH && bytes < BATCH_BYTES {
        let Some(next) = queue.try_recv() else {
            return false;
        };
        claims += next.candidates.len();
        bytes += next.bytes();
        batch.push(next);
    }
    true
}

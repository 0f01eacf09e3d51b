//! The sequencer: one thread that turns what waits in the queue into durable leaves, and leaves
//! into published checkpoints.
//!
//! It decides when to append and when to publish, and answers whoever waits. [`Log`] does both, in
//! the order that docs/design.md 5 demands.
//!
//! If a commit or the checkpoint file fails, nobody knows what is on the disk. Then nothing more is
//! written or signed until a restart has looked, and readers keep the last checkpoint.

use crate::{
    log::{Log, WriteError},
    quota::Charge,
    reply::{Outbox, Reply},
    storage::Tables,
};
use assay_claims::sequencer::{Candidate, Outcome};
use std::{
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc};

/// Most candidates in one commit: at 1 KiB each, a batch of a mebibyte, which syncs in about a
/// millisecond.
const BATCH: usize = 1024;

/// Most bytes of payload in one commit. A batch is in memory several times over while it is
/// written.
const BATCH_BYTES: usize = 4 << 20;

/// How long a commit waits for more candidates if the last one had several. Under load that makes
/// commits fewer, and answers leave in larger groups. The delay is small beside that of a sync on
/// most disks. An idle node never waits.
const LINGER: Duration = Duration::from_millis(3);

/// How much a publisher waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The claim is durable and has a leaf index.
    Sequenced,
    /// A published checkpoint covers the claim.
    Integrated,
}

/// Candidates that are answered together.
#[derive(Debug)]
pub struct Submission {
    /// What to log.
    pub candidates: Vec<Candidate>,
    /// What was charged for each candidate.
    pub charges: Vec<Charge>,
    /// What to wait for before the answer.
    pub wait: Wait,
    /// Where to answer. It is dropped without an answer if the node stopped writing.
    pub reply: Reply,
}

impl Submission {
    fn bytes(&self) -> usize {
        self.candidates.iter().map(Candidate::payload_len).sum()
    }
}

/// Why the node no longer writes. It is set once, and read wherever a caller has to be told.
#[derive(Debug, Default)]
pub struct Halt(OnceLock<String>);

impl Halt {
    /// Why the node stopped writing, if it did.
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Says why, once.
    pub(crate) fn set(&self, reason: String) {
        tracing::error!(%reason, "the node stopped writing and signing; reads go on");
        metrics::gauge!("assay_halted").set(1.0);
        let _ = self.0.set(reason);
    }
}

/// Drives a log from a queue.
pub struct Driver<S> {
    /// The log. Nobody else writes it.
    pub log: Log<S>,
    /// Shortest time between checkpoints.
    pub interval: Duration,
    /// Longest time between commitments to the index: an idle log commits again, so that its age
    /// says how fresh it is, and a head that is kept from somebody shows (docs/design.md 3.5).
    pub heartbeat: Duration,
    /// Where to say that writing ended.
    pub halt: Arc<Halt>,
}

/// Answers that callers wait for.
#[derive(Default)]
struct Owed {
    /// For the batch that is being committed.
    leaves: Vec<Share>,
    /// For what is committed and not yet published.
    checkpoints: Vec<Waiting>,
}

/// One submission's part of a batch.
struct Share {
    candidates: usize,
    charges: Vec<Charge>,
    wait: Wait,
    reply: Reply,
}

/// Sets the halt if the thread panics, so that the node does not call itself ready.
struct HaltOnPanic(Arc<Halt>);

impl Drop for HaltOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.set(
                "its sequencer failed; this is a fault of the program. Restart the node and \
                 report it"
                    .into(),
            );
        }
    }
}

/// A submission that waits for a checkpoint.
struct Waiting {
    /// The published size that it waits for.
    size: u64,
    reply: Reply,
    outcomes: Vec<Outcome>,
}

impl<S: Tables + 'static> Driver<S> {
    /// Starts the thread. It ends, after a last checkpoint, when every sender of `queue` is gone.
    /// `runtime` keeps the time.
    pub fn start(
        self,
        queue: mpsc::Receiver<Submission>,
        runtime: Handle,
    ) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("sequencer".into())
            .spawn(move || {
                let _entered = runtime.enter();
                let _halt = HaltOnPanic(self.halt.clone());
                self.run(queue);
            })
    }

    fn run(mut self, mut queue: mpsc::Receiver<Submission>) {
        let mut owed = Owed::default();
        if let Err(error) = self.drive(&mut queue, &mut owed) {
            // Before any reply is dropped. A caller whose reply is dropped asks for the reason.
            self.halt.set(reason(&error));
            queue.close();
            while queue.try_recv().is_ok() {}
        }
    }

    fn drive(
        &mut self,
        queue: &mut mpsc::Receiver<Submission>,
        owed: &mut Owed,
    ) -> Result<(), WriteError> {
        // After a crash the tree may be ahead of its checkpoint. It is published before anything is
        // added to it.
        if self.log.is_ahead() {
            self.log.publish()?;
        }
        let mut last_publish: Option<Instant> = None;
        // A machine that has just started knows no instant so long ago; then it commits later.
        let now = Instant::now();
        let age = self.log.commitment_age().min(self.heartbeat);
        let mut committed = now.checked_sub(age).unwrap_or(now);
        let mut crowded = false;
        loop {
            let due = self.due(last_publish, committed);
            let Some(batch) = next_batch(queue, due, crowded) else {
                self.publish_pending(owed)?;
                return self.log.store_index();
            };
            crowded = batch.len() > 1;
            if !batch.is_empty() {
                self.sequence(batch, owed)?;
            }
            if self.due(last_publish, committed) <= Instant::now() {
                if !self.log.is_ahead() {
                    self.log.append_commitment()?;
                }
                self.publish_pending(owed)?;
                last_publish = Some(Instant::now());
                committed = Instant::now();
            }
        }
    }

    /// When the next checkpoint is due: soon if there is something new to publish, else when the
    /// last commitment is old.
    fn due(&self, last: Option<Instant>, committed: Instant) -> Instant {
        if !self.log.is_ahead() {
            return committed + self.heartbeat;
        }
        last.map_or_else(Instant::now, |last| last + self.interval)
    }

    fn sequence(&mut self, batch: Vec<Submission>, owed: &mut Owed) -> Result<(), WriteError> {
        let mut candidates = Vec::new();
        for submission in batch {
            // The caller went away while it queued. Nothing was promised to it.
            if submission.reply.is_closed() {
                continue;
            }
            let Submission {
                candidates: some,
                charges,
                wait,
                reply,
            } = submission;
            owed.leaves.push(Share {
                candidates: some.len(),
                charges,
                wait,
                reply,
            });
            candidates.extend(some);
        }
        let mut outcomes = self.log.append(candidates)?.into_iter();
        let published = self.log.view().published().size().get();
        let mut outbox = Outbox::default();
        for share in owed.leaves.drain(..) {
            let outcomes: Vec<_> = outcomes.by_ref().take(share.candidates).collect();
            keep(share.charges, &outcomes);
            let size = covering(&outcomes);
            if share.wait == Wait::Integrated && size > published {
                owed.checkpoints.push(Waiting {
                    size,
                    reply: share.reply,
                    outcomes,
                });
            } else {
                outbox.push(share.reply, outcomes);
            }
        }
        outbox.send();
        Ok(())
    }

    fn publish_pending(&mut self, owed: &mut Owed) -> Result<(), WriteError> {
        if self.log.is_ahead() {
            self.log.publish()?;
        }
        let size = self.log.view().published().size().get();
        let mut outbox = Outbox::default();
        for answered in owed.checkpoints.extract_if(.., |one| one.size <= size) {
            outbox.push(answered.reply, answered.outcomes);
        }
        outbox.send();
        Ok(())
    }
}

/// Keeps what was charged for new leaves, and gives the rest back.
fn keep(charges: Vec<Charge>, outcomes: &[Outcome]) {
    for (charge, outcome) in charges.into_iter().zip(outcomes) {
        if let Outcome::Sequenced { .. } = outcome {
            charge.keep();
        }
    }
}

/// The size of the smallest tree that holds every leaf in `outcomes`.
fn covering(outcomes: &[Outcome]) -> u64 {
    let mut size = 0;
    for outcome in outcomes {
        if let Outcome::Sequenced { index, .. } | Outcome::Existing(index) = outcome {
            size = size.max(index.get() + 1);
        }
    }
    size
}

/// Waits for a submission and collects what else is in the queue, up to a full batch. Returns an
/// empty batch once a checkpoint is due, and `None` when no more will come.
fn next_batch(
    queue: &mut mpsc::Receiver<Submission>,
    due: Instant,
    crowded: bool,
) -> Option<Vec<Submission>> {
    let first = match recv_until(queue, due) {
        Received::One(first) => first,
        Received::Timeout => return Some(Vec::new()),
        Received::Closed => return None,
    };
    let mut batch = vec![first];
    if !drain(queue, &mut batch) && crowded {
        // A sleep, not a wait on the queue: a wake-up for each submission costs more than the
        // submission.
        thread::sleep(LINGER);
        drain(queue, &mut batch);
    }
    Some(batch)
}

/// Takes what is in the queue. Returns whether the batch is full.
fn drain(queue: &mut mpsc::Receiver<Submission>, batch: &mut Vec<Submission>) -> bool {
    let mut claims: usize = batch.iter().map(|one| one.candidates.len()).sum();
    let mut bytes: usize = batch.iter().map(Submission::bytes).sum();
    while claims < BATCH && bytes < BATCH_BYTES {
        let Ok(next) = queue.try_recv() else {
            return false;
        };
        claims += next.candidates.len();
        bytes += next.bytes();
        batch.push(next);
    }
    true
}

enum Received {
    One(Submission),
    Timeout,
    Closed,
}

/// Waits for a submission until `deadline`. The channel itself can only wait for ever.
fn recv_until(queue: &mut mpsc::Receiver<Submission>, deadline: Instant) -> Received {
    Handle::current().block_on(async {
        match tokio::time::timeout_at(deadline.into(), queue.recv()).await {
            Ok(Some(one)) => Received::One(one),
            Ok(None) => Received::Closed,
            Err(_) => Received::Timeout,
        }
    })
}

/// The chain of causes in one line, for callers and for the operator.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

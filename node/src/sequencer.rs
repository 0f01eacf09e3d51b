//! The sequencer's driver: one thread that turns what waits in the pool into durable leaves, and
//! leaves into published checkpoints.
//!
//! The order is always the same (DESIGN 5): plan, commit, adopt, answer; and for a checkpoint:
//! append the leaf that commits to the index, commit, check the root a second time from the stored
//! bytes, persist the anchor, sign, show. `assay_claims::sequencer` decides; this file does the I/O.
//!
//! If a commit or the anchor fails, nobody knows what is on the disk, so nothing more is written
//! and nothing is signed until a restart has looked. Readers keep the last checkpoint.

use crate::{
    checkpoint_file::CheckpointFile,
    index::Index,
    records::{self, RecordError},
    registry::Directory,
    reply::{Outbox, Reply},
    storage::{Batch, StorageError, Tables},
    view::{View, stored_root},
};
use assay_claims::entry::EntryError;
use assay_claims::sequencer::{Candidate, Outcome, Sequencer, Step};
use assay_tlog::Hash;
use assay_tlog::note::{Checkpoint, CheckpointError, SignerKey, VerifiedCheckpoint};
use assay_tlog::tree::TreeSize;
use std::{
    sync::{Arc, OnceLock},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{runtime::Handle, sync::mpsc};

/// Most candidates in one commit: at 1 KiB each, a batch of a mebibyte, which syncs in about a
/// millisecond.
const BATCH: usize = 1024;

/// Most bytes of payload in one commit. A batch is in memory several times over while it is
/// written.
const BATCH_BYTES: usize = 4 << 20;

/// How long a commit waits for company when some came with the last one. Under load that makes
/// commits fewer, and answers leave in larger groups, for a delay that is small beside that of a
/// sync on most disks; an idle node never waits.
const LINGER: Duration = Duration::from_millis(3);

/// How much a publisher waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Durable, with an index.
    Sequenced,
    /// Under a published checkpoint.
    Integrated,
}

/// Candidates that are answered together.
#[derive(Debug)]
pub struct Submission {
    /// What to log.
    pub candidates: Vec<Candidate>,
    /// When to answer.
    pub wait: Wait,
    /// Where to answer. Dropped without an answer if the node stopped writing.
    pub reply: Reply,
}

impl Submission {
    fn bytes(&self) -> usize {
        self.candidates.iter().map(Candidate::payload_len).sum()
    }
}

/// Why the node no longer writes. Set once; readable by whoever has to tell a caller.
#[derive(Debug, Default)]
pub struct Halt(OnceLock<String>);

impl Halt {
    /// Why the node stopped writing, if it did.
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    fn set(&self, reason: String) {
        tracing::error!(%reason, "the node stopped writing and signing; reads go on");
        metrics::gauge!("assay_halted").set(1.0);
        let _ = self.0.set(reason);
    }
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum DriveError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Entry(#[from] EntryError),
    #[error(transparent)]
    CheckpointFile(#[from] crate::checkpoint_file::CheckpointFileError),
    #[error(
        "the stored tree of size {size} has the root {stored}, but {planned} was about to be signed"
    )]
    SecondCheck {
        size: TreeSize,
        stored: Hash,
        planned: Hash,
    },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl From<StorageError> for DriveError {
    fn from(error: StorageError) -> Self {
        DriveError::Record(error.into())
    }
}

/// Everything that the driver works on.
pub struct Driver<S> {
    /// The tables.
    pub store: Arc<S>,
    /// The readers' side.
    pub view: Arc<View<S>>,
    /// The issuers in force.
    pub directory: Arc<Directory>,
    /// The anchor.
    pub anchor: CheckpointFile,
    /// The log's key.
    pub key: SignerKey,
    /// State of the tree.
    pub state: Sequencer,
    /// The index of its leaves.
    pub index: Index,
    /// Shortest time between checkpoints.
    pub interval: Duration,
    /// Where to say that writing ended.
    pub halt: Arc<Halt>,
}

/// Answers that callers wait for.
#[derive(Default)]
struct Owed {
    /// Of the batch that is being committed.
    leaves: Vec<Share>,
    /// Of what is committed and not published.
    checkpoints: Vec<Waiting>,
}

/// One submission's part of a batch.
struct Share {
    candidates: usize,
    wait: Wait,
    reply: Reply,
}

/// Says so if the thread dies of a fault of ours, so that the node does not call itself ready.
struct Watch(Arc<Halt>);

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.set(
                "its sequencer failed; this is a fault of the program. Restart the node \
                and report it"
                    .into(),
            );
        }
    }
}

struct Waiting {
    /// The published size that answers it.
    size: u64,
    reply: Reply,
    outcomes: Vec<Outcome>,
}

impl<S: Tables + Send + Sync + 'static> Driver<S> {
    /// Starts the thread. It ends, after a last checkpoint, when every sender of `pool` is gone.
    /// `runtime` keeps the time.
    pub fn start(
        self,
        pool: mpsc::Receiver<Submission>,
        runtime: Handle,
    ) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("sequencer".into())
            .spawn(move || {
                let _entered = runtime.enter();
                let _watch = Watch(self.halt.clone());
                self.run(pool);
            })
    }

    fn run(mut self, mut pool: mpsc::Receiver<Submission>) {
        let mut owed = Owed::default();
        if let Err(error) = self.drive(&mut pool, &mut owed) {
            // Before anything that is owed is dropped: dropping a reply says that there will be
            // none, and whoever learns that asks for the reason.
            self.halt.set(reason(&error));
            pool.close();
            while pool.try_recv().is_ok() {}
        }
    }

    fn drive(
        &mut self,
        pool: &mut mpsc::Receiver<Submission>,
        owed: &mut Owed,
    ) -> Result<(), DriveError> {
        // A tree that is ahead of its checkpoint, as after a crash, is published before anything is
        // added to it.
        if self.state.head().size > self.view.published().size() {
            self.publish()?;
        }
        let mut last_publish: Option<Instant> = None;
        let mut crowded = false;
        loop {
            let due = self.due(last_publish);
            let Some(batch) = next_batch(pool, due, crowded) else {
                self.publish_pending(owed)?;
                return Ok(self.index.settle(&*self.store)?);
            };
            crowded = batch.len() > 1;
            if !batch.is_empty() {
                self.sequence(batch, owed)?;
            }
            if self
                .due(last_publish)
                .is_some_and(|due| due <= Instant::now())
            {
                self.publish_pending(owed)?;
                last_publish = Some(Instant::now());
            }
        }
    }

    /// When the next checkpoint is due; `None` if there is nothing new to publish.
    fn due(&self, last: Option<Instant>) -> Option<Instant> {
        let behind = self.state.head().size > self.view.published().size();
        behind.then(|| last.map_or_else(Instant::now, |last| last + self.interval))
    }

    fn sequence(&mut self, batch: Vec<Submission>, owed: &mut Owed) -> Result<(), DriveError> {
        let mut candidates = Vec::new();
        for submission in batch {
            // The caller went away while it queued; nothing was promised to it.
            if submission.reply.is_closed() {
                continue;
            }
            let Submission {
                candidates: some,
                wait,
                reply,
            } = submission;
            owed.leaves.push(Share {
                candidates: some.len(),
                wait,
                reply,
            });
            candidates.extend(some);
        }
        let keys: Vec<_> = candidates.iter().map(Candidate::key).collect();
        let known = records::find_claims(&*self.store, &keys)?;
        let mut step = self
            .state
            .plan(now_ms(), candidates, &known, &*self.directory);
        let mut outcomes = std::mem::take(&mut step.outcomes).into_iter();
        if !step.leaves.is_empty() {
            self.commit(step, records::batch)?;
        }
        let mut outbox = Outbox::default();
        for share in owed.leaves.drain(..) {
            let outcomes = outcomes.by_ref().take(share.candidates).collect();
            self.answer(
                outcomes,
                share.wait,
                share.reply,
                &mut owed.checkpoints,
                &mut outbox,
            );
        }
        outbox.send();
        Ok(())
    }

    /// Persists a step, then adopts it.
    fn commit(
        &mut self,
        step: Step,
        batch: impl FnOnce(&Step) -> Result<Batch, RecordError>,
    ) -> Result<(), DriveError> {
        let started = Instant::now();
        self.store.commit(batch(&step)?)?;
        metrics::histogram!("assay_commit_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("assay_entries_total").increment(step.leaves.len() as u64);
        for (at, leaf) in (step.first.get()..).zip(step.leaves) {
            self.index.add(at, &leaf.labels);
            if let Some(record) = leaf.change {
                tracing::info!(issuer = %record.id, sequence = record.body.sequence, name = %record.body.name, "issuer \
                    record in force");
                self.directory.apply(record);
            }
        }
        self.state = step.next;
        metrics::gauge!("assay_tree_size").set(self.state.head().size.get() as f64);
        Ok(())
    }

    fn answer(
        &self,
        outcomes: Vec<Outcome>,
        wait: Wait,
        reply: Reply,
        waiting: &mut Vec<Waiting>,
        outbox: &mut Outbox,
    ) {
        let last = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Sequenced { index, .. } | Outcome::Existing(index) => Some(index.get() + 1),
            Outcome::Refused(_) => None,
        });
        let size = last.max().unwrap_or(0);
        if wait == Wait::Integrated && size > self.view.published().size().get() {
            waiting.push(Waiting {
                size,
                reply,
                outcomes,
            });
        } else {
            outbox.push(reply, outcomes);
        }
    }

    fn publish_pending(&mut self, owed: &mut Owed) -> Result<(), DriveError> {
        if self.state.head().size > self.view.published().size() {
            self.publish()?;
        }
        let size = self.view.published().size().get();
        let mut outbox = Outbox::default();
        for answered in owed.checkpoints.extract_if(.., |one| one.size <= size) {
            outbox.push(answered.reply, answered.outcomes);
        }
        outbox.send();
        Ok(())
    }

    /// Appends the leaf that commits to the index of all before it, in one batch with the rows of
    /// the index.
    fn commit_index(&mut self) -> Result<(), DriveError> {
        let started = Instant::now();
        let (commitment, rows) = self
            .index
            .step(&*self.store, self.state.head().size.get())?;
        metrics::histogram!("assay_index_seconds").record(started.elapsed().as_secs_f64());
        let step = self.state.plan_commitment(now_ms(), &commitment)?;
        self.commit(step, |step| {
            let mut batch = records::batch(step)?;
            rows.write(&mut batch);
            Ok(batch)
        })?;
        self.index.let_go();
        Ok(())
    }

    /// Signs the tree as it stands, which ends in a commitment to its index, and shows it. Nothing
    /// is shown that is not anchored.
    fn publish(&mut self) -> Result<(), DriveError> {
        let started = Instant::now();
        if !self.state.head().is_committed() {
            self.commit_index()?;
        }
        let head = self.state.head();
        let stored = stored_root(&*self.store, head.size)?;
        if stored != head.root {
            return Err(DriveError::SecondCheck {
                size: head.size,
                stored,
                planned: head.root,
            });
        }
        let origin = self.view.published().checkpoint().origin().to_owned();
        let note = Checkpoint {
            origin,
            size: head.size,
            root: head.root,
        }
        .sign(&self.key);
        let checkpoint = VerifiedCheckpoint::verify(&note, &self.key.verifier())?;
        self.anchor.append(&note)?;
        self.view.publish(checkpoint, self.index.map().clone())?;
        metrics::histogram!("assay_publish_seconds").record(started.elapsed().as_secs_f64());
        metrics::gauge!("assay_published_size").set(head.size.get() as f64);
        tracing::debug!(size = %head.size, root = %head.root, "checkpoint published");
        Ok(())
    }
}

/// Collects what waits, up to a full batch. Returns an empty batch once a checkpoint is due, and
/// `None` when no more will come.
fn next_batch(
    pool: &mut mpsc::Receiver<Submission>,
    due: Option<Instant>,
    crowded: bool,
) -> Option<Vec<Submission>> {
    let first = match due {
        None => pool.blocking_recv()?,
        Some(due) => match recv_until(pool, due) {
            Received::One(first) => first,
            Received::Timeout => return Some(Vec::new()),
            Received::Closed => return None,
        },
    };
    let mut batch = vec![first];
    if !drain(pool, &mut batch) && crowded {
        // Asleep and not waiting on the pool: being woken for every submission costs more than the
        // submission.
        thread::sleep(LINGER);
        drain(pool, &mut batch);
    }
    Some(batch)
}

/// Takes what is in the pool. Returns whether the batch is full.
fn drain(pool: &mut mpsc::Receiver<Submission>, batch: &mut Vec<Submission>) -> bool {
    let mut claims: usize = batch.iter().map(|one| one.candidates.len()).sum();
    let mut bytes: usize = batch.iter().map(Submission::bytes).sum();
    while claims < BATCH && bytes < BATCH_BYTES {
        let Ok(next) = pool.try_recv() else {
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

/// Waits on a channel that has no waiting with a deadline of its own.
fn recv_until(pool: &mut mpsc::Receiver<Submission>, deadline: Instant) -> Received {
    Handle::current().block_on(async {
        match tokio::time::timeout_at(deadline.into(), pool.recv()).await {
            Ok(Some(one)) => Received::One(one),
            Ok(None) => Received::Closed,
            Err(_) => Received::Timeout,
        }
    })
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

/// The whole chain of causes in one line: it goes to callers and to the operator alike.
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

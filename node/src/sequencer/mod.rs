//! The sequencer: one thread that turns what waits in the queue into durable leaves, and leaves
//! into published checkpoints.
//!
//! It decides when to append and when to publish, and answers whoever waits. [`Log`] does both, in
//! the order that docs/design.md 5 demands.
//!
//! A log that asks witnesses has one signed checkpoint at a time that is not shown yet: its
//! candidate. Claims become durable meanwhile, and wait for the next one.
//!
//! If a commit or the checkpoint file fails, nobody knows what is on the disk. Then nothing more is
//! written or signed until a restart has looked, and readers keep the last checkpoint.

pub mod fair;
mod queue;

use self::queue::Woken;
use crate::signer::{key::KeyFailed, log::SignError};
use crate::{
    cosigner::{Asking, Told},
    log::{Log, WriteError},
    quota::{Charge, LABEL_BYTES},
    reason::with_causes,
    reply::{Outbox, Reply},
    storage::Tables,
};
use arc_swap::ArcSwapOption;
use assay_claims::sequencer::{Candidate, Outcome};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use std::{
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::SetOnce};

/// How long a publisher waits at most for a checkpoint of a log that waits for its witnesses. Then
/// it is told how far its claim is: it is durable.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a key that did not sign is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// How long a node that stops waits for its witnesses.
const FAREWELL: Duration = Duration::from_secs(3);

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
    /// What it adds to a batch.
    fn bytes(&self) -> usize {
        let of = |one: &Candidate| one.payload_len() + LABEL_BYTES * one.labels();
        self.candidates.iter().map(of).sum()
    }
}

/// Why the node no longer writes, which is set once and read wherever a caller has to be told, and
/// why it does not sign at the moment.
#[derive(Debug, Default)]
pub struct Halt {
    stopped: SetOnce<String>,
    unsigned: ArcSwapOption<String>,
}

impl Halt {
    /// Why the node stopped writing, if it did.
    pub fn reason(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    /// Waits until the node stops writing.
    pub(crate) async fn happened(&self) {
        self.stopped.wait().await;
    }

    /// Says why, once.
    pub(crate) fn set(&self, reason: String) {
        tracing::error!(%reason, "the node stopped writing and signing; reads go on");
        metrics::gauge!("assay_halted").set(1.0);
        let _ = self.stopped.set(reason);
    }

    /// Why the log's key does not sign at the moment, if it does not. What is acknowledged
    /// meanwhile is durable, and is published once it signs.
    pub fn unsigned(&self) -> Option<Arc<String>> {
        self.unsigned.load_full()
    }

    /// Says why the key does not sign, or that it does, once each.
    fn set_unsigned(&self, why: Option<String>) {
        let before = self.unsigned();
        if before.as_deref() == why.as_ref() {
            return;
        }
        metrics::gauge!("assay_unsigned").set(if why.is_some() { 1.0 } else { 0.0 });
        match &why {
            Some(reason) => tracing::error!(%reason, "nothing is published; claims are kept"),
            None => tracing::info!("the log's key signs again"),
        }
        self.unsigned.store(why.map(Arc::new));
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
    /// The witnesses that must have cosigned what is shown, if the log asks any.
    pub witnesses: Option<Asking>,
}

/// What became of the checkpoint that was signed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// It is shown.
    Shown,
    /// Witnesses are asked about it, and nothing else is signed.
    Asked,
    /// It is what this log had signed before this start. Until a quorum has cosigned it, nobody
    /// knows whether this disk is the newest, so nothing else is signed, whatever comes.
    First,
    /// The key did not sign what is to be shown next. It is asked again.
    Unsigned,
    /// No witness is left that may cosign at once, and there is no quorum. A newer one may take its
    /// place.
    Stuck,
}

/// When things happened.
struct Times {
    /// The last signature, if there was one since the start.
    signed: Option<Instant>,
    /// The last commitment.
    committed: Instant,
}

/// Why the sequencer ended before its queue did.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{0}")]
    Witnesses(String),
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
    since: Instant,
    reply: Reply,
    outcomes: Vec<Outcome>,
}

impl<S: Tables + 'static> Driver<S> {
    /// Starts the thread. It ends, after a last checkpoint, when every sender of `queue` is gone.
    /// `runtime` keeps the time.
    pub fn start(
        self,
        queue: fair::Receiver<Submission>,
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

    fn run(mut self, mut queue: fair::Receiver<Submission>) {
        let mut owed = Owed::default();
        if let Err(error) = self.drive(&mut queue, &mut owed) {
            // Before the queue is dropped, and with it every reply that waits: a caller whose reply
            // is dropped asks for the reason.
            self.halt.set(with_causes(&error));
        }
    }

    fn drive(
        &mut self,
        queue: &mut fair::Receiver<Submission>,
        owed: &mut Owed,
    ) -> Result<(), Ended> {
        let mut head = self.begin(owed)?;
        // A machine that has just started knows no instant so long ago; then it commits later.
        let now = Instant::now();
        let age = self.log.commitment_age().min(self.heartbeat);
        let mut times = Times {
            signed: None,
            committed: now.checked_sub(age).unwrap_or(now),
        };
        let mut crowded = false;
        loop {
            let due = self.due(head, &times);
            let until = due.into_iter().chain(self.patience(head, owed)).min();
            match queue::next(queue, self.witnesses.as_mut(), until, crowded) {
                Woken::Closed => return self.end(head, owed),
                Woken::Timeout => crowded = false,
                Woken::Told(told) => head = self.told(told, head, owed)?,
                Woken::Batch(batch) => {
                    crowded = batch.len() > 1;
                    self.sequence(batch, owed)?;
                }
            }
            self.release(head, owed);
            if self
                .due(head, &times)
                .is_some_and(|due| due <= Instant::now())
            {
                head = self.advance(head, &mut times, owed)?;
            }
        }
    }

    /// Publishes what there is, or a new commitment.
    fn advance(&mut self, head: Head, times: &mut Times, owed: &mut Owed) -> Result<Head, Ended> {
        // What came meanwhile may forbid to sign anything more.
        if let Some(told) = self.witnesses.as_mut().and_then(Asking::try_told) {
            return self.told(told, head, owed);
        }
        if !self.log.is_ahead() {
            if head == Head::Unsigned {
                let head = self.look_for_keys();
                times.signed = Some(Instant::now());
                return Ok(head);
            }
            self.log.append_commitment()?;
        }
        let head = self.publish(owed)?;
        *times = Times {
            signed: Some(Instant::now()),
            committed: Instant::now(),
        };
        Ok(head)
    }

    /// After a crash the tree may be ahead of its checkpoint. It is published before anything is
    /// added to it. A log that asks witnesses first asks them about what it had signed.
    fn begin(&mut self, owed: &mut Owed) -> Result<Head, Ended> {
        if let Some(witnesses) = &self.witnesses {
            witnesses.propose(self.log.last().checkpoint.clone());
            return Ok(Head::First);
        }
        if self.log.is_ahead() {
            return self.publish(owed);
        }
        Ok(self.look_for_keys())
    }

    /// Whether what is shown next could be signed, though nothing is to be signed yet: a key that
    /// is gone is not noticed only when somebody publishes.
    fn look_for_keys(&self) -> Head {
        let failed = self.log.keys().load().look_for().err();
        self.halt
            .set_unsigned(failed.as_ref().map(KeyFailed::to_string));
        failed.map_or(Head::Shown, |_| Head::Unsigned)
    }

    /// When the next checkpoint is due: soon if there is something new to publish, else when the
    /// last commitment is old. Not while witnesses are asked about the last one.
    fn due(&self, head: Head, times: &Times) -> Option<Instant> {
        match head {
            Head::Asked | Head::First => None,
            Head::Unsigned => Some(times.signed.map_or_else(Instant::now, |at| at + RETRY)),
            _ if !self.log.is_ahead() => Some(times.committed + self.heartbeat),
            _ => Some(
                times
                    .signed
                    .map_or_else(Instant::now, |at| at + self.interval),
            ),
        }
    }

    /// Signs the log as it stands, and shows it or has it cosigned.
    fn publish(&mut self, owed: &mut Owed) -> Result<Head, Ended> {
        let checkpoint = match self.log.sign() {
            Ok(signed) => signed.checkpoint.clone(),
            Err(WriteError::Sign(SignError::Key(failed))) => {
                self.halt.set_unsigned(Some(failed.to_string()));
                return Ok(Head::Unsigned);
            }
            Err(error) => return Err(error.into()),
        };
        self.halt.set_unsigned(None);
        match &self.witnesses {
            None => self.show(checkpoint, owed),
            Some(witnesses) => {
                witnesses.propose(checkpoint);
                Ok(Head::Asked)
            }
        }
    }

    fn told(&mut self, told: Told, head: Head, owed: &mut Owed) -> Result<Head, Ended> {
        match told {
            Told::Stop(reason) => Err(Ended::Witnesses(reason)),
            Told::NoQuorum if head == Head::Asked => Ok(Head::Stuck),
            Told::NoQuorum => Ok(head),
            // A quorum that came too late, for what another one took the place of.
            Told::Witnessed(old) if old.size() < self.log.last().checkpoint.size() => Ok(head),
            Told::Witnessed(checkpoint) => {
                let shown = self.show(checkpoint, owed)?;
                if head == Head::First && !self.log.is_ahead() {
                    return Ok(self.look_for_keys());
                }
                Ok(shown)
            }
        }
    }

    /// Shows what was signed last, and answers whoever waited for it.
    fn show(&mut self, checkpoint: VerifiedCheckpoint, owed: &mut Owed) -> Result<Head, Ended> {
        self.log.show(checkpoint)?;
        let size = self.log.view().size().get();
        answer(owed.checkpoints.extract_if(.., |one| one.size <= size));
        Ok(Head::Shown)
    }

    /// When the first publisher has waited long enough for witnesses, or for the key.
    fn patience(&self, head: Head, owed: &Owed) -> Option<Instant> {
        (self.witnesses.is_some() || head == Head::Unsigned).then_some(())?;
        owed.checkpoints.first().map(|one| one.since + PATIENCE)
    }

    /// Answers those who have waited long enough for witnesses, or for the key.
    fn release(&self, head: Head, owed: &mut Owed) {
        if self
            .patience(head, owed)
            .is_some_and(|end| end <= Instant::now())
        {
            answer(
                owed.checkpoints
                    .extract_if(.., |one| one.since.elapsed() >= PATIENCE),
            );
        }
    }

    /// Publishes what is left, if its witnesses answer in time, and stores the index.
    fn end(&mut self, mut head: Head, owed: &mut Owed) -> Result<(), Ended> {
        let end = Instant::now() + FAREWELL;
        loop {
            if !matches!(head, Head::Asked | Head::First) && self.log.is_ahead() {
                head = self.publish(owed)?;
            }
            if head == Head::Unsigned {
                break;
            }
            let Some(witnesses) = self.witnesses.as_mut().filter(|_| head != Head::Shown) else {
                break;
            };
            let Some(told) = queue::told_until(witnesses, end) else {
                tracing::warn!("no quorum of witnesses has cosigned the last checkpoint yet");
                break;
            };
            head = self.told(told, head, owed)?;
        }
        if !self.log.is_ahead() {
            self.log.store_index()?;
        }
        if self.log.is_shown() {
            tracing::info!("everything acknowledged is published");
        } else {
            tracing::warn!("what was acknowledged is durable, and not all of it is published");
        }
        Ok(())
    }

    fn sequence(&mut self, batch: Vec<Submission>, owed: &mut Owed) -> Result<(), Ended> {
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
        let published = self.log.view().size().get();
        let mut outbox = Outbox::default();
        for share in owed.leaves.drain(..) {
            let outcomes: Vec<_> = outcomes.by_ref().take(share.candidates).collect();
            keep(share.charges, &outcomes);
            let size = covering(&outcomes);
            if share.wait == Wait::Integrated && size > published {
                owed.checkpoints.push(Waiting {
                    size,
                    since: Instant::now(),
                    reply: share.reply,
                    outcomes,
                });
            } else {
                outbox.push(share.reply, outcomes);
            }
        }
        outbox.send();
        // A little after every commit, so that nobody waits for all of it at once.
        Ok(self.log.advance_index()?)
    }
}

/// Answers those who waited for a checkpoint.
fn answer(waited: impl Iterator<Item = Waiting>) {
    let mut outbox = Outbox::default();
    for one in waited {
        outbox.push(one.reply, one.outcomes);
    }
    outbox.send();
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

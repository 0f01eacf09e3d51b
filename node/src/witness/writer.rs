//! The one thread that decides and persists.
//!
//! It takes whatever has come, decides each request on the state that the ones before it leave, and
//! commits all of it in one synced batch: states, notes, and the floor of the clock. Nobody is
//! answered before that is durable, not even who is refused. So check and persist are one step
//! (C2SP tlog-witness), and one sync serves many logs.
//!
//! A log whose head contradicts the one that is held is convicted before the batch is committed.
//! It gets nothing more cosigned, in the same batch already.
//!
//! If a commit fails, nobody knows what a restart will find. The witness cosigns nothing more until
//! it was started again, and reads its state anew. So it does if what was decided contradicts what
//! was let through to the keys before ([`Floors`]): then one of the two is wrong.

use super::known::{KnownLog, Latest};
use super::store;
use crate::misbehavior::{self, Evidence};
use crate::sequencer::Halt;
use crate::signer::{
    floor_file::FloorFile,
    floors::{Contradicts, Floors},
};
use crate::storage::{Batch, StorageError, Tables};
use assay_tlog::witness::{ClockFloor, Decision, Pending, Refusal, SignedRequest};
use std::{
    sync::{
        Arc, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Most requests of one batch. 1,024 notes take some MiB.
const BATCH: usize = 1024;

/// How often the floor of the clock is raised, whether anybody asks or is cosigned.
const FLOOR_EVERY: Duration = Duration::from_secs(60);

/// A request whose log is known and signed it.
pub struct Asked {
    /// Which log.
    pub log: Arc<KnownLog>,
    /// The request.
    pub request: SignedRequest,
    /// Where the answer goes. It is dropped if the witness stopped cosigning.
    pub reply: oneshot::Sender<Result<Arc<Latest>, Refused>>,
}

/// Why a request was not cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The decision.
    Decided(Refusal),
    /// What is stored of the log is damaged.
    Damaged,
}

/// The thread's own.
pub struct Writer<S> {
    /// Where it stores.
    pub store: Arc<S>,
    /// Whom misbehavior convicts.
    pub evidence: Arc<Evidence>,
    /// The floor that is stored.
    pub floor: ClockFloor,
    /// What is known of the floor outside the store.
    pub floor_file: Option<FloorFile>,
    /// What was let through to the keys.
    pub floors: Arc<Floors>,
    /// The clock, in seconds since 1970 (UTC).
    pub clock: fn() -> u64,
    /// Whether the clock was believed when it was last looked at.
    pub clock_is_right: bool,
    /// Where to say that it stopped.
    pub halt: Arc<Halt>,
}

/// Sets the halt if the thread panics, so that the witness does not call itself ready.
struct HaltOnPanic(Arc<Halt>);

impl Drop for HaltOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            let reason = "its writer failed; this is a fault of the program. Restart the witness \
                          and report it";
            self.0.set(reason.into());
        }
    }
}

/// Why nothing is cosigned any more.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("what is about to be signed cannot be stored: {0}")]
    Storage(#[from] StorageError),
    #[error("{0}: this is a fault of the program; report it")]
    Contradicts(#[from] Contradicts),
}

/// What one request of a batch gets once the batch is durable.
enum Owed {
    Cosign(Asked, Box<Pending>),
    Refuse(Asked, Refused),
}

impl<S: Tables + 'static> Writer<S> {
    /// Starts the thread. It ends when every sender of `queue` is gone, or when a commit failed,
    /// and after the thread that asks who holds a key, if there is one.
    pub fn start(
        self,
        queue: Receiver<Asked>,
        signing: Option<JoinHandle<()>>,
    ) -> std::io::Result<JoinHandle<()>> {
        let thread = thread::Builder::new().name("witness".into());
        thread.spawn(move || {
            let halt = HaltOnPanic(self.halt.clone());
            self.run(&queue);
            drop((queue, halt));
            let _ = signing.map(JoinHandle::join);
        })
    }

    fn run(mut self, queue: &Receiver<Asked>) {
        loop {
            let asked = match queue.recv_timeout(FLOOR_EVERY) {
                Ok(first) => {
                    let rest = queue.try_iter().take(BATCH - 1);
                    std::iter::once(first).chain(rest).collect()
                }
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(error) = self.step(asked) {
                // Before the queue is dropped: whoever waits then asks for the reason.
                self.halt.set(format!(
                    "{error}. Nothing is cosigned until the witness is started again"
                ));
                return;
            }
        }
    }

    /// Decides and persists one batch, and answers.
    fn step(&mut self, asked: Vec<Asked>) -> Result<(), Stop> {
        let now = (self.clock)();
        let mut batch = Batch::new();
        let mut floor = self.look_at_clock(now);
        let mut owed = Vec::with_capacity(asked.len());
        for asked in asked {
            let next = match self.decide(&asked, &mut floor, now, &mut batch) {
                Ok(pending) => Owed::Cosign(asked, Box::new(pending)),
                Err(refused) => {
                    self.compare(&asked, &owed);
                    Owed::Refuse(asked, refused)
                }
            };
            owed.push(next);
        }
        if floor > self.floor {
            store::OWN.put_floor(&mut batch, floor);
        }
        if !batch.is_empty() {
            let start = Instant::now();
            self.store.commit(batch)?;
            metrics::histogram!("assay_witness_commit_seconds").record(start.elapsed());
        }
        self.floor = floor;
        if let Some(file) = &mut self.floor_file {
            file.raise(floor);
        }
        owed.into_iter().try_for_each(|owed| self.pay(owed))
    }

    /// Answers a request whose batch is durable.
    fn pay(&self, owed: Owed) -> Result<(), Stop> {
        match owed {
            Owed::Cosign(asked, pending) => {
                let (held, after) = (&asked.log.held, pending.after());
                let latest = Latest::new(self.floors.admit(pending.persisted())?);
                // In this order: who reads the state finds what was cosigned by then.
                held.latest.store(Some(latest.clone()));
                held.durable.store(Some(Arc::new(after)));
                let _ = asked.reply.send(Ok(latest));
            }
            Owed::Refuse(asked, refused) => {
                let _ = asked.reply.send(Err(refused));
            }
        }
        Ok(())
    }

    /// Returns the floor to begin with: that of the clock, if it is right and a minute has passed,
    /// so that a witness that only refuses does not come to doubt its clock after a day. Tells the
    /// operator when the clock is not believed any more.
    fn look_at_clock(&mut self, now: u64) -> ClockFloor {
        let advanced = self.floor.advanced(now);
        if advanced.is_ok() != self.clock_is_right {
            self.clock_is_right = advanced.is_ok();
            report_clock(self.floor, now);
        }
        match advanced {
            Ok(advanced) if advanced.seconds() >= self.floor.seconds() + FLOOR_EVERY.as_secs() => {
                advanced
            }
            _ => self.floor,
        }
    }

    fn decide(
        &mut self,
        asked: &Asked,
        floor: &mut ClockFloor,
        now: u64,
        batch: &mut Batch,
    ) -> Result<Pending, Refused> {
        // It may have been convicted since its request was verified.
        if self.evidence.convicts_log(asked.request.head().origin()) {
            return Err(Refused::Decided(Refusal::Convicted));
        }
        let held = asked.log.held.clone();
        // Nobody else takes it. If a decision ever panicked, so did this thread.
        let mut state = held.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = state.as_mut().ok_or(Refused::Damaged)?;
        match asked.request.decide(state, *floor, now) {
            Decision::Cosign(pending) => {
                store::put_pending(batch, &pending);
                // If the commit fails, this thread ends and the state with it.
                *state = pending.after();
                *floor = pending.floor().max(*floor);
                Ok(pending)
            }
            Decision::Refuse(refused) => {
                if refused.contradiction.is_some() {
                    report(asked);
                }
                Err(Refused::Decided(refused.refusal))
            }
        }
    }

    /// Convicts a log whose head contradicts the one that is held, or that an earlier request of
    /// this batch is about to make so.
    fn compare(&self, asked: &Asked, owed: &[Owed]) {
        let log = &asked.log;
        let in_batch = owed.iter().rev().find_map(|owed| match owed {
            Owed::Cosign(other, pending) if Arc::ptr_eq(&other.log.held, &log.held) => {
                Some(pending.head())
            }
            _ => None,
        });
        let latest = log.held.latest.load_full();
        let held = in_batch.or(latest.as_deref().map(Latest::head));
        if let Some(found) = misbehavior::against(held, asked.request.head()) {
            // It was reported if it could not be stored.
            let _ = self.evidence.keep(&found);
        }
    }
}

/// Tells the operator whether the clock is believed.
pub fn report_clock(floor: ClockFloor, now: u64) {
    match floor.advanced(now) {
        Ok(_) => {
            metrics::gauge!("assay_witness_clock_wrong").set(0.0);
            tracing::info!(now, "the clock is believed");
        }
        Err(error) => {
            metrics::gauge!("assay_witness_clock_wrong").set(1.0);
            tracing::error!(
                now,
                floor = floor.seconds(),
                "{error}: nothing is cosigned. If the clock is right, stop this witness and run \
                 `assay-node witness clock-ok`"
            );
        }
    }
}

/// Tells the operator that a log signed what an honest log never signs. That its note is here, and
/// the one that was cosigned may not be, is why this is said beside what is kept.
fn report(asked: &Asked) {
    metrics::counter!("assay_witness_contradictions_total").increment(1);
    let head = asked.request.head();
    tracing::error!(
        origin = head.origin(),
        note = head.note(),
        "this log signed another root than was cosigned here, or one that no empty tree has"
    );
}

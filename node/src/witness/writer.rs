//! The one thread that decides and persists.
//!
//! It takes whatever has come, decides each request on the state that the ones before it leave, and
//! commits all of it in one synced batch: states, notes, and the floor of the clock. Nobody is
//! answered before that is durable, not even who is refused. So check and persist are one step (C2SP
//! tlog-witness), and one sync serves many logs.
//!
//! If a commit fails, nobody knows what a restart will find. The witness cosigns nothing more until
//! it was started again, and reads its state anew.

use super::known::{KnownLog, Latest};
use super::store;
use crate::sequencer::Halt;
use crate::storage::{Batch, StorageError, Tables};
use assay_tlog::witness::{
    ClockFloor, Contradiction, Decision, LogState, Pending, Refusal, SignedRequest,
};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Most requests of one batch. 1,024 notes take some MiB.
const BATCH: usize = 1024;

/// How often the floor of the clock is raised while nobody asks.
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
    /// What is stored of each log, by [`KnownLog::index`]. `None` if that is damaged.
    pub states: Vec<Option<LogState>>,
    /// The floor that is stored.
    pub floor: ClockFloor,
    /// The clock, in seconds since 1970 (UTC).
    pub clock: fn() -> u64,
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

/// What one request of a batch gets once the batch is durable.
enum Owed {
    Cosign(Asked, Box<Pending>),
    Refuse(Asked, Refused),
}

impl<S: Tables + 'static> Writer<S> {
    /// Starts the thread. It ends when every sender of `queue` is gone, or when a commit failed.
    pub fn start(self, queue: Receiver<Asked>) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("witness".into())
            .spawn(move || {
                let _halt = HaltOnPanic(self.halt.clone());
                self.run(&queue);
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
                    "what is about to be signed cannot be stored: {error}. Nothing is cosigned \
                     until the witness is started again"
                ));
                return;
            }
        }
    }

    /// Decides and persists one batch, and answers.
    fn step(&mut self, asked: Vec<Asked>) -> Result<(), StorageError> {
        let now = (self.clock)();
        let mut batch = Batch::new();
        let mut floor = self.floor;
        let mut owed = Vec::with_capacity(asked.len());
        for asked in asked {
            owed.push(self.decide(asked, &mut floor, now, &mut batch));
        }
        if owed.is_empty() {
            match floor.advanced(now) {
                Ok(advanced) => floor = advanced,
                Err(error) => tracing::error!(%error, "the clock is not to be believed"),
            }
        }
        if floor > self.floor {
            store::put_floor(&mut batch, floor);
        }
        if !batch.is_empty() {
            let start = Instant::now();
            self.store.commit(batch)?;
            metrics::histogram!("assay_witness_commit_seconds").record(start.elapsed());
        }
        self.floor = floor;
        for owed in owed {
            pay(owed);
        }
        Ok(())
    }

    fn decide(
        &mut self,
        asked: Asked,
        floor: &mut ClockFloor,
        now: u64,
        batch: &mut Batch,
    ) -> Owed {
        let Some(state) = self
            .states
            .get_mut(asked.log.index)
            .and_then(Option::as_mut)
        else {
            return Owed::Refuse(asked, Refused::Damaged);
        };
        match asked.request.decide(state, *floor, now) {
            Decision::Cosign(pending) => {
                store::put_pending(batch, &pending);
                // If the commit fails, this thread ends and the state with it.
                *state = pending.after();
                *floor = pending.floor().max(*floor);
                Owed::Cosign(asked, Box::new(pending))
            }
            Decision::Refuse(refused) => {
                if let Some(contradiction) = &refused.contradiction {
                    report(contradiction, &asked);
                }
                Owed::Refuse(asked, Refused::Decided(refused.refusal))
            }
        }
    }
}

/// Answers a request whose batch is durable.
fn pay(owed: Owed) {
    match owed {
        Owed::Cosign(asked, pending) => {
            let latest = Latest::new(pending.persisted());
            asked.log.latest.store(Some(latest.clone()));
            let _ = asked.reply.send(Ok(latest));
        }
        Owed::Refuse(asked, refused) => {
            let _ = asked.reply.send(Err(refused));
        }
    }
}

/// Tells the operator that a log signed what an honest log never signs.
fn report(contradiction: &Contradiction, asked: &Asked) {
    metrics::counter!("assay_witness_contradictions_total").increment(1);
    let head = asked.request.head();
    let what = match contradiction {
        Contradiction::OtherRoot(_) => "two roots of one size",
        Contradiction::EmptyRoot(_) => "a root of the empty tree that is none",
    };
    tracing::error!(
        origin = head.origin(),
        note = head.note(),
        "this log signed {what}: keep this line, and what this witness serves to monitors"
    );
}

//! Answers of the sequencer, handed over to the threads that wait for them.
//!
//! The sequencer answers some hundred callers at once, who wait on a few serving threads. To wake
//! each of them from another thread costs a system call. So the answers for one thread travel
//! together, and a task there (its desk) wakes the callers.

use crate::held::Hold;
use assay_claims::sequencer::Outcome;
use std::cell::RefCell;
use tokio::sync::{mpsc, oneshot};

type Answer = (oneshot::Sender<Vec<Outcome>>, Vec<Outcome>);
type Desk = mpsc::UnboundedSender<Vec<Answer>>;

thread_local! {
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

/// Where a submission is answered. Dropping it says that there will be no answer.
#[derive(Debug)]
pub struct Reply {
    caller: oneshot::Sender<Vec<Outcome>>,
    desk: Desk,
    /// The room that the submission takes. It waits in the queue even if the caller went away.
    _hold: Hold,
}

impl Reply {
    /// Returns a reply to the calling task, and the receiver on which the task waits for it. `hold`
    /// is given back when the reply is. Must be called on a tokio runtime.
    pub fn new(hold: Hold) -> (Reply, oneshot::Receiver<Vec<Outcome>>) {
        let (caller, answer) = oneshot::channel();
        let reply = Reply {
            caller,
            desk: desk(),
            _hold: hold,
        };
        (reply, answer)
    }

    /// Whether the caller no longer waits.
    pub fn is_closed(&self) -> bool {
        self.caller.is_closed()
    }
}

/// Returns this thread's desk. The desk of a runtime that has ended is replaced.
fn desk() -> Desk {
    DESK.with_borrow_mut(|desk| match desk {
        Some(open) if !open.is_closed() => open.clone(),
        _ => desk.insert(open_desk()).clone(),
    })
}

fn open_desk() -> Desk {
    let (desk, mut answers) = mpsc::unbounded_channel::<Vec<Answer>>();
    tokio::spawn(async move {
        while let Some(answers) = answers.recv().await {
            answers.into_iter().for_each(hand_over);
        }
    });
    desk
}

fn hand_over((caller, outcomes): Answer) {
    // An error means that the caller went away. Its claim is logged all the same.
    let _ = caller.send(outcomes);
}

/// Answers to be sent, by desk.
#[derive(Debug, Default)]
pub struct Outbox(Vec<(Desk, Vec<Answer>)>);

impl Outbox {
    /// Adds the answer to one submission.
    pub fn push(&mut self, reply: Reply, outcomes: Vec<Outcome>) {
        let Reply { caller, desk, .. } = reply;
        match self
            .0
            .iter_mut()
            .find(|(known, _)| known.same_channel(&desk))
        {
            Some((_, answers)) => answers.push((caller, outcomes)),
            None => self.0.push((desk, vec![(caller, outcomes)])),
        }
    }

    /// Sends all answers, and is empty again.
    pub fn send(&mut self) {
        for (desk, answers) in self.0.drain(..) {
            // A desk that is gone took its runtime with it. Callers that still wait are elsewhere.
            if let Err(mpsc::error::SendError(answers)) = desk.send(answers) {
                answers.into_iter().for_each(hand_over);
            }
        }
    }
}

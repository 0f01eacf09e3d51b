//! `Publish` and `PublishStream`: from a claim on the wire to the answer about its leaf.

use crate::{
    admission::{Admission, Admitted, Caller, Refusal},
    api::log::room::{self, Received},
    api::status,
    held::{Account, Hold},
    leaving::Leaving,
    quota::Charge,
    records::{self, RecordError},
    reply::Reply,
    sequencer::{Halt, PATIENCE, Submission, Wait, fair},
    storage::Tables,
    view::View,
};
use assay_claims::claim::ClaimId;
use assay_claims::entry::Entry;
use assay_claims::sequencer::{Candidate, Outcome};
use assay_proto::v1::{
    self, PublishItem, PublishRequest, PublishResponse, PublishResult, PublishStreamResponse,
    Refusal as WireRefusal, publish_result,
};
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use std::{net::IpAddr, sync::Arc};
use tokio::sync::oneshot;
use tonic::Status;

/// Most items in one message of a publishing stream.
const STREAM_ITEMS: usize = 1024;

/// The way of a claim through this node: admission, then the queue of the sequencer.
pub struct Publisher<S> {
    pub(super) view: Arc<View<S>>,
    pub(super) admission: Admission<S>,
    queue: fair::Sender<Submission>,
    halt: Arc<Halt>,
    leaving: Leaving,
    /// Whether what is published has a quorum of witnesses.
    witnessed: bool,
}

/// The items of one message, after admission.
#[derive(Default)]
struct Items {
    /// What the caller and the log call each candidate.
    ids: Vec<(u64, ClaimId)>,
    candidates: Vec<Candidate>,
    /// What was charged for each candidate.
    charges: Vec<Charge>,
    /// Claims that have a leaf.
    existing: Vec<(u64, ClaimId, LeafIndex)>,
    /// Refusals.
    settled: Vec<PublishResult>,
}

impl<S: Tables + 'static> Publisher<S> {
    /// Returns the way to `queue` of what `admission` lets in. Answers are from what `view` shows.
    pub fn new(
        view: Arc<View<S>>,
        admission: Admission<S>,
        queue: fair::Sender<Submission>,
        halt: Arc<Halt>,
        leaving: Leaving,
        witnessed: bool,
    ) -> Self {
        Publisher {
            view,
            admission,
            queue,
            halt,
            leaving,
            witnessed,
        }
    }

    /// Parses the `wait` of a request. Unspecified is `INTEGRATED`.
    pub(super) fn wait(&self, value: i32) -> Result<Wait, Status> {
        match v1::Wait::try_from(value) {
            Ok(v1::Wait::Witnessed) if !self.witnessed => Err(Status::failed_precondition(
                "this log asks no witnesses, so it cannot wait for them; wait for INTEGRATED",
            )),
            Ok(v1::Wait::Unspecified | v1::Wait::Integrated | v1::Wait::Witnessed) => {
                Ok(Wait::Integrated)
            }
            Ok(v1::Wait::Sequenced) => Ok(Wait::Sequenced),
            Err(_) => Err(status::invalid(
                "wait",
                format!("this node knows no wait {value}"),
            )),
        }
    }

    fn halted(&self) -> Refusal {
        Refusal::Halted(self.halt.reason().unwrap_or("it is stopping").to_owned())
    }

    /// Queues a candidate, or refuses it at once if the queue is full.
    fn submit(
        &self,
        candidate: Candidate,
        charge: Charge,
        wait: Wait,
        from: Option<IpAddr>,
        hold: Hold,
    ) -> Result<oneshot::Receiver<Vec<Outcome>>, Refusal> {
        let (reply, answer) = Reply::new(hold);
        let submission = Submission {
            candidates: vec![candidate],
            charges: vec![charge],
            wait,
            reply,
        };
        match self.queue.try_send(from, submission) {
            Ok(()) => Ok(answer),
            Err(fair::Refused::Full) => Err(Refusal::Busy {
                what: "the queue of claims that wait for a leaf is full".into(),
                retry_s: 1,
            }),
            Err(fair::Refused::Closed) => Err(self.halted()),
        }
    }

    /// What the sequencer answers. A caller is told, too, if it answers nothing.
    async fn answered(
        &self,
        answer: oneshot::Receiver<Vec<Outcome>>,
    ) -> Result<Vec<Outcome>, Refusal> {
        let answer = self.leaving.before(answer).await.ok_or(Refusal::Leaving)?;
        answer.map_err(|_| self.halted())
    }

    /// The answer about a claim that has a leaf.
    fn published(&self, id: ClaimId, outcome: Outcome) -> Result<PublishResponse, Refusal> {
        let (leaf_index, leaf_hash, logged_at_ms, already_logged) = match outcome {
            Outcome::Sequenced {
                index,
                leaf_hash,
                logged_at_ms,
            } => (index, leaf_hash, logged_at_ms, false),
            Outcome::Existing(index) => {
                let bytes = records::read_entry(self.view.store(), index)?;
                let entry = Entry::parse(bytes)
                    .map_err(|e| RecordError::Damaged(format!("entry {index}: {e}")))?;
                (index, entry.leaf_hash(), entry.logged_at_ms(), true)
            }
            Outcome::Refused(refused) => return Err(refused.into()),
        };
        let covered = leaf_index.get() < self.view.size().get();
        let reached = match (covered, self.witnessed) {
            (true, true) => v1::Wait::Witnessed,
            (true, false) => v1::Wait::Integrated,
            (false, _) => v1::Wait::Sequenced,
        };
        Ok(PublishResponse {
            leaf_index: leaf_index.get(),
            leaf_hash: Bytes::copy_from_slice(leaf_hash.as_bytes()),
            claim_id: Bytes::copy_from_slice(id.as_bytes()),
            logged_at_ms,
            reached: reached.into(),
            already_logged,
        })
    }

    /// Waits, where that was asked, until the published checkpoint covers a leaf that is there
    /// already.
    async fn covered(&self, index: LeafIndex, wait: Wait) {
        if wait == Wait::Integrated {
            let mut shown = self.view.follow();
            let covers = shown.wait_for(|size| *size > index.get());
            // Whoever comes back has been told how far the claim is.
            let covers = tokio::time::timeout(PATIENCE, covers);
            let _ = self.leaving.before(covers).await;
        }
    }

    /// One `Publish` call.
    pub(super) async fn publish(
        &self,
        request: PublishRequest,
        caller: Caller,
        account: &Arc<Account>,
    ) -> Result<PublishResponse, Status> {
        let wait = self.wait(request.wait)?;
        let claim = request
            .claim
            .ok_or_else(|| status::invalid("claim", "the request holds no claim".into()))?;
        let hold = room::of_call(account, &claim)?;
        let (candidate, charge) = match self.admission.admit(&claim, caller)? {
            Admitted::Candidate(candidate, charge) => (candidate, charge),
            Admitted::Existing(id, index) => {
                self.covered(index, wait).await;
                return Ok(self.published(id, Outcome::Existing(index))?);
            }
        };
        let hold = room::admitted(hold, &candidate)?;
        let id = candidate.id();
        let answer = self.submit(*candidate, charge, wait, caller.from, hold)?;
        let outcomes = self.answered(answer).await?;
        let outcome = outcomes.into_iter().next().ok_or_else(|| self.halted())?;
        Ok(self.published(id, outcome)?)
    }

    /// Admits the items of one message. Refusals are answers already.
    fn admit(&self, items: Vec<PublishItem>, caller: Caller) -> Items {
        let mut admitted = Items::default();
        for PublishItem { id, claim } in items {
            match self.admission.admit(&claim.unwrap_or_default(), caller) {
                Ok(Admitted::Candidate(candidate, charge)) => {
                    admitted.ids.push((id, candidate.id()));
                    admitted.candidates.push(*candidate);
                    admitted.charges.push(charge);
                }
                Ok(Admitted::Existing(claim, index)) => {
                    admitted.existing.push((id, claim, index));
                }
                Err(refusal) => admitted.settled.push(refused(id, refusal)),
            }
        }
        admitted
    }

    fn result(&self, id: u64, claim: ClaimId, outcome: Outcome) -> PublishResult {
        match self.published(claim, outcome) {
            Ok(published) => PublishResult {
                id,
                result: Some(publish_result::Result::Published(published)),
            },
            Err(refusal) => refused(id, refusal),
        }
    }

    /// Admits the items of one message on the verifying threads, one a core. A message is a
    /// millisecond of pure computing, which must not delay other calls, and more threads than cores
    /// would only take turns.
    async fn verify(
        self: Arc<Self>,
        items: Vec<PublishItem>,
        caller: Caller,
    ) -> Result<Items, Status> {
        let (done, admitted) = oneshot::channel();
        rayon::spawn_fifo(move || {
            // An error means that the stream ended meanwhile. Nothing was submitted.
            let _ = done.send(self.admit(items, caller));
        });
        admitted
            .await
            .map_err(|_| Status::internal("verification failed to run; see the node's trace"))
    }

    /// One message of a publishing stream, up to its answer. It waits for room in the queue, which
    /// is the stream's flow control.
    pub(super) async fn publish_items(
        self: Arc<Self>,
        Received { items, mut hold }: Received,
        wait: Wait,
        caller: Caller,
    ) -> Result<PublishStreamResponse, Status> {
        if items.len() > STREAM_ITEMS {
            let message = format!(
                "a message holds {} items; at most {STREAM_ITEMS} are taken",
                items.len()
            );
            return Err(status::invalid("items", message));
        }
        let count = items.len();
        let mut admitted = self.clone().verify(items, caller).await?;
        room::settle(&mut hold, count, &admitted.candidates);
        if !admitted.candidates.is_empty() {
            let (reply, answer) = Reply::new(hold);
            let submission = Submission {
                candidates: admitted.candidates,
                charges: admitted.charges,
                wait,
                reply,
            };
            let sent = self
                .leaving
                .before(self.queue.send(caller.from, submission))
                .await;
            sent.ok_or(Refusal::Leaving)?.map_err(|_| self.halted())?;
            let outcomes = self.answered(answer).await?;
            for ((id, claim), outcome) in admitted.ids.into_iter().zip(outcomes) {
                let result = self.result(id, claim, outcome);
                admitted.settled.push(result);
            }
        }
        if let Some(last) = admitted.existing.iter().map(|(_, _, index)| *index).max() {
            self.covered(last, wait).await;
        }
        for (id, claim, index) in admitted.existing {
            let result = self.result(id, claim, Outcome::Existing(index));
            admitted.settled.push(result);
        }
        Ok(PublishStreamResponse {
            results: admitted.settled,
        })
    }
}

fn refused(id: u64, refusal: Refusal) -> PublishResult {
    let status = Status::from(refusal);
    let refused = WireRefusal {
        code: status.code().into(),
        message: status.message().to_owned(),
    };
    PublishResult {
        id,
        result: Some(publish_result::Result::Refused(refused)),
    }
}

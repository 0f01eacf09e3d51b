//! A request from its bytes to its answer.

use super::config::LOGS;
use super::known::{KnownLog, Latest};
use super::listed::{Imported, ListedError};
use super::logs::Logs;
use super::signing::{Signing, Unsigned};
use super::source::shown;
use super::writer::{Asked, Refused};
use crate::leaving::Leaving;
use crate::misbehavior::{self, Evidence};
use crate::peers::{KnownPeer, page::Part};
use crate::quota::Exceeded;
use crate::sequencer::Halt;
use assay_proto::federation_page::{CosignerPart, ListPart};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::CosignError;
use assay_tlog::witness::{Answer, LogState, Refusal, Request, SignedRequest};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{
    Arc, OnceLock,
    mpsc::{SyncSender, TrySendError},
};
use tokio::sync::oneshot;

/// Requests that wait for the writer. More are told to come again.
pub const QUEUE: usize = 4096;

/// Seconds within which a head that was cosigned, and is sent again, gets the same answer: anybody
/// can send it, and a new time is a commit and signatures.
const AGAIN_S: u64 = 10;

/// The type of what people read.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// What is called with a head that a log signed and that is not cosigned. It does not block.
type Told = Box<dyn Fn(VerifiedHead) + Send + Sync>;

/// The witness, as the serving threads share it.
pub struct Witness {
    signing: Signing,
    logs: Logs,
    evidence: Arc<Evidence>,
    writer: SyncSender<Asked>,
    halt: Arc<Halt>,
    clock: fn() -> u64,
    /// Who is told of heads that are not cosigned.
    told: OnceLock<Told>,
    /// When whoever waits is told that it will not be answered any more.
    leaving: OnceLock<Leaving>,
}

impl Witness {
    /// A witness that signs so, with these logs, what convicts logs, the queue of its writer, and
    /// the clock, in seconds since 1970 (UTC).
    pub fn new(
        signing: Signing,
        logs: Logs,
        evidence: Arc<Evidence>,
        writer: SyncSender<Asked>,
        halt: Arc<Halt>,
        clock: fn() -> u64,
    ) -> Self {
        Witness {
            signing,
            logs,
            evidence,
            writer,
            halt,
            clock,
            told: OnceLock::new(),
            leaving: OnceLock::new(),
        }
    }

    /// Calls `told` with heads that logs signed and that are not cosigned, from now on. It must not
    /// block.
    pub fn tell(&self, told: impl Fn(VerifiedHead) + Send + Sync + 'static) {
        let _ = self.told.set(Box::new(told));
    }

    /// Answers nobody any more from when `leaving` comes.
    pub fn leaves(&self, leaving: Leaving) {
        let _ = self.leaving.set(leaving);
    }

    /// Shows the latest head of each log that was cosigned.
    pub fn latest(&self, mut show: impl FnMut(&VerifiedHead)) {
        for log in self.logs.all() {
            if let Some(latest) = log.held.latest.load_full() {
                show(latest.head());
            }
        }
    }

    /// Cosigns the logs of these peers, and no other peer's, after looking at what convicts them.
    /// If that cannot be looked at, no further log is cosigned.
    pub fn take_peers(&self, peers: &[KnownPeer]) {
        let listed: Vec<LogVerifier> = {
            let listed = self.logs.listed();
            listed.logs().map(|(_, log)| log.clone()).collect()
        };
        let may_add = self.evidence.follow_all(peers, &listed);
        self.logs.follow(peers, may_add);
    }

    /// Takes what is new on a list, durably, and cosigns it.
    pub fn take_list(
        &self,
        list: &[u8],
        source: &str,
        peers: &[KnownPeer],
    ) -> Result<Imported, ListedError> {
        let chosen = self.logs.chosen(peers);
        let imported = self.logs.listed().import(list, source, &chosen)?;
        if !imported.added.is_empty() {
            self.take_peers(peers);
        }
        Ok(imported)
    }

    /// What is public of the lists from which logs were taken.
    pub fn lists(&self) -> Vec<ListPart> {
        let mut lists: BTreeMap<String, u64> = BTreeMap::new();
        for (entry, _) in self.logs.listed().logs() {
            *lists.entry(shown(&entry.source)).or_default() += 1;
        }
        let part = |(source, logs)| ListPart {
            source,
            role: "witness".to_owned(),
            logs,
        };
        lists.into_iter().map(part).collect()
    }

    /// What is public of it.
    pub fn page(&self) -> CosignerPart {
        let keys = self.signing.keys().load();
        CosignerPart {
            name: keys.name().to_owned(),
            vkeys: keys.verifiers().iter().map(ToString::to_string).collect(),
            submission: Some("/".to_owned()),
            monitoring: "/witness".to_owned(),
            logs: self.logs.count() as u64,
            capacity: LOGS as u64,
        }
    }

    /// Answers the body of an `add-checkpoint` request.
    pub async fn add_checkpoint(&self, body: &[u8]) -> Answer {
        let answer = match self.signed(body) {
            Ok((log, request)) => {
                let head = request.head().clone();
                let answer = self.decided(log, request).await;
                if let (Some(told), true) = (self.told.get(), answer.status != 200) {
                    told(head);
                }
                answer
            }
            Err(refusal) => refusal.answer(),
        };
        let status = answer.status.to_string();
        metrics::counter!("assay_witness_requests_total", "status" => status).increment(1);
        answer
    }

    /// Reads a request, and verifies that a known log signed it.
    fn signed(&self, body: &[u8]) -> Result<(Arc<KnownLog>, SignedRequest), Refusal> {
        let request = Request::parse(body)?;
        let log = self
            .logs
            .of(request.origin())
            .ok_or(Refusal::UnknownOrigin)?;
        let request = request.verify(&log.judged_by(&self.evidence))?;
        Ok((log, request))
    }

    /// Answers what needs nothing to be stored, and lets the writer decide the rest.
    async fn decided(&self, log: Arc<KnownLog>, request: SignedRequest) -> Answer {
        if let Some(answer) = self.known(&log, &request).await {
            return answer;
        }
        if let Err(retry_after_s) = log.charge(&request) {
            return Refusal::OverQuota { retry_after_s }.answer();
        }
        self.ask(log, request).await
    }

    /// The answer to a head that is not larger than the one held, if that follows from what is
    /// durable: the size that is held, or the cosignatures of that head.
    async fn known(&self, log: &KnownLog, request: &SignedRequest) -> Option<Answer> {
        let held = log.held.durable.load_full()?;
        let head = request.head();
        // A larger head is for the writer, which knows what else is about to be cosigned. So is
        // everything once that has stopped: nobody knows what is stored then.
        if head.size() > held.size() || self.halt.reason().is_some() {
            return None;
        }
        match request.refusal(&held) {
            Some(refusal @ Refusal::OtherSize(_)) => {
                self.compare(log, head);
                Some(refusal.answer())
            }
            Some(_) => None,
            None => self.again(log, head, &held).await,
        }
    }

    /// The answer to the head that is held, if it was cosigned just now.
    async fn again(&self, log: &KnownLog, head: &VerifiedHead, held: &LogState) -> Option<Answer> {
        let latest = log.held.latest.load_full()?;
        let is_same = latest.head().checkpoint() == head.checkpoint();
        let is_new = (self.clock)().abs_diff(held.at()) < AGAIN_S;
        if !is_same || !is_new {
            return None;
        }
        Some(self.cosigned(&latest).await)
    }

    /// Signs what is durable, and answers with that.
    async fn cosigned(&self, latest: &Arc<Latest>) -> Answer {
        let signed = self.signing.sign(latest, self.leaving.get()).await;
        match latest.cosigned() {
            Some(cosigned) => cosigned.answer(),
            None => unsigned(signed.err()),
        }
    }

    /// Compares a head that the log signed, and that the writer does not come to see, with the one
    /// that is held.
    fn compare(&self, log: &KnownLog, head: &VerifiedHead) {
        let held = log.held.latest.load_full();
        if let Some(found) = misbehavior::against(held.as_deref().map(Latest::head), head) {
            // It was reported if it could not be stored.
            let _ = self.evidence.keep(&found);
        }
    }

    /// Lets the writer decide and persist, and then signs.
    async fn ask(&self, log: Arc<KnownLog>, request: SignedRequest) -> Answer {
        let (reply, answer) = oneshot::channel();
        let asked = Asked {
            log,
            request,
            reply,
        };
        match self.writer.try_send(asked) {
            Ok(()) => {}
            Err(TrySendError::Full(asked)) => {
                self.compare(&asked.log, asked.request.head());
                return unavailable("this witness is busy; try again", Some(1));
            }
            Err(TrySendError::Disconnected(asked)) => {
                self.compare(&asked.log, asked.request.head());
                return self.stopped();
            }
        }
        let answer = match self.leaving.get() {
            Some(leaving) => leaving.before(answer).await,
            None => Some(answer.await),
        };
        let Some(answer) = answer else {
            return unavailable(
                "this witness is stopping, and its disk is too slow to cosign before; ask again",
                None,
            );
        };
        match answer {
            Ok(Ok(latest)) => self.cosigned(&latest).await,
            Ok(Err(Refused::Decided(refusal))) => refusal.answer(),
            Ok(Err(Refused::Damaged)) => unavailable(
                "what this witness stored of this log is damaged, so that it is not cosigned; the \
                 operator has to look",
                None,
            ),
            Err(_) => self.stopped(),
        }
    }

    fn stopped(&self) -> Answer {
        // The reason has paths of this machine in it: the operator reads it at /readyz.
        let reason = self.halt.reason();
        tracing::debug!(reason, "a request came to a witness that stopped cosigning");
        unavailable(
            "this witness has stopped cosigning; its operator has to look",
            None,
        )
    }

    /// Returns the latest cosigned checkpoint of the log whose origin has this SHA-256, in
    /// lower-case hex, or `None` if none was cosigned. Fails with the answer if it cannot be signed
    /// now.
    pub async fn monitored(&self, digest: &str) -> Result<Option<Bytes>, Answer> {
        let log = self.logs.by_digest(digest);
        let Some(latest) = log.and_then(|log| log.held.latest.load_full()) else {
            return Ok(None);
        };
        let signed = self.signing.sign(&latest, self.leaving.get()).await;
        match latest.note() {
            Some(note) => Ok(Some(note)),
            None => Err(unsigned(signed.err())),
        }
    }
}

/// The answer if there is no signature. Where a holder of a key is to blame, the operator was told:
/// anybody can ask again and again.
fn unsigned(why: Option<Unsigned>) -> Answer {
    if let Some(Unsigned::Key(error)) = why
        && !matches!(error, CosignError::Elsewhere { .. })
    {
        tracing::error!(%error, "a checkpoint could not be signed");
    }
    unavailable("the checkpoint could not be signed; ask again", Some(1))
}

/// What is public of a witness, and of the lists from which it took logs.
pub fn part(witness: Arc<Witness>) -> Part<(CosignerPart, Vec<ListPart>)> {
    Arc::new(move || (witness.page(), witness.lists()))
}

/// The answer to a network that is over a limit.
pub fn too_often(exceeded: &Exceeded) -> Answer {
    metrics::counter!("assay_refused_total", "limit" => exceeded.limit).increment(1);
    Answer {
        status: 429,
        content_type: TEXT,
        retry_after_s: Some(u32::try_from(exceeded.retry_s).unwrap_or(u32::MAX)),
        body: format!("{}\n", exceeded.what),
    }
}

/// The answer of a witness that cannot, through no fault of who asked.
pub fn unavailable(why: &str, retry_after_s: Option<u32>) -> Answer {
    Answer {
        status: 503,
        content_type: TEXT,
        retry_after_s,
        body: format!("{why}\n"),
    }
}

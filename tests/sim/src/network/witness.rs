//! A witness: what `node/src/witness` does with the decisions of core, one request at a time.

use super::host::Host;
use super::node::Node;
use super::plan::{Mutant, Witness as Kind};
use assay_claims::misbehavior::Culprit;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::Note;
use assay_tlog::witness::{
    Answer, ClockFloor, Decision, LogState, Persisted, Refusal, Request, SignedRequest,
    WitnessKeys, WitnessedLog,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A witness, from a start to a crash.
pub(super) struct Witness {
    node: Arc<Node>,
    at: usize,
    /// Held from a decision until it is durable.
    stored: Mutex<Stored>,
}

struct Stored {
    states: BTreeMap<String, LogState>,
    floor: ClockFloor,
}

impl Witness {
    /// Starts with what is on the disk.
    pub(super) fn start(node: &Arc<Node>, at: usize) -> Arc<Self> {
        let host = &node.host;
        let mut states = BTreeMap::new();
        for log in &host.cast.logs {
            let origin = log.verifier.origin();
            let Some(record) = host.disk.get(&format!("witness/{origin}")) else {
                continue;
            };
            let state = LogState::from_record(origin, &record);
            let state = state.expect("a batch is there whole or not at all");
            let note = host
                .disk
                .get(&format!("witnessed/{origin}"))
                .unwrap_or_default();
            let note = String::from_utf8(note).unwrap_or_default();
            let held = Persisted::reload(&state, &note, &log.verifier);
            node.take(held.expect("state and note are one batch").head());
            states.insert(origin.to_owned(), state);
        }
        Arc::new(Witness {
            node: node.clone(),
            at,
            stored: Mutex::new(Stored {
                states,
                floor: floor(host),
            }),
        })
    }

    fn keys(&self) -> &WitnessKeys {
        &self.node.host.cast.witnesses[self.at]
    }

    /// Answers the body of an `add-checkpoint` request.
    pub(super) async fn add_checkpoint(&self, body: &[u8]) -> Answer {
        let request = match self.signed(body) {
            Ok(request) => request,
            Err(refusal) => return refusal.answer(),
        };
        let head = request.head().clone();
        if self.node.host.plan.witnesses[self.at] == Kind::SignsAll {
            return self.sign_anything(head.checkpoint());
        }
        let answer = match self.decided(&request).await {
            Ok(answer) => answer,
            Err(refusal) => refusal.answer(),
        };
        self.node.take(&head);
        if answer.status == 200 {
            tokio::spawn(self.node.clone().follow(head));
        }
        answer
    }

    /// Reads a request, and verifies that a known log signed it.
    fn signed(&self, body: &[u8]) -> Result<SignedRequest, Refusal> {
        let request = Request::parse(body)?;
        let log = self.node.host.cast.log(request.origin());
        let log = log.ok_or(Refusal::UnknownOrigin)?;
        let log = WitnessedLog::new(log.verifier.clone(), self.keys());
        let log = log.expect("a witness is no log");
        if self.convicts(request.origin()) {
            return request.verify(&log.convicted());
        }
        request.verify(&log)
    }

    fn convicts(&self, origin: &str) -> bool {
        !self.node.host.has(Mutant::IgnoresConviction)
            && self.node.host.plan.witnesses[self.at] != Kind::SignsAll
            && self.node.convicts(&Culprit::Log(origin.to_owned()))
    }

    /// Decides, persists, and signs.
    async fn decided(&self, request: &SignedRequest) -> Result<Answer, Refusal> {
        let host = &self.node.host;
        let origin = request.head().origin();
        let mut stored = self.stored.lock().await;
        if self.convicts(origin) {
            return Err(Refusal::Convicted);
        }
        let (mut state, mut floor) = (stored.state(origin), stored.floor);
        let now = host.now().unix_s;
        if host.has(Mutant::BelievesClock) {
            floor = ClockFloor::new(now);
            if let LogState::Held { at, .. } = &mut state {
                *at = 1;
            }
        }
        let pending = match request.decide(&state, floor, now) {
            Decision::Cosign(pending) => pending,
            Decision::Refuse(refused) => return Err(refused.refusal),
        };
        host.chronicle().decided(host.name, origin);
        let after = pending.after();
        let record = after.record(origin).map(Vec::from).unwrap_or_default();
        let note = pending.head().note().as_bytes().to_vec();
        let floor = pending.floor().max(stored.floor);
        let written = host.disk.write(vec![
            (format!("witness/{origin}"), record),
            (format!("witnessed/{origin}"), note),
            ("floor".into(), floor.seconds().to_be_bytes().into()),
        ]);
        if host.has(Mutant::AnswersUnsynced) {
            host.sync_later(written);
        } else {
            host.sync(written).await;
        }
        stored.states.insert(origin.to_owned(), after);
        stored.floor = floor;
        drop(stored);
        let cosigned = pending.persisted().sign(self.keys());
        let cosigned = cosigned.expect("an Ed25519 signature does not fail");
        let mut chronicle = host.chronicle();
        chronicle.cosigned(self.at, cosigned.head().checkpoint(), cosigned.at());
        Ok(cosigned.answer())
    }

    /// What a witness does that signs two histories.
    fn sign_anything(&self, checkpoint: &Checkpoint) -> Answer {
        let now = self.node.host.now().unix_s;
        let lines = self.keys().cosign(checkpoint, now);
        let body = lines.expect("an Ed25519 signature does not fail");
        self.node
            .host
            .chronicle()
            .cosigned(self.at, checkpoint, now);
        debug_assert!(Note::parse_checkpoint(&format!("{}\n{body}", checkpoint.body())).is_ok());
        Answer {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            retry_after_s: None,
            body,
        }
    }
}

impl Stored {
    fn state(&self, origin: &str) -> LogState {
        self.states.get(origin).copied().unwrap_or_default()
    }
}

/// The floor that is stored; at the first start its operator looks at the clock.
fn floor(host: &Host) -> ClockFloor {
    let stored = host.disk.get("floor").and_then(|row| row.try_into().ok());
    if let Some(stored) = stored {
        return ClockFloor::new(u64::from_be_bytes(stored));
    }
    let floor = ClockFloor::new(0).confirmed_by_operator(host.now().unix_s);
    let floor = floor.expect("a run begins at a time that can be stated");
    let row = ("floor".into(), floor.seconds().to_be_bytes().into());
    host.disk.synced(host.disk.write(vec![row]));
    floor
}

//! A log that has its heads cosigned: what `node/src/sequencer` and `node/src/cosigner` do with the
//! decisions of core.

use super::cast::{Log as Keys, WITNESSES};
use super::history::{History, MOST};
use super::host::Host;
use super::host::lock;
use super::node::Node;
use super::plan::{Mutant, Second};
use assay_claims::misbehavior::Culprit;
use assay_tlog::Hash;
use assay_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use assay_tlog::cosigning::{Ask, Cosigning, Event, Reply, Settings};
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::Request;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Leaves that both histories of a log have in common that shows two.
pub(super) const SAME: usize = 12;

/// How often an entry comes, in milliseconds.
const ENTRY_MS: usize = 500;

/// One history that a log shows, from a start to a crash.
pub(super) struct Log {
    pub(super) host: Arc<Host>,
    node: Arc<Node>,
    at: usize,
    /// Which of its histories.
    side: usize,
    pub(super) history: Mutex<History>,
    pub(super) shown: Mutex<Option<String>>,
}

/// What became of the head that was signed last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Shown,
    Asked,
    /// It was signed before this start: nothing else is signed until a quorum has cosigned it.
    First,
    Stuck,
}

struct Publishing {
    log: Arc<Log>,
    cosigning: Cosigning,
    phase: Phase,
    signed: usize,
    next_entry: Instant,
    answers: JoinSet<(Ask, Reply)>,
}

impl Log {
    /// Starts with what is on the disk.
    pub(super) fn start(node: &Arc<Node>, at: usize, side: usize) -> Arc<Self> {
        let host = node.host.clone();
        let leaves = host.disk.list(&format!("leaf/{side}/"));
        let leaves = leaves.iter().filter_map(|(_, leaf)| Hash::from_slice(leaf));
        Arc::new(Log {
            history: Mutex::new(History::new(leaves)),
            shown: Mutex::new(None),
            node: node.clone(),
            host,
            at,
            side,
        })
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.host.cast.logs[self.at]
    }

    fn origin(&self) -> &str {
        self.keys().verifier.origin()
    }

    pub(super) fn is_hostile(&self) -> bool {
        self.at == 1 && self.host.plan.second == Second::Splits
    }

    /// Signs the head of a size that it has.
    pub(super) fn sign(&self, size: usize) -> Option<String> {
        let history = lock(&self.history);
        let checkpoint = Checkpoint {
            origin: self.origin().to_owned(),
            size: TreeSize::new(size as u64),
            root: history.root(TreeSize::new(size as u64))?,
        };
        self.host.chronicle().signed(&history, &checkpoint);
        Some(checkpoint.sign(&self.keys().key))
    }

    /// An entry comes: that of another start is another one.
    fn append(&self) -> (String, Vec<u8>) {
        let mut history = lock(&self.history);
        let at = history.len();
        let name = match self.is_hostile() {
            true if at < SAME => format!("{at}"),
            true => format!("{at} {}", self.side),
            false => format!("{at} {}", self.host.word()),
        };
        let leaf = leaf_hash(name.as_bytes());
        history.push(leaf);
        let row = leaf.as_bytes().to_vec();
        (format!("leaf/{}/{at:04}", self.side), row)
    }

    fn anchor(&self) -> Option<String> {
        let anchor = self.host.disk.get(&format!("anchor/{}", self.side))?;
        String::from_utf8(anchor).ok()
    }

    fn body(&self, ask: &Ask) -> Option<String> {
        let proof = lock(&self.history).prove(ask.old, ask.size)?;
        Some(Request::body(ask.old, &proof, &ask.note))
    }
}

/// Takes entries, signs heads, and has them cosigned, until it must not sign any more.
pub(super) async fn publish(log: Arc<Log>) {
    let settings = Settings {
        extra_wait_ms: 200,
        refresh_ms: 10_000,
    };
    let (key, policy) = (log.keys().key.verifier(), &log.host.cast.policy);
    let cosigning = Cosigning::new(&key, policy, settings).expect("the policy can be asked");
    let mut publishing = Publishing {
        cosigning,
        phase: Phase::Shown,
        signed: 0,
        next_entry: Instant::now(),
        answers: JoinSet::new(),
        log,
    };
    if let Some(anchor) = publishing.log.anchor() {
        publishing.propose(&anchor);
        publishing.phase = Phase::First;
    }
    while publishing.step().await.is_some() {}
    let host = &publishing.log.host;
    host.chronicle().event("stopped", host.name);
}

impl Publishing {
    fn propose(&mut self, note: &str) {
        let key = self.log.keys().key.verifier();
        let head = VerifiedCheckpoint::verify(note, &key).expect("its own head");
        self.signed = usize::try_from(head.size().get()).unwrap_or(0);
        let now = self.log.host.now();
        self.cosigning.propose(now, head);
        self.phase = Phase::Asked;
        if self.log.host.has(Mutant::ShowsCandidate) {
            *lock(&self.log.shown) = Some(note.to_owned());
        }
    }

    /// Does what is to be done now, and waits for what is next. `None` if it must stop.
    async fn step(&mut self) -> Option<()> {
        self.exclude_convicted();
        let step = self.cosigning.step(self.log.host.now());
        for ask in step.asks {
            self.ask(ask);
        }
        match step.event {
            Some(Event::Witnessed { note }) => self.witnessed(note),
            Some(Event::NoQuorum { .. }) if self.phase == Phase::Asked => {
                self.phase = Phase::Stuck;
            }
            Some(Event::NoQuorum { .. }) | None => {}
            Some(Event::Stopped(stop)) => {
                let what = format!("{} {stop:?}", self.log.host.name);
                self.log.host.chronicle().event("stop", &what);
                return None;
            }
        }
        let now_ms = self.log.host.now().elapsed_ms;
        let wake = step
            .wake_ms
            .map_or(1_000, |at| at.saturating_sub(now_ms).max(1));
        tokio::select! {
            biased;
            Some(Ok((ask, reply))) = self.answers.join_next() => self.answered(&ask, &reply),
            () = tokio::time::sleep_until(self.next_entry) => self.grow().await,
            () = sleep(Duration::from_millis(wake)) => {}
        }
        Some(())
    }

    fn exclude_convicted(&mut self) {
        let witnesses = self.cosigning.witnesses().filter(|it| !it.excluded);
        let names: Vec<String> = witnesses.map(|it| it.name.to_owned()).collect();
        for name in names {
            if self.log.node.convicts(&Culprit::Witness(name.clone())) {
                self.cosigning.exclude(&name);
                self.log.host.chronicle().event("excluded", &name);
            }
        }
    }

    fn ask(&mut self, ask: Ask) {
        let log = self.log.clone();
        self.answers.spawn(async move {
            let to = ask.url.trim_start_matches("http://").to_owned();
            // A log that shows two histories shows each to some.
            let others = log.host.plan.side(&to) != log.side;
            let colludes = log.host.plan.signs_all(&to);
            let is_asked = !log.is_hostile() || colludes || !others;
            let Some(body) = log.body(&ask).filter(|_| is_asked) else {
                sleep(Duration::from_millis(200)).await;
                return (ask, Reply::Unreachable);
            };
            let answer = log.host.http(&to, "/add-checkpoint", Some(body)).await;
            let reply = match answer {
                // It knows why it is refused.
                Some((422, _)) if log.is_hostile() => Reply::Unreachable,
                Some((status, body)) => Reply::Answer {
                    status,
                    retry_after_s: None,
                    body: body.into(),
                },
                None => Reply::Unreachable,
            };
            (ask, reply)
        });
    }

    fn answered(&mut self, ask: &Ask, reply: &Reply) {
        let (now, random) = (self.log.host.now(), self.log.host.word());
        let heard = self.cosigning.answered(now, ask, reply, random);
        let what = format!("{} {} {heard:?}", self.log.host.name, ask.url);
        self.log.host.chronicle().event("heard", &what);
    }

    fn witnessed(&mut self, note: String) {
        let lines = note
            .lines()
            .filter(|line| line.starts_with('\u{2014}'))
            .count();
        if self.log.host.has(Mutant::WaitsForAll) && lines <= WITNESSES {
            return;
        }
        if self.phase != Phase::Shown {
            let size = TreeSize::new(self.signed as u64);
            self.log
                .host
                .chronicle()
                .published(self.log.host.name, size);
            if !self.log.is_hostile()
                && let Ok(head) = self.log.keys().verifier.verify(&note)
            {
                self.log.node.own(lock(&self.log.history).clone(), &head);
                self.log.node.take(&head);
            }
        }
        self.phase = Phase::Shown;
        *lock(&self.log.shown) = Some(note);
    }

    /// An entry comes; it is signed if nothing else waits.
    async fn grow(&mut self) {
        let wait = ENTRY_MS / 2 + self.log.host.below(ENTRY_MS);
        self.next_entry = Instant::now() + Duration::from_millis(wait as u64);
        let (host, side) = (self.log.host.clone(), self.log.side);
        if lock(&self.log.history).len() < MOST {
            let row = self.log.append();
            let written = host.disk.write(vec![row]);
            self.sync(written).await;
        }
        let size = lock(&self.log.history).len();
        let may_sign = matches!(self.phase, Phase::Shown | Phase::Stuck) && size > self.signed;
        if let (true, Some(note)) = (may_sign, self.log.sign(size)) {
            let row = (format!("anchor/{side}"), note.clone().into_bytes());
            let written = host.disk.write(vec![row]);
            self.sync(written).await;
            self.propose(&note);
        }
    }

    async fn sync(&self, written: super::disk::Written) {
        if self.log.host.has(Mutant::SignsUnsynced) {
            self.log.host.sync_later(written);
        } else {
            self.log.host.sync(written).await;
        }
    }
}

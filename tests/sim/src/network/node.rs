//! What a node knows of logs: heads, evidence, copies. The decisions are those of core; this is
//! what `node/src/gossip` does with them, without its threads.

use super::cast::{Cast, LIAR, LOGS, WITNESS_HOSTS};
use super::history::History;
use super::host::{Host, lock};
use super::plan::Mutant;
use assay_claims::misbehavior::{Culprit, Rewrite, VerifiedMisbehavior};
use assay_tlog::Hash;
use assay_tlog::gossip::{
    CulpritId, Exchange, ExchangeFault, Fork, Judged, Pool, Question, Received, Salt, Settings,
    Source, Taken, Turn,
};
use assay_tlog::head::VerifiedHead;
use assay_tlog::mirror::VerifiedTree;
use assay_tlog::tree::Tile;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// A node, from a start to a crash.
pub(super) struct Node {
    pub(super) host: Arc<Host>,
    pub(super) pool: Mutex<Pool>,
    texts: Mutex<BTreeMap<Hash, String>>,
    /// Who is convicted, as texts name them.
    convicted: Mutex<BTreeSet<String>>,
    /// Histories of which it has the tiles, with their heads.
    copies: Mutex<BTreeMap<String, (History, VerifiedHead)>>,
    /// What only a mutant keeps.
    crowd: Mutex<Vec<String>>,
}

impl Node {
    /// Starts with what is on the disk.
    pub(super) fn start(host: Arc<Host>) -> Arc<Self> {
        let node = Node {
            pool: Mutex::new(pool(&host.cast)),
            host,
            texts: Mutex::default(),
            convicted: Mutex::default(),
            copies: Mutex::default(),
            crowd: Mutex::default(),
        };
        for (_, text) in node.host.disk.list("evidence/") {
            let found = VerifiedMisbehavior::verify(&text, &node.host.cast.known);
            node.hold(&found.expect("what was stored was verified"));
        }
        for (key, leaves) in node.host.disk.list("copy/") {
            let leaves = leaves.chunks_exact(Hash::LEN).filter_map(Hash::from_slice);
            let note = node.host.disk.get(&format!("copied/{}", &key[5..]));
            let note = String::from_utf8(note.unwrap_or_default()).unwrap_or_default();
            let head = lock(&node.pool).verify_own(&note).ok().flatten();
            if let Some(head) = head {
                node.take(&head);
                let origin = head.origin().to_owned();
                lock(&node.copies).insert(origin, (History::new(leaves), head));
            }
        }
        Arc::new(node)
    }

    fn now_ms(&self) -> u64 {
        self.host.now().elapsed_ms
    }

    /// Whether evidence convicts them.
    pub(super) fn convicts(&self, culprit: &Culprit) -> bool {
        lock(&self.convicted).contains(&culprit.to_string())
    }

    /// Takes a head that its log signed, wherever it was seen.
    pub(super) fn take(&self, head: &VerifiedHead) {
        if self.host.has(Mutant::KeepsToItself) {
            return;
        }
        if self.host.has(Mutant::KeepsAll) {
            lock(&self.crowd).push(head.note().to_owned());
        }
        let (now_ms, random) = (self.now_ms(), self.host.word());
        let taken = lock(&self.pool).take(head, now_ms, random);
        match taken {
            Taken::Waits(question) => self.judge_by_own(&question),
            Taken::Fork(fork) => self.convict(&fork),
            Taken::Known | Taken::First | Taken::Convicted | Taken::Foreign => {}
        }
    }

    /// Takes a note that a client submitted.
    pub(super) fn submit(&self, note: &str) {
        let head = lock(&self.pool).verify(note).ok().flatten();
        if let Some(head) = head {
            self.take(&head);
        }
    }

    /// Has the tiles of a head from now on, if they extend what it has.
    pub(super) fn own(&self, history: History, head: &VerifiedHead) {
        let mut copies = lock(&self.copies);
        let origin = head.origin();
        if let Some((before, old)) = copies.get(origin)
            && (before.len() >= history.len() || history.root(old.size()) != Some(old.root()))
        {
            return;
        }
        let leaves = history.leaves().iter().flat_map(Hash::as_bytes).copied();
        let _ = self.host.disk.write(vec![
            (format!("copy/{origin}"), leaves.collect()),
            (format!("copied/{origin}"), head.note().as_bytes().to_vec()),
        ]);
        copies.insert(origin.to_owned(), (history, head.clone()));
    }

    /// The tile of a copy.
    pub(super) fn copied(&self, digest: &str, width: usize) -> Option<Vec<u8>> {
        let copies = lock(&self.copies);
        let of_log = |origin: &str| Hash::of(origin.as_bytes()).to_hex() == digest;
        let copy = copies.iter().find(|(origin, _)| of_log(origin));
        copy?.1.0.tile(width)
    }

    /// Holds the heads of a question against what it has tiles of.
    fn judge_by_own(&self, question: &Question) {
        let copy = lock(&self.copies).get(question.newer().origin()).cloned();
        let Some((history, own)) = copy else { return };
        for head in [question.older(), question.newer()] {
            if let Some(fork) = Fork::split(&own, head) {
                self.convict(&fork);
            } else if head.size() < own.size()
                && let Some(beside) = Question::between(head, &own, Source::Log)
            {
                self.judge(&beside, &history);
            }
        }
        if history.has(question.newer()) {
            self.judge(question, &history);
        }
    }

    fn judge(&self, question: &Question, history: &History) {
        let Some(answer) = history.answer(question) else {
            return;
        };
        match question.judge(&answer) {
            Judged::Linked(link) => {
                let fork = lock(&self.pool).link(&link);
                fork.iter().for_each(|fork| self.convict(fork));
            }
            Judged::Fork(fork) => self.convict(&fork),
            Judged::Nothing(_) => {}
        }
    }

    fn convict(&self, fork: &Fork) {
        let rewrite = fork.rewrite();
        let rewrite = rewrite.map(|(actual, path)| Rewrite { actual, path });
        let found = VerifiedMisbehavior::of_log(fork.older(), fork.newer(), rewrite);
        self.keep(&found.expect("a fork is misbehavior"));
    }

    /// Verifies a text that somebody sent. What proves nothing is dropped.
    pub(super) fn report(&self, text: &[u8]) -> Option<Hash> {
        let found = VerifiedMisbehavior::verify(text, &self.host.cast.known).ok()?;
        self.keep(&found);
        Some(found.id())
    }

    /// Stores what is proven, durably, and holds it.
    fn keep(&self, found: &VerifiedMisbehavior) {
        if lock(&self.texts).contains_key(&found.id()) {
            return;
        }
        let key = format!("evidence/{}", found.id().to_hex());
        let row = (key, found.text().as_bytes().to_vec());
        let written = self.host.disk.write(vec![row]);
        self.host.disk.synced(written);
        self.hold(found);
    }

    fn hold(&self, found: &VerifiedMisbehavior) {
        let (id, culprit) = (found.id(), found.culprit());
        lock(&self.texts).insert(id, found.text().to_owned());
        lock(&self.convicted).insert(culprit.to_string());
        lock(&self.pool).hold(CulpritId::of(&culprit.to_string()), id);
        if self.host.name != LIAR {
            self.host.chronicle().learned(self.host.name, culprit);
        }
    }

    /// Opens an exchange.
    pub(super) fn open(&self) -> (Exchange, Turn) {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.host.word().to_be_bytes());
        salt[8..].copy_from_slice(&self.host.word().to_be_bytes());
        Exchange::open(&mut lock(&self.pool), Salt(salt))
    }

    /// Takes a turn, does what follows from it, and returns what to say.
    pub(super) fn turn(
        &self,
        exchange: &mut Exchange,
        turn: &Turn,
    ) -> Result<Option<Turn>, ExchangeFault> {
        let (now_ms, random) = (self.now_ms(), self.host.word());
        if self.host.has(Mutant::KeepsAll) {
            lock(&self.crowd).extend(turn.notes.iter().cloned());
        }
        let received = exchange.receive(&mut lock(&self.pool), turn, now_ms, random)?;
        let texts = self.settle(received);
        Ok(exchange.reply(&lock(&self.pool), texts))
    }

    fn settle(&self, received: Received) -> Vec<String> {
        for question in &received.questions {
            self.judge_by_own(question);
        }
        for fork in &received.forks {
            self.convict(fork);
        }
        for text in &received.evidence {
            self.report(text.as_bytes());
        }
        let texts = lock(&self.texts);
        let wanted = received.evidence_wanted.iter();
        wanted.filter_map(|id| texts.get(id).cloned()).collect()
    }

    /// Asks a log, or a mirror of it, and judges the answer.
    pub(super) async fn ask(self: Arc<Self>, question: Question) {
        let newer = question.newer();
        let Some(path) = VerifiedTree::edge(newer.size()).pop() else {
            return;
        };
        let (to, path) = match question.source() {
            Source::Log => (host_of(newer.origin()), format!("/{path}")),
            Source::Mirror(_) => {
                let mirrors = [&WITNESS_HOSTS[..], &[LIAR]].concat();
                let digest = Hash::of(newer.origin().as_bytes()).to_hex();
                let mirror = mirrors[self.host.below(mirrors.len())];
                (Some(mirror), format!("/mirror/{digest}/{path}"))
            }
        };
        let Some(to) = to else { return };
        if let Some((200, tile)) = self.host.http(to, &path, None).await
            && let Ok(tile) = Tile::parse(&tile)
        {
            self.judge(&question, &History::new(tile.hashes().iter().copied()));
        }
    }

    /// Copies the tree of a head from its log.
    pub(super) async fn follow(self: Arc<Self>, head: VerifiedHead) {
        let Some(path) = VerifiedTree::edge(head.size()).pop() else {
            return;
        };
        let Some(to) = host_of(head.origin()) else {
            return;
        };
        let answer = self.host.http(to, &format!("/{path}"), None).await;
        if let Some((200, tile)) = answer
            && let Ok(tile) = Tile::parse(&tile)
            && VerifiedTree::new(head.clone(), vec![tile.clone()]).is_ok()
        {
            let size = usize::try_from(head.size().get()).unwrap_or(0);
            let leaves = tile.hashes().iter().copied().take(size);
            self.own(History::new(leaves), &head);
        }
    }

    /// About how many bytes the heads of the log take that takes most.
    pub(super) fn pool_bytes(&self) -> usize {
        let pool = lock(&self.pool);
        let logs = self.host.cast.logs.iter();
        let bytes = logs.map(|log| pool.bytes(log.verifier.origin())).max();
        let crowd: usize = lock(&self.crowd).iter().map(String::len).sum();
        bytes.unwrap_or(0) + crowd
    }
}

/// The host of the log with this origin.
fn host_of(origin: &str) -> Option<&'static str> {
    let mut logs = LOGS.into_iter();
    logs.find(|host| origin.starts_with(host))
}

fn pool(cast: &Cast) -> Pool {
    let mut pool = Pool::new(Settings {
        alarm_after_ms: 12_000,
    });
    for log in &cast.logs {
        pool.add_log(log.verifier.clone()).expect("two logs fit");
    }
    for keys in &cast.witnesses {
        let culprit = Culprit::Witness(keys.name().to_owned());
        let id = CulpritId::of(&culprit.to_string());
        pool.add_culprit(id).expect("four witnesses fit");
    }
    pool
}

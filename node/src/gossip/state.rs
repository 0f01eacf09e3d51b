//! The pool behind its lock, and what follows from what it says: evidence is stored first, and then
//! held by the pool.
//!
//! What is here may block, but for what says that it does not. The lock is held while the pool
//! decides, which takes no I/O.

use super::holding::Holding;
use super::known::Places;
use super::own::{Beside, Own};
use super::suspects::{Suspect, Suspects};
use crate::misbehavior::{Evidence, Listed, NotKept};
use crate::peers::KnownPeer;
use crate::reason::with_causes;
use arc_swap::ArcSwap;
use assay_claims::misbehavior::{AssayKeys, Culprit, Rewrite, VerifiedMisbehavior};
use assay_tlog::Hash;
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::gossip::{
    Answer, CulpritId, EvidenceLine, Exchange, ExchangeFault, Fork, Judged, Pool, Question,
    Received, Salt, Settings, Standing, Taken, Turn,
};
use assay_tlog::head::VerifiedHead;
use assay_tlog::limits::GOSSIP_EVIDENCE_BYTES;
use assay_tlog::note::Note;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::{RwLock, mpsc};

/// Texts of evidence that were of no use here, by their ids, and are not asked for again: as many
/// as a node keeps of those that are.
const REFUSED: usize = 1000;

/// Heads that were refused elsewhere in the node and wait to be looked at.
const SEEN: usize = 256;

/// What came of heads that somebody submitted.
#[derive(Debug, Default)]
pub struct Submitted {
    /// How many said something new.
    pub new: u32,
    /// Evidence against the logs that they are of.
    pub evidence: Vec<EvidenceLine>,
}

/// What a node knows by gossip.
pub struct Gossip {
    pool: Mutex<Pool>,
    evidence: Arc<Evidence>,
    own: Own,
    configured: Places,
    places: ArcSwap<Places>,
    origins: ArcSwap<BTreeSet<String>>,
    /// Ids of kept evidence that the pool holds.
    held: Mutex<BTreeSet<Hash>>,
    refused: Mutex<BTreeSet<Hash>>,
    suspects: Suspects,
    /// Who is held to the rules of Assay.
    assay: ArcSwap<AssayKeys>,
    seen: mpsc::Sender<VerifiedHead>,
    started: Instant,
    /// Held by whoever uses stores, so that a node that stops can wait for that.
    pub(super) busy: Arc<RwLock<()>>,
}

impl Gossip {
    /// Gossip about the logs whose keys `evidence` has, of which `holdings` has heads. Returns it
    /// with what [`Gossip::seen`] sends, which [`super::rounds`] takes.
    pub fn new(
        evidence: Arc<Evidence>,
        holdings: Vec<Box<dyn Holding>>,
        configured: Places,
        alarm_after_ms: u64,
    ) -> (Arc<Self>, mpsc::Receiver<VerifiedHead>) {
        let (seen, come) = mpsc::channel(SEEN);
        let gossip = Gossip {
            pool: Mutex::new(Pool::new(Settings { alarm_after_ms })),
            evidence,
            own: Own::new(holdings),
            places: ArcSwap::from_pointee(configured.clone()),
            configured,
            origins: ArcSwap::default(),
            held: Mutex::default(),
            refused: Mutex::default(),
            suspects: Suspects::default(),
            assay: ArcSwap::default(),
            seen,
            started: Instant::now(),
            busy: Arc::default(),
        };
        (Arc::new(gossip), come)
    }

    /// Gossips about the logs that are known now, with these peers, and no others. What is stored
    /// of them is in the pool when this returns.
    pub fn follow(&self, peers: &[KnownPeer]) {
        self.places.store(Arc::new(self.configured.with(peers)));
        let keys = self.evidence.keys();
        let origins = keys.logs.iter().map(|log| log.origin().to_owned());
        let origins: BTreeSet<String> = origins.collect();
        let mut pool = self.pool();
        for gone in self.origins.load().difference(&origins) {
            pool.remove_log(gone);
        }
        let mut added = Vec::new();
        for log in &keys.logs {
            added.push(pool.add_log(log.clone()));
        }
        let witnesses = keys.witnesses.iter().map(|it| it.name().to_owned());
        let mirrors = keys.mirrors.iter().map(|it| it.name().to_owned());
        let cosigners = witnesses.map(Culprit::Witness);
        for culprit in cosigners.chain(mirrors.map(Culprit::Mirror)) {
            added.push(pool.add_culprit(id_of(&culprit)));
        }
        drop(pool);
        self.own.keep(&origins);
        for error in added.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "a log is not gossiped about");
        }
        self.origins.store(Arc::new(origins));
        // A log that left and came back has lost what was held against it.
        lock(&self.held).clear();
        self.refresh();
    }

    /// Takes what the node has of logs, and the misbehavior that it keeps.
    pub fn refresh(&self) {
        for (at, note) in self.own.changed() {
            if let Err(error) = self.take_own(at, &note) {
                let error = with_causes(&error);
                tracing::warn!(error, "a head of this node's own cannot be gossiped about");
            }
        }
        self.hold_to_rules();
        let kept = self.evidence.list(None);
        let mut held = lock(&self.held);
        held.retain(|id| {
            let is_kept = kept.iter().any(|listed| listed.id == *id);
            if !is_kept {
                // It was cleared, and may be told again.
                self.pool().forget(*id);
            }
            is_kept
        });
        for listed in kept {
            if held.insert(listed.id) {
                self.pool().hold(id_of_text(&listed), listed.id);
            }
        }
    }

    /// Asks for breaches by whoever is held to the rules of Assay now. What was refused may show
    /// something since.
    fn hold_to_rules(&self) {
        let assay = self.evidence.assay();
        if Arc::ptr_eq(&self.assay.swap(assay.clone()), &assay) {
            return;
        }
        lock(&self.refused).clear();
        let logs = assay.logs.iter().map(|log| log.origin().to_owned());
        let auditors = assay.auditors.iter().map(|it| it.name().to_owned());
        let culprits = logs.map(Culprit::Log).chain(auditors.map(Culprit::Mirror));
        let mut pool = self.pool();
        for culprit in culprits {
            if let Err(error) = pool.add_culprit(id_of_breach(&culprit)) {
                tracing::warn!(%culprit, %error, "no breach by it is asked for");
            }
        }
    }

    /// Takes the latest head of a holding.
    fn take_own(&self, at: usize, note: &str) -> Result<(), CheckpointError> {
        let head = self.pool().verify_own(note)?;
        if let Some(head) = head {
            let before = self.own.remember(at, &head);
            self.take(&head);
            if let Some(before) = before {
                let now_ms = self.now_ms();
                let fork = self.pool().extend_own(&before, &head, now_ms, random());
                fork.iter().for_each(|fork| self.convict(fork));
            }
        }
        Ok(())
    }

    /// Takes a head that a log signed and that was refused. Does not block.
    pub fn seen(&self, head: VerifiedHead) {
        if self.seen.try_send(head).is_err() {
            metrics::counter!("assay_gossip_unseen_total").increment(1);
        }
    }

    /// Where everybody is. Does not block.
    pub(super) fn places(&self) -> Arc<Places> {
        self.places.load_full()
    }

    /// The origins of all logs that are known. Does not block.
    pub fn origins(&self) -> Arc<BTreeSet<String>> {
        self.origins.load_full()
    }

    /// The notes of the largest head of each log, in the order of their origins. Does not block.
    pub fn tips(&self) -> Vec<String> {
        let pool = self.pool();
        let tips = pool.tips().map(|tip| (tip.origin(), tip.note()));
        let tips: BTreeMap<&str, &str> = tips.collect();
        tips.into_values().map(str::to_owned).collect()
    }

    /// Milliseconds since the start, which never fall.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Opens an exchange. Returns what to say first. Does not block.
    pub(super) fn open(&self) -> (Exchange, Turn) {
        Exchange::open(&mut self.pool(), salt())
    }

    /// Takes a turn of a peer, does what follows from it, and returns the exchange with what to say
    /// now, if that is anything. Fails if no honest peer sends that.
    pub(super) fn turn(
        &self,
        mut exchange: Exchange,
        turn: &Turn,
    ) -> Result<(Exchange, Option<Turn>), ExchangeFault> {
        let now_ms = self.now_ms();
        let received = exchange.receive(&mut self.pool(), turn, now_ms, random())?;
        let texts = self.settle(received);
        let mut reply = exchange.reply(&self.pool(), texts);
        if let Some(turn) = &mut reply {
            let refused = lock(&self.refused);
            turn.evidence_wanted.retain(|id| !refused.contains(id));
        }
        Ok((exchange, reply.filter(|turn| !turn.is_empty())))
    }

    /// Does what came with a turn, and returns the texts that the peer wants.
    fn settle(&self, received: Received) -> Vec<String> {
        if received.unverified > 0 {
            metrics::counter!("assay_gossip_unverified_heads_total")
                .increment(received.unverified as u64);
        }
        for question in &received.questions {
            self.judge_by_own(question);
        }
        for fork in &received.forks {
            self.convict(fork);
        }
        for text in &received.evidence {
            self.report(text);
        }
        // What convicts goes first: so many bytes go into an exchange.
        let mut wanted = received.evidence_wanted;
        wanted.sort_by_key(|id| self.evidence.listed(id).is_none_or(|it| !it.convicts()));
        self.texts(&wanted)
    }

    /// The first of these texts, as many as one turn has room for. No more than one is read beyond
    /// that.
    pub(super) fn texts(&self, wanted: &[Hash]) -> Vec<String> {
        let (mut texts, mut left) = (Vec::new(), GOSSIP_EVIDENCE_BYTES);
        for id in wanted {
            let read = self.evidence.read(id).unwrap_or_else(|error| {
                tracing::error!(%error, "misbehavior cannot be read");
                None
            });
            let Some(text) = read.and_then(|read| String::from_utf8(read).ok()) else {
                continue;
            };
            if text.len() > left {
                break;
            }
            left -= text.len();
            texts.push(text);
        }
        texts
    }

    /// Takes heads that somebody submitted. What cannot be verified is left out of account.
    pub(super) fn submit(&self, notes: &[String]) -> Submitted {
        let (mut new, mut culprits) = (0, BTreeSet::new());
        for note in notes {
            if matches!(self.take_note(note), Ok(true)) {
                new += 1;
            }
            let origin = Note::parse_checkpoint(note).ok();
            let origin = origin.and_then(|note| note.text().lines().next().map(str::to_owned));
            culprits.extend(origin.map(Culprit::Log));
        }
        let mut evidence = self.evidence.list(None);
        evidence.retain(|listed| listed.convicts() && culprits.contains(&listed.culprit));
        let lines = evidence.iter().map(|listed| EvidenceLine {
            culprit: id_of(&listed.culprit),
            id: listed.id,
        });
        Submitted {
            new,
            evidence: lines.collect(),
        }
    }

    /// Verifies a note, and takes its head. Returns whether that is new. Fails if it is no
    /// checkpoint, or has a wrong signature by a known key.
    fn take_note(&self, note: &str) -> Result<bool, CheckpointError> {
        let head = self.pool().verify(note)?;
        Ok(head.is_some_and(|head| self.take(&head)))
    }

    /// Takes a head that the log signed. Returns whether it is new.
    pub(super) fn take(&self, head: &VerifiedHead) -> bool {
        let now_ms = self.now_ms();
        let taken = self.pool().take(head, now_ms, random());
        match taken {
            Taken::Waits(question) => _ = self.judge_by_own(&question),
            Taken::Fork(fork) => self.convict(&fork),
            Taken::First => {}
            Taken::Known | Taken::Convicted | Taken::Foreign => return false,
        }
        true
    }

    /// Answers a question from the node's own tiles, if there are any. Returns whether that proves
    /// anything about the two heads.
    ///
    /// The larger one may be larger than what the node has, and its log may never prove anything
    /// about it. So both heads are held against what the node has, too.
    pub(super) fn judge_by_own(&self, question: &Question) -> bool {
        for head in [question.older(), question.newer()] {
            for beside in self.own.beside(head) {
                match beside {
                    Beside::Fork(fork) => self.convict(&fork),
                    Beside::Answered(question, answer) => _ = self.judge(&question, &answer),
                }
            }
        }
        let mut answers = self.own.answers(question);
        answers.any(|answer| self.judge(question, &answer))
    }

    /// Does what an answer proves. Returns whether it proves anything.
    pub(super) fn judge(&self, question: &Question, answer: &Answer) -> bool {
        match question.judge(answer) {
            Judged::Linked(link) => {
                let fork = self.pool().link(&link);
                fork.iter().for_each(|fork| self.convict(fork));
                true
            }
            Judged::Fork(fork) => {
                self.convict(&fork);
                true
            }
            Judged::Nothing(_) => false,
        }
    }

    /// Questions to logs and mirrors that are due. Does not block.
    pub(super) fn questions(&self) -> Vec<Question> {
        let now_ms = self.now_ms();
        self.pool().questions(now_ms)
    }

    /// Nobody is known who could be asked this question. Does not block.
    pub(super) fn nobody(&self, question: &Question) {
        self.pool().nobody(question);
    }

    /// Stores what a fork proves, and holds it.
    fn convict(&self, fork: &Fork) {
        let rewrite = fork.rewrite();
        let rewrite = rewrite.map(|(actual, path)| Rewrite { actual, path });
        let found = VerifiedMisbehavior::of_log(fork.older(), fork.newer(), rewrite);
        match found {
            // What cannot be stored is reported there, and convicts until the next start.
            Ok(found) => match self.evidence.keep(&found) {
                Ok(_) => self.hold(id_of(found.culprit()), found.id()),
                Err(error) => tracing::debug!(%error, "a fork is not kept"),
            },
            Err(error) => {
                let (origin, error) = (fork.origin(), with_causes(&error));
                tracing::error!(
                    origin,
                    error,
                    "a fork was found, of which no text can be made"
                );
            }
        }
    }

    /// Verifies a text that a peer sent, stores it, and holds it.
    fn report(&self, text: &str) {
        let id = Hash::of(text.as_bytes());
        match self.evidence.report(text.as_bytes()) {
            Ok(_) => {
                if let Some(listed) = self.evidence.listed(&id) {
                    self.hold(id_of_text(&listed), id);
                }
            }
            Err(error @ NotKept::Io(_)) => tracing::debug!(%error, "misbehavior is not kept"),
            Err(error) => {
                tracing::debug!(%id, %error, "a peer's text of misbehavior is of no use here");
                let mut refused = lock(&self.refused);
                if refused.len() >= REFUSED {
                    refused.clear();
                }
                refused.insert(id);
            }
        }
    }

    fn hold(&self, culprit: CulpritId, id: Hash) {
        lock(&self.held).insert(id);
        self.pool().hold(culprit, id);
    }

    /// Ends a round: looks at which logs are suspect, and says so once. Does not block.
    pub(super) fn end_round(&self) {
        let now_ms = self.now_ms();
        let (mut suspects, mut unlinked) = (Vec::new(), 0);
        let mut pool = self.pool();
        pool.next_round();
        for origin in self.origins.load().iter() {
            let standing = pool.standing(origin, now_ms);
            if standing != Standing::Convicted {
                unlinked += pool.heads(origin).skip(1).count();
            }
            if let Standing::Suspect { size, .. } = standing {
                let origin = origin.clone();
                suspects.push(Suspect { origin, size });
            }
        }
        drop(pool);
        metrics::gauge!("assay_gossip_unlinked_heads").set(unlinked as f64);
        self.suspects.are(suspects);
    }

    /// What is to be thought of a log. Does not block.
    pub fn standing(&self, origin: &str) -> Standing {
        let now_ms = self.now_ms();
        self.pool().standing(origin, now_ms)
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How gossip names who misbehaved.
fn id_of(culprit: &Culprit) -> CulpritId {
    CulpritId::of(&culprit.to_string())
}

/// How gossip names whose breach a text shows. It is no name of a culprit: whatever is held of that
/// is a conviction.
fn id_of_breach(culprit: &Culprit) -> CulpritId {
    CulpritId::of(&format!("breach {culprit}"))
}

fn id_of_text(listed: &Listed) -> CulpritId {
    if listed.convicts() {
        id_of(&listed.culprit)
    } else {
        id_of_breach(&listed.culprit)
    }
}

/// A random word. If the system has none, heads are still compared, but a peer may foresee which.
pub(super) fn random() -> u64 {
    getrandom::u64().unwrap_or_default()
}

fn salt() -> Salt {
    let mut salt = [0; 16];
    let (one, other) = salt.split_at_mut(8);
    one.copy_from_slice(&random().to_be_bytes());
    other.copy_from_slice(&random().to_be_bytes());
    Salt(salt)
}

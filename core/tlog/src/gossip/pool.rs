//! The logs that are known, and where a head belongs.

use super::deadline::{Settings, Standing};
use super::digest::{Line, LogId, Point, Salt};
use super::evidence::{CulpritId, Evidence, EvidenceLine};
use super::heads::{Heads, Placed};
use super::link::{Fork, Question, VerifiedLink};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::hash::Hash;
use crate::head::{LogVerifier, VerifiedHead, is_unsigned};
use crate::limits;
use crate::note::Note;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Most logs that are looked at for the lines of a digest, and as many of those that changed: who
/// asks for many digests does not make anybody look at all logs for each.
const LOOKED_AT: usize = 1024;

/// Why a log cannot be gossiped about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// A key has a name that leaves no room for a signature in [`limits::GOSSIP_HEAD_BYTES`].
    #[error(
        "a key of the log {0} has a name of more than {max} bytes",
        max = limits::GOSSIP_KEY_NAME_BYTES
    )]
    KeyName(String),
    /// Another log has the same 8 bytes of the hash of its origin.
    #[error("the logs {0} and {1} cannot be told apart in a digest")]
    SameId(String, String),
    /// There are [`limits::GOSSIP_CULPRITS`] logs and cosigners.
    #[error("more than {max} logs and cosigners are known", max = limits::GOSSIP_CULPRITS)]
    TooMany,
}

/// What became of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// It says nothing new: a head that is known, or the empty tree.
    Known,
    /// It is the first one of its log, and the tip.
    First,
    /// It waits until it is linked with the tip. A caller that has tiles of the newer tree answers
    /// the question from them at once. The question comes again, from [`Pool::questions`].
    Waits(Box<Question>),
    /// With a head that is known, or by itself, it shows that the log forked. The caller makes
    /// evidence of it, stores that, and says so with [`Pool::hold`]. Until then nothing is changed.
    Fork(Box<Fork>),
    /// The log is convicted, and its heads count no more.
    Convicted,
    /// It is of no log that is known, or too large.
    Foreign,
}

#[derive(Debug, Clone)]
struct Log {
    verifier: LogVerifier,
    culprit: CulpritId,
    heads: Heads,
}

/// The heads of all logs that a node knows, and the ids of the evidence that it has.
#[derive(Debug, Clone)]
pub struct Pool {
    settings: Settings,
    logs: BTreeMap<LogId, Log>,
    evidence: Evidence,
    round: u64,
    /// The logs of which peers should hear, with the round of the latest change.
    fresh: BTreeMap<LogId, u64>,
    /// The last logs whose lines stood in a digest: of those that changed, and of the others.
    fresh_at: Option<LogId>,
    idle_at: Option<LogId>,
    /// The last log that was asked about.
    asked_at: Option<LogId>,
}

impl Pool {
    /// Without logs.
    pub fn new(settings: Settings) -> Self {
        Pool {
            settings,
            logs: BTreeMap::new(),
            evidence: Evidence::default(),
            round: 0,
            fresh: BTreeMap::new(),
            fresh_at: None,
            idle_at: None,
            asked_at: None,
        }
    }

    /// Knows this log from now on; if its origin is known, by these keys. Its heads and evidence
    /// are kept. Fails with [`AddError`].
    pub fn add_log(&mut self, verifier: LogVerifier) -> Result<(), AddError> {
        let origin = verifier.origin();
        let is_long = verifier
            .keys()
            .iter()
            .any(|key| key.name().len() > limits::GOSSIP_KEY_NAME_BYTES);
        if is_long {
            return Err(AddError::KeyName(origin.to_owned()));
        }
        let id = LogId::of(origin);
        let known = self.logs.get_mut(&id);
        if let Some(known) = &known
            && known.verifier.origin() != origin
        {
            let other = known.verifier.origin().to_owned();
            return Err(AddError::SameId(origin.to_owned(), other));
        }
        if let Some(known) = known {
            known.verifier = verifier;
            return Ok(());
        }
        let culprit = CulpritId::of_log(origin);
        if !self.evidence.add_culprit(culprit) {
            return Err(AddError::TooMany);
        }
        let log = Log {
            verifier,
            culprit,
            heads: Heads::default(),
        };
        self.logs.insert(id, log);
        Ok(())
    }

    /// Forgets a log, with its heads and evidence.
    pub fn remove_log(&mut self, origin: &str) {
        if self.log(origin).is_some() {
            self.logs.remove(&LogId::of(origin));
            self.fresh.remove(&LogId::of(origin));
            self.evidence.remove_culprit(CulpritId::of_log(origin));
        }
    }

    /// Takes evidence with this name, too: of a witness or mirror whose keys the caller knows, or
    /// of what does not convict a log and has therefore a name of its own. Fails with
    /// [`AddError::TooMany`].
    pub fn add_culprit(&mut self, culprit: CulpritId) -> Result<(), AddError> {
        if self.evidence.add_culprit(culprit) {
            Ok(())
        } else {
            Err(AddError::TooMany)
        }
    }

    fn log(&self, origin: &str) -> Option<&Log> {
        let log = self.logs.get(&LogId::of(origin))?;
        (log.verifier.origin() == origin).then_some(log)
    }

    fn log_mut(&mut self, origin: &str) -> Option<&mut Log> {
        let log = self.logs.get_mut(&LogId::of(origin))?;
        (log.verifier.origin() == origin).then_some(log)
    }

    /// Verifies a note that somebody sent, with the keys that are known. `None` if it says nothing
    /// new, or no log that is known signed it; then nothing is wrong with whoever sent it. Fails if
    /// it is no checkpoint, or has a wrong signature by a key that is known.
    pub fn verify(&self, note: &str) -> Result<Option<VerifiedHead>, CheckpointError> {
        let note = Note::parse_checkpoint(note)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        let Some(log) = self.log(&checkpoint.origin) else {
            return Ok(None);
        };
        // What is known costs no verification.
        let (size, root) = (checkpoint.size, checkpoint.root);
        if log.heads.knows(Point { size, root }) {
            return Ok(None);
        }
        log.read(&note, &checkpoint)
    }

    /// The same for a note of the caller's own, whether it says anything new or not.
    pub fn verify_own(&self, note: &str) -> Result<Option<VerifiedHead>, CheckpointError> {
        let note = Note::parse_checkpoint(note)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        match self.log(&checkpoint.origin) {
            Some(log) => log.read(&note, &checkpoint),
            None => Ok(None),
        }
    }

    /// Takes a head that the log signed, wherever it was seen. `now_ms` is a time in milliseconds
    /// that never falls, and `random` a random word.
    pub fn take(&mut self, head: &VerifiedHead, now_ms: u64, random: u64) -> Taken {
        let most = limits::GOSSIP_HEAD_BYTES.saturating_sub(head.origin().len());
        let origin = head.origin();
        if self.is_convicted(origin) {
            return Taken::Convicted;
        }
        let (Some(head), Some(log)) = (head.cut(most), self.log_mut(origin)) else {
            return Taken::Foreign;
        };
        let taken = match log.heads.place(head, now_ms, random) {
            Placed::Known => Taken::Known,
            Placed::First => Taken::First,
            Placed::Waits(question) => Taken::Waits(question),
            Placed::Fork(fork) => Taken::Fork(fork),
        };
        if matches!(taken, Taken::First | Taken::Waits(_)) {
            self.fresh.insert(LogId::of(origin), self.round);
        }
        taken
    }

    /// The questions that are due now, at most [`limits::GOSSIP_QUESTIONS`], of all logs by turns.
    /// Each has been asked once it is returned; one that is not answered in time comes again, for
    /// another source.
    pub fn questions(&mut self, now_ms: u64) -> Vec<Question> {
        let mut questions = Vec::new();
        for id in after(&self.logs, self.asked_at).collect::<Vec<_>>() {
            let most = limits::GOSSIP_QUESTIONS - questions.len();
            if most == 0 {
                break;
            }
            if let Some(log) = self.logs.get_mut(&id) {
                questions.extend(log.heads.questions(now_ms, self.settings, most));
                self.asked_at = Some(id);
            }
        }
        questions
    }

    /// Takes what was proven of two heads. Returns a fork if that shows one, which the caller
    /// treats as [`Taken::Fork`].
    #[must_use]
    pub fn link(&mut self, link: &VerifiedLink) -> Option<Fork> {
        let origin = link.older().origin();
        let log = self.log_mut(origin)?;
        let before = log.heads.tip().map(Point::of);
        let fork = log.heads.link(link);
        if log.heads.tip().map(Point::of) != before {
            self.fresh.insert(LogId::of(origin), self.round);
        }
        fork
    }

    /// Takes two heads of which the caller's own log, witness or mirror verified that `newer`
    /// extends `older`; both were taken before. Else as [`Pool::link`].
    #[must_use]
    pub fn extend_own(
        &mut self,
        older: &VerifiedHead,
        newer: &VerifiedHead,
        now_ms: u64,
        random: u64,
    ) -> Option<Fork> {
        let most = limits::GOSSIP_HEAD_BYTES.saturating_sub(newer.origin().len());
        let newer = newer.cut(most)?;
        let log = self.log_mut(older.origin())?;
        let fork = log.heads.extend_own(older, &newer, now_ms, random);
        self.fresh.insert(LogId::of(newer.origin()), self.round);
        fork
    }

    /// Nobody is known who could be asked this question: it does not count against the log.
    pub fn nobody(&mut self, question: &Question) {
        if let Some(log) = self.log_mut(question.older().origin()) {
            log.heads.nobody(question.older());
            log.heads.nobody(question.newer());
        }
    }

    /// Knows evidence that was verified with keys that the caller trusts, and is stored. A log is
    /// convicted by it for as long as it is known; its heads count no more.
    pub fn hold(&mut self, culprit: CulpritId, id: Hash) {
        self.evidence.add(EvidenceLine { culprit, id }, self.round);
        let mut logs = self.logs.values_mut();
        let log = logs.find(|log| log.culprit == culprit);
        if let Some(log) = log
            && self.evidence.is_convicted(culprit)
        {
            log.heads.close();
        }
    }

    /// Knows evidence no more, of a kind that convicts nobody: it is wanted again.
    pub fn forget(&mut self, id: Hash) {
        self.evidence.forget(id);
    }

    fn is_convicted(&self, origin: &str) -> bool {
        self.evidence.is_convicted(CulpritId::of_log(origin))
    }

    /// What is to be thought of a log. Of one that is not known nothing is.
    pub fn standing(&self, origin: &str, now_ms: u64) -> Standing {
        if self.is_convicted(origin) {
            return Standing::Convicted;
        }
        self.log(origin).map_or(Standing::Clear, |log| {
            log.heads.standing(now_ms, self.settings)
        })
    }

    /// The largest head of the history of a log, as it is known here.
    pub fn tip(&self, origin: &str) -> Option<&VerifiedHead> {
        self.log(origin)?.heads.tip()
    }

    /// The tips of all logs.
    pub fn tips(&self) -> impl Iterator<Item = &VerifiedHead> {
        self.logs.values().filter_map(|log| log.heads.tip())
    }

    /// All heads of a log that are kept, the tip first.
    pub fn heads(&self, origin: &str) -> impl Iterator<Item = &VerifiedHead> {
        self.log(origin).into_iter().flat_map(|log| log.heads.all())
    }

    /// About how many bytes of memory a log takes, without its keys. 0 if it is not known.
    pub fn bytes(&self, origin: &str) -> usize {
        self.log(origin).map_or(0, |log| {
            log.heads.bytes() + size_of::<Log>() + limits::GOSSIP_EVIDENCE * Hash::LEN
        })
    }

    /// A round ends. What changed counts as new for [`limits::GOSSIP_FRESH_ROUNDS`] rounds.
    pub fn next_round(&mut self) {
        self.round += 1;
        let round = self.round;
        self.fresh
            .retain(|_, changed| round - *changed <= limits::GOSSIP_FRESH_ROUNDS);
    }

    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The evidence to name when an exchange begins: what is new, then a few by turns.
    pub(super) fn evidence_lines(&mut self) -> Vec<EvidenceLine> {
        let most = limits::GOSSIP_EVIDENCE_IDS - limits::GOSSIP_OLD_EVIDENCE_IDS;
        let mut lines = self.fresh_evidence(most);
        for line in self.evidence.by_turns(limits::GOSSIP_OLD_EVIDENCE_IDS) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    pub(super) fn fresh_evidence(&self, most: usize) -> Vec<EvidenceLine> {
        self.evidence.fresh(self.round, most)
    }

    /// Evidence against logs of which a peer has lines, as if nothing were known against them.
    pub(super) fn evidence_about(&self, theirs: &[Line]) -> Vec<EvidenceLine> {
        let culprits: BTreeSet<CulpritId> = theirs
            .iter()
            .filter_map(|line| self.logs.get(&line.log))
            .map(|log| log.culprit)
            .collect();
        let lines = culprits
            .into_iter()
            .filter_map(|culprit| self.evidence.first(culprit));
        lines.take(limits::GOSSIP_EVIDENCE_IDS).collect()
    }

    /// Which of these ids are held here, each once.
    pub(super) fn held(&self, ids: &[Hash]) -> Vec<Hash> {
        let mut held = ids.to_vec();
        held.sort_unstable();
        held.dedup();
        held.retain(|id| self.evidence.holds(*id));
        held
    }

    /// The lines to tell a peer: of logs in which `theirs` differs, then of those that changed,
    /// then of others by turns, up to [`limits::GOSSIP_IDLE_LINES`]. At most
    /// [`limits::GOSSIP_LINES`].
    pub(super) fn digest(&mut self, salt: Salt, theirs: &[Line]) -> Vec<Line> {
        let mut told = BTreeSet::new();
        let mut lines = Vec::new();
        for line in theirs {
            if lines.len() < limits::GOSSIP_LINES
                && let Some(log) = self.open_log(line.log)
                && log
                    .heads
                    .tip()
                    .is_some_and(|tip| Point::of(tip).id(salt) != line.note)
                && told.insert(line.log)
            {
                lines.extend(log.lines(line.log, salt));
            }
        }
        let (mut fresh_at, mut idle_at) = (self.fresh_at, self.idle_at);
        for id in after(&self.fresh, self.fresh_at).take(LOOKED_AT) {
            if lines.len() >= limits::GOSSIP_LINES {
                break;
            }
            fresh_at = Some(id);
            if let Some(log) = self.open_log(id)
                && told.insert(id)
            {
                lines.extend(log.lines(id, salt));
            }
        }
        for id in after(&self.logs, self.idle_at).take(LOOKED_AT) {
            if lines.len() >= limits::GOSSIP_IDLE_LINES {
                break;
            }
            idle_at = Some(id);
            if let Some(log) = self.open_log(id)
                && told.insert(id)
            {
                lines.extend(log.lines(id, salt));
            }
        }
        (self.fresh_at, self.idle_at) = (fresh_at, idle_at);
        lines.truncate(limits::GOSSIP_LINES);
        lines
    }

    /// A log whose heads still count.
    fn open_log(&self, id: LogId) -> Option<&Log> {
        let log = self.logs.get(&id)?;
        (!self.evidence.is_convicted(log.culprit)).then_some(log)
    }

    /// Of the lines of a peer those that name heads that are not known here. At most
    /// [`limits::GOSSIP_NOTES`], others in every exchange: their order is that of salted names.
    pub(super) fn wanted(&self, salt: Salt, theirs: &[Line]) -> Vec<Line> {
        let wanted = theirs.iter().filter(|line| {
            self.open_log(line.log)
                .is_some_and(|log| !log.heads.knows_note(line.note, salt))
        });
        let mut wanted: Vec<Line> = wanted.copied().collect();
        wanted.sort_unstable_by_key(|line| (line.note, line.log));
        wanted.dedup();
        wanted.truncate(limits::GOSSIP_NOTES);
        wanted
    }

    /// The notes that a peer wants, or the tips of these logs if they have moved on, each once.
    pub(super) fn notes(&self, salt: Salt, wanted: &[Line]) -> Vec<String> {
        let mut notes: Vec<&str> = Vec::new();
        for line in wanted {
            let log = self.open_log(line.log);
            let head = log.and_then(|log| log.heads.named(line.note, salt));
            notes.extend(head.map(VerifiedHead::note));
        }
        notes.sort_unstable();
        notes.dedup();
        notes.into_iter().map(str::to_owned).collect()
    }
}

/// All logs of a map, from the one after `start` on.
fn after<T>(
    logs: &BTreeMap<LogId, T>,
    start: Option<LogId>,
) -> impl Iterator<Item = LogId> + use<'_, T> {
    let from = start.map_or(Bound::Unbounded, Bound::Excluded);
    let to = start.map_or(Bound::Excluded(LogId(0)), Bound::Included);
    let rest = logs.range((from, Bound::Unbounded));
    let begin = logs.range((Bound::Unbounded, to));
    rest.chain(begin).map(|(id, _)| *id)
}

impl Log {
    /// The head of a note, or `None` if none of the log's keys signed it.
    fn read(
        &self,
        note: &Note,
        checkpoint: &Checkpoint,
    ) -> Result<Option<VerifiedHead>, CheckpointError> {
        match self.verifier.verify_read(note, checkpoint) {
            Ok(head) => Ok(Some(head)),
            Err(error) if is_unsigned(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The tip, and one of the heads that wait, another one for each salt: a log that signs many
    /// heads has no more lines than two.
    fn lines(&self, log: LogId, salt: Salt) -> impl Iterator<Item = Line> {
        let mut heads = self.heads.all().map(Point::of);
        let tip = heads.next().map(|tip| tip.id(salt));
        let other = heads.map(|head| head.id(salt)).min();
        tip.into_iter()
            .chain(other)
            .map(move |note| Line { log, note })
    }
}

#[cfg(test)]
mod tests;

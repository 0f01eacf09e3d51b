//! One exchange with a peer, turn by turn.
//!
//! ```text
//! opens  ─ salt, lines, ids ──────────────────────> answers
//!        <─ lines, wanted heads, ids, wanted texts ─
//!        ── heads, wanted heads, texts, … ─────────>
//!        <─ heads, texts, ids of what they showed ──
//!        …                                           at most 8 turns
//! ```
//!
//! Whoever has nothing more to say ends it. What either side finds by the heads that came is
//! offered within the same exchange.

use super::digest::{Line, Salt};
use super::evidence::EvidenceLine;
use super::link::{Fork, Question};
use super::pool::{Pool, Taken};
use crate::checkpoint::CheckpointError;
use crate::hash::Hash;
use crate::limits;
use crate::note::NoteError;
use std::collections::BTreeSet;

/// What one side says before the other one does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// Only in the first turn of all: random bytes that no log knows.
    pub salt: Option<Salt>,
    /// The digest, only in the first turn of either side: at most [`limits::GOSSIP_LINES`].
    pub lines: Vec<Line>,
    /// Lines of the other side whose heads are wanted: at most [`limits::GOSSIP_NOTES`].
    pub wanted: Vec<Line>,
    /// Notes that the other side wanted: at most [`limits::GOSSIP_NOTES`], each of at most
    /// [`limits::GOSSIP_HEAD_BYTES`].
    pub notes: Vec<String>,
    /// Evidence that is known: at most [`limits::GOSSIP_EVIDENCE_IDS`].
    pub evidence_ids: Vec<EvidenceLine>,
    /// Evidence whose texts are wanted: at most [`limits::GOSSIP_EVIDENCE_IDS`].
    pub evidence_wanted: Vec<Hash>,
    /// Texts that the other side wanted: at most [`limits::GOSSIP_EVIDENCE_BYTES`] together.
    pub evidence: Vec<String>,
}

/// That a turn is larger than any that an honest peer makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a turn has {found} {what}; at most {most} are read")]
pub struct TurnFault {
    /// Of what.
    pub what: &'static str,
    /// How many there are.
    pub found: usize,
    /// How many there may be.
    pub most: usize,
}

impl Turn {
    /// Whether it says nothing, which ends an exchange.
    pub fn is_empty(&self) -> bool {
        *self == Turn::default()
    }

    /// Fails with [`TurnFault`] if there is more of anything than may be.
    pub fn check(&self) -> Result<(), TurnFault> {
        let longest = self.notes.iter().map(String::len).max();
        let evidence: usize = self.evidence.iter().map(String::len).sum();
        let (notes, ids) = (limits::GOSSIP_NOTES, limits::GOSSIP_EVIDENCE_IDS);
        let limits = [
            ("lines", self.lines.len(), limits::GOSSIP_LINES),
            ("wanted heads", self.wanted.len(), notes),
            ("heads", self.notes.len(), notes),
            (
                "bytes in a head",
                longest.unwrap_or(0),
                limits::GOSSIP_HEAD_BYTES,
            ),
            ("ids of evidence", self.evidence_ids.len(), ids),
            ("ids of wanted evidence", self.evidence_wanted.len(), ids),
            ("texts", self.evidence.len(), ids),
            ("bytes of evidence", evidence, limits::GOSSIP_EVIDENCE_BYTES),
        ];
        for (what, found, most) in limits {
            if found > most {
                return Err(TurnFault { what, found, most });
            }
        }
        Ok(())
    }
}

/// What a peer did that no honest peer does. It ends the exchange, and nothing of the turn counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeFault {
    /// The turn is too large.
    #[error("the peer's turn is too large")]
    Turn(#[from] TurnFault),
    /// The first turn of all has no salt, or another one has.
    #[error("the peer sent a salt where none belongs, or none where one does")]
    Salt,
    /// A digest came after the first turn.
    #[error("the peer sent a second digest")]
    SecondDigest,
    /// It wants more heads than one exchange brings.
    #[error("the peer wants {0} heads; at most {max} are sent", max = limits::GOSSIP_NOTES)]
    Wants(usize),
    /// It sent heads or evidence that were not asked for.
    #[error("the peer sent what was not asked for")]
    Unasked,
    /// It goes on for too long.
    #[error("the peer did not end after {max} turns", max = limits::GOSSIP_TURNS)]
    Turns,
    /// What it sent as a head is no checkpoint.
    #[error("the peer sent what is no head")]
    Head(#[from] CheckpointError),
}

/// What came with a turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// Heads that wait to be linked. A caller that has tiles answers these from them, before it
    /// replies.
    pub questions: Vec<Question>,
    /// Forks that the heads show. The caller makes evidence of each, stores that, and calls
    /// [`Pool::hold`], before it replies.
    pub forks: Vec<Fork>,
    /// Texts that were asked for. They are what was named and may prove nothing: the caller
    /// verifies them, stores what is true, and calls [`Pool::hold`].
    pub evidence: Vec<String>,
    /// Evidence of ours that the peer wants. The caller gives the texts to [`Exchange::reply`].
    pub evidence_wanted: Vec<Hash>,
    /// Heads whose signature is not by the key that is known. A log whose keys share an id can make
    /// them, so that they are no fault of the peer, who may know another key than this node.
    pub unverified: usize,
}

/// One side of an exchange. [`Exchange::receive`] and [`Exchange::reply`] are called by turns.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Of whoever opens it; `None` until it came.
    salt: Option<Salt>,
    /// Of both sides together.
    turns: usize,
    /// Whether the peer's digest may still come.
    digest_due: bool,
    /// Ids that either side has named.
    named: BTreeSet<Hash>,
    /// Heads that the peer may still send, and may still ask for.
    notes_due: usize,
    notes_left: usize,
    /// Texts that were asked for.
    evidence_due: BTreeSet<Hash>,
    /// What the peer named and may be wanted.
    offered: Vec<EvidenceLine>,
    next: Turn,
}

impl Exchange {
    fn new(salt: Option<Salt>) -> Self {
        Exchange {
            salt,
            turns: 0,
            digest_due: true,
            named: BTreeSet::new(),
            notes_due: 0,
            notes_left: limits::GOSSIP_NOTES,
            evidence_due: BTreeSet::new(),
            offered: Vec::new(),
            next: Turn::default(),
        }
    }

    /// Opens an exchange, with 16 random bytes that are used for no other. Returns what to send
    /// first.
    pub fn open(pool: &mut Pool, salt: Salt) -> (Self, Turn) {
        let mut exchange = Exchange::new(Some(salt));
        exchange.next.lines = pool.digest(salt, &[]);
        exchange.next.evidence_ids = pool.evidence_lines();
        let mut first = exchange.say();
        first.salt = Some(salt);
        (exchange, first)
    }

    /// The other side of an exchange that a peer opens.
    pub fn answer() -> Self {
        Exchange::new(None)
    }

    /// Takes the peer's turn. `now_ms` is a time in milliseconds that never falls, and `random` a
    /// random word. Fails with [`ExchangeFault`], and has then changed nothing in the pool.
    pub fn receive(
        &mut self,
        pool: &mut Pool,
        turn: &Turn,
        now_ms: u64,
        random: u64,
    ) -> Result<Received, ExchangeFault> {
        let salt = self.admit(turn)?;
        let (mut heads, mut unverified) = (Vec::new(), 0);
        for note in &turn.notes {
            match pool.verify(note) {
                Ok(head) => heads.extend(head),
                Err(error) if is_of_another_key(&error) => unverified += 1,
                Err(error) => return Err(error.into()),
            }
        }
        let is_answer = self.turns == 1;
        if is_answer {
            self.next.lines = pool.digest(salt, &turn.lines);
            self.next.evidence_ids = pool.evidence_lines();
        }
        self.next
            .evidence_ids
            .extend(pool.evidence_about(&turn.lines));
        self.next.wanted = pool.wanted(salt, &turn.lines);
        self.next.notes = pool.notes(salt, &turn.wanted);
        self.notes_due += self.next.wanted.len();
        self.offered = turn.evidence_ids.clone();
        self.named
            .extend(turn.evidence_ids.iter().map(|line| line.id));

        let mut received = Received {
            evidence: turn.evidence.clone(),
            evidence_wanted: pool.held(&turn.evidence_wanted),
            unverified,
            ..Received::default()
        };
        for (at, head) in heads.iter().enumerate() {
            match pool.take(head, now_ms, mixed(random, at as u64)) {
                Taken::Waits(question) => received.questions.push(*question),
                Taken::Fork(fork) => received.forks.push(*fork),
                Taken::Known | Taken::First | Taken::Convicted | Taken::Foreign => {}
            }
        }
        Ok(received)
    }

    /// Checks that the turn is one that may come now. Returns the salt.
    fn admit(&mut self, turn: &Turn) -> Result<Salt, ExchangeFault> {
        if self.turns >= limits::GOSSIP_TURNS {
            return Err(ExchangeFault::Turns);
        }
        turn.check()?;
        let salt = match (self.salt, turn.salt) {
            (Some(salt), None) | (None, Some(salt)) => salt,
            _ => return Err(ExchangeFault::Salt),
        };
        if !turn.lines.is_empty() && !self.digest_due {
            return Err(ExchangeFault::SecondDigest);
        }
        if turn.wanted.len() > self.notes_left {
            return Err(ExchangeFault::Wants(turn.wanted.len()));
        }
        if turn.notes.len() > self.notes_due {
            return Err(ExchangeFault::Unasked);
        }
        for text in &turn.evidence {
            if !self.evidence_due.remove(&Hash::of(text.as_bytes())) {
                return Err(ExchangeFault::Unasked);
            }
        }
        self.salt = Some(salt);
        self.turns += 1;
        self.digest_due = false;
        self.notes_left -= turn.wanted.len();
        self.notes_due -= turn.notes.len();
        Ok(salt)
    }

    /// What to say now, or `None` if that is nothing, and the exchange ends. `evidence` are texts
    /// that the peer wanted; those are left out that are too much for one turn.
    pub fn reply(&mut self, pool: &Pool, evidence: Vec<String>) -> Option<Turn> {
        if self.turns >= limits::GOSSIP_TURNS {
            return None;
        }
        let mut left = limits::GOSSIP_EVIDENCE_BYTES;
        for text in evidence.into_iter().take(limits::GOSSIP_EVIDENCE_IDS) {
            if text.len() <= left {
                left -= text.len();
                self.next.evidence.push(text);
            }
        }
        // Now that the caller has stored what the heads showed.
        let wanted = std::mem::take(&mut self.offered);
        for line in wanted {
            if pool.evidence().is_wanted(line) && self.evidence_due.insert(line.id) {
                self.next.evidence_wanted.push(line.id);
            }
        }
        let fresh = pool.fresh_evidence(limits::GOSSIP_EVIDENCE_IDS);
        self.next.evidence_ids.extend(fresh);
        let turn = self.say();
        (!turn.is_empty()).then_some(turn)
    }

    /// Says what is to be said, and no id that was named before.
    fn say(&mut self) -> Turn {
        let mut turn = std::mem::take(&mut self.next);
        turn.evidence_ids.retain(|line| self.named.insert(line.id));
        for line in turn
            .evidence_ids
            .drain(turn.evidence_ids.len().min(limits::GOSSIP_EVIDENCE_IDS)..)
        {
            self.named.remove(&line.id);
        }
        self.turns += 1;
        turn
    }
}

/// Whether a note is a checkpoint, and its signature is not by the known key that has its name and
/// id. An id has 4 bytes: whoever has a key finds another one with the same.
fn is_of_another_key(error: &CheckpointError) -> bool {
    matches!(
        error,
        CheckpointError::Note(NoteError::WrongSignature { .. } | NoteError::AmbiguousKey { .. })
    )
}

/// The random word number `at` that follows from one (the finalizer of SplitMix64).
fn mixed(random: u64, at: u64) -> u64 {
    let mut word = random.wrapping_add(at.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

//! Whether a witness cosigns, and the order in which it stores and signs.

use super::answer::{Answer, Refusal};
use super::clock::{ClockFloor, check_behind};
use super::keys::WitnessKeys;
use super::state::LogState;
use crate::checkpoint::CheckpointError;
use crate::hash::{Hash, empty_root};
use crate::head::{LogVerifier, SplitView, VerifiedHead};
use crate::note::CosignError;
use crate::tree::{TreeSize, verify_consistency};

/// A request whose checkpoint the log signed. Only [`Request::verify`] makes it.
///
/// [`Request::verify`]: super::Request::verify
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    old: TreeSize,
    proof: Vec<Hash>,
    head: VerifiedHead,
}

/// What a witness does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It stores what it is about to sign, and then signs.
    Cosign(Pending),
    /// It does not cosign.
    Refuse(Refused),
}

/// Why a witness does not cosign, and what the request proves against the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is answered.
    pub refusal: Refusal,
    /// What the log signed that it must not have signed, whatever the answer is.
    pub contradiction: Option<Contradiction>,
}

/// Something that an honest log never signs. A consistency proof that does not hold is not among
/// these: anybody can damage a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// The log signed another root for the size that the witness holds. With the note of that
    /// head, which the caller stored, it convicts the log: see [`Contradiction::split_view`].
    OtherRoot(VerifiedHead),
    /// The log signed a root of an empty tree that is not the root of an empty tree.
    EmptyRoot(SplitView),
}

impl Contradiction {
    /// Returns what convicts the log: its two notes, of which `held` is the one that was stored
    /// with the witness's state. `None` if the log did not sign `held`, or it is another head.
    pub fn split_view(self, held: &str, log: &LogVerifier) -> Option<SplitView> {
        match self {
            Contradiction::OtherRoot(head) => SplitView::between(&log.verify(held).ok()?, &head),
            Contradiction::EmptyRoot(view) => Some(view),
        }
    }
}

impl SignedRequest {
    pub(super) fn new(old: TreeSize, proof: Vec<Hash>, head: VerifiedHead) -> Self {
        SignedRequest { old, proof, head }
    }

    /// What the log signed: worth keeping and telling others, whatever is decided.
    pub fn head(&self) -> &VerifiedHead {
        &self.head
    }

    /// Decides. `state` is what is stored of this log, `floor` what is stored of the clock, and
    /// `now` what the clock shows, in seconds since 1970 (UTC).
    ///
    /// The checks are those of C2SP tlog-witness, in this order: old size at most the checkpoint's
    /// (400), old size as stored (409), root of an empty tree, no proof from an empty tree, one
    /// root at one size, and the proof (422). The clock comes last (503).
    pub fn decide(&self, state: &LogState, floor: ClockFloor, now: u64) -> Decision {
        match self.check(state).and_then(|()| time(state, floor, now)) {
            Ok((at, floor)) => Decision::Cosign(Pending {
                before: *state,
                head: self.head.clone(),
                at,
                floor,
            }),
            Err(refusal) => Decision::Refuse(Refused {
                refusal,
                contradiction: self.contradiction(state),
            }),
        }
    }

    /// What is answered whatever the clock shows, if the head is not to be cosigned. `None` says
    /// that it is proven to extend what is held, or is the same.
    pub fn refusal(&self, state: &LogState) -> Option<Refusal> {
        self.check(state).err()
    }

    fn check(&self, state: &LogState) -> Result<(), Refusal> {
        let (size, root) = (self.head.size(), self.head.root());
        if self.old > size {
            return Err(Refusal::OldAboveSize);
        }
        if self.old != state.size() {
            return Err(Refusal::OtherSize(state.size()));
        }
        if size == TreeSize::EMPTY && root != empty_root() {
            return Err(Refusal::EmptyRoot);
        }
        if self.old == TreeSize::EMPTY {
            if !self.proof.is_empty() {
                return Err(Refusal::ProofFromEmpty);
            }
            // "The empty tree is consistent with any tree, so no proof is necessary."
            return Ok(());
        }
        if self.old == size && root != state.root() {
            return Err(Refusal::OtherRoot);
        }
        verify_consistency(self.old, &state.root(), size, &root, &self.proof)
            .map_err(Refusal::Inconsistent)
    }

    /// What the head proves against the log, together with what is held. What the operator pinned
    /// is nothing that the log signed.
    fn contradiction(&self, state: &LogState) -> Option<Contradiction> {
        if let Some(view) = SplitView::in_itself(&self.head) {
            return Some(Contradiction::EmptyRoot(view));
        }
        match state {
            LogState::Held { size, root, .. }
                if *size == self.head.size() && *root != self.head.root() =>
            {
                Some(Contradiction::OtherRoot(self.head.clone()))
            }
            _ => None,
        }
    }
}

/// The time to be stated, which is never before one that was stated, and the floor to be stored.
fn time(state: &LogState, floor: ClockFloor, now: u64) -> Result<(u64, ClockFloor), Refusal> {
    check_behind(now, state.at())?;
    let floor = floor.advanced(now)?;
    let at = floor.seconds().max(state.at());
    Ok((at, floor))
}

/// A head that is about to be cosigned. Nothing is signed before it is stored.
///
/// The caller stores, in one transaction that is durable when it returns: that the state of the log
/// is [`Pending::after`], only if it still is [`Pending::before`], or else it decides anew; the
/// floor of the clock; and the note of the head.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Pending {
    before: LogState,
    head: VerifiedHead,
    at: u64,
    floor: ClockFloor,
}

impl Pending {
    /// The state that this was decided on.
    pub fn before(&self) -> &LogState {
        &self.before
    }

    /// The state to be stored.
    pub fn after(&self) -> LogState {
        LogState::Held {
            size: self.head.size(),
            root: self.head.root(),
            at: self.at,
        }
    }

    /// The floor of the clock to be stored; of several, the highest.
    pub fn floor(&self) -> ClockFloor {
        self.floor
    }

    /// The head that is about to be cosigned, whose note is stored.
    pub fn head(&self) -> &VerifiedHead {
        &self.head
    }

    /// Goes on to signing. The caller says that everything is stored, and durable.
    pub fn persisted(self) -> Persisted {
        Persisted {
            head: self.head,
            at: self.at,
        }
    }
}

/// Why what was stored cannot be cosigned again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// Nothing of this log was cosigned.
    #[error("no checkpoint of this log was cosigned")]
    NotHeld,
    /// The stored note is not one that the log's keys, as they are known now, signed.
    #[error("the stored note cannot be verified with the log's keys")]
    Note(#[from] CheckpointError),
    /// The stored note is of another head than the stored state.
    #[error("the stored note and the stored state are not of one head")]
    OtherHead,
}

/// A head that is stored, and may be cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Persisted {
    head: VerifiedHead,
    at: u64,
}

impl Persisted {
    /// Takes what is stored: a witness that was stopped between storing and signing, or serves the
    /// latest checkpoint to monitors, makes the same cosignatures again. Both algorithms are
    /// deterministic. Fails with [`ReloadError`].
    pub fn reload(state: &LogState, note: &str, log: &LogVerifier) -> Result<Self, ReloadError> {
        let LogState::Held { size, root, at } = *state else {
            return Err(ReloadError::NotHeld);
        };
        let head = log.verify(note)?;
        if head.size() != size || head.root() != root {
            return Err(ReloadError::OtherHead);
        }
        Ok(Persisted { head, at })
    }

    /// The head that is held.
    pub fn head(&self) -> &VerifiedHead {
        &self.head
    }

    /// The time that is about to be stated, in seconds since 1970 (UTC).
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Signs, with every key of the witness and the same time. Fails with [`CosignError`] if the
    /// algorithm does, which happens less than once in 2^128 times, or if somebody else holds a key
    /// and does not sign; then there is a line of no key.
    pub fn sign(&self, keys: &WitnessKeys) -> Result<Cosigned, CosignError> {
        let lines = keys.cosign(self.head.checkpoint(), self.at)?;
        Ok(Cosigned {
            head: self.head.clone(),
            at: self.at,
            lines,
        })
    }
}

/// A head that was cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    head: VerifiedHead,
    at: u64,
    lines: String,
}

impl Cosigned {
    /// The answer to the log: the signature lines of the witness and nothing else.
    pub fn answer(&self) -> Answer {
        Answer::cosigned(&self.lines)
    }

    /// What monitors are served: the note, with the log's verified signatures and the cosignatures
    /// of the answer.
    pub fn note(&self) -> String {
        format!("{}{}", self.head.note(), self.lines)
    }

    /// The head.
    pub fn head(&self) -> &VerifiedHead {
        &self.head
    }

    /// The time that the cosignatures state, in seconds since 1970 (UTC).
    pub fn at(&self) -> u64 {
        self.at
    }
}

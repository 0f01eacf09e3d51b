//! What an answer proves about two heads of one log: that the newer one extends the older one, that
//! it does not, or nothing.

use crate::hash::Hash;
use crate::head::{SplitView, VerifiedHead};
use crate::tree::{ProofError, TreeSize, verify_consistency};

/// Whom to ask, after the caller's own tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The log itself.
    Log,
    /// One of its mirrors, counted from 0. A caller that knows fewer asks any, or the log.
    Mirror(usize),
}

/// Mirrors that are asked, one after the other.
const MIRRORS: u32 = 3;

impl Source {
    pub(super) fn of_attempt(asked: u32) -> Self {
        match asked % (MIRRORS + 1) {
            0 => Source::Log,
            mirror => Source::Mirror(mirror as usize - 1),
        }
    }
}

/// Whether the newer of two heads of one log extends the older one.
///
/// A caller that has tiles of the newer tree answers it from these. Else it asks the source for
/// `PROOF(older, D[newer])` of RFC 6962, section 2.1.2, and, if [`Question::needs_root`], for the
/// root that the newer tree has at the older size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    older: VerifiedHead,
    newer: VerifiedHead,
    source: Source,
}

/// What came as the answer to a [`Question`]. Anybody may have made it up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The consistency proof.
    pub path: Vec<Hash>,
    /// The root that the newer tree is said to have at the older size.
    pub root: Option<Hash>,
}

/// What an answer proves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Judged {
    /// The newer head extends the older one.
    Linked(VerifiedLink),
    /// It does not: the log rewrote its history.
    Fork(Fork),
    /// Nothing, as the error says. It blames nobody but who answered.
    Nothing(ProofError),
}

impl Question {
    /// The question about two heads of one log with different sizes. `None` for others.
    pub fn between(one: &VerifiedHead, other: &VerifiedHead, source: Source) -> Option<Self> {
        let (older, newer) = if one.size() < other.size() {
            (one, other)
        } else {
            (other, one)
        };
        let is_one = older.origin() == newer.origin() && older.size() < newer.size();
        (is_one && older.size() > TreeSize::EMPTY).then(|| Question {
            older: older.clone(),
            newer: newer.clone(),
            source,
        })
    }

    /// The smaller head.
    pub fn older(&self) -> &VerifiedHead {
        &self.older
    }

    /// The larger head.
    pub fn newer(&self) -> &VerifiedHead {
        &self.newer
    }

    /// Whom to ask.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Whether a fork is shown only by an answer with the root at the older size. A consistency
    /// proof has that root in it, unless the size is a power of two: there the proof begins with
    /// it. Whoever has tiles finds it in the first one of level log₂(size)/8.
    pub fn needs_root(&self) -> bool {
        self.older.size().get().is_power_of_two()
    }

    /// What an answer proves. Nothing but the heads and the hashes counts, so that no answer makes
    /// a fork of heads that are one history.
    pub fn judge(&self, answer: &Answer) -> Judged {
        let error = match self.verify(&self.older.root(), &answer.path) {
            Ok(()) => {
                return Judged::Linked(VerifiedLink {
                    older: self.older.clone(),
                    newer: self.newer.clone(),
                });
            }
            Err(error) => error,
        };
        let actual = match (&error, answer.root) {
            (ProofError::OldRoot { computed, .. }, _) => *computed,
            (_, Some(root)) => root,
            _ => return Judged::Nothing(error),
        };
        // Only the root that the newer tree has at this size has a path to the newer root.
        if actual == self.older.root() || self.verify(&actual, &answer.path).is_err() {
            return Judged::Nothing(error);
        }
        Judged::Fork(Fork {
            older: self.older.clone(),
            newer: self.newer.clone(),
            rewrite: Some(Rewrite {
                actual,
                path: answer.path.clone(),
            }),
        })
    }

    fn verify(&self, old_root: &Hash, path: &[Hash]) -> Result<(), ProofError> {
        let (old, new) = (self.older.size(), self.newer.size());
        verify_consistency(old, old_root, new, &self.newer.root(), path)
    }
}

/// That one head of a log extends another. Only [`Question::judge`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedLink {
    older: VerifiedHead,
    newer: VerifiedHead,
}

impl VerifiedLink {
    /// The smaller head.
    pub fn older(&self) -> &VerifiedHead {
        &self.older
    }

    /// The larger head.
    pub fn newer(&self) -> &VerifiedHead {
        &self.newer
    }
}

/// What the newer tree has where the older head says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rewrite {
    actual: Hash,
    path: Vec<Hash>,
}

/// Heads that one log signed and that cannot both be true. Only verified heads make it.
///
/// It is what the text of misbehavior is made of, which convicts the log wherever its keys are
/// known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    older: VerifiedHead,
    newer: VerifiedHead,
    rewrite: Option<Rewrite>,
}

impl Fork {
    /// What a head shows by itself: a tree without leaves has one root.
    pub(super) fn alone(head: &VerifiedHead) -> Option<Self> {
        SplitView::in_itself(head)?;
        Some(Fork {
            older: head.clone(),
            newer: head.clone(),
            rewrite: None,
        })
    }

    /// What two heads of one log and size show.
    pub fn split(older: &VerifiedHead, newer: &VerifiedHead) -> Option<Self> {
        SplitView::between(older, newer)?;
        Some(Fork {
            older: older.clone(),
            newer: newer.clone(),
            rewrite: None,
        })
    }

    /// The log.
    pub fn origin(&self) -> &str {
        self.older.origin()
    }

    /// The smaller head; of one size, the one that was known before; the only one, if it shows the
    /// fork by itself.
    pub fn older(&self) -> &VerifiedHead {
        &self.older
    }

    /// The larger head; of one size, the one that came later; the only one, if it shows the fork
    /// by itself.
    pub fn newer(&self) -> &VerifiedHead {
        &self.newer
    }

    /// If the sizes differ: the root that the newer tree has at the older size, and its consistency
    /// proof. It is another root than the older head's.
    pub fn rewrite(&self) -> Option<(Hash, &[Hash])> {
        let rewrite = self.rewrite.as_ref()?;
        Some((rewrite.actual, &rewrite.path))
    }
}

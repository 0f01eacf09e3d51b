//! Entries that are in a log.

use crate::entry::{Entry, EntryError, wire};
use crate::misbehavior::breach::error::BreachError;
use crate::misbehavior::breach::text::Leaf;
use crate::misbehavior::error::MisbehaviorError;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{LeafIndex, verify_inclusion};

/// An entry that is in the log at its leaf, and what came of reading it.
pub(super) struct Logged {
    pub index: LeafIndex,
    pub entry: Result<Entry, EntryError>,
}

/// Checks that the leaves ascend and are in the tree.
pub(super) fn verify(head: &Checkpoint, leaves: &[Leaf]) -> Result<Vec<Logged>, BreachError> {
    if leaves.windows(2).any(|pair| pair[0].index >= pair[1].index) {
        return Err(MisbehaviorError::Encoding.into());
    }
    let mut logged = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        let (hash, index) = (leaf_hash(&leaf.bytes), leaf.index);
        verify_inclusion(&hash, index, head.size, &leaf.path, &head.root).map_err(|source| {
            BreachError::Inclusion {
                leaf: index,
                source,
            }
        })?;
        logged.push(Logged {
            index,
            entry: Entry::parse(leaf.bytes.clone()),
        });
    }
    Ok(logged)
}

impl Logged {
    /// The entry. One that does not parse may be of a later version.
    pub fn parsed(&self) -> Result<&Entry, BreachError> {
        self.entry.as_ref().map_err(|_| BreachError::UNSUPPORTED)
    }

    /// The commitment that it is.
    pub fn commitment(&self) -> Result<&wire::IndexCommitment, BreachError> {
        match self.parsed()?.body() {
            wire::Body::IndexCommitment(said) => Ok(said),
            wire::Body::Claim(_) => Err(BreachError::INNOCENT),
        }
    }

    /// The claim that it holds.
    pub fn claim(&self) -> Result<&wire::Claim, BreachError> {
        let entry = self.parsed()?;
        entry.claim().map_err(|_| BreachError::INNOCENT)
    }
}

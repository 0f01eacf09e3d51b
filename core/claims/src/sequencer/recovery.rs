//! Whether a node may go on signing after a start: the store against the last signed checkpoint
//! (docs/design.md 5).
//!
//! That checkpoint, the anchor, is kept outside the store. A store that lost its tail looks healthy
//! from inside; signing from it would show a split view. So the store must hold the tree that was
//! signed, or one that extends it.

use super::Head;
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::TreeSize;

/// Permission to go on, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// The tree that the node goes on from.
    pub head: Head,
    /// Size of the last signed checkpoint, which is what readers are shown until the next one.
    pub published: TreeSize,
}

/// Why the node must not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The store ends before the last signed checkpoint.
    #[error(
        "the store holds {stored} entries, but a checkpoint over {signed} was signed: the store \
         lost its end (a damaged or deleted write-ahead log, or an old copy of the data folder). \
         Going on would show a split view. Restore the newest copy of the data folder, or the \
         entries from a mirror; if neither exists, retire this log and start another one under a \
         new origin"
    )]
    Behind {
        /// Entries in the store.
        stored: TreeSize,
        /// Size of the last signed checkpoint.
        signed: TreeSize,
    },
    /// The store holds another tree than the one that was signed.
    #[error(
        "the store's tree of size {size} has the root {stored}, but the checkpoint that was \
         signed says {signed}: this is another log's data folder, or the store is damaged. \
         Restore the data folder that belongs to this anchor"
    )]
    OtherTree {
        /// Size of the last signed checkpoint.
        size: TreeSize,
        /// Root that the stored tiles give.
        stored: Hash,
        /// Root in the checkpoint.
        signed: Hash,
    },
    /// The store's head states an index commitment beyond its last entry.
    #[error(
        "the store's head states an index commitment at {stated}, beyond its {size} entries: \
         the store is damaged. Restore the data folder from a copy"
    )]
    Commitment {
        /// Entries in the store.
        size: TreeSize,
        /// What the head says.
        stated: TreeSize,
    },
    /// The store's head states an older index commitment than the one that was signed.
    #[error(
        "the store's head states an index commitment at {stated}, but the checkpoint over {signed} \
         ended in one: the store is damaged. Restore the data folder from a copy"
    )]
    OldCommitment {
        /// What the head says.
        stated: TreeSize,
        /// Size of the last signed checkpoint.
        signed: TreeSize,
    },
    /// The stored tiles do not add up to the stored head.
    #[error(
        "the store's tiles give the root {tiles} for its {size} entries, but its head says \
         {head}: the store is damaged. Restore the data folder from a copy"
    )]
    Inconsistent {
        /// Entries in the store.
        size: TreeSize,
        /// Root that the stored tiles give.
        tiles: Hash,
        /// Root in the head.
        head: Hash,
    },
}

/// Decides whether the node may go on.
///
/// `root_at_anchor` and `root_at_head` are computed from the stored tiles, not read from anywhere.
/// If the store is shorter than the anchor, there is no root at the anchor's size to compute, and
/// `root_at_anchor` is `None`.
pub fn resume(
    head: Head,
    anchor: &VerifiedCheckpoint,
    root_at_anchor: Option<Hash>,
    root_at_head: Hash,
) -> Result<Resume, Refusal> {
    let behind = Refusal::Behind {
        stored: head.size,
        signed: anchor.size(),
    };
    if head.size < anchor.size() {
        return Err(behind);
    }
    let at_anchor = root_at_anchor.ok_or(behind)?;
    if at_anchor != anchor.root() {
        return Err(Refusal::OtherTree {
            size: anchor.size(),
            stored: at_anchor,
            signed: anchor.root(),
        });
    }
    if head.last_commitment > head.size {
        return Err(Refusal::Commitment {
            size: head.size,
            stated: head.last_commitment,
        });
    }
    // Every signed tree ends in a commitment.
    if head.last_commitment < anchor.size() {
        return Err(Refusal::OldCommitment {
            stated: head.last_commitment,
            signed: anchor.size(),
        });
    }
    if root_at_head != head.root {
        return Err(Refusal::Inconsistent {
            size: head.size,
            tiles: root_at_head,
            head: head.root,
        });
    }
    Ok(Resume {
        head,
        published: anchor.size(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::note::SignerKey;

    fn anchor(size: u64, root: Hash) -> VerifiedCheckpoint {
        let key = SignerKey::from_seed("log.example", &[7; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: "log.example".into(),
            size: TreeSize::new(size),
            root,
        };
        VerifiedCheckpoint::verify(&checkpoint.sign(&key), &key.verifier()).unwrap()
    }

    fn head(size: u64, root: Hash) -> Head {
        Head {
            size: TreeSize::new(size),
            root,
            last_ms: 0,
            last_commitment: TreeSize::new(size),
        }
    }

    #[test]
    fn only_the_anchored_tree_or_more_may_go_on() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let ahead = resume(head(5, b), &anchor(3, a), Some(a), b).unwrap();
        assert_eq!((ahead.head, ahead.published.get()), (head(5, b), 3));
        assert!(resume(head(3, a), &anchor(3, a), Some(a), a).is_ok());

        let beyond = Head {
            last_commitment: TreeSize::new(6),
            ..head(5, b)
        };
        assert!(matches!(
            resume(beyond, &anchor(3, a), Some(a), b),
            Err(Refusal::Commitment { .. })
        ));
        // Signed, but not ending in a commitment: such a tree is never signed.
        let before = Head {
            last_commitment: TreeSize::new(2),
            ..head(5, b)
        };
        assert!(matches!(
            resume(before, &anchor(3, a), Some(a), b),
            Err(Refusal::OldCommitment { .. })
        ));

        assert!(matches!(
            resume(head(2, b), &anchor(3, a), None, b),
            Err(Refusal::Behind { .. })
        ));
        assert!(matches!(
            resume(head(2, a), &anchor(3, a), Some(a), a),
            Err(Refusal::Behind { .. })
        ));
        assert!(matches!(
            resume(head(5, b), &anchor(3, a), None, b),
            Err(Refusal::Behind { .. })
        ));
        assert!(matches!(
            resume(head(5, b), &anchor(3, a), Some(b), b),
            Err(Refusal::OtherTree { .. })
        ));
        assert!(matches!(
            resume(head(5, b), &anchor(3, a), Some(a), a),
            Err(Refusal::Inconsistent { .. })
        ));
    }
}

//! Verifying proofs of subtrees (draft-ietf-plants-merkle-tree-certs, section "Subtrees").
//!
//! A subtree is a run of leaves whose start is a multiple of its length, rounded up to a power of
//! two. Its hash is that of the Merkle tree over these leaves alone. Such proofs are not part of
//! any Assay format yet; C2SP's cosignatures of type 0x06 name subtrees, and the verifier is here
//! so that it can be held against the vectors of other implementations.
//!
//! Left out: proving.

use super::proof::{self, ProofError};
use super::{LeafIndex, TreeSize};
use crate::hash::{Hash, empty_root, node_hash};

/// The leaves from `start` to `end`, the latter excluded, which form a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subtree {
    start: u64,
    end: u64,
}

impl Subtree {
    /// Returns the subtree of these leaves, or [`ProofError::NotSubtree`] if they form none.
    ///
    /// An empty range is accepted, as transparency-dev/merkle does, although the draft has none: it
    /// contains no leaf, its hash is that of the empty tree, and its consistency proof is empty.
    pub fn new(start: LeafIndex, end: TreeSize) -> Result<Self, ProofError> {
        let not_subtree = ProofError::NotSubtree { start, end };
        let length = end
            .get()
            .checked_sub(start.get())
            .ok_or(not_subtree.clone())?;
        let aligned = match length.checked_next_power_of_two() {
            Some(unit) => length == 0 || start.get().is_multiple_of(unit),
            None => start.get() == 0,
        };
        if aligned {
            Ok(Subtree {
                start: start.get(),
                end: end.get(),
            })
        } else {
            Err(not_subtree)
        }
    }

    /// Checks that `leaf` is the hash of the leaf at `index` (counted in the whole tree) below the
    /// subtree's hash `root`.
    ///
    /// Fails with [`ProofError::NoSuchLeaf`], [`ProofError::Length`] or [`ProofError::Root`].
    pub fn verify_inclusion(
        self,
        leaf: &Hash,
        index: LeafIndex,
        path: &[Hash],
        root: &Hash,
    ) -> Result<(), ProofError> {
        let outside = ProofError::NoSuchLeaf {
            index,
            size: TreeSize::new(self.end),
        };
        let within = index.get().checked_sub(self.start).ok_or(outside)?;
        let length = TreeSize::new(self.end - self.start);
        proof::verify_inclusion(leaf, LeafIndex::new(within), length, path, root)
    }

    /// Checks that the subtree with the hash `subtree_root` is part of the tree of `size` with the
    /// given `root`.
    ///
    /// Follows the draft's "Verifying a Subtree Consistency Proof", whose step numbers the comments
    /// give. Fails with [`ProofError::Shrunk`] if the tree ends before the subtree does, with
    /// [`ProofError::Length`], [`ProofError::OldRoot`] (the subtree's hash does not fit) or
    /// [`ProofError::Root`].
    pub fn verify_consistency(
        self,
        subtree_root: &Hash,
        size: TreeSize,
        root: &Hash,
        path: &[Hash],
    ) -> Result<(), ProofError> {
        // 1. The subtree is valid, as its type says, and within the tree.
        if self.end > size.get() {
            return Err(ProofError::Shrunk {
                old: TreeSize::new(self.end),
                new: size,
            });
        }
        if self.start == self.end {
            return verify_empty(subtree_root, path);
        }
        // 2. The nodes on the way up: from the subtree's first leaf, its last, and the tree's last.
        let mut first = self.start;
        let mut last = self.end - 1;
        let mut tree_last = size.get() - 1;
        // 3. Skip what is below the node at which the proof begins.
        let shift = if last == tree_last {
            u64::BITS - (first ^ last).leading_zeros()
        } else {
            last.trailing_ones()
                .min(u64::BITS - (first ^ last).leading_zeros())
        };
        (first, last, tree_last) = (shr(first, shift), shr(last, shift), shr(tree_last, shift));
        // 4. The proof begins with that node, unless it is the whole subtree.
        let too_short = |want: usize| ProofError::Length {
            want,
            got: path.len(),
        };
        let (seed, siblings) = if first == last {
            (*subtree_root, path)
        } else {
            path.split_first()
                .map(|(seed, rest)| (*seed, rest))
                .ok_or(too_short(1))?
        };
        let (mut sub_hash, mut hash) = (seed, seed);
        // 5. Climb.
        for sibling in siblings {
            if tree_last == 0 {
                return Err(too_short(path.len() - 1));
            }
            let mut shift = 1;
            if last & 1 == 1 || last == tree_last {
                if first < last {
                    sub_hash = node_hash(sibling, &sub_hash);
                }
                hash = node_hash(sibling, &hash);
                // Levels on which the right edge has no sibling.
                shift += last.trailing_zeros();
            } else {
                hash = node_hash(&hash, sibling);
            }
            (first, last, tree_last) = (shr(first, shift), shr(last, shift), shr(tree_last, shift));
        }
        // 6. Everything has been climbed, and both hashes are reached.
        if tree_last != 0 {
            return Err(too_short(path.len() + 1));
        }
        if sub_hash != *subtree_root {
            return Err(ProofError::OldRoot {
                computed: sub_hash,
                expected: *subtree_root,
            });
        }
        if hash != *root {
            return Err(ProofError::Root {
                computed: hash,
                expected: *root,
            });
        }
        Ok(())
    }
}

fn verify_empty(subtree_root: &Hash, path: &[Hash]) -> Result<(), ProofError> {
    if !path.is_empty() {
        return Err(ProofError::Length {
            want: 0,
            got: path.len(),
        });
    }
    if *subtree_root != empty_root() {
        return Err(ProofError::OldRoot {
            computed: empty_root(),
            expected: *subtree_root,
        });
    }
    Ok(())
}

/// Shifts right, also by all 64 bits.
fn shr(value: u64, by: u32) -> u64 {
    value.checked_shr(by).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::naive::{self, at, size};
    use super::*;

    /// SUBTREE_SUBPROOF of the draft.
    fn subproof(start: usize, end: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if (start, end) == (0, leaves.len()) {
            return if whole {
                vec![]
            } else {
                vec![naive::root(leaves)]
            };
        }
        let k = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(k);
        let (mut proof, sibling) = if end <= k {
            (subproof(start, end, left, whole), naive::root(right))
        } else if k <= start {
            (
                subproof(start - k, end - k, right, whole),
                naive::root(left),
            )
        } else {
            (subproof(0, end - k, right, false), naive::root(left))
        };
        proof.push(sibling);
        proof
    }

    fn is_subtree(start: usize, end: usize) -> bool {
        start < end && start.is_multiple_of((end - start).next_power_of_two())
    }

    #[test]
    fn every_subtree_of_every_small_tree_is_consistent_and_no_damaged_proof_holds() {
        let leaves = naive::leaves(40);
        let other = Hash::of(b"other");
        for n in 1..=leaves.len() {
            let root = naive::root(&leaves[..n]);
            for start in 0..n {
                for end in (start + 1..=n).filter(|end| is_subtree(start, *end)) {
                    let subtree = Subtree::new(at(start), size(end)).unwrap();
                    let sub_root = naive::root(&leaves[start..end]);
                    let path = subproof(start, end, &leaves[..n], true);
                    let verify =
                        |path: &[Hash]| subtree.verify_consistency(&sub_root, size(n), &root, path);
                    assert_eq!(verify(&path), Ok(()), "{start} to {end} of {n}");
                    for i in 0..path.len() {
                        let mut damaged = path.clone();
                        damaged[i] = other;
                        assert!(verify(&damaged).is_err(), "{start} to {end} of {n}");
                        damaged.remove(i);
                        assert!(verify(&damaged).is_err(), "{start} to {end} of {n}");
                    }
                    assert!(verify(&[&path[..], &[other]].concat()).is_err());
                    assert!(verify(&[&[other], &path[..]].concat()).is_err());
                    assert!(
                        subtree
                            .verify_consistency(&other, size(n), &root, &path)
                            .is_err()
                    );
                    assert!(
                        subtree
                            .verify_consistency(&sub_root, size(n), &other, &path)
                            .is_err()
                    );
                }
            }
        }
    }

    #[test]
    fn every_leaf_is_included_in_its_subtrees_and_in_no_other() {
        let leaves = naive::leaves(24);
        for start in 0..leaves.len() {
            for end in (start + 1..=leaves.len()).filter(|end| is_subtree(start, *end)) {
                let subtree = Subtree::new(at(start), size(end)).unwrap();
                let root = naive::root(&leaves[start..end]);
                for i in 0..leaves.len() + 1 {
                    let inside = (start..end).contains(&i);
                    let path = if inside {
                        naive::path(i - start, &leaves[start..end])
                    } else {
                        vec![]
                    };
                    let leaf = leaves.get(i).copied().unwrap_or(root);
                    assert_eq!(
                        subtree.verify_inclusion(&leaf, at(i), &path, &root).is_ok(),
                        inside
                    );
                }
            }
        }
    }

    #[test]
    fn only_aligned_ranges_are_subtrees() {
        for start in 0..40 {
            for end in 0..40 {
                let made = Subtree::new(at(start), size(end)).is_ok();
                assert_eq!(
                    made,
                    is_subtree(start, end) || start == end,
                    "{start} to {end}"
                );
            }
        }
        assert!(Subtree::new(LeafIndex::new(0), TreeSize::new(u64::MAX)).is_ok());
        assert!(Subtree::new(LeafIndex::new(1), TreeSize::new(u64::MAX)).is_err());
    }

    #[test]
    fn an_empty_subtree_is_consistent_with_every_tree_that_reaches_it() {
        let (empty, root) = (empty_root(), Hash::of(b"root"));
        let subtree = Subtree::new(at(3), size(3)).unwrap();
        assert_eq!(
            subtree.verify_consistency(&empty, size(3), &root, &[]),
            Ok(())
        );
        assert!(
            subtree
                .verify_consistency(&root, size(3), &root, &[])
                .is_err()
        );
        assert!(
            subtree
                .verify_consistency(&empty, size(3), &root, &[root])
                .is_err()
        );
        assert!(
            subtree
                .verify_consistency(&empty, size(2), &root, &[])
                .is_err()
        );
    }

    #[test]
    fn the_largest_sizes_do_not_overflow() {
        let hash = Hash::of(b"");
        for (start, end) in [
            (0, u64::MAX),
            (0, 1 << 63),
            (1 << 63, u64::MAX),
            (u64::MAX - 1, u64::MAX),
        ] {
            let subtree = Subtree::new(LeafIndex::new(start), TreeSize::new(end)).unwrap();
            for length in 0..70 {
                let _ = subtree.verify_consistency(
                    &hash,
                    TreeSize::new(u64::MAX),
                    &hash,
                    &vec![hash; length],
                );
            }
        }
    }
}

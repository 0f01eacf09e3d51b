//! Verifying inclusion and consistency proofs (RFC 6962, sections 2.1.1 and 2.1.2).
//!
//! Scope: a proof is a list of hashes, lowest sibling first, and is held against roots that the
//! caller trusts. The length that a proof must have follows from the sizes alone and is checked
//! before anything is hashed.

use super::size::{LeafIndex, TreeSize};
use crate::hash::{Hash, node_hash};
use crate::limits;

/// How long an inclusion proof usually gets at most, for reserving memory: that of a log of 16
/// million leaves.
pub(crate) const USUAL_PATH: usize = 24;

/// Why a proof does not hold. Whoever served the proof made the mistake, unless the caller mixed up
/// its arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree has no such leaf.
    #[error("leaf {index} is not in a tree of size {size}")]
    NoSuchLeaf {
        /// The leaf that the proof is for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The proof is too short or too long for the sizes that it is for.
    #[error("the proof has {got} hashes, where these sizes need {want}")]
    Length {
        /// Hashes that the sizes call for.
        want: usize,
        /// Hashes that there are.
        got: usize,
    },
    /// The proof leads to another root: it, the leaf or the root is not what it claims to be.
    #[error("the proof leads to the root {computed}, not to {expected}")]
    Root {
        /// What the proof leads to.
        computed: Hash,
        /// The root that was to be reached.
        expected: Hash,
    },
    /// A consistency proof does not reproduce the older root: the log may have rewritten its
    /// history.
    #[error("the proof leads to the older root {computed}, not to {expected}")]
    OldRoot {
        /// What the proof leads to.
        computed: Hash,
        /// The older root that was to be reached.
        expected: Hash,
    },
    /// The tree that should be the older one is larger.
    #[error("a tree of size {new} cannot extend one of size {old}")]
    Shrunk {
        /// The size that should be the smaller one.
        old: TreeSize,
        /// The size that should be the larger one.
        new: TreeSize,
    },
    /// Every tree extends the empty one, so a proof of it proves nothing.
    #[error("nothing can be proven about the empty tree; every tree extends it")]
    FromEmpty,
    /// Bytes that should be concatenated hashes are not: not a multiple of 32, or more than any
    /// proof needs.
    #[error(
        "{0} bytes are not a list of at most {max} hashes of 32 bytes",
        max = limits::PROOF_HASHES
    )]
    NotHashes(usize),
}

/// Checks that `leaf` is the hash of the leaf at `index` in the tree of `size` with the given
/// `root`.
///
/// `path` has the siblings from the leaf upward (RFC 6962, section 2.1.1). Fails with
/// [`ProofError::NoSuchLeaf`], [`ProofError::Length`] or [`ProofError::Root`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: LeafIndex,
    size: TreeSize,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    let computed = root_from_inclusion(leaf, index, size, path)?;
    match_root(computed, root)
}

/// Returns the root that an inclusion proof leads to, which is the tree's only if the proof is
/// right: compare it.
///
/// Fails with [`ProofError::NoSuchLeaf`] or [`ProofError::Length`].
fn root_from_inclusion(
    leaf: &Hash,
    index: LeafIndex,
    size: TreeSize,
    path: &[Hash],
) -> Result<Hash, ProofError> {
    if !size.contains(index) {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let shape = Shape::of(index.get(), size.get());
    let (inner, border) = shape.split(path)?;
    Ok(chain_left(chain(*leaf, inner, index.get()), border))
}

/// Checks that the tree of size `new` with `new_root` starts with all leaves of the tree of size
/// `old` with `old_root`.
///
/// `path` is `PROOF(old, D[new])` of RFC 6962, section 2.1.2. For two trees of one size it must be
/// empty and the roots equal. A tree of size 0 is refused as `old` unless `new` is 0 too
/// ([`ProofError::FromEmpty`]): every tree extends the empty one, and a caller that has seen none
/// yet has nothing to compare. Fails also with [`ProofError::Shrunk`], [`ProofError::Length`],
/// [`ProofError::OldRoot`] or [`ProofError::Root`].
pub fn verify_consistency(
    old: TreeSize,
    old_root: &Hash,
    new: TreeSize,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == new {
        check_length(0, path)?;
        return match_root(*old_root, new_root);
    }
    if old == TreeSize::EMPTY {
        return Err(ProofError::FromEmpty);
    }
    // The proof is the path of the last complete node of the old tree, preceded by that node unless
    // it is the whole tree, whose hash is `old_root`.
    let level = old.get().trailing_zeros();
    let index = (old.get() - 1) >> level;
    let shape = Shape::of(index, ((new.get() - 1) >> level) + 1);
    check_length(usize::from(index > 0) + shape.len(), path)?;
    let (seed, path) = match path.split_first() {
        Some((seed, path)) if index > 0 => (*seed, path),
        _ => (*old_root, path),
    };
    let (inner, border) = shape.split(path)?;

    let before = inner
        .iter()
        .enumerate()
        .filter(|(up, _)| index >> up & 1 == 1)
        .map(|(_, hash)| hash);
    let computed = chain_left(
        before.fold(seed, |hash, left| node_hash(left, &hash)),
        border,
    );
    if computed != *old_root {
        return Err(ProofError::OldRoot {
            computed,
            expected: *old_root,
        });
    }
    match_root(chain_left(chain(seed, inner, index), border), new_root)
}

/// Returns the hashes that are concatenated in `bytes`, 32 bytes each, as proofs travel.
///
/// Fails with [`ProofError::NotHashes`] if the length is not a multiple of 32 or above 64 hashes,
/// before allocating.
pub fn split_hashes(bytes: &[u8]) -> Result<Vec<Hash>, ProofError> {
    let (chunks, rest) = bytes.as_chunks::<{ Hash::LEN }>();
    if !rest.is_empty() || chunks.len() > limits::PROOF_HASHES {
        return Err(ProofError::NotHashes(bytes.len()));
    }
    Ok(chunks.iter().copied().map(Hash::new).collect())
}

/// The lengths of the two parts of an inclusion proof: the part below the point at which the path
/// from the leaf meets the path from the last leaf, where siblings are on either side, and the part
/// above, where they are only to the left.
struct Shape {
    inner: usize,
    border: usize,
}

impl Shape {
    /// For `index` < `size`.
    fn of(index: u64, size: u64) -> Shape {
        let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
        let border = index.checked_shr(inner).unwrap_or(0).count_ones();
        Shape {
            inner: inner as usize,
            border: border as usize,
        }
    }

    fn len(&self) -> usize {
        self.inner + self.border
    }

    fn split<'a>(&self, path: &'a [Hash]) -> Result<(&'a [Hash], &'a [Hash]), ProofError> {
        check_length(self.len(), path)?;
        path.split_at_checked(self.inner).ok_or(ProofError::Length {
            want: self.len(),
            got: path.len(),
        })
    }
}

fn check_length(want: usize, path: &[Hash]) -> Result<(), ProofError> {
    if path.len() == want {
        Ok(())
    } else {
        Err(ProofError::Length {
            want,
            got: path.len(),
        })
    }
}

fn match_root(computed: Hash, expected: &Hash) -> Result<(), ProofError> {
    if computed == *expected {
        Ok(())
    } else {
        Err(ProofError::Root {
            computed,
            expected: *expected,
        })
    }
}

/// Climbs from the node with `index` on its level over siblings to either side.
fn chain(seed: Hash, path: &[Hash], index: u64) -> Hash {
    path.iter().enumerate().fold(seed, |hash, (up, sibling)| {
        if index >> up & 1 == 0 {
            node_hash(&hash, sibling)
        } else {
            node_hash(sibling, &hash)
        }
    })
}

/// Climbs along the right edge, where all siblings are to the left.
fn chain_left(seed: Hash, path: &[Hash]) -> Hash {
    path.iter().fold(seed, |hash, left| node_hash(left, &hash))
}

#[cfg(test)]
mod tests {
    use super::super::naive::{self, at, size};
    use super::*;

    /// Calls `check` with every way in which `path` can be damaged: a hash flipped, removed,
    /// repeated, or put in front or behind.
    fn every_damage(path: &[Hash], mut check: impl FnMut(&[Hash])) {
        for i in 0..path.len() {
            let mut flipped = path.to_vec();
            let mut bytes = *flipped[i].as_bytes();
            bytes[i % 32] ^= 1 << (i % 8);
            flipped[i] = Hash::new(bytes);
            check(&flipped);
            let mut short = path.to_vec();
            short.remove(i);
            check(&short);
            let mut long = path.to_vec();
            long.insert(i, path[i]);
            check(&long);
        }
        let extra = Hash::of(b"extra");
        check(&[&[extra], path].concat());
        check(&[path, &[extra]].concat());
    }

    #[test]
    fn every_inclusion_proof_of_every_small_tree_holds_and_no_damaged_one_does() {
        let leaves = naive::leaves(300);
        for n in 1..=leaves.len() {
            let root = naive::root(&leaves[..n]);
            // Every leaf of the smaller trees; of the larger ones those around each power of two
            // and the edge.
            for i in 0..n {
                let is_near = i.is_power_of_two() || (i + 1).is_power_of_two() || i + 3 > n;
                if n > 70 && !is_near {
                    continue;
                }
                let path = naive::path(i, &leaves[..n]);
                assert_eq!(
                    verify_inclusion(&leaves[i], at(i), size(n), &path, &root),
                    Ok(()),
                    "leaf {i} of {n}"
                );

                every_damage(&path, |path: &[Hash]| {
                    assert!(
                        verify_inclusion(&leaves[i], at(i), size(n), path, &root).is_err(),
                        "leaf {i} of {n}"
                    );
                });
                assert!(verify_inclusion(&root, at(i), size(n), &path, &root).is_err() || n == 1);
                assert!(
                    verify_inclusion(&leaves[i], at(i), size(n), &path, &Hash::of(b"")).is_err()
                );
            }
        }
    }

    #[test]
    fn an_inclusion_proof_holds_for_no_other_index() {
        let leaves = naive::leaves(40);
        for n in 1..=leaves.len() {
            let root = naive::root(&leaves[..n]);
            for i in 0..n {
                let path = naive::path(i, &leaves[..n]);
                for other in (0..n + 2).filter(|other| *other != i) {
                    assert!(
                        verify_inclusion(&leaves[i], at(other), size(n), &path, &root).is_err()
                    );
                }
            }
        }
        let none = verify_inclusion(&leaves[0], at(1), size(1), &[], &leaves[0]);
        assert_eq!(
            none,
            Err(ProofError::NoSuchLeaf {
                index: at(1),
                size: size(1)
            })
        );
    }

    #[test]
    fn every_consistency_proof_between_small_trees_holds_and_no_damaged_one_does() {
        let leaves = naive::leaves(70);
        let roots: Vec<Hash> = (0..=leaves.len())
            .map(|n| naive::root(&leaves[..n]))
            .collect();
        for n in 1..=leaves.len() {
            for m in 1..=n {
                let path = naive::consistency(m, &leaves[..n]);
                let verify = |path: &[Hash], old: &Hash, new: &Hash| {
                    verify_consistency(size(m), old, size(n), new, path)
                };
                assert_eq!(verify(&path, &roots[m], &roots[n]), Ok(()), "{m} to {n}");
                every_damage(&path, |path| {
                    assert!(verify(path, &roots[m], &roots[n]).is_err(), "{m} to {n}");
                });
                let other = Hash::of(b"other");
                assert!(verify(&path, &other, &roots[n]).is_err(), "{m} to {n}");
                assert!(verify(&path, &roots[m], &other).is_err(), "{m} to {n}");
            }
        }
    }

    #[test]
    fn a_rewritten_history_is_told_from_a_wrong_new_root() {
        let leaves = naive::leaves(7);
        let (old, new) = (naive::root(&leaves[..6]), naive::root(&leaves));
        let path = naive::consistency(6, &leaves);
        let other = Hash::of(b"other");
        let verify = |old: &Hash, new: &Hash| verify_consistency(size(6), old, size(7), new, &path);
        assert_eq!(
            verify(&other, &new),
            Err(ProofError::OldRoot {
                computed: old,
                expected: other
            })
        );
        assert_eq!(
            verify(&old, &other),
            Err(ProofError::Root {
                computed: new,
                expected: other
            })
        );
    }

    #[test]
    fn nothing_is_proven_from_the_empty_tree_or_backwards() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        assert_eq!(
            verify_consistency(size(0), &a, size(1), &b, &[]),
            Err(ProofError::FromEmpty)
        );
        assert_eq!(
            verify_consistency(size(2), &a, size(1), &b, &[]),
            Err(ProofError::Shrunk {
                old: size(2),
                new: size(1)
            })
        );
        assert_eq!(verify_consistency(size(0), &a, size(0), &a, &[]), Ok(()));
        assert!(verify_consistency(size(5), &a, size(5), &a, &[a]).is_err());
    }

    #[test]
    fn the_largest_sizes_do_not_overflow() {
        let hash = Hash::of(b"");
        for (i, n) in [
            (0, u64::MAX),
            (u64::MAX - 1, u64::MAX),
            (u64::MAX, u64::MAX),
            (1 << 63, u64::MAX),
        ] {
            for length in 0..66 {
                let path = vec![hash; length];
                let _ = root_from_inclusion(&hash, LeafIndex::new(i), TreeSize::new(n), &path);
                let _ = verify_consistency(TreeSize::new(i), &hash, TreeSize::new(n), &hash, &path);
            }
        }
        assert!(
            root_from_inclusion(
                &hash,
                LeafIndex::new(0),
                TreeSize::new(u64::MAX),
                &[hash; 64]
            )
            .is_ok()
        );
    }

    #[test]
    fn concatenated_hashes_are_split_and_bounded() {
        assert_eq!(split_hashes(&[]), Ok(vec![]));
        assert_eq!(split_hashes(&[7; 64]), Ok(vec![Hash::new([7; 32]); 2]));
        assert_eq!(split_hashes(&[7; 63]), Err(ProofError::NotHashes(63)));
        assert_eq!(
            split_hashes(&[7; 64 * 32]).map(|hashes| hashes.len()),
            Ok(64)
        );
        assert_eq!(
            split_hashes(&[7; 65 * 32]),
            Err(ProofError::NotHashes(65 * 32))
        );
    }
}

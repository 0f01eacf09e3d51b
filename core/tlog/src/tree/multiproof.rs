//! Multiproofs: one proof that several leaves are in a tree (docs/index.md, section 7). What their
//! inclusion proofs share is in it once.
//!
//! ```text
//! root(lo, hi) = if no leaf to be proven is in [lo, hi): the next hash of the proof
//!                if hi - lo = 1: the leaf hash, which the verifier has
//!                otherwise: H(0x01 ‖ root(lo, lo + k) ‖ root(lo + k, hi)),
//!                           k the largest power of 2 below hi - lo
//! ```
//!
//! It starts with the whole tree, splits it as RFC 6962, section 2.1 does, and every hash of the
//! proof is used once. For one leaf it has the hashes of that leaf's inclusion proof, in another
//! order.

use super::node::{Node, fold, push_cover};
use super::prove::{ProveError, TileReader, read};
use super::size::{LeafIndex, TreeSize};
use crate::hash::{Hash, node_hash};
use std::ops::Range;

/// Tiles that are asked for in one call, as [`TileReader::tiles`] has it.
const TILES: usize = 16;

/// Why a proof of many leaves does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MultiproofError {
    /// There is nothing to prove.
    #[error("no leaf is to be proven")]
    Nothing,
    /// The leaves are not distinct and ascending.
    #[error("leaf {0} does not come after the one before it")]
    Order(LeafIndex),
    /// The tree has no such leaf.
    #[error("leaf {index} is not in a tree of size {size}")]
    NoSuchLeaf {
        /// The leaf.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// Hashes are missing, or there are more than the leaves need.
    #[error("the proof has {got} hashes, which is not what these leaves need")]
    Length {
        /// Hashes that there are.
        got: usize,
    },
    /// The proof leads to another root.
    #[error("the proof leads to the root {computed}, not to {expected}")]
    Root {
        /// What it leads to.
        computed: Hash,
        /// The root that was to be reached.
        expected: Hash,
    },
}

/// The hash of a node, of those of what is left and right below it.
pub type NodeHash = fn(&Hash, &Hash) -> Hash;

/// Checks that the `leaves`, hashes by index, distinct and ascending, are in the tree of `size`
/// with the given `root`.
///
/// Every hash of `proof` has to be used. It takes about as many hashes as there are in both, and no
/// more memory.
pub fn verify_multiproof(
    leaves: &[(LeafIndex, Hash)],
    size: TreeSize,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), MultiproofError> {
    verify_multiproof_by(leaves, size, proof, root, node_hash)
}

/// The same in a tree whose nodes have another hash.
pub(super) fn verify_multiproof_by(
    leaves: &[(LeafIndex, Hash)],
    size: TreeSize,
    proof: &[Hash],
    root: &Hash,
    node: NodeHash,
) -> Result<(), MultiproofError> {
    check_targets(leaves.iter().map(|(index, _)| *index), size)?;
    let mut rest = proof.iter();
    let computed = climb(leaves, 0..size.get(), &mut rest, node);
    let Some(computed) = computed.filter(|_| rest.len() == 0) else {
        return Err(MultiproofError::Length { got: proof.len() });
    };
    if computed == *root {
        Ok(())
    } else {
        Err(MultiproofError::Root {
            computed,
            expected: *root,
        })
    }
}

fn check_targets(
    indices: impl Iterator<Item = LeafIndex>,
    size: TreeSize,
) -> Result<(), MultiproofError> {
    let mut last = None;
    for index in indices {
        if last.is_some_and(|last| last >= index) {
            return Err(MultiproofError::Order(index));
        }
        if !size.contains(index) {
            return Err(MultiproofError::NoSuchLeaf { index, size });
        }
        last = Some(index);
    }
    last.map(|_| ()).ok_or(MultiproofError::Nothing)
}

/// The root over the leaves in `range`; `None` if the proof has too few hashes. It goes no deeper
/// than 64 calls.
fn climb<'a>(
    leaves: &[(LeafIndex, Hash)],
    range: Range<u64>,
    proof: &mut impl Iterator<Item = &'a Hash>,
    node: NodeHash,
) -> Option<Hash> {
    match leaves {
        [] => proof.next().copied(),
        [(_, hash)] if range.end - range.start == 1 => Some(*hash),
        _ => {
            let middle = middle(&range);
            let (left, right) =
                leaves.split_at(leaves.partition_point(|(index, _)| index.get() < middle));
            let left = climb(left, range.start..middle, proof, node)?;
            let right = climb(right, middle..range.end, proof, node)?;
            Some(node(&left, &right))
        }
    }
}

/// Where RFC 6962 splits these leaves, of which there are two or more.
pub(super) fn middle(range: &Range<u64>) -> u64 {
    range.start + (1 << (range.end - range.start - 1).ilog2())
}

/// Returns the proof that the leaves at `indices`, distinct and ascending, are in the tree of
/// `size`.
///
/// Fails with [`ProveError::NoSuchLeaf`] for a leaf beyond the tree, or as the reader does. Without
/// any index the proof is empty, and verifies nothing.
pub fn prove_multiproof<R: TileReader + ?Sized>(
    reader: &R,
    indices: &[LeafIndex],
    size: TreeSize,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if let Some(index) = indices.iter().copied().find(|index| !size.contains(*index)) {
        return Err(ProveError::NoSuchLeaf { index, size });
    }
    if indices.is_empty() {
        return Ok(Vec::new());
    }
    let mut needed = Needed::default();
    needed.descend(indices, 0..size.get());
    let hashes = needed.read(reader, size)?;
    let mut proof = Vec::with_capacity(needed.ends.len());
    let mut start = 0;
    for end in needed.ends {
        proof.push(fold(&hashes[start..end]));
        start = end;
    }
    Ok(proof)
}

/// The complete nodes that a proof is made of; each of its hashes is folded from those up to one of
/// the `ends`.
#[derive(Default)]
struct Needed {
    nodes: Vec<Node>,
    ends: Vec<usize>,
}

impl Needed {
    fn descend(&mut self, indices: &[LeafIndex], range: Range<u64>) {
        if indices.is_empty() {
            push_cover(&mut self.nodes, range.start, TreeSize::new(range.end));
            self.ends.push(self.nodes.len());
        } else if range.end - range.start > 1 {
            let middle = middle(&range);
            let (left, right) =
                indices.split_at(indices.partition_point(|index| index.get() < middle));
            self.descend(left, range.start..middle);
            self.descend(right, middle..range.end);
        }
    }

    /// Reads the nodes, from as many tiles at a time as a reader takes.
    fn read<R: TileReader + ?Sized>(
        &self,
        reader: &R,
        size: TreeSize,
    ) -> Result<Vec<Hash>, ProveError<R::Error>> {
        let mut hashes = Vec::with_capacity(self.nodes.len());
        let mut rest = &self.nodes[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(within_tiles(rest));
            hashes.extend(read(reader, now, size)?);
            rest = later;
        }
        Ok(hashes)
    }
}

/// How many of `nodes`, from the first on, are in at most [`TILES`] tiles.
fn within_tiles(nodes: &[Node]) -> usize {
    let mut tiles = Vec::with_capacity(TILES);
    for (count, node) in nodes.iter().enumerate() {
        let tile = node.tile();
        if !tiles.contains(&tile) {
            if tiles.len() == TILES {
                return count;
            }
            tiles.push(tile);
        }
    }
    nodes.len()
}

#[cfg(test)]
mod tests {
    use super::super::naive::{self, Grown, at, size};
    use super::super::{prove_inclusion, verify_inclusion};
    use super::*;

    fn proven(
        leaves: &[Hash],
        which: impl Iterator<Item = usize>,
    ) -> (Vec<(LeafIndex, Hash)>, Vec<Hash>) {
        let targets: Vec<_> = which.map(|i| (at(i), leaves[i])).collect();
        let indices: Vec<_> = targets.iter().map(|(index, _)| *index).collect();
        let proof = prove_multiproof(&Grown::new(leaves), &indices, size(leaves.len())).unwrap();
        (targets, proof)
    }

    /// Every set of leaves of every tree up to eight, and that nothing else verifies.
    #[test]
    fn every_set_of_every_small_tree_is_proven() {
        let all = naive::leaves(9);
        for n in 1..=8 {
            let leaves = &all[..n];
            let root = naive::root(leaves);
            for set in 1_u32..1 << n {
                let (targets, proof) = proven(leaves, (0..n).filter(|i| set >> i & 1 == 1));
                verify_multiproof(&targets, size(n), &proof, &root).unwrap();
                for i in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[i] = Hash::of(b"wrong");
                    assert!(matches!(
                        verify_multiproof(&targets, size(n), &wrong, &root),
                        Err(MultiproofError::Root { .. })
                    ));
                    wrong.remove(i);
                    assert!(verify_multiproof(&targets, size(n), &wrong, &root).is_err());
                }
                for i in 0..targets.len() {
                    let mut wrong = targets.clone();
                    wrong[i].1 = all[8];
                    assert!(verify_multiproof(&wrong, size(n), &proof, &root).is_err());
                }
                let longer = [&proof[..], &[root]].concat();
                assert_eq!(
                    verify_multiproof(&targets, size(n), &longer, &root),
                    Err(MultiproofError::Length { got: longer.len() })
                );
            }
        }
    }

    #[test]
    fn one_leaf_needs_the_hashes_of_its_inclusion_proof() {
        let leaves = naive::leaves(300);
        let (tiles, root) = (Grown::new(&leaves), naive::root(&leaves));
        for i in 0..300 {
            let (targets, mut proof) = proven(&leaves, i..=i);
            verify_multiproof(&targets, size(300), &proof, &root).unwrap();
            let mut path = prove_inclusion(&tiles, at(i), size(300)).unwrap();
            verify_inclusion(&leaves[i], at(i), size(300), &path, &root).unwrap();
            proof.sort();
            path.sort();
            assert_eq!(proof, path);
        }
    }

    #[test]
    fn more_tiles_than_a_reader_gives_at_once_are_read() {
        let leaves = naive::leaves(20_000);
        let (targets, proof) = proven(&leaves, (0..20_000).step_by(300));
        verify_multiproof(&targets, size(20_000), &proof, &naive::root(&leaves)).unwrap();
    }

    #[test]
    fn what_is_no_set_of_leaves_is_refused() {
        let leaves = naive::leaves(3);
        let (root, tiles) = (naive::root(&leaves), Grown::new(&leaves));
        let (one, two) = ((at(1), leaves[1]), (at(2), leaves[2]));
        assert_eq!(
            verify_multiproof(&[], size(3), &[root], &root),
            Err(MultiproofError::Nothing)
        );
        assert_eq!(
            verify_multiproof(&[two, one], size(3), &[], &root),
            Err(MultiproofError::Order(at(1)))
        );
        assert_eq!(
            verify_multiproof(&[one, one], size(3), &[], &root),
            Err(MultiproofError::Order(at(1)))
        );
        assert!(matches!(
            verify_multiproof(&[two], size(2), &[], &root),
            Err(MultiproofError::NoSuchLeaf { .. })
        ));
        assert!(matches!(
            prove_multiproof(&tiles, &[at(3)], size(3)),
            Err(ProveError::NoSuchLeaf { .. })
        ));
        assert_eq!(prove_multiproof(&tiles, &[], size(3)).unwrap(), vec![]);
    }
}

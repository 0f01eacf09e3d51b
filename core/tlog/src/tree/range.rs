//! Range proofs: neighboring leaves at their place in a tree. Such a proof is the multiproof of
//! these leaves (docs/index.md, section 7), in a tree that has the shape of RFC 6962's and node
//! hashes of the caller's choice, as lists of the index have.
//!
//! ```text
//! root(lo, hi) = if none of the leaves is in [lo, hi): the next hash of the proof
//!                if hi - lo = 1: the leaf hash, which the verifier has
//!                otherwise: node(root(lo, lo + k), root(lo + k, hi)),
//!                           k the largest power of 2 below hi - lo
//! ```
//!
//! The shape of the tree, and with it how many hashes there are and where each belongs, follows
//! from its size and from the positions. So hashes of other leaves, or of the same at another
//! place, lead to another root. At most two hashes of each level are outside: [`RANGE_HASHES`].

use super::multiproof::{MultiproofError, NodeHash, middle, verify_multiproof_by};
use super::size::{LeafIndex, TreeSize};
use crate::hash::Hash;
use crate::limits;
use std::ops::Range;

/// Most hashes of a range proof: two paths, and no tree is deeper.
pub const RANGE_HASHES: usize = 2 * limits::PROOF_HASHES;

/// Checks that `leaves`, by their hashes, are the leaves from index `from` on of the tree of `size`
/// with the given `root`. `node` is the hash of two subtrees of that tree.
///
/// Every hash of `proof` has to be used; a proof of all leaves has none. Fails with
/// [`MultiproofError::Nothing`] without leaves: nothing is proven of them then.
pub fn verify_range(
    leaves: &[Hash],
    from: LeafIndex,
    size: TreeSize,
    proof: &[Hash],
    root: &Hash,
    node: NodeHash,
) -> Result<(), MultiproofError> {
    if proof.len() > RANGE_HASHES {
        return Err(MultiproofError::Length { got: proof.len() });
    }
    let rest = size.get().saturating_sub(from.get());
    if leaves.len() as u64 > rest {
        // The first leaf beyond the tree.
        let index = LeafIndex::new(from.get().max(size.get()));
        return Err(MultiproofError::NoSuchLeaf { index, size });
    }
    let mut targets = Vec::with_capacity(leaves.len());
    for (index, hash) in (from.get()..).zip(leaves) {
        targets.push((LeafIndex::new(index), *hash));
    }
    verify_multiproof_by(&targets, size, proof, root, node)
}

/// Returns the subtrees, by the leaves that each is over, whose roots are the range proof of the
/// leaves in `run`, in the order in which they stand in it. Each begins at a multiple of the
/// smallest power of two that is not below its width.
///
/// Fails with [`MultiproofError::Nothing`] without leaves, and with
/// [`MultiproofError::NoSuchLeaf`] if the run goes on beyond the tree.
pub fn subtrees_beside(
    run: Range<u64>,
    size: TreeSize,
) -> Result<Vec<Range<u64>>, MultiproofError> {
    if run.is_empty() {
        return Err(MultiproofError::Nothing);
    }
    if run.end > size.get() {
        let index = LeafIndex::new(run.end - 1);
        return Err(MultiproofError::NoSuchLeaf { index, size });
    }
    let mut beside = Vec::new();
    descend(&run, 0..size.get(), &mut beside);
    Ok(beside)
}

/// Collects what of `range` is outside of `run`. It goes no deeper than 64 calls.
fn descend(run: &Range<u64>, range: Range<u64>, beside: &mut Vec<Range<u64>>) {
    if range.end <= run.start || run.end <= range.start {
        beside.push(range);
    } else if range.start < run.start || run.end < range.end {
        let middle = middle(&range);
        descend(run, range.start..middle, beside);
        descend(run, middle..range.end, beside);
    }
}

#[cfg(test)]
mod tests {
    use super::super::naive::{self, at, size};
    use super::*;
    use crate::hash::node_hash;
    use proptest::prelude::*;

    fn proof(leaves: &[Hash], run: Range<u64>) -> Vec<Hash> {
        let beside = subtrees_beside(run, size(leaves.len())).unwrap();
        let roots = beside
            .into_iter()
            .map(|range| naive::root(&leaves[range.start as usize..range.end as usize]));
        roots.collect()
    }

    fn verify(
        leaves: &[Hash],
        from: usize,
        n: usize,
        proof: &[Hash],
        root: &Hash,
    ) -> Result<(), MultiproofError> {
        verify_range(leaves, at(from), size(n), proof, root, node_hash)
    }

    /// Calls `check` with everything that a proof of a run could be mistaken for: other leaves,
    /// another place, another tree, another proof.
    fn every_lie(
        all: &[Hash],
        run: Range<usize>,
        proof: &[Hash],
        mut check: impl FnMut(&[Hash], usize, usize, &[Hash]),
    ) {
        let n = all.len();
        let leaves = &all[run.clone()];
        for i in 0..leaves.len() {
            let mut wrong = leaves.to_vec();
            wrong[i] = Hash::of(b"wrong");
            check(&wrong, run.start, n, proof);
            wrong.remove(i);
            check(&wrong, run.start, n, proof);
        }
        let longer = [leaves, &leaves[..1]].concat();
        check(&longer, run.start, n, proof);
        for from in (0..=n + 1).filter(|from| *from != run.start) {
            check(leaves, from, n, proof);
        }
        for i in 0..proof.len() {
            let mut wrong = proof.to_vec();
            wrong[i] = Hash::of(b"wrong");
            check(leaves, run.start, n, &wrong);
            wrong.remove(i);
            check(leaves, run.start, n, &wrong);
            let mut doubled = proof.to_vec();
            doubled.insert(i, proof[i]);
            check(leaves, run.start, n, &doubled);
        }
        let extra = Hash::of(b"extra");
        check(leaves, run.start, n, &[proof, &[extra]].concat());
        check(leaves, run.start, n, &[&[extra], proof].concat());
    }

    #[test]
    fn every_range_of_every_small_tree_is_proven_and_nothing_else_is() {
        let leaves = naive::leaves(40);
        for n in 1..=leaves.len() {
            let all = &leaves[..n];
            let root = naive::root(all);
            for from in 0..n {
                for to in from + 1..=n {
                    let proof = proof(all, from as u64..to as u64);
                    assert_eq!(verify(&all[from..to], from, n, &proof, &root), Ok(()));
                    every_lie(all, from..to, &proof, |run, from, n, proof| {
                        let lie = verify(run, from, n, proof, &root);
                        assert!(lie.is_err(), "{from}..{to} of {n}");
                    });
                }
                assert_eq!(
                    verify(&[], from, n, &[root], &root),
                    Err(MultiproofError::Nothing)
                );
            }
        }
    }

    /// The size is not in the hashes: it must be the one that belongs to the root. A proof for
    /// another size has hashes elsewhere, nearly always.
    #[test]
    fn a_proof_holds_only_for_trees_with_the_same_leaves_before_and_after() {
        let leaves = naive::leaves(24);
        for n in 1..=leaves.len() {
            let root = naive::root(&leaves[..n]);
            for from in 0..n {
                for to in from + 1..=n {
                    let run = from as u64..to as u64;
                    let proof = proof(&leaves[..n], run.clone());
                    for other in (0..leaves.len() + 3).filter(|other| *other != n) {
                        let held = verify(&leaves[from..to], from, other, &proof, &root).is_ok();
                        let folds_alike = subtrees_beside(run.clone(), size(other))
                            .is_ok_and(|beside| beside.len() == proof.len() && to < n.min(other));
                        assert!(!held || folds_alike, "{from}..{to} of {n}, not {other}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_range_beyond_the_tree_and_too_many_hashes_are_refused() {
        let leaves = naive::leaves(3);
        let root = naive::root(&leaves);
        let beyond = |index| MultiproofError::NoSuchLeaf {
            index: at(index),
            size: size(3),
        };
        assert_eq!(verify(&leaves, 1, 3, &[], &root), Err(beyond(3)));
        assert_eq!(verify(&leaves, 7, 3, &[], &root), Err(beyond(7)));
        let far = LeafIndex::new(u64::MAX);
        let end = TreeSize::new(u64::MAX);
        assert!(verify_range(&leaves, far, end, &[], &root, node_hash).is_err());
        let many = vec![root; RANGE_HASHES + 1];
        let got = many.len();
        // Whatever the leaves are: so many hashes are not looked at.
        for from in [0, 1] {
            let refused = verify(&leaves, from, 3, &many, &root);
            assert_eq!(refused, Err(MultiproofError::Length { got }));
        }
        assert_eq!(subtrees_beside(2..4, size(3)), Err(beyond(3)));
        assert_eq!(
            subtrees_beside(2..2, size(3)),
            Err(MultiproofError::Nothing)
        );
    }

    #[test]
    fn no_tree_needs_more_hashes_than_the_limit() {
        let largest = TreeSize::new(u64::MAX);
        for run in [1..2, 0..1, u64::MAX / 2..u64::MAX / 2 + 3, 5..u64::MAX - 5] {
            let beside = subtrees_beside(run.clone(), largest).unwrap();
            assert!(beside.len() <= RANGE_HASHES, "{run:?}: {}", beside.len());
        }
    }

    proptest! {
        #[test]
        fn ranges_of_larger_trees_are_proven_and_meet_without_gaps(
            n in 1..3_000_usize,
            from in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
        ) {
            let leaves = naive::leaves(n as u64);
            let (a, b) = (from.index(n), to.index(n));
            let (from, to) = (a.min(b), a.max(b) + 1);
            let run = from as u64..to as u64;
            let proof = proof(&leaves, run.clone());
            let root = naive::root(&leaves);
            prop_assert_eq!(verify(&leaves[from..to], from, n, &proof, &root), Ok(()));
            let mut covered = 0;
            for range in subtrees_beside(run.clone(), size(n)).unwrap() {
                if covered == run.start && range.start == run.end {
                    covered = run.end;
                }
                prop_assert_eq!(range.start, covered);
                let width = (range.end - range.start).next_power_of_two();
                prop_assert!(range.start.is_multiple_of(width));
                covered = range.end;
            }
            prop_assert!(covered == n as u64 || covered == run.start);
        }
    }
}

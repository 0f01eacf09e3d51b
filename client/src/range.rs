//! A proof for a run of neighboring leaves: the inclusion proofs of its first and its last leaf.
//!
//! Every subtree that lies wholly before the run is a sibling on the path of its first leaf, every
//! one wholly after it a sibling on the path of its last; the rest is computed from the run itself.
//! So two paths tie any number of leaves to a root, each at its place (RFC 6962, section 2.1: the
//! shape of the tree follows from its size).

use assay_tlog::{Hash, hash};
use std::{collections::HashMap, ops::Range};

/// Why leaves could not be tied to a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RangeError {
    /// No leaves, or some beyond the tree.
    #[error("the leaves asked for are not in the tree")]
    Outside,
    /// A path is not as long as the tree's shape says.
    #[error("an inclusion proof has the wrong length")]
    PathLength,
    /// Two hashes were given for the same subtree.
    #[error("the two inclusion proofs contradict each other")]
    Contradiction,
}

/// Returns the root of a tree of `size` leaves that `leaves`, from index `start` on, and the
/// inclusion paths of the first and last of them lead to. The caller compares it with a signed one.
pub(crate) fn root(
    size: u64,
    start: u64,
    leaves: &[Hash],
    first_path: &[Hash],
    last_path: &[Hash],
) -> Result<Hash, RangeError> {
    let end = start
        .checked_add(leaves.len() as u64)
        .filter(|end| *end <= size)
        .ok_or(RangeError::Outside)?;
    if leaves.is_empty() {
        return Err(RangeError::Outside);
    }
    let mut outside = HashMap::new();
    for (leaf, path) in [(start, first_path), (end - 1, last_path)] {
        let siblings = siblings(size, leaf);
        if siblings.len() != path.len() {
            return Err(RangeError::PathLength);
        }
        for (subtree, hash) in siblings.into_iter().zip(path) {
            if outside
                .insert((subtree.start, subtree.end), *hash)
                .is_some_and(|other| other != *hash)
            {
                return Err(RangeError::Contradiction);
            }
        }
    }
    Run {
        start,
        leaves,
        outside,
    }
    .subtree(0..size)
    .ok_or(RangeError::PathLength)
}

struct Run<'a> {
    start: u64,
    leaves: &'a [Hash],
    outside: HashMap<(u64, u64), Hash>,
}

impl Run<'_> {
    /// The hash of the subtree over `range`; depth is at most 64.
    fn subtree(&self, range: Range<u64>) -> Option<Hash> {
        let end = self.start + self.leaves.len() as u64;
        if range.end <= self.start || range.start >= end {
            return self.outside.get(&(range.start, range.end)).copied();
        }
        if range.end - range.start == 1 {
            return self
                .leaves
                .get(usize::try_from(range.start - self.start).ok()?)
                .copied();
        }
        let middle = split(&range);
        Some(hash::node_hash(
            &self.subtree(range.start..middle)?,
            &self.subtree(middle..range.end)?,
        ))
    }
}

/// Where a subtree of more than one leaf divides: after the largest power of two that is smaller
/// than its size.
fn split(range: &Range<u64>) -> u64 {
    range.start + (1 << (range.end - range.start - 1).ilog2())
}

/// The subtrees beside the path of `leaf`, from the leaf up.
fn siblings(size: u64, leaf: u64) -> Vec<Range<u64>> {
    let mut range = 0..size;
    let mut siblings = vec![];
    while range.end - range.start > 1 {
        let middle = split(&range);
        let (inside, beside) = if leaf < middle {
            (range.start..middle, middle..range.end)
        } else {
            (middle..range.end, range.start..middle)
        };
        siblings.push(beside);
        range = inside;
    }
    siblings.reverse();
    siblings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, section 2.1, as it is written.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => hash::empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(&(0..leaves.len() as u64)) as usize);
                hash::node_hash(&mth(left), &mth(right))
            }
        }
    }

    fn path(leaves: &[Hash], leaf: u64) -> Vec<Hash> {
        let siblings = siblings(leaves.len() as u64, leaf);
        siblings
            .into_iter()
            .map(|s| mth(&leaves[s.start as usize..s.end as usize]))
            .collect()
    }

    #[test]
    fn every_run_in_every_small_tree_is_proven_and_no_changed_hash_is() {
        for size in 1..=20u64 {
            let leaves: Vec<Hash> = (0..size).map(|i| hash::leaf_hash(&[i as u8])).collect();
            let expected = mth(&leaves);
            for start in 0..size {
                for end in start + 1..=size {
                    let run = &leaves[start as usize..end as usize];
                    let (first, last) = (path(&leaves, start), path(&leaves, end - 1));
                    assert_eq!(root(size, start, run, &first, &last), Ok(expected));
                    for i in 0..run.len() {
                        let mut wrong = run.to_vec();
                        wrong[i] = Hash::of(b"wrong");
                        assert_ne!(
                            root(size, start, &wrong, &first, &last),
                            Ok(expected),
                            "{size} {start} {end} {i}"
                        );
                    }
                    let longer = [&first[..], &[expected]].concat();
                    assert_eq!(
                        root(size, start, run, &longer, &last),
                        Err(RangeError::PathLength)
                    );
                    if let Some((_, shorter)) = last.split_first() {
                        assert_eq!(
                            root(size, start, run, &first, shorter),
                            Err(RangeError::PathLength)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_run_must_lie_in_the_tree() {
        let leaf = [Hash::of(b"leaf")];
        assert_eq!(root(1, 1, &leaf, &[], &[]), Err(RangeError::Outside));
        assert_eq!(root(1, u64::MAX, &leaf, &[], &[]), Err(RangeError::Outside));
        assert_eq!(root(1, 0, &[], &[], &[]), Err(RangeError::Outside));
    }
}

//! The place of a page in its list: a range proof in the list's tree (docs/index.md, 8.3).
//!
//! Whoever has a list only in part cannot hash the rest of its tree from nothing. What does not
//! change any more are complete subtrees, because lists only grow: [`ListChunks`] are those that
//! are worth keeping, so that the proof of a page costs no reading of the whole list.

use super::list::{self, ListFrontier};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, MultiproofError, TreeSize, subtrees_beside, verify_range};
use std::ops::Range;

/// Leaves of one of the subtrees that are kept.
pub const CHUNK: u64 = 256;

/// Checks that `leaves` are those of a list from position `from` on, the list having so many leaves
/// and this root. Fails as [`verify_range`] does.
pub fn verify(
    leaves: &[LeafIndex],
    from: u64,
    length: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), MultiproofError> {
    let hashes: Vec<Hash> = leaves.iter().copied().map(list::leaf_hash).collect();
    let (from, size) = (LeafIndex::new(from), TreeSize::new(length));
    verify_range(&hashes, from, size, proof, root, list::node_hash)
}

/// The roots of the first complete subtrees of [`CHUNK`] leaves of one list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListChunks(Vec<Hash>);

impl ListChunks {
    /// How many leaves they are over.
    pub fn leaves(&self) -> u64 {
        self.0.len() as u64 * CHUNK
    }

    /// Adds the subtrees of a list of so many leaves that are not there yet. `read` returns the
    /// leaves at some positions of the list; it is asked for [`CHUNK`] at a time.
    pub fn grow<E>(
        &mut self,
        length: u64,
        read: &mut impl FnMut(Range<u64>) -> Result<Vec<LeafIndex>, E>,
    ) -> Result<(), E> {
        while self.leaves() + CHUNK <= length {
            let leaves = read(self.leaves()..self.leaves() + CHUNK)?;
            self.0.push(root_of(leaves));
        }
        Ok(())
    }

    /// Returns the proof that the leaves at the positions `page` stand there, in a list of so many
    /// leaves; no hashes for an empty page, which proves nothing. `read` returns the leaves at some
    /// positions, of which it is asked for those that are outside of the page and that these
    /// subtrees are not over.
    ///
    /// It takes a hash for each leaf that it reads and for each subtree of [`CHUNK`] leaves.
    pub fn prove<E>(
        &self,
        page: Range<u64>,
        length: u64,
        read: &mut impl FnMut(Range<u64>) -> Result<Vec<LeafIndex>, E>,
    ) -> Result<Vec<Hash>, E> {
        let beside = subtrees_beside(page, TreeSize::new(length)).unwrap_or_default();
        let mut proof = Vec::with_capacity(beside.len());
        for range in beside {
            proof.push(self.root(range, read)?);
        }
        Ok(proof)
    }

    /// The root of the subtree over the leaves at these positions. It is put together from subtrees
    /// of [`CHUNK`] leaves and what is left after them: that is a power of two, so that the tree
    /// over their roots has the shape of the tree over their leaves.
    fn root<E>(
        &self,
        range: Range<u64>,
        read: &mut impl FnMut(Range<u64>) -> Result<Vec<LeafIndex>, E>,
    ) -> Result<Hash, E> {
        let mut joined = ListFrontier::default();
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + CHUNK);
            let kept = self.0.get((start / CHUNK) as usize);
            let root = match kept.filter(|_| end - start == CHUNK) {
                Some(root) => *root,
                None => root_of(read(start..end)?),
            };
            joined.push_hash(root);
            start = end;
        }
        Ok(joined.root())
    }
}

fn root_of(leaves: Vec<LeafIndex>) -> Hash {
    leaves.into_iter().collect::<ListFrontier>().root()
}

/// Returns the range proof of the leaves at the positions `page` of a list, all of which is there;
/// no hashes if the list does not have these positions. It takes a hash for each leaf.
pub fn prove_page(list: &[LeafIndex], page: Range<u64>) -> Vec<Hash> {
    let mut read = |range: Range<u64>| {
        let leaves = list.get(range.start as usize..range.end as usize);
        Ok::<_, std::convert::Infallible>(leaves.unwrap_or_default().to_vec())
    };
    let Ok(proof) = ListChunks::default().prove(page, list.len() as u64, &mut read);
    proof
}

#[cfg(test)]
mod tests {
    use super::super::naive::list_root;
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn list(length: u64) -> Vec<LeafIndex> {
        (0..length).map(|i| LeafIndex::new(3 * i + 1)).collect()
    }

    fn holds(list: &[LeafIndex], from: usize, page: &[LeafIndex], proof: &[Hash]) -> bool {
        let (length, root) = (list.len() as u64, list_root(list));
        verify(page, from as u64, length, proof, &root).is_ok()
    }

    #[test]
    fn every_page_of_every_small_list_is_proven_at_its_place_only() {
        for length in 1..=24 {
            let all = list(length as u64);
            for from in 0..length {
                for to in from + 1..=length {
                    let page = &all[from..to];
                    let proof = prove_page(&all, from as u64..to as u64);
                    assert!(holds(&all, from, page, &proof), "{from}..{to} of {length}");
                    for other in (0..=length).filter(|other| *other != from) {
                        assert!(!holds(&all, other, page, &proof));
                    }
                    let mut wrong = page.to_vec();
                    wrong[0] = LeafIndex::new(wrong[0].get() - 1);
                    assert!(!holds(&all, from, &wrong, &proof));
                    assert!(!holds(&all, from, &page[1..], &proof));
                    assert!(!holds(&all, from, &page[..page.len() - 1], &proof));
                }
            }
        }
    }

    /// No hash of a list is one of the log: the same leaves in a tree with the log's hashes have
    /// another root.
    #[test]
    fn the_logs_hashes_are_not_a_lists() {
        let all = list(2);
        let hashes: Vec<Hash> = all.iter().copied().map(list::leaf_hash).collect();
        let root = assay_tlog::hash::node_hash(&hashes[0], &hashes[1]);
        assert!(verify(&all, 0, 2, &[], &root).is_err());
        assert!(verify(&all, 0, 2, &[], &list_root(&all)).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn kept_subtrees_give_the_same_proof_with_less_reading(
            length in 1..5_000_u64,
            kept in 0..5_000_u64,
            at in any::<prop::sample::Index>(),
            most in 1..1_001_u64,
        ) {
            let all = list(length);
            let from = at.index(length as usize) as u64;
            let page = from..length.min(from + most);
            let whole = prove_page(&all, page.clone());
            let leaves = &all[page.start as usize..page.end as usize];
            prop_assert!(holds(&all, from as usize, leaves, &whole));
            let mut chunks = ListChunks::default();
            let mut reads = 0;
            let mut read = |range: Range<u64>| {
                reads += range.end - range.start;
                Ok::<_, Infallible>(all[range.start as usize..range.end as usize].to_vec())
            };
            let Ok(()) = chunks.grow(kept.min(length), &mut read);
            let Ok(proof) = chunks.prove(page.clone(), length, &mut read);
            prop_assert_eq!(&proof, &whole);
            let Ok(()) = chunks.grow(length, &mut read);
            prop_assert_eq!(chunks.leaves(), length / CHUNK * CHUNK);
            reads = 0;
            let mut read = |range: Range<u64>| {
                reads += range.end - range.start;
                Ok::<_, Infallible>(all[range.start as usize..range.end as usize].to_vec())
            };
            let Ok(proof) = chunks.prove(page, length, &mut read);
            prop_assert_eq!(proof, whole);
            prop_assert!(reads < 3 * CHUNK, "{}", reads);
        }
    }
}

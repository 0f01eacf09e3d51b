//! A label's list of leaves: ascending, append-only, under the root of a tree that has the shape of
//! RFC 6962's and hashes of its own, so that no node of a list is one of the log (docs/index.md,
//! section 4).

use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use prost::encoding::{decode_varint, encode_varint, encoded_len_varint};

/// `SHA-256(0x13 ‖ u64be(leaf index))`.
pub(super) fn leaf_hash(index: LeafIndex) -> Hash {
    let mut bytes = [0x13; 9];
    bytes[1..].copy_from_slice(&index.get().to_be_bytes());
    Hash::of_short(&bytes)
}

/// `SHA-256(0x14 ‖ left ‖ right)`.
pub(super) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x14; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Hash::of_short(&bytes)
}

/// The frontier of a list: all that is needed to append to it and to know its root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFrontier {
    length: u64,
    /// Roots of the complete subtrees that make up the list, the largest first: one for each bit
    /// set in the length.
    peaks: Vec<Hash>,
}

impl ListFrontier {
    /// The frontier of a list of this length; `None` unless there is a peak for each bit set in it.
    pub fn from_parts(length: u64, peaks: Vec<Hash>) -> Option<Self> {
        (length.count_ones() as usize == peaks.len()).then_some(ListFrontier { length, peaks })
    }

    /// Leaves in the list.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Roots of its complete subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf's index.
    pub fn push(&mut self, index: LeafIndex) {
        self.push_hash(leaf_hash(index));
    }

    /// Appends a leaf, or a subtree that is as wide as those before it, by its hash.
    pub(super) fn push_hash(&mut self, mut hash: Hash) {
        for _ in 0..self.length.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.length += 1;
    }

    /// The root of the list. The index has no empty list; of one, it is SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let joined = self
            .peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or_else(assay_tlog::hash::empty_root)
    }
}

impl Extend<LeafIndex> for ListFrontier {
    fn extend<T: IntoIterator<Item = LeafIndex>>(&mut self, indices: T) {
        indices.into_iter().for_each(|index| self.push(index));
    }
}

impl FromIterator<LeafIndex> for ListFrontier {
    fn from_iter<T: IntoIterator<Item = LeafIndex>>(indices: T) -> Self {
        let mut frontier = ListFrontier::default();
        frontier.extend(indices);
        frontier
    }
}

/// Appends ascending indices to `bytes`: the first, then each as its difference from the one
/// before, all of them as varints.
pub fn write(bytes: &mut Vec<u8>, indices: &[LeafIndex]) {
    let mut last = 0;
    for index in indices {
        encode_varint(index.get() - last, bytes);
        last = index.get();
    }
}

/// Returns the indices that [`write()`] wrote, or `None` if these are not the bytes that it writes
/// for any.
pub fn read(mut bytes: &[u8]) -> Option<Vec<LeafIndex>> {
    let mut indices = Vec::with_capacity(bytes.len());
    while !bytes.is_empty() {
        indices.push(next(&mut bytes, indices.last().copied())?);
    }
    Some(indices)
}

/// Takes the index behind `last` off `bytes`.
pub(super) fn next(bytes: &mut &[u8], last: Option<LeafIndex>) -> Option<LeafIndex> {
    let step = varint(bytes)?;
    match last {
        None => Some(LeafIndex::new(step)),
        Some(_) if step == 0 => None,
        Some(last) => last.get().checked_add(step).map(LeafIndex::new),
    }
}

/// Takes a varint off `bytes`, if it is as short as it can be.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let before = bytes.len();
    let value = decode_varint(bytes).ok()?;
    (before - bytes.len() == encoded_len_varint(value)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(indices: &[LeafIndex]) -> Hash {
        match indices {
            [] => assay_tlog::hash::empty_root(),
            [one] => Hash::of_parts(&[&[0x13], &one.get().to_be_bytes()]),
            _ => {
                let (left, right) = indices.split_at(indices.len().next_power_of_two() / 2);
                let (left, right) = (plain(left), plain(right));
                Hash::of_parts(&[&[0x14], left.as_bytes(), right.as_bytes()])
            }
        }
    }

    #[test]
    fn every_small_list_has_the_root_of_its_tree() {
        let indices: Vec<_> = (0..300).map(|i| LeafIndex::new(i * i + 3)).collect();
        let mut frontier = ListFrontier::default();
        for n in 0..300 {
            assert_eq!(frontier.root(), plain(&indices[..n]), "{n}");
            assert_eq!(
                ListFrontier::from_parts(frontier.length(), frontier.peaks().to_vec()),
                Some(frontier.clone())
            );
            assert_eq!(
                indices[..n].iter().copied().collect::<ListFrontier>(),
                frontier
            );
            frontier.push(indices[n]);
        }
        assert_eq!(ListFrontier::from_parts(3, vec![Hash::of(b"")]), None);
    }

    #[test]
    fn indices_are_written_and_read() {
        for indices in [&[][..], &[0], &[5], &[0, 1, 2, 300, u64::MAX]] {
            let mut bytes = Vec::new();
            let indices: Vec<_> = indices.iter().copied().map(LeafIndex::new).collect();
            write(&mut bytes, &indices);
            assert_eq!(read(&bytes), Some(indices));
        }
        assert_eq!(read(&[0x80]), None);
        let mut bytes = Vec::new();
        write(&mut bytes, &[LeafIndex::new(u64::MAX)]);
        bytes.push(1);
        assert_eq!(read(&bytes), None);
    }

    #[test]
    fn a_list_that_does_not_ascend_or_has_a_longer_form_is_none() {
        for other in [&[5, 0][..], &[0, 0], &[0x80, 0], &[5, 0x81, 0]] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}

//! The trie: the hashes of its nodes (docs/index.md, section 5), and where labels part.

use super::label::{Label, Prefix};
use assay_tlog::Hash;

/// The root of the trie without labels.
pub(super) fn empty() -> Hash {
    Hash::of_short(&[0x10])
}

/// `SHA-256(0x11 ‖ label ‖ u64be(list length) ‖ list root)`.
pub(super) fn leaf(label: &Label, length: u64, list_root: &Hash) -> Hash {
    let mut bytes = [0x11; 73];
    bytes[1..33].copy_from_slice(label.as_bytes());
    bytes[33..41].copy_from_slice(&length.to_be_bytes());
    bytes[41..].copy_from_slice(list_root.as_bytes());
    Hash::of_short(&bytes)
}

/// The hash of a subtree, and how many labels it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub hash: Hash,
    pub labels: u64,
}

/// `SHA-256(0x12 ‖ u16be(bits) ‖ prefix, 32 bytes ‖ u64be(labels left) ‖ u64be(labels right) ‖ left
/// ‖ right)`.
pub(super) fn inner(prefix: &Prefix, left: &Sum, right: &Sum) -> Hash {
    let mut bytes = [0x12; 115];
    bytes[1..3].copy_from_slice(&prefix.bits().to_be_bytes());
    bytes[3..35].copy_from_slice(prefix.first().as_bytes());
    bytes[35..43].copy_from_slice(&left.labels.to_be_bytes());
    bytes[43..51].copy_from_slice(&right.labels.to_be_bytes());
    bytes[51..83].copy_from_slice(left.hash.as_bytes());
    bytes[83..].copy_from_slice(right.hash.as_bytes());
    Hash::of_short(&bytes)
}

/// What a subtree's hash is made of.
pub(super) trait Leaf {
    fn label(&self) -> &Label;
    fn hash(&self) -> Hash;
}

/// The prefix common to ascending labels, of which there are two or more, and where the second half
/// begins.
pub(super) fn branch<L: Leaf>(leaves: &[L]) -> (Prefix, usize) {
    let (first, last) = (leaves[0].label(), leaves[leaves.len() - 1].label());
    let bits = first.common(last);
    let middle = leaves.partition_point(|leaf| !leaf.label().bit(bits.min(255) as u8));
    (Prefix::of(first, bits), middle)
}

/// The subtree over ascending labels, of which there is at least one. It goes as deep as there are
/// leaves.
pub(super) fn subtree<L: Leaf>(leaves: &[L]) -> Sum {
    let hash = match leaves {
        [] => empty(),
        [one] => one.hash(),
        _ => {
            let (prefix, middle) = branch(leaves);
            inner(
                &prefix,
                &subtree(&leaves[..middle]),
                &subtree(&leaves[middle..]),
            )
        }
    };
    Sum {
        hash,
        labels: leaves.len() as u64,
    }
}

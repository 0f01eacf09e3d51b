//! docs/index.md, sections 4 and 5, transcribed: recursive, slow and plain. Tests hold the rest of
//! `index` against it.

use super::label::{Label, Prefix};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use std::collections::BTreeMap;

pub type Plain = BTreeMap<Label, Vec<LeafIndex>>;

/// Any label, made of a number.
pub fn label(n: u64) -> Label {
    Label::from_bytes(*Hash::of(&n.to_be_bytes()).as_bytes())
}

pub fn list_root(leaves: &[LeafIndex]) -> Hash {
    match leaves {
        [one] => Hash::of_parts(&[&[0x13], &one.get().to_be_bytes()]),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            let (left, right) = (list_root(left), list_root(right));
            Hash::of_parts(&[&[0x14], left.as_bytes(), right.as_bytes()])
        }
    }
}

pub fn root(labels: &Plain) -> Hash {
    subtree(&labels.iter().collect::<Vec<_>>())
}

fn subtree(labels: &[(&Label, &Vec<LeafIndex>)]) -> Hash {
    match labels {
        [] => Hash::of(&[0x10]),
        [(label, list)] => {
            let length = (list.len() as u64).to_be_bytes();
            Hash::of_parts(&[
                &[0x11],
                label.as_bytes(),
                &length,
                list_root(list).as_bytes(),
            ])
        }
        [(first, _), ..] => {
            let mut bits = 255;
            while labels
                .iter()
                .any(|(label, _)| Prefix::of(label, bits) != Prefix::of(first, bits))
            {
                bits -= 1;
            }
            let (left, right): (Vec<_>, Vec<_>) =
                labels.iter().partition(|(label, _)| !label.bit(bits as u8));
            let prefix = Prefix::of(first, bits);
            let counts = [left.len() as u64, right.len() as u64].map(u64::to_be_bytes);
            let (left, right) = (subtree(&left), subtree(&right));
            let parts = [
                &[0x12][..],
                &bits.to_be_bytes(),
                prefix.first().as_bytes(),
                counts.as_flattened(),
                left.as_bytes(),
                right.as_bytes(),
            ];
            Hash::of_parts(&parts)
        }
    }
}

//! The rules that a log can be shown to have broken.

use crate::claim::{ClaimId, PublicKey};
use crate::entry::EntryError;
use crate::index::{Label, MappingError};
use crate::issuer::IssuerId;
use assay_tlog::tree::{LeafIndex, TreeSize};
use std::fmt;

/// A rule that a log broke, and where (docs/design.md 3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The last leaf of a head does not commit to the index.
    NoCommitment {
        /// The size of the head.
        size: TreeSize,
    },
    /// The first leaf of the log does not commit to the empty index.
    NotEmpty,
    /// The mapping version changes.
    Mapping {
        /// The commitment that states the first version.
        before: LeafIndex,
        /// The one that states another.
        leaf: LeafIndex,
    },
    /// The version of the rules of admission falls.
    Admission {
        /// The commitment that states the larger version.
        before: LeafIndex,
        /// The one that states the smaller one.
        leaf: LeafIndex,
    },
    /// An entry has an earlier time than one before it.
    Time {
        /// The entry before it.
        before: LeafIndex,
        /// The entry with the earlier time.
        leaf: LeafIndex,
    },
    /// The index does not list an entry under a label that it has.
    Omitted {
        /// The entry.
        leaf: LeafIndex,
        /// The label.
        label: Label,
    },
    /// Two neighbors in a list do not ascend.
    Unordered {
        /// The label.
        label: Label,
        /// The first neighbor.
        first: LeafIndex,
        /// The second one.
        second: LeafIndex,
    },
    /// The index lists an entry under a label that it does not have.
    Unrelated {
        /// The entry.
        leaf: LeafIndex,
        /// The label.
        label: Label,
    },
    /// The index lists a leaf that the commitment does not cover.
    Uncovered {
        /// The leaf.
        leaf: LeafIndex,
        /// The label.
        label: Label,
    },
    /// A claim is out of the bounds of entries.
    Bounds {
        /// The entry.
        leaf: LeafIndex,
        /// The bound.
        why: EntryError,
    },
    /// A signature is plainly wrong: it fails the strict check and the cofactored equation.
    Signature {
        /// The entry.
        leaf: LeafIndex,
        /// Which signature, from 1.
        number: usize,
    },
    /// A claim has more labels than a log may take.
    Labels {
        /// The entry.
        leaf: LeafIndex,
        /// How many.
        why: MappingError,
    },
    /// A key stands in the records of two issuers.
    SharedKey {
        /// The record before it.
        before: LeafIndex,
        /// The record.
        leaf: LeafIndex,
        /// The key.
        key: PublicKey,
    },
    /// A record brings a key that did not sign it.
    SilentKey {
        /// The record.
        leaf: LeafIndex,
        /// The key.
        key: PublicKey,
    },
    /// A claim stands in the log again, and for an issuer that signed it there is no new key.
    Repeated {
        /// The entry.
        leaf: LeafIndex,
        /// The claim.
        claim: ClaimId,
        /// The issuer.
        issuer: IssuerId,
    },
}

impl Broken {
    /// The leaf that breaks the rule.
    pub fn leaf(&self) -> LeafIndex {
        match self {
            Broken::NoCommitment { size } => size.last_leaf().unwrap_or_default(),
            Broken::NotEmpty => LeafIndex::new(0),
            Broken::Unordered { second, .. } => *second,
            Broken::Mapping { leaf, .. }
            | Broken::Admission { leaf, .. }
            | Broken::Time { leaf, .. }
            | Broken::Omitted { leaf, .. }
            | Broken::Unrelated { leaf, .. }
            | Broken::Uncovered { leaf, .. }
            | Broken::Bounds { leaf, .. }
            | Broken::Signature { leaf, .. }
            | Broken::Labels { leaf, .. }
            | Broken::SharedKey { leaf, .. }
            | Broken::SilentKey { leaf, .. }
            | Broken::Repeated { leaf, .. } => *leaf,
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::NoCommitment { size } => {
                write!(
                    f,
                    "the head of size {size} does not end in an index commitment"
                )
            }
            Broken::NotEmpty => f.write_str("leaf 0 does not commit to the empty index"),
            Broken::Mapping { before, leaf } => {
                write!(
                    f,
                    "the mapping version changes from leaf {before} to {leaf}"
                )
            }
            Broken::Admission { before, leaf } => {
                write!(
                    f,
                    "the admission version falls from leaf {before} to {leaf}"
                )
            }
            Broken::Time { before, leaf } => {
                write!(f, "leaf {leaf} has an earlier time than leaf {before}")
            }
            Broken::Omitted { .. }
            | Broken::Unordered { .. }
            | Broken::Unrelated { .. }
            | Broken::Uncovered { .. } => self.fmt_index(f),
            Broken::Bounds { leaf, why } => write!(f, "leaf {leaf} is out of bounds: {why}"),
            Broken::Labels { leaf, why } => write!(f, "leaf {leaf} is out of bounds: {why}"),
            Broken::Signature { leaf, number } => {
                write!(f, "signature {number} of leaf {leaf} is wrong")
            }
            Broken::SharedKey { before, leaf, key } => write!(
                f,
                "leaves {before} and {leaf} are records of two issuers with the same key {key}"
            ),
            Broken::SilentKey { leaf, key } => {
                write!(
                    f,
                    "the record at leaf {leaf} brings key {key}, which did not sign it"
                )
            }
            Broken::Repeated {
                leaf,
                claim,
                issuer,
            } => write!(
                f,
                "leaf {leaf} repeats claim {claim} without a new key of issuer {issuer}"
            ),
        }
    }
}

impl Broken {
    /// What the index says wrongly; nothing of the other rules.
    fn fmt_index(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Omitted { leaf, label } => {
                write!(
                    f,
                    "the index does not list leaf {leaf} under {label}, a label it has"
                )
            }
            Broken::Unordered {
                label,
                first,
                second,
            } => {
                write!(
                    f,
                    "the index lists leaf {second} after leaf {first} under {label}"
                )
            }
            Broken::Unrelated { leaf, label } => {
                write!(
                    f,
                    "the index lists leaf {leaf} under {label}, a label it does not have"
                )
            }
            Broken::Uncovered { leaf, label } => {
                write!(
                    f,
                    "the index lists leaf {leaf} under {label} before that leaf exists"
                )
            }
            _ => Ok(()),
        }
    }
}

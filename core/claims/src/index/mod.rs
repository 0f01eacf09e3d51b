//! The verifiable index: from labels (a package, a version, a digest, an issuer, a claim, a
//! vulnerability) to the leaves that have them, under one root that the log itself commits to
//! (docs/design.md 3.5; docs/index.md specifies every byte).
//!
//! | module | what it decides |
//! | --- | --- |
//! | `label`, `package`, `mapping` | which labels an entry has |
//! | `list` | the root of a label's list of leaves |
//! | `range` | that a page of a list stands at its place |
//! | `trie` | the hashes of the trie |
//! | `wanted` | what is asked, on its way down the trie |
//! | `page`, `draft` | pages of up to sixteen labels, read and written |
//! | `map` | the trie as it is kept: pages below a directory, changed by whole publish steps |
//! | `cut` | proofs: a pruned copy of the trie, for one label, many, or a prefix |
//! | `answer` | the complete answer: commitment, cut, lists, entries and their inclusion |
//!
//! Left out: where pages and lists are stored (the node's), and whom to believe (`assay-policy`).
//! A proof shows what a root says, not that the root was built right. That is found by rebuilding
//! it, which every audit and mirror does.

pub mod answer;
pub mod commitment;
pub mod cut;
mod draft;
mod label;
pub mod list;
pub mod map;
mod mapping;
mod package;
pub mod page;
pub mod range;
mod trie;
mod wanted;

pub use answer::{Answer, AnswerError, AnswerPage, Query, VerifiedAnswer, VerifiedPages};
pub use commitment::{ADMISSION_VERSION, Commitment, CommitmentError};
pub use cut::{CUT_PIECE_BYTES, Cut, CutError, Found};
pub use label::{By, Kind, Label, Name, Prefix};
pub use map::Map;
pub use mapping::{
    DIGESTS, MAPPING_VERSION, MappingError, checked_labels_of_claim, checked_labels_of_entry,
    labels_of_claim, labels_of_entry, most_labels,
};
pub use package::PackageNames;

#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;

//! Questions and answers as they travel. Nothing here is verified.

use crate::index::label::{Label, Prefix};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// These labels, sorted, each once, with their whole lists.
    Labels(Vec<Label>),
    /// One label, its list from a position on. A list can be long, so it comes in pages.
    Page {
        /// The label.
        label: Label,
        /// The position in its list.
        from: u64,
    },
    /// All labels that begin with a prefix, with their whole lists. Whoever is asked learns only
    /// the prefix.
    Prefix(Prefix),
}

/// An answer, not verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The last entry of the checkpoint's tree.
    pub commitment: Bytes,
    /// The cut ([`Cut`](crate::index::Cut)).
    pub cut: Bytes,
    /// The lists of the labels that the index has, ascending by label.
    pub lists: Vec<AnsweredList>,
    /// The entries in the lists, ascending by leaf; those that did not fit are left out.
    pub entries: Vec<(LeafIndex, Bytes)>,
    /// The multiproof that the entries and the commitment are in the log
    /// ([`verify_multiproof`](assay_tlog::tree::verify_multiproof)).
    pub inclusion: Vec<Hash>,
}

/// A label's list, or a page of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredList {
    /// The label.
    pub label: Label,
    /// The position of the first of `leaves` in the list.
    pub from: u64,
    /// Ascending leaf indices.
    pub leaves: Vec<LeafIndex>,
}

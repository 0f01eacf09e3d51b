//! Questions and answers as they travel. Nothing here is verified.

use crate::index::label::{By, Label, Name, Prefix};
use crate::index::wanted::Wanted;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// What each of these said about each of these names, with the whole lists; both are sorted,
    /// each once, at least one of each.
    Names {
        /// Of what.
        names: Vec<Name>,
        /// By whom, or of which type.
        by: Vec<By>,
    },
    /// What these said about any name that begins with a prefix, of at most
    /// [`Name::BITS`] bits. Whoever is asked learns only the prefix.
    Crowd {
        /// What the names begin with.
        prefix: Prefix,
        /// By whom; sorted, each once.
        by: Vec<By>,
    },
    /// One label, its list from a position on. A list can be long, so it comes in pages.
    Page {
        /// The label.
        label: Label,
        /// The position in its list.
        from: u64,
    },
    /// Which labels begin with a prefix, without their lists: of a name's prefix, everybody who
    /// spoke of it.
    Census(Prefix),
}

impl Query {
    /// What each of `by` said about each of `names`, in whatever order these are given.
    pub fn names(names: impl IntoIterator<Item = Name>, by: impl IntoIterator<Item = By>) -> Self {
        let mut names: Vec<Name> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Query::Names {
            names,
            by: sorted(by),
        }
    }

    /// Names and speakers of all of these labels: these labels, and maybe others.
    pub fn labels<'l>(labels: impl IntoIterator<Item = &'l Label> + Clone) -> Self {
        let names = labels.clone().into_iter().map(Label::name);
        Query::names(names, labels.into_iter().map(Label::by))
    }

    /// Whether the list of this label is asked for. A census asks for no list.
    pub fn asks_for(&self, label: &Label) -> bool {
        !matches!(self, Query::Census(_)) && Wanted::of(self).asks_for(label)
    }

    /// What these said about any name that begins with `prefix`.
    pub fn crowd(prefix: Prefix, by: impl IntoIterator<Item = By>) -> Self {
        Query::Crowd {
            prefix,
            by: sorted(by),
        }
    }
}

fn sorted(by: impl IntoIterator<Item = By>) -> Vec<By> {
    let mut by: Vec<By> = by.into_iter().collect();
    by.sort_unstable();
    by.dedup();
    by
}

/// An answer, not verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The last entry of the checkpoint's tree.
    pub commitment: Bytes,
    /// The cut ([`Cut`](crate::index::Cut)).
    pub cut: Bytes,
    /// The lists of the labels that the index has, ascending by label; without those that are
    /// longer than [`limits::WHOLE_LIST`](crate::limits::WHOLE_LIST), and none for a census.
    pub lists: Vec<AnsweredList>,
    /// The entries in the lists, ascending by leaf; those that did not fit are left out.
    pub entries: Vec<(LeafIndex, Bytes)>,
    /// The multiproof that the entries and the commitment are in the log
    /// ([`verify_multiproof`](assay_tlog::tree::verify_multiproof)).
    pub inclusion: Vec<Hash>,
    /// The proof that a page of a list stands at its place in the list (docs/index.md 8.3); empty
    /// in every other answer.
    pub range: Vec<Hash>,
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

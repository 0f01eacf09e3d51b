//! The complete answer: everything that a log says under some labels, and that nothing was left out
//! (DESIGN 3.5).
//!
//! checkpoint ─ inclusion of its last leaf ─> commitment ─ cut ─> each label's list ─ inclusion ─>
//! the entries
//!
//! What it does not show: that the index was built right. An entry that the log left out of its
//! index is found by whoever rebuilds it (audit, mirror), which a cosignature of a mirror states.

use super::label::{Label, Prefix};
use super::{Commitment, CommitmentError, Cut, CutError, Found, labels_of_entry, list};
use crate::claim::{self, ClaimError, KeyCache};
use crate::entry::{Entry, EntryError};
use crate::logged::LoggedClaim;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{LeafIndex, MultiproofError, verify_multiproof};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// These labels, sorted, each once, with their whole lists.
    Labels(Vec<Label>),
    /// One label, its list from a position on. A list can be long: it comes in pages.
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

/// An answer as it travels. Nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The last entry of the checkpoint's tree.
    pub commitment: Bytes,
    /// The cut ([`Cut`]).
    pub cut: Bytes,
    /// The lists of the labels that are there, ascending by label.
    pub lists: Vec<AnsweredList>,
    /// The entries in the lists, ascending; those that did not fit are left out.
    pub entries: Vec<(LeafIndex, Bytes)>,
    /// The proof that the entries and the commitment are in the log ([`verify_multiproof`]).
    pub inclusion: Vec<assay_tlog::Hash>,
}

/// A label's list, or a page of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredList {
    /// The label.
    pub label: Label,
    /// The position of the first of `leaves` in the list.
    pub from: u64,
    /// Ascending leaf indices.
    pub leaves: Vec<u64>,
}

/// Why an answer is refused. Whoever served it made the mistake, or lied; an unsupported mapping is
/// nobody's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The checkpoint is of the empty tree, which no log with an index ever shows.
    #[error("the checkpoint is of an empty log, which cannot commit to an index")]
    EmptyLog,
    /// Its last leaf is no entry.
    #[error("the last leaf of the checkpoint is no entry: {0}")]
    LastLeaf(EntryError),
    /// Its last leaf is no commitment, or none that can be relied on.
    #[error("the last leaf of the checkpoint does not commit to the index: {0}")]
    Commitment(#[from] CommitmentError),
    /// The proof of the index does not hold.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The entries and the commitment are not where they are said to be.
    #[error("the entries or the commitment are not in the log: {0}")]
    Inclusion(#[from] MultiproofError),
    /// Lists were given that nobody asked for, or a list of what was found is missing.
    #[error("the lists are not those of the labels that were asked for and are in the index")]
    OtherLists,
    /// The list is not the one that the index has.
    #[error(
        "the list of label {0} is not the one in the index: entries were hidden, added or exchanged"
    )]
    List(Label),
    /// An entry is none.
    #[error("leaf {0} is no entry: {1}")]
    Entry(LeafIndex, EntryError),
    /// An entry is in a list whose label it does not have.
    #[error("leaf {leaf} is listed under {label}, which it does not bear on")]
    Unrelated {
        /// The leaf.
        leaf: LeafIndex,
        /// The label that it is listed under.
        label: Label,
    },
    /// An entry that is in none of the lists.
    #[error("leaf {0} was sent, and is in none of the lists")]
    Unlisted(LeafIndex),
}

impl AnswerError {
    /// Whether the answer may be right and this program is too old to tell.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self,
            AnswerError::Commitment(CommitmentError::Unsupported { .. })
        )
    }
}

/// A label's list, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedList {
    /// Its length and root.
    pub found: Found,
    /// Where `leaves` begins.
    pub from: u64,
    /// The leaves from there on.
    pub leaves: Vec<LeafIndex>,
}

impl VerifiedList {
    /// Whether the whole list is here, and so was compared with its root.
    pub fn is_whole(&self) -> bool {
        self.leaves.len() as u64 == self.found.length
    }
}

/// An answer that was verified against a checkpoint: nothing that the index has under the labels
/// that were asked for was left out of the lists. Only [`VerifiedAnswer::verify`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedAnswer {
    checkpoint: VerifiedCheckpoint,
    commitment: Commitment,
    made_at_ms: u64,
    lists: BTreeMap<Label, VerifiedList>,
    entries: BTreeMap<LeafIndex, Entry>,
}

impl VerifiedAnswer {
    /// Verifies an answer to `query` under `checkpoint`.
    ///
    /// It guarantees that the checkpoint's last leaf commits to an index of a known mapping; that
    /// the lists are those of all labels asked for that this index has, whole and unchanged, but
    /// for a page of one ([`Query::Page`]), which is checked when the last page is there
    /// ([`check_pages`]); and that every entry is in the log at its place and has the labels that
    /// it is listed under. It does not verify claims: see [`VerifiedAnswer::claims`].
    pub fn verify(
        checkpoint: VerifiedCheckpoint,
        query: &Query,
        answer: Answer,
    ) -> Result<Self, AnswerError> {
        let last = checkpoint
            .size()
            .get()
            .checked_sub(1)
            .ok_or(AnswerError::EmptyLog)?;
        let entry = Entry::parse(answer.commitment).map_err(AnswerError::LastLeaf)?;
        let mut leaves: Vec<_> = answer
            .entries
            .iter()
            .map(|(at, bytes)| (*at, leaf_hash(bytes)))
            .collect();
        leaves.push((LeafIndex::new(last), entry.leaf_hash()));
        verify_multiproof(
            &leaves,
            checkpoint.size(),
            &answer.inclusion,
            &checkpoint.root(),
        )?;

        // Not before it is known to be the log's: a made-up one could send whoever asks for a newer
        // program.
        let commitment = Commitment::of_entry(&entry, last)?;
        let cut = Cut::verify(&answer.cut, &commitment)?;
        let lists = check_lists(query, &cut, answer.lists, last)?;
        let entries = check_entries(&lists, answer.entries)?;
        Ok(VerifiedAnswer {
            checkpoint,
            commitment,
            made_at_ms: entry.logged_at_ms(),
            lists,
            entries,
        })
    }

    /// The checkpoint: the answer is complete as of its size.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// When the commitment was made, by the log's clock, in milliseconds since 1970 (UTC). What the
    /// log logged afterward is not in the answer.
    pub fn made_at_ms(&self) -> u64 {
        self.made_at_ms
    }

    /// What the checkpoint commits to.
    pub fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// The list of a label; `None` if the index has no such label, which is proven too for those
    /// that were asked for.
    pub fn list(&self, label: &Label) -> Option<&VerifiedList> {
        self.lists.get(label)
    }

    /// Every list, by label.
    pub fn lists(&self) -> &BTreeMap<Label, VerifiedList> {
        &self.lists
    }

    /// The entries, by leaf.
    pub fn entries(&self) -> &BTreeMap<LeafIndex, Entry> {
        &self.entries
    }

    /// Leaves that are listed and whose entries did not come with the answer.
    pub fn missing(&self) -> Vec<LeafIndex> {
        let listed = self.lists.values().flat_map(|list| &list.leaves);
        let mut missing: Vec<_> = listed
            .filter(|leaf| !self.entries.contains_key(leaf))
            .copied()
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// The claim in the entry of a leaf, verified strictly, or why it does not verify. `None` if
    /// the entry did not come, or has no claim.
    pub fn claim(
        &self,
        keys: &impl KeyCache,
        leaf: LeafIndex,
    ) -> Option<Result<LoggedClaim, ClaimError>> {
        let entry = self.entries.get(&leaf)?;
        let verified = claim::verify(entry.claim().ok()?, keys);
        let origin: Arc<str> = self.checkpoint.origin().into();
        Some(verified.map(|claim| LoggedClaim::new(origin, leaf, entry.logged_at_ms(), claim)))
    }

    /// The claims in the entries of the leaves that are `wanted`, each verified strictly, or why it
    /// does not verify; ascending by leaf. Commitments have no labels and so are never among them.
    pub fn claims(
        &self,
        keys: &impl KeyCache,
        wanted: impl Fn(LeafIndex) -> bool,
    ) -> Vec<(LeafIndex, Result<LoggedClaim, ClaimError>)> {
        let wanted = self.entries.keys().filter(|leaf| wanted(**leaf));
        wanted
            .filter_map(|leaf| Some((*leaf, self.claim(keys, *leaf)?)))
            .collect()
    }
}

fn check_lists(
    query: &Query,
    cut: &Cut,
    answered: Vec<AnsweredList>,
    last: u64,
) -> Result<BTreeMap<Label, VerifiedList>, AnswerError> {
    let (found, from) = match query {
        Query::Labels(labels) => (find_all(cut, labels)?, 0),
        Query::Page { label, from } => (find_all(cut, std::slice::from_ref(label))?, *from),
        Query::Prefix(prefix) => (cut.under(prefix)?, 0),
    };
    if found.len() != answered.len() {
        return Err(AnswerError::OtherLists);
    }
    let mut lists = BTreeMap::new();
    for (found, answered) in found.into_iter().zip(answered) {
        if found.label != answered.label || answered.from != from {
            return Err(AnswerError::OtherLists);
        }
        let ascending = answered.leaves.windows(2).all(|pair| pair[0] < pair[1]);
        let below = answered.leaves.last().is_none_or(|leaf| *leaf < last);
        let fits = from
            .checked_add(answered.leaves.len() as u64)
            .is_some_and(|end| end <= found.length);
        let whole = answered.leaves.len() as u64 == found.length;
        let page = matches!(query, Query::Page { .. });
        let rooted = || {
            answered
                .leaves
                .iter()
                .copied()
                .collect::<list::ListFrontier>()
                .root()
                == found.list_root
        };
        if !ascending || !below || !fits || !(if whole { rooted() } else { page }) {
            return Err(AnswerError::List(found.label));
        }
        let leaves = answered.leaves.into_iter().map(LeafIndex::new).collect();
        lists.insert(
            found.label,
            VerifiedList {
                found,
                from,
                leaves,
            },
        );
    }
    Ok(lists)
}

fn find_all(cut: &Cut, labels: &[Label]) -> Result<Vec<Found>, CutError> {
    labels
        .iter()
        .filter_map(|label| cut.find(label).transpose())
        .collect()
}

/// Every entry parses, is listed, and has every label that it is listed under.
fn check_entries(
    lists: &BTreeMap<Label, VerifiedList>,
    answered: Vec<(LeafIndex, Bytes)>,
) -> Result<BTreeMap<LeafIndex, Entry>, AnswerError> {
    let mut under: BTreeMap<LeafIndex, Vec<Label>> = BTreeMap::new();
    for (label, list) in lists {
        list.leaves
            .iter()
            .for_each(|leaf| under.entry(*leaf).or_default().push(*label));
    }
    let mut entries = BTreeMap::new();
    for (leaf, bytes) in answered {
        let listed = under.get(&leaf).ok_or(AnswerError::Unlisted(leaf))?;
        let entry = Entry::parse(bytes).map_err(|error| AnswerError::Entry(leaf, error))?;
        let labels = labels_of_entry(&entry);
        if let Some(label) = listed
            .iter()
            .find(|label| labels.binary_search(label).is_err())
        {
            return Err(AnswerError::Unrelated {
                leaf,
                label: *label,
            });
        }
        entries.insert(leaf, entry);
    }
    Ok(entries)
}

/// Checks that pages of one label's list, in order, make up the whole list, as the last of them has
/// it. Pages before it may be of earlier checkpoints: lists are append-only.
pub fn check_pages(label: &Label, pages: &[VerifiedAnswer]) -> Result<(), AnswerError> {
    let Some(last) = pages.last() else {
        return Err(AnswerError::OtherLists);
    };
    let Some(list) = last.list(label) else {
        // It is not in the index now, so it never was: no page can have shown a leaf.
        return if pages.len() == 1 {
            Ok(())
        } else {
            Err(AnswerError::List(*label))
        };
    };
    let mut frontier = list::ListFrontier::default();
    for list in pages.iter().filter_map(|page| page.list(label)) {
        if list.from != frontier.length() {
            return Err(AnswerError::List(*label));
        }
        frontier.extend(list.leaves.iter().map(|leaf| leaf.get()));
    }
    if frontier.length() == list.found.length && frontier.root() == list.found.list_root {
        Ok(())
    } else {
        Err(AnswerError::List(*label))
    }
}

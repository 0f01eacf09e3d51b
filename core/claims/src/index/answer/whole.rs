//! The complete answer, whose lists were compared with the index as a whole.

use super::error::AnswerError;
use super::list::{check_covered, check_no_range, check_order, check_position, check_whole};
use super::message::{Answer, AnsweredList, Query};
use super::proven::{Basis, ProvenEntries};
use crate::entry::Entry;
use crate::index::commitment::Commitment;
use crate::index::cut::{Cut, CutError, Found};
use crate::index::label::{Label, Name, Prefix};
use crate::index::map::{Join, Serial};
use crate::limits;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::LeafIndex;
use std::collections::BTreeMap;

/// A label's whole list, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedList {
    found: Found,
    leaves: Vec<LeafIndex>,
}

impl VerifiedList {
    /// Its length and root.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// All of its leaves, ascending.
    pub fn leaves(&self) -> &[LeafIndex] {
        &self.leaves
    }
}

/// An answer that was verified against a checkpoint: for every label that was asked for it has the
/// whole list of the index, or proves that the index does not have the label. Only
/// [`VerifiedAnswer::verify`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedAnswer {
    proven: ProvenEntries,
    cut: Cut,
    lists: BTreeMap<Label, VerifiedList>,
    overlong: Vec<Found>,
    census: Vec<Found>,
}

impl VerifiedAnswer {
    /// Verifies an answer to `query` under `checkpoint`.
    ///
    /// It guarantees that the checkpoint's last leaf commits to an index of a known mapping
    /// version; that the lists are those of all labels asked for that this index has, whole and
    /// unchanged, with the entries of the first [`limits::LABEL_ENTRIES`] leaves of each; and that
    /// every entry is in the log at its leaf and has the labels that it is listed under. Later
    /// entries of a list may be missing ([`VerifiedAnswer::missing`]), and lists of more than
    /// [`limits::WHOLE_LIST`] leaves are ([`VerifiedAnswer::overlong`]). Claims are not verified:
    /// see [`ProvenEntries::claim`].
    ///
    /// Lists of more than [`limits::LISTED_LEAVES`] leaves together are refused before any of them
    /// is looked at.
    ///
    /// A [`Query::Page`] is answered only by the whole list. For a part of one see
    /// [`AnswerPage`](super::AnswerPage). A [`Query::Census`] has no lists: see
    /// [`VerifiedAnswer::census`].
    pub fn verify(
        checkpoint: VerifiedCheckpoint,
        query: &Query,
        answer: Answer,
    ) -> Result<Self, AnswerError> {
        Self::verify_with(checkpoint, query, answer, &Serial)
    }

    /// [`VerifiedAnswer::verify`], which reads entries at the same time as far as it can.
    pub fn verify_with(
        checkpoint: VerifiedCheckpoint,
        query: &Query,
        answer: Answer,
        join: &impl Join,
    ) -> Result<Self, AnswerError> {
        let basis = Basis::verify(checkpoint, &answer, join)?;
        let cut = Cut::verify(&answer.cut, basis.commitment())?;
        let mut found = cut.answer(query)?;
        let mut census = Vec::new();
        if matches!(query, Query::Census(_)) {
            census.append(&mut found);
        }
        let overlong = found
            .extract_if(.., |found| found.length > limits::WHOLE_LIST)
            .collect();
        check_size(&found)?;
        let lists = check_lists(found, answer.lists, basis.last())?;
        check_no_range(&answer.range)?;
        let listed = lists
            .iter()
            .map(|(label, list)| (label, list.leaves.as_slice()));
        let proven = basis.prove(listed, answer.entries, join)?;
        check_brought(&lists, &proven)?;
        Ok(VerifiedAnswer {
            proven,
            cut,
            lists,
            overlong,
            census,
        })
    }

    /// What the answer rests on: the checkpoint, and the entries that are in the log under it.
    pub fn proven(&self) -> &ProvenEntries {
        &self.proven
    }

    /// The checkpoint. The answer is complete as of its size.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        self.proven.checkpoint()
    }

    /// See [`ProvenEntries::made_at_ms`].
    pub fn made_at_ms(&self) -> u64 {
        self.proven.made_at_ms()
    }

    /// See [`ProvenEntries::commitment`].
    pub fn commitment(&self) -> &Commitment {
        self.proven.commitment()
    }

    /// The list of a label. `None` if the index does not have the label; for a label that was asked
    /// for, that is proven.
    pub fn list(&self, label: &Label) -> Option<&VerifiedList> {
        self.lists.get(label)
    }

    /// Every list, by label.
    pub fn lists(&self) -> &BTreeMap<Label, VerifiedList> {
        &self.lists
    }

    /// The labels that were asked for and are in the index, with lists that are too long to come.
    pub fn overlong(&self) -> &[Found] {
        &self.overlong
    }

    /// The labels that a [`Query::Census`] asked for, ascending, with the lengths of their lists;
    /// none for any other query.
    pub fn census(&self) -> &[Found] {
        &self.census
    }

    /// See [`Cut::speakers`].
    pub fn speakers(&self, name: &Name) -> Result<u64, CutError> {
        self.cut.speakers(name)
    }

    /// See [`Cut::crowd_names`].
    pub fn crowd_names(&self, prefix: &Prefix) -> Result<Vec<Name>, CutError> {
        self.cut.crowd_names(prefix)
    }

    /// See [`ProvenEntries::entries`].
    pub fn entries(&self) -> &BTreeMap<LeafIndex, Entry> {
        self.proven.entries()
    }

    /// The leaves that are listed and whose entries did not come, ascending, each once. None of
    /// them is one of the first [`limits::LABEL_ENTRIES`] of a list.
    pub fn missing(&self) -> Vec<LeafIndex> {
        self.proven
            .missing(self.lists.values().flat_map(|list| &list.leaves))
    }
}

/// Checks that the lists of these labels may come together.
fn check_size(found: &[Found]) -> Result<(), AnswerError> {
    let lengths = found.iter().map(|found| found.length);
    let leaves = lengths.fold(0, u64::saturating_add);
    if leaves > limits::LISTED_LEAVES {
        return Err(AnswerError::TooManyLeaves(leaves));
    }
    Ok(())
}

/// Checks that the entries came that must. Who asked for a crowd cannot ask for one of them alone
/// without saying whom it hides.
fn check_brought(
    lists: &BTreeMap<Label, VerifiedList>,
    proven: &ProvenEntries,
) -> Result<(), AnswerError> {
    for (label, list) in lists {
        for leaf in list.leaves.iter().take(limits::LABEL_ENTRIES) {
            if !proven.entries().contains_key(leaf) {
                let (leaf, label) = (*leaf, *label);
                return Err(AnswerError::Withheld { leaf, label });
            }
        }
    }
    Ok(())
}

/// Checks that there is one list for each label that was found, that each is the one in the index,
/// and that there are no others.
fn check_lists(
    found: Vec<Found>,
    answered: Vec<AnsweredList>,
    commitment: LeafIndex,
) -> Result<BTreeMap<Label, VerifiedList>, AnswerError> {
    let mut answered = answered.into_iter();
    let mut lists = BTreeMap::new();
    for found in found {
        let list = answered
            .next()
            .filter(|list| list.label == found.label)
            .ok_or(AnswerError::MissingList(found.label))?;
        check_position(&list, 0)?;
        check_order(&list)?;
        check_covered(&list, commitment)?;
        check_whole(&list.leaves.iter().copied().collect(), &found)?;
        let leaves = list.leaves;
        lists.insert(found.label, VerifiedList { found, leaves });
    }
    match answered.next() {
        Some(other) => Err(AnswerError::OtherList(other.label)),
        None => Ok(lists),
    }
}

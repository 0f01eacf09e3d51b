//! Long lists, which come in pages: what one page proves, and what all of them do.

use super::error::AnswerError;
use super::list::{
    check_covered, check_end, check_no_range, check_order, check_place, check_position, check_whole,
};
use super::message::Answer;
use super::proven::{Basis, ProvenEntries};
use crate::index::cut::{Cut, Found};
use crate::index::label::Label;
use crate::index::list::ListFrontier;
use crate::index::map::Serial;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::LeafIndex;

/// A part of a label's list, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// Length and root of the whole list.
    pub found: Found,
    /// The position in the list of the first of `leaves`.
    pub from: u64,
    /// The leaves that stand there, ascending. At least one, unless the list ends at `from`.
    pub leaves: Vec<LeafIndex>,
}

/// One page of a label's list.
///
/// *Proven* are: the length and the root of the list as of the checkpoint, or that the index does
/// not have the label; that the leaves of the page are those of the list from its position on, none
/// left out and none added; and for every entry that came, that it is in the log at its leaf and
/// has the label.
///
/// *Not proven* is anything about the rest of the list. It is a part, and what is said to be
/// complete for a label is made of all its pages ([`VerifiedPages`]).
#[derive(Debug, Clone)]
pub struct AnswerPage {
    label: Label,
    proven: ProvenEntries,
    list: Option<ListPage>,
}

impl AnswerPage {
    /// Verifies the page of the list of `label` from the position `from` on.
    ///
    /// It guarantees what the type says. How many leaves a page has, up to the end of the list, is
    /// up to who sends it.
    pub fn verify(
        checkpoint: VerifiedCheckpoint,
        label: &Label,
        from: u64,
        answer: Answer,
    ) -> Result<Self, AnswerError> {
        let basis = Basis::verify(checkpoint, &answer, &Serial)?;
        let cut = Cut::verify(&answer.cut, basis.commitment())?;
        let mut answered = answer.lists.into_iter();
        let list = match cut.find(label)? {
            None => {
                check_no_range(&answer.range)?;
                None
            }
            Some(found) => {
                let list = answered
                    .next()
                    .filter(|list| list.label == found.label)
                    .ok_or(AnswerError::MissingList(found.label))?;
                check_position(&list, from)?;
                check_order(&list)?;
                check_covered(&list, basis.last())?;
                check_end(&list, &found)?;
                check_place(&list, &found, &answer.range)?;
                let leaves = list.leaves;
                Some(ListPage {
                    found,
                    from,
                    leaves,
                })
            }
        };
        if let Some(other) = answered.next() {
            return Err(AnswerError::OtherList(other.label));
        }
        let listed = list.iter().map(|list| (label, list.leaves.as_slice()));
        let proven = basis.prove(listed, answer.entries, &Serial)?;
        Ok(AnswerPage {
            label: *label,
            proven,
            list,
        })
    }

    /// What is proven: the checkpoint, and the entries that are in the log under it.
    pub fn proven(&self) -> &ProvenEntries {
        &self.proven
    }

    /// The page. `None` if the index does not have the label, which is proven.
    pub fn list(&self) -> Option<&ListPage> {
        self.list.as_ref()
    }

    /// The leaves in the page, ascending. None if the index does not have the label.
    pub fn leaves(&self) -> &[LeafIndex] {
        self.list.as_ref().map_or(&[], |list| &list.leaves)
    }

    /// The leaves in the page whose entries did not come, ascending.
    pub fn missing(&self) -> Vec<LeafIndex> {
        self.proven.missing(self.leaves())
    }
}

/// Pages that make up the whole list of a label, or all of it after a part that was verified
/// before. Only [`VerifiedPages::verify`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedPages(Vec<AnswerPage>);

impl VerifiedPages {
    /// Checks that the list of a label, of which `before` is known, goes on with `pages`, in order,
    /// to its end as of the last page's checkpoint.
    ///
    /// `before` is empty for a whole list. Pages before the last may be of earlier checkpoints:
    /// lists only grow.
    pub fn verify(before: ListFrontier, pages: Vec<AnswerPage>) -> Result<Self, AnswerError> {
        let last = pages.last().ok_or(AnswerError::NoPages)?;
        let label = last.label;
        if let Some(other) = pages.iter().find(|page| page.label != label) {
            return Err(AnswerError::OtherList(other.label));
        }
        let Some(now) = &last.list else {
            // The index does not have the label now, so it never did: no page can have had a leaf.
            return if pages.len() == 1 && before.length() == 0 {
                Ok(VerifiedPages(pages))
            } else {
                Err(AnswerError::ListGone(label))
            };
        };
        let mut list = before;
        let mut end = None;
        for page in pages.iter().filter_map(|page| page.list.as_ref()) {
            check_next(page, list.length(), end)?;
            list.extend(page.leaves.iter().copied());
            end = page.leaves.last().copied().or(end);
        }
        check_whole(&list, &now.found)?;
        Ok(VerifiedPages(pages))
    }

    /// The pages, in order. There is at least one.
    pub fn pages(&self) -> &[AnswerPage] {
        &self.0
    }

    /// The leaves in all pages, ascending.
    pub fn leaves(&self) -> impl Iterator<Item = LeafIndex> {
        self.0.iter().flat_map(AnswerPage::leaves).copied()
    }
}

/// Checks that a page begins after the `before` leaves of the pages in front of it, the last of
/// which is `end`.
fn check_next(page: &ListPage, before: u64, end: Option<LeafIndex>) -> Result<(), AnswerError> {
    let label = page.found.label;
    if page.from != before {
        return Err(AnswerError::PageOrder {
            label,
            from: page.from,
            before,
        });
    }
    match page.leaves.first() {
        Some(leaf) if end.is_some_and(|end| *leaf <= end) => {
            let leaf = *leaf;
            Err(AnswerError::ListOrder { label, leaf })
        }
        _ => Ok(()),
    }
}

//! Checking one list, one condition at a time.

use super::error::AnswerError;
use super::message::AnsweredList;
use crate::index::cut::Found;
use crate::index::list::ListFrontier;
use crate::index::range;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;

/// Checks that the list begins at the position `asked`.
pub(super) fn check_position(list: &AnsweredList, asked: u64) -> Result<(), AnswerError> {
    if list.from == asked {
        return Ok(());
    }
    Err(AnswerError::Position {
        label: list.label,
        from: list.from,
        asked,
    })
}

/// Checks that the leaves ascend.
pub(super) fn check_order(list: &AnsweredList) -> Result<(), AnswerError> {
    for pair in list.leaves.windows(2) {
        if pair[0] >= pair[1] {
            return Err(AnswerError::ListOrder {
                label: list.label,
                leaf: pair[1],
            });
        }
    }
    Ok(())
}

/// Checks that the leaves, which ascend, come before `commitment`, the leaf that covers them.
pub(super) fn check_covered(list: &AnsweredList, commitment: LeafIndex) -> Result<(), AnswerError> {
    match list.leaves.last() {
        Some(leaf) if *leaf >= commitment => Err(AnswerError::Uncovered {
            label: list.label,
            leaf: *leaf,
        }),
        _ => Ok(()),
    }
}

/// Checks that a page ends within the list.
pub(super) fn check_end(list: &AnsweredList, found: &Found) -> Result<(), AnswerError> {
    match list.from.checked_add(list.leaves.len() as u64) {
        Some(end) if end <= found.length => Ok(()),
        _ => Err(AnswerError::PastEnd {
            label: list.label,
            length: found.length,
        }),
    }
}

/// Checks that a page stands at its place in the list. It has leaves unless the list ends there.
pub(super) fn check_place(
    list: &AnsweredList,
    found: &Found,
    proof: &[Hash],
) -> Result<(), AnswerError> {
    let (label, from, length) = (found.label, list.from, found.length);
    if !list.leaves.is_empty() {
        return range::verify(&list.leaves, from, length, proof, &found.list_root)
            .map_err(|why| AnswerError::Place { label, from, why });
    }
    if from < length {
        return Err(AnswerError::EmptyPage {
            label,
            from,
            length,
        });
    }
    check_no_range(proof)
}

/// Checks that nothing came that proves the place of a page, as there is none to prove.
pub(super) fn check_no_range(proof: &[Hash]) -> Result<(), AnswerError> {
    if proof.is_empty() {
        return Ok(());
    }
    Err(AnswerError::NoPage(proof.len()))
}

/// Checks that a list has the length and the root that the index states.
pub(super) fn check_whole(list: &ListFrontier, found: &Found) -> Result<(), AnswerError> {
    let label = found.label;
    if list.length() != found.length {
        return Err(AnswerError::ListLength {
            label,
            got: list.length(),
            want: found.length,
        });
    }
    let computed = list.root();
    if computed != found.list_root {
        return Err(AnswerError::ListRoot {
            label,
            computed,
            expected: found.list_root,
        });
    }
    Ok(())
}

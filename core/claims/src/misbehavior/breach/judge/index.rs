//! What a commitment says of a label, against the entries that it covers.

use super::logged::Logged;
use crate::index::range;
use crate::index::{Commitment, CommitmentError, Cut, Found, Label, labels_of_entry};
use crate::misbehavior::breach::broken::Broken;
use crate::misbehavior::breach::error::BreachError;
use crate::misbehavior::breach::text::{Listed, Neighbors};
use crate::misbehavior::error::MisbehaviorError;
use assay_tlog::tree::LeafIndex;

/// An entry is in the list of each label that it has, and lists ascend.
pub(super) fn omission(listed: &Listed, logged: &[Logged]) -> Result<Broken, BreachError> {
    let (commitment, before) = logged.split_last().ok_or(BreachError::INNOCENT)?;
    let found = find(listed, commitment)?;
    let label = listed.label;
    let between = match (found, &listed.neighbors) {
        (None, None) => Between::Nothing,
        (Some(found), Some(neighbors)) => Between::of(neighbors, &found)?,
        _ => return Err(BreachError::INNOCENT),
    };
    match (between, before) {
        (Between::Unordered(first, second), []) => Ok(Broken::Unordered {
            label,
            first,
            second,
        }),
        (between, [entry]) if between.skips(entry.index) && has_label(entry, &label)? => {
            Ok(Broken::Omitted {
                leaf: entry.index,
                label,
            })
        }
        _ => Err(BreachError::INNOCENT),
    }
}

/// An entry has each label that it is listed under, and the commitment covers it.
pub(super) fn surplus(listed: &Listed, logged: &[Logged]) -> Result<Broken, BreachError> {
    let (commitment, before) = logged.split_last().ok_or(BreachError::INNOCENT)?;
    let found = find(listed, commitment)?.ok_or(BreachError::INNOCENT)?;
    let neighbors = listed.neighbors.as_ref().ok_or(BreachError::INNOCENT)?;
    if neighbors.second.is_some() {
        return Err(MisbehaviorError::Encoding.into());
    }
    check_place(neighbors, &found)?;
    let (leaf, label) = (neighbors.first, listed.label);
    match before {
        [] if leaf >= commitment.index => Ok(Broken::Uncovered { leaf, label }),
        [entry] if entry.index == leaf && !has_label(entry, &label)? => {
            Ok(Broken::Unrelated { leaf, label })
        }
        _ => Err(BreachError::INNOCENT),
    }
}

/// What the commitment says of the label.
fn find(listed: &Listed, commitment: &Logged) -> Result<Option<Found>, BreachError> {
    let entry = commitment.parsed()?;
    let commitment = match Commitment::of_entry(entry, commitment.index) {
        Ok(commitment) => commitment,
        Err(CommitmentError::Unsupported { .. }) => return Err(BreachError::UNSUPPORTED),
        Err(_) => return Err(BreachError::INNOCENT),
    };
    let cut = Cut::verify(&listed.cut, &commitment)?;
    let found = cut.find(&listed.label)?;
    if cut.opens_only(&listed.label) {
        Ok(found)
    } else {
        Err(MisbehaviorError::Encoding.into())
    }
}

fn has_label(entry: &Logged, label: &Label) -> Result<bool, BreachError> {
    Ok(labels_of_entry(entry.parsed()?).contains(label))
}

fn check_place(neighbors: &Neighbors, found: &Found) -> Result<(), BreachError> {
    let leaves: Vec<LeafIndex> = [Some(neighbors.first), neighbors.second]
        .into_iter()
        .flatten()
        .collect();
    let (position, length) = (neighbors.position, found.length);
    range::verify(&leaves, position, length, &neighbors.path, &found.list_root)
        .map_err(BreachError::List)
}

/// Which leaves a list is shown not to hold.
#[derive(Clone, Copy)]
enum Between {
    /// There is no list.
    Nothing,
    /// All before its first leaf.
    Before(LeafIndex),
    /// All after its last leaf.
    After(LeafIndex),
    /// All but its only leaf.
    Alone(LeafIndex),
    /// All between two neighbors.
    Neighbors(LeafIndex, LeafIndex),
    /// Two neighbors do not ascend.
    Unordered(LeafIndex, LeafIndex),
}

impl Between {
    fn of(neighbors: &Neighbors, found: &Found) -> Result<Self, BreachError> {
        check_place(neighbors, found)?;
        let first = neighbors.first;
        match neighbors.second {
            Some(second) if first >= second => Ok(Between::Unordered(first, second)),
            Some(second) => Ok(Between::Neighbors(first, second)),
            None if neighbors.position == 0 && found.length == 1 => Ok(Between::Alone(first)),
            None if neighbors.position == 0 => Ok(Between::Before(first)),
            // It stands in the list, so that this does not overflow.
            None if neighbors.position + 1 == found.length => Ok(Between::After(first)),
            None => Err(BreachError::INNOCENT),
        }
    }

    /// Whether the list is shown not to hold this leaf, although it ascends.
    fn skips(self, leaf: LeafIndex) -> bool {
        match self {
            Between::Nothing => true,
            Between::Before(first) => leaf < first,
            Between::After(last) => leaf > last,
            Between::Alone(only) => leaf != only,
            Between::Neighbors(first, second) => first < leaf && leaf < second,
            Between::Unordered(..) => false,
        }
    }
}

//! Commitments that break a rule. The list is closed: what else is wrong with one takes the whole
//! log to tell.

use super::logged::Logged;
use crate::entry::wire;
use crate::index::{ADMISSION_VERSION, Commitment, MAPPING_VERSION};
use crate::misbehavior::breach::broken::Broken;
use crate::misbehavior::breach::error::BreachError;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};

pub(super) fn judge(size: TreeSize, logged: &[Logged]) -> Result<Broken, BreachError> {
    match logged {
        [one] if one.index == LeafIndex::new(0) => first(one),
        [one] if size.last_leaf() == Some(one.index) => last(one, size),
        [before, leaf] => later(before, leaf),
        _ => Err(BreachError::INNOCENT),
    }
}

/// Leaf 0 commits to the empty index.
fn first(leaf: &Logged) -> Result<Broken, BreachError> {
    let entry = leaf.parsed()?;
    if let wire::Body::IndexCommitment(said) = entry.body() {
        known_mapping(said)?;
    }
    if Commitment::of_entry(entry, leaf.index) == Ok(Commitment::empty()) {
        Err(BreachError::INNOCENT)
    } else {
        Ok(Broken::NotEmpty)
    }
}

/// The last leaf of a head is a commitment.
fn last(leaf: &Logged, size: TreeSize) -> Result<Broken, BreachError> {
    match leaf.parsed()?.body() {
        wire::Body::Claim(_) => Ok(Broken::NoCommitment { size }),
        wire::Body::IndexCommitment(said) => {
            known_mapping(said)?;
            if said.root.len() == Hash::LEN {
                return Err(BreachError::INNOCENT);
            }
            Ok(Broken::NoCommitment { size })
        }
    }
}

/// Versions neither change nor fall, and no commitment is older than what it covers.
fn later(before: &Logged, leaf: &Logged) -> Result<Broken, BreachError> {
    let said = leaf.commitment()?;
    if let Ok(earlier) = before.commitment()
        && let Some(broken) = versions((before.index, earlier), (leaf.index, said))?
    {
        return Ok(broken);
    }
    if leaf.parsed()?.logged_at_ms() >= before.parsed()?.logged_at_ms() {
        return Err(BreachError::INNOCENT);
    }
    if said.admission_version != ADMISSION_VERSION {
        return Err(BreachError::UNSUPPORTED);
    }
    Ok(Broken::Time {
        before: before.index,
        leaf: leaf.index,
    })
}

type Stated<'a> = (LeafIndex, &'a wire::IndexCommitment);

/// What two commitments break by their versions, of which one must be known: its rules say that
/// there is no other.
fn versions(
    (before, earlier): Stated<'_>,
    (leaf, said): Stated<'_>,
) -> Result<Option<Broken>, BreachError> {
    let mapping = [earlier.mapping_version, said.mapping_version];
    let admission = [earlier.admission_version, said.admission_version];
    let (broken, is_known) = if mapping[0] != mapping[1] {
        let broken = Broken::Mapping { before, leaf };
        (broken, mapping.contains(&MAPPING_VERSION))
    } else if admission[0] > admission[1] {
        let broken = Broken::Admission { before, leaf };
        (broken, admission.contains(&ADMISSION_VERSION))
    } else {
        return Ok(None);
    };
    if is_known {
        Ok(Some(broken))
    } else {
        Err(BreachError::UNSUPPORTED)
    }
}

fn known_mapping(said: &wire::IndexCommitment) -> Result<(), BreachError> {
    if said.mapping_version == MAPPING_VERSION {
        Ok(())
    } else {
        Err(BreachError::UNSUPPORTED)
    }
}

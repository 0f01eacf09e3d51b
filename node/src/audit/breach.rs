//! Proof for others that a log did not keep a rule, made from the leaves that a finding names.

use super::Copied;
use super::error::AuditError;
use crate::{
    records,
    storage::{Reads as _, Table},
    view::StoredTiles,
};
use assay_claims::audit::{Finding, Rule};
use assay_claims::misbehavior::breach::{Accuser, VerifiedBreach};
use assay_tlog::Hash;
use assay_tlog::head::VerifiedHead;
use assay_tlog::tree::{LeafIndex, TileIndex};

/// What shows anybody that the log which signed this head did not keep the rule that was found
/// broken. `None` if nothing can: nobody has a proof of an index root that is wrong, and a head
/// shows only what is under it.
///
/// It may read all entries up to the leaf.
pub(super) fn shown(
    part: &Copied,
    head: &VerifiedHead,
    finding: &Finding,
) -> Option<VerifiedBreach> {
    if finding.rule == Rule::Index {
        return None;
    }
    let read = |leaf: LeafIndex| records::read_entry(part, leaf);
    let tiles = StoredTiles(part);
    match Accuser::of_log(head, &tiles, &read).at_leaf(finding.leaf) {
        Ok(breach) => breach,
        Err(error) => {
            let origin = head.origin();
            tracing::warn!(origin, %error, "what a log broke cannot be shown to others");
            None
        }
    }
}

/// Whether a head has everything under it that a finding names.
pub(super) fn covers(head: &VerifiedHead, finding: &Finding) -> bool {
    let last = finding
        .other
        .map_or(finding.leaf, |other| other.max(finding.leaf));
    last.get() < head.size().get()
}

/// Demands that the entries that a finding names are those that were copied, so that a damaged
/// disk blames no log.
pub(super) fn confirm(part: &Copied, finding: &Finding) -> Result<(), AuditError> {
    for leaf in [Some(finding.leaf), finding.other].into_iter().flatten() {
        let entry = records::read_entry(part, leaf)?;
        let tile = TileIndex {
            level: 0,
            index: leaf.get() / records::WIDTH,
        };
        let at = (leaf.get() % records::WIDTH) as usize * Hash::LEN;
        let hashes = part.get(Table::Tiles, &records::tile_key(tile))?;
        let hash = hashes.as_ref().and_then(|it| it.get(at..at + Hash::LEN));
        if hash != Some(assay_tlog::hash::leaf_hash(&entry).as_bytes()) {
            return Err(AuditError::Damaged(leaf));
        }
    }
    Ok(())
}

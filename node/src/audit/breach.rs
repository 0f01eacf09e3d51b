//! Proof for others that a log did not keep a rule, made from the leaves that a finding names; and
//! what others proved.

use super::error::AuditError;
use super::shown::{CopiedLog, State};
use super::{Copied, Shared};
use crate::{
    misbehavior::NotKept,
    records,
    storage::{Reads as _, Table},
    view::StoredTiles,
};
use assay_claims::audit::{Finding, Rule};
use assay_claims::index::Commitment;
use assay_claims::misbehavior::breach::{Accuser, VerifiedBreach};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::{DISPUTED_INDEX, VerifiedHead};
use assay_tlog::note::CosignError;
use assay_tlog::tree::{LeafIndex, TileIndex, TreeSize};

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

/// The signed note on another index: its first line names the log, and the root is the one that the
/// entries give. `None` if it cannot be signed. Fails if whoever holds a key is away, who may sign
/// it later.
pub(super) fn dispute(
    shared: &Shared,
    origin: &str,
    finding: &Finding,
    computed: Commitment,
) -> Result<Option<String>, AuditError> {
    let said = Checkpoint {
        origin: format!("{DISPUTED_INDEX} {origin}"),
        size: TreeSize::new(finding.leaf.get() + 1),
        root: computed.root,
    };
    let at = match shared.clock.state(0) {
        Ok(at) => at,
        Err(fault) => {
            tracing::error!(%fault, "the note on a disputed index cannot be signed");
            return Ok(None);
        }
    };
    match shared.keys.load().cosign(&said, at) {
        Ok(lines) => Ok(Some(format!("{}\n{lines}", said.body()))),
        Err(error @ CosignError::Elsewhere { .. }) => Err(error.into()),
        Err(error) => {
            tracing::error!(%error, "the note on a disputed index cannot be signed");
            Ok(None)
        }
    }
}

/// Says that a breach that was found here is not kept with those of others.
pub(super) fn told(refused: Option<NotKept>) {
    if let Some(error) = refused {
        tracing::warn!(%error, "a breach that was found here is not kept with those of others");
    }
}

/// What is proven against a log, also by others, after which nothing of it is cosigned here.
pub(super) fn judged(shared: &Shared, log: &CopiedLog) -> Option<State> {
    let origin = log.origin.as_str();
    if shared.evidence.convicts_log(origin) {
        return Some(State::Convicted);
    }
    let breach = shared.evidence.breach_by(origin)?;
    if log.status.load().breach.as_ref() != Some(&breach) {
        tracing::error!(
            origin,
            id = %breach.id,
            kind = breach.kind,
            verifier = breach.verifier,
            "ALARM: others show that a mirrored log broke its rules; it is not cosigned as audited \
             any more"
        );
    }
    Some(State::Broken)
}

//! Keys that their issuer declares compromised, and from where on (docs/design.md 3.4 and 7).
//!
//! A declaration names a log and its leaf, and a time for all other logs, from which on the key is
//! not to be trusted. It reaches back before the leaf that it stands at only if the key is not in
//! the record in force there, or enough other keys signed it. Whoever stole a key can so declare it
//! compromised, and cannot undo with that what was said before: neither a withdrawal, nor what a
//! scanner found.

use super::spot::{Before, Spot, Spots};
use super::standing::Standing;
use assay_claims::claim::{ClaimId, PublicKey};
use assay_claims::issuer::{IssuerId, IssuerRecord};
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_tlog::tree::LeafIndex;

/// A key that its issuer says not to trust.
#[derive(Debug, Clone)]
pub(super) struct Declaration<'a> {
    pub(super) key: PublicKey,
    /// First leaf of the log `origin` at which the key is not trusted.
    pub(super) from: LeafIndex,
    origin: String,
    /// The time from which on it is not trusted in other logs, in milliseconds since 1970.
    from_ms: u64,
    /// Whether that counts before the declaration was logged.
    reaches_back: bool,
    spots: Spots<'a>,
    /// The claim that says so.
    pub(super) by: ClaimId,
}

impl<'a> Declaration<'a> {
    pub(super) fn new(
        by: ClaimId,
        said: &KeyCompromise,
        spot: Spot<'a>,
        reaches_back: bool,
    ) -> Self {
        Declaration {
            key: said.key,
            from: LeafIndex::new(said.from_index),
            origin: said.origin.clone(),
            from_ms: u64::try_from(said.from_time.unix_ms()).unwrap_or(0),
            reaches_back,
            spots: Spots::one(spot),
            by,
        }
    }

    /// Takes another leaf of the same claim.
    pub(super) fn take(&mut self, spot: Spot<'a>, reaches_back: bool) {
        self.spots.add(spot);
        self.reaches_back |= reaches_back;
    }

    /// Whether the key is not to be trusted at a leaf, in doubt too.
    pub(super) fn distrusts(&self, spot: &Spot<'_>) -> bool {
        (self.reaches_back || self.stands_before(spot)) && self.is_from(spot)
    }

    /// Whether the declaration could have been known at a leaf.
    pub(super) fn stands_before(&self, spot: &Spot<'_>) -> bool {
        self.spots.before(spot) != Before::No
    }

    /// Whether the declaration was surely known at a leaf that it is about.
    pub(super) fn was_declared_before(&self, spot: &Spot<'_>) -> bool {
        self.spots.before(spot) == Before::Yes && self.is_from(spot)
    }

    /// Whether a leaf is among those that the declaration is about.
    fn is_from(&self, spot: &Spot<'_>) -> bool {
        if spot.origin == self.origin {
            spot.leaf >= self.from
        } else {
            spot.at_ms >= self.from_ms
        }
    }

    /// What a claim is worth that leans on the key.
    pub(super) fn standing(&self) -> Standing {
        Standing::KeyCompromised {
            key: self.key,
            from: self.from,
            by: self.by,
        }
    }
}

/// Whether a declaration by these signers counts before the leaf that it stands at, `record` being
/// in force there.
pub(super) fn reaches_back(
    record: &IssuerRecord,
    signers: &[(IssuerId, PublicKey)],
    key: &PublicKey,
) -> bool {
    if !record.holds(key) {
        return true;
    }
    let others = signers.iter().map(|(_, signer)| signer);
    record
        .root()
        .is_met_by(others.filter(|signer| *signer != key))
}

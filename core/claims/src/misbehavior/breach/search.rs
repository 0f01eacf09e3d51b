//! Finding what a leaf breaks, by reading what it needs of the log.

use super::build::{Accuser, BuildError, EntryReader};
use super::verified::VerifiedBreach;
use crate::claim::{self, wire};
use crate::entry::Entry;
use crate::issuer::IssuerRecord;
use assay_tlog::tree::{LeafIndex, TileReader};

/// What was looked for, if it is there.
type Sought<T, E> =
    Result<Option<VerifiedBreach>, BuildError<<T as TileReader>::Error, <E as EntryReader>::Error>>;

impl<T, E> Accuser<'_, T, E>
where
    T: TileReader + ?Sized,
    E: EntryReader + ?Sized,
{
    /// Returns what the leaf at which an audit failed breaks, if that can be shown; `None` for an
    /// index root that is wrong, for which nobody has a proof.
    ///
    /// It looks at the leaf, at its neighbors, and then, for a claim or a record that may only be
    /// wrong behind an earlier one, at every leaf before it, which takes as long as reading all of
    /// their entries.
    pub fn at_leaf(&self, leaf: LeafIndex) -> Sought<T, E> {
        if let Some(found) = self.alone(leaf)? {
            return Ok(Some(found));
        }
        let Ok(entry) = Entry::parse(self.read(leaf)?) else {
            return Ok(None);
        };
        match entry.body() {
            wire::Body::IndexCommitment(_) => self.after_commitment(leaf),
            wire::Body::Claim(claim) => self.after_claims(leaf, claim),
        }
    }

    /// What the leaf breaks by itself, or behind the one before it.
    fn alone(&self, leaf: LeafIndex) -> Sought<T, E> {
        let mut found = shown(self.entry(leaf))?;
        if found.is_none() && leaf == LeafIndex::new(0) {
            found = shown(self.first_leaf())?;
        }
        if found.is_none() && leaf == self.last() {
            found = shown(self.last_leaf())?;
        }
        let before = leaf.get().checked_sub(1).map(LeafIndex::new);
        if let (None, Some(before)) = (&found, before) {
            found = shown(self.commitment(before, leaf))?;
            if found.is_none() {
                found = shown(self.entry_after(before, leaf))?;
            }
        }
        Ok(found)
    }

    /// What a commitment breaks behind the last one before it.
    fn after_commitment(&self, leaf: LeafIndex) -> Sought<T, E> {
        for before in (0..leaf.get()).rev().map(LeafIndex::new) {
            if let Ok(entry) = Entry::parse(self.read(before)?)
                && entry.claim().is_err()
            {
                return shown(self.commitment(before, leaf));
            }
        }
        Ok(None)
    }

    /// What a claim breaks behind any of those before it.
    fn after_claims(&self, leaf: LeafIndex, claim: &wire::Claim) -> Sought<T, E> {
        let asks_for_records = is_record(claim);
        let mut same: Vec<(LeafIndex, wire::Claim)> = Vec::new();
        for before in (0..leaf.get()).map(LeafIndex::new) {
            let Ok(entry) = Entry::parse(self.read(before)?) else {
                continue;
            };
            let Ok(other) = entry.claim() else {
                continue;
            };
            if other.payload == claim.payload {
                same.push((before, other.clone()));
            }
            if asks_for_records
                && is_record(other)
                && let Some(found) = shown(self.entry_after(before, leaf))?
            {
                return Ok(Some(found));
            }
        }
        for issuer in claim.signatures.iter().map(|one| &one.issuer_id[..]) {
            let before = needed(claim, issuer, &same);
            if let Some(found) = shown(self.repeated(&before, leaf))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Whether the claim is a record of an issuer, whose signatures verify.
fn is_record(claim: &wire::Claim) -> bool {
    let verified = claim::verify(claim, &());
    verified.is_ok_and(|claim| matches!(IssuerRecord::from_claim(&claim), Ok(Some(_))))
}

/// The leaves of the same claim that are needed to have every key of this issuer that it has; too
/// few if they do not.
fn needed(claim: &wire::Claim, issuer: &[u8], same: &[(LeafIndex, wire::Claim)]) -> Vec<LeafIndex> {
    let mut missing: Vec<&[u8]> = keys(claim, issuer).collect();
    let mut found: Vec<(LeafIndex, Vec<&[u8]>)> = Vec::new();
    for (leaf, other) in same {
        let brings: Vec<&[u8]> = keys(other, issuer)
            .filter(|key| missing.contains(key))
            .collect();
        if !brings.is_empty() {
            missing.retain(|key| !brings.contains(key));
            found.push((*leaf, brings));
        }
    }
    found.into_iter().map(|(leaf, _)| leaf).collect()
}

fn keys<'c>(claim: &'c wire::Claim, issuer: &[u8]) -> impl Iterator<Item = &'c [u8]> {
    let signatures = claim.signatures.iter();
    signatures
        .filter(move |one| one.issuer_id == issuer)
        .map(|one| &one.public_key[..])
}

/// Tells that there is nothing to show from that nothing could be read.
fn shown<T, E>(
    built: Result<VerifiedBreach, BuildError<T, E>>,
) -> Result<Option<VerifiedBreach>, BuildError<T, E>> {
    match built {
        Ok(found) => Ok(Some(found)),
        Err(BuildError::Breach(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

//! Claims that no log may hold, or not behind those before them.

use super::logged::Logged;
use crate::claim::{
    self, ClaimError, ClaimId, KeyFault, PublicKey, SignatureFault, VerifiedClaim, wire,
};
use crate::entry::EntryError;
use crate::index::{ADMISSION_VERSION, MAPPING_VERSION, checked_labels_of_entry};
use crate::issuer::{IssuerId, IssuerRecord};
use crate::misbehavior::breach::broken::Broken;
use crate::misbehavior::breach::error::BreachError;
use crate::misbehavior::error::MisbehaviorError;
use assay_tlog::tree::TreeSize;
use std::slice;

pub(super) fn judge(size: TreeSize, logged: &[Logged]) -> Result<Broken, BreachError> {
    let (last, rest) = logged.split_last().ok_or(BreachError::INNOCENT)?;
    known_rules(last, size)?;
    match rest {
        [one] => alone(one),
        [before, leaf] => after(before, leaf),
        [before @ .., leaf] => repeated(before, leaf),
        [] => Err(BreachError::INNOCENT),
    }
}

/// The last leaf states the versions that this code knows, and none was larger before.
fn known_rules(last: &Logged, size: TreeSize) -> Result<(), BreachError> {
    if size.last_leaf() != Some(last.index) {
        return Err(MisbehaviorError::Encoding.into());
    }
    let said = last.commitment()?;
    if said.mapping_version == MAPPING_VERSION && said.admission_version == ADMISSION_VERSION {
        Ok(())
    } else {
        Err(BreachError::UNSUPPORTED)
    }
}

/// What an entry breaks by itself.
fn alone(one: &Logged) -> Result<Broken, BreachError> {
    let leaf = one.index;
    let entry = match &one.entry {
        Ok(entry) => entry,
        Err(
            why @ (EntryError::Signatures(_)
            | EntryError::Signature(_)
            | EntryError::Payload(_)
            | EntryError::PayloadType),
        ) => {
            let why = why.clone();
            return Ok(Broken::Bounds { leaf, why });
        }
        Err(_) => return Err(BreachError::UNSUPPORTED),
    };
    if let Some(number) = wrong_signature(one.claim()?) {
        return Ok(Broken::Signature { leaf, number });
    }
    if let Err(why) = checked_labels_of_entry(entry) {
        return Ok(Broken::Labels { leaf, why });
    }
    let record = Record::of(one).filter(|record| record.record.body.sequence == 0);
    match record.and_then(|record| record.silent_key(None)) {
        Some(key) => Ok(Broken::SilentKey { leaf, key }),
        None => Err(BreachError::INNOCENT),
    }
}

/// What an entry breaks after another one.
fn after(before: &Logged, leaf: &Logged) -> Result<Broken, BreachError> {
    let claim = leaf.claim()?;
    if leaf.parsed()?.logged_at_ms() < before.parsed()?.logged_at_ms() {
        return Ok(Broken::Time {
            before: before.index,
            leaf: leaf.index,
        });
    }
    if ClaimId::of_payload(&before.claim()?.payload) == ClaimId::of_payload(&claim.payload) {
        return repeated(slice::from_ref(before), leaf);
    }
    let (Some(old), Some(new)) = (Record::of(before), Record::of(leaf)) else {
        return Err(BreachError::INNOCENT);
    };
    let broken = if old.record.id == new.record.id {
        let silent = new.silent_key(Some(&old.record));
        silent.map(|key| Broken::SilentKey {
            leaf: leaf.index,
            key,
        })
    } else {
        let mut keys = new.record.all_keys();
        let shared = keys.find(|key| old.record.holds(key));
        shared.map(|key| Broken::SharedKey {
            before: before.index,
            leaf: leaf.index,
            key: *key,
        })
    };
    broken.ok_or(BreachError::INNOCENT)
}

/// The number of the first signature that fails the strict check and the cofactored equation. A key
/// or a signature that only a strict check refuses blames nobody.
fn wrong_signature(claim: &wire::Claim) -> Option<usize> {
    let signatures = &claim.signatures;
    let at = signatures.iter().position(|one| is_wrong(claim, one))?;
    Some(at + 1)
}

fn is_wrong(claim: &wire::Claim, signature: &wire::ClaimSignature) -> bool {
    let alone = wire::Claim {
        signatures: vec![signature.clone()],
        ..claim.clone()
    };
    // One signature alone needs no coefficient that nobody can foresee.
    let checked = claim::verify_for_replay(&[&alone], &(), &mut |bytes| *bytes = [1; 16]);
    matches!(
        checked[..],
        [Err(ClaimError::Signature {
            fault: SignatureFault::Wrong
                | SignatureFault::NotCanonical
                | SignatureFault::Key(KeyFault::NoPoint),
            ..
        })]
    )
}

/// A record whose signatures verify strictly. Any other claim puts no record in force.
struct Record {
    claim: VerifiedClaim,
    record: IssuerRecord,
}

impl Record {
    fn of(logged: &Logged) -> Option<Self> {
        let claim = claim::verify(logged.claim().ok()?, &()).ok()?;
        let record = IssuerRecord::from_claim(&claim).ok()??;
        Some(Record { claim, record })
    }

    /// A key of the record that did not sign it and is not in the record that it follows. If it
    /// follows another one, `None`.
    fn silent_key(&self, before: Option<&IssuerRecord>) -> Option<PublicKey> {
        if self.record.body.previous != before.map(|before| before.claim_id) {
            return None;
        }
        for key in self.record.all_keys() {
            let is_new = before.is_none_or(|before| !before.holds(key));
            if is_new && !self.claim.signers().contains(&(self.record.id, *key)) {
                return Some(*key);
            }
        }
        None
    }
}

/// For whom a signature is, and by which key, as the entry has them.
type Signer<'a> = (&'a [u8], &'a [u8]);

/// A claim that is in the log again brings, for each issuer that signed it, a key that none of the
/// leaves before has. All of those that the text holds must be needed.
fn repeated(before: &[Logged], leaf: &Logged) -> Result<Broken, BreachError> {
    let claim = ClaimId::of_payload(&leaf.claim()?.payload);
    let mut seen: Vec<Vec<Signer<'_>>> = Vec::with_capacity(before.len());
    for other in before {
        let other = other.claim()?;
        if ClaimId::of_payload(&other.payload) != claim {
            return Err(BreachError::INNOCENT);
        }
        seen.push(signers(other).collect());
    }
    let now: Vec<Signer<'_>> = signers(leaf.claim()?).collect();
    let all: Vec<&[Signer<'_>]> = seen.iter().map(Vec::as_slice).collect();
    let issuer = without_new_key(&now, &all).ok_or(BreachError::INNOCENT)?;
    for at in 0..all.len() {
        let mut fewer = all.clone();
        fewer.remove(at);
        if without_new_key(&now, &fewer).is_some() {
            return Err(MisbehaviorError::Encoding.into());
        }
    }
    Ok(Broken::Repeated {
        leaf: leaf.index,
        claim,
        issuer,
    })
}

fn signers(claim: &wire::Claim) -> impl Iterator<Item = Signer<'_>> {
    let signatures = claim.signatures.iter();
    signatures.map(|one| (&one.issuer_id[..], &one.public_key[..]))
}

/// The first issuer all of whose keys were seen.
fn without_new_key(now: &[Signer<'_>], seen: &[&[Signer<'_>]]) -> Option<IssuerId> {
    let mut new: Vec<&[u8]> = Vec::new();
    for signer in now {
        if !seen.iter().any(|leaf| leaf.contains(signer)) {
            new.push(signer.0);
        }
    }
    let (issuer, _) = now.iter().find(|(issuer, _)| !new.contains(issuer))?;
    IssuerId::from_slice(issuer)
}

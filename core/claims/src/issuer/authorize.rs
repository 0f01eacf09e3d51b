//! Whether the signers of a claim may have it logged (docs/design.md 3.4).

use super::error::AuthorizeError;
use super::id::IssuerId;
use super::record::{IssuerRecord, Issuers, Quorum};
use crate::claim::{Content, PublicKey, ReplayedClaim, VerifiedClaim};
use crate::kind::Body;

/// A claim's signers satisfy the records in force. Only [`authorize`] and [`hold_to_rules`] make
/// one.
#[derive(Debug, Clone)]
pub struct Authorized {
    relied_on: Vec<(IssuerId, Option<u32>)>,
    change: Option<IssuerRecord>,
}

impl Authorized {
    /// The records that this stands on, as issuer and sequence, which is `None` of a signer that is
    /// not registered: it holds for as long as they are in force. A sequencer that authorizes ahead
    /// of time asks again if one of them moved on. Empty for a registration, which stands as long
    /// as neither the issuer nor one of its keys is registered.
    pub fn relied_on(&self) -> &[(IssuerId, Option<u32>)] {
        &self.relied_on
    }

    /// The record that the claim puts in force, if it is one.
    pub fn change(&self) -> Option<&IssuerRecord> {
        self.change.as_ref()
    }
}

/// Decides whether the signers of a claim may have it logged now, in a log of registered issuers.
///
/// - A registration (sequence 0) is signed by all of its keys, rotation keys included. The issuer
///   is not registered yet, and no registered one shares the first half of its id.
/// - A rotation follows the record in force, by sequence and `previous`. It is signed by the
///   rotation threshold of that record, or by its threshold where it has no rotation keys; by its
///   own threshold; and by every key that is not in the record in force.
/// - A key in a record stands in no record of another issuer, of now or of before.
/// - A key compromise is signed by the rotation threshold of the record in force of the issuer that
///   it is about, or by its threshold where it has no rotation keys.
/// - Any other claim is signed, for every issuer that a signature names, by the threshold of the
///   record in force.
///
/// Keys are counted distinct; a signature for an issuer by a key that is not the issuer's is
/// refused rather than passed over, for it would put the issuer's name to a claim that is not its
/// own. To publish a registration a second time is [`AuthorizeError::Registered`]: look for the
/// same claim by the same signers first.
pub fn authorize(
    claim: &VerifiedClaim,
    issuers: &impl Issuers,
) -> Result<Authorized, AuthorizeError> {
    Request::of(claim)?.authorize(issuers)
}

/// Decides what holds in every log, whatever its mode of admission, so that mirrors and audits
/// check it (docs/design.md 3.5).
///
/// It is [`authorize`], except for claims that are neither records nor key compromises. Of those,
/// the key of each signature must stand in the record in force of the issuer that it is for; if
/// that issuer is not registered, it must be the one that the key alone makes, and the key must
/// stand in nobody's record. How many keys signed is not asked: signatures of one claim may stand
/// at several leaves.
pub fn hold_to_rules(
    claim: &VerifiedClaim,
    issuers: &impl Issuers,
) -> Result<Authorized, AuthorizeError> {
    Request::of(claim)?.hold_to_rules(issuers)
}

/// What of a claim decides whether its signers suffice: who signed, and what it asks for. Whoever
/// verifies many claims side by side and authorizes them in order keeps this of each.
#[derive(Debug, Clone)]
pub struct Request {
    signers: Vec<Signer>,
    asked: Asked,
}

/// What decides which signatures a claim needs.
#[derive(Debug, Clone)]
enum Asked {
    /// To put a record in force. Rare, and large.
    Record(Box<IssuerRecord>),
    /// To declare a key of this issuer compromised.
    Compromise(IssuerId),
    /// To be logged.
    Leaf,
}

/// For whom a signature is, and by which key.
type Signer = (IssuerId, PublicKey);

impl Request {
    /// What the claim asks. Fails if it has the type of an issuer's record and is not one.
    pub fn of(claim: impl AsRef<Content>) -> Result<Self, AuthorizeError> {
        let claim = claim.as_ref();
        let record = IssuerRecord::from_claim(claim).map_err(AuthorizeError::Record)?;
        let asked = match (record, claim.body()) {
            (Some(record), _) => Asked::Record(Box::new(record)),
            (None, Body::KeyCompromise(said)) => Asked::Compromise(said.issuer),
            (None, _) => Asked::Leaf,
        };
        Ok(Request {
            signers: claim.signers().to_vec(),
            asked,
        })
    }

    /// What a claim asks in the replay of a log. One that this reader cannot read asks to be logged
    /// and no more.
    pub fn of_replayed(claim: &ReplayedClaim) -> Result<Self, AuthorizeError> {
        match claim.content() {
            Ok(content) => Self::of(content),
            Err(_) => Ok(Request {
                signers: claim.signers().to_vec(),
                asked: Asked::Leaf,
            }),
        }
    }

    /// Decides as [`authorize`] does for the claim that this was made of.
    pub fn authorize(self, issuers: &impl Issuers) -> Result<Authorized, AuthorizeError> {
        match self.asked {
            Asked::Record(record) => decide_record(&self.signers, *record, issuers),
            Asked::Compromise(of) => {
                own_signers(&self.signers, &of)?;
                compromise(&self.signers, &of, issuers)
            }
            Asked::Leaf => ordinary(&self.signers, issuers),
        }
    }

    /// Decides as [`hold_to_rules`] does for the claim that this was made of.
    pub fn hold_to_rules(self, issuers: &impl Issuers) -> Result<Authorized, AuthorizeError> {
        match self.asked {
            Asked::Record(record) => decide_record(&self.signers, *record, issuers),
            Asked::Compromise(of) => {
                own_signers(&self.signers, &of)?;
                match issuers.in_force(&of) {
                    Some(_) => compromise(&self.signers, &of, issuers),
                    None => standing(&self.signers, issuers),
                }
            }
            Asked::Leaf => standing(&self.signers, issuers),
        }
    }
}

/// A record or a key compromise is signed for its own issuer only.
fn own_signers(signers: &[Signer], issuer: &IssuerId) -> Result<(), AuthorizeError> {
    match signers.iter().find(|(signed_for, _)| signed_for != issuer) {
        Some((other, _)) => Err(AuthorizeError::ForeignIssuer {
            issuer: *issuer,
            other: *other,
        }),
        None => Ok(()),
    }
}

fn decide_record(
    signers: &[Signer],
    record: IssuerRecord,
    issuers: &impl Issuers,
) -> Result<Authorized, AuthorizeError> {
    own_signers(signers, &record.id)?;
    match (record.body.sequence, issuers.in_force(&record.id)) {
        (0, Some(_)) => Err(AuthorizeError::Registered(record.id)),
        (0, None) => registration(signers, record, issuers),
        (_, None) => Err(AuthorizeError::NotRegistered(record.id)),
        (_, Some(in_force)) => rotation(signers, record, &in_force, issuers),
    }
}

fn registration(
    signers: &[Signer],
    record: IssuerRecord,
    issuers: &impl Issuers,
) -> Result<Authorized, AuthorizeError> {
    own_half(&record.id, issuers)?;
    own_keys(&record, issuers)?;
    known_keys(signers, &[&record])?;
    let all: Vec<PublicKey> = record.all_keys().copied().collect();
    let quorum = Quorum {
        keys: &all,
        threshold: u32::try_from(all.len()).unwrap_or(u32::MAX),
        root: false,
    };
    enough_keys(signers, &record, quorum)?;
    Ok(Authorized {
        relied_on: Vec::new(),
        change: Some(record),
    })
}

fn rotation(
    signers: &[Signer],
    record: IssuerRecord,
    in_force: &IssuerRecord,
    issuers: &impl Issuers,
) -> Result<Authorized, AuthorizeError> {
    let (issuer, sequence) = (record.id, in_force.body.sequence);
    if sequence.checked_add(1) != Some(record.body.sequence) {
        return Err(AuthorizeError::Sequence {
            issuer,
            in_force: sequence,
            asked: record.body.sequence,
        });
    }
    if record.body.previous != Some(in_force.claim_id) {
        return Err(AuthorizeError::Previous {
            issuer,
            in_force: in_force.claim_id,
        });
    }
    own_keys(&record, issuers)?;
    known_keys(signers, &[&record, in_force])?;
    enough_keys(signers, in_force, in_force.root())?;
    enough_keys(signers, &record, record.signing())?;
    new_keys(signers, &record, in_force)?;
    Ok(Authorized {
        relied_on: vec![(issuer, Some(sequence))],
        change: Some(record),
    })
}

fn compromise(
    signers: &[Signer],
    issuer: &IssuerId,
    issuers: &impl Issuers,
) -> Result<Authorized, AuthorizeError> {
    let in_force = issuers
        .in_force(issuer)
        .ok_or(AuthorizeError::NotRegistered(*issuer))?;
    known_keys(signers, &[&in_force])?;
    enough_keys(signers, &in_force, in_force.root())?;
    Ok(Authorized {
        relied_on: vec![(*issuer, Some(in_force.body.sequence))],
        change: None,
    })
}

fn ordinary(signers: &[Signer], issuers: &impl Issuers) -> Result<Authorized, AuthorizeError> {
    let mut relied_on: Vec<(IssuerId, Option<u32>)> = Vec::new();
    for (issuer, _) in signers {
        if relied_on.iter().any(|(done, _)| done == issuer) {
            continue;
        }
        let in_force = issuers
            .in_force(issuer)
            .ok_or(AuthorizeError::NotRegistered(*issuer))?;
        signing_keys(signers, &in_force)?;
        enough_keys(signers, &in_force, in_force.signing())?;
        relied_on.push((*issuer, Some(in_force.body.sequence)));
    }
    Ok(Authorized {
        relied_on,
        change: None,
    })
}

fn standing(signers: &[Signer], issuers: &impl Issuers) -> Result<Authorized, AuthorizeError> {
    let mut relied_on: Vec<(IssuerId, Option<u32>)> = Vec::new();
    for (issuer, key) in signers {
        let in_force = issuers.in_force(issuer);
        match &in_force {
            Some(record) => signing_keys(signers, record)?,
            None => unregistered(issuer, key, issuers)?,
        }
        let sequence = in_force.map(|record| record.body.sequence);
        if !relied_on.contains(&(*issuer, sequence)) {
            relied_on.push((*issuer, sequence));
        }
    }
    Ok(Authorized {
        relied_on,
        change: None,
    })
}

/// A signer that is not registered is the issuer that its key alone makes. A signature does not
/// cover the issuer that it is for, so a key that is somebody's is not taken for another: else
/// whoever copies a claim would move it to that other.
fn unregistered(
    issuer: &IssuerId,
    key: &PublicKey,
    issuers: &impl Issuers,
) -> Result<(), AuthorizeError> {
    if IssuerId::of_key(key) != *issuer {
        return Err(AuthorizeError::NotItself {
            issuer: *issuer,
            key: Box::new(*key),
        });
    }
    own_key(issuer, key, issuers)
}

/// No registered issuer shares the first half of the id: labels of the index hold no more.
fn own_half(issuer: &IssuerId, issuers: &impl Issuers) -> Result<(), AuthorizeError> {
    match issuers.by_half(issuer) {
        Some(other) => Err(AuthorizeError::SharedHalf {
            issuer: *issuer,
            other,
        }),
        None => Ok(()),
    }
}

/// No key of the record stands in a record of another issuer.
fn own_keys(record: &IssuerRecord, issuers: &impl Issuers) -> Result<(), AuthorizeError> {
    record
        .all_keys()
        .try_for_each(|key| own_key(&record.id, key, issuers))
}

fn own_key(
    issuer: &IssuerId,
    key: &PublicKey,
    issuers: &impl Issuers,
) -> Result<(), AuthorizeError> {
    match issuers.owner(key) {
        Some(owner) if owner != *issuer => Err(AuthorizeError::KeyOfAnother {
            issuer: *issuer,
            key: Box::new(*key),
            owner,
        }),
        _ => Ok(()),
    }
}

/// The distinct keys that signed for an issuer.
fn keys_for<'a>(signers: &'a [Signer], issuer: &IssuerId) -> impl Iterator<Item = &'a PublicKey> {
    signers
        .iter()
        .filter(move |(signed_for, _)| signed_for == issuer)
        .map(|(_, key)| key)
}

/// Every key that signed for the issuer of the records stands in one of them.
fn known_keys(signers: &[Signer], records: &[&IssuerRecord]) -> Result<(), AuthorizeError> {
    let Some(first) = records.first() else {
        return Ok(());
    };
    for key in keys_for(signers, &first.id) {
        if !records.iter().any(|record| record.holds(key)) {
            return Err(not_its_key(first, key));
        }
    }
    Ok(())
}

/// Every key that signed for the issuer of the record is one that signs claims for it.
fn signing_keys(signers: &[Signer], record: &IssuerRecord) -> Result<(), AuthorizeError> {
    for key in keys_for(signers, &record.id) {
        if record.body.keys.contains(key) {
            continue;
        }
        return Err(if record.holds(key) {
            AuthorizeError::RotationKey {
                issuer: record.id,
                key: Box::new(*key),
            }
        } else {
            not_its_key(record, key)
        });
    }
    Ok(())
}

fn not_its_key(record: &IssuerRecord, key: &PublicKey) -> AuthorizeError {
    AuthorizeError::NotItsKey {
        issuer: record.id,
        key: Box::new(*key),
        sequence: record.body.sequence,
    }
}

/// Every key that the record brings signed it: nobody can put a stranger's public key into its own
/// record, and with it the stranger's claims under its own name.
fn new_keys(
    signers: &[Signer],
    record: &IssuerRecord,
    in_force: &IssuerRecord,
) -> Result<(), AuthorizeError> {
    let mut silent: Vec<PublicKey> = Vec::new();
    for key in record.all_keys().filter(|key| !in_force.holds(key)) {
        if !keys_for(signers, &record.id).any(|signed| signed == key) {
            silent.push(*key);
        }
    }
    if silent.is_empty() {
        return Ok(());
    }
    Err(AuthorizeError::NewKeys {
        issuer: record.id,
        keys: silent,
    })
}

/// As many of the quorum's keys as it asks for signed for the issuer of the record that it is of.
fn enough_keys(
    signers: &[Signer],
    record: &IssuerRecord,
    quorum: Quorum<'_>,
) -> Result<(), AuthorizeError> {
    let missing: Vec<PublicKey> = quorum
        .keys
        .iter()
        .filter(|key| !keys_for(signers, &record.id).any(|signed| signed == *key))
        .copied()
        .collect();
    let signed = quorum.keys.len() - missing.len();
    let needed = usize::try_from(quorum.threshold).unwrap_or(usize::MAX);
    if signed >= needed {
        return Ok(());
    }
    Err(AuthorizeError::TooFewKeys {
        issuer: record.id,
        sequence: record.body.sequence,
        rotation: quorum.root,
        needed,
        signed,
        missing,
    })
}

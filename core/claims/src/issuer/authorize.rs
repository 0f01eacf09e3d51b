//! Whether the signers of a claim may have it logged (docs/design.md 3.4).

use super::id::IssuerId;
use super::record::{IssuerError, IssuerRecord, Issuers};
use crate::claim::{Content, PublicKey, VerifiedClaim};
use std::sync::Arc;

/// A claim's signers satisfy the records in force. Only [`authorize`] makes one.
#[derive(Debug, Clone)]
pub struct Authorized {
    relied_on: Vec<(IssuerId, u32)>,
    change: Option<IssuerRecord>,
}

impl Authorized {
    /// The records that this stands on, as issuer and sequence: it holds for as long as they are in
    /// force. A sequencer that authorizes ahead of time asks again if one of them moved on. Empty
    /// for a registration, which stands as long as the issuer is not registered.
    pub fn relied_on(&self) -> &[(IssuerId, u32)] {
        &self.relied_on
    }

    /// The record that the claim puts in force, if it is one.
    pub fn change(&self) -> Option<&IssuerRecord> {
        self.change.as_ref()
    }
}

/// Why a claim's signers do not suffice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// The claim has the type of an issuer's record and is not one.
    #[error("this is not a record of an issuer: {0}")]
    Record(IssuerError),
    /// A record is signed for another issuer than its own.
    #[error(
        "a record of issuer {issuer} is signed by its own keys only, but one signature is for \
         issuer {other}"
    )]
    ForeignIssuer {
        /// Whose record it is.
        issuer: IssuerId,
        /// For whom one of the signatures is.
        other: IssuerId,
    },
    /// The record does not name the claim that is in force as the one before it.
    #[error(
        "the rotation of issuer {issuer} must name the record in force as `previous`: {in_force}"
    )]
    Previous {
        /// The issuer.
        issuer: IssuerId,
        /// The claim id of the record in force.
        in_force: crate::claim::ClaimId,
    },
    /// The issuer was registered before.
    #[error(
        "issuer {0} is registered already; to change its keys, publish a rotation (`assay issuer \
         rotate`)"
    )]
    Registered(IssuerId),
    /// The record is not the next one.
    #[error(
        "issuer {issuer} is at sequence {in_force}, so that sequence {asked} is not next; read \
         the record in force and make the rotation again"
    )]
    Sequence {
        /// The issuer.
        issuer: IssuerId,
        /// Sequence in force.
        in_force: u32,
        /// Sequence of the record.
        asked: u32,
    },
    /// The issuer is not registered.
    #[error(
        "issuer {0} is not registered in this log; register it first (`assay issuer register`)"
    )]
    NotRegistered(IssuerId),
    /// A key signs for an issuer that it does not belong to.
    #[error("key {key} is no key of issuer {issuer} at sequence {sequence}")]
    NotItsKey {
        /// The issuer.
        issuer: IssuerId,
        /// The key.
        key: Box<PublicKey>,
        /// Of the record in force; of the new one, in a registration or a rotation.
        sequence: u32,
    },
    /// Too few distinct keys signed.
    #[error(
        "issuer {issuer} at sequence {sequence} needs {needed} distinct keys, and {signed} \
         signed; {} of these must sign too: {}",
        .needed - .signed, list(.missing)
    )]
    TooFewKeys {
        /// The issuer.
        issuer: IssuerId,
        /// The record that is not satisfied.
        sequence: u32,
        /// Keys needed.
        needed: usize,
        /// Distinct keys that signed.
        signed: usize,
        /// Its keys that did not.
        missing: Vec<PublicKey>,
    },
}

fn list(keys: &[PublicKey]) -> String {
    keys.iter()
        .map(PublicKey::to_hex)
        .collect::<Vec<_>>()
        .join(", ")
}

impl AuthorizeError {
    /// Whether the claim is well made and only the right signatures are missing ("permission
    /// denied"), rather than a claim that nobody could sign ("invalid argument").
    pub fn is_denied(&self) -> bool {
        matches!(
            self,
            Self::NotRegistered(_) | Self::NotItsKey { .. } | Self::TooFewKeys { .. }
        )
    }

    /// Whether the claim was made for a state of the registry that is not the one in force ("failed
    /// precondition").
    pub fn is_outdated(&self) -> bool {
        matches!(
            self,
            Self::Registered(_) | Self::Sequence { .. } | Self::Previous { .. }
        )
    }
}

/// Decides whether the signers of a claim may have it logged now.
///
/// - A registration (sequence 0) is signed by all of its keys, and the issuer is not registered
///   yet.
/// - A rotation follows the record in force, by sequence and `previous`, and is signed by the
///   threshold of that record and by its own.
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
    let record = IssuerRecord::from_claim(claim).map_err(AuthorizeError::Record)?;
    decide(claim.signers(), record, issuers)
}

/// What of a claim decides whether its signers suffice: who signed, and the record that it is, if
/// it is one. Whoever verifies many claims side by side and authorizes them in order keeps this of
/// each.
#[derive(Debug, Clone)]
pub struct Request {
    signers: Vec<Signer>,
    /// Rare, and large.
    record: Option<Box<IssuerRecord>>,
}

impl Request {
    /// What the claim asks. Fails if it has the type of an issuer's record and is not one.
    pub fn of(claim: impl AsRef<Content>) -> Result<Self, AuthorizeError> {
        let claim = claim.as_ref();
        let record = IssuerRecord::from_claim(claim).map_err(AuthorizeError::Record)?;
        Ok(Request {
            signers: claim.signers().to_vec(),
            record: record.map(Box::new),
        })
    }

    /// Decides as [`authorize`] does for the claim that this was made of.
    pub fn authorize(self, issuers: &impl Issuers) -> Result<Authorized, AuthorizeError> {
        decide(&self.signers, self.record.map(|record| *record), issuers)
    }
}

/// For whom a signature is, and by which key.
type Signer = (IssuerId, PublicKey);

fn decide(
    signers: &[Signer],
    record: Option<IssuerRecord>,
    issuers: &impl Issuers,
) -> Result<Authorized, AuthorizeError> {
    let Some(record) = record else {
        return ordinary(signers, issuers);
    };
    if let Some((other, _)) = signers.iter().find(|(issuer, _)| *issuer != record.id) {
        return Err(AuthorizeError::ForeignIssuer {
            issuer: record.id,
            other: *other,
        });
    }
    match (record.body.sequence, issuers.in_force(&record.id)) {
        (0, Some(_)) => Err(AuthorizeError::Registered(record.id)),
        (0, None) => registration(signers, record),
        (_, None) => Err(AuthorizeError::NotRegistered(record.id)),
        (_, Some(in_force)) => rotation(signers, record, &in_force),
    }
}

fn registration(signers: &[Signer], record: IssuerRecord) -> Result<Authorized, AuthorizeError> {
    known_keys(signers, &record.id, &[&record])?;
    enough_keys(signers, &record, record.body.keys.len())?;
    Ok(Authorized {
        relied_on: Vec::new(),
        change: Some(record),
    })
}

fn rotation(
    signers: &[Signer],
    record: IssuerRecord,
    in_force: &Arc<IssuerRecord>,
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
    known_keys(signers, &issuer, &[&record, in_force])?;
    enough_keys(signers, in_force, in_force.threshold())?;
    enough_keys(signers, &record, record.threshold())?;
    Ok(Authorized {
        relied_on: vec![(issuer, sequence)],
        change: Some(record),
    })
}

fn ordinary(signers: &[Signer], issuers: &impl Issuers) -> Result<Authorized, AuthorizeError> {
    let mut relied_on: Vec<(IssuerId, u32)> = Vec::new();
    for (issuer, _) in signers {
        if relied_on.iter().any(|(done, _)| done == issuer) {
            continue;
        }
        let in_force = issuers
            .in_force(issuer)
            .ok_or(AuthorizeError::NotRegistered(*issuer))?;
        known_keys(signers, issuer, &[&in_force])?;
        enough_keys(signers, &in_force, in_force.threshold())?;
        relied_on.push((*issuer, in_force.body.sequence));
    }
    Ok(Authorized {
        relied_on,
        change: None,
    })
}

/// The distinct keys that signed for an issuer.
fn keys_for<'a>(signers: &'a [Signer], issuer: &IssuerId) -> impl Iterator<Item = &'a PublicKey> {
    signers
        .iter()
        .filter(move |(signed_for, _)| signed_for == issuer)
        .map(|(_, key)| key)
}

/// Every key that signed for the issuer is a key of one of its records.
fn known_keys(
    signers: &[Signer],
    issuer: &IssuerId,
    records: &[&IssuerRecord],
) -> Result<(), AuthorizeError> {
    for key in keys_for(signers, issuer) {
        if !records.iter().any(|record| record.body.keys.contains(key)) {
            return Err(AuthorizeError::NotItsKey {
                issuer: *issuer,
                key: Box::new(*key),
                sequence: records.first().map_or(0, |record| record.body.sequence),
            });
        }
    }
    Ok(())
}

/// At least `needed` keys of the record signed for its issuer.
fn enough_keys(
    signers: &[Signer],
    record: &IssuerRecord,
    needed: usize,
) -> Result<(), AuthorizeError> {
    let signed = record.count(keys_for(signers, &record.id));
    if signed >= needed {
        return Ok(());
    }

    Err(AuthorizeError::TooFewKeys {
        issuer: record.id,
        sequence: record.body.sequence,
        needed,
        signed,
        missing: record
            .body
            .keys
            .iter()
            .filter(|key: &&PublicKey| !keys_for(signers, &record.id).any(|signed| signed == *key))
            .copied()
            .collect(),
    })
}

//! Issuers: who may sign for whom, and since when (DESIGN 3.4).
//!
//! An issuer's id is derived from its first keys, so that nobody can take it and its name proves
//! nothing. Its records, each an `urn:assay:issuer:v1` claim, form a chain: the registration is
//! signed by all of its keys, each later one by the threshold of the record before it and of
//! itself. Left out: whether an issuer speaks for a package, which follows from endorsements that a
//! consumer's policy accepts, and never from here.

mod authorize;
mod registry;

pub use authorize::{AuthorizeError, Authorized, Request, authorize};
pub use registry::{Registry, RegistryError};

use crate::claim::{ClaimId, PublicKey, VerifiedClaim};
use crate::kind::{PredicateError, issuer as predicate};
use crate::statement::{Statement, StatementError, Subject};
use assay_tlog::Hash;
use std::fmt;
use std::sync::Arc;

/// Names an issuer: 32 bytes, derived from its first keys and threshold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(Hash);

impl IssuerId {
    /// `SHA-256("assay.issuer.v1\n" ‖ u32be(threshold) ‖ keys, sorted)` (DESIGN 3.4).
    pub fn derive(threshold: u32, keys: &[[u8; 32]]) -> Self {
        let mut sorted = keys.to_vec();
        sorted.sort_unstable();
        IssuerId(Hash::of_parts(&[
            b"assay.issuer.v1\n",
            &threshold.to_be_bytes(),
            sorted.as_flattened(),
        ]))
    }

    /// The id in 64 lower-case hex digits, or `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        Hash::from_hex(text).map(IssuerId)
    }

    /// The id in 32 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Hash::from_slice(bytes).map(IssuerId)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Hash::LEN] {
        self.0.as_bytes()
    }

    /// Lower-case hex, 64 digits.
    pub fn to_hex(&self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Display for IssuerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for IssuerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerId({self})")
    }
}

/// What a record of an issuer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRecord {
    /// The issuer.
    pub id: IssuerId,
    /// The claim that the record is.
    pub claim_id: ClaimId,
    /// Name, contacts, keys, threshold, sequence and the rest.
    pub body: predicate::Issuer,
}

/// Why a claim of the issuer type is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The predicate is not what its type says.
    #[error("{0}")]
    Predicate(PredicateError),
    /// The subject is not the issuer.
    #[error("a record of an issuer has one subject, and its sha256 digest is the issuer's id")]
    Subject,
    /// It registers under an id that its keys do not derive.
    #[error("the keys and the threshold make the issuer id {derived}, but the subject is {stated}")]
    Id {
        /// What the registration's keys and threshold derive.
        derived: IssuerId,
        /// What its subject says.
        stated: IssuerId,
    },
}

impl IssuerRecord {
    /// Reads the record that a claim is; `None` if the claim is of another type.
    ///
    /// It guarantees that a registration's id is derived from its keys. Whether it was rightly
    /// signed is [`authorize`]'s.
    pub fn from_claim(claim: &VerifiedClaim) -> Result<Option<Self>, IssuerError> {
        let statement = claim.statement();
        if statement.predicate_type() != predicate::URI {
            return Ok(None);
        }
        let body =
            predicate::Issuer::parse(statement.predicate()).map_err(IssuerError::Predicate)?;
        let id = match statement.subjects() {
            [subject] => subject
                .digest("sha256")
                .and_then(IssuerId::from_hex)
                .ok_or(IssuerError::Subject)?,
            _ => return Err(IssuerError::Subject),
        };
        let derived = genesis_id(&body);
        if body.sequence == 0 && derived != id {
            Err(IssuerError::Id {
                derived,
                stated: id,
            })
        } else {
            Ok(Some(IssuerRecord {
                id,
                claim_id: claim.id(),
                body,
            }))
        }
    }

    /// How many of `keys` (distinct) are keys of this record.
    fn count<'a>(&self, keys: impl Iterator<Item = &'a PublicKey>) -> usize {
        keys.filter(|key| self.body.keys.contains(key)).count()
    }

    /// The threshold, as a count.
    fn threshold(&self) -> usize {
        usize::try_from(self.body.threshold).unwrap_or(usize::MAX)
    }
}

/// The id that a registration with this body has.
pub fn genesis_id(body: &predicate::Issuer) -> IssuerId {
    let keys: Vec<[u8; 32]> = body.keys.iter().map(|key| *key.as_bytes()).collect();
    IssuerId::derive(body.threshold, &keys)
}

/// The statement that registers `body` (if its sequence is 0) or rotates the issuer `id` to it.
pub fn statement(id: &IssuerId, body: &predicate::Issuer) -> Result<Statement, StatementError> {
    let subject = Subject::artifact(Some(body.name.clone()), &id.0);
    Statement::new(vec![subject], predicate::URI, body.to_value())
}

/// The records in force. What it answers must come from [`Registry`], or from a store fed as that
/// is.
pub trait Issuers {
    /// The latest record of an issuer; `None` if it is not registered.
    fn in_force(&self, id: &IssuerId) -> Option<Arc<IssuerRecord>>;
}

#[cfg(test)]
mod tests;

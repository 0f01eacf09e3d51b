//! The records of an issuer.

use super::id::IssuerId;
use crate::claim::{ClaimId, Content, PublicKey};
use crate::kind::{Body, issuer as predicate};
use crate::statement::{Statement, StatementError};
use std::sync::Arc;

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

/// Why a claim of the issuer type is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
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
    /// Returns the record that a claim is, or `None` if the claim is of another type.
    ///
    /// It guarantees that a registration's id is derived from its keys. Whether it was rightly
    /// signed is for [`authorize`](super::authorize) to say.
    pub fn from_claim(claim: impl AsRef<Content>) -> Result<Option<Self>, IssuerError> {
        let claim = claim.as_ref();
        let Body::Issuer(body) = claim.body() else {
            return Ok(None);
        };
        let id = match claim.statement().subjects() {
            [subject] => subject
                .digest("sha256")
                .and_then(IssuerId::from_hex)
                .ok_or(IssuerError::Subject)?,
            _ => return Err(IssuerError::Subject),
        };
        let derived = genesis_id(body);
        if body.sequence == 0 && derived != id {
            Err(IssuerError::Id {
                derived,
                stated: id,
            })
        } else {
            Ok(Some(IssuerRecord {
                id,
                claim_id: claim.id(),
                body: body.clone(),
            }))
        }
    }

    /// How many of `keys` (distinct) are keys of this record.
    pub(super) fn count<'a>(&self, keys: impl Iterator<Item = &'a PublicKey>) -> usize {
        keys.filter(|key| self.body.keys.contains(key)).count()
    }

    /// The threshold, as a count.
    pub(super) fn threshold(&self) -> usize {
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
    body.statement(&id.0)
}

/// The records in force. What it answers must come from a [`Registry`](super::Registry), or from a
/// store that is fed as one.
pub trait Issuers {
    /// The latest record of an issuer; `None` if it is not registered.
    fn in_force(&self, id: &IssuerId) -> Option<Arc<IssuerRecord>>;
}

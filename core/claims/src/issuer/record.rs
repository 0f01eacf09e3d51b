//! The records of an issuer.

use super::id::{IssuerId, KeySet};
use crate::claim::{ClaimId, Content, PublicKey};
use crate::kind::{Body, issuer as predicate};
use crate::statement::{Statement, StatementError};
use assay_tlog::Hash;
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
    #[error(
        "the keys and the thresholds make the issuer id {derived}, but the subject is {stated}"
    )]
    Id {
        /// What the registration's keys and thresholds derive.
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

    /// Every key that stands in this record: those that sign claims, then the rotation keys.
    pub fn all_keys(&self) -> impl Iterator<Item = &PublicKey> {
        let rotation = self.body.rotation.as_ref();
        let rotation = rotation.map(|rotation| &rotation.keys[..]);
        self.body.keys.iter().chain(rotation.unwrap_or_default())
    }

    /// Whether the key stands in this record, as one of its keys or as a rotation key.
    pub fn holds(&self, key: &PublicKey) -> bool {
        self.all_keys().any(|one| one == key)
    }

    /// Who may sign claims in the issuer's name.
    pub fn signing(&self) -> Quorum<'_> {
        Quorum {
            keys: &self.body.keys,
            threshold: self.body.threshold,
            root: false,
        }
    }

    /// Who may replace this record or declare a key compromised: the rotation keys, or the keys
    /// themselves where there are none.
    pub fn root(&self) -> Quorum<'_> {
        match &self.body.rotation {
            Some(rotation) => Quorum {
                keys: &rotation.keys,
                threshold: rotation.threshold,
                root: true,
            },
            None => self.signing(),
        }
    }
}

/// Keys of a record, and how many of them must sign.
#[derive(Debug, Clone, Copy)]
pub struct Quorum<'a> {
    /// The keys, distinct.
    pub keys: &'a [PublicKey],
    /// How many of them.
    pub threshold: u32,
    /// Whether they are rotation keys.
    pub root: bool,
}

impl Quorum<'_> {
    /// Whether these keys, each once, are as many of the quorum's as it asks for.
    pub fn is_met_by<'k>(&self, keys: impl IntoIterator<Item = &'k PublicKey>) -> bool {
        let signed = keys.into_iter().filter(|key| self.keys.contains(key));
        u32::try_from(signed.count()).is_ok_and(|signed| signed >= self.threshold)
    }
}

/// The id that a registration with this body has.
pub fn genesis_id(body: &predicate::Issuer) -> IssuerId {
    let keys = bytes(&body.keys);
    let signing = KeySet {
        threshold: body.threshold,
        keys: &keys,
    };
    let Some(rotation) = &body.rotation else {
        return IssuerId::derive_with_rotation(signing, KeySet::NONE);
    };
    let keys = bytes(&rotation.keys);
    let rotation = KeySet {
        threshold: rotation.threshold,
        keys: &keys,
    };
    IssuerId::derive_with_rotation(signing, rotation)
}

fn bytes(keys: &[PublicKey]) -> Vec<[u8; 32]> {
    keys.iter().map(|key| *key.as_bytes()).collect()
}

/// The statement that registers `body` (if its sequence is 0) or rotates the issuer `id` to it.
pub fn statement(id: &IssuerId, body: &predicate::Issuer) -> Result<Statement, StatementError> {
    body.statement(&id.0)
}

/// Who is registered in a log. What it answers must come from a [`Registry`](super::Registry), or
/// from a store that is fed as one.
pub trait Issuers {
    /// The latest record of an issuer; `None` if it is not registered.
    fn in_force(&self, id: &IssuerId) -> Option<Arc<IssuerRecord>>;

    /// The issuer in one of whose records, of now or of before, the key stands. There is at most
    /// one.
    fn owner(&self, key: &PublicKey) -> Option<IssuerId>;

    /// A registered issuer whose id has the same first half ([`IssuerId::half`]), which may be `id`
    /// itself. There is at most one.
    fn by_half(&self, id: &IssuerId) -> Option<IssuerId>;

    /// Whether an issuer was registered by the invitation with this SHA-256. Only a log knows.
    fn is_used(&self, invitation: &Hash) -> bool {
        let _ = invitation;
        false
    }
}

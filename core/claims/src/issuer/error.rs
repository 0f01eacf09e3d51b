//! Why the signers of a claim do not suffice.

use super::id::IssuerId;
use super::record::IssuerError;
use crate::claim::{ClaimId, PublicKey};

/// Why a claim's signers do not suffice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// The claim has the type of an issuer's record and is not one.
    #[error("this is not a record of an issuer: {0}")]
    Record(IssuerError),
    /// A record or a key compromise is signed for another issuer than the one it is about.
    #[error(
        "a record or a key compromise of issuer {issuer} is signed by its own keys only, but one \
         signature is for issuer {other}"
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
        in_force: ClaimId,
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
    /// The signer is not registered, and the key is not the one that makes it.
    #[error(
        "issuer {issuer} is not registered in this log, and key {key} alone makes issuer {}; sign \
         for that one, or register the issuer first (`assay issuer register`)",
        IssuerId::of_key(.key)
    )]
    NotItself {
        /// For whom the signature is.
        issuer: IssuerId,
        /// The key.
        key: Box<PublicKey>,
    },
    /// A rotation key signs an ordinary claim.
    #[error(
        "key {key} is a rotation key of issuer {issuer}: it signs records and key compromises, and \
         no other claim"
    )]
    RotationKey {
        /// The issuer.
        issuer: IssuerId,
        /// The key.
        key: Box<PublicKey>,
    },
    /// A key stands in a record of another issuer, of now or of before.
    #[error(
        "key {key} stands in a record of issuer {owner}, so that it is none of issuer {issuer}; a \
         key is one issuer's for ever. Make a new one (`assay key new`)"
    )]
    KeyOfAnother {
        /// Who would have it.
        issuer: IssuerId,
        /// The key.
        key: Box<PublicKey>,
        /// Whose it is.
        owner: IssuerId,
    },
    /// A registered issuer's id begins with the same 16 bytes.
    #[error(
        "the id of issuer {issuer} begins with the same 16 bytes as that of issuer {other}, which \
         is registered; register with another key"
    )]
    SharedHalf {
        /// Who would be registered.
        issuer: IssuerId,
        /// Who is.
        other: IssuerId,
    },
    /// Keys that the record brings did not sign it.
    #[error(
        "the rotation of issuer {issuer} brings keys that did not sign it; every new key must: {}",
        list(.keys)
    )]
    NewKeys {
        /// The issuer.
        issuer: IssuerId,
        /// Its keys and rotation keys that are not in the record in force, and did not sign.
        keys: Vec<PublicKey>,
    },
    /// Too few distinct keys signed.
    #[error(
        "issuer {issuer} at sequence {sequence} needs {needed} distinct {}keys, and {signed} \
         signed; {} of these must sign too: {}",
        if *.rotation { "rotation " } else { "" }, .needed - .signed, list(.missing)
    )]
    TooFewKeys {
        /// The issuer.
        issuer: IssuerId,
        /// The record that is not satisfied.
        sequence: u32,
        /// Whether its rotation keys are meant.
        rotation: bool,
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
            Self::NotRegistered(_)
                | Self::NotItsKey { .. }
                | Self::NotItself { .. }
                | Self::RotationKey { .. }
                | Self::NewKeys { .. }
                | Self::TooFewKeys { .. }
        )
    }

    /// Whether the claim was made for a state of the registry that is not the one in force ("failed
    /// precondition").
    pub fn is_outdated(&self) -> bool {
        matches!(
            self,
            Self::Registered(_)
                | Self::Sequence { .. }
                | Self::Previous { .. }
                | Self::KeyOfAnother { .. }
                | Self::SharedHalf { .. }
        )
    }
}

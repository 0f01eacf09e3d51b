//! Why a claim is refused.

use super::id::PAYLOAD_TYPE;
use super::key::KeyFault;
use crate::kind::PredicateError;
use crate::limits;
use crate::statement::StatementError;

/// Why a claim is refused. Whoever made the claim is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The payload has more than [`limits::PAYLOAD_BYTES`].
    #[error(
        "the payload has {0} bytes; at most {max} are taken. Store the document as an attachment \
         and name it by its SHA-256 in the predicate",
        max = limits::PAYLOAD_BYTES
    )]
    PayloadTooLong(usize),
    /// The payload is of another type than [`PAYLOAD_TYPE`].
    #[error("the payload type is {0:?}; only {PAYLOAD_TYPE:?} is taken")]
    PayloadType(String),
    /// No signature, or more than [`limits::SIGNATURES`].
    #[error("the claim has {0} signatures; it must have from 1 to {max}", max = limits::SIGNATURES)]
    Signatures(usize),
    /// The payload is not a statement.
    #[error("the statement is refused: {0}")]
    Statement(StatementError),
    /// The predicate is not what its type says.
    #[error("the predicate is not a valid {uri}: {error}")]
    Predicate {
        /// The predicate's type.
        uri: String,
        /// What is wrong with it.
        error: PredicateError,
    },
    /// One of the signatures is not valid.
    #[error("signature {number}: {fault}")]
    Signature {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        fault: SignatureFault,
    },
}

/// What is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// Its public key is malformed or weak.
    #[error("{0}")]
    Key(KeyFault),
    /// Its issuer id does not have 32 bytes.
    #[error("the issuer id does not have 32 bytes")]
    IssuerLength,
    /// It does not have 64 bytes.
    #[error("the signature does not have 64 bytes")]
    Length,
    /// Its scalar is not reduced: a second spelling of another signature (RFC 8032, section 5.1.7,
    /// step 1).
    #[error("the signature is not in canonical form")]
    NotCanonical,
    /// It does not fit the payload and the key.
    #[error("the signature does not fit this payload and this key")]
    Wrong,
}

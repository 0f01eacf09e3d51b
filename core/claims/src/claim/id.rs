//! What names a claim.

use super::key::PublicKey;
use crate::dsse;
use crate::issuer::IssuerId;
use assay_tlog::Hash;
use std::fmt;

/// The DSSE payload type of a claim.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Names a claim: `SHA-256(PAE(payload_type, payload))`. It does not depend on the signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(Hash);

impl ClaimId {
    /// The id of a claim with this payload.
    pub fn of_payload(payload: &[u8]) -> Self {
        Self::of_pae(&dsse::pae(PAYLOAD_TYPE, payload))
    }

    pub(super) fn of_pae(pae: &[u8]) -> Self {
        ClaimId(Hash::of(pae))
    }

    /// Takes the hash as it is.
    pub const fn new(hash: Hash) -> Self {
        ClaimId(hash)
    }

    /// The id in 64 lower-case hex digits, or `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        Hash::from_hex(text).map(ClaimId)
    }

    /// The id in 32 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Hash::from_slice(bytes).map(ClaimId)
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

/// Names a claim with a key that signed it for an issuer, whatever the signature's bytes are. A log
/// never takes a leaf that brings none, for one of its issuers, which an earlier leaf lacks
/// (docs/design.md 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignatureId {
    claim: ClaimId,
    signer: Hash,
}

impl SignatureId {
    /// Names the claim with a signer of it.
    pub fn new(claim: ClaimId, (issuer, key): &(IssuerId, PublicKey)) -> Self {
        SignatureId {
            claim,
            signer: Hash::of_parts(&[issuer.as_bytes(), key.as_bytes()]),
        }
    }

    /// The 64 bytes of the name: claim id ‖ SHA-256(issuer id ‖ key). Signatures of one claim share
    /// the first half.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(self.claim.as_bytes());
        bytes[32..].copy_from_slice(self.signer.as_bytes());
        bytes
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

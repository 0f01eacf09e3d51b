//! What names a claim.

use crate::dsse;
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

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

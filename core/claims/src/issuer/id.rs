//! What names an issuer.

use assay_tlog::Hash;
use std::fmt;

/// Names an issuer: 32 bytes, derived from its first keys and threshold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub(super) Hash);

impl IssuerId {
    /// `SHA-256("assay.issuer.v1\n" ‖ u32be(threshold) ‖ keys, sorted)` (docs/design.md 3.4).
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

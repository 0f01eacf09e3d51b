//! What names an issuer.

use crate::claim::PublicKey;
use assay_tlog::Hash;
use std::fmt;

/// Keys, 32 bytes each, and how many of them must sign.
#[derive(Debug, Clone, Copy)]
pub struct KeySet<'a> {
    /// How many must sign.
    pub threshold: u32,
    /// The keys, in any order.
    pub keys: &'a [[u8; 32]],
}

impl KeySet<'_> {
    /// No keys.
    pub const NONE: KeySet<'static> = KeySet {
        threshold: 0,
        keys: &[],
    };

    fn write(&self, text: &mut Vec<u8>) {
        let mut sorted = self.keys.to_vec();
        sorted.sort_unstable();
        // Far below 2^32: an issuer has at most `limits::ISSUER_KEYS`.
        let count = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
        text.extend_from_slice(&self.threshold.to_be_bytes());
        text.extend_from_slice(&count.to_be_bytes());
        text.extend_from_slice(sorted.as_flattened());
    }
}

/// Names an issuer: 32 bytes, derived from the keys and thresholds of its first record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub(super) Hash);

impl IssuerId {
    /// The id of an issuer without rotation keys, of whose keys `threshold` must sign.
    pub fn derive(threshold: u32, keys: &[[u8; 32]]) -> Self {
        Self::derive_with_rotation(KeySet { threshold, keys }, KeySet::NONE)
    }

    /// `SHA-256("assay.issuer.v2\n" ‖ u32be(threshold) ‖ u32be(n) ‖ n keys, sorted ‖ u32be(rotation
    /// threshold) ‖ u32be(m) ‖ m rotation keys, sorted)` (docs/design.md 3.4). The order in which
    /// keys are given does not matter.
    pub fn derive_with_rotation(signing: KeySet<'_>, rotation: KeySet<'_>) -> Self {
        let mut text = b"assay.issuer.v2\n".to_vec();
        signing.write(&mut text);
        rotation.write(&mut text);
        IssuerId(Hash::of(&text))
    }

    /// The id of the issuer that one key alone makes: of a signer that is not registered.
    pub fn of_key(key: &PublicKey) -> Self {
        Self::derive(1, &[*key.as_bytes()])
    }

    /// The id in 64 lower-case hex digits, or `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        Hash::from_hex(text).map(IssuerId)
    }

    /// The id in 32 bytes, or `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Hash::from_slice(bytes).map(IssuerId)
    }

    /// The first half, which is what labels of the index hold of it (docs/design.md 3.5). Two
    /// registered issuers never share it.
    pub fn half(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.as_bytes()[..16]);
        half
    }

    /// The smallest id with the same half: where a sorted map of issuers holds its neighbors.
    pub fn first_of_half(&self) -> Self {
        let mut first = [0; 32];
        first[..16].copy_from_slice(&self.half());
        IssuerId(Hash::new(first))
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

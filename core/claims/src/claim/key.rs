//! Ed25519 public keys that signatures may be checked with.

use ed25519_dalek::{SigningKey, VerifyingKey};
use std::fmt;

/// A public key that is a point of the curve in its one spelling, and not one of small order.
///
/// It holds the decompressed point, so that checking again with the same key saves that work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why bytes are not a key to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not 32 bytes.
    #[error("the public key does not have 32 bytes")]
    Length,
    /// Not the canonical encoding of its point (RFC 8032, section 5.1.3, step 1).
    #[error("the public key is not in canonical form")]
    NotCanonical,
    /// Not a point of the curve.
    #[error("the public key is not a point of the curve")]
    NoPoint,
    /// Of small order: signatures "by" it fit any message.
    #[error("the public key is weak: it has small order")]
    Weak,
}

impl PublicKey {
    /// Reads 32 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyFault> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyFault::Length)?;
        if !is_reduced(bytes) {
            return Err(KeyFault::NotCanonical);
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyFault::NoPoint)?;
        if key.is_weak() {
            Err(KeyFault::Weak)
        } else {
            Ok(PublicKey(key))
        }
    }

    /// Reads 64 lower-case hex digits.
    pub fn from_hex(text: &str) -> Result<Self, KeyFault> {
        match assay_tlog::Hash::from_hex(text) {
            Some(bytes) => Self::parse(bytes.as_bytes()),
            None => Err(KeyFault::Length),
        }
    }

    /// The key, 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Lower-case hex, 64 digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.as_bytes())
    }

    /// The key that checks signatures. Use its `verify_strict` only (docs/design.md 3.1).
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0
    }
}

/// Whether the y coordinate is below p = 2^255 − 19. `x = 0` with its sign set is the other second
/// spelling, but has small order.
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *low < 0xed || *high & 0x7f != 0x7f || middle.iter().any(|&b| b != 0xff)
}

/// A signing key's public key has none of the faults.
impl From<&SigningKey> for PublicKey {
    fn from(key: &SigningKey) -> Self {
        PublicKey(key.verifying_key())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_hex())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_keys_are_read() {
        for seed in 0..32 {
            let key = SigningKey::from_bytes(&[seed; 32]).verifying_key();
            assert_eq!(PublicKey::parse(key.as_bytes()), Ok(PublicKey(key)));
            assert_eq!(
                PublicKey::from_hex(&hex::encode(key.as_bytes())),
                Ok(PublicKey(key))
            );
        }
    }

    #[test]
    fn every_key_has_one_spelling() {
        // y from p to 2^255 − 1, either sign: whatever point it stands for, it has a smaller
        // spelling.
        for low in 0xed..=0xff {
            for high in [0x7f, 0xff] {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (low, high);
                assert_eq!(PublicKey::parse(&bytes), Err(KeyFault::NotCanonical));
            }
        }
        // p − 1 is y = −1, of order 2.
        let mut minus_one = [0xff; 32];
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        assert_eq!(PublicKey::parse(&minus_one), Err(KeyFault::Weak));
    }

    #[test]
    fn weak_and_malformed_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::parse(&identity), Err(KeyFault::Weak));
        identity[31] = 0x80;
        assert!(matches!(
            PublicKey::parse(&identity),
            Err(KeyFault::Weak | KeyFault::NoPoint)
        ));
        assert_eq!(PublicKey::parse(&[0; 32]), Err(KeyFault::Weak));
        assert_eq!(PublicKey::parse(&[0; 31]), Err(KeyFault::Length));
        assert_eq!(PublicKey::from_hex("00"), Err(KeyFault::Length));
        let mut two = [0; 32];
        two[0] = 2;
        assert_eq!(PublicKey::parse(&two), Err(KeyFault::NoPoint));
    }
}

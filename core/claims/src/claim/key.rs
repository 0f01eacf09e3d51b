//! Ed25519 public keys that signatures may be checked with.

use curve25519_dalek::edwards::EdwardsPoint;
use ed25519_dalek::{Signature, SigningKey, Verifier, VerifyingKey};
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

    /// Whether a signature verifies strictly, as by [`VerifyingKey::verify_strict`], whose answer
    /// it gives in less time.
    ///
    /// Beyond the plain check, that function refuses keys and R of small order, and takes R apart
    /// to see it. A key of small order was refused when it was read. The plain check compares the
    /// bytes of R with a canonical encoding, so that R can only have small order if its bytes are
    /// one of eight.
    pub fn verifies_strictly(&self, message: &[u8], signature: &Signature) -> bool {
        !SMALL_ORDER.contains(signature.r_bytes()) && self.0.verify(message, signature).is_ok()
    }

    /// The point, for the equation of a batch.
    pub(super) fn to_edwards(self) -> EdwardsPoint {
        self.0.to_edwards()
    }
}

/// The canonical encodings of the eight points of small order.
const SMALL_ORDER: [[u8; 32]; 8] = {
    let mut all = [[0; 32]; 8];
    // Of order 4 are the two points with y = 0, the second with the sign set.
    all[1][31] = 0x80;
    // The identity is y = 1, and of order 2 is y = −1.
    all[2][0] = 1;
    all[3] = [0xff; 32];
    (all[3][0], all[3][31]) = (0xec, 0x7f);
    // Of order 8 are four, with two values of y and either sign.
    const Y: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    (all[4], all[5], all[6], all[7]) = (Y[0], Y[0], Y[1], Y[1]);
    all[5][31] |= 0x80;
    all[7][31] |= 0x80;
    all
};

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
    use curve25519_dalek::{
        constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
        scalar::Scalar,
        traits::Identity,
    };
    use ed25519_dalek::Signer;
    use proptest::prelude::*;
    use sha2::{Digest, Sha512};
    use std::collections::HashSet;

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
    fn the_points_of_small_order_are_these() {
        let all: HashSet<[u8; 32]> = EIGHT_TORSION
            .iter()
            .map(|point| point.compress().to_bytes())
            .collect();
        assert_eq!(HashSet::from(SMALL_ORDER), all);
    }

    /// Signatures by a key of ours that are changed in every way that the two checks could tell
    /// apart: by points of small order in R, other spellings, other scalars, other messages.
    fn crafted() -> impl Strategy<Value = (SigningKey, Vec<u8>, Signature)> {
        let message = proptest::collection::vec(any::<u8>(), 0..100);
        let change = (0..7_u8, 0..8_usize, 0..64_usize, any::<u8>());
        (any::<[u8; 32]>(), message, change).prop_map(|(seed, message, change)| {
            let key = SigningKey::from_bytes(&seed);
            let (kind, torsion, at, byte) = change;
            let mut bytes = key.sign(&message).to_bytes();
            let nonce = Scalar::from(u64::from(byte));
            let sign = |r: [u8; 32], nonce: Scalar| {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&r);
                let mut hasher = Sha512::new();
                hasher.update(r);
                hasher.update(key.verifying_key().as_bytes());
                hasher.update(&message);
                let h = Scalar::from_bytes_mod_order_wide(&hasher.finalize().into());
                signature[32..].copy_from_slice((nonce + h * key.to_scalar()).as_bytes());
                signature
            };
            let torsion = EIGHT_TORSION[torsion];
            match kind {
                0 => {}
                1 => bytes[at] ^= byte,
                2 => bytes[..32].copy_from_slice(torsion.compress().as_bytes()),
                3 => bytes = sign(torsion.compress().to_bytes(), Scalar::ZERO),
                4 => {
                    let r = ED25519_BASEPOINT_POINT * nonce + torsion;
                    bytes = sign(r.compress().to_bytes(), nonce);
                }
                // The identity in its other spellings: y = p + 1, and the sign set.
                5 => {
                    let mut r = [0xff; 32];
                    (r[0], r[31]) = (0xee, 0x7f | (byte & 0x80));
                    bytes = sign(r, Scalar::ZERO);
                }
                _ => {
                    let mut r = EdwardsPoint::identity().compress().to_bytes();
                    r[31] |= byte & 0x80;
                    bytes = sign(r, Scalar::ZERO);
                }
            }
            (key, message, Signature::from_bytes(&bytes))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn the_strict_check_is_that_of_the_library((key, message, signature) in crafted()) {
            let verifying = key.verifying_key();
            prop_assert_eq!(
                PublicKey(verifying).verifies_strictly(&message, &signature),
                verifying.verify_strict(&message, &signature).is_ok()
            );
        }
    }

    /// The equation holds for R of small order if the key has a part of small order, or if R is the
    /// identity: for any message, or one in eight.
    #[test]
    fn r_of_small_order_is_refused_although_the_equation_holds() {
        let secret = SigningKey::from_bytes(&[1; 32]);
        let mut held = 0;
        for part in EIGHT_TORSION {
            let point = secret.verifying_key().to_edwards() + part;
            let key = PublicKey::parse(point.compress().as_bytes()).unwrap();
            for (r, message) in SMALL_ORDER
                .iter()
                .flat_map(|r| [(r, "a"), (r, "b"), (r, "c")])
            {
                let mut hasher = Sha512::new();
                hasher.update(r);
                hasher.update(key.as_bytes());
                hasher.update(message);
                let h = Scalar::from_bytes_mod_order_wide(&hasher.finalize().into());
                let mut bytes = [0; 64];
                bytes[..32].copy_from_slice(r);
                bytes[32..].copy_from_slice((h * secret.to_scalar()).as_bytes());
                let signature = Signature::from_bytes(&bytes);
                held += usize::from(key.0.verify(message.as_bytes(), &signature).is_ok());
                assert!(!key.verifies_strictly(message.as_bytes(), &signature));
            }
        }
        assert!(held > 8, "{held} signatures fit the equation");
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

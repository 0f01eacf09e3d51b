//! ML-DSA-44 (FIPS 204), as C2SP tlog-cosignature uses it: pure, with an empty context, private
//! keys as seeds of 32 bytes. The arithmetic is the crate `ml-dsa`'s.

use ml_dsa::{
    EncodedVerifyingKey, ExpandedSigningKey, MlDsa44, Seed, Signature, SignatureEncoding, Signer,
    SigningKey, Verifier, VerifyingKey,
};
use std::sync::Arc;

/// Bytes of a public key.
pub(super) const PUBLIC_KEY: usize = 1312;

/// A public key. Any bytes are one: nothing about them can be unsound.
#[derive(Clone)]
pub(super) struct PublicKey(Arc<Parts>);

struct Parts {
    bytes: [u8; PUBLIC_KEY],
    key: VerifyingKey<MlDsa44>,
}

impl PublicKey {
    pub fn new(bytes: &[u8; PUBLIC_KEY]) -> Self {
        let encoded: &EncodedVerifyingKey<MlDsa44> = bytes.into();
        PublicKey(Arc::new(Parts {
            bytes: *bytes,
            key: VerifyingKey::decode(encoded),
        }))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Whether these bytes, of the right length, are its signature of the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::try_from(signature)
            .is_ok_and(|signature| self.0.key.verify(message, &signature).is_ok())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.bytes == other.0.bytes
    }
}

impl Eq for PublicKey {}

/// A private key, expanded once. It is wiped from memory when dropped.
#[derive(Clone)]
pub(super) struct SecretKey(Arc<SigningKey<MlDsa44>>);

impl SecretKey {
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let seed: &Seed = seed.into();
        SecretKey(Arc::new(SigningKey::from_seed(seed)))
    }

    pub fn seed(&self) -> &[u8] {
        self.0.as_seed()
    }

    pub fn public(&self) -> PublicKey {
        let expanded: &ExpandedSigningKey<MlDsa44> = self.0.expanded_key();
        let encoded = expanded.verifying_key().encode();
        let mut bytes = [0; PUBLIC_KEY];
        bytes.copy_from_slice(&encoded);
        PublicKey::new(&bytes)
    }

    /// Signs, by the deterministic variant: no randomness is asked for, and the same message has
    /// the same signature. `None` if the algorithm gave up, which happens less than once in 2^128
    /// times.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signature = self.0.try_sign(message).ok()?;
        Some(signature.to_vec())
    }
}

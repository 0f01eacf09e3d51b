//! Verifier keys of signed notes, and the text of keys (C2SP signed-note, "Verifier keys"; signer
//! keys as Go's sumdb/note writes them).
//!
//! ```text
//! <name>+<key id, 8 hex digits>+base64(algorithm ‖ public key)               verifier key
//! PRIVATE+KEY+<name>+<key id, 8 hex digits>+base64(algorithm ‖ seed)         signer key
//! key id = SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)[:4]
//! ```
//!
//! A public key has 32 bytes for Ed25519 and 1,312 for ML-DSA-44; a seed has 32 for both. Ed25519
//! is always verified strictly: S must be canonical, and neither R nor the public key of small
//! order. Left out: reading key files, and making seeds (the caller has the randomness).

use super::algorithm::Algorithm;
use super::line::NoteSignature;
use super::line::is_key_name;
use super::ml_dsa_44;
use crate::checkpoint::Checkpoint;
use crate::cosignature;
use crate::hash::Hash;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signature, VerifyingKey};
use std::fmt;
use zeroize::Zeroizing;

/// Why text is not a key. None of these messages repeats the text, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form that the module shows.
    #[error("not a key of the form name+id+base64; was it cut off?")]
    Format,
    /// The name is empty, or has spaces or a plus.
    #[error("a key's name must not be empty and must have neither spaces nor a plus")]
    Name,
    /// The key id is not that of the name and key: one of them was changed.
    #[error(
        "the key does not belong to its id {stated:08x}, but to {computed:08x}; was its name or a \
         digit changed?"
    )]
    Id {
        /// The id in the text.
        stated: u32,
        /// The id that name and key have.
        computed: u32,
    },
    /// An algorithm that is not supported here.
    #[error(
        "keys of type 0x{0:02x} are not supported here; Ed25519 (0x01), its cosignatures (0x04) \
         and ML-DSA-44 (0x06) are known"
    )]
    Algorithm(u8),
    /// The key of a witness, where a log's is wanted.
    #[error("this key is a witness's (type 0x04); a log's key has type 0x01 or 0x06")]
    OfWitness,
    /// Not a point of the curve, or one of small order, for which anybody can make signatures.
    #[error("not a sound Ed25519 public key")]
    PublicKey,
}

/// A signature is wrong. The error says no more: only an attacker could use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is wrong")]
pub struct WrongSignature;

/// A public key that verifies notes, with the name that it signs under.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key_id: u32,
    algorithm: Algorithm,
    key: Public,
}

#[derive(Clone, PartialEq, Eq)]
enum Public {
    Ed25519(VerifyingKey),
    MlDsa44(ml_dsa_44::PublicKey),
}

impl Public {
    fn parse(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, KeyError> {
        if algorithm == Algorithm::MlDsa44 {
            let bytes = bytes.try_into().map_err(|_| KeyError::Format)?;
            return Ok(Public::MlDsa44(ml_dsa_44::PublicKey::new(bytes)));
        }
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::Format)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::PublicKey)?;
        if key.is_weak() {
            Err(KeyError::PublicKey)
        } else {
            Ok(Public::Ed25519(key))
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Public::Ed25519(key) => key.as_bytes(),
            Public::MlDsa44(key) => key.as_bytes(),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), WrongSignature> {
        let right = match self {
            Public::Ed25519(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Public::MlDsa44(key) => key.verifies(message, signature),
        };
        if right { Ok(()) } else { Err(WrongSignature) }
    }
}

impl VerifierKey {
    /// Reads a verifier key. Only its one spelling is accepted. Fails with [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fields = Fields::parse(text)?;
        let key = Self::new(fields.name, fields.algorithm, &fields.material)?;
        key.check_id(fields.key_id)?;
        Ok(key)
    }

    /// Reads the verifier key of a log. Fails with [`KeyError`], also if it is a witness's.
    pub fn parse_log(text: &str) -> Result<Self, KeyError> {
        let key = Self::parse(text)?;
        if key.algorithm.is_of_logs() {
            Ok(key)
        } else {
            Err(KeyError::OfWitness)
        }
    }

    /// Names a key of any algorithm. Fails with [`KeyError::Name`], [`KeyError::PublicKey`],
    /// or [`KeyError::Format`] if the key has another length.
    pub fn new(name: &str, algorithm: Algorithm, public_key: &[u8]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        let key = Public::parse(algorithm, public_key)?;
        Ok(VerifierKey {
            name: name.to_owned(),
            key_id: key_id(name, algorithm, public_key),
            algorithm,
            key,
        })
    }

    pub(super) fn check_id(&self, stated: u32) -> Result<(), KeyError> {
        if stated == self.key_id {
            Ok(())
        } else {
            Err(KeyError::Id {
                stated,
                computed: self.key_id,
            })
        }
    }

    /// The name that it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id, which tells keys of one name apart. It is not a fingerprint: another key
    /// can be made to have the same.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// What it signs, and how.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key: 32 bytes for Ed25519, 1,312 for ML-DSA-44.
    pub fn public_key(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// Verifies one signature of `text`, without the key id that precedes it in a note; Ed25519
    /// strictly.
    ///
    /// Returns when a cosignature was made, in seconds since 1970 (UTC), and `None` for a plain
    /// signature. ML-DSA-44 signs checkpoints only, so that no other text is right.
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> Result<Option<u64>, WrongSignature> {
        if self.algorithm == Algorithm::Ed25519 {
            self.key.verify(text, signature)?;
            return Ok(None);
        }
        let (timestamp, signature) = cosignature::split(signature).ok_or(WrongSignature)?;
        let message = match &self.key {
            Public::Ed25519(_) => cosignature::message(timestamp, text),
            Public::MlDsa44(_) => self.tree_message(timestamp, text).ok_or(WrongSignature)?,
        };
        self.key.verify(&message, signature)?;
        Ok(Some(timestamp))
    }

    /// Returns the signature line of a plain signature that was made elsewhere, line break
    /// included. Fails with [`WrongSignature`] unless it is one of the note's text `text`,
    /// strictly.
    pub fn signature_line(&self, text: &str, signature: &[u8]) -> Result<String, WrongSignature> {
        self.verify(text.as_bytes(), signature)?;
        Ok(NoteSignature::new(&self.name, self.key_id, signature.to_vec()).to_string())
    }

    /// What a key of type 0x06 signs of a note's text, which must be a checkpoint's without
    /// extension lines: they would not be covered.
    fn tree_message(&self, timestamp: u64, text: &[u8]) -> Option<Vec<u8>> {
        let Checkpoint { origin, size, root } =
            Checkpoint::parse_body(std::str::from_utf8(text).ok()?).ok()?;
        cosignature::tree_message(&self.name, timestamp, &origin, size, &root)
    }
}

/// The verifier key as text.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material =
            BASE64_STANDARD.encode([&[self.algorithm.byte()], self.public_key()].concat());
        write!(f, "{}+{:08x}+{material}", self.name, self.key_id)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

fn key_id(name: &str, algorithm: Algorithm, public_key: &[u8]) -> u32 {
    let hash = Hash::of_parts(&[name.as_bytes(), b"\n", &[algorithm.byte()], public_key]);
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// What the text of a key has in it, whether public or private.
pub(super) struct Fields<'a> {
    pub name: &'a str,
    pub key_id: u32,
    pub algorithm: Algorithm,
    /// The public key or the seed.
    pub material: Zeroizing<Vec<u8>>,
}

impl<'a> Fields<'a> {
    /// The material of a private key.
    pub fn seed(&self) -> Result<&[u8; 32], KeyError> {
        self.material[..].try_into().map_err(|_| KeyError::Format)
    }

    /// Reads `name+id+base64(algorithm ‖ key)`. The base64 may have plus signs of its own. Whether
    /// the name may be one is for [`VerifierKey::new`], through which each key is made.
    pub fn parse(text: &'a str) -> Result<Self, KeyError> {
        let mut fields = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(KeyError::Format);
        };
        let key_id = u32::from_str_radix(id, 16)
            .ok()
            .filter(|key_id| format!("{key_id:08x}") == id);
        let key_id = key_id.ok_or(KeyError::Format)?;
        let decoded = Zeroizing::new(
            BASE64_STANDARD
                .decode(encoded)
                .map_err(|_| KeyError::Format)?,
        );
        let (algorithm, bytes) = decoded.split_first().ok_or(KeyError::Format)?;
        let algorithm = Algorithm::from_byte(*algorithm).ok_or(KeyError::Algorithm(*algorithm))?;
        let material = Zeroizing::new(bytes.to_vec());
        Ok(Fields {
            name,
            key_id,
            algorithm,
            material,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::Scalar;
    use ed25519_dalek::{SigningKey, Verifier};
    use sha2::{Digest, Sha512};

    #[test]
    fn a_key_of_another_type_has_another_id() {
        let public = [&[9; 32][..], &[9; 1312]];
        let key = |algorithm: Algorithm| {
            let bytes = public[usize::from(algorithm == Algorithm::MlDsa44)];
            VerifierKey::new("witness", algorithm, bytes).map(|key| key.key_id())
        };
        let ids: std::collections::BTreeSet<_> = [
            Algorithm::Ed25519,
            Algorithm::CosignatureV1,
            Algorithm::MlDsa44,
        ]
        .map(|algorithm| key(algorithm).unwrap())
        .into();
        assert_eq!(ids.len(), 3);
        // The bytes of one type are not a key of another.
        for (algorithm, bytes) in [
            (Algorithm::Ed25519, public[1]),
            (Algorithm::MlDsa44, public[0]),
        ] {
            assert_eq!(
                VerifierKey::new("witness", algorithm, bytes).unwrap_err(),
                KeyError::Format
            );
        }
    }

    #[test]
    fn weak_and_impossible_public_keys_are_refused() {
        let identity: [u8; 32] = std::array::from_fn(|i| u8::from(i == 0));
        let no_point: [u8; 32] = std::array::from_fn(|i| 2 * u8::from(i == 0));
        for bytes in [identity, no_point, [0; 32]] {
            assert_eq!(
                VerifierKey::new("a", Algorithm::Ed25519, &bytes).unwrap_err(),
                KeyError::PublicKey
            );
        }
    }

    /// S = h × a fits the equation if R is the identity, and who has one such signature did not
    /// need the randomness of a real one.
    #[test]
    fn r_of_small_order_is_refused_although_the_equation_holds() {
        let secret = SigningKey::from_bytes(&[1; 32]);
        let public = secret.verifying_key();
        let identity: [u8; 32] = std::array::from_fn(|i| u8::from(i == 0));
        let forged = |message: &[u8]| {
            let hashed = [&identity[..], public.as_bytes(), message].concat();
            let h = Scalar::from_bytes_mod_order_wide(&Sha512::digest(hashed).into());
            let signature = [identity, (h * secret.to_scalar()).to_bytes()].concat();
            let lax = Signature::from_slice(&signature).unwrap();
            assert!(public.verify(message, &lax).is_ok(), "the equation holds");
            signature
        };
        let text = b"log\n1\nAAAA\n";
        let log = VerifierKey::new("log", Algorithm::Ed25519, public.as_bytes()).unwrap();
        assert_eq!(log.verify(text, &forged(text)), Err(WrongSignature));
        let witness = VerifierKey::new("w", Algorithm::CosignatureV1, public.as_bytes()).unwrap();
        let cosigned = [
            &7u64.to_be_bytes()[..],
            &forged(&cosignature::message(7, text)),
        ]
        .concat();
        assert_eq!(witness.verify(text, &cosigned), Err(WrongSignature));
    }

    #[test]
    fn unknown_algorithms_are_named() {
        let material = BASE64_STANDARD.encode([[7; 1].as_slice(), &[1; 32]].concat());
        assert_eq!(
            VerifierKey::parse(&format!("a+00000000+{material}")).unwrap_err(),
            KeyError::Algorithm(7)
        );
        assert!(KeyError::Algorithm(7).to_string().contains("0x07"));
    }

    #[test]
    fn a_witness_key_is_no_log_key() {
        let witness = VerifierKey::new("w", Algorithm::CosignatureV1, &[9; 32]).unwrap();
        assert_eq!(
            VerifierKey::parse_log(&witness.to_string()).unwrap_err(),
            KeyError::OfWitness
        );
        for (algorithm, bytes) in [
            (Algorithm::Ed25519, &[9; 32][..]),
            (Algorithm::MlDsa44, &[9; 1312]),
        ] {
            let log = VerifierKey::new("log", algorithm, bytes).unwrap();
            assert_eq!(VerifierKey::parse_log(&log.to_string()), Ok(log));
        }
    }
}

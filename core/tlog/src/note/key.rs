//! Keys of signed notes, as text (C2SP signed-note, "Verifier keys"; signer keys as Go's sumdb/note
//! writes them).
//!
//! ```text
//! <name>+<key id, 8 hex digits>+base64(algorithm ‖ public key)               verifier key
//! PRIVATE+KEY+<name>+<key id, 8 hex digits>+base64(algorithm ‖ seed)         signer key
//! key id = SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)[:4]
//! ```
//!
//! Ed25519 only, always verified strictly: S must be canonical, and neither R nor the public key of
//! small order. Left out: reading key files, and making seeds (the caller has the randomness).

use crate::cosignature;
use crate::hash::Hash;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;
use zeroize::Zeroizing;

const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";

/// What a signature line starts with: em dash, space.
pub(super) const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// What a key signs, and how (C2SP signed-note, "Signature types").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Type 0x01: Ed25519 over the note's text.
    Ed25519,
    /// Type 0x04: a witness's timestamped Ed25519 signature of a checkpoint (C2SP
    /// tlog-cosignature).
    CosignatureV1,
}

impl Algorithm {
    /// The byte that stands for it.
    pub const fn byte(self) -> u8 {
        match self {
            Algorithm::Ed25519 => 0x01,
            Algorithm::CosignatureV1 => 0x04,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Algorithm::Ed25519, Algorithm::CosignatureV1]
            .into_iter()
            .find(|algorithm| algorithm.byte() == byte)
    }
}

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
        "keys of type 0x{0:02x} are not supported; Ed25519 (0x01) and its cosignatures (0x04) are"
    )]
    Algorithm(u8),
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
    key: VerifyingKey,
}

impl VerifierKey {
    /// Reads a verifier key. Only its one spelling is accepted. Fails with [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fields = Fields::parse(text)?;
        let key = Self::new(fields.name, fields.algorithm, &fields.material)?;
        key.check_id(fields.key_id)?;
        Ok(key)
    }

    /// Names a key of either algorithm. Fails with [`KeyError::Name`] or [`KeyError::PublicKey`].
    pub fn new(name: &str, algorithm: Algorithm, public_key: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| KeyError::PublicKey)?;
        if key.is_weak() {
            return Err(KeyError::PublicKey);
        }
        Ok(VerifierKey {
            name: name.to_owned(),
            key_id: key_id(name, algorithm, public_key),
            algorithm,
            key,
        })
    }

    fn check_id(&self, stated: u32) -> Result<(), KeyError> {
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

    /// The Ed25519 public key.
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Verifies one signature of `text`, without the key id that precedes it in a note; strictly.
    ///
    /// Returns when a cosignature was made, in seconds since 1970 (UTC), and `None` for a plain
    /// signature.
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> Result<Option<u64>, WrongSignature> {
        match self.algorithm {
            Algorithm::Ed25519 => {
                self.verify_bytes(text, signature)?;
                Ok(None)
            }
            Algorithm::CosignatureV1 => {
                let (timestamp, signature) = cosignature::split(signature).ok_or(WrongSignature)?;
                self.verify_bytes(&cosignature::message(timestamp, text), signature)?;
                Ok(Some(timestamp))
            }
        }
    }

    fn verify_bytes(&self, message: &[u8], signature: &[u8]) -> Result<(), WrongSignature> {
        let signature = Signature::from_slice(signature).map_err(|_| WrongSignature)?;
        self.key
            .verify_strict(message, &signature)
            .map_err(|_| WrongSignature)
    }
}

/// The verifier key as text.
impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material =
            BASE64_STANDARD.encode([&[self.algorithm.byte()], &self.public_key()[..]].concat());
        write!(f, "{}+{:08x}+{material}", self.name, self.key_id)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// A private key that signs notes, with the name that it signs under. It is wiped from memory when
/// dropped.
#[derive(Clone)]
pub struct SignerKey {
    key: SigningKey,
    verifier: VerifierKey,
}

impl SignerKey {
    /// Reads a signer key. Only its one spelling is accepted, and only of type 0x01. Fails with
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fields = Fields::parse(text.strip_prefix(PRIVATE_PREFIX).ok_or(KeyError::Format)?)?;
        if fields.algorithm != Algorithm::Ed25519 {
            return Err(KeyError::Algorithm(fields.algorithm.byte()));
        }
        let key = Self::from_seed(fields.name, &fields.material)?;
        key.verifier.check_id(fields.key_id)?;
        Ok(key)
    }

    /// Makes the key of type 0x01 that belongs to `seed`, 32 random bytes. Fails with
    /// [`KeyError::Name`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, Algorithm::Ed25519, key.verifying_key().as_bytes())?;
        Ok(SignerKey { key, verifier })
    }

    /// The key as text, with the secret in it. It is wiped from memory when dropped.
    pub fn to_private_string(&self) -> Zeroizing<String> {
        let mut material = Zeroizing::new([Algorithm::Ed25519.byte(); 33]);
        material[1..].copy_from_slice(self.key.as_bytes());
        let material = Zeroizing::new(BASE64_STANDARD.encode(material));
        let VerifierKey { name, key_id, .. } = &self.verifier;
        Zeroizing::new(format!("{PRIVATE_PREFIX}{name}+{key_id:08x}+{}", *material))
    }

    /// The name that it signs under.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The key that verifies what this one signs.
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// Returns the signature line for a note with this text, line break included.
    ///
    /// `text` must be a note's text, which ends in a line break: [`super::sign`] checks that.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        signature_line(
            &self.verifier.name,
            self.verifier.key_id,
            &signature.to_bytes(),
        )
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey(secret of {})", self.verifier)
    }
}

fn key_id(name: &str, algorithm: Algorithm, public_key: &[u8; 32]) -> u32 {
    let hash = Hash::of_parts(&[name.as_bytes(), b"\n", &[algorithm.byte()], public_key]);
    let [a, b, c, d, ..] = *hash.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// What the text of a key has in it, whether public or private.
struct Fields<'a> {
    name: &'a str,
    key_id: u32,
    algorithm: Algorithm,
    material: Zeroizing<[u8; 32]>,
}

impl<'a> Fields<'a> {
    /// Reads `name+id+base64(algorithm ‖ 32 bytes)`. The base64 may have plus signs of its own.
    fn parse(text: &'a str) -> Result<Self, KeyError> {
        let mut fields = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(KeyError::Format);
        };
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
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
        let material = Zeroizing::new(<[u8; 32]>::try_from(bytes).map_err(|_| KeyError::Format)?);
        Ok(Fields {
            name,
            key_id,
            algorithm,
            material,
        })
    }
}

/// "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B)
/// characters."
pub(super) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// The signature line of C2SP signed-note, line break included.
fn signature_line(name: &str, key_id: u32, signature: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode([&key_id.to_be_bytes(), signature].concat());
    format!("{SIGNATURE_PREFIX}{name} {encoded}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_no_changed_one_does() {
        let signer = SignerKey::from_seed("example.com/log", &[7; 32]).unwrap();
        let private = signer.to_private_string();
        assert_eq!(
            *SignerKey::parse(&private).unwrap().to_private_string(),
            *private
        );
        let public = signer.verifier().to_string();
        assert_eq!(VerifierKey::parse(&public).unwrap(), signer.verifier());

        for (text, is_public) in [(public.as_str(), true), (private.as_str(), false)] {
            let refused = |text: &str| {
                assert!(
                    VerifierKey::parse(text).is_err() && SignerKey::parse(text).is_err(),
                    "{text:?} (public: {is_public})"
                );
            };
            for i in 0..text.len() {
                refused(&text[..i]);
                for byte in 0x20..0x7f_u8 {
                    let mut changed = text.to_owned().into_bytes();
                    if std::mem::replace(&mut changed[i], byte) != byte {
                        refused(std::str::from_utf8(&changed).unwrap());
                    }
                }
            }
        }
    }

    #[test]
    fn names_are_bounded_by_what_a_note_can_say() {
        for name in ["", "a b", "a\u{a0}b", "a+b", "a\nb", "a\u{2003}", "\u{7f}"] {
            assert_eq!(
                SignerKey::from_seed(name, &[1; 32]).unwrap_err(),
                KeyError::Name,
                "{name:?}"
            );
        }
        assert!(SignerKey::from_seed("example.com/ünï", &[1; 32]).is_ok());
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

    #[test]
    fn unknown_algorithms_are_named() {
        let material = BASE64_STANDARD.encode([[6; 1].as_slice(), &[1; 32]].concat());
        assert_eq!(
            VerifierKey::parse(&format!("a+00000000+{material}")).unwrap_err(),
            KeyError::Algorithm(6)
        );
        assert!(KeyError::Algorithm(6).to_string().contains("0x06"));
    }

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        let signer = SignerKey::from_seed("a", &[7; 32]).unwrap();
        let secret = signer.to_private_string();
        let secret = secret.rsplit('+').next().unwrap();
        assert!(!format!("{signer:?}").contains(&secret[4..20]));
    }

    #[test]
    fn a_cosignature_covers_its_timestamp_and_is_of_its_own_kind() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let public = *key.verifying_key().as_bytes();
        let witness = VerifierKey::new("witness", Algorithm::CosignatureV1, &public).unwrap();
        let plain = VerifierKey::new("witness", Algorithm::Ed25519, &public).unwrap();
        assert_ne!(witness.key_id(), plain.key_id());

        let text = b"example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let cosign = |time: u64| {
            let signed = [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat();
            [&time.to_be_bytes(), &key.sign(&signed).to_bytes()[..]].concat()
        };
        let cosignature = cosign(1_700_000_000);
        assert_eq!(witness.verify(text, &cosignature), Ok(Some(1_700_000_000)));
        assert_eq!(plain.verify(text, &cosignature), Err(WrongSignature));
        for i in 0..cosignature.len() {
            let mut changed = cosignature.clone();
            changed[i] ^= 1;
            assert_eq!(
                witness.verify(text, &changed),
                Err(WrongSignature),
                "byte {i}"
            );
            assert_eq!(
                witness.verify(text, &cosignature[..i]),
                Err(WrongSignature),
                "cut at {i}"
            );
        }
        assert_eq!(witness.verify(text, &cosign(1 << 63)), Err(WrongSignature));
        assert_eq!(
            witness.verify(text, &key.sign(text).to_bytes()),
            Err(WrongSignature)
        );
    }
}

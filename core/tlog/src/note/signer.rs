//! Private keys: of logs, which sign notes, and of witnesses and mirrors, which cosign checkpoints.
//!
//! The text of a private key is that of `super::key`, with the seed in place of the public key.

use super::algorithm::Algorithm;
use super::key::{Fields, KeyError, VerifierKey};
use super::line::NoteSignature;
use super::ml_dsa_44;
use crate::checkpoint::Checkpoint;
use crate::cosignature;
use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{Signer, SigningKey};
use std::fmt;
use zeroize::Zeroizing;

const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";

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
        let key = Self::from_seed(fields.name, fields.seed()?)?;
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
        private_string(&self.verifier, self.key.as_bytes())
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
        signature_line(&self.verifier, signature.to_bytes().to_vec())
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey(secret of {})", self.verifier)
    }
}

/// A private key that cosigns checkpoints (C2SP tlog-cosignature), with the name of the witness,
/// mirror or log that it belongs to. It is wiped from memory when dropped.
#[derive(Clone)]
pub struct CosignerKey {
    secret: Secret,
    verifier: VerifierKey,
}

#[derive(Clone)]
enum Secret {
    Ed25519(Box<SigningKey>),
    MlDsa44(ml_dsa_44::SecretKey),
}

/// Why a checkpoint cannot be cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// Zero, which says nothing of when, or over 2^63 − 1.
    #[error("{0} is not a time that a cosignature can state")]
    Time(u64),
    /// ML-DSA-44 covers names and origins of at most 255 bytes.
    #[error("the name of the key or the origin of the log is longer than 255 bytes")]
    TooLong,
    /// The signature algorithm gave up, which happens less than once in 2^128 times.
    #[error("the checkpoint could not be signed")]
    Failed,
    /// Whoever holds the key did not sign, or not rightly.
    #[error("the key {key} did not sign: {why}")]
    Elsewhere {
        /// The key, as text.
        key: String,
        /// Why not, and who is to blame.
        why: String,
    },
}

pub(super) fn check_time(time: u64) -> Result<(), CosignError> {
    if time == 0 || i64::try_from(time).is_err() {
        return Err(CosignError::Time(time));
    }
    Ok(())
}

impl CosignerKey {
    /// Reads a cosigner key. Only its one spelling is accepted, and only of types 0x04 and 0x06.
    /// Fails with [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fields = Fields::parse(text.strip_prefix(PRIVATE_PREFIX).ok_or(KeyError::Format)?)?;
        let key = Self::from_seed(fields.name, fields.algorithm, fields.seed()?)?;
        key.verifier.check_id(fields.key_id)?;
        Ok(key)
    }

    /// Makes the key of type 0x04 or 0x06 that belongs to `seed`, 32 random bytes. Fails with
    /// [`KeyError::Name`], or [`KeyError::Algorithm`] if witnesses have no such keys.
    pub fn from_seed(name: &str, algorithm: Algorithm, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let (secret, public) = match algorithm {
            Algorithm::Ed25519 => return Err(KeyError::Algorithm(algorithm.byte())),
            Algorithm::CosignatureV1 => {
                let key = SigningKey::from_bytes(seed);
                let public = key.verifying_key().as_bytes().to_vec();
                (Secret::Ed25519(Box::new(key)), public)
            }
            Algorithm::MlDsa44 => {
                let key = ml_dsa_44::SecretKey::from_seed(seed);
                let public = key.public().as_bytes().to_vec();
                (Secret::MlDsa44(key), public)
            }
        };
        let verifier = VerifierKey::new(name, algorithm, &public)?;
        Ok(CosignerKey { secret, verifier })
    }

    /// The key as text, with the secret in it. It is wiped from memory when dropped.
    pub fn to_private_string(&self) -> Zeroizing<String> {
        match &self.secret {
            Secret::Ed25519(key) => private_string(&self.verifier, key.as_bytes()),
            Secret::MlDsa44(key) => private_string(&self.verifier, key.seed()),
        }
    }

    /// The name that it signs under.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The key that verifies what this one signs.
    pub fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    /// Returns the signature line for a checkpoint, line break included. It states that at `time`,
    /// in seconds since 1970 (UTC), this was the largest tree of the log that the cosigner had
    /// seen, and that it was consistent with all before: the caller must know that.
    pub fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<String, CosignError> {
        check_time(time)?;
        let signature = match &self.secret {
            Secret::Ed25519(key) => {
                let text = cosignature::text(time, &checkpoint.body());
                key.sign(text.as_bytes()).to_bytes().to_vec()
            }
            Secret::MlDsa44(key) => {
                let Checkpoint { origin, size, root } = checkpoint;
                let message = cosignature::tree_message(self.name(), time, origin, *size, root);
                let message = message.ok_or(CosignError::TooLong)?;
                key.sign(&message).ok_or(CosignError::Failed)?
            }
        };
        let cosignature = [&time.to_be_bytes(), &signature[..]].concat();
        Ok(signature_line(&self.verifier, cosignature))
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CosignerKey(secret of {})", self.verifier)
    }
}

fn private_string(verifier: &VerifierKey, seed: &[u8]) -> Zeroizing<String> {
    let mut material = Zeroizing::new(vec![verifier.algorithm().byte()]);
    material.extend_from_slice(seed);
    let material = Zeroizing::new(BASE64_STANDARD.encode(&*material));
    let (name, key_id) = (verifier.name(), verifier.key_id());
    Zeroizing::new(format!("{PRIVATE_PREFIX}{name}+{key_id:08x}+{}", *material))
}

pub(super) fn signature_line(verifier: &VerifierKey, signature: Vec<u8>) -> String {
    NoteSignature::new(verifier.name(), verifier.key_id(), signature).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use crate::note::WrongSignature;
    use crate::tree::TreeSize;

    const COSIGNING: [Algorithm; 2] = [Algorithm::CosignatureV1, Algorithm::MlDsa44];

    #[test]
    fn a_signature_that_was_made_elsewhere_is_a_line_if_it_is_right() {
        let [key, other] = [1, 2].map(|seed| SignerKey::from_seed("a", &[seed; 32]).unwrap());
        let line = key.sign("a text\n");
        let note = crate::note::Note::parse(format!("a text\n\n{line}").as_bytes()).unwrap();
        let signature = note.signatures()[0].signature();
        let (key, other) = (key.verifier(), other.verifier());
        assert_eq!(key.signature_line("a text\n", signature).unwrap(), line);
        assert!(key.signature_line("b text\n", signature).is_err());
        assert!(other.signature_line("a text\n", signature).is_err());
        assert!(key.signature_line("a text\n", &signature[..63]).is_err());
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "example.com/log".into(),
            size: TreeSize::new(17),
            root: Hash::of(b"root"),
        }
    }

    fn cosigner(algorithm: Algorithm) -> CosignerKey {
        CosignerKey::from_seed("witness.example/w", algorithm, &[7; 32]).unwrap()
    }

    /// The bytes of a signature line after the key id.
    fn blob(line: &str) -> Vec<u8> {
        let encoded = line.trim_end().rsplit(' ').next().unwrap();
        BASE64_STANDARD.decode(encoded).unwrap()[4..].to_vec()
    }

    /// Every prefix of a key's text, and every change of one character, is refused; of a long text
    /// some of them.
    fn refuses_changes(text: &str, is_read: impl Fn(&str) -> bool) {
        assert!(is_read(text));
        let step = text.len().div_ceil(150);
        for i in (0..text.len()).step_by(step) {
            assert!(!is_read(&text[..i]), "{i}");
            for byte in 0x20..0x7f_u8 {
                let mut changed = text.to_owned().into_bytes();
                if std::mem::replace(&mut changed[i], byte) != byte {
                    assert!(!is_read(std::str::from_utf8(&changed).unwrap()), "{i}");
                }
            }
        }
    }

    #[test]
    fn keys_read_back_and_no_changed_one_does() {
        let signer = SignerKey::from_seed("example.com/log", &[7; 32]).unwrap();
        let private = signer.to_private_string();
        assert_eq!(
            *SignerKey::parse(&private).unwrap().to_private_string(),
            *private
        );
        refuses_changes(&private, |text| SignerKey::parse(text).is_ok());
        let public = signer.verifier().to_string();
        assert_eq!(VerifierKey::parse(&public).unwrap(), signer.verifier());
        refuses_changes(&public, |text| VerifierKey::parse(text).is_ok());
        assert!(VerifierKey::parse(&private).is_err() && SignerKey::parse(&public).is_err());

        for algorithm in COSIGNING {
            let cosigner = cosigner(algorithm);
            let private = cosigner.to_private_string();
            let read = CosignerKey::parse(&private).unwrap();
            assert_eq!(*read.to_private_string(), *private);
            refuses_changes(&private, |text| CosignerKey::parse(text).is_ok());
            let public = cosigner.verifier().to_string();
            assert_eq!(VerifierKey::parse(&public).unwrap(), cosigner.verifier());
            refuses_changes(&public, |text| VerifierKey::parse(text).is_ok());
            // A key that signs notes does not cosign, and the other way around.
            let byte = algorithm.byte();
            assert_eq!(
                SignerKey::parse(&private).unwrap_err(),
                KeyError::Algorithm(byte)
            );
        }
        let byte = Algorithm::Ed25519.byte();
        assert_eq!(
            CosignerKey::parse(&private).unwrap_err(),
            KeyError::Algorithm(byte)
        );
    }

    #[test]
    fn names_are_bounded_by_what_a_note_can_say() {
        for name in ["", "a b", "a\u{a0}b", "a+b", "a\nb", "a\u{2003}", "\u{7f}"] {
            let refused = SignerKey::from_seed(name, &[1; 32]).unwrap_err();
            assert_eq!(refused, KeyError::Name, "{name:?}");
            let refused = CosignerKey::from_seed(name, Algorithm::MlDsa44, &[1; 32]).unwrap_err();
            assert_eq!(refused, KeyError::Name, "{name:?}");
        }
        assert!(SignerKey::from_seed("example.com/ünï", &[1; 32]).is_ok());
    }

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        let signer = SignerKey::from_seed("a", &[7; 32]).unwrap();
        let secret = signer.to_private_string();
        let secret = &secret.rsplit('+').next().unwrap()[4..20];
        assert!(!format!("{signer:?}").contains(secret));
        for algorithm in COSIGNING {
            assert!(!format!("{:?}", cosigner(algorithm)).contains(secret));
        }
    }

    #[test]
    fn a_cosignature_covers_all_there_is_and_is_of_its_own_kind() {
        for algorithm in COSIGNING {
            let cosigner = cosigner(algorithm);
            let key = cosigner.verifier();
            let blob = blob(&cosigner.cosign(&checkpoint(), 1_700_000_000).unwrap());
            let verify = |body: &str, blob: &[u8]| key.verify(body.as_bytes(), blob);
            assert_eq!(verify(&checkpoint().body(), &blob), Ok(Some(1_700_000_000)));
            for i in (0..blob.len()).step_by(blob.len().div_ceil(100)) {
                let mut changed = blob.clone();
                changed[i] ^= 1;
                let refused = verify(&checkpoint().body(), &changed);
                assert_eq!(refused, Err(WrongSignature), "byte {i}");
                let refused = verify(&checkpoint().body(), &blob[..i]);
                assert_eq!(refused, Err(WrongSignature), "cut at {i}");
            }
            let longer = [&blob[..], &[0]].concat();
            let refused = verify(&checkpoint().body(), &longer);
            assert_eq!(refused, Err(WrongSignature), "a byte more");
            let others = [
                Checkpoint {
                    origin: "example.com/lof".into(),
                    ..checkpoint()
                },
                Checkpoint {
                    size: TreeSize::new(18),
                    ..checkpoint()
                },
                Checkpoint {
                    root: Hash::of(b"other"),
                    ..checkpoint()
                },
            ];
            for other in others {
                assert_eq!(verify(&other.body(), &blob), Err(WrongSignature));
            }
            // Extension lines, which type 0x06 does not cover, and what is no checkpoint.
            for body in [checkpoint().body() + "more\n", "hello\n".into()] {
                assert_eq!(verify(&body, &blob), Err(WrongSignature));
            }
        }
        let [ed25519, ml_dsa] = COSIGNING.map(|algorithm| {
            let line = cosigner(algorithm).cosign(&checkpoint(), 1).unwrap();
            blob(&line)
        });
        let body = checkpoint().body();
        for (algorithm, other) in [
            (Algorithm::CosignatureV1, ml_dsa),
            (Algorithm::MlDsa44, ed25519),
        ] {
            let key = cosigner(algorithm).verifier();
            assert_eq!(key.verify(body.as_bytes(), &other), Err(WrongSignature));
        }
    }

    #[test]
    fn the_name_of_the_cosigner_is_covered_by_ml_dsa() {
        let algorithm = Algorithm::MlDsa44;
        let other = CosignerKey::from_seed("other.example/w", algorithm, &[7; 32]).unwrap();
        let (key, other) = (
            cosigner(algorithm).verifier(),
            blob(&other.cosign(&checkpoint(), 1).unwrap()),
        );
        let body = checkpoint().body();
        assert_eq!(key.verify(body.as_bytes(), &other), Err(WrongSignature));
    }

    #[test]
    fn what_cannot_be_stated_is_not_signed() {
        for time in [0, 1 << 63, u64::MAX] {
            for algorithm in COSIGNING {
                let refused = cosigner(algorithm).cosign(&checkpoint(), time);
                assert_eq!(refused, Err(CosignError::Time(time)));
            }
        }
        let long = Checkpoint {
            origin: "o".repeat(256),
            ..checkpoint()
        };
        let refused = cosigner(Algorithm::MlDsa44).cosign(&long, 1);
        assert_eq!(refused, Err(CosignError::TooLong));
        assert!(cosigner(Algorithm::CosignatureV1).cosign(&long, 1).is_ok());
        let fits = Checkpoint {
            origin: "o".repeat(255),
            ..checkpoint()
        };
        assert!(cosigner(Algorithm::MlDsa44).cosign(&fits, 1).is_ok());
    }

    /// Made with another implementation (the Python package dilithium-py, deterministic variant).
    #[test]
    fn ml_dsa_44_is_that_of_another_implementation() {
        let cosigner = cosigner(Algorithm::MlDsa44);
        let key = cosigner.verifier();
        assert_eq!(key.key_id(), 0x6d24_6c16);
        assert_eq!(
            Hash::of(key.public_key()).to_hex(),
            "86c769d3b468de487eb9a09f242f7fa0b997a07ef4ded49627e7bf9539f28b62"
        );
        let line = cosigner.cosign(&checkpoint(), 1_700_000_000).unwrap();
        assert_eq!(
            Hash::of(&blob(&line)[8..]).to_hex(),
            "6f4baadd7deb2b3e3c5485a5305699f38972eb1c37fd1d2575d15bafe3335664"
        );
        assert_eq!(
            Hash::of(line.as_bytes()).to_hex(),
            "943e57f304bf5b9fccf4eb9fce7ab867017cbdf78a1c7f233167085002f701a9"
        );
    }
}

//! Cosigners whose keys the caller knows: a witness or a mirror, and what it stated of a log.
//!
//! Left out: quorums ([`crate::tlog_policy`]), and what a log itself signed ([`crate::head`]).

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::limits;
use crate::note::{Note, NoteError, VerifierKey};

/// Why these are not the keys of one cosigner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignerVerifierError {
    /// None, or more than [`limits::LOG_KEYS`].
    #[error("a cosigner has 1 to {max} keys", max = limits::LOG_KEYS)]
    Keys,
    /// A key of a type that cosigners do not sign with.
    #[error("the key {name} is no cosigner's; a cosigner's key has type 0x04 or 0x06")]
    KeyType {
        /// The key's name.
        name: String,
    },
    /// The keys have different names.
    #[error("the keys of a cosigner have one name")]
    Name,
    /// Two keys share the key id, so that it is unclear which one made a signature.
    #[error("two keys of a cosigner have the same key id")]
    SameKey,
}

/// A cosigner whose keys the caller trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignerVerifier {
    name: String,
    keys: Vec<VerifierKey>,
}

impl CosignerVerifier {
    /// A cosigner by all keys that it signs with, which have its name. Fails with
    /// [`CosignerVerifierError`].
    pub fn new(keys: Vec<VerifierKey>) -> Result<Self, CosignerVerifierError> {
        let first = keys.first().ok_or(CosignerVerifierError::Keys)?;
        if keys.len() > limits::LOG_KEYS {
            return Err(CosignerVerifierError::Keys);
        }
        let name = first.name().to_owned();
        for (i, key) in keys.iter().enumerate() {
            if !key.algorithm().is_of_witnesses() {
                let name = key.name().to_owned();
                return Err(CosignerVerifierError::KeyType { name });
            }
            if key.name() != name {
                return Err(CosignerVerifierError::Name);
            }
            if keys[..i].iter().any(|other| other.key_id() == key.key_id()) {
                return Err(CosignerVerifierError::SameKey);
            }
        }
        Ok(CosignerVerifier { name, keys })
    }

    /// The name that it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the note has a signature line of one of the cosigner's keys that is wrong: whoever
    /// knows the key refuses the whole note.
    pub fn is_forged_in(&self, note: &Note) -> bool {
        matches!(
            note.verify(&self.keys),
            Err(NoteError::WrongSignature { .. })
        )
    }

    /// Verifies the note of a checkpoint of any log: one of the cosigner's keys signed it, and no
    /// signature by one of them is wrong. Other signatures are ignored, the log's too.
    pub fn verify(&self, note: &str) -> Result<CosignedHead, CheckpointError> {
        let note = Note::parse_checkpoint(note)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        let verified = note.verify(&self.keys)?;
        let statements = verified
            .signers()
            .iter()
            .map(|signer| Statement {
                key_id: signer.key_id(),
                at: signer.timestamp().unwrap_or_default(),
            })
            .collect();
        Ok(CosignedHead {
            cosigner: self.name.clone(),
            checkpoint,
            note: note.signed_by(&verified),
            statements,
        })
    }
}

/// That a key of a cosigner signed a head, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The id of the key, which tells the keys of one cosigner apart.
    pub key_id: u32,
    /// The time that is stated, in seconds since 1970 (UTC). 0 says nothing of when.
    pub at: u64,
}

/// A head that a cosigner signed, with its signature lines and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedHead {
    cosigner: String,
    checkpoint: Checkpoint,
    note: String,
    statements: Vec<Statement>,
}

impl CosignedHead {
    /// Who cosigned.
    pub fn cosigner(&self) -> &str {
        &self.cosigner
    }

    /// What it cosigned.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note: the three lines, and the verified signatures of the cosigner in the order in which
    /// they stood.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// One for each key that signed, at least one.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use crate::note::{Algorithm, CosignerKey, SignerKey};
    use crate::tree::TreeSize;

    fn key(name: &str, algorithm: Algorithm) -> CosignerKey {
        CosignerKey::from_seed(name, algorithm, &[5; 32]).unwrap()
    }

    #[test]
    fn a_cosigned_head_keeps_the_lines_of_the_cosigner_and_their_times() {
        let [ed25519, ml_dsa] =
            [Algorithm::CosignatureV1, Algorithm::MlDsa44].map(|it| key("w", it));
        let cosigner = CosignerVerifier::new(vec![ed25519.verifier(), ml_dsa.verifier()]).unwrap();
        let checkpoint = Checkpoint {
            origin: "log".into(),
            size: TreeSize::new(3),
            root: Hash::of(b"root"),
        };
        let log = SignerKey::from_seed("log", &[1; 32]).unwrap();
        let other = key("v", Algorithm::CosignatureV1);
        let [a, b, c] = [(&ml_dsa, 7), (&other, 8), (&ed25519, 9)]
            .map(|(key, at)| key.cosign(&checkpoint, at).unwrap());
        let head = cosigner
            .verify(&format!("{}{a}{b}{c}", checkpoint.sign(&log)))
            .unwrap();
        assert_eq!(head.note(), format!("{}\n{a}{c}", checkpoint.body()));
        let times: Vec<_> = head.statements().iter().map(|stated| stated.at).collect();
        assert_eq!((head.cosigner(), times), ("w", vec![7, 9]));
        assert_eq!(head.checkpoint(), &checkpoint);
        assert!(cosigner.verify(&checkpoint.sign(&log)).is_err());
        let wrong = a.replace(&a[a.len() - 9..], "AAAAAAA=\n");
        let wrong = format!("{}{wrong}{c}", checkpoint.sign(&log));
        assert!(cosigner.verify(&wrong).is_err());
        let right = format!("{}{a}{c}", checkpoint.sign(&log));
        for (note, is_forged) in [
            (wrong, true),
            (right, false),
            (checkpoint.sign(&log), false),
        ] {
            let note = Note::parse_checkpoint(&note).unwrap();
            assert_eq!(cosigner.is_forged_in(&note), is_forged);
        }
    }

    #[test]
    fn the_keys_of_a_cosigner_are_cosigners_keys_of_one_name() {
        let ed25519 = key("w", Algorithm::CosignatureV1).verifier();
        let log = SignerKey::from_seed("w", &[1; 32]).unwrap().verifier();
        let name = String::from("w");
        for (keys, error) in [
            (vec![], CosignerVerifierError::Keys),
            (vec![ed25519.clone(); 9], CosignerVerifierError::Keys),
            (vec![ed25519.clone(); 2], CosignerVerifierError::SameKey),
            (
                vec![ed25519.clone(), key("v", Algorithm::MlDsa44).verifier()],
                CosignerVerifierError::Name,
            ),
            (vec![log], CosignerVerifierError::KeyType { name }),
        ] {
            assert_eq!(CosignerVerifier::new(keys), Err(error));
        }
    }
}

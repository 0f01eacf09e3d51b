//! Checkpoints: the signed size and root of a log (C2SP tlog-checkpoint).
//!
//! ```text
//! <origin>
//! <tree size, decimal>
//! <base64 of the root hash>
//! ```
//!
//! Assay's checkpoints carry no extension lines and none are accepted (docs/design.md 3.1), so that
//! a cosignature of any type covers all there is. Left out: comparing checkpoints with each other
//! (the witness's and the client's).

use crate::decimal::parse_decimal;
use crate::hash::Hash;
use crate::note::{Note, NoteError, SignerKey, VerifierKey};
use crate::tree::TreeSize;
use base64::prelude::{BASE64_STANDARD, Engine};

/// Why a checkpoint cannot be read or relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it is malformed, or not signed by the log's key.
    #[error("the checkpoint is not a note that the log signed")]
    Note(#[from] NoteError),
    /// Not three lines that each end in a line break.
    #[error("a checkpoint has three lines: origin, tree size and root hash")]
    Lines,
    /// The first line is empty or has control characters.
    #[error("the checkpoint names no origin")]
    Origin,
    /// The second line is not a decimal number of 64 bits without leading zeros.
    #[error("the tree size of the checkpoint is not a decimal number")]
    Size,
    /// The third line is not the base64 of 32 bytes, in its one spelling.
    #[error("the root hash of the checkpoint is not the base64 of 32 bytes")]
    Root,
    /// There are lines after the third.
    #[error("the checkpoint has extension lines, which are not supported")]
    Extension,
    /// It is another log's checkpoint, although the key of this log signed it.
    #[error("the checkpoint is of the log {found}, not of {wanted}")]
    OtherOrigin {
        /// The origin of the checkpoint.
        found: String,
        /// The name of the log's key.
        wanted: String,
    },
}

/// The size and root of a log, as its note's text states them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: one line without control characters, equal to the name of the log's key.
    pub origin: String,
    /// How many leaves it has.
    pub size: TreeSize,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the text of a checkpoint's note. Only the one spelling that [`Checkpoint::body`]
    /// writes is accepted. Fails with any error of [`CheckpointError`] that is not about
    /// signatures.
    pub fn parse_body(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body
            .strip_suffix('\n')
            .ok_or(CheckpointError::Lines)?
            .splitn(4, '\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        if lines.next().is_some() {
            return Err(CheckpointError::Extension);
        }
        if origin.is_empty() || origin.contains(char::is_control) {
            return Err(CheckpointError::Origin);
        }
        let size = parse_decimal(size).ok_or(CheckpointError::Size)?;
        let root = BASE64_STANDARD
            .decode(root)
            .ok()
            .and_then(|bytes| Hash::from_slice(&bytes));
        let root = root.ok_or(CheckpointError::Root)?;
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size: TreeSize::new(size),
            root,
        })
    }

    /// The text of the checkpoint's note: three lines, the last line break included.
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            BASE64_STANDARD.encode(self.root.as_bytes())
        )
    }

    /// Returns the whole note, signed by the log's key. The key's name must be the origin, or
    /// nobody accepts the note.
    pub fn sign(&self, key: &SignerKey) -> String {
        let body = self.body();
        format!("{body}\n{}", key.sign(&body))
    }
}

/// A checkpoint that its log signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl VerifiedCheckpoint {
    /// Verifies the note of a checkpoint: the log's key signed it, and its origin is the key's
    /// name.
    ///
    /// Other signatures, such as cosignatures, are kept in the note and are not looked at.
    pub fn verify(note: &str, log: &VerifierKey) -> Result<Self, CheckpointError> {
        let verified = Note::parse_checkpoint(note)?.verify(std::slice::from_ref(log))?;
        let checkpoint = Checkpoint::parse_body(verified.text())?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::OtherOrigin {
                found: checkpoint.origin,
                wanted: log.name().to_owned(),
            });
        }
        Ok(VerifiedCheckpoint {
            checkpoint,
            note: note.to_owned(),
        })
    }

    /// What [`LogVerifier::verify_checkpoint`](crate::head::LogVerifier::verify_checkpoint)
    /// verified.
    pub(crate) fn of_verified(checkpoint: Checkpoint, note: &str) -> Self {
        VerifiedCheckpoint {
            checkpoint,
            note: note.to_owned(),
        }
    }

    /// What the log signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Which log.
    pub fn origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// How many leaves it has.
    pub fn size(&self) -> TreeSize {
        self.checkpoint.size
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        self.checkpoint.root
    }

    /// The note, as it was verified, with all its signatures.
    pub fn note(&self) -> &str {
        &self.note
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Algorithm, CosignerKey};

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "example.com/log".into(),
            size: TreeSize::new(17),
            root: Hash::of(b"root"),
        }
    }

    #[test]
    fn a_signed_checkpoint_verifies_and_is_kept_verbatim() {
        let key = SignerKey::from_seed("example.com/log", &[1; 32]).unwrap();
        let witness = SignerKey::from_seed("witness", &[2; 32]).unwrap();
        let note = checkpoint().sign(&key) + &witness.sign(&checkpoint().body());
        let verified = VerifiedCheckpoint::verify(&note, &key.verifier()).unwrap();
        assert_eq!(
            (verified.checkpoint(), verified.note()),
            (&checkpoint(), note.as_str())
        );
        assert_eq!(
            Checkpoint::parse_body(&checkpoint().body()),
            Ok(checkpoint())
        );
    }

    /// A log may sign with ML-DSA-44 beside Ed25519, or alone.
    #[test]
    fn a_log_signs_with_either_key_or_both() {
        let key = SignerKey::from_seed("example.com/log", &[1; 32]).unwrap();
        let other =
            CosignerKey::from_seed("example.com/log", Algorithm::MlDsa44, &[2; 32]).unwrap();
        let line = other.cosign(&checkpoint(), 1_700_000_000).unwrap();
        let alone = format!("{}\n{line}", checkpoint().body());
        let both = checkpoint().sign(&key) + &line;
        for note in [&alone, &both] {
            let verified = VerifiedCheckpoint::verify(note, &other.verifier()).unwrap();
            assert_eq!(verified.checkpoint(), &checkpoint());
        }
        assert!(VerifiedCheckpoint::verify(&both, &key.verifier()).is_ok());
        assert!(VerifiedCheckpoint::verify(&alone, &key.verifier()).is_err());
        let wrong = both.replace("\n17\n", "\n18\n");
        for log in [key.verifier(), other.verifier()] {
            assert!(VerifiedCheckpoint::verify(&wrong, &log).is_err());
        }
    }

    #[test]
    fn two_signatures_by_one_key_are_refused_whoever_it_is() {
        let key = SignerKey::from_seed("example.com/log", &[1; 32]).unwrap();
        let witness = SignerKey::from_seed("witness", &[2; 32]).unwrap();
        let line = witness.sign(&checkpoint().body());
        let note = checkpoint().sign(&key) + &line + &line;
        assert_eq!(
            VerifiedCheckpoint::verify(&note, &key.verifier()),
            Err(CheckpointError::Note(NoteError::SignatureTwice {
                name: "witness".into()
            }))
        );
    }

    #[test]
    fn a_checkpoint_of_another_log_or_key_is_refused() {
        let key = SignerKey::from_seed("example.com/log", &[1; 32]).unwrap();
        let other = Checkpoint {
            origin: "example.com/other".into(),
            ..checkpoint()
        };
        assert_eq!(
            VerifiedCheckpoint::verify(&other.sign(&key), &key.verifier()),
            Err(CheckpointError::OtherOrigin {
                found: "example.com/other".into(),
                wanted: "example.com/log".into()
            })
        );
        let stranger = SignerKey::from_seed("example.com/log", &[2; 32]).unwrap();
        let refused = VerifiedCheckpoint::verify(&checkpoint().sign(&stranger), &key.verifier());
        assert!(matches!(
            refused,
            Err(CheckpointError::Note(NoteError::UnknownSigners { .. }))
        ));
    }

    #[test]
    fn bodies_have_one_spelling() {
        let root = BASE64_STANDARD.encode([0; 32]);
        let long = BASE64_STANDARD.encode([0; 33]);
        let bad = [
            (String::new(), CheckpointError::Lines),
            (format!("o\n1\n{root}"), CheckpointError::Lines),
            ("o\n1\n".into(), CheckpointError::Lines),
            (format!("\n1\n{root}\n"), CheckpointError::Origin),
            (format!("o\r\n1\n{root}\n"), CheckpointError::Origin),
            (format!("o\n01\n{root}\n"), CheckpointError::Size),
            (format!("o\n-1\n{root}\n"), CheckpointError::Size),
            (format!("o\n\n{root}\n"), CheckpointError::Size),
            (
                format!("o\n18446744073709551616\n{root}\n"),
                CheckpointError::Size,
            ),
            (format!("o\n1\n{}\n", &root[..40]), CheckpointError::Root),
            (format!("o\n1\n{long}\n"), CheckpointError::Root),
            (format!("o\n1\n{}B=\n", &root[..42]), CheckpointError::Root),
            (format!("o\n1\n{root}\nmore\n"), CheckpointError::Extension),
            (format!("o\n1\n{root}\n\n"), CheckpointError::Extension),
        ];
        for (body, error) in bad {
            assert_eq!(Checkpoint::parse_body(&body), Err(error), "{body:?}");
        }
        assert!(Checkpoint::parse_body(&format!("o\n0\n{root}\n")).is_ok());
    }
}

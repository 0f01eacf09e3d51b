//! Signed notes (C2SP signed-note).
//!
//! ```text
//! text, one or more lines, the last line break included
//!                                                      an empty line
//! — <key name> base64(u32be(key id) ‖ signature)       one line or more
//! ```
//!
//! Scope: reading notes, verifying them with keys that the caller trusts, and signing. `key` has
//! the keys. Left out: what the text says ([`crate::checkpoint`]), which keys to trust and how many
//! must have signed ([`crate::tlog_policy`]).
//!
//! Open a note, the example of the specification:
//!
//! ```
//! use assay_tlog::note::{Note, VerifierKey};
//!
//! let key = VerifierKey::parse(
//!     "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
//! )?;
//! let note = "This is an example message.\n\n\
//!     \u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZ\
//!     XsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
//!
//! let opened = Note::parse(note.as_bytes())?.verify(&[key])?;
//! assert_eq!(opened.text(), "This is an example message.\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod algorithm;
mod cosigning;
pub mod key;
mod line;
mod ml_dsa_44;
mod private;
mod signer;

use crate::limits;
use std::collections::BTreeSet;

pub use algorithm::Algorithm;
pub use cosigning::CosigningKey;
pub use key::{KeyError, VerifierKey, WrongSignature};
pub use line::NoteSignature;
pub use private::{HoldsPrivateKey, refuse_private_key};
pub use signer::{CosignError, CosignerKey, SignerKey};

/// Why a note cannot be read or relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than [`limits::NOTE_BYTES`].
    #[error("the note has {0} bytes; at most {max} are read", max = limits::NOTE_BYTES)]
    TooLong(usize),
    /// Not UTF-8, or it has control characters.
    #[error("the note is not plain UTF-8 text")]
    NotText,
    /// There is no text with a signature block after it.
    #[error("the note has no signatures")]
    NoSignatures,
    /// A line of the signature block, counted from 1, is not a signature.
    #[error("line {0} of the note's signatures is not a signature")]
    SignatureLine(usize),
    /// More than [`limits::NOTE_SIGNATURES`] signature lines.
    #[error("the note has more than {max} signatures", max = limits::NOTE_SIGNATURES)]
    TooManySignatures,
    /// Two signature lines of a checkpoint have one name and one key id.
    #[error("the checkpoint has two signatures by one key of {name}")]
    SignatureTwice {
        /// The key's name.
        name: String,
    },
    /// A signature that claims to be by a known key is not: somebody changed the note, or made it
    /// up.
    #[error("the signature by {name} is wrong: the note is not what that key signed")]
    WrongSignature {
        /// The key's name.
        name: String,
    },
    /// No signature is by a known key.
    #[error("the note is signed by none of the known keys, only by: {}", .signers.join(", "))]
    UnknownSigners {
        /// The names of the keys that it claims to be signed by, the first few of them.
        signers: Vec<String>,
    },
    /// Two of the caller's keys share name and key id, so that it is unclear which one made a
    /// signature.
    #[error(
        "two known keys are called {name} and share the key id {key_id:08x}; keep only one of them"
    )]
    AmbiguousKey {
        /// The keys' name.
        name: String,
        /// The keys' id.
        key_id: u32,
    },
    /// What was to be signed is not a note's text: it must end in a line break and have no other
    /// control character.
    #[error("a note's text must be plain text that ends in a line break")]
    UnfitText,
}

/// A note that was read and not verified. Its text is not to be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note. Fails with any error of [`NoteError`] that is not about keys.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > limits::NOTE_BYTES {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        if !is_text(note) {
            return Err(NoteError::NotText);
        }
        // The last empty line separates text and signatures; the text may have others.
        let (text, block) = note
            .rfind("\n\n")
            .map(|i| note.split_at(i + 1))
            .ok_or(NoteError::NoSignatures)?;
        let lines = block
            .strip_prefix('\n')
            .filter(|lines| !lines.is_empty())
            .ok_or(NoteError::NoSignatures)?;

        let mut signatures = Vec::new();
        for (i, line) in lines.split_inclusive('\n').enumerate() {
            if i == limits::NOTE_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(NoteSignature::parse(line).ok_or(NoteError::SignatureLine(i + 1))?);
        }
        Ok(Note {
            text: text.to_owned(),
            signatures,
        })
    }

    /// Reads the note of a checkpoint, which has at most one signature line for each name and key
    /// id (C2SP tlog-checkpoint). Fails as [`Note::parse`] does, or with
    /// [`NoteError::SignatureTwice`].
    pub fn parse_checkpoint(note: &str) -> Result<Self, NoteError> {
        let note = Note::parse(note.as_bytes())?;
        let mut seen = BTreeSet::new();
        for line in &note.signatures {
            if !seen.insert((line.name(), line.key_id())) {
                return Err(NoteError::SignatureTwice {
                    name: line.name().to_owned(),
                });
            }
        }
        Ok(note)
    }

    /// The text, its last line break included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The note with the signatures that were verified and no others, in the order in which they
    /// stand. `verified` is what verifying this note returned.
    pub(crate) fn signed_by(&self, verified: &VerifiedNote) -> String {
        let mut note = format!("{}\n", self.text);
        for line in &self.signatures {
            let is_verified = verified
                .signers
                .iter()
                .any(|signer| signer.name == line.name() && signer.key_id == line.key_id());
            if is_verified {
                note.push_str(&line.to_string());
            }
        }
        note
    }

    /// Verifies the note: every signature by one of `keys` must be right, and there must be one.
    ///
    /// Signatures by other keys are ignored, also if they share a name or a key id with one of
    /// `keys`. Of several signatures by one key the first counts. Fails with
    /// [`NoteError::WrongSignature`], [`NoteError::UnknownSigners`], or [`NoteError::AmbiguousKey`]
    /// if two of `keys` could have made a signature.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<VerifiedNote, NoteError> {
        let mut signers: Vec<NoteSigner> = Vec::new();
        for line in &self.signatures {
            let mut known = keys.iter().filter(|key: &&VerifierKey| {
                key.name() == line.name() && key.key_id() == line.key_id()
            });
            let Some(key) = known.next() else { continue };
            if known.next().is_some() {
                return Err(NoteError::AmbiguousKey {
                    name: line.name().to_owned(),
                    key_id: line.key_id(),
                });
            }
            if signers
                .iter()
                .any(|signer| signer.name == line.name() && signer.key_id == line.key_id())
            {
                continue;
            }
            let wrong = NoteError::WrongSignature {
                name: line.name().to_owned(),
            };
            let timestamp = key
                .verify(self.text.as_bytes(), line.signature())
                .map_err(|_| wrong)?;
            signers.push(NoteSigner {
                name: line.name().to_owned(),
                key_id: line.key_id(),
                timestamp,
            });
        }
        if signers.is_empty() {
            let signers = self
                .signatures
                .iter()
                .take(5)
                .map(|line| line.name().to_owned())
                .collect();
            return Err(NoteError::UnknownSigners { signers });
        }
        Ok(VerifiedNote {
            text: self.text.clone(),
            signers,
        })
    }
}

/// Who signed a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSigner {
    name: String,
    key_id: u32,
    timestamp: Option<u64>,
}

impl NoteSigner {
    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// For a cosignature, when it was made, in seconds since 1970 (UTC).
    pub fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }
}

/// A note that at least one known key signed, and for which no known key's signature is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNote {
    text: String,
    signers: Vec<NoteSigner>,
}

impl VerifiedNote {
    /// The text, its last line break included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The known keys that signed, each once, in the order of their signatures. There is at least
    /// one.
    pub fn signers(&self) -> &[NoteSigner] {
        &self.signers
    }
}

/// Returns the note with this text, signed by `keys` in their order.
///
/// Fails with [`NoteError::UnfitText`] unless `text` ends in a line break and has no other control
/// character, and with [`NoteError::NoSignatures`] without keys.
pub fn sign(text: &str, keys: &[&SignerKey]) -> Result<String, NoteError> {
    if !text.ends_with('\n') || !is_text(text) {
        return Err(NoteError::UnfitText);
    }
    if keys.is_empty() {
        return Err(NoteError::NoSignatures);
    }
    let mut note = format!("{text}\n");
    for key in keys {
        note.push_str(&key.sign(text));
    }
    Ok(note)
}

/// "MUST NOT contain any ASCII control characters (those below U+0020) other than newline."
fn is_text(text: &str) -> bool {
    text.bytes().all(|byte| byte >= 0x20 || byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(name: &str, seed: u8) -> SignerKey {
        SignerKey::from_seed(name, &[seed; 32]).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_verifies() {
        let key = VerifierKey::parse(
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        )
        .unwrap();
        let note = "This is an example message.\n\n\u{2014} example.com/foo \
            Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        let verified = Note::parse(note.as_bytes())
            .unwrap()
            .verify(&[key])
            .unwrap();
        assert_eq!(verified.text(), "This is an example message.\n");
        assert_eq!(
            verified
                .signers()
                .iter()
                .map(NoteSigner::name)
                .collect::<Vec<_>>(),
            ["example.com/foo"]
        );
    }

    #[test]
    fn a_note_with_any_bit_changed_is_refused() {
        let key = signer("example.com/log", 1);
        let note = sign("a text\n\nof two paragraphs\n", &[&key]).unwrap();
        let keys = [key.verifier()];
        let verify = |bytes: &[u8]| Note::parse(bytes).and_then(|note| note.verify(&keys));
        assert_eq!(
            verify(note.as_bytes()).unwrap().text(),
            "a text\n\nof two paragraphs\n"
        );
        for i in 0..note.len() {
            for bit in 0..8 {
                let mut damaged = note.clone().into_bytes();
                damaged[i] ^= 1 << bit;
                assert!(verify(&damaged).is_err(), "byte {i}, bit {bit}");
            }
        }
        for cut in 0..note.len() {
            assert!(verify(&note.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn other_keys_are_ignored_and_a_wrong_signature_is_not() {
        let (a, b, namesake) = (signer("a", 1), signer("b", 2), signer("a", 3));
        let note =
            Note::parse(sign("text\n", &[&a, &b, &namesake, &a]).unwrap().as_bytes()).unwrap();
        let signers =
            |keys: &[VerifierKey]| note.verify(keys).map(|verified| verified.signers().len());
        assert_eq!(signers(&[a.verifier()]), Ok(1));
        assert_eq!(
            signers(&[b.verifier(), a.verifier(), signer("c", 1).verifier()]),
            Ok(2)
        );
        let unknown = NoteError::UnknownSigners {
            signers: ["a", "b", "a", "a"].map(str::to_owned).to_vec(),
        };
        assert_eq!(
            signers(&[signer("c", 1).verifier(), signer("a", 4).verifier()]),
            Err(unknown)
        );
        let twice = NoteError::AmbiguousKey {
            name: "a".into(),
            key_id: a.verifier().key_id(),
        };
        assert_eq!(
            signers(&[a.verifier(), b.verifier(), a.verifier()]),
            Err(twice)
        );

        let moved = sign("text\n", &[&b]).unwrap() + &a.sign("another text\n");
        let moved = Note::parse(moved.as_bytes()).unwrap();
        assert!(moved.verify(&[b.verifier()]).is_ok());
        assert_eq!(
            moved.verify(&[b.verifier(), a.verifier()]),
            Err(NoteError::WrongSignature { name: "a".into() })
        );
    }

    #[test]
    fn a_note_is_bounded_in_size_and_signatures() {
        let key = signer("a", 1);
        let with = |signatures: usize| {
            Note::parse(sign("text\n", &vec![&key; signatures]).unwrap().as_bytes())
        };
        assert_eq!(
            with(limits::NOTE_SIGNATURES).unwrap().signatures().len(),
            limits::NOTE_SIGNATURES
        );
        assert_eq!(
            with(limits::NOTE_SIGNATURES + 1),
            Err(NoteError::TooManySignatures)
        );
        let long = vec![b'a'; limits::NOTE_BYTES + 1];
        assert_eq!(Note::parse(&long), Err(NoteError::TooLong(long.len())));
    }

    #[test]
    fn what_is_not_a_note_is_refused() {
        let line = signer("a", 1).sign("text\n");
        let bad = [
            (String::new(), NoteError::NoSignatures),
            ("text\n".into(), NoteError::NoSignatures),
            ("text\n\n".into(), NoteError::NoSignatures),
            (line.clone(), NoteError::NoSignatures),
            (format!("text\n{line}"), NoteError::NoSignatures),
            (format!("text\r\n\n{line}"), NoteError::NotText),
            (format!("te\tt\n\n{line}"), NoteError::NotText),
            (
                format!("text\n\n{}", line.trim_end()),
                NoteError::SignatureLine(1),
            ),
            (format!("text\n\n{line}more\n"), NoteError::SignatureLine(2)),
            (
                format!("text\n\n{}", line.replace('\u{2014}', "-")),
                NoteError::SignatureLine(1),
            ),
            (
                format!("text\n\n{}", line.replace(" a ", " a b ")),
                NoteError::SignatureLine(1),
            ),
            (
                format!("text\n\n{}", line.replace(" a ", "  ")),
                NoteError::SignatureLine(1),
            ),
            (
                format!("text\n\n{}", line.replace(" a ", " a\u{2003} ")),
                NoteError::SignatureLine(1),
            ),
            (
                format!("text\n\n{}", line.replace('=', "")),
                NoteError::SignatureLine(1),
            ),
            (
                "text\n\n\u{2014} a AAAAAA==\n".into(),
                NoteError::SignatureLine(1),
            ),
        ];
        for (text, error) in bad {
            assert_eq!(Note::parse(text.as_bytes()), Err(error), "{text:?}");
        }
        assert_eq!(Note::parse(b"\xff\n\n"), Err(NoteError::NotText));
        assert_eq!(
            sign("no line break", &[&signer("a", 1)]),
            Err(NoteError::UnfitText)
        );
        assert_eq!(
            sign("a\ttab\n", &[&signer("a", 1)]),
            Err(NoteError::UnfitText)
        );
        assert_eq!(sign("text\n", &[]), Err(NoteError::NoSignatures));
    }
}

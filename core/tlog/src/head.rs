//! The heads of logs whose keys the caller knows: which log, and what it signed.
//!
//! A log may have several keys, and the names of its keys need not be its origin (C2SP tlog-list).
//! Left out: logs whose one key has the origin as its name ([`crate::checkpoint`]), and quorums of
//! witnesses ([`crate::tlog_policy`]).

use crate::checkpoint::{Checkpoint, CheckpointError, VerifiedCheckpoint};
use crate::hash::{Hash, empty_root};
use crate::limits;
use crate::note::{Note, NoteError, VerifierKey};
use crate::tree::TreeSize;

/// How the first line begins of notes in the form of a checkpoint that are none: those of auditors
/// on an index (docs/federation.md, "Auditor"). No log may be called so.
const RESERVED: &str = "assay.disputed-index/";

/// The first word of an auditor's note on the index of the log that follows.
pub const DISPUTED_INDEX: &str = "assay.disputed-index/v1";

/// Why this is no log that can be known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogVerifierError {
    /// Empty, with control characters, or longer than [`limits::ORIGIN_BYTES`].
    #[error("an origin is one line of 1 to {max} bytes", max = limits::ORIGIN_BYTES)]
    Origin,
    /// It begins as the first line of a note does that says something of a log, and is no
    /// checkpoint: its own log would make whoever signs such notes look as if it had signed two
    /// histories.
    #[error("an origin that begins with {RESERVED:?} is no log's")]
    Reserved,
    /// None, or more than [`limits::LOG_KEYS`].
    #[error("a log has 1 to {max} keys", max = limits::LOG_KEYS)]
    Keys,
    /// A key of a type that logs do not sign with.
    #[error("the key {name} is no log's; a log's key has type 0x01 or 0x06")]
    KeyType {
        /// The key's name.
        name: String,
    },
    /// Two keys share name and key id, so that it is unclear which one made a signature.
    #[error("two keys are called {name} and have the same key id")]
    SameKey {
        /// The keys' name.
        name: String,
    },
}

/// A log whose keys the caller trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerifier {
    origin: String,
    keys: Vec<VerifierKey>,
}

impl LogVerifier {
    /// A log by its origin and all keys that it signs with. Fails with [`LogVerifierError`].
    pub fn new(origin: &str, keys: Vec<VerifierKey>) -> Result<Self, LogVerifierError> {
        let fits = (1..=limits::ORIGIN_BYTES).contains(&origin.len());
        if !fits || origin.contains(char::is_control) {
            return Err(LogVerifierError::Origin);
        }
        if origin.starts_with(RESERVED) {
            return Err(LogVerifierError::Reserved);
        }
        if keys.is_empty() || keys.len() > limits::LOG_KEYS {
            return Err(LogVerifierError::Keys);
        }
        for (i, key) in keys.iter().enumerate() {
            let name = key.name().to_owned();
            if !key.algorithm().is_of_logs() {
                return Err(LogVerifierError::KeyType { name });
            }
            if keys[..i]
                .iter()
                .any(|other| other.name() == key.name() && other.key_id() == key.key_id())
            {
                return Err(LogVerifierError::SameKey { name });
            }
        }
        Ok(LogVerifier {
            origin: origin.to_owned(),
            keys,
        })
    }

    /// Which log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its keys, at least one.
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// Verifies the note of a checkpoint: it is this log's, one of its keys signed it, and no
    /// signature by one of its keys is wrong. Other signatures are ignored.
    pub fn verify(&self, note: &str) -> Result<VerifiedHead, CheckpointError> {
        let note = Note::parse_checkpoint(note)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        self.verify_read(&note, &checkpoint)
    }

    /// Verifies the note of a checkpoint as [`LogVerifier::verify`] does, and keeps the other
    /// signatures in it, which are not looked at.
    pub fn verify_checkpoint(&self, note: &str) -> Result<VerifiedCheckpoint, CheckpointError> {
        let head = self.verify(note)?;
        Ok(VerifiedCheckpoint::of_verified(head.checkpoint, note))
    }

    /// Does what [`LogVerifier::verify`] does for a note that was read before, with the checkpoint
    /// that its text states.
    pub(crate) fn verify_read(
        &self,
        note: &Note,
        checkpoint: &Checkpoint,
    ) -> Result<VerifiedHead, CheckpointError> {
        if checkpoint.origin != self.origin {
            return Err(CheckpointError::OtherOrigin {
                found: checkpoint.origin.clone(),
                wanted: self.origin.clone(),
            });
        }
        let verified = note.verify(&self.keys)?;
        Ok(VerifiedHead {
            checkpoint: checkpoint.clone(),
            note: note.signed_by(&verified),
        })
    }
}

/// A size and root that a log signed, with the signature lines that prove it and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedHead {
    checkpoint: Checkpoint,
    note: String,
}

impl VerifiedHead {
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

    /// The note: the three lines, and the verified signatures of the log in the order in which they
    /// stood.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The same head, with a note of at most `bytes` bytes: as many of its signature lines as fit,
    /// from the first on. `None` if not even one does.
    pub fn cut(&self, bytes: usize) -> Option<VerifiedHead> {
        let start = self.checkpoint.body().len() + 1;
        let mut kept = Vec::new();
        let mut length = start;
        for line in self.note[start..].split_inclusive('\n') {
            if line.len() <= bytes.saturating_sub(length) {
                length += line.len();
                kept.push(line);
            }
        }
        if kept.is_empty() {
            return None;
        }
        let mut note = String::with_capacity(length);
        note.push_str(&self.note[..start]);
        note.extend(kept);
        Some(VerifiedHead {
            checkpoint: self.checkpoint.clone(),
            note,
        })
    }
}

/// Signed notes of one log that cannot all be true, whatever else the log says.
///
/// Two notes of one size with different roots, or one of an empty tree with the root of another. A
/// consistency proof that does not verify is not among them: anybody can damage a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitView {
    origin: String,
    notes: Vec<String>,
}

impl SplitView {
    /// What two heads prove together, if they do: they are one log's, of one size, and have
    /// different roots.
    pub fn between(first: &VerifiedHead, second: &VerifiedHead) -> Option<Self> {
        let is_split = first.origin() == second.origin()
            && first.size() == second.size()
            && first.root() != second.root();
        is_split.then(|| SplitView {
            origin: first.origin().to_owned(),
            notes: vec![first.note().to_owned(), second.note().to_owned()],
        })
    }

    /// What a head proves by itself, if it does: a tree without leaves has one root only (RFC 6962,
    /// section 2.1).
    pub fn in_itself(head: &VerifiedHead) -> Option<Self> {
        let is_split = head.size() == TreeSize::EMPTY && head.root() != empty_root();
        is_split.then(|| SplitView {
            origin: head.origin().to_owned(),
            notes: vec![head.note().to_owned()],
        })
    }

    /// The log that signed them.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The notes, one or two, each with the log's own signatures only.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// A [`CheckpointError`] that says that no key of the log made a signature, and not that one is
/// wrong or that something cannot be read.
pub(crate) fn is_unsigned(error: &CheckpointError) -> bool {
    matches!(
        error,
        CheckpointError::Note(NoteError::UnknownSigners { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{Algorithm, CosignerKey, SignerKey};

    fn key(name: &str, seed: u8) -> SignerKey {
        SignerKey::from_seed(name, &[seed; 32]).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "the log".into(),
            size: TreeSize::new(17),
            root: Hash::of(b"root"),
        }
    }

    #[test]
    fn a_head_keeps_the_verified_lines_and_no_others() {
        let (own, stranger) = (key("key-1", 1), key("other", 2));
        let ml_dsa = CosignerKey::from_seed("key-2", Algorithm::MlDsa44, &[3; 32]).unwrap();
        let keys = vec![own.verifier(), ml_dsa.verifier()];
        let log = LogVerifier::new("the log", keys).unwrap();
        let body = checkpoint().body();
        let [first, unknown] = [&own, &stranger].map(|key| key.sign(&body));
        let second = ml_dsa.cosign(&checkpoint(), 9).unwrap();
        let head = log
            .verify(&format!("{body}\n{second}{unknown}{first}"))
            .unwrap();
        assert_eq!(head.checkpoint(), &checkpoint());
        assert_eq!(head.note(), format!("{body}\n{second}{first}"));
        // What is kept verifies by itself.
        assert_eq!(log.verify(head.note()), Ok(head));
        let whole = format!("{body}\n{second}{unknown}{first}");
        let kept = log.verify_checkpoint(&whole).unwrap();
        assert_eq!((kept.checkpoint(), kept.note()), (&checkpoint(), &*whole));

        let unsigned = log.verify(&format!("{body}\n{unknown}")).unwrap_err();
        assert!(is_unsigned(&unsigned));
        let other = Checkpoint {
            origin: "another".into(),
            ..checkpoint()
        };
        let refused = log.verify(&other.sign(&own));
        let other = CheckpointError::OtherOrigin {
            found: "another".into(),
            wanted: "the log".into(),
        };
        assert_eq!(refused, Err(other));
        let wrong = log.verify(&format!("{body}\n{first}{}", ml_dsa_of_another(&ml_dsa)));
        assert!(!is_unsigned(&wrong.unwrap_err()));
    }

    /// A line by the same key, of another checkpoint.
    fn ml_dsa_of_another(key: &CosignerKey) -> String {
        let other = Checkpoint {
            size: TreeSize::new(18),
            ..checkpoint()
        };
        key.cosign(&other, 9).unwrap()
    }

    #[test]
    fn a_head_is_cut_to_lines_that_fit() {
        let own = key("key-1", 1);
        let ml_dsa = CosignerKey::from_seed("key-2", Algorithm::MlDsa44, &[3; 32]).unwrap();
        let keys = vec![own.verifier(), ml_dsa.verifier()];
        let log = LogVerifier::new("the log", keys).unwrap();
        let body = checkpoint().body();
        let long = ml_dsa.cosign(&checkpoint(), 9).unwrap();
        let short = own.sign(&body);
        let head = log.verify(&format!("{body}\n{long}{short}")).unwrap();
        let whole = head.note().len();
        assert_eq!(head.cut(whole).as_ref(), Some(&head));
        // The long line stands first and does not fit any more.
        for bytes in [whole - 1, body.len() + 1 + short.len()] {
            let cut = head.cut(bytes).unwrap();
            assert!(cut.note().len() <= bytes);
            assert_eq!(log.verify(cut.note()), Ok(cut));
        }
        for bytes in [0, body.len(), body.len() + short.len()] {
            assert_eq!(head.cut(bytes), None, "{bytes}");
        }
    }

    /// One key may sign for several logs.
    #[test]
    fn heads_of_two_logs_do_not_contradict_each_other() {
        let own = key("key-1", 1);
        let [here, there] = ["the log", "another"].map(|origin| {
            let log = LogVerifier::new(origin, vec![own.verifier()]).unwrap();
            let checkpoint = Checkpoint {
                origin: origin.into(),
                root: Hash::of(origin.as_bytes()),
                ..checkpoint()
            };
            log.verify(&checkpoint.sign(&own)).unwrap()
        });
        assert_eq!(SplitView::between(&here, &there), None);
    }

    #[test]
    fn a_log_has_an_origin_and_keys_of_its_own() {
        let one = vec![key("a", 1).verifier()];
        for origin in ["", "a\nb", &"o".repeat(256)] {
            let refused = LogVerifier::new(origin, one.clone());
            assert_eq!(refused, Err(LogVerifierError::Origin), "{origin:?}");
        }
        let reserved = LogVerifier::new(&format!("{DISPUTED_INDEX} log.example/a"), one.clone());
        assert_eq!(reserved, Err(LogVerifierError::Reserved));
        let log = |keys| LogVerifier::new("origin", keys);
        assert_eq!(log(vec![]), Err(LogVerifierError::Keys));
        let many = (1..=9).map(|seed| key("a", seed).verifier()).collect();
        assert_eq!(log(many), Err(LogVerifierError::Keys));
        let name = String::from("a");
        let twice = vec![one[0].clone(), one[0].clone()];
        let same = LogVerifierError::SameKey { name: name.clone() };
        assert_eq!(log(twice), Err(same));
        let witness = CosignerKey::from_seed("a", Algorithm::CosignatureV1, &[1; 32]).unwrap();
        let key_type = LogVerifierError::KeyType { name };
        assert_eq!(log(vec![witness.verifier()]), Err(key_type));
    }
}

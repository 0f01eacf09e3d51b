//! Misbehavior: signed notes that cannot all be true, as a text that anybody can check without a
//! network (docs/design.md 3.6, docs/federation.md).
//!
//! ```text
//! assay.misbehavior/v1
//! kind split                               or: rewrite, witness
//! culprit log <origin>                     or: witness <name>, mirror <name>
//! actual <base64 of a hash>                if history was rewritten: the root at the smaller size
//! path <n>                                   in the larger tree, and n lines, a hash each, that
//! <base64 of a hash>                         prove it (RFC 6962, section 2.1.2)
//! note <bytes>
//! <a note with the culprit's signatures only>
//! note <bytes>                             the larger tree; of one size, the larger root
//! <another>
//! ```
//!
//! | kind | shown | by |
//! | --- | --- | --- |
//! | split | two roots of one size, or one of size 0 that is not the empty tree's | log |
//! | rewrite | the tree of the smaller note is not the beginning of that of the larger one | log |
//! | witness | either; or a smaller tree at a later time, by one key | witness, mirror |
//!
//! - **No key in a text counts.** The notes are verified with keys that the caller trusts already.
//! - **One encoding.** A text that is not what [`VerifiedMisbehavior::text`] writes is refused, so
//!   that its SHA-256 names it.
//! - **All keys of one name are one culprit**: who signs one history with Ed25519 and another with
//!   ML-DSA-44 does not escape. Only a time is held against the key that stated it.
//! - A kind or version that is not known is [`MisbehaviorError::Unsupported`], and never guilt.
//!
//! Left out: the kinds that need entries and the index, which are not built; and what follows from
//! a conviction.

mod judge;
mod text;

use crate::limits;
use assay_tlog::Hash;
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::cosigner::{CosignedHead, CosignerVerifier};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::tree::ProofError;
use std::fmt;

use judge::Head;
use text::{Kind, Path, Text};

/// Longest name of a culprit that is read, in bytes. An origin has at most 255.
const NAME_BYTES: usize = 1024;

/// Why a text proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MisbehaviorError {
    /// Larger than [`limits::MISBEHAVIOR_BYTES`].
    #[error("the text has {0} bytes; at most {max} are read", max = limits::MISBEHAVIOR_BYTES)]
    TooLong(usize),
    /// A line, counted from 1, is not what the format has there.
    #[error("line {line} of the text is not {expected}")]
    Format {
        /// The line.
        line: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// A version or kind that this version does not know. It may be true.
    #[error("this version cannot judge misbehavior of that kind")]
    Unsupported,
    /// The caller has no keys of the culprit.
    #[error("no key of {0} is known here")]
    UnknownCulprit(Culprit),
    /// A note is not one that the culprit signed.
    #[error("the culprit did not sign a note of the text")]
    Note(#[from] CheckpointError),
    /// The notes do not contradict each other.
    #[error("the notes do not contradict each other")]
    Innocent,
    /// The path does not lead to the larger tree.
    #[error("the path of the text proves nothing")]
    Path(#[from] ProofError),
    /// It is true, and written in another way than the one that counts.
    #[error("the text is not in its one encoding")]
    Encoding,
}

/// Who misbehaved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Culprit {
    /// The log of this origin.
    Log(String),
    /// The witness of this name.
    Witness(String),
    /// The mirror of this name.
    Mirror(String),
}

impl Culprit {
    fn parse(text: &str) -> Option<Self> {
        let (role, name) = text.split_once(' ')?;
        // It is repeated to whoever sent it, before anybody knows it.
        if name.is_empty() || name.len() > NAME_BYTES || name.contains(char::is_control) {
            return None;
        }
        let name = name.to_owned();
        match role {
            "log" => Some(Culprit::Log(name)),
            "witness" => Some(Culprit::Witness(name)),
            "mirror" => Some(Culprit::Mirror(name)),
            _ => None,
        }
    }
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Culprit::Log(origin) => write!(f, "log {origin}"),
            Culprit::Witness(name) => write!(f, "witness {name}"),
            Culprit::Mirror(name) => write!(f, "mirror {name}"),
        }
    }
}

/// What two notes show, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Two trees of one size, or a tree without leaves that has some.
    Split,
    /// A tree that is not the beginning of a larger one.
    Rewrite,
    /// A cosigner stated that a tree is the largest it had seen, and a larger one before.
    RollBack,
}

/// A cosigner is a witness or a mirror. It has different keys for each (C2SP tlog-mirror).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It states consistency.
    Witness,
    /// It also states that it stores every entry.
    Mirror,
}

/// Whose keys the caller trusts, and may therefore find guilty.
#[derive(Debug, Clone, Default)]
pub struct KnownKeys {
    /// Logs.
    pub logs: Vec<LogVerifier>,
    /// Witnesses.
    pub witnesses: Vec<CosignerVerifier>,
    /// Mirrors.
    pub mirrors: Vec<CosignerVerifier>,
}

/// Proof that somebody misbehaved. It was verified with keys that the caller trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedMisbehavior {
    kind: Kind,
    culprit: Culprit,
    origin: String,
    shown: Shown,
    text: String,
}

/// That a tree is not the beginning of a larger one: the root that the larger one has at the size
/// of the smaller one, and the consistency proof from there.
#[derive(Debug, Clone, Copy)]
pub struct Rewrite<'a> {
    /// The root at the smaller size in the larger tree.
    pub actual: Hash,
    /// The proof, at most [`limits::PROOF_HASHES`] hashes.
    pub path: &'a [Hash],
}

impl VerifiedMisbehavior {
    /// Verifies a text with keys that the caller trusts. Fails with [`MisbehaviorError`], of which
    /// none says that anybody is honest.
    pub fn verify(text: &[u8], keys: &KnownKeys) -> Result<Self, MisbehaviorError> {
        let read = Text::parse(text)?;
        let mut heads = Vec::new();
        for note in &read.notes {
            heads.push(keys.head(&read.culprit, note)?);
        }
        let verified = Self::judge(read.culprit, heads, read.path)?;
        if verified.text.as_bytes() == text {
            Ok(verified)
        } else {
            Err(MisbehaviorError::Encoding)
        }
    }

    /// Returns what two heads of a log prove, in either order; one and the same head, what it
    /// proves by itself. If `rewrite` is not given, they prove something only if their sizes are
    /// equal. Fails with [`MisbehaviorError::Innocent`] or [`MisbehaviorError::Path`].
    pub fn of_log(
        first: &VerifiedHead,
        second: &VerifiedHead,
        rewrite: Option<Rewrite<'_>>,
    ) -> Result<Self, MisbehaviorError> {
        let culprit = Culprit::Log(first.origin().to_owned());
        let heads = [first, second].map(Head::of_log);
        Self::judge(culprit, heads.into(), rewrite.map(Path::from))
    }

    /// Does what [`VerifiedMisbehavior::of_log`] does, for two heads of one log that a cosigner of
    /// this role signed.
    pub fn of_cosigner(
        role: Role,
        first: &CosignedHead,
        second: &CosignedHead,
        rewrite: Option<Rewrite<'_>>,
    ) -> Result<Self, MisbehaviorError> {
        if first.cosigner() != second.cosigner() {
            return Err(MisbehaviorError::Innocent);
        }
        let name = first.cosigner().to_owned();
        let culprit = match role {
            Role::Witness => Culprit::Witness(name),
            Role::Mirror => Culprit::Mirror(name),
        };
        let heads = [first, second].map(Head::of_cosigner);
        Self::judge(culprit, heads.into(), rewrite.map(Path::from))
    }

    fn judge(
        culprit: Culprit,
        heads: Vec<Head>,
        path: Option<Path>,
    ) -> Result<Self, MisbehaviorError> {
        let (heads, shown) = judge::judge(heads, path.as_ref())?;
        let kind = match (&culprit, shown) {
            (Culprit::Log(_), Shown::Split) => Kind::Split,
            (Culprit::Log(_), Shown::Rewrite) => Kind::Rewrite,
            (Culprit::Log(_), Shown::RollBack) => return Err(MisbehaviorError::Innocent),
            (Culprit::Witness(_) | Culprit::Mirror(_), _) => Kind::Witness,
        };
        let origin = heads.first().map(|head| head.checkpoint.origin.clone());
        let text = Text {
            kind,
            culprit: culprit.clone(),
            path,
            notes: heads.into_iter().map(|head| head.note).collect(),
        };
        let text = text.encode();
        if text.len() > limits::MISBEHAVIOR_BYTES {
            return Err(MisbehaviorError::TooLong(text.len()));
        }
        Ok(VerifiedMisbehavior {
            kind,
            culprit,
            origin: origin.unwrap_or_default(),
            shown,
            text,
        })
    }

    /// What the text says that it is: `split`, `rewrite` or `witness`.
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// Who misbehaved.
    pub fn culprit(&self) -> &Culprit {
        &self.culprit
    }

    /// The log that the notes are of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What is shown.
    pub fn shown(&self) -> Shown {
        self.shown
    }

    /// The text, which anybody who has the culprit's keys can verify.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What names it: the SHA-256 of the text.
    pub fn id(&self) -> Hash {
        Hash::of(self.text.as_bytes())
    }
}

impl From<Rewrite<'_>> for Path {
    fn from(rewrite: Rewrite<'_>) -> Self {
        Path {
            actual: rewrite.actual,
            hashes: rewrite.path.to_vec(),
        }
    }
}

impl KnownKeys {
    /// The head that the culprit signed.
    fn head(&self, culprit: &Culprit, note: &str) -> Result<Head, MisbehaviorError> {
        let unknown = || MisbehaviorError::UnknownCulprit(culprit.clone());
        let (cosigners, name) = match culprit {
            Culprit::Log(origin) => {
                let mut logs = self.logs.iter();
                let log = logs.find(|log| log.origin() == origin);
                let log = log.ok_or_else(unknown)?;
                return Ok(Head::of_log(&log.verify(note)?));
            }
            Culprit::Witness(name) => (&self.witnesses, name),
            Culprit::Mirror(name) => (&self.mirrors, name),
        };
        let cosigner = cosigners.iter().find(|cosigner| cosigner.name() == name);
        let cosigner = cosigner.ok_or_else(unknown)?;
        Ok(Head::of_cosigner(&cosigner.verify(note)?))
    }
}

#[cfg(test)]
mod tests;

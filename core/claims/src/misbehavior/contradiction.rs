//! Signed notes that cannot all be true: whoever signed them is convicted for good.

use super::culprit::Culprit;
use super::error::MisbehaviorError;
use super::judge::{self, Head, Shown};
use super::text::{Kind, Path, Text};
use crate::limits;
use assay_tlog::Hash;
use assay_tlog::cosigner::{CosignedHead, CosignerVerifier};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::Note;
use std::collections::BTreeSet;

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

impl KnownKeys {
    /// The names of the cosigners of which the note has a wrong signature.
    pub fn forged_in(&self, note: &Note) -> BTreeSet<&str> {
        let cosigners = self.witnesses.iter().chain(&self.mirrors);
        cosigners
            .filter(|cosigner| cosigner.is_forged_in(note))
            .map(CosignerVerifier::name)
            .collect()
    }
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

//! A text of any kind.

use super::breach::{AssayKeys, BreachError, VerifiedBreach};
use super::contradiction::{KnownKeys, VerifiedMisbehavior};
use super::culprit::Culprit;
use super::error::MisbehaviorError;
use assay_tlog::Hash;

/// A text of any kind that was verified with keys that the caller trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifiedText {
    /// It convicts its culprit for good.
    Misbehavior(VerifiedMisbehavior),
    /// It convicts nobody for good.
    Breach(Box<VerifiedBreach>),
}

impl VerifiedText {
    /// Verifies a text of any kind. Fails with [`BreachError`], of which none says that anybody is
    /// honest.
    pub fn verify(text: &[u8], keys: &KnownKeys, assay: &AssayKeys) -> Result<Self, BreachError> {
        match VerifiedMisbehavior::verify(text, keys) {
            Ok(found) => Ok(VerifiedText::Misbehavior(found)),
            Err(MisbehaviorError::Unsupported) => {
                let found = VerifiedBreach::verify(text, assay)?;
                Ok(VerifiedText::Breach(Box::new(found)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the text says that it is.
    pub fn kind(&self) -> &'static str {
        match self {
            VerifiedText::Misbehavior(found) => found.kind(),
            VerifiedText::Breach(found) => found.kind(),
        }
    }

    /// Who did it.
    pub fn culprit(&self) -> &Culprit {
        match self {
            VerifiedText::Misbehavior(found) => found.culprit(),
            VerifiedText::Breach(found) => found.culprit(),
        }
    }

    /// The log that the notes are of.
    pub fn origin(&self) -> &str {
        match self {
            VerifiedText::Misbehavior(found) => found.origin(),
            VerifiedText::Breach(found) => found.origin(),
        }
    }

    /// The text, which anybody who has the culprit's keys can verify.
    pub fn text(&self) -> &str {
        match self {
            VerifiedText::Misbehavior(found) => found.text(),
            VerifiedText::Breach(found) => found.text(),
        }
    }

    /// What names the text: its SHA-256.
    pub fn id(&self) -> Hash {
        match self {
            VerifiedText::Misbehavior(found) => found.id(),
            VerifiedText::Breach(found) => found.id(),
        }
    }
}

impl From<VerifiedMisbehavior> for VerifiedText {
    fn from(found: VerifiedMisbehavior) -> Self {
        VerifiedText::Misbehavior(found)
    }
}

impl From<VerifiedBreach> for VerifiedText {
    fn from(found: VerifiedBreach) -> Self {
        VerifiedText::Breach(Box::new(found))
    }
}

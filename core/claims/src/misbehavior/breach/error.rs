//! Why a text shows no breach.

use crate::index::CutError;
use crate::misbehavior::error::MisbehaviorError;
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::tree::{LeafIndex, MultiproofError, ProofError};

/// Why a text shows no breach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BreachError {
    /// Its form, its note, its kind, or what it would show.
    #[error(transparent)]
    Text(#[from] MisbehaviorError),
    /// The caller does not call the log an Assay log, so that it is held to no rules of Assay.
    #[error("the log {origin} is not known here as an Assay log")]
    NotAssay {
        /// The log.
        origin: String,
    },
    /// An entry is not in the note's tree at its place.
    #[error("leaf {leaf} of the text is not in the log")]
    Inclusion {
        /// The leaf.
        leaf: LeafIndex,
        /// Why its proof does not hold.
        source: ProofError,
    },
    /// The proof of the index does not hold.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The neighbors do not stand in the label's list.
    #[error("the leaves of the text are not in the list of its label")]
    List(#[source] MultiproofError),
}

impl From<CheckpointError> for BreachError {
    fn from(error: CheckpointError) -> Self {
        BreachError::Text(error.into())
    }
}

impl BreachError {
    /// It shows nothing, whatever this version knows.
    pub(super) const INNOCENT: BreachError = BreachError::Text(MisbehaviorError::Innocent);

    /// It may show something to a version that knows more.
    pub(super) const UNSUPPORTED: BreachError = BreachError::Text(MisbehaviorError::Unsupported);

    /// Whether the text may hold, and this version cannot judge it.
    pub fn is_unsupported(&self) -> bool {
        *self == BreachError::UNSUPPORTED
    }
}

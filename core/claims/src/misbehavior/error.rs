//! Why a text proves nothing.

use super::culprit::Culprit;
use crate::limits;
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::tree::ProofError;

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

//! Why a document cannot be made into a claim.

use crate::limits;
use assay_claims::kind::PredicateError;

/// Why a document cannot be made into a claim. Each says where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are not JSON (or not as strict as JSON is).
    #[error("line {line}, column {column} ({path}): {reason}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// JSON path of what was being read.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// It is JSON, but not what its format asks for.
    #[error("{path}: {reason}")]
    Content {
        /// JSON path, `$` being the whole document.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// A line of a text format is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The document as a whole is of a format that is not taken here. It says what is.
    #[error("{0}")]
    NotTaken(String),
    /// More than [`limits::DOCUMENT_BYTES`].
    #[error("the document has {0} bytes; at most {max} are read", max = limits::DOCUMENT_BYTES)]
    TooLarge(usize),
}

impl DocumentError {
    /// Where in the document the error is: a line and column, a line, or a JSON path.
    pub fn place(&self) -> String {
        match self {
            DocumentError::Syntax { line, column, .. } => format!("line {line}, column {column}"),
            DocumentError::Line { line, .. } => format!("line {line}"),
            DocumentError::Content { path, .. } => path.clone(),
            DocumentError::NotTaken(_) | DocumentError::TooLarge(_) => "$".into(),
        }
    }
}

impl From<PredicateError> for DocumentError {
    fn from(e: PredicateError) -> Self {
        DocumentError::Content {
            path: e.path,
            reason: e.reason,
        }
    }
}

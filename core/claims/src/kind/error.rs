//! Why a predicate is refused.

/// Why a predicate is not what its type asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct PredicateError {
    /// JSON path in the statement, such as `$.predicate.scanner.uri`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

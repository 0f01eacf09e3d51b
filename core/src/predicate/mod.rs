//! (in work)

pub mod issuer;

use crate::json::Value;

/// Why a predicate is not what its type says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct PredicateError {
    /// Where, from the predicate on: `$.a.b[3]`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// Checks a predicate of a known type; unknown types pass.
pub fn check(uri: &str, predicate: &Value) -> Result<(), PredicateError> {
    match uri {
        issuer::URI => issuer::check(predicate),
        _ => Ok(()),
    }
}

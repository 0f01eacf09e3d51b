//! Subjects that are no software: claims and issuers (docs/design.md 3.3).

use super::error::PredicateError;
use crate::claim::ClaimId;
use crate::issuer::IssuerId;
use crate::statement::{Statement, Subject};
use assay_tlog::Hash;

/// The subject of a statement about a claim: named `claim`, its `sha256` digest being the claim's
/// id.
pub fn claim(id: &ClaimId) -> Subject {
    Subject::artifact(Some("claim".into()), &Hash::new(*id.as_bytes()))
}

/// The subject of a statement about an issuer: named `issuer`, its `sha256` digest being the
/// issuer's id.
pub fn issuer(id: &IssuerId) -> Subject {
    Subject::artifact(Some("issuer".into()), &Hash::new(*id.as_bytes()))
}

/// Makes sure that a statement has one subject, and that its `sha256` digest is the issuer's id.
pub fn check_issuer(statement: &Statement, id: &IssuerId) -> Result<(), PredicateError> {
    match statement.subjects() {
        [subject] if subject.digest("sha256") == Some(id.to_hex().as_str()) => Ok(()),
        _ => Err(PredicateError {
            path: "$.subject".into(),
            reason: format!(
                "must be one subject whose sha256 digest is the issuer {id} that the predicate \
                 names"
            ),
        }),
    }
}

//! `urn:assay:withdrawal:v1`: an issuer takes back a claim of its own, or puts another in its place
//! (docs/design.md 3.3).
//!
//! | field | |
//! | --- | --- |
//! | `target` | required: the claim id of what is withdrawn, 64 lower-case hex digits |
//! | `reason` | required: why, in plain text of at most 8 KiB |
//! | `supersededBy` | optional: the claim id of what stands in its place, and is not the target |
//!
//! The subject is the withdrawn claim: name `claim`, `sha256` its id. That the target exists, and
//! that who withdraws it had signed it, is for whoever evaluates: here nothing is known of other
//! claims.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::{raw, subject};
use crate::claim::ClaimId;
use crate::json::{Value, object};
use crate::statement::{Statement, StatementError};

/// The predicate type's URI.
pub const URI: &str = "urn:assay:withdrawal:v1";

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The claim that is withdrawn.
    pub target: ClaimId,
    /// Why.
    pub reason: String,
    /// The claim that stands in its place.
    pub superseded_by: Option<ClaimId>,
}

impl Predicate for Withdrawal {
    const NAME: &'static str = "withdrawal";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("withdrawal", &[URI], Self::read)];

    fn target(predicate: &Value) -> Option<ClaimId> {
        raw::target(predicate)
    }
}

impl Withdrawal {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let target = node.need("target")?.claim_id()?;
        let reason = node.need("reason")?.prose()?.to_owned();
        let successor = node.get("supersededBy");
        let superseded_by = successor
            .map(|successor| successor.claim_id())
            .transpose()?;
        match successor.filter(|_| superseded_by == Some(target)) {
            Some(successor) => Err(successor.fault("is the claim that is withdrawn")),
            None => Ok(Withdrawal {
                target,
                reason,
                superseded_by,
            }),
        }
    }

    /// The predicate as JSON, fields in the order of this type.
    pub fn to_value(&self) -> Value {
        object([
            ("target", Some(self.target.to_hex().into())),
            ("reason", Some(self.reason.as_str().into())),
            (
                "supersededBy",
                self.superseded_by.map(|id| id.to_hex().into()),
            ),
        ])
    }

    /// The statement that withdraws the target, which is its subject.
    pub fn statement(&self) -> Result<Statement, StatementError> {
        Statement::new(vec![subject::claim(&self.target)], URI, self.to_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withdrawal() -> Withdrawal {
        let id = |digits: &str| ClaimId::from_hex(&digits.repeat(32)).unwrap();
        Withdrawal {
            target: id("ab"),
            reason: "wrong\nversion".into(),
            superseded_by: Some(id("cd")),
        }
    }

    #[test]
    fn a_withdrawal_reads_back() {
        let statement = withdrawal().statement().unwrap();
        assert_eq!(Withdrawal::parse(statement.predicate()), Ok(withdrawal()));
        assert_eq!(
            statement.subjects()[0].digest("sha256"),
            Some("ab".repeat(32).as_str())
        );
        let plain = Withdrawal {
            superseded_by: None,
            ..withdrawal()
        };
        assert_eq!(Withdrawal::parse(&plain.to_value()), Ok(plain));
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let good = withdrawal().to_value().to_json();
        for (from, to, path) in [
            (r#""target":"ab"#, r#""target":"AB"#, "$.predicate.target"),
            (r#""target""#, r#""Target""#, "$.predicate.target"),
            (r#""reason":"wrong\nversion","#, "", "$.predicate.reason"),
            (r#""wrong\nversion""#, r#""""#, "$.predicate.reason"),
            (
                r#""supersededBy":"cd"#,
                r#""supersededBy":"c"#,
                "$.predicate.supersededBy",
            ),
            ("cd", "ab", "$.predicate.supersededBy"),
        ] {
            assert!(good.contains(from), "{from}");
            let changed = crate::json::parse(good.replace(from, to).as_bytes()).unwrap();
            assert_eq!(Withdrawal::parse(&changed).unwrap_err().path, path);
        }
    }
}

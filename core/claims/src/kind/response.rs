//! `urn:assay:response:v1`: right of reply to a claim, or dispute of it (docs/design.md 3.3).
//!
//! | field | |
//! | --- | --- |
//! | `target` | required: the claim id of what is responded to, 64 lower-case hex digits |
//! | `stance` | required: one of [`STANCES`] |
//! | `text` | required: the response, in plain text of at most 8 KiB |
//!
//! The subject is the claim that is responded to: name `claim`, `sha256` its id. Anybody may
//! respond to anything: what a response counts for follows from who signed it.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::{raw, subject};
use crate::claim::ClaimId;
use crate::json::{Value, object};
use crate::statement::{Statement, StatementError};

/// The predicate type's URI.
pub const URI: &str = "urn:assay:response:v1";

/// What a response can be: it accepts what was claimed, says that it is wrong, adds to it, or says
/// that it no longer holds.
pub const STANCES: &[&str] = &["acknowledge", "dispute", "explain", "fixed"];

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The claim that is responded to.
    pub target: ClaimId,
    /// Of [`STANCES`].
    pub stance: String,
    /// The response.
    pub text: String,
}

impl Predicate for Response {
    const NAME: &'static str = "response";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("response", &[URI], Self::read)];

    fn target(predicate: &Value) -> Option<ClaimId> {
        raw::target(predicate)
    }
}

impl Response {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        Ok(Response {
            target: node.need("target")?.claim_id()?,
            stance: node.need("stance")?.one_of(STANCES)?.to_owned(),
            text: node.need("text")?.prose()?.to_owned(),
        })
    }

    /// Whether it says that the target is wrong.
    pub fn disputes(&self) -> bool {
        self.stance == "dispute"
    }

    /// The predicate as JSON, fields in the order of this type.
    pub fn to_value(&self) -> Value {
        object([
            ("target", Some(self.target.to_hex().into())),
            ("stance", Some(self.stance.as_str().into())),
            ("text", Some(self.text.as_str().into())),
        ])
    }

    /// The statement that responds to the target, which is its subject.
    pub fn statement(&self) -> Result<Statement, StatementError> {
        Statement::new(vec![subject::claim(&self.target)], URI, self.to_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(stance: &str) -> Response {
        let target = ClaimId::from_hex(&"ab".repeat(32)).unwrap();
        Response {
            target,
            stance: stance.into(),
            text: "It was never reachable.".into(),
        }
    }

    #[test]
    fn a_response_of_every_stance_reads_back() {
        for stance in STANCES {
            let statement = response(stance).statement().unwrap();
            assert_eq!(Response::parse(statement.predicate()), Ok(response(stance)));
            assert_eq!(
                statement.subjects()[0].digest("sha256"),
                Some("ab".repeat(32).as_str())
            );
        }
        assert!(response("dispute").disputes() && !response("explain").disputes());
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let refused = |edit: fn(&mut Response)| {
            let mut changed = response("fixed");
            edit(&mut changed);
            Response::parse(&changed.to_value()).unwrap_err().path
        };
        assert_eq!(refused(|r| r.stance = "agree".into()), "$.predicate.stance");
        assert_eq!(refused(|r| r.text.clear()), "$.predicate.text");
        let no_target = object([("stance", Some("fixed".into())), ("text", Some("x".into()))]);
        assert_eq!(
            Response::parse(&no_target).unwrap_err().path,
            "$.predicate.target"
        );
    }
}

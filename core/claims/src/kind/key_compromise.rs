//! `urn:assay:key-compromise:v1`: a key that is not to be trusted from a leaf on (docs/design.md
//! 3.3 and 3.4).
//!
//! - `issuer` (required): the issuer whose key it is, 64 lower-case hex digits
//! - `key` (required): the Ed25519 public key, 64 lower-case hex digits
//! - `fromIndex` (required): the first leaf index at which the key is not to be trusted, from 0.
//!   What it signed before keeps its standing
//! - `reason` (optional): why, in plain text of at most 8 KiB
//!
//! The subject is the issuer: exactly one, whose `sha256` digest is the issuer's id, so that
//! whoever looks the issuer up finds this. `fromIndex` counts the leaves of the log that the claim
//! stands in. Who may say so is for whoever evaluates.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::subject;
use crate::claim::PublicKey;
use crate::issuer::IssuerId;
use crate::json::{Value, object};
use crate::statement::{Statement, StatementError};

/// The predicate type's URI.
pub const URI: &str = "urn:assay:key-compromise:v1";

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCompromise {
    /// The issuer whose key it is.
    pub issuer: IssuerId,
    /// The key that is not to be trusted.
    pub key: PublicKey,
    /// The first leaf index at which it is not to be trusted.
    pub from_index: u64,
    /// Why.
    pub reason: Option<String>,
}

impl Predicate for KeyCompromise {
    const NAME: &'static str = "key-compromise";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("key-compromise", &[URI], Self::read)];

    /// It is about the issuer that it names, and about nothing else.
    fn check_subject(&self, statement: &Statement) -> Result<(), PredicateError> {
        subject::check_issuer(statement, &self.issuer)
    }
}

impl KeyCompromise {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let key = node.need("key")?;
        let from = node.need("fromIndex")?;
        Ok(KeyCompromise {
            issuer: node.need("issuer")?.issuer_id()?,
            key: PublicKey::from_hex(key.string()?)
                .map_err(|e| key.fault(format!("{e}; a key is 64 lower-case hex digits")))?,
            from_index: from
                .value()
                .as_u64()
                .ok_or_else(|| from.fault("is no leaf index, a whole number from 0"))?,
            reason: node
                .get("reason")
                .map(|reason| reason.prose().map(str::to_owned))
                .transpose()?,
        })
    }

    /// The predicate as JSON, fields in the order of this type.
    pub fn to_value(&self) -> Value {
        object([
            ("issuer", Some(self.issuer.to_hex().into())),
            ("key", Some(self.key.to_hex().into())),
            ("fromIndex", Some(self.from_index.into())),
            ("reason", self.reason.as_deref().map(Value::from)),
        ])
    }

    /// The statement about the issuer, which is its subject.
    pub fn statement(&self) -> Result<Statement, StatementError> {
        Statement::new(vec![subject::issuer(&self.issuer)], URI, self.to_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    fn compromise() -> KeyCompromise {
        KeyCompromise {
            issuer: IssuerId::from_hex(&"ab".repeat(32)).unwrap(),
            key: PublicKey::from(&SigningKey::from_bytes(&[1; 32])),
            from_index: 7,
            reason: Some("laptop stolen".into()),
        }
    }

    #[test]
    fn a_compromise_reads_back_and_is_about_the_issuer() {
        let statement = compromise().statement().unwrap();
        assert_eq!(
            KeyCompromise::parse(statement.predicate()),
            Ok(compromise())
        );
        compromise().check_subject(&statement).unwrap();
        let other = KeyCompromise {
            issuer: IssuerId::from_hex(&"cd".repeat(32)).unwrap(),
            ..compromise()
        };
        assert_eq!(
            other.check_subject(&statement).unwrap_err().path,
            "$.subject"
        );
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let good = compromise().to_value().to_json();
        for (from, to, path) in [
            (r#""issuer":"ab"#, r#""issuer":"xx"#, "$.predicate.issuer"),
            (r#""key":""#, r#""key":"0"#, "$.predicate.key"),
            (
                r#""fromIndex":7"#,
                r#""fromIndex":-7"#,
                "$.predicate.fromIndex",
            ),
            (
                r#""fromIndex":7"#,
                r#""fromIndex":7.0"#,
                "$.predicate.fromIndex",
            ),
            (r#""fromIndex":7,"#, "", "$.predicate.fromIndex"),
            (r#""laptop stolen""#, "7", "$.predicate.reason"),
        ] {
            assert!(good.contains(from), "{from}");
            let changed = crate::json::parse(good.replace(from, to).as_bytes()).unwrap();
            assert_eq!(KeyCompromise::parse(&changed).unwrap_err().path, path);
        }
    }
}

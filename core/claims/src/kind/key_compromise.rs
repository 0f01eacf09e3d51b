//! `urn:assay:key-compromise:v1`: a key that is not to be trusted from a leaf or a time on
//! (docs/design.md 3.3 and 3.4).
//!
//! - `issuer` (required): the issuer whose key it is, 64 lower-case hex digits
//! - `key` (required): the Ed25519 public key, 64 lower-case hex digits
//! - `origin` (required): the log whose leaves `fromIndex` counts, by its origin, of at most 512
//!   bytes and without control characters
//! - `fromIndex` (required): in that log, the first leaf index at which the key is not to be
//!   trusted, from 0
//! - `fromTime` (required): in every other log, the time from which on it is not to be trusted, an
//!   RFC 3339 date-time
//! - `reason` (optional): why, in plain text of at most 8 KiB
//!
//! The subject is the issuer: exactly one, whose `sha256` digest is the issuer's id, so that
//! whoever looks the issuer up finds this. It says the same in whichever log it stands, because it
//! names the log that it counts in. Who may say so is [`crate::issuer`]'s; what follows, and how
//! far back, is for whoever evaluates.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::subject;
use crate::claim::PublicKey;
use crate::issuer::IssuerId;
use crate::json::{Value, object};
use crate::statement::{Statement, StatementError};
use crate::time::Timestamp;

/// The predicate type's URI.
pub const URI: &str = "urn:assay:key-compromise:v1";

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCompromise {
    /// The issuer whose key it is.
    pub issuer: IssuerId,
    /// The key that is not to be trusted.
    pub key: PublicKey,
    /// The log that `from_index` is of.
    pub origin: String,
    /// In that log, the first leaf index at which it is not to be trusted.
    pub from_index: u64,
    /// In every other log, the time from which on it is not to be trusted.
    pub from_time: Timestamp,
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
            origin: node.need("origin")?.line()?.to_owned(),
            from_index: from
                .value()
                .as_u64()
                .ok_or_else(|| from.fault("is no leaf index, a whole number from 0"))?,
            from_time: node.need("fromTime")?.timestamp()?,
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
            ("origin", Some(self.origin.as_str().into())),
            ("fromIndex", Some(self.from_index.into())),
            ("fromTime", Some(self.from_time.as_str().into())),
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
            origin: "log.example/one".into(),
            from_index: 7,
            from_time: Timestamp::parse("2026-11-22T18:41:48Z").unwrap(),
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
            (r#""origin":"log.example/one","#, "", "$.predicate.origin"),
            (r#""log.example/one""#, r#""""#, "$.predicate.origin"),
            (r#""log.example/one""#, r#""a\nb""#, "$.predicate.origin"),
            (
                r#""fromTime":"2026-11-22T18:41:48Z","#,
                "",
                "$.predicate.fromTime",
            ),
            ("2026-11-22T18:41:48Z", "2026-11-22", "$.predicate.fromTime"),
            (r#""laptop stolen""#, "7", "$.predicate.reason"),
        ] {
            assert!(good.contains(from), "{from}");
            let changed = crate::json::parse(good.replace(from, to).as_bytes()).unwrap();
            assert_eq!(KeyCompromise::parse(&changed).unwrap_err().path, path);
        }
    }
}

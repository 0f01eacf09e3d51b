//! `urn:assay:endorsement:v1`: an issuer vouches that another has a role within a scope
//! (docs/design.md 3.3 and 3.4).
//!
//! - `issuer` (required): who is endorsed, 64 lower-case hex digits
//! - `role` (required): one of [`ROLES`]
//! - `scope` (required): 1 to 256 [patterns](crate::purl::Pattern) of packages; the role is
//!   endorsed for what any of them matches
//! - `validUntil` (required): RFC 3339 date-time, the last instant at which the endorsement holds
//! - `validFrom` (optional): RFC 3339 date-time, the first; not after the last
//! - `mayDelegate` (optional): how many endorsements may follow from this one in a row, from 0 to
//!   [`MAX_DEPTH`]. `true` is 1, `false` and absence are 0
//!
//! The subject is the endorsed issuer: exactly one, whose `sha256` digest is the issuer's id, so
//! that whoever looks the issuer up finds who vouches for it. What an endorsement is worth follows
//! from who signed it.

use super::error::PredicateError;
use super::issuer::ROLES;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::subject;
use crate::issuer::IssuerId;
use crate::json::{Value, object};
use crate::purl::{Pattern, Purl};
use crate::statement::{Statement, StatementError};
use crate::time::Timestamp;

/// The predicate type's URI.
pub const URI: &str = "urn:assay:endorsement:v1";

/// Longest chain that an endorsement can allow for. Who needs more has lost sight of whom it
/// trusts.
pub const MAX_DEPTH: u32 = 8;

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsement {
    /// Who is endorsed.
    pub issuer: IssuerId,
    /// The role that it has: of [`ROLES`].
    pub role: String,
    /// For which packages; at least one pattern.
    pub scope: Vec<Pattern>,
    /// How many endorsements may follow from this one in a row: 0 if the endorsed issuer may not
    /// endorse others for this role and scope; 1 if it may, and those may not; at most
    /// [`MAX_DEPTH`].
    pub may_delegate: u32,
    /// The first instant at which the endorsement holds; if absent, it holds since it was logged.
    pub valid_from: Option<Timestamp>,
    /// The last instant at which it holds.
    pub valid_until: Timestamp,
}

impl Predicate for Endorsement {
    const NAME: &'static str = "endorsement";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("endorsement", &[URI], Self::read)];

    /// It is about the issuer that it names, and about nothing else.
    fn check_subject(&self, statement: &Statement) -> Result<(), PredicateError> {
        subject::check_issuer(statement, &self.issuer)
    }
}

impl Endorsement {
    /// Reads a predicate. It guarantees what the fields say; fields that are not known are passed
    /// over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let until = node.need("validUntil")?;
        let valid_until = until.timestamp()?;
        let valid_from = node
            .get("validFrom")
            .map(|from| from.timestamp())
            .transpose()?;
        if valid_from
            .as_ref()
            .is_some_and(|from| from.unix_ms() > valid_until.unix_ms())
        {
            return Err(until.fault("is before validFrom"));
        }
        Ok(Endorsement {
            issuer: node.need("issuer")?.issuer_id()?,
            role: node.need("role")?.one_of(ROLES)?.to_owned(),
            scope: node.need("scope")?.list(1, |pattern| pattern.pattern())?,
            may_delegate: node.get("mayDelegate").map_or(Ok(0), |node| depth(&node))?,
            valid_from,
            valid_until,
        })
    }

    /// Whether the endorsement holds at an instant, in milliseconds since 1970.
    pub fn holds_at(&self, unix_ms: i64) -> bool {
        let begun = self
            .valid_from
            .as_ref()
            .is_none_or(|from| from.unix_ms() <= unix_ms);
        begun && unix_ms <= self.valid_until.unix_ms()
    }

    /// Whether the package that a purl is of is in its scope.
    pub fn covers(&self, purl: &Purl) -> bool {
        self.scope.iter().any(|pattern| pattern.matches(purl))
    }

    /// The predicate as JSON.
    pub fn to_value(&self) -> Value {
        let scope: Vec<_> = self.scope.iter().map(Pattern::as_str).collect();
        object([
            ("issuer", Some(self.issuer.to_hex().into())),
            ("role", Some(self.role.as_str().into())),
            ("scope", Some(scope.into())),
            (
                "mayDelegate",
                (self.may_delegate > 0).then(|| self.may_delegate.into()),
            ),
            (
                "validFrom",
                self.valid_from.as_ref().map(|from| from.as_str().into()),
            ),
            ("validUntil", Some(self.valid_until.as_str().into())),
        ])
    }

    /// The statement that endorses the issuer, which is its subject.
    pub fn statement(&self) -> Result<Statement, StatementError> {
        Statement::new(vec![subject::issuer(&self.issuer)], URI, self.to_value())
    }
}

fn depth(node: &Node<'_, '_>) -> Result<u32, PredicateError> {
    let depth = match node.value() {
        Value::Bool(may) => Some(u32::from(*may)),
        value => value.as_u64().and_then(|depth| u32::try_from(depth).ok()),
    };
    let possible = depth.filter(|depth| *depth <= MAX_DEPTH);
    possible.ok_or_else(|| {
        node.fault(format!(
            "is neither a boolean nor a whole number from 0 to {MAX_DEPTH}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endorsement() -> Endorsement {
        Endorsement {
            issuer: IssuerId::from_hex(&"ab".repeat(32)).unwrap(),
            role: "auditor".into(),
            scope: ["pkg:cargo/serde", "pkg:npm/*"]
                .map(|text| Pattern::parse(text).unwrap())
                .into(),
            may_delegate: 2,
            valid_from: Timestamp::parse("2026-01-01T00:00:00Z"),
            valid_until: Timestamp::parse("2027-01-01T00:00:00Z").unwrap(),
        }
    }

    fn parse(json: &str) -> Result<Endorsement, PredicateError> {
        Endorsement::parse(&crate::json::parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn an_endorsement_reads_back_and_is_about_the_issuer() {
        let statement = endorsement().statement().unwrap();
        assert_eq!(Endorsement::parse(statement.predicate()), Ok(endorsement()));
        endorsement().check_subject(&statement).unwrap();
        let other = Endorsement {
            issuer: IssuerId::from_hex(&"cd".repeat(32)).unwrap(),
            ..endorsement()
        };
        assert_eq!(
            other.check_subject(&statement).unwrap_err().path,
            "$.subject"
        );
        let crowd = [statement.subjects(), statement.subjects()].concat();
        let crowd = Statement::new(crowd, URI, statement.predicate().clone()).unwrap();
        assert_eq!(
            endorsement().check_subject(&crowd).unwrap_err().path,
            "$.subject"
        );
    }

    #[test]
    fn it_holds_from_its_first_instant_to_its_last_within_its_scope() {
        let (endorsement, from, until) = (endorsement(), 1_767_225_600_000, 1_798_761_600_000);
        let holds: Vec<_> = [from - 1, from, until, until + 1]
            .map(|ms| endorsement.holds_at(ms))
            .into();
        assert_eq!(holds, [false, true, true, false]);
        let covers = |purl: &str| endorsement.covers(&Purl::parse_canonical(purl).unwrap());
        assert!(covers("pkg:cargo/serde@1") && covers("pkg:npm/a") && !covers("pkg:cargo/rand"));
    }

    #[test]
    fn delegation_is_a_depth_or_a_boolean() {
        let good = endorsement().to_value().to_json();
        for (text, depth) in [
            ("0", Some(0)),
            ("8", Some(8)),
            ("true", Some(1)),
            ("false", Some(0)),
            ("null", Some(0)),
            ("9", None),
            ("-1", None),
            ("4294967297", None),
            ("\"1\"", None),
        ] {
            let changed = good.replace(r#""mayDelegate":2"#, &format!(r#""mayDelegate":{text}"#));
            assert_eq!(
                parse(&changed).ok().map(|e| e.may_delegate),
                depth,
                "{text}"
            );
        }
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let good = endorsement().to_value().to_json();
        for (from, to, path) in [
            (r#""issuer":"ab"#, r#""issuer":"AB"#, "$.predicate.issuer"),
            (r#""auditor""#, r#""king""#, "$.predicate.role"),
            (
                r#"["pkg:cargo/serde","pkg:npm/*"]"#,
                "[]",
                "$.predicate.scope",
            ),
            (r#""pkg:npm/*""#, r#""pkg:npm/a@1""#, "$.predicate.scope[1]"),
            (r#""pkg:npm/*""#, r#""pkg:NPM/*""#, "$.predicate.scope[1]"),
            (
                r#""validUntil":"2027"#,
                r#""validUntil":"2025"#,
                "$.predicate.validUntil",
            ),
            (r#"T00:00:00Z"}"#, r#""}"#, "$.predicate.validUntil"),
            (r#""validUntil""#, r#""until""#, "$.predicate.validUntil"),
            (
                r#""2026-01-01T00:00:00Z""#,
                r#""soon""#,
                "$.predicate.validFrom",
            ),
        ] {
            assert!(good.contains(from), "{from}");
            assert_eq!(parse(&good.replace(from, to)).unwrap_err().path, path);
        }
    }
}

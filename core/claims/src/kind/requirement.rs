//! `urn:assay:requirement:v1`: what a consumer demands of packages (docs/design.md 3.3).
//!
//! - `scope` (required): 1 to 256 [patterns](crate::purl::Pattern) of packages that the demand is
//!   made of
//! - `claims` (optional): types of claims that are wanted: short names (`sbom`) or type URIs
//! - `controls` (optional): practices that are wanted, by their ids, such as those of the OSPS
//!   Baseline
//! - `by` (optional): RFC 3339 date or date-time until when
//! - `text` (optional): the demand in plain words, at most 8 KiB
//!
//! One of `claims`, `controls` and `text` has to be there. A pattern of one package makes that
//! package a subject; a pattern of many, which no purl names, makes one that is named as the
//! pattern is, with the pattern's SHA-256: so it can be looked up.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use crate::json::{Value, object};
use crate::purl::{Pattern, Purl};
use crate::statement::{Statement, StatementError, Subject};
use crate::time::Timestamp;
use assay_tlog::Hash;

/// The predicate type's URI.
pub const URI: &str = "urn:assay:requirement:v1";

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What it is demanded of; at least one pattern.
    pub scope: Vec<Pattern>,
    /// Types of claims that are wanted.
    pub claims: Vec<String>,
    /// Practices that are wanted.
    pub controls: Vec<String>,
    /// Until when; a date without a time is its last instant, in UTC.
    pub by: Option<Timestamp>,
    /// The demand in plain words.
    pub text: Option<String>,
}

impl Predicate for Requirement {
    const NAME: &'static str = "requirement";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("requirement", &[URI], Self::read)];
}

impl Requirement {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let lines = |key| match node.get(key) {
            Some(list) => list.list(0, |item| item.line().map(str::to_owned)),
            None => Ok(Vec::new()),
        };
        let by = node.get("by").map(|by| {
            Timestamp::parse_end(by.string()?)
                .ok_or_else(|| by.fault("is neither an RFC 3339 date nor a date and time"))
        });
        let requirement = Requirement {
            scope: node.need("scope")?.list(1, |pattern| pattern.pattern())?,
            claims: lines("claims")?,
            controls: lines("controls")?,
            by: by.transpose()?,
            text: node
                .get("text")
                .map(|text| text.prose().map(str::to_owned))
                .transpose()?,
        };
        if requirement.claims.is_empty()
            && requirement.controls.is_empty()
            && requirement.text.is_none()
        {
            Err(node.fault("demands nothing: it has none of claims, controls and text"))
        } else {
            Ok(requirement)
        }
    }

    /// The predicate as JSON, fields in the order of this type.
    pub fn to_value(&self) -> Value {
        let list = |items: &[String]| (!items.is_empty()).then(|| items.to_vec().into());
        let scope: Vec<_> = self.scope.iter().map(Pattern::as_str).collect();
        object([
            ("scope", Some(scope.into())),
            ("claims", list(&self.claims)),
            ("controls", list(&self.controls)),
            ("by", self.by.as_ref().map(|by| by.as_str().into())),
            ("text", self.text.as_deref().map(Value::from)),
        ])
    }

    /// The statement that demands it of the packages, which are its subjects.
    pub fn statement(&self) -> Result<Statement, StatementError> {
        Statement::new(
            self.scope.iter().map(subject).collect(),
            URI,
            self.to_value(),
        )
    }
}

fn subject(pattern: &Pattern) -> Subject {
    match Purl::parse_canonical(pattern.as_str()) {
        Ok(package) if !pattern.as_str().ends_with('*') => Subject::package(package),
        _ => Subject::artifact(
            Some(pattern.as_str().to_owned()),
            &Hash::of(pattern.as_str().as_bytes()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement() -> Requirement {
        Requirement {
            scope: ["pkg:cargo/serde", "pkg:npm/*"]
                .map(|text| Pattern::parse(text).unwrap())
                .into(),
            claims: vec!["sbom".into()],
            controls: vec!["OSPS-BR-01.01".into()],
            by: Timestamp::parse_end("2027-12-11"),
            text: Some("We ship in the EU.".into()),
        }
    }

    #[test]
    fn a_requirement_reads_back_and_can_be_looked_up() {
        let statement = requirement().statement().unwrap();
        assert_eq!(Requirement::parse(statement.predicate()), Ok(requirement()));
        let [package, many] = statement.subjects() else {
            panic!("two subjects")
        };
        assert_eq!(package.purl().map(Purl::as_str), Some("pkg:cargo/serde"));
        assert_eq!(
            many.digest("sha256"),
            Some(Hash::of(b"pkg:npm/*").to_hex().as_str())
        );
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let good = requirement().to_value().to_json();
        for (from, to, path) in [
            (r#""pkg:npm/*""#, r#""npm""#, "$.predicate.scope[1]"),
            (
                r#"["pkg:cargo/serde","pkg:npm/*"]"#,
                "[]",
                "$.predicate.scope",
            ),
            (r#""sbom""#, r#""sb\nom""#, "$.predicate.claims[0]"),
            (r#""OSPS-BR-01.01""#, "1", "$.predicate.controls[0]"),
            ("2027-12-11", "soon", "$.predicate.by"),
            (r#""We ship in the EU.""#, r#""""#, "$.predicate.text"),
            (
                r#""claims":["sbom"],"controls":["OSPS-BR-01.01"],"by":"2027-12-11","text":"We ship in the EU.""#,
                r#""x":1"#,
                "$.predicate",
            ),
        ] {
            assert!(good.contains(from), "{from}");
            let changed = crate::json::parse(good.replace(from, to).as_bytes()).unwrap();
            assert_eq!(Requirement::parse(&changed).unwrap_err().path, path);
        }
    }
}

//! `urn:assay:audit:v1`: a review of a version, or of the change from one version to another
//! (docs/design.md 3.3).
//!
//! - `criteria` (required): 1 to 256 criteria that were reviewed for, such as cargo-vet's
//!   `safe-to-deploy`
//! - `verdict` (required): `pass` if all of them are met; `fail` if it is not fit for use by one of
//!   them; `unmet` if they are not met, which says nothing of any other criterion, such as
//!   cargo-vet's violation of a criterion of one's own
//! - `scope` (required): `version` if the whole was reviewed, `delta` if only the change from
//!   `deltaBase` was
//! - `deltaBase`: the purl or the version that the change is from; required in the scope `delta`,
//!   and absent from the other
//! - `versions` (optional): a `vers:` range that the review is of, where the subject is a package
//!   without a version
//! - `method` (optional): `human` or `tool`
//! - `reviewers` (optional): names of who reviewed. They prove nothing: who signs does
//! - `reviewedAt` (optional): RFC 3339 date-time
//! - `notes` (optional): plain text of at most 8 KiB
//! - `definitions` (optional): an object that says for criteria what they mean, in words or by URL

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use crate::json::{Value, object};
use crate::purl::Purl;
use crate::time::Timestamp;
use crate::vers::{self, Applies};

/// The predicate type's URI.
pub const URI: &str = "urn:assay:audit:v1";

/// What came out of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All criteria are met.
    Pass,
    /// It is not fit for use by one of them.
    Fail,
    /// They are not met, and of any other criterion that says nothing.
    Unmet,
}

impl Verdict {
    /// The verdict as a predicate spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unmet => "unmet",
        }
    }
}

/// What was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The whole.
    Version,
    /// The change from this version, a purl or a bare version. It passes only if what it is from
    /// does.
    Delta(String),
}

/// Who or what reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A person.
    Human,
    /// A program.
    Tool,
}

impl Method {
    /// As the predicate has it.
    fn as_str(self) -> &'static str {
        match self {
            Method::Human => "human",
            Method::Tool => "tool",
        }
    }
}

/// The predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// What was reviewed for; at least one.
    pub criteria: Vec<String>,
    /// What came out.
    pub verdict: Verdict,
    /// What was reviewed.
    pub scope: Scope,
    /// The versions that it is of, as a `vers:` range, if the subjects do not say.
    pub versions: Option<String>,
    /// Who or what reviewed.
    pub method: Option<Method>,
    /// Names of who reviewed.
    pub reviewers: Vec<String>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
    /// What else there is to say.
    pub notes: Option<String>,
    /// Criteria and what they mean.
    pub definitions: Vec<(String, String)>,
}

impl Predicate for Audit {
    const NAME: &'static str = "audit";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("audit", &[URI], Self::read)];
}

impl Audit {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let reviewers = node
            .get("reviewers")
            .map(|list| list.list(0, |name| name.line().map(str::to_owned)));
        Ok(Audit {
            criteria: node
                .need("criteria")?
                .list(1, |criterion| criterion.line().map(str::to_owned))?,
            verdict: match node.need("verdict")?.one_of(&["pass", "fail", "unmet"])? {
                "pass" => Verdict::Pass,
                "fail" => Verdict::Fail,
                _ => Verdict::Unmet,
            },
            scope: scope(node)?,
            versions: node
                .get("versions")
                .map(|range| versions(&range))
                .transpose()?,
            method: node
                .get("method")
                .map(|method| read_method(&method))
                .transpose()?,
            reviewers: reviewers.transpose()?.unwrap_or_default(),
            reviewed_at: node
                .get("reviewedAt")
                .map(|at| at.timestamp())
                .transpose()?,
            notes: node
                .get("notes")
                .map(|notes| notes.prose().map(str::to_owned))
                .transpose()?,
            definitions: node
                .get("definitions")
                .map_or(Ok(Vec::new()), |node| definitions(&node))?,
        })
    }

    /// Whether the review's own version range covers the package's version. A review without a
    /// range leaves that to its subjects and applies.
    pub fn applies_to(&self, package: &Purl) -> Applies {
        match &self.versions {
            Some(range) => vers::contains_that_of(range, package),
            None => Applies::Yes,
        }
    }

    /// Whether it passed.
    pub fn passes(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// Whether it says whether the component can be used, and not only that criteria are not met.
    pub fn judges(&self) -> bool {
        self.verdict != Verdict::Unmet
    }

    /// Whether it is of a change, and says nothing of what that is from.
    pub fn is_of_change(&self) -> bool {
        self.scope != Scope::Version
    }

    /// Whether it says that a criterion is met. cargo-vet's `safe-to-deploy` implies its
    /// `safe-to-run`.
    pub fn meets(&self, criterion: &str) -> bool {
        let implied =
            criterion == "safe-to-run" && self.criteria.iter().any(|met| met == "safe-to-deploy");
        self.verdict == Verdict::Pass
            && (implied || self.criteria.iter().any(|met| met == criterion))
    }

    /// The predicate as JSON.
    pub fn to_value(&self) -> Value {
        let (scope, base) = match &self.scope {
            Scope::Version => ("version", None),
            Scope::Delta(base) => ("delta", Some(base.as_str().into())),
        };
        let definitions = self
            .definitions
            .iter()
            .map(|(name, text)| (name.clone(), text.as_str().into()))
            .collect();
        object([
            ("criteria", Some(self.criteria.clone().into())),
            ("verdict", Some(self.verdict.as_str().into())),
            ("scope", Some(scope.into())),
            ("deltaBase", base),
            ("versions", self.versions.as_deref().map(Value::from)),
            ("method", self.method.map(|method| method.as_str().into())),
            (
                "reviewers",
                (!self.reviewers.is_empty()).then(|| self.reviewers.clone().into()),
            ),
            (
                "reviewedAt",
                self.reviewed_at.as_ref().map(|at| at.as_str().into()),
            ),
            ("notes", self.notes.as_deref().map(Value::from)),
            (
                "definitions",
                (!self.definitions.is_empty()).then_some(Value::Object(definitions)),
            ),
        ])
    }
}

fn scope(node: &Node<'_, '_>) -> Result<Scope, PredicateError> {
    let base = node.get("deltaBase");
    match (node.need("scope")?.one_of(&["version", "delta"])?, base) {
        ("version", None) => Ok(Scope::Version),
        ("version", Some(base)) => {
            Err(base.fault("has to be absent: the scope is the whole version"))
        }
        (_, Some(base)) => Ok(Scope::Delta(base.line()?.to_owned())),
        (_, None) => node.need("deltaBase").map(|_| Scope::Version),
    }
}

fn versions(range: &Node<'_, '_>) -> Result<String, PredicateError> {
    match range.line()? {
        text if text.starts_with("vers:") => Ok(text.to_owned()),
        _ => Err(range.fault("is no version range: it has to begin with vers:")),
    }
}

fn read_method(node: &Node<'_, '_>) -> Result<Method, PredicateError> {
    Ok(if node.one_of(&["human", "tool"])? == "human" {
        Method::Human
    } else {
        Method::Tool
    })
}

fn definitions(node: &Node<'_, '_>) -> Result<Vec<(String, String)>, PredicateError> {
    node.members()?
        .map(|(name, text)| Ok((name.to_owned(), text.prose()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit() -> Audit {
        Audit {
            criteria: vec!["safe-to-deploy".into(), "fast".into()],
            verdict: Verdict::Pass,
            scope: Scope::Delta("pkg:cargo/a@1.0.0".into()),
            versions: Some("vers:cargo/1.0.1".into()),
            method: Some(Method::Human),
            reviewers: vec!["A. Person".into()],
            reviewed_at: Timestamp::parse("2026-01-01T00:00:00Z"),
            notes: Some("No unsafe\ncode.".into()),
            definitions: vec![("fast".into(), "https://e.org/fast".into())],
        }
    }

    #[test]
    fn an_audit_reads_back() {
        assert_eq!(Audit::parse(&audit().to_value()), Ok(audit()));
        let plain = Audit {
            verdict: Verdict::Fail,
            scope: Scope::Version,
            versions: None,
            method: Some(Method::Tool),
            reviewers: vec![],
            reviewed_at: None,
            notes: None,
            definitions: vec![],
            ..audit()
        };
        assert_eq!(Audit::parse(&plain.to_value()), Ok(plain.clone()));
        let unmet = Audit {
            verdict: Verdict::Unmet,
            ..plain
        };
        assert_eq!(Audit::parse(&unmet.to_value()), Ok(unmet));
    }

    #[test]
    fn a_criterion_is_met_only_by_an_audit_that_passes() {
        let met = |audit: &Audit| {
            ["safe-to-deploy", "safe-to-run", "fast", "slow"].map(|name| audit.meets(name))
        };
        assert_eq!(met(&audit()), [true, true, true, false]);
        assert_eq!(
            met(&Audit {
                verdict: Verdict::Fail,
                ..audit()
            }),
            [false; 4]
        );
        assert!(
            !Audit {
                criteria: vec!["safe-to-run".into()],
                ..audit()
            }
            .meets("safe-to-deploy")
        );
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let good = audit().to_value().to_json();
        for (from, to, path) in [
            (r#"["safe-to-deploy","fast"]"#, "[]", "$.predicate.criteria"),
            (r#""fast"]"#, "1]", "$.predicate.criteria[1]"),
            (r#""pass""#, r#""maybe""#, "$.predicate.verdict"),
            (r#""delta""#, r#""version""#, "$.predicate.deltaBase"),
            (r#""delta""#, r#""all""#, "$.predicate.scope"),
            (
                r#""deltaBase":"pkg:cargo/a@1.0.0","#,
                "",
                "$.predicate.deltaBase",
            ),
            ("vers:cargo/1.0.1", "1.0.1", "$.predicate.versions"),
            (r#""human""#, r#""magic""#, "$.predicate.method"),
            (r#""A. Person""#, r#""""#, "$.predicate.reviewers[0]"),
            (
                r#""2026-01-01T00:00:00Z""#,
                r#""2026""#,
                "$.predicate.reviewedAt",
            ),
            (r#""No unsafe\ncode.""#, "7", "$.predicate.notes"),
            (
                r#""https://e.org/fast""#,
                "7",
                "$.predicate.definitions.fast",
            ),
        ] {
            assert!(good.contains(from), "{from}");
            let changed = crate::json::parse(good.replace(from, to).as_bytes()).unwrap();
            assert_eq!(Audit::parse(&changed).unwrap_err().path, path);
        }
    }
}

//! The rules of a policy: what must be, and what must not be.

use super::condition::Condition;
use super::severity::Severity;
use crate::trust::{self, Role};
use assay_claims::purl::{Pattern, Purl};
use std::fmt;

/// What follows if a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Deny,
    Warn,
}

/// Whose word counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whom {
    /// Every issuer that is registered, whoever that is.
    Anyone,
    /// Issuers with one of these roles.
    Roles(Vec<Role>),
}

impl Whom {
    /// Whether an issuer with these roles counts.
    pub(super) fn counts(&self, roles: &[Role]) -> bool {
        match self {
            Whom::Anyone => true,
            Whom::Roles(wanted) => wanted.iter().any(|role| roles.contains(role)),
        }
    }
}

/// `anyone`, or `a maintainer or supplier`.
impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whom::Anyone => f.write_str("anyone"),
            Whom::Roles(roles) => f.write_str(&or(roles.iter().map(|role| role.name()))),
        }
    }
}

/// `a, b or c`.
pub(super) fn or<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// A type of claims, as the policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimType {
    pub(super) word: String,
    pub(super) uris: Vec<String>,
}

/// What every rule has.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) scopes: Vec<Pattern>,
    pub(super) from: Whom,
    pub(super) when: Option<Condition>,
    pub(super) effect: Effect,
    pub(super) reason: String,
}

impl Rule {
    /// Whether the rule is of this package.
    pub(super) fn covers(&self, purl: Option<&Purl>) -> bool {
        trust::covers(&self.scopes, purl)
    }
}

/// What must be.
#[derive(Debug, Clone)]
pub(super) struct Requirement {
    pub(super) rule: Rule,
    pub(super) claims: Vec<ClaimType>,
    /// Distinct issuers; at least 1.
    pub(super) issuers: usize,
    pub(super) max_age_ms: Option<u64>,
}

/// What must not be.
#[derive(Debug, Clone)]
pub(super) struct Denial {
    pub(super) rule: Rule,
    pub(super) sought: Sought,
}

/// What a denial looks for.
#[derive(Debug, Clone)]
pub(super) enum Sought {
    /// A VEX statement `affected`, of a vulnerability that is this severe or of unknown severity.
    Affected(Severity),
    /// A scanner's finding, likewise, that these do not clear.
    Vulnerable { least: Severity, cleared_by: Whom },
    /// Security support has ended.
    Unsupported,
    /// A claim of one of these types.
    Claims(Vec<ClaimType>),
}

/// Whether one of the types is meant.
pub(super) fn is_of(types: &[ClaimType], predicate_type: &str) -> bool {
    types
        .iter()
        .any(|ty| ty.uris.iter().any(|uri| uri == predicate_type))
}

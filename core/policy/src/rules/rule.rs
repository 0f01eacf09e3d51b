//! The rules of a policy: what must be, and what must not be.

use super::condition::Condition;
use super::severity::Severity;
use crate::trust::{self, Role};
use assay_claims::kind::Kind;
use assay_claims::purl::{Pattern, Purl};
use std::collections::BTreeSet;

/// What follows if a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The policy is not met.
    Deny,
    /// It is met, with a warning.
    Warn,
}

/// Whose word counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Issuers with any role. What strangers say is shown, and decides nothing.
    Anyone,
    /// Issuers with one of these roles.
    Roles(Vec<Role>),
}

impl Whom {
    /// These, and issuers with another role.
    pub(crate) fn and(&self, role: Role) -> Self {
        match self {
            Whom::Anyone => Whom::Anyone,
            Whom::Roles(roles) => Whom::Roles([&roles[..], &[role]].concat()),
        }
    }

    /// Whether an issuer with these roles counts.
    pub(crate) fn counts(&self, roles: &[Role]) -> bool {
        match self {
            Whom::Anyone => !roles.is_empty(),
            Whom::Roles(wanted) => wanted.iter().any(|role| roles.contains(role)),
        }
    }
}

/// A type of claims, as the policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimType {
    /// What the policy calls it: a short name or a URI.
    pub word: String,
    pub(crate) which: Which,
}

impl ClaimType {
    /// Whether it stands for claims of a kind whose predicate type is this.
    pub(crate) fn is_of(&self, kind: Kind, predicate_type: &str) -> bool {
        match &self.which {
            Which::Kind(wanted) => *wanted == kind,
            Which::Uri(wanted) => wanted == predicate_type,
        }
    }
}

/// What a policy means by the name of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// All types of a kind.
    Kind(Kind),
    /// The type with this URI.
    Uri(String),
}

/// What every rule has.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What the policy calls it.
    pub name: String,
    /// The packages that it is for; at least one pattern.
    pub scopes: Vec<Pattern>,
    /// Whose word counts.
    pub from: Whom,
    /// What has to be true of a claim for it to count.
    pub when: Option<Condition>,
    /// What follows if it is broken.
    pub effect: Effect,
    /// What the policy's author says of it.
    pub reason: String,
}

impl Rule {
    /// Whether the rule is of this package.
    pub(crate) fn covers(&self, purl: Option<&Purl>) -> bool {
        trust::covers(&self.scopes, purl)
    }
}

/// What must be: a `[[require]]` of a policy.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// Its name, scope and so on.
    pub rule: Rule,
    pub(crate) claims: Vec<ClaimType>,
    /// Distinct issuers; at least 1.
    pub(crate) issuers: usize,
    pub(crate) max_age_ms: Option<u64>,
    /// What reviews must be for: for each criterion, those that mean it. Any review will do if
    /// there is none.
    pub(crate) criteria: Vec<BTreeSet<String>>,
    /// The criteria as the policy names them.
    pub(crate) named_criteria: Vec<String>,
    /// Those that have to be met for these to be: where somebody says that one is not, no review
    /// will do.
    pub(crate) needed: BTreeSet<String>,
}

impl Requirement {
    /// Any review, by anybody with a role.
    pub(crate) fn of_any_review() -> Self {
        Requirement {
            rule: Rule {
                name: String::new(),
                scopes: Vec::new(),
                from: Whom::Anyone,
                when: None,
                effect: Effect::Warn,
                reason: String::new(),
            },
            claims: Vec::new(),
            issuers: 1,
            max_age_ms: None,
            criteria: Vec::new(),
            named_criteria: Vec::new(),
            needed: BTreeSet::new(),
        }
    }

    /// What it wants.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            types: self.claims.iter().map(|ty| ty.word.clone()).collect(),
            issuers: self.issuers,
            from: self.rule.from.clone(),
            max_age_ms: self.max_age_ms,
            criteria: self.named_criteria.clone(),
        }
    }
}

/// The claims that a requirement wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Their types, any of which will do, as the policy calls them; at least one.
    pub types: Vec<String>,
    /// How many distinct issuers must have made one; at least 1.
    pub issuers: usize,
    /// Which issuers count.
    pub from: Whom,
    /// How old such a claim may be, in milliseconds, counted from when a log first had it.
    pub max_age_ms: Option<u64>,
    /// What a review must be for, by criteria that mean these; empty if for anything.
    pub criteria: Vec<String>,
}

/// What must not be: a `[[deny]]` of a policy.
#[derive(Debug, Clone)]
pub struct Denial {
    /// Its name, scope and so on.
    pub rule: Rule,
    /// What it looks for.
    pub sought: Sought,
}

/// What a denial looks for.
#[derive(Debug, Clone)]
pub enum Sought {
    /// A VEX statement `affected`, of a vulnerability that is this severe or of unknown severity.
    Affected(Severity),
    /// A scanner's finding, likewise, that these do not clear.
    Vulnerable {
        /// The lowest severity that counts.
        least: Severity,
        /// Whose word clears it.
        cleared_by: Whom,
    },
    /// Security support has ended.
    Unsupported,
    /// A claim of one of these types.
    Claims(Vec<ClaimType>),
}

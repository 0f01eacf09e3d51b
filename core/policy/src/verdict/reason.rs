//! Why a policy decides as it does, in data.

use crate::facts::Evidence;
use crate::rules::{Ignore, Outcome, Severity, Wanted};
use crate::trust::Limit;
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::lifecycle::Date;

/// What kind of rule gives a reason: for those who count and sum up, because names of rules are the
/// policy's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A log did not answer, not completely, or too long ago.
    Logs,
    /// Nobody whom the policy trusts says anything.
    Unknown,
    /// A vulnerability can be exploited.
    Affected,
    /// A scan found a vulnerability that nobody cleared.
    Vulnerable,
    /// Security support has ended.
    Unsupported,
    /// There is a claim that must not be.
    Claim,
    /// A demand, met or not.
    Requirement,
    /// Whether a rule is broken could not be decided.
    Undecided,
    /// The policy ignores what a rule says.
    Ignored,
}

impl Cause {
    /// Its name, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Logs => "logs",
            Cause::Unknown => "unknown",
            Cause::Affected => "affected",
            Cause::Vulnerable => "vulnerable",
            Cause::Unsupported => "unsupported",
            Cause::Claim => "claim",
            Cause::Requirement => "requirement",
            Cause::Undecided => "undecided",
            Cause::Ignored => "ignored",
        }
    }
}

/// Why the outcome is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The policy's name of the rule; `logs` and `unknown` for those that every policy has.
    pub rule: String,
    /// What the policy's author says of the rule; `None` for `logs` and `unknown`.
    pub stated: Option<String>,
    /// What was found.
    pub why: Why,
    /// What this reason alone would make of the outcome; `Fine` for a demand that is met.
    pub outcome: Outcome,
    /// The claims that gave it; none if it is that something is missing.
    pub evidence: Vec<Evidence>,
}

impl Reason {
    /// What kind of rule it is.
    pub fn cause(&self) -> Cause {
        match self.why {
            Why::Logs(_) => Cause::Logs,
            Why::Unknown(_) => Cause::Unknown,
            Why::Affected(_) => Cause::Affected,
            Why::Vulnerable(_) => Cause::Vulnerable,
            Why::Unsupported(_) => Cause::Unsupported,
            Why::Claim => Cause::Claim,
            Why::Requirement(_) => Cause::Requirement,
            Why::Undecided(_) => Cause::Undecided,
            Why::Ignored(_) => Cause::Ignored,
        }
    }
}

/// What was found, in data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A log did not answer as it has to.
    Logs(LogFault),
    /// Nobody whom the policy trusts says anything.
    Unknown(Unspoken),
    /// These vulnerabilities can be exploited, each once.
    Affected(Vec<Rated>),
    /// Scans found these vulnerabilities, each once, and nobody cleared them.
    Vulnerable(Vec<Rated>),
    /// Security support has ended at these times, each once.
    Unsupported(Vec<Date>),
    /// There is a claim that must not be.
    Claim,
    /// A demand. It is met if as many issuers as it wants are among the evidence.
    Requirement(Demanded),
    /// What could not be decided, each once, so that the rule was not applied there.
    Undecided(Vec<Undecided>),
    /// The policy ignores it: it decides nothing, and is shown.
    Ignored(Overlooked),
}

/// What a rule says that the policy ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlooked {
    /// What it says.
    pub why: Box<Why>,
    /// What it would make of the outcome.
    pub outcome: Outcome,
    /// The entries of the policy that ignore it, each once; at least one.
    pub by: Vec<Ignore>,
}

/// What was not heard, because there is too much of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// Not everybody whose word counts was found.
    Search(Limit),
    /// An issuer made more claims about the package than are heard.
    Claims {
        /// Who.
        issuer: IssuerId,
        /// The log whose list of them is too long; `None` if there are too many in all logs
        /// together.
        origin: Option<String>,
    },
    /// An issuer said more about one of its claims than is heard, so that nobody knows whether it
    /// withdrew it.
    Replies {
        /// Who.
        issuer: IssuerId,
        /// In which log.
        origin: String,
        /// About which claim.
        claim: ClaimId,
    },
    /// An issuer signed more records of its keys in a log than are heard.
    Keys {
        /// Who.
        issuer: IssuerId,
        /// In which log.
        origin: String,
    },
}

/// What is wrong with the answer of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFault {
    /// Somebody whose word counts was not heard.
    Bounded(Bound),
    /// No log was asked.
    NoneAsked,
    /// There is no answer.
    Silent {
        /// The log.
        origin: String,
        /// Why, in the words of whoever asked; `None` if it was not asked.
        why: Option<String>,
    },
    /// The answer is not complete.
    Partial {
        /// The log.
        origin: String,
        /// What is missing, in the words of whoever asked.
        missing: String,
    },
    /// The head is dated in the future.
    Future {
        /// The log.
        origin: String,
    },
    /// The head is older than the policy allows.
    Old {
        /// The log.
        origin: String,
        /// How old it is, in milliseconds.
        age_ms: u64,
        /// How old it may be, in milliseconds.
        most_ms: u64,
    },
}

/// What there is where nobody whom the policy trusts says anything of a component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unspoken {
    /// How many claims about it by others have effect.
    pub by_others: usize,
    /// How many claims about it all their signers withdrew.
    pub withdrawn: usize,
    /// How many claims about it have no effect for another reason.
    pub ineffective: usize,
    /// How many claims are withdrawn or ineffective. One that stands at two leaves can be both.
    pub idle: usize,
    /// How many claims by issuers with a role say nothing of whether it can be used: that documents
    /// belong to it, or how it was built.
    pub no_word: usize,
    /// How many claims by issuers with a role are about another build, file, version or use of it,
    /// or may be.
    pub nearby: usize,
    /// Where the component comes from, if not from where its packages usually do.
    pub from_elsewhere: Option<String>,
}

/// A vulnerability and how severe it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// Its identifier.
    pub id: String,
    /// The highest severity that is stated by issuers who count; `None` if none states one.
    pub severity: Option<Severity>,
}

/// What a demand wants, and what did not count for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demanded {
    /// What it wants.
    pub wanted: Wanted,
    /// How many claims are too old.
    pub too_old: usize,
    /// How many reviews did not pass, are for other criteria, or are of a change from a version
    /// that was not reviewed.
    pub no_review: usize,
    /// How many times somebody says that what the reviews must be for is not met. Then no review
    /// will do.
    pub violated: usize,
    /// How many times an issuer does not have the role.
    pub no_role: usize,
    /// How many times the condition is not true.
    pub condition: usize,
    /// Why the condition could not be decided, if that happened: the last time.
    pub undecided: Option<String>,
}

/// Something that could not be decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// The claim.
    pub claim: ClaimId,
    /// What about it.
    pub what: UndecidedWhat,
}

/// What could not be decided of a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UndecidedWhat {
    /// Whether the rule's condition holds of it; the error of the condition's language.
    Condition(String),
    /// Whether its range of versions covers the component's; the range, if it states one.
    Versions(Option<String>),
}

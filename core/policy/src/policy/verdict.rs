//! What an evaluation returns.

use crate::trust::Grant;
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_tlog::tree::LeafIndex;
use std::fmt;

/// Whether the policy is met. Of several reasons the worst decides; they are in this order, the
/// best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// All that is demanded is there, all answers are complete and fresh, and nothing speaks
    /// against it.
    Fine,
    /// As `Fine`, but the policy wants something said.
    Warn,
    /// Something that is demanded is not there.
    Unmet,
    /// Nobody whom the policy trusts has said anything.
    Unknown,
    /// A log that must answer did not, or not with all that was asked.
    Incomplete,
    /// An answer is older than the policy allows.
    Stale,
    /// Something is there that must not be.
    Denied,
}

impl Outcome {
    /// All outcomes, the best first.
    pub const ALL: [Outcome; 7] = [
        Outcome::Fine,
        Outcome::Warn,
        Outcome::Unmet,
        Outcome::Unknown,
        Outcome::Incomplete,
        Outcome::Stale,
        Outcome::Denied,
    ];

    /// Whether the policy is met: `Fine`, or `Warn`.
    pub fn is_met(self) -> bool {
        self <= Outcome::Warn
    }

    /// Its name: `fine`, `warn`, `unmet`, `unknown`, `incomplete`, `stale` or `denied`.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Fine => "fine",
            Outcome::Warn => "warn",
            Outcome::Unmet => "unmet",
            Outcome::Unknown => "unknown",
            Outcome::Incomplete => "incomplete",
            Outcome::Stale => "stale",
            Outcome::Denied => "denied",
        }
    }

    /// The outcome of a name, or `None`.
    pub fn of_name(name: &str) -> Option<Self> {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The claim that gave a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The claim.
    pub claim: ClaimId,
    /// In which log.
    pub origin: String,
    /// At which leaf.
    pub leaf: LeafIndex,
    /// Who signed it.
    pub issuer: IssuerId,
    /// The roles that the issuer has for the component, and why.
    pub roles: Vec<Grant>,
}

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
        }
    }
}

/// Why the outcome is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The policy's name of the rule; `logs` and `unknown` for those that every policy has.
    pub rule: String,
    /// What kind of rule it is.
    pub cause: Cause,
    /// What this reason alone would make of the outcome; `Fine` for a demand that is met.
    pub outcome: Outcome,
    /// What to tell people.
    pub text: String,
    /// The claims that gave it; none if it is that something is missing.
    pub evidence: Vec<Evidence>,
}

/// An outcome with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    outcome: Outcome,
    reasons: Vec<Reason>,
}

impl Verdict {
    /// The worst of the reasons decides.
    pub(super) fn new(mut reasons: Vec<Reason>) -> Self {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.outcome));
        Verdict {
            outcome: reasons.first().map_or(Outcome::Fine, |worst| worst.outcome),
            reasons,
        }
    }

    /// Whether the policy is met.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Why, the worst first. Demands that are met are among them.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}

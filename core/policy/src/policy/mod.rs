//! Policies: what a consumer demands of the software that it uses, and whether what is known meets
//! it (DESIGN 7).
//!
//! A policy is one TOML file, [`STARTING`] being the first one that anybody has. [`evaluate`]
//! decides, and gives a reason for everything; [`posture`] says what is known, grouped by question,
//! and decides nothing. Both are pure functions of the policy, the claims and what is said of the
//! answers that they came in.
//!
//! Nothing that is missing is ever good: software that nobody trusted has said anything about is
//! `Unknown`, a log that did not answer makes the outcome `Incomplete`, an old answer makes it
//! `Stale`, and a condition that cannot be decided is not true. A withdrawal or a key compromise
//! that was seen always counts; that there is none is relied on only if the answers are complete
//! and fresh, because otherwise the outcome is not `Fine`.
//!
//! Left out: fetching, verifying what was fetched, and one number that sums it all up.

mod condition;
mod deny;
mod duration;
mod evaluate;
mod examples;
mod facts;
mod file;
mod known;
mod latest;
mod links;
mod logs;
mod posture;
mod read;
mod require;
mod rules;
mod severity;
mod verdict;
mod vulnerable;

pub use condition::{CONDITION_BYTES, Compiled, Condition, ConditionLanguage, Variables};
pub use evaluate::evaluate;
pub use examples::ExampleOutcome;
pub use facts::{Answer, Component, LogAnswer, Relation};
pub use known::{Known, Vulnerability};
pub use posture::{Line, Part, Posture, Question, Voice, listing, posture};
pub use rules::{ClaimType, Denial, Effect, Requirement, Rule, Sought, Wanted, Whom};
pub use severity::Severity;
pub use verdict::{
    Cause, Demanded, Evidence, LogFault, Outcome, Rated, Reason, Undecided, UndecidedWhat,
    Unspoken, Verdict, Why,
};

use crate::trust::Anchor;
use assay_tlog::tlog_policy::TlogPolicy;
use examples::Example;

/// Longest policy, in bytes. A policy is written by people.
pub const POLICY_BYTES: usize = 1024 * 1024;

/// The policy to start with, every field explained. It is useful as it is: it warns.
pub const STARTING: &str = include_str!("starting.toml");

/// A policy that was read and checked. Only [`Policy::parse`] makes one.
#[derive(Debug, Clone)]
pub struct Policy {
    unknown: Option<Effect>,
    max_head_age_ms: u64,
    logs: Vec<RequiredLog>,
    tlog: Option<TlogPolicy>,
    anchors: Vec<NamedAnchor>,
    denials: Vec<Denial>,
    requirements: Vec<Requirement>,
    examples: Vec<Example>,
}

/// A log that must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredLog {
    /// Its origin.
    pub origin: String,
    /// Where it is, if the policy says so.
    pub url: Option<String>,
    /// How old its head may be, in milliseconds.
    pub max_head_age_ms: u64,
}

/// An anchor, and what the policy calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAnchor {
    /// What the policy's author calls it.
    pub name: String,
    /// Who is trusted for what.
    pub anchor: Anchor,
}

/// Why a text is no policy: where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {key}: {reason}")]
pub struct PolicyError {
    /// The line, counted from 1.
    pub line: usize,
    /// The key, such as `anchor.issuer`.
    pub key: String,
    /// What is wrong with it, and what to write instead.
    pub reason: String,
}

impl Policy {
    /// Reads a policy of at most [`POLICY_BYTES`], its conditions in the given language.
    ///
    /// It guarantees what [`STARTING`] says of every field: known keys only, thresholds of at least
    /// 1, patterns that can match, conditions that compile. Fails with the first error.
    pub fn parse(text: &str, language: &dyn ConditionLanguage) -> Result<Self, PolicyError> {
        read::policy(text, language)
    }

    /// The logs that must answer. If empty, whatever logs are asked must.
    pub fn logs(&self) -> &[RequiredLog] {
        &self.logs
    }

    /// The keys of logs and witnesses, and the quorum: what a checkpoint is to be verified with.
    /// `None` if the policy names neither key nor witness.
    pub fn tlog(&self) -> Option<&TlogPolicy> {
        self.tlog.as_ref()
    }

    /// Whom the policy trusts from the start.
    pub fn anchors(&self) -> &[NamedAnchor] {
        &self.anchors
    }

    /// What follows if nobody whom the policy trusts says anything of a component; `None` if
    /// nothing does.
    pub fn unknown(&self) -> Option<Effect> {
        self.unknown
    }

    /// How old the head of a log may be for which the policy does not say more, in milliseconds.
    pub fn default_max_head_age_ms(&self) -> u64 {
        self.max_head_age_ms
    }

    /// What must not be.
    pub fn denials(&self) -> &[Denial] {
        &self.denials
    }

    /// What must be.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// How many examples the policy has of its own.
    pub fn example_count(&self) -> usize {
        self.examples.len()
    }

    /// Decides the policy's own examples; `now_ms` is the time for those that name no day, in
    /// milliseconds since 1970.
    pub fn run_examples(&self, now_ms: u64) -> Vec<ExampleOutcome> {
        examples::run(self, now_ms)
    }

    /// Whether the policy stops at software that nobody whom it trusts has said anything about.
    pub fn stops_at_unknown(&self) -> bool {
        self.unknown == Some(Effect::Deny)
    }

    /// How old the head of a log may be, in milliseconds.
    fn max_head_age_ms(&self, origin: &str) -> u64 {
        self.logs
            .iter()
            .find(|log| log.origin == origin)
            .map_or(self.max_head_age_ms, |log| log.max_head_age_ms)
    }

    /// Whether what stands in a log counts. A policy that names logs or their keys trusts no
    /// others.
    pub fn counts(&self, origin: &str) -> bool {
        let keys = self.tlog.as_ref().map(TlogPolicy::logs).unwrap_or_default();
        let named = self.logs.iter().any(|log| log.origin == origin)
            || keys.iter().any(|log| log.key.name() == origin);
        named || (self.logs.is_empty() && keys.is_empty())
    }

    fn trust_anchors(&self) -> Vec<Anchor> {
        self.anchors
            .iter()
            .map(|named| named.anchor.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests;

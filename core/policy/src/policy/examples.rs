//! A policy's own examples: made-up claims, and what the policy should decide.

use super::Policy;
use super::duration::DAY_MS;
use super::evaluate::decide;
use super::facts::{Answer, Component, Fact, Facts, LogAnswer, Relation, Speaker};
use super::file::Answers;
use super::verdict::{Outcome, Verdict};
use crate::trust::{Grant, Role};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;

/// The origin of the log that examples stand in, if the policy names none.
const ORIGIN: &str = "example.org/made-up-log";

/// An example.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) name: String,
    pub(super) component: Component,
    /// The time at which it is asked, if it says so.
    pub(super) now_ms: Option<u64>,
    /// How logs answer.
    pub(super) answers: Answers,
    pub(super) expect: Outcome,
    pub(super) claims: Vec<ExampleClaim>,
}

/// A claim that is made up.
#[derive(Debug, Clone)]
pub(super) struct ExampleClaim {
    pub(super) predicate_type: String,
    pub(super) by: String,
    pub(super) roles: Vec<Role>,
    pub(super) age_ms: u64,
    pub(super) predicate: Value,
}

/// What became of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleOutcome {
    /// What the policy calls it.
    pub name: String,
    /// What the policy's author expects.
    pub expected: Outcome,
    /// What the policy decides.
    pub verdict: Verdict,
}

impl ExampleOutcome {
    /// Whether the policy decides as its author expects.
    pub fn is_as_expected(&self) -> bool {
        self.verdict.outcome() == self.expected
    }
}

/// Decides all examples of a policy.
pub(super) fn run(policy: &Policy, now_ms: u64) -> Vec<ExampleOutcome> {
    policy
        .examples
        .iter()
        .map(|example: &Example| ExampleOutcome {
            name: example.name.clone(),
            expected: example.expect,
            verdict: verdict(policy, example, example.now_ms.unwrap_or(now_ms)),
        })
        .collect()
}

fn verdict(policy: &Policy, example: &Example, now_ms: u64) -> Verdict {
    let origins: Vec<&str> = match policy.logs.as_slice() {
        [] => vec![ORIGIN],
        logs => logs.iter().map(|log| log.origin.as_str()).collect(),
    };
    let answer = |origin: &&str| LogAnswer {
        origin: (*origin).to_owned(),
        answer: answer(example.answers, policy.max_head_age_ms(origin), now_ms),
    };
    let answers: Vec<LogAnswer> = origins.iter().map(answer).collect();
    let origin = origins.first().copied().unwrap_or(ORIGIN);
    let facts = example
        .claims
        .iter()
        .zip(0..)
        .map(|(claim, leaf)| fact(claim, origin, LeafIndex::new(leaf), now_ms));
    decide(
        policy,
        &Facts::new(&example.component, facts.collect(), now_ms),
        &answers,
    )
}

/// What an example says of a log, whose head may be so old.
fn answer(said: Answers, max_head_age_ms: u64, now_ms: u64) -> Answer {
    match said {
        Answers::Complete => Answer::Complete { head_at_ms: now_ms },
        Answers::Stale => Answer::Complete {
            head_at_ms: now_ms
                .saturating_sub(max_head_age_ms)
                .saturating_sub(DAY_MS),
        },
        Answers::Incomplete => Answer::Partial {
            head_at_ms: now_ms,
            missing: "a part of it is missing".into(),
        },
        Answers::Silent => Answer::None {
            why: "it is silent".into(),
        },
    }
}

fn fact<'a>(claim: &'a ExampleClaim, origin: &'a str, leaf: LeafIndex, now_ms: u64) -> Fact<'a> {
    let grants = claim
        .roles
        .iter()
        .map(|role| Grant {
            role: *role,
            chain: Vec::new(),
        })
        .collect();
    Fact {
        claim: ClaimId::new(Hash::of(&leaf.get().to_be_bytes())),
        origin,
        leaf,
        logged_at_ms: now_ms.saturating_sub(claim.age_ms),
        predicate_type: &claim.predicate_type,
        predicate: &claim.predicate,
        subjects: &[],
        relation: Relation::This,
        speakers: vec![Speaker {
            issuer: made_up(&claim.by),
            grants,
        }],
    }
}

/// An id for a name that an example gives an issuer: no keys derive it.
fn made_up(name: &str) -> IssuerId {
    IssuerId::derive(0, &[*Hash::of(name.as_bytes()).as_bytes()])
}

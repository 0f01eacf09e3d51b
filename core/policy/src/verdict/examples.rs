//! What a policy decides of its own examples.

use super::Verdict;
use super::decide::decide;
use super::logs::{Answer, LogAnswer};
use crate::facts::{Fact, Facts, Relation, Speaker};
use crate::rules::{DAY_MS, Example, ExampleClaim, LogState, Outcome, Policy};
use crate::trust::{Grant, Place, Role};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;

/// The origin of the log that examples stand in, if the policy names none.
const ORIGIN: &str = "example.org/made-up-log";

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

/// Decides the examples that a policy has of its own; `now_ms` is the time for those that name no
/// day, in milliseconds since 1970.
pub fn run_examples(policy: &Policy, now_ms: u64) -> Vec<ExampleOutcome> {
    policy
        .examples()
        .iter()
        .map(|example: &Example| ExampleOutcome {
            name: example.name.clone(),
            expected: example.expect,
            verdict: verdict(policy, example, example.now_ms.unwrap_or(now_ms)),
        })
        .collect()
}

fn verdict(policy: &Policy, example: &Example, now_ms: u64) -> Verdict {
    let origins: Vec<&str> = match policy.logs() {
        [] => vec![ORIGIN],
        logs => logs.iter().map(|log| log.origin.as_str()).collect(),
    };
    let answer = |origin: &&str| LogAnswer {
        origin: (*origin).to_owned(),
        answer: answer(example.logs, policy.max_head_age_ms(origin), now_ms),
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
        &facts_of(example, facts.collect(), now_ms),
        &[],
        &answers,
    )
}

/// The claims of those to whom the example gives a role; of the others, how many there are.
fn facts_of<'a>(example: &'a Example, all: Vec<Fact<'a>>, now_ms: u64) -> Facts<'a> {
    let (known, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|fact| fact.speakers.iter().any(Speaker::has_role));
    let mut facts = Facts::new(&example.component, known, now_ms);
    facts.by_others = others.len();
    facts
}

/// What an example says of a log, whose head may be so old.
fn answer(said: LogState, max_head_age_ms: u64, now_ms: u64) -> Answer {
    match said {
        LogState::Complete => Answer::Complete { head_at_ms: now_ms },
        LogState::Stale => Answer::Complete {
            head_at_ms: now_ms
                .saturating_sub(max_head_age_ms)
                .saturating_sub(DAY_MS),
        },
        LogState::Incomplete => Answer::Partial {
            head_at_ms: now_ms,
            missing: "a part of it is missing".into(),
        },
        LogState::Silent => Answer::None {
            why: "it is silent".into(),
        },
    }
}

fn fact<'a>(claim: &'a ExampleClaim, origin: &'a str, leaf: LeafIndex, now_ms: u64) -> Fact<'a> {
    let grant = |role: &Role| Grant {
        role: *role,
        chain: Vec::new(),
    };
    let grants: Vec<Grant> = claim.roles.iter().map(grant).collect();
    Fact {
        claim: ClaimId::new(Hash::of(&leaf.get().to_be_bytes())),
        origin,
        leaf,
        predicate_type: &claim.predicate_type,
        predicate: &claim.predicate,
        body: &claim.body,
        subjects: &[],
        relation: Relation::This,
        of_product: false,
        speakers: vec![Speaker {
            issuer: made_up(&claim.by),
            grants: grants.clone(),
            grants_against: grants,
            stands: true,
            against: true,
            since: Place {
                origin: origin.to_owned(),
                leaf,
            },
            since_ms: now_ms.saturating_sub(claim.age_ms),
        }],
    }
}

/// An id for a name that an example gives an issuer: no keys derive it.
fn made_up(name: &str) -> IssuerId {
    IssuerId::derive(0, &[*Hash::of(name.as_bytes()).as_bytes()])
}

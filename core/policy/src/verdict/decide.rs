//! The decision: every rule of the policy, on every fact, with reasons.

use super::logs::{self, LogAnswer};
use super::reason::{Reason, Unspoken, Why};
use super::{Verdict, deny, require};
use crate::facts::{Fact, Facts, Idle, Vulnerabilities};
use crate::rules::{Effect, Outcome, Policy};
use assay_claims::claim::ClaimId;
use std::collections::BTreeSet;

/// Decides whether a policy is met by the facts, which came in these answers.
pub(super) fn decide(policy: &Policy, facts: &Facts<'_>, answers: &[LogAnswer]) -> Verdict {
    let mut reasons = logs::reasons(policy, facts, answers);
    let vulnerabilities = Vulnerabilities::of(facts);
    let purl = facts.component.purl();
    for denial in policy.denials() {
        if denial.rule.covers(purl) {
            reasons.extend(deny::reasons(denial, facts, &vulnerabilities));
        }
    }
    if facts.facts.iter().any(by_somebody_with_a_role) {
        for requirement in policy.requirements() {
            if requirement.rule.covers(purl) {
                reasons.push(require::reason(requirement, facts));
            }
        }
    } else if let Some(effect) = policy.unknown() {
        let silent = reasons
            .iter()
            .any(|reason| reason.outcome == Outcome::Incomplete);
        reasons.extend(unknown(effect, facts, silent));
    }
    Verdict::new(reasons)
}

fn by_somebody_with_a_role(fact: &Fact<'_>) -> bool {
    let mut speakers = fact.speakers.iter();
    fact.is_of_this() && speakers.any(|speaker| !speaker.grants.is_empty())
}

/// That nobody whom the policy trusts says anything, and what was said all the same. If not all
/// logs answered, nobody can tell what is not said: then there is only what was taken back to tell
/// of.
fn unknown(effect: Effect, facts: &Facts<'_>, silent: bool) -> Option<Reason> {
    let by_others: BTreeSet<ClaimId> = facts
        .facts
        .iter()
        .filter(|fact| fact.is_of_this())
        .map(|fact| fact.claim)
        .collect();
    let withdrawn = claims(facts.idle.iter().filter(|idle| idle.withdrawn));
    let ineffective = claims(facts.idle.iter().filter(|idle| !idle.withdrawn));
    let all = claims(facts.idle.iter());
    let only_idle = by_others.is_empty() && !all.is_empty();
    if silent && !only_idle {
        return None;
    }
    let outcome = match effect {
        Effect::Deny => Outcome::Unknown,
        Effect::Warn => Outcome::Warn,
    };
    Some(Reason {
        rule: "unknown".into(),
        stated: None,
        why: Why::Unknown(Unspoken {
            by_others: by_others.len(),
            withdrawn: withdrawn.len(),
            ineffective: ineffective.len(),
            idle: all.len(),
            from_elsewhere: facts.component.from_elsewhere().map(str::to_owned),
        }),
        outcome,
        evidence: facts
            .idle
            .iter()
            .flat_map(|idle| idle.evidence.clone())
            .collect(),
    })
}

fn claims<'f>(idle: impl Iterator<Item = &'f Idle>) -> BTreeSet<ClaimId> {
    idle.map(|idle| idle.claim).collect()
}

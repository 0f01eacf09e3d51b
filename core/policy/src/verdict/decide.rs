//! The decision: every rule of the policy, on every fact, with reasons.

use super::logs::{self, LogAnswer};
use super::reason::{Bound, LogFault, Reason, Unspoken, Why};
use super::review::Reviews;
use super::{Verdict, deny, ignored, require};
use crate::facts::{Fact, Facts, Idle, Vulnerabilities};
use crate::rules::{Effect, Outcome, Policy, Requirement, Sought};
use assay_claims::claim::ClaimId;
use assay_claims::kind::Body;
use std::collections::BTreeSet;

/// Decides whether a policy is met by the facts, which came in these answers, and of which this was
/// not heard.
pub(super) fn decide(
    policy: &Policy,
    facts: &Facts<'_>,
    bounds: &[Bound],
    answers: &[LogAnswer],
) -> Verdict {
    let mut reasons = logs::reasons(policy, facts, answers);
    for bound in bounds {
        let fault = LogFault::Bounded(bound.clone());
        reasons.push(logs::reason(Outcome::Incomplete, fault));
    }
    let vulnerabilities = Vulnerabilities::of(facts);
    let purl = facts.component.purl();
    for denial in policy.denials() {
        if denial.rule.covers(purl) {
            reasons.extend(deny::reasons(policy, denial, facts, &vulnerabilities));
        }
    }
    let effect = policy
        .unknown()
        .filter(|_| !is_spoken_of(policy, facts, &vulnerabilities));
    for requirement in policy.requirements() {
        if requirement.rule.covers(purl) {
            let reason = require::reason(requirement, facts);
            // That nobody says anything is said once.
            if effect.is_none() || reason.outcome != Outcome::Warn {
                reasons.push(reason);
            }
        }
    }
    if let Some(effect) = effect {
        let silent = reasons
            .iter()
            .any(|reason| reason.outcome == Outcome::Incomplete);
        reasons.extend(unknown(effect, facts, silent));
    }
    ignored::by_rule(policy, purl, &mut reasons, facts.now_ms);
    Verdict::new(reasons)
}

/// Whether somebody with a role says whether the component can be used. A review of a change alone
/// says nothing of that: what it is a change from may be anything. Nor does what is said against it
/// and is of no consequence, because no rule asks those who say it: one vulnerability that harms it
/// does not mean that nothing else does.
pub(super) fn is_spoken_of(
    policy: &Policy,
    facts: &Facts<'_>,
    vulnerabilities: &Vulnerabilities<'_>,
) -> bool {
    let words = facts.facts.iter().filter(|fact| fact.is_of_this());
    let any = Requirement::of_any_review();
    let mut reviews = None;
    let mut words = words.filter(|fact| {
        fact.is_judged(facts.component, |at| {
            !vulnerabilities.is_replaced(fact, at) && is_of_consequence(policy, facts, fact, at)
        })
    });
    words.any(|fact| match fact.body {
        Body::Audit(audit) if audit.is_of_change() => {
            let reviews = reviews.get_or_insert_with(|| Reviews::new(&any, facts));
            reviews.holds(audit, facts.component.purl())
        }
        _ => true,
    })
}

/// Whether a statement of a VEX document clears, or a rule for the component asks one who says it
/// whether it is affected, whatever else the rule wants: how severe that is, and when it counts, is
/// then decided there.
fn is_of_consequence(policy: &Policy, facts: &Facts<'_>, fact: &Fact<'_>, at: usize) -> bool {
    if let Body::Vex(vex) = fact.body
        && vex.statements.get(at).is_some_and(|it| it.status.clears())
    {
        return true;
    }
    let purl = facts.component.purl();
    let mut denials = policy.denials().iter();
    denials.any(|denial| {
        let rule = &denial.rule;
        let mut speakers = fact.speakers.iter();
        matches!(denial.sought, Sought::Affected(_))
            && rule.covers(purl)
            && speakers.any(|speaker| speaker.counts_against(&rule.from))
    })
}

/// That nobody whom the policy trusts says anything, and what was said all the same. If not all
/// logs answered, nobody can tell what is not said: then there is only what was taken back to tell
/// of.
fn unknown(effect: Effect, facts: &Facts<'_>, silent: bool) -> Option<Reason> {
    let said = facts.facts.iter().filter(|fact| fact.is_of_this());
    let no_word = said.filter(|fact| fact.is_said()).count();
    let nearby = facts.facts.iter().filter(|fact| fact.is_nearby());
    let nearby: BTreeSet<ClaimId> = nearby.map(|fact| fact.claim).collect();
    let withdrawn = claims(facts.idle.iter().filter(|idle| idle.withdrawn));
    let ineffective = claims(facts.idle.iter().filter(|idle| !idle.withdrawn));
    let all = claims(facts.idle.iter());
    let only_idle = facts.by_others == 0 && !all.is_empty();
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
            by_others: facts.by_others,
            withdrawn: withdrawn.len(),
            ineffective: ineffective.len(),
            idle: all.len(),
            no_word,
            nearby: nearby.len(),
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

//! What is wrong with the answers of the logs.

use super::Policy;
use super::facts::{Answer, Facts, LogAnswer};
use super::verdict::{LogFault, Outcome, Reason, Why};
use std::collections::BTreeSet;

/// How far the clock of a log may be ahead of ours before its time is not believed.
const CLOCK_SKEW_MS: u64 = 10 * 60 * 1000;

/// Every log that must answer is looked at, and every log that something is relied on from.
pub(super) fn reasons(policy: &Policy, facts: &Facts<'_>, answers: &[LogAnswer]) -> Vec<Reason> {
    let required = policy.logs.iter().map(|log| log.origin.as_str());
    let counted = answers
        .iter()
        .map(|answer| answer.origin.as_str())
        .filter(|origin| policy.counts(origin));
    let relied_on = facts.facts.iter().map(|fact| fact.origin);
    let origins: BTreeSet<&str> = required.chain(counted).chain(relied_on).collect();
    if origins.is_empty() {
        return vec![reason(Outcome::Incomplete, LogFault::NoneAsked)];
    }

    let mut reasons = Vec::new();
    for origin in origins {
        let mut given = answers
            .iter()
            .filter(|answer| answer.origin == origin)
            .peekable();
        if given.peek().is_none() {
            let origin = origin.to_owned();
            let fault = LogFault::Silent { origin, why: None };
            reasons.push(reason(Outcome::Incomplete, fault));
        }
        let most_ms = policy.max_head_age_ms(origin);
        for given in given {
            reasons.extend(of_answer(origin, &given.answer, most_ms, facts.now_ms));
        }
    }
    reasons
}

fn of_answer(origin: &str, answer: &Answer, most_ms: u64, now_ms: u64) -> Vec<Reason> {
    match answer {
        Answer::None { why } => {
            let fault = LogFault::Silent {
                origin: origin.to_owned(),
                why: Some(why.clone()),
            };
            vec![reason(Outcome::Incomplete, fault)]
        }
        Answer::Partial {
            head_at_ms,
            missing,
        } => {
            let fault = LogFault::Partial {
                origin: origin.to_owned(),
                missing: missing.clone(),
            };
            let partial = reason(Outcome::Incomplete, fault);
            let head = of_head(origin, *head_at_ms, most_ms, now_ms);
            std::iter::once(partial).chain(head).collect()
        }
        Answer::Complete { head_at_ms } => of_head(origin, *head_at_ms, most_ms, now_ms)
            .into_iter()
            .collect(),
    }
}

fn of_head(origin: &str, head_at_ms: u64, most_ms: u64, now_ms: u64) -> Option<Reason> {
    let origin = origin.to_owned();
    if head_at_ms > now_ms.saturating_add(CLOCK_SKEW_MS) {
        return Some(reason(Outcome::Incomplete, LogFault::Future { origin }));
    }
    let age_ms = now_ms.saturating_sub(head_at_ms);
    if age_ms <= most_ms {
        return None;
    }
    let fault = LogFault::Old {
        origin,
        age_ms,
        most_ms,
    };
    Some(reason(Outcome::Stale, fault))
}

fn reason(outcome: Outcome, fault: LogFault) -> Reason {
    Reason {
        rule: "logs".into(),
        stated: None,
        why: Why::Logs(fault),
        outcome,
        evidence: Vec::new(),
    }
}

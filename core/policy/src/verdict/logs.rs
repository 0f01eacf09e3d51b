//! How the logs answered, and what is wrong with that.

use super::reason::{LogFault, Reason, Why};
use crate::facts::Facts;
use crate::rules::{Outcome, Policy};
use std::collections::BTreeSet;

/// How far the clock of a log may be ahead of ours before its time is not believed.
const CLOCK_SKEW_MS: u64 = 10 * 60 * 1000;

/// How one log answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAnswer {
    /// The log's origin.
    pub origin: String,
    /// Its answer.
    pub answer: Answer,
}

/// An answer. Whoever states it has verified it: that the head is the log's, and cosigned by the
/// policy's quorum ([`TlogPolicy::verify`](assay_tlog::tlog_policy::TlogPolicy::verify)), and that
/// of every label that matters the whole list came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All that was asked was answered, and proven to be all that there is.
    Complete {
        /// When the head was made, in milliseconds since 1970: when a quorum had cosigned it, if
        /// there is one.
        head_at_ms: u64,
    },
    /// Some of it was not answered, or not proven to be all.
    Partial {
        /// As above.
        head_at_ms: u64,
        /// What is missing, for people, as a sentence without its full stop.
        missing: String,
    },
    /// There was no answer to rely on.
    None {
        /// Why, for people.
        why: String,
    },
}

/// Every log that must answer is looked at, and every log that something is relied on from. If
/// enough logs answered, as the policy has it, what is wrong with the others is no reason.
pub(super) fn reasons(policy: &Policy, facts: &Facts<'_>, answers: &[LogAnswer]) -> Vec<Reason> {
    let required = policy.logs().iter().map(|log| log.origin.as_str());
    let counted = answers
        .iter()
        .map(|answer| answer.origin.as_str())
        .filter(|origin| policy.counts(origin));
    let speakers = facts.facts.iter().flat_map(|fact| &fact.speakers);
    let relied_on = speakers.map(|speaker| speaker.since.origin.as_str());
    let relied_on: BTreeSet<&str> = relied_on.collect();
    let origins = required.chain(counted).chain(relied_on.iter().copied());
    let origins: BTreeSet<&str> = origins.collect();
    if origins.is_empty() {
        return vec![reason(Outcome::Incomplete, LogFault::NoneAsked)];
    }

    let mut of_logs = Vec::with_capacity(origins.len());
    for origin in origins {
        let mut reasons = Vec::new();
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
        of_logs.push((origin, reasons));
    }
    let good = of_logs.iter().filter(|(_, reasons)| reasons.is_empty());
    let answered: BTreeSet<&str> = good.map(|(origin, _)| *origin).collect();
    // What is relied on must come from an answer that is whole and fresh, whoever else answered.
    of_logs.retain(|(origin, _)| relied_on.contains(origin) || !policy.can_lack(origin, &answered));
    of_logs
        .into_iter()
        .flat_map(|(_, reasons)| reasons)
        .collect()
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

pub(super) fn reason(outcome: Outcome, fault: LogFault) -> Reason {
    Reason {
        rule: "logs".into(),
        stated: None,
        why: Why::Logs(fault),
        outcome,
        evidence: Vec::new(),
    }
}

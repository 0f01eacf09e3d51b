//! What must be: whether as many issuers as a requirement wants made such a claim.

use super::reason::{Demanded, Reason, Why};
use crate::facts::{Evidence, Facts};
use crate::rules::{Effect, Outcome, Requirement};
use assay_claims::issuer::IssuerId;
use std::collections::BTreeMap;

/// Weighs one requirement. The evidence is one claim by each issuer that counts.
pub(super) fn reason(requirement: &Requirement, facts: &Facts<'_>) -> Reason {
    let rule = &requirement.rule;
    let mut counted: BTreeMap<IssuerId, Evidence> = BTreeMap::new();
    let mut demanded = Demanded {
        wanted: requirement.wanted(),
        too_old: 0,
        no_role: 0,
        condition: 0,
        undecided: None,
    };
    for fact in facts.of_types(&requirement.claims) {
        if !fact.is_of_this() {
            continue;
        }
        let age_ms = fact.age_ms(facts.now_ms);
        if requirement.max_age_ms.is_some_and(|most| age_ms > most) {
            demanded.too_old += 1;
            continue;
        }
        for speaker in &fact.speakers {
            if !rule.from.counts(&speaker.roles()) {
                demanded.no_role += 1;
                continue;
            }
            match facts.satisfies(rule, fact, speaker) {
                Ok(true) => {
                    counted
                        .entry(speaker.issuer)
                        .or_insert_with(|| fact.evidence(speaker));
                }
                Ok(false) => demanded.condition += 1,
                Err(error) => demanded.undecided = Some(error),
            }
        }
    }
    let outcome = if counted.len() >= requirement.issuers {
        Outcome::Fine
    } else if rule.effect == Effect::Deny {
        Outcome::Unmet
    } else {
        Outcome::Warn
    };
    Reason {
        rule: rule.name.clone(),
        stated: Some(rule.reason.clone()),
        why: Why::Requirement(demanded),
        outcome,
        evidence: counted.into_values().collect(),
    }
}

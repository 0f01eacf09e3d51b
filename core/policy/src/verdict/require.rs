//! What must be: whether as many issuers as a requirement wants made such a claim.

use super::reason::{Demanded, Reason, Why};
use super::review::Reviews;
use crate::component::Component;
use crate::facts::{Evidence, Fact, Facts, Relation, Speaker, artifacts, relation_of};
use crate::rules::{Effect, Outcome, Requirement};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use std::collections::{BTreeMap, BTreeSet};

/// Weighs one requirement. The evidence is one claim by each issuer that counts.
pub(super) fn reason(requirement: &Requirement, facts: &Facts<'_>) -> Reason {
    let rule = &requirement.rule;
    let mut counted: BTreeMap<IssuerId, Evidence> = BTreeMap::new();
    let mut demanded = Demanded {
        wanted: requirement.wanted(),
        too_old: 0,
        no_review: 0,
        violated: 0,
        no_role: 0,
        condition: 0,
        undecided: None,
    };
    let mut reviews = Reviews::new(requirement, facts);
    let mut pieces = Pieces::of(facts.component);
    for fact in facts.of_types(&requirement.claims) {
        demanded.violated += violations(requirement, fact);
        let places = pieces.places(fact);
        // What a registry marks meets no demand.
        let is_mark = matches!(fact.body, Body::RegistryStatus(_));
        if is_mark || !fact.is_of_this() && places.is_empty() {
            continue;
        }
        for speaker in &fact.speakers {
            match worth(requirement, facts, fact, speaker) {
                Worth::TooOld => demanded.too_old += 1,
                Worth::NoRole => demanded.no_role += 1,
                Worth::Condition => demanded.condition += 1,
                Worth::Undecided(error) => demanded.undecided = Some(error),
                Worth::Counts => {
                    if let Body::Audit(audit) = fact.body
                        && !reviews.holds(audit, facts.component.purl())
                    {
                        demanded.no_review += 1;
                        continue;
                    }
                    if fact.is_of_this() || pieces.complete(speaker.issuer, &places) {
                        counted
                            .entry(speaker.issuer)
                            .or_insert_with(|| fact.evidence(speaker));
                    }
                }
            }
        }
    }
    let outcome = if counted.len() >= requirement.issuers && demanded.violated == 0 {
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

/// The artifacts that a component may be, and of which of them each issuer spoke: what is said of
/// each in a claim of its own (an attestation of each wheel) is said of whichever it is.
struct Pieces {
    artifacts: Vec<Component>,
    said: BTreeMap<IssuerId, BTreeSet<usize>>,
}

impl Pieces {
    fn of(component: &Component) -> Self {
        Pieces {
            artifacts: artifacts(component),
            said: BTreeMap::new(),
        }
    }

    /// Which of them a claim is about.
    fn places(&self, fact: &Fact<'_>) -> Vec<usize> {
        let numbered = self.artifacts.iter().enumerate();
        let about = numbered.filter(|(_, one)| {
            !fact.of_product && relation_of(fact.subjects, fact.body, one) == Some(Relation::This)
        });
        about.map(|(at, _)| at).collect()
    }

    /// Whether an issuer who speaks of these, too, has spoken of all.
    fn complete(&mut self, issuer: IssuerId, places: &[usize]) -> bool {
        let said = self.said.entry(issuer).or_default();
        said.extend(places);
        said.len() == self.artifacts.len()
    }
}

/// How many of those whose word counts say with a review that something is not met which the
/// requirement needs to be.
pub(super) fn violations(requirement: &Requirement, fact: &Fact<'_>) -> usize {
    let Body::Audit(audit) = fact.body else {
        return 0;
    };
    let mut criteria = audit.criteria.iter();
    if audit.passes() || !criteria.any(|one| requirement.needed.contains(one)) {
        return 0;
    }
    let speakers = fact.speakers.iter();
    let counting = speakers.filter(|speaker| speaker.counts_against(&requirement.rule.from));
    counting.count()
}

/// What a claim by one of its speakers is worth for a requirement, but for what a review needs
/// besides.
pub(super) enum Worth {
    Counts,
    TooOld,
    NoRole,
    Condition,
    Undecided(String),
}

pub(super) fn worth(
    requirement: &Requirement,
    facts: &Facts<'_>,
    fact: &Fact<'_>,
    speaker: &Speaker,
) -> Worth {
    let age_ms = fact.age_ms(speaker, facts.now_ms);
    if requirement.max_age_ms.is_some_and(|most| age_ms > most) {
        return Worth::TooOld;
    }
    if !speaker.counts_for(&requirement.rule.from) {
        return Worth::NoRole;
    }
    match facts.satisfies(&requirement.rule, fact, speaker) {
        Ok(true) => Worth::Counts,
        Ok(false) => Worth::Condition,
        Err(error) => Worth::Undecided(error),
    }
}

//! What must not be: vulnerabilities, the end of support, and claims that a rule names.

use super::ignored;
use super::reason::{Rated, Reason, Undecided, UndecidedWhat, Why};
use crate::facts::{
    Evidence, Fact, Facts, Speaker, Vulnerabilities, When, is_of_untold_versions, of_dates, range,
};
use crate::rules::{
    ClaimType, Denial, Effect, Ignore, Outcome, Policy, Rule, Severity, Sought, Whom,
};
use crate::trust::Role;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::kind::lifecycle::{Date, Extent, Lifecycle};
use assay_claims::vers::Applies;
use std::collections::{BTreeMap, BTreeSet};

/// What one rule found: a denial if anything was found, and besides what could not be decided,
/// which denies nothing.
pub(super) fn reasons(
    policy: &Policy,
    denial: &Denial,
    facts: &Facts<'_>,
    vulnerabilities: &Vulnerabilities<'_>,
) -> Vec<Reason> {
    let rule = &denial.rule;
    let mut against = Against {
        policy,
        rule,
        facts,
        evidence: Vec::new(),
        undecided: BTreeSet::new(),
        ignored: Overlooking::default(),
    };
    let why = match &denial.sought {
        Sought::Affected(least) => Why::Affected(against.affected(*least, vulnerabilities)),
        Sought::Vulnerable { least, cleared_by } => {
            Why::Vulnerable(against.vulnerable(*least, cleared_by, vulnerabilities))
        }
        Sought::Unsupported => Why::Unsupported(against.unsupported()),
        Sought::Claims(types) => {
            against.claims(types);
            Why::Claim
        }
    };
    against.reasons(why)
}

/// What was found against a component.
struct Against<'f> {
    policy: &'f Policy,
    rule: &'f Rule,
    facts: &'f Facts<'f>,
    evidence: Vec<Evidence>,
    undecided: BTreeSet<Undecided>,
    ignored: Overlooking<'f>,
}

/// What was found of vulnerabilities that the policy ignores here.
#[derive(Default)]
struct Overlooking<'f> {
    rated: Vec<Rated>,
    evidence: Vec<Evidence>,
    by: Vec<&'f Ignore>,
}

impl<'f> Against<'f> {
    /// Takes a claim as found if the rule's condition holds of it, and returns whether it does: in
    /// the roles in which one speaks against the component, or in those in which one speaks for it.
    /// There are conditions that want a role, and others that want somebody without it.
    fn take(&mut self, fact: &Fact<'_>, speaker: &Speaker) -> bool {
        let holds = self.holds(fact, speaker);
        if holds {
            self.evidence.push(fact.evidence(speaker));
        }
        holds
    }

    /// Whether the rule's condition holds of a claim, in one of these roles.
    fn holds(&mut self, fact: &Fact<'_>, speaker: &Speaker) -> bool {
        let against = self.facts.satisfies_against(self.rule, fact, speaker);
        let held = match against {
            Ok(false) => self.facts.satisfies(self.rule, fact, speaker),
            held => held,
        };
        match held {
            Ok(holds) => holds,
            Err(error) => {
                self.undecided.insert(Undecided {
                    claim: fact.claim,
                    what: UndecidedWhat::Condition(error),
                });
                false
            }
        }
    }

    /// Whether the policy ignores a vulnerability of these names in the component. If the rule
    /// would find it, that is noted.
    fn overlooks(
        &mut self,
        names: &[&str],
        fact: &Fact<'_>,
        speaker: &Speaker,
        rated: &Rated,
    ) -> bool {
        let purl = self.facts.component.purl();
        let by = ignored::of_vulnerability(self.policy, purl, names, self.facts.now_ms);
        if by.is_empty() {
            return false;
        }
        if self.holds(fact, speaker) {
            push_rated(&mut self.ignored.rated, &rated.id, rated.severity);
            self.ignored.evidence.push(fact.evidence(speaker));
            by.into_iter()
                .for_each(|ignore| push_new(&mut self.ignored.by, ignore));
        }
        true
    }

    fn affected(&mut self, least: Severity, said: &Vulnerabilities<'_>) -> Vec<Rated> {
        let mut found = Vec::new();
        // Only who says it takes it back. Scanners do not, and it is their trade to rate.
        let by = self.rule.from.and(Role::Scanner);
        let rule = self.rule;
        for stated in said.affected(&rule.from) {
            let statement = stated.statement;
            let names = std::iter::once(&statement.vulnerability).chain(&statement.aliases);
            let names: Vec<&str> = names.map(String::as_str).collect();
            let severity = said.severity(
                names.iter().copied(),
                (stated.speaker, stated.severity()),
                &by,
            );
            if !severe(severity, least) {
                continue;
            }
            let rated = Rated {
                id: statement.vulnerability.clone(),
                severity,
            };
            if self.overlooks(&names, stated.fact, stated.speaker, &rated) {
                continue;
            }
            if is_of_untold_versions(statement, self.facts.component) {
                if self.holds(stated.fact, stated.speaker) {
                    self.undecided.insert(Undecided {
                        claim: stated.fact.claim,
                        what: UndecidedWhat::Versions(range(statement)),
                    });
                }
            } else if self.take(stated.fact, stated.speaker) {
                push_rated(&mut found, &statement.vulnerability, severity);
            }
        }
        found
    }

    fn vulnerable(
        &mut self,
        least: Severity,
        cleared_by: &Whom,
        said: &Vulnerabilities<'_>,
    ) -> Vec<Rated> {
        let mut rated = Vec::new();
        for found in said.found(&self.rule.from) {
            let severity = said.severity(found.names(), (found.speaker, None), cleared_by);
            if !severe(severity, least) || said.is_cleared(found, cleared_by) {
                continue;
            }
            let names: Vec<&str> = found.names().collect();
            let one = Rated {
                id: found.id.to_owned(),
                severity,
            };
            if self.overlooks(&names, found.fact, found.speaker, &one) {
                continue;
            }
            if self.take(found.fact, found.speaker) {
                push_rated(&mut rated, found.id, severity);
            }
        }
        rated
    }

    /// Support has ended if somebody whose word counts states a time that is past, and nobody one
    /// that is not: upstream's and a supplier's dates both stand, so that one who still supports it
    /// is enough. Of one issuer's dates those count that come closest to the version, and of these
    /// the last.
    fn unsupported(&mut self) -> Vec<Date> {
        let (mut ended, mut supported) = (Vec::new(), false);
        for dates in self.dates().into_values() {
            let sound = dates.iter().filter(|dates| dates.counts_for);
            let closest = Extent::closest(sound.clone().map(|dates| dates.extent));
            let last = sound.filter(|dates| closest.contains(&dates.extent));
            let last = last.max_by(|a, b| a.when.cmp(&b.when));
            let displaced = |dates: &&Dates<'f>| {
                let mut closest = closest.iter();
                closest.any(|extent| extent.is_closer_than(dates.extent))
                    || last.is_some_and(|last| last.displaces(dates))
            };
            let past: Vec<&Dates<'f>> = dates
                .iter()
                .filter(|dates| dates.ended && dates.counts_against && !displaced(dates))
                .collect();
            // If anyone's word counts, it clears nothing that somebody else said.
            supported |= past.is_empty() && last.is_some() && self.rule.from != Whom::Anyone;
            ended.extend(past.into_iter().cloned());
        }
        let mut until = Vec::new();
        if supported {
            return until;
        }
        for dates in ended {
            if self.take(dates.fact, dates.speaker) {
                push_new(&mut until, dates.said.end_of_security_support.clone());
            }
        }
        until
    }

    /// The dates for this version that each issuer whose word counts stated.
    fn dates(&mut self) -> BTreeMap<IssuerId, Vec<Dates<'f>>> {
        let facts = self.facts;
        let now = i64::try_from(facts.now_ms).unwrap_or(i64::MAX);
        let mut all: BTreeMap<IssuerId, Vec<Dates<'f>>> = BTreeMap::new();
        for fact in &facts.facts {
            let Body::Lifecycle(said) = fact.body else {
                continue;
            };
            match of_dates(fact.body, facts.component) {
                Applies::Yes => {}
                Applies::No => continue,
                Applies::Undecided => {
                    let versions = said.versions.as_ref();
                    let range = versions.and_then(|versions| versions.range.clone());
                    self.undecided.insert(Undecided {
                        claim: fact.claim,
                        what: UndecidedWhat::Versions(range),
                    });
                    continue;
                }
            }
            for speaker in &fact.speakers {
                let from = &self.rule.from;
                all.entry(speaker.issuer).or_default().push(Dates {
                    fact,
                    speaker,
                    said,
                    when: fact.when(speaker, Some(&said.last_updated)),
                    extent: fact.extent(said),
                    ended: said.end_of_security_support.is_past_at(now)
                        || said.end_of_life.is_past_at(now),
                    counts_for: fact.is_of_this() && speaker.counts_for(from),
                    counts_against: speaker.counts_against(from),
                });
            }
        }
        all
    }

    fn claims(&mut self, types: &[ClaimType]) {
        for fact in self.facts.of_types(types) {
            for speaker in &fact.speakers {
                if speaker.counts_against(&self.rule.from) {
                    self.take(fact, speaker);
                }
            }
        }
    }

    fn reasons(self, why: Why) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let outcome = match self.rule.effect {
            Effect::Deny => Outcome::Denied,
            Effect::Warn => Outcome::Warn,
        };
        if !self.ignored.by.is_empty() {
            let rated = self.ignored.rated;
            let mut reason = Reason {
                rule: self.rule.name.clone(),
                stated: Some(self.rule.reason.clone()),
                why: match why {
                    Why::Affected(_) => Why::Affected(rated),
                    _ => Why::Vulnerable(rated),
                },
                outcome,
                evidence: self.ignored.evidence,
            };
            ignored::overlook(&mut reason, self.ignored.by.into_iter().cloned().collect());
            reasons.push(reason);
        }
        if !self.evidence.is_empty() {
            reasons.push(Reason {
                rule: self.rule.name.clone(),
                stated: Some(self.rule.reason.clone()),
                why,
                outcome,
                evidence: self.evidence,
            });
        }
        if !self.undecided.is_empty() {
            reasons.push(Reason {
                rule: self.rule.name.clone(),
                stated: Some(self.rule.reason.clone()),
                why: Why::Undecided(self.undecided.into_iter().collect()),
                outcome: Outcome::Warn,
                evidence: Vec::new(),
            });
        }
        reasons
    }
}

/// Support dates, by one issuer.
#[derive(Clone)]
struct Dates<'f> {
    fact: &'f Fact<'f>,
    speaker: &'f Speaker,
    said: &'f Lifecycle,
    when: When,
    extent: Extent,
    /// Whether one of them is past.
    ended: bool,
    counts_for: bool,
    counts_against: bool,
}

impl Dates<'_> {
    /// Whether these take the place of others that were stated before.
    fn displaces(&self, others: &Dates<'_>) -> bool {
        self.when.is_after(&others.when) && !others.extent.is_closer_than(self.extent)
    }
}

/// Whether a severity is high enough for a rule. One that nobody states is.
fn severe(severity: Option<Severity>, least: Severity) -> bool {
    severity.is_none_or(|severity| severity >= least)
}

/// Adds a vulnerability, once, with the highest severity that it has by whoever speaks of it.
fn push_rated(list: &mut Vec<Rated>, id: &str, severity: Option<Severity>) {
    match list.iter_mut().find(|known| known.id == id) {
        Some(known) => known.severity = known.severity.max(severity),
        None => list.push(Rated {
            id: id.to_owned(),
            severity,
        }),
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

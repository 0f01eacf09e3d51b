//! Until when those who have a role say that they support a component, for whoever plans by it.

use super::{Evidence, Fact, Facts, When, of_dates};
use crate::rules::Whom;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::kind::lifecycle::{Extent, Lifecycle};
use assay_claims::vers::Applies;
use std::collections::BTreeMap;

/// Dates that an issuer states.
#[derive(Debug, Clone, PartialEq)]
pub struct Supported {
    /// What it states.
    pub dates: Lifecycle,
    /// Whether they are surely of this version: of a range that cannot be decided nobody knows.
    pub is_of_this: bool,
    /// When a log first held the issuer's word, in milliseconds since 1970.
    pub logged_ms: u64,
    /// The claim.
    pub evidence: Evidence,
}

impl Fact<'_> {
    /// Of how much of a package these dates are.
    pub(crate) fn extent(&self, dates: &Lifecycle) -> Extent {
        dates.extent(self.subjects)
    }
}

/// Dates of one issuer: their extent, and when it stated them.
type Said = (Extent, When, Supported);

/// The one of both that was surely stated later; else the first.
fn later<'s>(first: &'s Said, other: &'s Said) -> &'s Said {
    if other.1.is_after(&first.1) {
        other
    } else {
        first
    }
}

/// The last dates of every issuer with a role that judges, whose word has effect, of those that
/// come closest to this version; and those of which it cannot be told whether they are of it.
/// Upstream's and a supplier's both stand.
pub(crate) fn supported(facts: &Facts<'_>) -> Vec<Supported> {
    let mut all: BTreeMap<IssuerId, Vec<Said>> = BTreeMap::new();
    let mut untold = Vec::new();
    for fact in facts.facts.iter().filter(|fact| fact.is_of_this()) {
        let Body::Lifecycle(dates) = fact.body else {
            continue;
        };
        let applies = of_dates(fact.body, facts.component);
        if applies == Applies::No {
            continue;
        }
        let speakers = fact.speakers.iter();
        for speaker in speakers.filter(|one| one.counts_for(&Whom::Anyone) && one.judges()) {
            let one = Supported {
                dates: dates.clone(),
                is_of_this: applies == Applies::Yes,
                logged_ms: speaker.since_ms,
                evidence: fact.evidence(speaker),
            };
            if applies == Applies::Undecided {
                untold.push(one);
                continue;
            }
            let when = fact.when(speaker, Some(&dates.last_updated));
            let of_issuer = all.entry(speaker.issuer).or_default();
            of_issuer.push((fact.extent(dates), when, one));
        }
    }
    let last = all.values().filter_map(|dates| {
        let closest = Extent::closest(dates.iter().map(|(extent, ..)| *extent));
        let mut closest = dates.iter().filter(|(extent, ..)| closest.contains(extent));
        let first = closest.next()?;
        let last = closest.fold(first, later);
        Some(last.2.clone())
    });
    last.chain(untold).collect()
}

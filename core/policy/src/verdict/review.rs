//! What makes a review count: that it passed, for what is asked, and that what it leans on was
//! reviewed as well.
//!
//! A review of a change says nothing of what it is a change from. So it counts only if as many
//! issuers as are wanted reviewed that version, wholly or by changes down to a whole one, and
//! nobody whose word counts says that what is wanted was not met there.

use super::require::{Worth, violations, worth};
use crate::component::Component;
use crate::facts::{Facts, Relation, relation_of};
use crate::rules::Requirement;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::kind::audit::{Audit, Scope, Verdict};
use assay_claims::purl::{Components, Purl};
use std::collections::{BTreeMap, BTreeSet};

/// Most changes in a row that are followed down to a whole review.
const CHANGES: usize = 64;

/// The reviews of a package, for one requirement.
pub(super) struct Reviews<'f> {
    requirement: &'f Requirement,
    facts: &'f Facts<'f>,
    /// Versions that are known to be reviewed by enough issuers or not, by purl. One that is being
    /// found out is not, so that changes in a circle prove nothing.
    known: BTreeMap<String, bool>,
    /// The reviews by the versions that their subjects name, as places of review and subject: one
    /// review can name a thousand versions, and each is looked at once. One without a version may
    /// be of any, and is there once for each review.
    by_version: BTreeMap<Option<String>, Vec<(usize, usize)>>,
    /// Whether a review counts, by one of its speakers: places of both.
    counts: BTreeMap<(usize, usize), bool>,
}

impl<'f> Reviews<'f> {
    pub(super) fn new(requirement: &'f Requirement, facts: &'f Facts<'f>) -> Self {
        let mut by_version: BTreeMap<Option<String>, Vec<(usize, usize)>> = BTreeMap::new();
        let package = facts.component.purl().map(Purl::package_key);
        for (at, fact) in facts.reviews.iter().enumerate() {
            for (subject, named) in fact.subjects.iter().enumerate() {
                // Versions are looked up by their purls, so that digests and others are none.
                let purl = named.purl();
                let Some(purl) = purl.filter(|purl| Some(purl.package_key()) == package) else {
                    continue;
                };
                let places = by_version.entry(purl.version_key()).or_default();
                let again = places.last().is_some_and(|(last, _)| *last == at);
                if purl.version().is_some() || !again {
                    places.push((at, subject));
                }
            }
        }
        Reviews {
            requirement,
            facts,
            known: BTreeMap::new(),
            by_version,
            counts: BTreeMap::new(),
        }
    }

    /// Whether a review of the version that `purl` names counts: that it is for what is asked, and
    /// passed, and so did what it leans on.
    pub(super) fn holds(&mut self, audit: &Audit, purl: Option<&Purl>) -> bool {
        self.holds_within(audit, purl, CHANGES)
    }

    fn holds_within(&mut self, audit: &Audit, purl: Option<&Purl>, changes: usize) -> bool {
        if audit.verdict != Verdict::Pass || !self.is_for_what_is_asked(audit) {
            return false;
        }
        match &audit.scope {
            Scope::Version => true,
            Scope::Delta(base) => {
                let base = purl.and_then(|purl| version_of(purl, base));
                base.is_some_and(|base| changes > 0 && self.is_reviewed(&base, changes - 1))
            }
        }
    }

    /// Whether every criterion that is asked for is met by one that the review is for and that
    /// means it.
    fn is_for_what_is_asked(&self, audit: &Audit) -> bool {
        let mut asked = self.requirement.criteria.iter();
        asked.all(|meaning| audit.criteria.iter().any(|met| meaning.contains(met)))
    }

    /// Whether as many issuers as are wanted reviewed a version.
    fn is_reviewed(&mut self, version: &Purl, changes: usize) -> bool {
        if let Some(known) = self.known.get(version.as_str()) {
            return *known;
        }
        self.known.insert(version.as_str().to_owned(), false);
        let component = Component::new(Some(version.clone()), Vec::new());
        let mut by: BTreeSet<IssuerId> = BTreeSet::new();
        let facts = self.facts;
        for (at, subject) in self.places(version) {
            let Some(fact) = facts.reviews.get(at) else {
                continue;
            };
            let (Body::Audit(audit), Some(subject)) = (fact.body, fact.subjects.get(subject))
            else {
                continue;
            };
            let relation = relation_of(std::slice::from_ref(subject), fact.body, &component);
            if relation.is_some() && violations(self.requirement, fact) > 0 {
                return false;
            }
            if relation != Some(Relation::This) {
                continue;
            }
            for (which, speaker) in fact.speakers.iter().enumerate() {
                if !by.contains(&speaker.issuer)
                    && self.counts(at, which)
                    && self.holds_within(audit, Some(version), changes)
                {
                    by.insert(speaker.issuer);
                }
            }
        }
        let enough = by.len() >= self.requirement.issuers;
        self.known.insert(version.as_str().to_owned(), enough);
        enough
    }
}

impl Reviews<'_> {
    /// The reviews that may be of a version, each with the subject that may be.
    fn places(&self, version: &Purl) -> Vec<(usize, usize)> {
        let named = [version.version_key(), None];
        let named = &named[..if named[0].is_some() { 2 } else { 1 }];
        let places = named
            .iter()
            .filter_map(|version| self.by_version.get(version));
        places.flatten().copied().collect()
    }

    /// Whether a review counts for the requirement, by one of its speakers.
    fn counts(&mut self, review: usize, speaker: usize) -> bool {
        let (requirement, facts) = (self.requirement, self.facts);
        let weigh = || {
            let fact = facts.reviews.get(review)?;
            let worth = worth(requirement, facts, fact, fact.speakers.get(speaker)?);
            Some(matches!(worth, Worth::Counts))
        };
        let known = self.counts.entry((review, speaker));
        *known.or_insert_with(|| weigh().unwrap_or(false))
    }
}

/// The version that a change is from: a purl of the same package, or a version of it. `None` if it
/// is of something else.
fn version_of(purl: &Purl, base: &str) -> Option<Purl> {
    let version = if Purl::begins(base) {
        let base = Purl::canonicalize(base).ok()?;
        if !base.is_same_package(purl) {
            return None;
        }
        base.version()?.to_owned()
    } else {
        base.to_owned()
    };
    Purl::build(Components {
        version: Some(version),
        ..purl.components()
    })
    .ok()
}

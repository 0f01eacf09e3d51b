//! What makes a review count: that it passed, for what is asked, and that what it leans on was
//! reviewed as well.
//!
//! A review of a change says nothing of what it is a change from. So it counts only if as many
//! issuers as are wanted reviewed that version, wholly or by changes down to a whole one.

use super::require::{Worth, worth};
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
}

impl<'f> Reviews<'f> {
    pub(super) fn new(requirement: &'f Requirement, facts: &'f Facts<'f>) -> Self {
        Reviews {
            requirement,
            facts,
            known: BTreeMap::new(),
        }
    }

    /// Whether a review of the version that `purl` names counts.
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
        for fact in &facts.reviews {
            let Body::Audit(audit) = fact.body else {
                continue;
            };
            let relation = relation_of(fact.subjects, fact.body, &component);
            if relation != Some(Relation::This) {
                continue;
            }
            for speaker in &fact.speakers {
                let worth = worth(self.requirement, facts, fact, speaker);
                if matches!(worth, Worth::Counts)
                    && !by.contains(&speaker.issuer)
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

/// The version that a change is from: a purl of the same package, or a version of it. `None` if it
/// is of something else.
fn version_of(purl: &Purl, base: &str) -> Option<Purl> {
    let version = if base.starts_with("pkg:") {
        let base = Purl::canonicalize(base).ok()?;
        if base.without_version() != purl.without_version() {
            return None;
        }
        base.version()?.to_owned()
    } else {
        base.to_owned()
    };
    Purl::build(Components {
        version: Some(version),
        ..purl.components().clone()
    })
    .ok()
}

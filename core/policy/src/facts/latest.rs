//! Which of an issuer's own words counts: the latest by the time that the document states, not the
//! one that was logged last. Else whoever logs an old document again would take back what was said
//! since.

use super::{Fact, Part};
use crate::trust::Place;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Timestamp;
use assay_tlog::tree::LeafIndex;
use std::collections::BTreeMap;

/// When something was said; the later is the greater. Of the same instant the one that was logged
/// later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct When {
    at_ms: u64,
    logged_at_ms: u64,
    leaf: LeafIndex,
}

/// A statement of an issuer on a matter.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// The identifier of its document.
    pub(super) document: String,
    /// The document's version.
    pub(super) version: u64,
    pub(super) when: When,
    /// Whether it is about the very thing that is asked about.
    pub(super) is_of_this: bool,
    /// Its place among all statements.
    pub(super) place: usize,
}

impl Fact<'_> {
    /// When it was said. A time after that of the log is not believed, or a wrong clock could not
    /// be corrected any more; what states none was said when it was logged.
    pub(super) fn when(&self, stated: Option<&Timestamp>) -> When {
        let stated = stated.map_or(self.logged_at_ms, |at| {
            u64::try_from(at.unix_ms()).unwrap_or(0)
        });
        When {
            at_ms: stated.min(self.logged_at_ms),
            logged_at_ms: self.logged_at_ms,
            leaf: self.leaf,
        }
    }
}

/// The places of those words of one issuer on one matter that stand.
///
/// Of one document the highest version counts, then the latest. What is said of another artifact,
/// or of a package of the same name, stands beside what is said of the very thing, if it was said
/// later: it does not replace it.
pub(super) fn standing(words: &[Word]) -> Vec<usize> {
    let all = latest(words.iter());
    let this = latest(words.iter().filter(|word| word.is_of_this));
    let mut places: Vec<usize> = all.into_iter().chain(this).map(|word| word.place).collect();
    places.dedup();
    places
}

fn latest<'w>(words: impl Iterator<Item = &'w Word>) -> Option<&'w Word> {
    let mut by_document: BTreeMap<&str, &Word> = BTreeMap::new();
    for word in words {
        let newest = by_document.entry(&word.document).or_insert(word);
        if (word.version, word.when) >= (newest.version, newest.when) {
            *newest = word;
        }
    }
    by_document.into_values().max_by_key(|word| word.when)
}

/// What was replaced by a later word of the same issuer, and by which claim.
#[derive(Debug, Default)]
pub(super) struct Replaced(BTreeMap<Statement, Vec<Replacement>>);

/// A part of a claim at its place in a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    place: Place,
    part: Part,
}

/// Who said something later, and where.
#[derive(Debug, Clone)]
struct Replacement {
    issuer: IssuerId,
    by: Place,
}

impl Replaced {
    pub(super) fn insert(&mut self, fact: &Fact<'_>, part: Part, issuer: IssuerId, by: &Fact<'_>) {
        let place = fact.place();
        let by = by.place();
        self.0
            .entry(Statement { place, part })
            .or_default()
            .push(Replacement { issuer, by });
    }

    /// The later claim that replaced a statement; `None` if one of the given issuers, for whom it
    /// had effect, stands by it.
    pub(super) fn by<'i>(
        &self,
        place: Place,
        part: Part,
        mut issuers: impl Iterator<Item = &'i IssuerId>,
    ) -> Option<Place> {
        let replaced = self.0.get(&Statement { place, part })?;
        let all = issuers.all(|issuer| replaced.iter().any(|one| one.issuer == *issuer));
        let first = replaced.first()?;
        all.then(|| first.by.clone())
    }
}

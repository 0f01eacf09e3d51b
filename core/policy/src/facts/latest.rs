//! Which of an issuer's own words counts: the latest by the time that the document states, not the
//! one that was logged last. Re-logging an old document must not undo a newer one.
//!
//! A word displaces an earlier one only if it is sound: signed with keys that are beyond doubt. So
//! nobody who stole a key takes back what was said against a component, by whatever is said later.

use super::{Fact, Part, Speaker};
use crate::trust::{BETWEEN_LOGS_MS, JudgedClaim, Place};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{Body, Timestamp};
use assay_tlog::tree::LeafIndex;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// When something was said; the later is the greater. Of the same instant the one that was logged
/// later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct When {
    at_ms: u64,
    logged_at_ms: u64,
    leaf: LeafIndex,
    origin: String,
    /// Whether the time is by the log's clock, and not by the document.
    by_clock: bool,
}

impl When {
    /// Whether this was surely said later. Clocks of two logs that differ by less than an hour do
    /// not tell.
    pub(crate) fn is_after(&self, other: &When) -> bool {
        if self.origin != other.origin && (self.by_clock || other.by_clock) {
            return self.at_ms >= other.at_ms.saturating_add(BETWEEN_LOGS_MS);
        }
        self > other
    }
}

/// A statement of an issuer on a matter.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// The identifier of its document.
    pub(super) document: String,
    /// The document's version.
    pub(super) version: u64,
    pub(super) when: When,
    /// What it is about, in one value.
    pub(super) about: String,
    /// Whether it is about the very thing that is asked about.
    pub(super) is_of_this: bool,
    /// Whether it has effect.
    pub(super) stands: bool,
    /// Whether it counts against something.
    pub(super) against: bool,
    /// Its place among all statements.
    pub(super) place: usize,
}

impl Fact<'_> {
    /// When a speaker said it. A time after that of the log is not believed, or a wrong clock could
    /// not be corrected any more; what states none was said when it was logged.
    pub(crate) fn when(&self, speaker: &Speaker, stated: Option<&Timestamp>) -> When {
        let stated = stated.map(|at| u64::try_from(at.unix_ms()).unwrap_or(0));
        let stated = stated.filter(|stated| *stated <= speaker.since_ms);
        When {
            at_ms: stated.unwrap_or(speaker.since_ms),
            logged_at_ms: speaker.since_ms,
            leaf: speaker.since.leaf,
            origin: speaker.since.origin.clone(),
            by_clock: stated.is_none(),
        }
    }
}

/// The places of those words of one issuer on one matter that stand: the latest of all, the latest
/// that is sound and of the very thing, those that are of another each, such as of the parts of a
/// product, and every one that speaks against something and was not displaced by a sound one. Of
/// one document the highest version counts, then the latest.
pub(super) fn standing(words: &[Word]) -> Vec<usize> {
    let sound = Sound::of(words);
    let all = latest(words.iter());
    let this = latest(words.iter().filter(|word| word.stands && word.is_of_this));
    let against = words
        .iter()
        .filter(|word| word.against && !sound.displaces(word));
    let mut others: BTreeMap<&str, Vec<&Word>> = BTreeMap::new();
    for word in words.iter().filter(|word| word.stands && !word.is_of_this) {
        others.entry(&word.about).or_default().push(word);
    }
    let others = others.into_values();
    let others = others.filter_map(|words| latest(words.into_iter()));
    let standing = all.into_iter().chain(this).chain(others).chain(against);
    let mut places: Vec<usize> = standing.map(|word| word.place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The words that can displace others.
struct Sound<'w> {
    /// Of the very thing.
    of_this: Heads<'w>,
    /// By what they are about.
    of_same: BTreeMap<&'w str, Heads<'w>>,
}

/// The newest version of each document.
#[derive(Default)]
struct Heads<'w>(BTreeMap<&'w str, &'w Word>);

impl<'w> Sound<'w> {
    fn of(words: &'w [Word]) -> Self {
        let mut sound = Sound {
            of_this: Heads::default(),
            of_same: BTreeMap::new(),
        };
        for word in words.iter().filter(|word| word.stands) {
            if word.is_of_this {
                sound.of_this.take(word);
            }
            sound.of_same.entry(&word.about).or_default().take(word);
        }
        sound
    }

    /// Whether one of them was said after the word, of the very thing or of the same.
    fn displaces(&self, word: &Word) -> bool {
        let same = self.of_same.get(word.about.as_str());
        self.of_this.displace(word) || same.is_some_and(|heads| heads.displace(word))
    }
}

impl<'w> Heads<'w> {
    fn take(&mut self, word: &'w Word) {
        let newest = self.0.entry(&word.document).or_insert(word);
        if word.is_newer(newest) {
            *newest = word;
        }
    }

    fn displace(&self, word: &Word) -> bool {
        let state = (word.version, &word.when);
        let document = self.0.get(word.document.as_str());
        if document.is_some_and(|newest| (newest.version, &newest.when) > state) {
            return true;
        }
        let mut others = self.0.iter().filter(|(id, _)| **id != word.document);
        others.any(|(_, newest)| newest.when.is_after(&word.when))
    }
}

impl Word {
    /// Whether it is a later state of the same document.
    fn is_newer(&self, other: &Word) -> bool {
        (self.version, &self.when) >= (other.version, &other.when)
    }
}

fn latest<'w>(words: impl Iterator<Item = &'w Word>) -> Option<&'w Word> {
    let mut by_document = Heads::default();
    for word in words {
        by_document.take(word);
    }
    by_document.0.into_values().max_by_key(|word| &word.when)
}

/// The newest version of every document of an issuer, of those that are sound, and where it stands.
/// What an older version cleared and the newest does not say any more is cleared no more, whatever
/// the newest is about; what it said against something is not taken back by silence.
#[derive(Debug, Default)]
pub(crate) struct Editions<'a>(BTreeMap<(IssuerId, &'a str), (u64, Place)>);

impl<'a> Editions<'a> {
    /// Those of all documents that were heard, of whatever packages and versions they are.
    pub(crate) fn heard(claims: &[JudgedClaim<'a>]) -> Self {
        let mut editions = Editions::default();
        for judged in claims {
            let Body::Vex(vex) = judged.logged().claim().body() else {
                continue;
            };
            for issuer in judged.issuers() {
                editions.take(*issuer, (&vex.id, vex.version), judged.place());
            }
        }
        editions
    }

    /// Takes a version that an issuer said with effect.
    pub(super) fn take(
        &mut self,
        issuer: IssuerId,
        (document, version): (&'a str, u64),
        place: Place,
    ) {
        match self.0.entry((issuer, document)) {
            Entry::Vacant(none) => {
                none.insert((version, place));
            }
            Entry::Occupied(mut newest) if version > newest.get().0 => {
                newest.insert((version, place));
            }
            Entry::Occupied(_) => {}
        }
    }

    /// Where a newer version of a document stands.
    pub(super) fn newer<'e>(
        &'e self,
        issuer: IssuerId,
        document: &'e str,
        version: u64,
    ) -> Option<&'e Place> {
        let newest = self.0.get(&(issuer, document));
        newest
            .filter(|(newest, _)| *newest > version)
            .map(|(_, place)| place)
    }
}

/// What was replaced by a later word of the same issuer, and by which claim.
#[derive(Debug, Default)]
pub(super) struct Replaced(BTreeMap<Statement, Vec<Replacement>>);

/// A part of a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    claim: ClaimId,
    part: Part,
}

/// Who said something later, and where.
#[derive(Debug, Clone)]
struct Replacement {
    issuer: IssuerId,
    by: Place,
}

impl Replaced {
    pub(super) fn insert(&mut self, fact: &Fact<'_>, part: Part, issuer: IssuerId, by: Place) {
        let claim = fact.claim;
        self.0
            .entry(Statement { claim, part })
            .or_default()
            .push(Replacement { issuer, by });
    }

    /// The later claim that replaced a statement; `None` if one of the given issuers, for whom it
    /// had effect, stands by it.
    pub(super) fn by<'i>(
        &self,
        claim: ClaimId,
        part: Part,
        mut issuers: impl Iterator<Item = &'i IssuerId>,
    ) -> Option<Place> {
        let replaced = self.0.get(&Statement { claim, part })?;
        let all = issuers.all(|issuer| replaced.iter().any(|one| one.issuer == *issuer));
        let first = replaced.first()?;
        all.then(|| first.by.clone())
    }
}

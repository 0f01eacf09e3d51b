//! Which of an issuer's own words counts: the latest by the time that the document states, not the
//! one that was logged last. Else whoever logs an old document again would take back what was said
//! since.

use super::facts::Fact;
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
pub(super) struct Replaced<'a>(BTreeMap<Place<'a>, Vec<(IssuerId, &'a Fact<'a>)>>);

/// A log, a leaf, and which of the claim's statements.
type Place<'a> = (&'a str, LeafIndex, usize);

impl<'a> Replaced<'a> {
    pub(super) fn insert(
        &mut self,
        fact: &Fact<'a>,
        place: usize,
        issuer: IssuerId,
        by: &'a Fact<'a>,
    ) {
        self.0
            .entry((fact.origin, fact.leaf, place))
            .or_default()
            .push((issuer, by));
    }

    /// What to say of a statement that none of the given issuers, for whom it had effect, stands by
    /// any more.
    pub(super) fn note<'i>(
        &self,
        (origin, leaf, place): Place<'_>,
        mut issuers: impl Iterator<Item = &'i IssuerId>,
    ) -> Option<String> {
        let replaced = self.0.get(&(origin, leaf, place))?;
        let (_, by) = replaced.first()?;
        let log = if by.origin == origin {
            String::new()
        } else {
            format!(" of the log {}", by.origin)
        };
        let all = issuers.all(|issuer| replaced.iter().any(|(whose, _)| whose == issuer));
        all.then(|| {
            format!(
                "a newer one of the same issuer replaced it: leaf {}{log}",
                by.leaf
            )
        })
    }
}

//! What scans found: the findings of one issuer's scan, and which scans replace which.

use super::identity::subjects;
use super::latest::When;
use super::{Fact, Speaker};
use crate::rules::{Severity, Whom};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::scan::Vulns;
use assay_claims::purl::Purl;
use assay_claims::vulnerability::folded;
use std::collections::{BTreeMap, BTreeSet};

/// A scan's finding by one issuer.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) fact: &'a Fact<'a>,
    pub(crate) speaker: &'a Speaker,
    pub(crate) id: &'a str,
    /// Its other names, by the scanner's word.
    pub(crate) aliases: &'a [String],
    /// Where it was found, if that is known.
    pub(super) found_in: &'a [Purl],
    /// The highest that is stated and can be read.
    pub(crate) severity: Option<Severity>,
}

impl Found<'_> {
    /// All names that it goes by.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id).chain(self.aliases.iter().map(String::as_str))
    }

    /// Whether it goes by one of these names, which are folded.
    pub(super) fn is_named(&self, names: &BTreeSet<String>) -> bool {
        self.names().any(|name| names.contains(&folded(name)))
    }

    /// Whether it says how severe the vulnerability is of which `speaker` speaks, where the word of
    /// `by` makes less of it: a word about the very thing. Everybody rates what they say
    /// themselves.
    pub(super) fn rates(&self, speaker: &Speaker, by: &Whom) -> bool {
        let is_own = self.speaker.issuer == speaker.issuer && self.speaker.judges();
        self.fact.is_of_this() && (is_own || self.speaker.makes_less(by))
    }
}

/// What a scan has to have in common with a later one to be replaced by it. A scan of something
/// else says nothing of what this one found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series<'a> {
    issuer: IssuerId,
    scanner: &'a str,
    /// What the claim is about.
    subjects: Vec<String>,
    /// What was scanned, if it is stated.
    scanned: Option<&'a str>,
}

/// A scan by one issuer.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    pub(super) fact: &'a Fact<'a>,
    pub(super) speaker: &'a Speaker,
    pub(super) when: When,
    pub(super) said: &'a Vulns,
}

impl<'a> Scan<'a> {
    pub(super) fn findings(&self) -> impl Iterator<Item = Found<'a>> {
        let (fact, speaker) = (self.fact, self.speaker);
        self.said.vulnerabilities.iter().map(move |found| Found {
            fact,
            speaker,
            id: &found.id,
            aliases: &found.aliases,
            found_in: &found.found_in,
            severity: Severity::highest(&found.severities),
        })
    }

    /// What it was told to keep silent about, folded.
    pub(super) fn untold(&self) -> BTreeSet<String> {
        self.said.ignored.iter().map(|id| folded(id)).collect()
    }

    /// Whether what it did not find is not there: it looked at everything, and counts.
    pub(super) fn is_whole(&self) -> bool {
        self.said.is_complete && self.speaker.stands
    }
}

/// Takes a scan into the series of those that replace each other.
pub(super) fn take_scan<'a>(
    fact: &'a Fact<'a>,
    said: &'a Vulns,
    series: &mut BTreeMap<Series<'a>, Vec<Scan<'a>>>,
) {
    for speaker in &fact.speakers {
        let same = Series {
            issuer: speaker.issuer,
            scanner: &said.scanner,
            subjects: subjects(fact.subjects),
            scanned: said.scanned.as_deref(),
        };
        series.entry(same).or_default().push(Scan {
            fact,
            speaker,
            when: fact.when(speaker, Some(&said.finished)),
            said,
        });
    }
}

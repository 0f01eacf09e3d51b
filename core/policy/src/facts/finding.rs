//! What scans found: the findings of one issuer's scan, and which scans replace which.

use super::identity::subjects;
use super::latest::When;
use super::{Fact, Speaker};
use crate::rules::{Severity, Whom};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::scan::Vulns;
use assay_claims::purl::Purl;
use assay_claims::vulnerability::{folded, is_listed};
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

    /// Whether it is of a list of vulnerabilities, by any of its names.
    pub(super) fn is_listed(&self) -> bool {
        self.names().any(is_listed)
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
    fn untold(&self) -> BTreeSet<String> {
        self.said.ignored.iter().map(|id| folded(id)).collect()
    }

    /// Whether what it did not find is not there: it looked at everything, and counts.
    fn is_whole(&self) -> bool {
        self.said.is_complete && self.speaker.stands
    }
}

/// The whole scans of a series after the one that is looked at, going back.
pub(super) struct Later<'s, 'a> {
    last: Option<&'s Scan<'a>>,
    /// What all of those so far were told to keep silent about.
    untold: Option<BTreeSet<String>>,
}

/// That what a scan found was looked for again.
pub(super) struct Displaced<'s, 'a> {
    /// The last scan that did.
    pub(super) last: &'s Scan<'a>,
    untold: &'s BTreeSet<String>,
}

impl<'s, 'a> Later<'s, 'a> {
    /// Of a series in the order of its scans.
    pub(super) fn of_all(scans: &'s [Scan<'a>]) -> Self {
        Later {
            last: scans.iter().rfind(|scan| scan.is_whole()),
            untold: None,
        }
    }

    /// Those that looked for known vulnerabilities.
    pub(super) fn of_known(scans: &'s [Scan<'a>]) -> Self {
        let mut scans = scans.iter();
        Later {
            last: scans.rfind(|scan| scan.is_whole() && scan.said.looks_for_known),
            untold: None,
        }
    }

    /// Whether they take back what a scan found, which they were not told to keep silent about.
    pub(super) fn displaces<'l>(&'l self, scan: &Scan<'_>) -> Option<Displaced<'l, 'a>> {
        let (last, untold) = self.last.zip(self.untold.as_ref())?;
        let is_later = last.when.is_after(&scan.when);
        is_later.then_some(Displaced { last, untold })
    }

    /// Goes back behind a scan.
    pub(super) fn take(&mut self, scan: &Scan<'_>) {
        if !scan.is_whole() {
            return;
        }
        let mut untold = scan.untold();
        if let Some(later) = &self.untold {
            untold.retain(|id| later.contains(id));
        }
        self.untold = Some(untold);
    }
}

impl Displaced<'_, '_> {
    /// Whether a finding stays found all the same.
    pub(super) fn keeps(&self, found: &Found<'_>) -> bool {
        found.is_named(self.untold)
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

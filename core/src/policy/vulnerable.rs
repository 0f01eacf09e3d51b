//! Vulnerabilities: who found which in the component, how severe they are, and who says whether they can be exploited.
//!
//! The latest word of an issuer counts: its last scan with a scanner, and its last VEX statement of a vulnerability. Several
//! issuers are never averaged: a vulnerability is cleared if one whose word clears says so, and none of them says the
//! opposite.

use super::facts::{Fact, Facts, Speaker};
use super::known::Vulnerability;
use super::rules::Whom;
use super::severity::Severity;
use crate::issuer::IssuerId;
use crate::predicate::scan::Vulns;
use crate::predicate::vex::{Product, Status, Vex, VexStatement};
use std::collections::BTreeMap;

/// A VEX statement by one issuer.
#[derive(Debug)]
pub(super) struct Stated<'a> {
    pub(super) fact: &'a Fact<'a>,
    pub(super) speaker: &'a Speaker,
    pub(super) statement: VexStatement,
}

/// A scan's finding by one issuer.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) fact: &'a Fact<'a>,
    pub(super) speaker: &'a Speaker,
    pub(super) id: String,
    /// The highest that is stated and can be read.
    pub(super) severity: Option<Severity>,
}

/// All that is said of vulnerabilities in the component.
#[derive(Debug)]
pub(super) struct Vulnerabilities<'a> {
    stated: Vec<Stated<'a>>,
    /// The last statement of an issuer about a vulnerability, by every name that it has there.
    last: BTreeMap<(IssuerId, String), usize>,
    found: Vec<Found<'a>>,
}

impl<'a> Vulnerabilities<'a> {
    pub(super) fn of(facts: &'a Facts<'a>) -> Self {
        let mut in_order: Vec<&Fact<'_>> = facts.facts.iter().collect();
        in_order.sort_by_key(|fact| fact.order());
        let mut all = Vulnerabilities { stated: Vec::new(), last: BTreeMap::new(), found: Vec::new() };
        let mut scans: BTreeMap<(IssuerId, String), Vec<Found<'a>>> = BTreeMap::new();
        for fact in in_order {
            if let Ok(vex) = Vex::parse(fact.predicate)
                && is_vex(fact.predicate_type)
            {
                all.take_statements(facts, fact, vex);
            } else if fact.predicate_type == SCAN
                && let Ok(scan) = Vulns::parse(fact.predicate)
            {
                for speaker in &fact.speakers {
                    scans.insert((speaker.issuer, scan.scanner.clone()), findings(fact, speaker, &scan));
                }
            }
        }
        all.found = scans.into_values().flatten().collect();
        all
    }

    fn take_statements(&mut self, facts: &Facts<'_>, fact: &'a Fact<'a>, vex: Vex) {
        for statement in vex.statements.into_iter().filter(|statement| is_of(&statement.products, facts)) {
            for speaker in &fact.speakers {
                for name in std::iter::once(&statement.vulnerability).chain(&statement.aliases) {
                    self.last.insert((speaker.issuer, name.clone()), self.stated.len());
                }
                self.stated.push(Stated { fact, speaker, statement: statement.clone() });
            }
        }
    }

    /// The last statements of every issuer, one for each vulnerability.
    pub(super) fn last_statements(&self) -> impl Iterator<Item = &Stated<'a>> {
        self.stated
            .iter()
            .enumerate()
            .filter(|(i, stated)| {
                let key = (stated.speaker.issuer, stated.statement.vulnerability.clone());
                self.last.get(&key) == Some(i)
            })
            .map(|(_, stated)| stated)
    }

    /// What scans found that issuers whose word counts reported last.
    pub(super) fn found<'s>(&'s self, whom: &'s Whom) -> impl Iterator<Item = &'s Found<'a>> {
        self.found.iter().filter(|found| whom.counts(&found.speaker.roles()))
    }

    /// Everything, by identifier. A statement stands with every finding that it names, by whichever name. What is said of
    /// another artifact, or of a package of the same name, counts only against the component.
    pub(super) fn all(&self) -> Vec<Vulnerability> {
        let mut all: BTreeMap<&str, Vulnerability> = BTreeMap::new();
        let new = |id: &str| Vulnerability { id: id.to_owned(), severity: None, found: Vec::new(), stated: Vec::new() };
        for found in &self.found {
            let one = all.entry(&found.id).or_insert_with(|| new(&found.id));
            one.severity = one.severity.max(found.severity);
            one.found.push(found.fact.evidence(found.speaker));
        }
        let clears = |status| matches!(status, Status::NotAffected | Status::Fixed);
        for stated in self.last_statements().filter(|s| s.fact.is_of_this() || !clears(s.statement.status)) {
            let said = (stated.statement.clone(), stated.fact.evidence(stated.speaker));
            let named: Vec<&str> = all.keys().copied().filter(|id| stated.statement.names(id)).collect();
            let ids = if named.is_empty() { vec![stated.statement.vulnerability.as_str()] } else { named };
            for id in ids {
                all.entry(id).or_insert_with(|| new(id)).stated.push(said.clone());
            }
        }
        all.into_values().collect()
    }

    /// How severe a vulnerability is, by any of its names: the highest that is stated by issuers whose word counts or who
    /// have a role. A stranger could play it down.
    pub(super) fn severity(&self, names: &[&str], whom: &Whom) -> Option<Severity> {
        let counts = |speaker: &Speaker| !speaker.grants.is_empty() || whom.counts(&speaker.roles());
        let named = self.found.iter().filter(|found| names.contains(&found.id.as_str()) && counts(found.speaker));
        named.filter_map(|found| found.severity).max()
    }

    /// Whether a vulnerability does no harm here: somebody whose word clears says `not_affected` or `fixed`, and nobody whose
    /// word clears says `affected` or is still looking.
    pub(super) fn is_cleared(&self, id: &str, by: &Whom) -> bool {
        let mut said = self.last.iter().filter(|((_, name), _)| name == id).filter_map(|(_, i)| self.stated.get(*i));
        let mut clear = false;
        let opposed = said.any(|stated| {
            let counts = by.counts(&stated.speaker.roles()) && stated.fact.is_of_this();
            let clears = matches!(stated.statement.status, Status::NotAffected | Status::Fixed);
            clear |= counts && clears;
            counts && !clears
        });
        clear && !opposed
    }
}

/// The type of scans.
const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";

fn is_vex(predicate_type: &str) -> bool {
    crate::predicate::by_uri(predicate_type).is_some_and(|known| known.name == "vex")
}

fn findings<'a>(fact: &'a Fact<'a>, speaker: &'a Speaker, scan: &Vulns) -> Vec<Found<'a>> {
    let found = |vulnerability: &crate::predicate::scan::Vulnerability| Found {
        fact,
        speaker,
        id: vulnerability.id.clone(),
        severity: vulnerability
            .severities
            .iter()
            .filter_map(|(method, score)| Severity::of_statement(method, score))
            .max(),
    };
    scan.vulnerabilities.iter().map(found).collect()
}

/// Whether a statement's products hold the component. Products that cannot be compared leave it to the claim's subjects.
fn is_of(products: &[Product], facts: &Facts<'_>) -> bool {
    let Some(purl) = facts.component.purl() else { return true };
    let comparable = |product: &Product| product.ids.iter().any(|id| id.starts_with("pkg:"));
    let same_digest =
        |product: &Product| product.digests.iter().any(|digest| facts.component.digests().contains(digest));
    !products.iter().any(comparable) || products.iter().any(|product| product.covers(purl) || same_digest(product))
}

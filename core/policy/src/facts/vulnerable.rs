//! Vulnerabilities: who found which in the component, how severe they are, and who says whether
//! they can be exploited.
//!
//! The latest word of an issuer counts, by the time that the document states (`latest`): its latest
//! scan with a scanner of the same things, and its latest VEX statement of a vulnerability. Several
//! issuers are never averaged: a vulnerability is cleared if one whose word clears says so, and
//! none of them says the opposite.

use super::latest::{Replaced, When, Word, standing};
use super::{Evidence, Fact, Facts, Part, Speaker};
use crate::rules::{Severity, Whom};
use crate::trust::Place;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::scan::Vulns;
use assay_claims::kind::vex::{Product, Status, Vex, VexStatement};
use assay_claims::statement::Subject;
use std::collections::BTreeMap;

/// A vulnerability that somebody speaks of with regard to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vulnerability {
    /// Its identifier, as it is written.
    pub id: String,
    /// The highest severity that is stated.
    pub severity: Option<Severity>,
    /// The scans that found it: the latest of every issuer with every scanner of the same things.
    pub found: Vec<Evidence>,
    /// The latest statement of every issuer about it.
    pub stated: Vec<(VexStatement, Evidence)>,
}

/// A VEX statement by one issuer.
#[derive(Debug)]
pub(crate) struct Stated<'a> {
    pub(crate) fact: &'a Fact<'a>,
    pub(crate) speaker: &'a Speaker,
    pub(crate) statement: VexStatement,
    /// The part of its document.
    part: Part,
    matter: Matter,
}

/// Whose statements replace each other, and on what.
type Matter = (IssuerId, String);

/// A scan's finding by one issuer.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) fact: &'a Fact<'a>,
    pub(crate) speaker: &'a Speaker,
    pub(crate) id: String,
    /// The highest that is stated and can be read.
    pub(crate) severity: Option<Severity>,
}

/// All that is said of vulnerabilities in the component.
#[derive(Debug)]
pub(crate) struct Vulnerabilities<'a> {
    stated: Vec<Stated<'a>>,
    /// The statements of an issuer that stand, by what they are about and by every name that the
    /// vulnerability has there.
    last: BTreeMap<(Matter, String), Vec<usize>>,
    found: Vec<Found<'a>>,
    replaced: Replaced,
}

/// What a scan has to have in common with a later one to be replaced by it: who, with which
/// scanner, about which subjects, of which things. A scan of something else says nothing of what
/// this one found.
type Scanned = (IssuerId, String, Vec<String>, Option<String>);

/// A scan by one issuer.
struct Scan<'a> {
    fact: &'a Fact<'a>,
    speaker: &'a Speaker,
    when: When,
    found: Vec<Found<'a>>,
}

impl<'a> Vulnerabilities<'a> {
    pub(crate) fn of(facts: &'a Facts<'a>) -> Self {
        let component = facts.component;
        let is_of =
            |statement: &VexStatement| statement.is_about(component.purl(), component.digests());
        Self::by_matter(facts, |_, statement| is_of(statement).then(String::new))
    }

    /// Of facts about any components: statements replace each other if they are about the same
    /// products.
    pub(crate) fn of_any(facts: &'a Facts<'a>) -> Self {
        Self::by_matter(facts, |fact, statement| Some(products(fact, statement)))
    }

    /// `matter` says what a statement is about, and `None` if it is to be left out.
    fn by_matter(
        facts: &'a Facts<'a>,
        matter: impl Fn(&Fact<'a>, &VexStatement) -> Option<String>,
    ) -> Self {
        let mut all = Vulnerabilities {
            stated: Vec::new(),
            last: BTreeMap::new(),
            found: Vec::new(),
            replaced: Replaced::default(),
        };
        let mut words: BTreeMap<(Matter, String), Vec<Word>> = BTreeMap::new();
        let mut scans: BTreeMap<Scanned, Vec<Scan<'a>>> = BTreeMap::new();
        for fact in &facts.facts {
            if let Ok(vex) = Vex::parse(fact.predicate)
                && is_vex(fact.predicate_type)
            {
                all.take_statements(fact, vex, &matter, &mut words);
            } else if fact.predicate_type == SCAN
                && let Ok(scan) = Vulns::parse(fact.predicate)
            {
                take_scan(fact, &scan, &mut scans);
            }
        }
        all.last = words
            .into_iter()
            .map(|(key, words)| (key, standing(&words)))
            .collect();
        for (i, stated) in all.stated.iter().enumerate() {
            let standing = all
                .last
                .get(&stated.key())
                .map(Vec::as_slice)
                .unwrap_or_default();
            if let Some(by) = standing
                .first()
                .filter(|_| !standing.contains(&i))
                .and_then(|by| all.stated.get(*by))
            {
                all.replaced
                    .insert(stated.fact, stated.part, stated.speaker.issuer, by.fact);
            }
        }
        for mut scans in scans.into_values() {
            scans.sort_by_key(|scan| scan.when);
            let Some(last) = scans.pop() else { continue };
            for older in scans {
                all.replaced
                    .insert(older.fact, Part::Whole, older.speaker.issuer, last.fact);
            }
            all.found.extend(last.found);
        }
        all
    }

    fn take_statements(
        &mut self,
        fact: &'a Fact<'a>,
        vex: Vex,
        matter: &impl Fn(&Fact<'a>, &VexStatement) -> Option<String>,
        words: &mut BTreeMap<(Matter, String), Vec<Word>>,
    ) {
        for (at, statement) in vex.statements.into_iter().enumerate() {
            let Some(matter) = matter(fact, &statement) else {
                continue;
            };
            for speaker in &fact.speakers {
                let matter = (speaker.issuer, matter.clone());
                let word = Word {
                    document: vex.id.clone(),
                    version: vex.version,
                    when: fact.when(statement.timestamp.as_ref()),
                    is_of_this: fact.is_of_this(),
                    place: self.stated.len(),
                };
                for name in std::iter::once(&statement.vulnerability).chain(&statement.aliases) {
                    words
                        .entry((matter.clone(), name.clone()))
                        .or_default()
                        .push(word.clone());
                }
                self.stated.push(Stated {
                    fact,
                    speaker,
                    statement: statement.clone(),
                    part: Part::Statement(at),
                    matter,
                });
            }
        }
    }

    /// The later claim that replaced a part of a claim; `None` if one of the given issuers, for
    /// whom it has effect, stands by it.
    pub(crate) fn replaced_by<'i>(
        &self,
        place: Place,
        part: Part,
        issuers: impl Iterator<Item = &'i IssuerId>,
    ) -> Option<Place> {
        self.replaced.by(place, part, issuers)
    }

    /// The statements of every issuer that stand, for each vulnerability.
    pub(crate) fn last_statements(&self) -> impl Iterator<Item = &Stated<'a>> {
        let stands = |i: usize, stated: &Stated<'a>| {
            self.last
                .get(&stated.key())
                .is_some_and(|last| last.contains(&i))
        };
        self.stated
            .iter()
            .enumerate()
            .filter(move |(i, stated)| stands(*i, stated))
            .map(|(_, stated)| stated)
    }

    /// What scans found that issuers whose word counts reported last.
    pub(crate) fn found<'s>(&'s self, whom: &'s Whom) -> impl Iterator<Item = &'s Found<'a>> {
        self.found
            .iter()
            .filter(|found| whom.counts(&found.speaker.roles()))
    }

    /// Everything, by identifier. A statement stands with every finding that it names, by whichever
    /// name. What is said of another artifact, or of a package of the same name, counts only
    /// against the component.
    pub(crate) fn all(&self) -> Vec<Vulnerability> {
        let mut all: BTreeMap<&str, Vulnerability> = BTreeMap::new();
        let new = |id: &str| Vulnerability {
            id: id.to_owned(),
            severity: None,
            found: Vec::new(),
            stated: Vec::new(),
        };
        for found in &self.found {
            let one = all.entry(&found.id).or_insert_with(|| new(&found.id));
            one.severity = one.severity.max(found.severity);
            one.found.push(found.fact.evidence(found.speaker));
        }
        let clears = |status| matches!(status, Status::NotAffected | Status::Fixed);
        for stated in self
            .last_statements()
            .filter(|s| s.fact.is_of_this() || !clears(s.statement.status))
        {
            let said = (
                stated.statement.clone(),
                stated.fact.evidence(stated.speaker),
            );
            let named: Vec<&str> = all
                .keys()
                .copied()
                .filter(|id| stated.statement.names(id))
                .collect();
            let ids = if named.is_empty() {
                vec![stated.statement.vulnerability.as_str()]
            } else {
                named
            };
            for id in ids {
                all.entry(id)
                    .or_insert_with(|| new(id))
                    .stated
                    .push(said.clone());
            }
        }
        all.into_values().collect()
    }

    /// How severe a vulnerability is, by any of its names: the highest that is stated by issuers
    /// whose word counts or who have a role. A stranger could play it down.
    pub(crate) fn severity(&self, names: &[&str], whom: &Whom) -> Option<Severity> {
        let counts =
            |speaker: &Speaker| !speaker.grants.is_empty() || whom.counts(&speaker.roles());
        let named = self
            .found
            .iter()
            .filter(|found| names.contains(&found.id.as_str()) && counts(found.speaker));
        named.filter_map(|found| found.severity).max()
    }

    /// Whether a vulnerability does no harm here: somebody whose word clears says `not_affected` or
    /// `fixed`, and nobody whose word clears says `affected` or is still looking.
    pub(crate) fn is_cleared(&self, id: &str, by: &Whom) -> bool {
        let named = self
            .last
            .iter()
            .filter(|((_, name), _)| name == id)
            .flat_map(|(_, standing)| standing);
        let mut said = named.filter_map(|i| self.stated.get(*i));
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
    assay_claims::kind::by_uri(predicate_type).is_some_and(|known| known.name == "vex")
}

fn take_scan<'a>(fact: &'a Fact<'a>, scan: &Vulns, scans: &mut BTreeMap<Scanned, Vec<Scan<'a>>>) {
    let (when, subjects) = (fact.when(Some(&scan.finished)), subjects(fact.subjects));
    for speaker in &fact.speakers {
        let key = (
            speaker.issuer,
            scan.scanner.clone(),
            subjects.clone(),
            scan.scanned.clone(),
        );
        scans.entry(key).or_default().push(Scan {
            fact,
            speaker,
            when,
            found: findings(fact, speaker, scan),
        });
    }
}

fn findings<'a>(fact: &'a Fact<'a>, speaker: &'a Speaker, scan: &Vulns) -> Vec<Found<'a>> {
    scan.vulnerabilities
        .iter()
        .map(
            |vulnerability: &assay_claims::kind::scan::Vulnerability| Found {
                fact,
                speaker,
                id: vulnerability.id.clone(),
                severity: vulnerability
                    .severities
                    .iter()
                    .filter_map(|(method, score)| Severity::of_statement(method, score))
                    .max(),
            },
        )
        .collect()
}

impl Stated<'_> {
    fn key(&self) -> (Matter, String) {
        (self.matter.clone(), self.statement.vulnerability.clone())
    }
}

/// What a statement is about, in one value: its products, or else its claim's subjects.
fn products(fact: &Fact<'_>, statement: &VexStatement) -> String {
    let mut names: Vec<String> = statement
        .products
        .iter()
        .map(|product: &Product| format!("{} {}", product.ids.join(" "), digests(&product.digests)))
        .collect();
    if names.is_empty() {
        names = subjects(fact.subjects);
    }
    names.sort();
    names.join("\n")
}

/// What a claim is about, whatever the order and whatever its subjects are called.
fn subjects(subjects: &[Subject]) -> Vec<String> {
    let mut names: Vec<String> = subjects
        .iter()
        .map(|subject: &Subject| {
            format!(
                "{} {}",
                subject.uri().unwrap_or_default(),
                digests(subject.digests())
            )
        })
        .collect();
    names.sort();
    names
}

fn digests(digests: &[(String, String)]) -> String {
    let mut names: Vec<String> = digests
        .iter()
        .map(|(algorithm, value)| format!("{algorithm}:{value}"))
        .collect();
    names.sort();
    names.join(" ")
}

//! Vulnerabilities: who found which in the component, how severe they are, and who says whether
//! they can be exploited.
//!
//! The latest word of an issuer counts, by the time that the document states (`latest`): its latest
//! scan with a scanner of the same things, and its latest VEX statement of a vulnerability. Several
//! issuers are never averaged: a vulnerability is cleared if one whose word clears says so, and
//! none of them says the opposite.

use super::latest::{Replaced, When, Word, standing};
use super::relation::{Relation, of_statement};
use super::{Evidence, Fact, Facts, Part, Speaker};
use crate::rules::{Severity, Whom};
use crate::trust::Place;
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::kind::scan::Vulns;
use assay_claims::kind::vex::{Status, Vex, VexStatement};
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
    pub stated: Vec<Assessment>,
}

/// What an issuer says of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What is said.
    pub statement: VexStatement,
    /// The claim that says it, and by whom.
    pub evidence: Evidence,
}

/// A VEX statement by one issuer.
#[derive(Debug)]
pub(crate) struct Stated<'a> {
    pub(crate) fact: &'a Fact<'a>,
    pub(crate) speaker: &'a Speaker,
    pub(crate) statement: &'a VexStatement,
    /// How it stands to what is asked about, given its products and its claim's subjects.
    relation: Relation,
    /// The part of its document.
    part: Part,
    matter: Matter,
}

impl Stated<'_> {
    /// Whether it says that the vulnerability does no harm to the very thing, with effect. By
    /// whom, decides whether it does ([`Speaker::makes_less`]).
    fn may_clear(&self) -> bool {
        clears(self.statement.status) && self.relation == Relation::This && self.speaker.stands
    }

    /// Whether it says the opposite, and counts.
    pub(crate) fn is_against(&self) -> bool {
        !clears(self.statement.status) && self.speaker.against
    }
}

/// How a statement stands to what is asked about, and on what matter it is.
struct About {
    relation: Relation,
    matter: String,
}

/// Whose statements replace each other, and on what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Matter {
    issuer: IssuerId,
    /// What they are about, in one value.
    about: String,
}

/// A vulnerability in what an issuer speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Topic {
    matter: Matter,
    /// One of the vulnerability's names.
    name: String,
}

/// A scan's finding by one issuer.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) fact: &'a Fact<'a>,
    pub(crate) speaker: &'a Speaker,
    pub(crate) id: &'a str,
    /// The highest that is stated and can be read.
    pub(crate) severity: Option<Severity>,
}

impl Found<'_> {
    /// Whether it says how severe the vulnerability is of which `speaker` speaks, where the word of
    /// `by` makes less of it: a word about the very thing. Everybody rates what they say
    /// themselves.
    fn rates(&self, speaker: &Speaker, by: &Whom) -> bool {
        let is_own = self.speaker.issuer == speaker.issuer && self.speaker.judges();
        self.fact.is_of_this() && (is_own || self.speaker.makes_less(by))
    }
}

/// What a scan has to have in common with a later one to be replaced by it. A scan of something
/// else says nothing of what this one found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series<'a> {
    issuer: IssuerId,
    scanner: &'a str,
    /// What the claim is about.
    subjects: Vec<String>,
    /// What was scanned, if it is stated.
    scanned: Option<&'a str>,
}

/// A scan by one issuer.
#[derive(Debug)]
struct Scan<'a> {
    fact: &'a Fact<'a>,
    speaker: &'a Speaker,
    when: When,
    said: &'a Vulns,
}

/// All that is said of vulnerabilities in the component.
#[derive(Debug)]
pub(crate) struct Vulnerabilities<'a> {
    stated: Vec<Stated<'a>>,
    /// The statements of an issuer that stand, by every name that the vulnerability has there:
    /// indices of `stated`.
    last: BTreeMap<Topic, Vec<usize>>,
    found: Vec<Found<'a>>,
    replaced: Replaced,
}

impl<'a> Vulnerabilities<'a> {
    /// Of facts about one component: statements that are not about it are left out.
    pub(crate) fn of(facts: &'a Facts<'a>) -> Self {
        Self::by_matter(facts, |fact, statement| {
            let relation = of_statement(statement, facts.component)?;
            Some(About {
                relation: relation.max(fact.relation),
                matter: String::new(),
            })
        })
    }

    /// Of facts about any components: statements replace each other if they are about the same
    /// products.
    pub(crate) fn of_any(facts: &'a Facts<'a>) -> Self {
        Self::by_matter(facts, |fact, statement| {
            Some(About {
                relation: Relation::This,
                matter: products(fact, statement),
            })
        })
    }

    /// `about` says what a statement is about, and `None` if it is to be left out.
    fn by_matter(
        facts: &'a Facts<'a>,
        about: impl Fn(&Fact<'a>, &VexStatement) -> Option<About>,
    ) -> Self {
        let mut words: BTreeMap<Topic, Vec<Word>> = BTreeMap::new();
        let mut series: BTreeMap<Series<'a>, Vec<Scan<'a>>> = BTreeMap::new();
        let mut all = Vulnerabilities {
            stated: Vec::new(),
            last: BTreeMap::new(),
            found: Vec::new(),
            replaced: Replaced::default(),
        };
        for fact in &facts.facts {
            match fact.body {
                Body::Vex(vex) => all.take_statements(fact, vex, &about, &mut words),
                Body::Scan(scan) => take_scan(fact, scan, &mut series),
                _ => {}
            }
        }
        for (topic, words) in words {
            all.last.insert(topic, standing(&words));
        }
        all.replace_statements();
        for scans in series.into_values() {
            all.take_series(scans);
        }
        all
    }

    fn take_statements(
        &mut self,
        fact: &'a Fact<'a>,
        vex: &'a Vex,
        about: &impl Fn(&Fact<'a>, &VexStatement) -> Option<About>,
        words: &mut BTreeMap<Topic, Vec<Word>>,
    ) {
        for (at, statement) in vex.statements.iter().enumerate() {
            let Some(about) = about(fact, statement) else {
                continue;
            };
            for speaker in &fact.speakers {
                let matter = Matter {
                    issuer: speaker.issuer,
                    about: about.matter.clone(),
                };
                let word = Word {
                    document: vex.id.clone(),
                    version: vex.version,
                    when: fact.when(speaker, statement.timestamp.as_ref()),
                    about: products(fact, statement),
                    is_of_this: about.relation == Relation::This,
                    stands: speaker.stands,
                    against: !clears(statement.status) && speaker.against,
                    place: self.stated.len(),
                };
                for name in std::iter::once(&statement.vulnerability).chain(&statement.aliases) {
                    let topic = Topic {
                        matter: matter.clone(),
                        name: name.clone(),
                    };
                    words.entry(topic).or_default().push(word.clone());
                }
                self.stated.push(Stated {
                    fact,
                    speaker,
                    statement,
                    relation: about.relation,
                    part: Part::Statement(at),
                    matter,
                });
            }
        }
    }

    /// Notes the statements that do not stand, each with the first that does.
    fn replace_statements(&mut self) {
        for (at, stated) in self.stated.iter().enumerate() {
            let standing = self.last_on(stated);
            if standing.contains(&at) {
                continue;
            }
            if let Some(by) = standing.first().and_then(|by| self.stated.get(*by)) {
                let issuer = stated.speaker.issuer;
                self.replaced
                    .insert(stated.fact, stated.part, issuer, by.fact);
            }
        }
    }

    /// Takes the scans that replace each other: of these the last that is sound counts, and what
    /// was found since.
    fn take_series(&mut self, mut scans: Vec<Scan<'a>>) {
        scans.sort_by(|a, b| a.when.cmp(&b.when));
        let last = scans.iter().rfind(|scan| scan.speaker.stands);
        for scan in &scans {
            match last {
                Some(last) if last.when.is_after(&scan.when) => {
                    let issuer = scan.speaker.issuer;
                    self.replaced
                        .insert(scan.fact, Part::Whole, issuer, last.fact);
                }
                _ if scan.speaker.against => self.found.extend(scan.findings()),
                _ => {}
            }
        }
    }

    /// The statements that stand of what a statement is about, by the same issuer.
    fn last_on(&self, stated: &Stated<'_>) -> &[usize] {
        let topic = Topic {
            matter: stated.matter.clone(),
            name: stated.statement.vulnerability.clone(),
        };
        self.last.get(&topic).map(Vec::as_slice).unwrap_or_default()
    }

    /// The later claim that replaced a part of a claim; `None` if one of the given issuers, for
    /// whom it has effect, stands by it.
    pub(crate) fn replaced_by<'i>(
        &self,
        claim: ClaimId,
        part: Part,
        issuers: impl Iterator<Item = &'i IssuerId>,
    ) -> Option<Place> {
        self.replaced.by(claim, part, issuers)
    }

    /// The statements of every issuer that stand, for each vulnerability.
    pub(crate) fn last_statements(&self) -> impl Iterator<Item = &Stated<'a>> {
        let numbered = self.stated.iter().enumerate();
        numbered
            .filter(|(at, stated)| self.last_on(stated).contains(at))
            .map(|(_, stated)| stated)
    }

    /// What scans found that issuers whose word counts reported last.
    pub(crate) fn found<'s>(&'s self, whom: &'s Whom) -> impl Iterator<Item = &'s Found<'a>> {
        self.found
            .iter()
            .filter(|found| found.speaker.counts_against(whom))
    }

    /// Everything, by identifier. A statement stands with every finding that it names, by whichever
    /// name. What is said of another artifact, or of a package of the same name, counts only
    /// against the component.
    pub(crate) fn all(&self) -> Vec<Vulnerability> {
        let mut all: BTreeMap<&str, Vulnerability> = BTreeMap::new();
        for found in &self.found {
            let one = all
                .entry(found.id)
                .or_insert_with(|| Vulnerability::new(found.id));
            one.severity = one.severity.max(found.severity);
            one.found.push(found.fact.evidence(found.speaker));
        }
        for stated in self.last_statements() {
            if clears(stated.statement.status) && !stated.may_clear() {
                continue;
            }
            let mut ids: Vec<&str> = all.keys().copied().collect();
            ids.retain(|id| stated.statement.names(id));
            if ids.is_empty() {
                ids.push(&stated.statement.vulnerability);
            }
            for id in ids {
                let one = all.entry(id).or_insert_with(|| Vulnerability::new(id));
                one.stated.push(Assessment {
                    statement: stated.statement.clone(),
                    evidence: stated.fact.evidence(stated.speaker),
                });
            }
        }
        all.into_values().collect()
    }

    /// How severe a vulnerability is of which `speaker` speaks, by any of its names: the highest
    /// that is stated by issuers with any role. That it is not severe speaks for the component. So
    /// it needs a sound word by those whose word makes less of it, and without one the severity is
    /// unknown.
    pub(crate) fn severity(
        &self,
        names: &[&str],
        speaker: &Speaker,
        by: &Whom,
    ) -> Option<Severity> {
        let (mut sound, mut highest) = (None, None);
        for found in self.found.iter().filter(|found| names.contains(&found.id)) {
            if found.rates(speaker, by) {
                sound = sound.max(found.severity);
            }
            if found.speaker.counts_against(&Whom::Anyone) {
                highest = highest.max(found.severity);
            }
        }
        sound.and(highest)
    }

    /// Whether a vulnerability does no harm here: somebody whose word clears says `not_affected` or
    /// `fixed` of the very thing, and nobody whose word clears says `affected` or is still looking,
    /// of whatever it may be.
    pub(crate) fn is_cleared(&self, id: &str, by: &Whom) -> bool {
        let mut cleared = false;
        for (topic, standing) in &self.last {
            if topic.name != id {
                continue;
            }
            for stated in standing.iter().filter_map(|at| self.stated.get(*at)) {
                if stated.is_against() && stated.speaker.counts_against(by) {
                    return false;
                }
                cleared |= stated.may_clear() && stated.speaker.makes_less(by);
            }
        }
        cleared
    }
}

impl Vulnerability {
    fn new(id: &str) -> Self {
        Vulnerability {
            id: id.to_owned(),
            severity: None,
            found: Vec::new(),
            stated: Vec::new(),
        }
    }
}

impl<'a> Scan<'a> {
    fn findings(&self) -> impl Iterator<Item = Found<'a>> {
        let (fact, speaker) = (self.fact, self.speaker);
        self.said.vulnerabilities.iter().map(move |found| Found {
            fact,
            speaker,
            id: &found.id,
            severity: Severity::highest(&found.severities),
        })
    }
}

fn clears(status: Status) -> bool {
    match status {
        Status::NotAffected | Status::Fixed => true,
        Status::Affected | Status::UnderInvestigation => false,
    }
}

fn take_scan<'a>(
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

/// What a statement is about, in one value: its products, or else its claim's subjects.
fn products(fact: &Fact<'_>, statement: &VexStatement) -> String {
    let mut names: Vec<String> = Vec::new();
    for product in &statement.products {
        let ids = product.ids.join(" ");
        names.push(format!("{ids} {}", digests(&product.digests)));
    }
    if names.is_empty() {
        names = subjects(fact.subjects);
    }
    names.sort();
    names.join("\n")
}

/// What a claim is about, whatever the order and whatever its subjects are called.
fn subjects(subjects: &[Subject]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for subject in subjects {
        let uri = subject.uri().unwrap_or_default();
        names.push(format!("{uri} {}", digests(subject.digests())));
    }
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

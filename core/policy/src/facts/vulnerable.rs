//! Vulnerabilities: who found which in the component, how severe they are, and who says whether
//! they can be exploited.
//!
//! The latest word of an issuer counts, by the time that the document states (`latest`): its latest
//! scan with a scanner of the same things, and its latest VEX statement of a vulnerability. Several
//! issuers are never averaged: a vulnerability is cleared if one whose word clears says so, and
//! none of them says the opposite.

use super::finding::{Found, Scan, Series, take_scan};
use super::identity::products;
use super::latest::{Editions, Replaced, Word, standing};
use super::relation::{
    Relation, Within, has_part, is_of_product, of_statement, of_statement_within,
};
use super::{Evidence, Fact, Facts, Part, Speaker};
use crate::component::Component;
use crate::rules::{Severity, Whom};
use crate::trust::Place;
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::kind::vex::{Status, Vex, VexStatement};
use assay_claims::purl::Purl;
use assay_claims::vulnerability::folded;
use std::collections::{BTreeMap, BTreeSet};

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
    pub(super) relation: Relation,
    /// Whether it is about the product as a whole that the component is a part of. Then it clears
    /// the part, and against it says only that nobody clears it.
    pub(super) of_whole: bool,
    /// The part of its document.
    pub(super) part: Part,
    matter: Matter,
}

impl Stated<'_> {
    /// Whether it says that the vulnerability does no harm to the very thing, with effect. By
    /// whom, decides whether it does ([`Speaker::makes_less`]).
    pub(super) fn may_clear(&self) -> bool {
        clears(self.statement.status) && self.relation == Relation::This && self.speaker.stands
    }

    /// Whether it says the opposite, and counts.
    pub(super) fn is_against(&self) -> bool {
        !clears(self.statement.status) && self.speaker.against
    }

    /// Whether it says that the component can be harmed, by one of these.
    pub(crate) fn is_affected(&self, from: &Whom) -> bool {
        let affected = self.statement.status == Status::Affected && !self.of_whole;
        affected && self.is_against() && self.speaker.counts_against(from)
    }

    /// Whether it says of a package that it does no harm as a part of what is asked about.
    fn may_clear_part(&self, part: &Purl, component: &Component) -> bool {
        let sound = clears(self.statement.status) && self.speaker.stands;
        let mut products = self.statement.products.iter();
        sound
            && self.fact.relation == Relation::This
            && products.any(|one| is_of_product(one, component) && has_part(one, part))
    }
}

/// How a statement stands to what is asked about, and on what matter it is.
struct About {
    relation: Relation,
    of_whole: bool,
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
    /// One of the vulnerability's names, folded.
    name: String,
}

/// All that is said of vulnerabilities in the component.
#[derive(Debug)]
pub(crate) struct Vulnerabilities<'a> {
    stated: Vec<Stated<'a>>,
    /// The statements of an issuer that stand, by every name that the vulnerability has there:
    /// indices of `stated`.
    last: BTreeMap<Topic, Vec<usize>>,
    /// The statements that stand, of all issuers, by every name that the vulnerability has there.
    standing: BTreeMap<String, Vec<usize>>,
    component: &'a Component,
    found: Vec<Found<'a>>,
    replaced: Replaced,
}

impl<'a> Vulnerabilities<'a> {
    /// Of facts about one component: statements that are not about it are left out.
    pub(crate) fn of(facts: &'a Facts<'a>) -> Self {
        Self::by_matter(facts, |fact, statement| {
            let (relation, of_whole) = if fact.of_product {
                match of_statement_within(statement, facts.component)? {
                    Within::Part(relation) => (relation, false),
                    Within::Whole(relation) => (relation, true),
                }
            } else {
                (of_statement(statement, facts.component)?, false)
            };
            Some(About {
                relation: relation.max(fact.relation),
                of_whole,
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
                of_whole: false,
                matter: products(fact.subjects, statement),
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
            standing: BTreeMap::new(),
            component: facts.component,
            found: Vec::new(),
            replaced: Replaced::default(),
        };
        let mut editions = Editions::default();
        for (at, fact) in facts.facts.iter().enumerate() {
            if let Body::Vex(vex) = fact.body {
                let sound = fact.speakers.iter().filter(|speaker| speaker.stands);
                sound.for_each(|one| editions.take(one.issuer, &vex.id, vex.version, at));
            }
        }
        for fact in &facts.facts {
            match fact.body {
                Body::Vex(vex) => all.take_statements(fact, vex, &about, &mut words),
                Body::Scan(scan) if !fact.of_product => take_scan(fact, scan, &mut series),
                _ => {}
            }
        }
        for (topic, mut words) in words {
            let issuer = topic.matter.issuer;
            words.retain(|word| {
                word.against
                    || editions
                        .newer(issuer, &word.document, word.version)
                        .is_none()
            });
            let standing = standing(&words);
            let by_name = all.standing.entry(topic.name.clone()).or_default();
            by_name.extend(&standing);
            all.last.insert(topic, standing);
        }
        all.replace_statements(&editions, &facts.facts);
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
                    about: products(fact.subjects, statement),
                    is_of_this: about.relation == Relation::This && !about.of_whole,
                    stands: speaker.stands,
                    against: !clears(statement.status) && speaker.against,
                    place: self.stated.len(),
                };
                for name in names(statement) {
                    let topic = Topic {
                        matter: matter.clone(),
                        name,
                    };
                    words.entry(topic).or_default().push(word.clone());
                }
                self.stated.push(Stated {
                    fact,
                    speaker,
                    statement,
                    relation: about.relation,
                    of_whole: about.of_whole,
                    part: Part::Statement(at),
                    matter,
                });
            }
        }
    }

    /// Notes the statements that do not stand, each with the first that does, or with the newest
    /// version of its document.
    fn replace_statements(&mut self, editions: &Editions<'a>, facts: &'a [Fact<'a>]) {
        for (at, stated) in self.stated.iter().enumerate() {
            let standing = self.last_on(stated);
            if standing.contains(&at) {
                continue;
            }
            let issuer = stated.speaker.issuer;
            let by = standing.first().and_then(|by| self.stated.get(*by));
            let by = by.map(|by| by.fact).or_else(|| match stated.fact.body {
                Body::Vex(vex) => facts.get(editions.newer(issuer, &vex.id, vex.version)?),
                _ => None,
            });
            if let Some(by) = by {
                self.replaced.insert(stated.fact, stated.part, issuer, by);
            }
        }
    }

    /// Takes the scans that replace each other: of these the last that is sound counts, and what
    /// was found since.
    fn take_series(&mut self, mut scans: Vec<Scan<'a>>) {
        scans.sort_by(|a, b| a.when.cmp(&b.when));
        let mut whole = scans.iter().filter(|scan| scan.said.is_complete);
        let last = whole.rfind(|scan| scan.speaker.stands);
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
            name: folded(&stated.statement.vulnerability),
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

    /// Whether a later word took the place of a statement of a document, by everybody for whom it
    /// counts.
    pub(crate) fn is_replaced(&self, fact: &Fact<'_>, at: usize) -> bool {
        let speakers = fact.speakers.iter();
        let counting = speakers.filter(|speaker| speaker.counts_for(&Whom::Anyone));
        let issuers = counting.map(|speaker| &speaker.issuer);
        let by = self.replaced_by(fact.claim, Part::Statement(at), issuers);
        by.is_some()
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
    /// name either has. What is said of another artifact, or of a package of the same name, counts
    /// only against the component.
    pub(crate) fn all(&self) -> Vec<Vulnerability> {
        let mut all: BTreeMap<&str, Vulnerability> = BTreeMap::new();
        let mut by_name: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for found in &self.found {
            let one = all
                .entry(found.id)
                .or_insert_with(|| Vulnerability::new(found.id));
            one.severity = one.severity.max(found.severity);
            one.found.push(found.fact.evidence(found.speaker));
            for name in found.names() {
                by_name.entry(folded(name)).or_default().insert(found.id);
            }
        }
        for stated in self.last_statements() {
            let idle = if clears(stated.statement.status) {
                !stated.may_clear()
            } else {
                stated.of_whole
            };
            let named = names(stated.statement).filter_map(|name| by_name.get(&name));
            let mut ids: BTreeSet<&str> = named.flatten().copied().collect();
            if idle || (stated.of_whole && ids.is_empty()) {
                continue;
            }
            if ids.is_empty() {
                ids.insert(&stated.statement.vulnerability);
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
    pub(crate) fn severity<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        speaker: &Speaker,
        by: &Whom,
    ) -> Option<Severity> {
        let names: BTreeSet<String> = names.map(folded).collect();
        let (mut sound, mut highest) = (None, None);
        for found in self.found.iter().filter(|found| found.is_named(&names)) {
            if found.rates(speaker, by) {
                sound = sound.max(found.severity);
            }
            if found.speaker.counts_against(&Whom::Anyone) {
                highest = highest.max(found.severity);
            }
        }
        sound.and(highest)
    }

    /// Whether what was found does no harm here: somebody whose word clears says `not_affected` or
    /// `fixed` of the very thing, or of every part of it in which it was found; and nobody whose
    /// word clears says `affected` or is still looking, of whatever it may be.
    ///
    /// It may be said under another name that the scanner knows. One advisory can be about several
    /// vulnerabilities of another list, so that all its names there have to be cleared.
    pub(crate) fn is_cleared(&self, found: &Found<'_>, by: &Whom) -> bool {
        let mut said = found.names().flat_map(|name| self.standing(name));
        if said.any(|stated| stated.is_against() && stated.speaker.counts_against(by)) {
            return false;
        }
        if self.is_cleared_by_name(found.id, found, by) {
            return true;
        }
        let mut lists: BTreeMap<String, bool> = BTreeMap::new();
        for alias in found.aliases {
            let name = folded(alias);
            let list = name.split_once('-').map_or(&*name, |(list, _)| list);
            let cleared = self.is_cleared_by_name(alias, found, by);
            *lists.entry(list.to_owned()).or_insert(true) &= cleared;
        }
        lists.into_values().any(|cleared| cleared)
    }

    /// The statements that stand of a vulnerability by one of its names.
    fn standing(&self, name: &str) -> impl Iterator<Item = &Stated<'a>> {
        let places = self.standing.get(&folded(name)).into_iter().flatten();
        places.filter_map(|at| self.stated.get(*at))
    }

    fn is_cleared_by_name(&self, name: &str, found: &Found<'_>, by: &Whom) -> bool {
        let mut said = self.standing(name);
        if said.any(|stated| stated.speaker.makes_less(by) && stated.may_clear()) {
            return true;
        }
        let is_of_this = found.fact.is_of_this() && !found.found_in.is_empty();
        let mut parts = found.found_in.iter();
        is_of_this && parts.all(|part| self.is_part_cleared(name, part, by))
    }

    /// Whether a package does no harm as a part of the component.
    fn is_part_cleared(&self, name: &str, part: &Purl, by: &Whom) -> bool {
        let mut said = self.standing(name);
        said.any(|stated| {
            stated.speaker.makes_less(by) && stated.may_clear_part(part, self.component)
        })
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

/// The names of the vulnerability that a statement is about, folded.
pub(super) fn names(statement: &VexStatement) -> impl Iterator<Item = String> {
    let names = std::iter::once(&statement.vulnerability).chain(&statement.aliases);
    names.map(|name| folded(name))
}

/// Whether a statement says only that somebody still looks.
pub(super) fn is_open(statement: &VexStatement) -> bool {
    statement.status == Status::UnderInvestigation
}

pub(super) fn clears(status: Status) -> bool {
    match status {
        Status::NotAffected | Status::Fixed => true,
        Status::Affected | Status::UnderInvestigation => false,
    }
}

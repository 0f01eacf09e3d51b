//! Vulnerabilities: who found which in the component, how severe they are, and who says whether
//! they can be exploited.
//!
//! The latest word of an issuer counts, by the time that the document states (`latest`): its latest
//! scan with a scanner of the same things, and its latest VEX statement of a vulnerability. Several
//! issuers are never averaged: a vulnerability is cleared if one whose word clears says so, and
//! none of them says the opposite.

use super::artifact::artifacts;
use super::finding::{Found, Later, Scan, Series, take_scan};
use super::identity::products;
use super::in_bom::is_by_bom_alone;
use super::latest::{Editions, Replaced, Word, standing};
use super::relation::{Relation, Within, of_statement, of_statement_within};
use super::stated::{Matter, Stated, lists, names};
use super::{Evidence, Fact, Facts, Part, Speaker};
use crate::component::Component;
use crate::rules::{Severity, Whom};
use crate::trust::Place;
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::kind::vex::{Vex, VexStatement};
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

/// How a statement stands to what is asked about, and on what matter it is.
struct About {
    relation: Relation,
    of_whole: bool,
    matter: String,
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
            // What else is in a BOM is not spoken of by what cannot be compared with it.
            if relation == Relation::Unnamed && is_by_bom_alone(fact.subjects, facts.component) {
                return None;
            }
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
        let of_facts;
        let editions = match facts.heard {
            Some(heard) => heard,
            None => {
                of_facts = facts.editions();
                &of_facts
            }
        };
        for fact in &facts.facts {
            match fact.body {
                Body::Vex(vex) => all.take_statements(fact, vex, &about, &mut words),
                Body::Scan(scan) if !fact.of_product => take_scan(fact, scan, &mut series),
                _ => {}
            }
        }
        let mut against: BTreeSet<usize> = BTreeSet::new();
        for (topic, mut words) in words {
            let of_words = words.iter().filter(|word| word.against);
            against.extend(of_words.map(|word| word.place));
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
        all.take_back(&against);
        all.replace_statements(editions);
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
                    against: !statement.status.clears() && speaker.against,
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

    /// Takes what is said against something out of what stands where it does not stand under every
    /// name of one list: the issuer took it back by those. One of several is not enough.
    fn take_back(&mut self, against: &BTreeSet<usize>) {
        let mut taken: Vec<usize> = Vec::new();
        for at in against {
            let Some(stated) = self.stated.get(*at) else {
                continue;
            };
            let mut lists = lists(names(stated.statement));
            let is_taken = lists.any(|list| {
                let mut names = list.iter();
                names.all(|name| !self.standing_on(stated, name).contains(at))
            });
            if is_taken {
                taken.push(*at);
            }
        }
        let all = self.last.values_mut().chain(self.standing.values_mut());
        all.for_each(|places| places.retain(|at| taken.binary_search(at).is_err()));
    }

    /// Notes the statements that do not stand, each with the first that does, or with the newest
    /// version of its document.
    fn replace_statements(&mut self, editions: &Editions<'_>) {
        for (at, stated) in self.stated.iter().enumerate() {
            if self.last_on(stated).contains(&at) {
                continue;
            }
            let issuer = stated.speaker.issuer;
            let mut names = names(stated.statement);
            let by = names.find_map(|name| self.standing_on(stated, &name).first());
            let by = by.and_then(|by| self.stated.get(*by));
            let by = by
                .map(|by| by.fact.place())
                .or_else(|| match stated.fact.body {
                    Body::Vex(vex) => editions.newer(issuer, &vex.id, vex.version).cloned(),
                    _ => None,
                });
            if let Some(by) = by {
                self.replaced.insert(stated.fact, stated.part, issuer, by);
            }
        }
    }

    /// Takes the scans that replace each other: of these the last that is sound counts, what was
    /// found since, and what was found before and all later ones were told to keep silent about.
    /// Those that did not look for known vulnerabilities take none back.
    fn take_series(&mut self, mut scans: Vec<Scan<'a>>) {
        scans.sort_by(|a, b| a.when.cmp(&b.when));
        let (mut all, mut of_known) = (Later::of_all(&scans), Later::of_known(&scans));
        let mut counting = Vec::new();
        for scan in scans.iter().rev() {
            let mut found: Vec<Found<'a>> = scan.findings().collect();
            found.retain(|one| {
                let later = if one.is_listed() { &of_known } else { &all };
                later.displaces(scan).is_none_or(|by| by.keeps(one))
            });
            let later = if scan.said.looks_for_known {
                &of_known
            } else {
                &all
            };
            if let Some(by) = later.displaces(scan)
                && (found.is_empty() || !scan.speaker.against)
            {
                let issuer = scan.speaker.issuer;
                self.replaced
                    .insert(scan.fact, Part::Whole, issuer, by.last.fact.place());
            }
            if scan.speaker.against {
                counting.push(found);
            }
            all.take(scan);
            if scan.said.looks_for_known {
                of_known.take(scan);
            }
        }
        self.found.extend(counting.into_iter().rev().flatten());
    }

    /// The statements that stand of what a statement is about, by the same issuer.
    fn last_on(&self, stated: &Stated<'_>) -> &[usize] {
        self.standing_on(stated, &folded(&stated.statement.vulnerability))
    }

    /// The same, by this name.
    fn standing_on(&self, stated: &Stated<'_>, name: &str) -> &[usize] {
        let topic = Topic {
            matter: stated.matter.clone(),
            name: name.to_owned(),
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

    /// The statements that stand by which the component can be harmed, said by one of these.
    pub(crate) fn affected<'s>(&'s self, from: &'s Whom) -> impl Iterator<Item = &'s Stated<'a>> {
        self.last_statements().filter(|stated| {
            let said = names(stated.statement).flat_map(|name| self.standing(&name));
            stated.is_affected(from) && !stated.is_kept_apart(said)
        })
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
            let idle = if stated.statement.status.clears() {
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
                if !stated.of_whole {
                    one.severity = one.severity.max(stated.severity());
                }
                one.stated.push(Assessment {
                    statement: stated.statement.clone(),
                    evidence: stated.fact.evidence(stated.speaker),
                });
            }
        }
        all.into_values().collect()
    }

    /// How severe a vulnerability is of which `speaker` speaks, by any of its names: the highest
    /// that is stated by issuers with any role, or by what is said (`own`). That it is not severe
    /// speaks for the component. So it needs a sound word by those whose word makes less of it, and
    /// without one the severity is unknown.
    pub(crate) fn severity<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        (speaker, own): (&Speaker, Option<Severity>),
        by: &Whom,
    ) -> Option<Severity> {
        let names: BTreeSet<String> = names.map(folded).collect();
        let (mut sound, mut highest) = (own.filter(|_| speaker.judges()), own);
        for stated in names.iter().flat_map(|name| self.standing(name)) {
            if stated.rates(speaker, by) {
                sound = sound.max(stated.severity());
            }
            if !stated.of_whole && stated.speaker.counts_against(&Whom::Anyone) {
                highest = highest.max(stated.severity());
            }
        }
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
        let said = || found.names().flat_map(|name| self.standing(name));
        if said().any(|stated| {
            stated.is_against()
                && stated.speaker.counts_against(by)
                && !stated.is_kept_apart(said())
        }) {
            return false;
        }
        if self.is_cleared_by_name(found.id, found, by) {
            return true;
        }
        let aliases = found.aliases.iter().map(|alias| folded(alias));
        lists(aliases).any(|list| {
            let mut names = list.iter();
            names.all(|name| self.is_cleared_by_name(name, found, by))
        })
    }

    /// The statements that stand of a vulnerability by one of its names.
    fn standing<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s Stated<'a>> + use<'s, 'a> {
        let places = self.standing.get(&folded(name)).map(Vec::as_slice);
        let places = places.unwrap_or_default().iter();
        places.filter_map(|at| self.stated.get(*at))
    }

    fn is_cleared_by_name(&self, name: &str, found: &Found<'_>, by: &Whom) -> bool {
        let mut said = self.standing(name);
        if said.any(|stated| stated.speaker.makes_less(by) && stated.may_clear()) {
            return true;
        }
        let artifacts = artifacts(self.component);
        let mut each = artifacts.iter();
        let is_each = !artifacts.is_empty() && each.all(|one| self.is_one_cleared(name, one, by));
        if is_each {
            return true;
        }
        let is_of_this = found.fact.is_of_this() && !found.found_in.is_empty();
        let mut parts = found.found_in.iter();
        is_of_this && parts.all(|part| self.is_part_cleared(name, part, by))
    }

    /// Whether it does no harm in one of the artifacts that the component may be.
    fn is_one_cleared(&self, name: &str, one: &Component, by: &Whom) -> bool {
        let mut said = self.standing(name);
        said.any(|stated| stated.speaker.makes_less(by) && stated.may_clear_artifact(one))
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

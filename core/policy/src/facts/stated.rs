//! Statements of VEX documents, each by an issuer, and what they say of what is asked about.

use super::relation::{Relation, has_part, is_of_product, of_statement, relation_of};
use super::{Fact, Part, Speaker};
use crate::component::Component;
use crate::rules::{Severity, Whom};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::vex::{Status, VexStatement};
use assay_claims::purl::Purl;
use assay_claims::vulnerability::folded;
use std::collections::BTreeMap;

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
    pub(super) matter: Matter,
}

impl Stated<'_> {
    /// Whether it says that the vulnerability does no harm to the very thing, with effect. By
    /// whom, decides whether it does ([`Speaker::makes_less`]).
    pub(super) fn may_clear(&self) -> bool {
        self.statement.status.clears() && self.relation == Relation::This && self.speaker.stands
    }

    /// Whether it says the opposite, and counts.
    pub(super) fn is_against(&self) -> bool {
        !self.statement.status.clears() && self.speaker.against
    }

    /// Whether it says that the component can be harmed, by one of these.
    pub(super) fn is_affected(&self, from: &Whom) -> bool {
        let affected = self.statement.status == Status::Affected && !self.of_whole;
        affected && self.is_against() && self.speaker.counts_against(from)
    }

    /// Whether it may be of another use of the component, and whoever says it says of the very
    /// thing that it does no harm: who says both keeps the two apart.
    pub(super) fn is_kept_apart<'s, 'b: 's>(
        &self,
        mut said: impl Iterator<Item = &'s Stated<'b>>,
    ) -> bool {
        self.relation == Relation::OtherProduct
            && said.any(|one| one.speaker.issuer == self.speaker.issuer && one.may_clear())
    }

    /// The highest severity that it states and that can be read.
    pub(crate) fn severity(&self) -> Option<Severity> {
        Severity::highest(&self.statement.severities)
    }

    /// Whether it says how severe the vulnerability is of which `speaker` speaks, where the word of
    /// `by` makes less of it: a word about the very thing. Everybody rates what they say
    /// themselves.
    pub(super) fn rates(&self, speaker: &Speaker, by: &Whom) -> bool {
        let is_own = self.speaker.issuer == speaker.issuer && self.speaker.judges();
        let is_of_this = self.relation == Relation::This && !self.of_whole;
        is_of_this && (is_own || self.speaker.makes_less(by))
    }

    /// Whether it says so of one of the artifacts that the component may be.
    pub(super) fn may_clear_artifact(&self, one: &Component) -> bool {
        let relation = || {
            let of_claim = relation_of(self.fact.subjects, self.fact.body, one)?;
            Some(of_claim.max(of_statement(self.statement, one)?))
        };
        let sound = self.statement.status.clears() && self.speaker.stands;
        sound && !self.fact.of_product && relation() == Some(Relation::This)
    }

    /// Whether it says of a package that it does no harm as a part of what is asked about.
    pub(super) fn may_clear_part(&self, part: &Purl, component: &Component) -> bool {
        let sound = self.statement.status.clears() && self.speaker.stands;
        let mut products = self.statement.products.iter();
        sound
            && self.fact.relation == Relation::This
            && products.any(|one| is_of_product(one, component) && has_part(one, part))
    }
}

/// Whose statements replace each other, and on what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Matter {
    pub(super) issuer: IssuerId,
    /// What they are about, in one value.
    pub(super) about: String,
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

/// The names of the vulnerability that a statement is about, folded, each list of vulnerabilities
/// by itself: what stands before the first hyphen.
pub(super) fn lists(names: impl Iterator<Item = String>) -> impl Iterator<Item = Vec<String>> {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        let list = name.split_once('-').map_or(&*name, |(list, _)| list);
        lists.entry(list.to_owned()).or_default().push(name);
    }
    lists.into_values()
}

//! What is known, judged once for any number of components: the claims, what each is worth, and
//! which of them bear on what.

use super::Verdict;
use super::decide::{decide, is_spoken_of};
use super::logs::LogAnswer;
use super::parts::Parts;
use super::reason::Bound;
use super::sides::SidesOf;
use super::unheard::{Overlong, Unheard};
use crate::component::Component;
use crate::facts::{
    Agreed, Editions, Fact, Facts, Idle, Relation, Sides, Speaker, Supported, Vulnerabilities,
    Vulnerability, agreed, relation, supported,
};
use crate::rules::{Policy, Sought, Whom};
use crate::trust::{Anchor, JudgedClaim, Limit, Role, Silenced, Trust};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Claims that were judged by each other, found by what they are about.
#[derive(Debug)]
pub struct Known<'a> {
    policy: &'a Policy,
    anchors: Vec<Anchor>,
    trust: Trust<'a>,
    sides: SidesOf,
    /// Places in [`Trust::claims`], by the package that a subject is, or is a version of, as
    /// packages are compared.
    by_package: BTreeMap<String, Vec<usize>>,
    /// As above, by algorithm and digest of a subject.
    by_digest: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// As above, by the parts of products that VEX documents speak of.
    parts: Parts<'a>,
    /// The newest versions of all VEX documents.
    editions: Editions<'a>,
    /// What was left out of the search for whose word counts.
    limits: Vec<Limit>,
    /// What of those whose word counts was not heard.
    unheard: Unheard,
    now_ms: u64,
    /// The same claims judged as if the policy ignored neither claims nor issuers, if it does: to
    /// say what that changes.
    unsilenced: Option<Box<Known<'a>>>,
}

/// Whose word clears where the policy does not say it.
const CLEARING: [Role; 4] = [
    Role::Maintainer,
    Role::Supplier,
    Role::Coordinator,
    Role::Auditor,
];

/// Most claims of one issuer about one package that are heard. Whoever says more says nothing.
pub const CLAIMS_ABOUT_ONE: usize = 10_000;

/// Decides whether a policy is met by what is known of a component.
///
/// `claims` are those that the answers held: about the component, about those claims, and about
/// every issuer among the signers (see [`Trust::judge`]); `now_ms` is
/// the time, in milliseconds since 1970. It guarantees that the outcome is never `Fine` or `Warn`
/// if a log that must answer did not, or did with an answer that is not complete or is older than
/// the policy allows; and that claims without effect change nothing. For many components, [`Known`]
/// judges the claims once.
pub fn evaluate(
    policy: &Policy,
    component: &Component,
    answers: &[LogAnswer],
    claims: &[LoggedClaim],
    now_ms: u64,
) -> Verdict {
    Known::judge(policy, claims, now_ms).verdict(component, answers)
}

impl<'a> Known<'a> {
    /// Judges claims under a policy, at a time in milliseconds since 1970. What stands in logs that
    /// the policy does not count is left out. Which claims must be among them: see
    /// [`Trust::judge`].
    pub fn judge(
        policy: &'a Policy,
        claims: impl IntoIterator<Item = &'a LoggedClaim>,
        now_ms: u64,
    ) -> Self {
        let claims = claims.into_iter();
        let counted = claims.filter(|logged| policy.counts(logged.origin()));
        let silenced = policy.silenced(now_ms);
        if silenced.claims.is_empty() && silenced.issuers.is_empty() {
            return Self::judge_without(policy, counted, &silenced, now_ms);
        }
        let counted: Vec<&LoggedClaim> = counted.collect();
        let none = Silenced::default();
        let all = Self::judge_without(policy, counted.iter().copied(), &none, now_ms);
        let mut known = Self::judge_without(policy, counted, &silenced, now_ms);
        known.unsilenced = Some(Box::new(all));
        known
    }

    fn judge_without(
        policy: &'a Policy,
        counted: impl IntoIterator<Item = &'a LoggedClaim>,
        silenced: &Silenced,
        now_ms: u64,
    ) -> Self {
        let trust = Trust::judge_without(counted, silenced);
        let mut by_package: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_digest: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        let mut parts = Parts::default();
        for (i, judged) in trust.claims().iter().enumerate() {
            if let Body::Vex(vex) = judged.logged().claim().body() {
                parts.take(i, vex);
            }
            for subject in judged.logged().claim().statement().subjects() {
                if let Some(purl) = subject.purl() {
                    let package = purl.package_key().into_owned();
                    push_once(by_package.entry(package).or_default(), i);
                }
                for (algorithm, digest) in subject.digests() {
                    push_once(by_digest.entry((algorithm, digest)).or_default(), i);
                }
            }
        }
        let unheard = Unheard::of(&trust, &by_package);
        let editions = Editions::heard(trust.claims());
        let anchors = policy.trust_anchors();
        Known {
            policy,
            sides: SidesOf::new(&anchors, &trust),
            anchors,
            trust,
            by_package,
            by_digest,
            parts,
            editions,
            limits: Vec::new(),
            unheard,
            now_ms,
            unsilenced: None,
        }
    }

    /// The same, where the search for whose word counts left something out
    /// ([`Speakers::limits`](crate::trust::Speakers::limits)): rules that need it are then
    /// `Incomplete`.
    pub fn within(mut self, limits: &[Limit]) -> Self {
        self.limits.extend_from_slice(limits);
        self.trust.leave_out(&self.limits);
        self.sides.forget();
        self.unsilenced = self.unsilenced.map(|all| Box::new(all.within(limits)));
        self
    }

    /// The same, where logs have longer lists than are listened to ([`CLAIMS_ABOUT_ONE`]), so that
    /// nothing of them came, or only the beginning. Whoever said so much about a package counts not
    /// *for* it by what it said in that log, and rules that need the issuer are `Incomplete`,
    /// unless nothing counts that the issuer can say there after what came ([`Trust::speaks_in`]).
    pub fn without(mut self, overlong: impl IntoIterator<Item = Overlong>) -> Self {
        let policy = self.policy;
        let lists = overlong.into_iter();
        let counted: Vec<Overlong> = lists.filter(|list| policy.counts(&list.origin)).collect();
        let of_all = counted.clone();
        self.unsilenced = self.unsilenced.map(|all| Box::new(all.without(of_all)));
        self.unheard.take(counted, &self.trust);
        let unheard = self.unheard.endorsements(&self.trust);
        if !unheard.is_empty() {
            let limits: Vec<Limit> = self.limits.iter().cloned().chain(unheard).collect();
            self.trust.leave_out(&limits);
            self.sides.forget();
        }
        self
    }

    /// Whether nothing was left out that can count: neither in the search for whose word counts,
    /// nor of what these issuers said.
    pub fn is_whole(&self, issuers: &[IssuerId]) -> bool {
        self.limits.is_empty() && self.unheard.is_of_no_use(issuers, &self.trust)
    }

    /// The claims with what each is worth.
    pub fn trust(&self) -> &Trust<'a> {
        &self.trust
    }

    /// Those whose word counts for something, or against this package: all who can count for one of
    /// its versions are among them.
    pub fn heard(&self, package: &Purl) -> BTreeSet<IssuerId> {
        let (trust, now_ms) = (&self.trust, self.now_ms);
        let anywhere = trust.roles_anywhere(&self.anchors, now_ms);
        let against = trust.roles_against(&self.anchors, Some(package), now_ms);
        let all = anywhere.issuers().chain(against.issuers());
        all.copied().collect()
    }

    /// Decides whether the policy is met by what is known of a component, as [`evaluate`] does.
    pub fn verdict(&self, component: &Component, answers: &[LogAnswer]) -> Verdict {
        let verdict = decide(
            self.policy,
            &self.facts(component),
            &self.bounds(component),
            answers,
        );
        match &self.unsilenced {
            None => verdict,
            Some(all) => {
                let all = all.verdict(component, answers);
                verdict.with_ignored(all, self.policy, self.now_ms)
            }
        }
    }

    /// The claims about a component, log by log, in the order of their leaves; those without effect
    /// among them.
    pub fn about<'s>(&'s self, component: &Component) -> impl Iterator<Item = &'s JudgedClaim<'a>> {
        self.related(component)
            .into_iter()
            .map(|(judged, _)| judged)
    }

    /// The vulnerabilities that claims with effect speak of, by identifier. Aliases stand by
    /// themselves.
    pub fn vulnerabilities(&self, component: &Component) -> Vec<Vulnerability> {
        let mut facts = Facts::new(component, self.all_facts(component), self.now_ms);
        facts.heard = Some(&self.editions);
        Vulnerabilities::of(&facts).all()
    }

    /// Whether somebody with a role says whether a component can be used: a policy that allows what
    /// is unknown is met without that, and no reason says so.
    pub fn is_spoken_of(&self, component: &Component) -> bool {
        let facts = self.facts(component);
        is_spoken_of(self.policy, &facts, &Vulnerabilities::of(&facts))
    }

    /// What those whose word clears vulnerabilities in a component say of them, each vulnerability
    /// once: whoever may clear under every rule of the policy that looks for found vulnerabilities
    /// in it, or if there is none, whoever makes, ships, coordinates or reviews it.
    pub fn agreed(&self, component: &Component) -> Vec<Agreed> {
        let denials = self.policy.denials().iter();
        let covering = denials.filter(|denial| denial.rule.covers(component.purl()));
        let mut by: Vec<Whom> = covering
            .filter_map(|denial| match &denial.sought {
                Sought::Vulnerable { cleared_by, .. } => Some(cleared_by.clone()),
                _ => None,
            })
            .collect();
        if by.is_empty() {
            by.push(Whom::Roles(CLEARING.to_vec()));
        }
        agreed(&self.facts(component), &by)
    }

    /// Until when issuers with a role support a component, the last word of each.
    pub fn supported(&self, component: &Component) -> Vec<Supported> {
        supported(&self.facts(component))
    }

    fn sides(&self, component: &Component) -> Arc<Sides> {
        let known = (&*self.anchors, &self.trust);
        self.sides.of(known, component.purl(), self.now_ms)
    }

    /// The claims about a component that count for anybody, whoever that is.
    fn all_facts<'s>(&'s self, component: &'s Component) -> Vec<Fact<'a>> {
        let sides = self.sides(component);
        let related = self.related(component);
        let facts = related.iter();
        let mut facts: Vec<Fact<'_>> = facts
            .filter_map(|(judged, relation)| Fact::of(judged, *relation, Some(&sides)))
            .collect();
        facts.extend(self.said_of_product(component));
        facts
    }

    /// The claims about a component: those that count, by issuers with a role, and how many others
    /// there are. What others say decides nothing.
    fn facts<'s>(&'s self, component: &'s Component) -> Facts<'s> {
        let sides = self.sides(component);
        let mut facts = Facts::new(component, Vec::new(), self.now_ms);
        facts.heard = Some(&self.editions);
        for (judged, relation) in self.related(component) {
            if relation == Relation::This {
                facts.idle.extend(Idle::of(judged, &sides));
            }
            let Some(mut fact) = Fact::of(judged, relation, Some(&sides)) else {
                continue;
            };
            self.keep_heard(&mut fact, component);
            if !fact.speakers.is_empty() {
                facts.facts.push(fact);
            } else if relation == Relation::This && judged.has_effect() {
                facts.by_others += 1;
            }
        }
        facts.facts.extend(self.said_of_product(component));
        facts.reviews = self.reviews(component, &sides);
        facts
    }

    /// What those who may speak of the product say in VEX documents about it that a component is a
    /// part of.
    fn said_of_product<'s>(&'s self, component: &'s Component) -> Vec<Fact<'a>> {
        let mut facts = Vec::new();
        let Some(product) = component.product() else {
            return facts;
        };
        let sides = self.sides(product);
        let places = self.parts.about(component, self.places(product));
        for (judged, relation) in self.relate(places, product) {
            let Some(mut fact) = Fact::of(judged, relation, Some(&sides)) else {
                continue;
            };
            self.keep_heard(&mut fact, product);
            if !fact.speakers.is_empty() {
                facts.push(fact.about_product());
            }
        }
        facts
    }

    /// Leaves those who have a role. Of those who said too much, what they say *against* a
    /// component stays: that somebody goes on and on must not take back what was said.
    fn keep_heard(&self, fact: &mut Fact<'_>, component: &Component) {
        for speaker in &mut fact.speakers {
            let origin = &speaker.since.origin;
            speaker.stands &=
                !self
                    .unheard
                    .is_void(&speaker.issuer, origin, component, &self.trust);
        }
        fact.speakers.retain(Speaker::has_role);
    }

    /// Reviews of versions of the component's package, which the component may or may not be.
    fn reviews<'s>(&'s self, component: &'s Component, sides: &Sides) -> Vec<Fact<'s>> {
        let mut reviews = Vec::new();
        for place in self
            .by_package
            .get(&package(component))
            .into_iter()
            .flatten()
        {
            let Some(judged) = self.trust.claims().get(*place) else {
                continue;
            };
            if !matches!(judged.logged().claim().body(), Body::Audit(_)) {
                continue;
            }
            if let Some(mut fact) = Fact::of(judged, Relation::This, Some(sides)) {
                self.keep_heard(&mut fact, component);
                reviews.push(fact);
            }
        }
        reviews
    }

    /// What was not heard and could matter for a component: of those who have any role for it.
    /// Whatever a rule wants of whom, what they did say could clear, or deny.
    fn bounds(&self, component: &Component) -> Vec<Bound> {
        if self.limits.is_empty() && self.unheard.is_empty() {
            return Vec::new();
        }
        let rules = (self.policy.denials().iter().map(|denial| &denial.rule))
            .chain(self.policy.requirements().iter().map(|one| &one.rule));
        if !rules.into_iter().any(|rule| rule.covers(component.purl())) {
            return Vec::new();
        }
        let sides = self.sides(component);
        let heard: BTreeSet<&IssuerId> =
            sides.pro.issuers().chain(sides.contra.issuers()).collect();
        let mut bounds = BTreeSet::new();
        for limit in &self.limits {
            let matters = match limit {
                Limit::Endorsements { issuer, .. } | Limit::Unasked(issuer) => {
                    heard.contains(issuer)
                }
                Limit::Issuers { scope, .. } => {
                    crate::trust::covers(std::slice::from_ref(scope), component.purl())
                }
            };
            if matters {
                bounds.insert(Bound::Search(limit.clone()));
            }
        }
        for issuer in heard {
            bounds.extend(self.unheard.bounds(issuer, component, &self.trust));
        }
        bounds.into_iter().collect()
    }

    fn related<'s>(&'s self, component: &Component) -> Vec<(&'s JudgedClaim<'a>, Relation)> {
        self.relate(self.places(component), component)
    }

    /// The places of claims that name a component's packages or digests, and of those about the BOM
    /// that lists it which can be about it.
    fn places(&self, component: &Component) -> BTreeSet<usize> {
        let mut places: BTreeSet<usize> = BTreeSet::new();
        for package in component.packages() {
            places.extend(self.by_package.get(&package).into_iter().flatten());
        }
        for (algorithm, digest) in component.digests() {
            places.extend(
                self.by_digest
                    .get(&(algorithm.as_str(), digest.as_str()))
                    .into_iter()
                    .flatten(),
            );
        }
        if let Some(bom) = component.bom() {
            let of_bom = self.by_digest.get(&bom.digest()).into_iter().flatten();
            places.extend(self.parts.in_bom(component, of_bom.copied()));
        }
        places
    }

    fn relate<'s>(
        &'s self,
        places: BTreeSet<usize>,
        component: &Component,
    ) -> Vec<(&'s JudgedClaim<'a>, Relation)> {
        places
            .into_iter()
            .filter_map(|place: usize| {
                let judged = self.trust.claims().get(place)?;
                Some((judged, relation(judged.logged().claim(), component)?))
            })
            .collect()
    }
}

/// The package of a component, as packages are compared; empty if it is none.
fn package(component: &Component) -> String {
    component.packages().next().unwrap_or_default()
}

/// Notes a place, once for all subjects of a claim.
fn push_once(places: &mut Vec<usize>, place: usize) {
    if places.last() != Some(&place) {
        places.push(place);
    }
}

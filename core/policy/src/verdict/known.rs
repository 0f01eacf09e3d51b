//! What is known, judged once for any number of components: the claims, what each is worth, and
//! which of them bear on what.

use super::Verdict;
use super::decide::decide;
use super::logs::LogAnswer;
use crate::component::Component;
use crate::facts::{Fact, Facts, Idle, Relation, Vulnerabilities, Vulnerability, relation};
use crate::rules::Policy;
use crate::trust::{Anchor, JudgedClaim, Trust};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use std::collections::{BTreeMap, BTreeSet};

/// Claims that were judged by each other, found by what they are about.
#[derive(Debug)]
pub struct Known<'a> {
    policy: &'a Policy,
    anchors: Vec<Anchor>,
    trust: Trust<'a>,
    /// Places in [`Trust::claims`], by the package that a subject is, or is a version of, without
    /// version and qualifiers.
    by_package: BTreeMap<&'a str, Vec<usize>>,
    /// As above, by algorithm and digest of a subject.
    by_digest: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    now_ms: u64,
}

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
        let trust = Trust::judge(
            claims
                .into_iter()
                .filter(|logged| policy.counts(logged.origin())),
        );
        let mut by_package: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut by_digest: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (i, judged) in trust.claims().iter().enumerate() {
            for subject in judged.logged().claim().statement().subjects() {
                if let Some(purl) = subject.purl() {
                    by_package
                        .entry(purl.without_version())
                        .or_default()
                        .push(i);
                }
                for (algorithm, digest) in subject.digests() {
                    by_digest.entry((algorithm, digest)).or_default().push(i);
                }
            }
        }
        Known {
            policy,
            anchors: policy.trust_anchors(),
            trust,
            by_package,
            by_digest,
            now_ms,
        }
    }

    /// The claims with what each is worth.
    pub fn trust(&self) -> &Trust<'a> {
        &self.trust
    }

    /// Decides whether the policy is met by what is known of a component, as [`evaluate`] does.
    pub fn verdict(&self, component: &Component, answers: &[LogAnswer]) -> Verdict {
        decide(self.policy, &self.facts(component), answers)
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
        let facts = self.facts(component);
        Vulnerabilities::of(&facts).all()
    }

    /// The claims about a component: those that have effect, and those that have none.
    fn facts<'s>(&'s self, component: &'s Component) -> Facts<'s> {
        let roles = self
            .trust
            .roles(&self.anchors, component.purl(), self.now_ms);
        let roles = |issuer: &IssuerId| roles.of(issuer).to_vec();
        let related = self.related(component);
        let of_this = related
            .iter()
            .filter(|(_, relation)| *relation == Relation::This);
        let idle = of_this
            .filter_map(|(judged, _)| Idle::of(judged, roles))
            .collect();
        let facts = related
            .iter()
            .filter_map(|(judged, relation)| Fact::of(judged, *relation, roles))
            .collect();
        Facts {
            idle,
            ..Facts::new(component, facts, self.now_ms)
        }
    }

    fn related<'s>(&'s self, component: &Component) -> Vec<(&'s JudgedClaim<'a>, Relation)> {
        let mut places: BTreeSet<usize> = BTreeSet::new();
        if let Some(of_package) = component
            .purl()
            .and_then(|purl| self.by_package.get(purl.without_version()))
        {
            places.extend(of_package);
        }
        for (algorithm, digest) in component.digests() {
            places.extend(
                self.by_digest
                    .get(&(algorithm.as_str(), digest.as_str()))
                    .into_iter()
                    .flatten(),
            );
        }

        places
            .into_iter()
            .filter_map(|place: usize| {
                let judged = self.trust.claims().get(place)?;
                Some((judged, relation(judged.logged().claim(), component)?))
            })
            .collect()
    }
}

//! What is said of a package's versions, when it is the package as a whole that was asked about.
//!
//! A log lists what is said of a version under its package, too, so that the answer holds it. It is
//! not shown, because it is not of the package; but neither is it passed over: each version that
//! somebody with a role speaks of is weighed.

use super::component::Judge;
use crate::ask::{About, Part};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_policy::Component;
use assay_policy::rules::Outcome;
use assay_policy::verdict::Cause;
use serde::{Serialize, Serializer};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Most versions that are weighed, those apart that are built for several systems: each takes as
/// long as the package itself.
const WEIGHED: usize = 50;

/// Most builds of a version that are.
const BUILDS: usize = 10;

/// The versions that claims are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Versions {
    /// How many claims are about any of them.
    pub claims: usize,
    /// Each, those first that somebody with a role speaks of, and of these the one that was last
    /// spoken of.
    pub of: Vec<Version>,
    /// How many of those that somebody with a role speaks of were too many to weigh.
    #[serde(skip)]
    pub unweighed: usize,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// It alone.
    pub version: String,
    /// Its purl: what to ask for.
    pub purl: String,
    /// How many claims are about it.
    pub claims: usize,
    /// What the policy makes of it; `None` if nobody with a role speaks of it. As JSON, the
    /// outcome.
    #[serde(rename = "outcome", serialize_with = "outcome")]
    pub weighed: Option<Weighed>,
}

/// What a policy makes of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The outcome.
    pub outcome: Outcome,
    /// The worst that there is to say of it, if there is anything.
    pub why: Option<String>,
    /// Whether somebody with a role says whether it can be used.
    pub is_judged: bool,
}

impl Versions {
    /// Of a package without a version, the versions that some of the claims are about, as the judge
    /// of these claims weighs them; `None` if there is none.
    pub(super) fn of(
        about: &About,
        claims: &[LoggedClaim],
        judge: Option<&Judge<'_>>,
    ) -> Option<Self> {
        let About::Package(package) = about else {
            return None;
        };
        if package.version().is_some() {
            return None;
        }
        let (mut all, mut versions) = (BTreeSet::new(), BTreeMap::new());
        for logged in claims {
            let id = logged.claim().id();
            let subjects = logged.claim().statement().subjects().iter();
            for purl in subjects.filter_map(Subject::purl) {
                if !purl.is_same_package(package) || purl.version().is_none() {
                    continue;
                }
                let version = versions
                    .entry(purl.without_qualifiers())
                    .or_insert_with(|| Spoken::of(purl));
                version.newest_ms = version.newest_ms.max(logged.logged_at_ms());
                version.claims.insert(id);
                version.purls.insert(purl.as_str().to_owned(), purl.clone());
                let signers = logged.claim().signers().iter();
                version.signers.extend(signers.map(|(issuer, _)| *issuer));
                all.insert(id);
            }
        }
        if all.is_empty() {
            return None;
        }
        let heard = judge
            .map(|judge| judge.known.heard(package))
            .unwrap_or_default();
        let mut versions: Vec<_> = versions.into_iter().collect();
        versions.sort_by_key(|(_, spoken)| Reverse((spoken.is_by(&heard), spoken.newest_ms)));
        let (mut of, mut unweighed) = (Vec::with_capacity(versions.len()), 0);
        for (place, (purl, spoken)) in versions.into_iter().enumerate() {
            let judge = judge.filter(|_| spoken.is_by(&heard));
            unweighed += usize::from(judge.is_some() && place >= WEIGHED);
            of.push(Version {
                weighed: judge
                    .filter(|_| place < WEIGHED)
                    .and_then(|judge| spoken.weighed(judge)),
                version: spoken.version,
                purl: purl.to_owned(),
                claims: spoken.claims.len(),
            });
        }
        Some(Versions {
            claims: all.len(),
            of,
            unweighed,
        })
    }

    /// The versions that were weighed, with what came of it.
    pub fn weighed(&self) -> impl Iterator<Item = (&Version, &Weighed)> {
        let of = self.of.iter();
        of.filter_map(|version| Some((version, version.weighed.as_ref()?)))
    }

    /// Whether versions were weighed, and the policy denies every one of them.
    pub fn are_denied(&self) -> bool {
        let mut weighed = self.weighed().peekable();
        weighed.peek().is_some() && weighed.all(|(_, one)| one.outcome == Outcome::Denied)
    }
}

/// What is said of a version.
struct Spoken {
    version: String,
    newest_ms: u64,
    claims: BTreeSet<ClaimId>,
    /// What the claims call it: also what it is built for.
    purls: BTreeMap<String, Purl>,
    signers: BTreeSet<IssuerId>,
}

impl Spoken {
    fn of(purl: &Purl) -> Self {
        Spoken {
            version: purl.version().unwrap_or_default().to_owned(),
            newest_ms: 0,
            claims: BTreeSet::new(),
            purls: BTreeMap::new(),
            signers: BTreeSet::new(),
        }
    }

    /// Whether one of these issuers speaks of it.
    fn is_by(&self, heard: &BTreeSet<IssuerId>) -> bool {
        self.signers.iter().any(|signer| heard.contains(signer))
    }

    /// What the policy makes of it: the worst of what it makes of the builds that are spoken of,
    /// and of those first about which somebody says whether they can be used.
    fn weighed(&self, judge: &Judge<'_>) -> Option<Weighed> {
        let purls = self.purls.values().take(BUILDS);
        let weighed = purls.filter_map(|purl| {
            let component = Component::new(Some(purl.clone()), Vec::new());
            let component = judge.component(Part::of_component(component));
            let mut reasons = component.reasons.iter();
            let silence = reasons.find(|reason| reason.cause == Cause::Unknown);
            // Whoever speaks of it may have a role for other packages alone.
            let said = silence.and_then(|reason| reason.unspoken.as_ref());
            let is_by_others = said.is_some_and(|it| it.no_word + it.nearby + it.idle == 0);
            (!is_by_others || component.outcome == Outcome::Denied).then(|| Weighed {
                outcome: component.outcome,
                why: component.main_reason().map(|reason| reason.text.clone()),
                is_judged: silence.is_none(),
            })
        });
        weighed.max_by_key(|one| {
            let is_denied = one.outcome == Outcome::Denied;
            (is_denied || one.is_judged, one.outcome)
        })
    }
}

fn outcome<S: Serializer>(weighed: &Option<Weighed>, to: S) -> Result<S::Ok, S::Error> {
    match weighed {
        Some(weighed) => to.serialize_str(weighed.outcome.name()),
        None => to.serialize_none(),
    }
}

//! What an evaluation weighs: what is asked about, how the logs answered, and what has effect of
//! what they said.

use super::condition::{Condition, Variables};
use super::duration;
use super::read::short_name;
use super::rules::{self, ClaimType, Rule};
use super::verdict::Evidence;
use crate::trust::{Grant, JudgedClaim, Place, Role, Standing};
use assay_claims::claim::{ClaimId, VerifiedClaim};
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::kind::{self, Body};
use assay_claims::purl::{Purl, PurlError};
use assay_claims::statement::Subject;
use assay_claims::vers::Applies;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;

/// What is asked about: a package by its purl, an artifact by its digests, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    purl: Option<Purl>,
    digests: Vec<(String, String)>,
}

impl Component {
    /// What has this purl and these digests, as algorithm and value in in-toto's spelling. Several
    /// digests of one algorithm are those of several artifacts, any of which may be meant.
    pub fn new(purl: Option<Purl>, digests: Vec<(String, String)>) -> Self {
        Component { purl, digests }
    }

    /// A package by its purl, in any spelling.
    pub fn of_purl(text: &str) -> Result<Self, PurlError> {
        Ok(Component {
            purl: Some(Purl::canonicalize(text)?),
            digests: Vec::new(),
        })
    }

    /// An artifact by its SHA-256.
    pub fn of_sha256(digest: &Hash) -> Self {
        Component {
            purl: None,
            digests: vec![("sha256".into(), digest.to_hex())],
        }
    }

    /// The purl.
    pub fn purl(&self) -> Option<&Purl> {
        self.purl.as_ref()
    }

    /// The digests.
    pub fn digests(&self) -> &[(String, String)] {
        &self.digests
    }

    /// Where it comes from, if its purl says that it is not from where packages of its type usually
    /// are: a fork in a repository, a private registry, an archive. What is said of the package of
    /// the same name is then not about this.
    pub fn from_elsewhere(&self) -> Option<&str> {
        places(self.purl.as_ref()?)
            .next()
            .map(|(_, place)| place.as_str())
    }

    /// The version, decoded.
    pub fn version(&self) -> Option<&str> {
        self.purl.as_ref()?.version()
    }

    /// What conditions see of it.
    fn to_value(&self) -> Value {
        let parts = self.purl.as_ref().map(Purl::components);
        let text = |text: Option<&str>| Value::from(text.unwrap_or_default());
        Value::Object(vec![
            ("purl".into(), text(self.purl.as_ref().map(Purl::as_str))),
            ("type".into(), text(parts.map(|parts| parts.ty.as_str()))),
            ("name".into(), text(parts.map(|parts| parts.name.as_str()))),
            (
                "version".into(),
                text(parts.and_then(|parts| parts.version.as_deref())),
            ),
        ])
    }
}

/// How one log answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAnswer {
    /// The log's origin.
    pub origin: String,
    /// Its answer.
    pub answer: Answer,
}

/// An answer. Whoever states it has verified it: that the head is the log's, and cosigned by the
/// policy's quorum ([`TlogPolicy::verify`](assay_tlog::tlog_policy::TlogPolicy::verify)), and that of every
/// label that matters the whole list came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All that was asked was answered, and proven to be all that there is.
    Complete {
        /// When the head was made, in milliseconds since 1970: when a quorum had cosigned it, if
        /// there is one.
        head_at_ms: u64,
    },
    /// Some of it was not answered, or not proven to be all.
    Partial {
        /// As above.
        head_at_ms: u64,
        /// What is missing, for people, as a sentence without its full stop.
        missing: String,
    },
    /// There was no answer to rely on.
    None {
        /// Why, for people.
        why: String,
    },
}

/// Whom or what a claim is about, seen from what is asked about; the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It is about this.
    This,
    /// It is about another artifact of the same version, by a digest that differs.
    OtherArtifact,
    /// It is about some versions, and whether this is one of them cannot be told. It counts against
    /// the component, and never for it.
    OtherVersions,
    /// It is about a package of the same name from another place ([`Component::from_elsewhere`]).
    /// It may be the same software or not: it counts against the component, and never for it.
    OtherSource,
}

/// An issuer for whom a claim has effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Speaker {
    pub(super) issuer: IssuerId,
    pub(super) grants: Vec<Grant>,
}

impl Speaker {
    pub(super) fn roles(&self) -> Vec<Role> {
        self.grants.iter().map(|grant| grant.role).collect()
    }
}

/// A claim about the component that has effect for at least one issuer.
#[derive(Debug, Clone)]
pub(super) struct Fact<'a> {
    pub(super) claim: ClaimId,
    pub(super) origin: &'a str,
    pub(super) leaf: LeafIndex,
    pub(super) logged_at_ms: u64,
    pub(super) predicate_type: &'a str,
    pub(super) predicate: &'a Value,
    pub(super) subjects: &'a [Subject],
    pub(super) relation: Relation,
    pub(super) speakers: Vec<Speaker>,
}

impl<'a> Fact<'a> {
    /// A claim by the issuers for whom it has effect, `roles` being what each of them has; `None`
    /// if it has none for anybody.
    pub(super) fn of(
        judged: &JudgedClaim<'a>,
        relation: Relation,
        roles: impl Fn(&IssuerId) -> Vec<Grant>,
    ) -> Option<Self> {
        let logged = judged.logged();
        let statement = logged.claim().statement();
        let speakers: Vec<Speaker> = judged
            .issuers()
            .map(|id| Speaker {
                issuer: *id,
                grants: roles(id),
            })
            .collect();
        (!speakers.is_empty()).then(|| Fact {
            claim: logged.claim().id(),
            origin: logged.origin(),
            leaf: logged.leaf(),
            logged_at_ms: logged.logged_at_ms(),
            predicate_type: statement.predicate_type(),
            predicate: statement.predicate(),
            subjects: statement.subjects(),
            relation,
            speakers,
        })
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        Place {
            origin: self.origin.to_owned(),
            leaf: self.leaf,
        }
    }

    /// The claim as the reason for something, by one of its speakers.
    pub(super) fn evidence(&self, speaker: &Speaker) -> Evidence {
        Evidence {
            claim: self.claim,
            origin: self.origin.to_owned(),
            leaf: self.leaf,
            issuer: speaker.issuer,
            roles: speaker.grants.clone(),
        }
    }

    /// Milliseconds since the log took it; nothing if the log's clock is ahead.
    pub(super) fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.logged_at_ms)
    }

    /// When it was logged, and where, so that of two claims the later can be told.
    pub(super) fn order(&self) -> (u64, LeafIndex) {
        (self.logged_at_ms, self.leaf)
    }

    /// Whether it is about the very thing that is asked about.
    pub(super) fn is_of_this(&self) -> bool {
        self.relation == Relation::This
    }

    fn satisfies(
        &self,
        condition: &Condition,
        speaker: &Speaker,
        component: &Value,
        now_ms: u64,
    ) -> Result<bool, String> {
        let kind = kind::by_uri(self.predicate_type)
            .map_or(self.predicate_type, |known| short_name(known.name));
        let roles: Vec<&str> = speaker
            .grants
            .iter()
            .map(|grant| grant.role.name())
            .collect();
        let claim = Value::Object(vec![
            ("type".into(), self.predicate_type.into()),
            ("kind".into(), kind.into()),
            ("issuer".into(), speaker.issuer.to_hex().into()),
            ("roles".into(), roles.into()),
            (
                "age_days".into(),
                duration::days(self.age_ms(now_ms)).into(),
            ),
            ("leaf".into(), self.leaf.get().into()),
            ("log".into(), self.origin.into()),
        ]);
        condition.compiled.holds(Variables {
            predicate: self.predicate,
            claim: &claim,
            component,
        })
    }
}

/// A claim about the component that has no effect for anybody.
#[derive(Debug, Clone)]
pub(super) struct Idle {
    pub(super) claim: ClaimId,
    /// Whether all who signed it took it back.
    pub(super) withdrawn: bool,
    /// The claim, by each who signed it.
    pub(super) evidence: Vec<Evidence>,
}

impl Idle {
    /// A claim that has no effect for anybody; `None` if it has.
    pub(super) fn of(
        judged: &JudgedClaim<'_>,
        roles: impl Fn(&IssuerId) -> Vec<Grant>,
    ) -> Option<Self> {
        let logged = judged.logged();
        let claim = logged.claim().id();
        let evidence = |issuer: &IssuerId| Evidence {
            claim,
            origin: logged.origin().to_owned(),
            leaf: logged.leaf(),
            issuer: *issuer,
            roles: roles(issuer),
        };
        (!judged.has_effect()).then(|| Idle {
            claim,
            withdrawn: judged
                .standings()
                .iter()
                .all(|(_, standing)| matches!(standing, Standing::Withdrawn { .. })),
            evidence: judged
                .standings()
                .iter()
                .map(|(issuer, _)| evidence(issuer))
                .collect(),
        })
    }
}

/// What is known of a component.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) component: &'a Component,
    pub(super) component_value: Value,
    pub(super) facts: Vec<Fact<'a>>,
    /// What decides nothing, and is told if there is nothing else.
    pub(super) idle: Vec<Idle>,
    pub(super) now_ms: u64,
}

impl<'a> Facts<'a> {
    pub(super) fn new(component: &'a Component, facts: Vec<Fact<'a>>, now_ms: u64) -> Self {
        Facts {
            component,
            component_value: component.to_value(),
            facts,
            idle: Vec::new(),
            now_ms,
        }
    }

    /// The claims of the given types.
    pub(super) fn of_types<'f>(
        &'f self,
        types: &'f [ClaimType],
    ) -> impl Iterator<Item = &'f Fact<'a>> {
        self.facts
            .iter()
            .filter(|fact| rules::is_of(types, fact.predicate_type))
    }

    /// Whether the condition of a rule holds of a claim, said by one of its speakers. Without a
    /// condition it does.
    pub(super) fn satisfies(
        &self,
        rule: &Rule,
        fact: &Fact<'_>,
        speaker: &Speaker,
    ) -> Result<bool, String> {
        match &rule.when {
            Some(condition) => {
                fact.satisfies(condition, speaker, &self.component_value, self.now_ms)
            }
            None => Ok(true),
        }
    }
}

/// Whether a statement is about the component: about its package as a whole, its version, or its
/// artifact.
pub(super) fn relation(claim: &VerifiedClaim, component: &Component) -> Option<Relation> {
    let same_digest = |algorithm: &str, value: &str| {
        let ours = component
            .digests
            .iter()
            .filter(|(name, _)| name == algorithm);
        let mut matches = ours.map(|(_, ours)| ours == value).peekable();
        matches.peek()?;
        Some(matches.any(|same| same))
    };

    let closest = claim
        .statement()
        .subjects()
        .iter()
        .filter_map(|subject: &Subject| {
            let compared: Vec<bool> = subject
                .digests()
                .iter()
                .filter_map(|(algorithm, value)| same_digest(algorithm, value))
                .collect();
            if compared.contains(&true) {
                return Some(Relation::This);
            }
            let (ours, theirs) = (component.purl.as_ref()?, subject.purl()?);
            let covered = match theirs.version() {
                None => theirs.without_version() == ours.without_version(),
                Some(_) => theirs.without_qualifiers() == ours.without_qualifiers(),
            };
            covered.then(
                || match (compared.is_empty(), places(ours).eq(places(theirs))) {
                    (true, true) => Relation::This,
                    (false, true) => Relation::OtherArtifact,
                    (_, false) => Relation::OtherSource,
                },
            )
        })
        .min()?;
    match component
        .purl
        .as_ref()
        .filter(|purl| purl.version().is_some())
        .map(|purl| is_of_version(claim.body(), purl))
    {
        None | Some(Applies::Yes) => Some(closest),
        Some(Applies::Undecided) => Some(closest.max(Relation::OtherVersions)),
        Some(Applies::No) => None,
    }
}

/// Whether the claim's own version range covers the version of `package`.
fn is_of_version(body: &Body, package: &Purl) -> Applies {
    match body {
        Body::Audit(audit) => audit.applies_to(package),
        // Undecided dates are reported to people: see `deny`.
        Body::Lifecycle(said) if said.applies_to(package) == Applies::No => Applies::No,
        _ => Applies::Yes,
    }
}

/// The qualifiers that say where a package comes from, if not from where its type's packages are
/// (purl-spec, "Known qualifiers").
const PLACES: [&str; 3] = ["download_url", "repository_url", "vcs_url"];

fn places(purl: &Purl) -> impl Iterator<Item = &(String, String)> {
    purl.components()
        .qualifiers
        .iter()
        .filter(|(key, _)| PLACES.contains(&key.as_str()))
}

//! What is weighed: the claims about a component that have effect, and those that have none.

mod agreed;
mod artifact;
mod build;
mod finding;
mod identity;
mod in_bom;
mod latest;
mod part;
mod relation;
mod stated;
mod supported;
mod versions;
mod vulnerable;

pub use agreed::{Agreed, Said};
pub use part::Part;
pub use relation::Relation;
pub use supported::Supported;
pub use vulnerable::{Assessment, Vulnerability};

pub(crate) use agreed::agreed;
pub(crate) use artifact::artifacts;
pub(crate) use latest::{Editions, When};
pub(crate) use relation::{
    Within, is_of_untold_versions, of_dates, of_statement, of_statement_within, range, relation,
    relation_of,
};
pub(crate) use supported::supported;
pub(crate) use vulnerable::Vulnerabilities;

use crate::component::Component;
use crate::rules::{ClaimType, Condition, Rule, Variables, Whom, days};
use crate::trust::{Grant, JudgedClaim, Place, Role, Roles, Standing};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::kind::{Body, Unread};
use assay_claims::statement::Subject;
use assay_claims::vers::Applies;
use assay_tlog::tree::LeafIndex;

/// The claim that gave a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The claim.
    pub claim: ClaimId,
    /// In which log.
    pub origin: String,
    /// At which leaf.
    pub leaf: LeafIndex,
    /// Who signed it.
    pub issuer: IssuerId,
    /// The roles that the issuer has for the component, and why.
    pub roles: Vec<Grant>,
}

/// An issuer for whom a claim counts, for a component or only against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Speaker {
    pub(crate) issuer: IssuerId,
    /// The roles that it has where the claim speaks for a component.
    pub(crate) grants: Vec<Grant>,
    /// The roles that it has where the claim speaks against one.
    pub(crate) grants_against: Vec<Grant>,
    /// Whether the claim has effect.
    pub(crate) stands: bool,
    /// Whether what it says against a component counts.
    pub(crate) against: bool,
    /// Where the issuer's word is first logged, and when.
    pub(crate) since: Place,
    pub(crate) since_ms: u64,
}

impl Speaker {
    /// Whether its word counts for a component, if only these count.
    pub(crate) fn counts_for(&self, whom: &Whom) -> bool {
        self.stands && whom.counts(&roles(&self.grants))
    }

    /// Whether its word counts against a component, if only these count.
    pub(crate) fn counts_against(&self, whom: &Whom) -> bool {
        self.against && whom.counts(&roles(&self.grants_against))
    }

    /// Whether its word makes less of a vulnerability, if only that of these does: clears it, or
    /// says that it is not severe. Nothing else makes less of what somebody else found. A builder
    /// finds, and does not judge.
    pub(crate) fn makes_less(&self, whom: &Whom) -> bool {
        let mut judging = roles(&self.grants);
        judging.retain(|role| *role != Role::Builder);
        self.stands && whom.counts(&judging)
    }

    /// Whether its word counts for a component as a judgment: it does not only build.
    pub(crate) fn judges(&self) -> bool {
        self.makes_less(&Whom::Anyone)
    }

    /// Whether it has a role, for one or the other.
    pub(crate) fn has_role(&self) -> bool {
        self.counts_for(&Whom::Anyone) || self.counts_against(&Whom::Anyone)
    }

    /// Its roles, for people: those that count for a component, or else those that count against
    /// one.
    pub(crate) fn shown(&self) -> &[Grant] {
        if self.grants.is_empty() {
            &self.grants_against
        } else {
            &self.grants
        }
    }
}

fn roles(grants: &[Grant]) -> Vec<Role> {
    grants.iter().map(|grant| grant.role).collect()
}

/// Who has which role, where it speaks for a component and where it speaks against it.
#[derive(Debug)]
pub(crate) struct Sides {
    pub(crate) pro: Roles,
    pub(crate) contra: Roles,
}

impl Sides {
    /// The roles of an issuer for what a claim of this type says.
    fn of(&self, issuer: &IssuerId, body: &Body) -> [Vec<Grant>; 2] {
        [&self.pro, &self.contra].map(|roles| {
            let mut grants = roles.of(issuer).to_vec();
            if !body.is_of_builders() {
                grants.retain(|grant| grant.role != Role::Builder);
            }
            grants
        })
    }
}

/// A claim about the component that counts for at least one issuer.
#[derive(Debug, Clone)]
pub(crate) struct Fact<'a> {
    pub(crate) claim: ClaimId,
    pub(crate) origin: &'a str,
    pub(crate) leaf: LeafIndex,
    pub(crate) predicate_type: &'a str,
    pub(crate) predicate: &'a Value,
    pub(crate) body: &'a Body,
    pub(crate) subjects: &'a [Subject],
    pub(crate) relation: Relation,
    /// Whether it is about the product that the component is a part of, said by those who may speak
    /// of that. Of the component it says only what it says of parts.
    pub(crate) of_product: bool,
    pub(crate) speakers: Vec<Speaker>,
}

impl<'a> Fact<'a> {
    /// A claim by the issuers for whom it counts, with the roles that each of them has; `None` if
    /// it counts for nobody, or if it was taken at another leaf.
    pub(crate) fn of(
        judged: &JudgedClaim<'a>,
        relation: Relation,
        sides: Option<&Sides>,
    ) -> Option<Self> {
        let logged = judged.logged();
        let statement = logged.claim().statement();
        let body = logged.claim().body();
        let mut speakers = Vec::new();
        for spoken in judged.spoken() {
            let stands = spoken.standing.is_good();
            if !stands && !spoken.against {
                continue;
            }
            let roles = sides.map(|sides| sides.of(&spoken.issuer, body));
            let [grants, grants_against] = roles.unwrap_or_default();
            speakers.push(Speaker {
                issuer: spoken.issuer,
                grants,
                grants_against,
                stands,
                against: spoken.against,
                since: spoken.since.clone(),
                since_ms: spoken.since_ms,
            });
        }
        (judged.is_first() && !speakers.is_empty()).then(|| Fact {
            claim: logged.claim().id(),
            origin: logged.origin(),
            leaf: logged.leaf(),
            predicate_type: statement.predicate_type(),
            predicate: statement.predicate(),
            body,
            subjects: statement.subjects(),
            relation,
            of_product: false,
            speakers,
        })
    }

    /// The same, of the product that the component is a part of.
    pub(crate) fn about_product(self) -> Self {
        Fact {
            of_product: true,
            ..self
        }
    }

    /// Where it stands.
    pub(crate) fn place(&self) -> Place {
        Place {
            origin: self.origin.to_owned(),
            leaf: self.leaf,
        }
    }

    /// The claim as the reason for something, by one of its speakers.
    pub(crate) fn evidence(&self, speaker: &Speaker) -> Evidence {
        Evidence {
            claim: self.claim,
            origin: speaker.since.origin.clone(),
            leaf: speaker.since.leaf,
            issuer: speaker.issuer,
            roles: speaker.shown().to_vec(),
        }
    }

    /// Milliseconds since a log first had it from a speaker; nothing if the log's clock is ahead.
    pub(crate) fn age_ms(&self, speaker: &Speaker, now_ms: u64) -> u64 {
        now_ms.saturating_sub(speaker.since_ms)
    }

    /// Whether it is about the very thing that is asked about.
    pub(crate) fn is_of_this(&self) -> bool {
        self.relation == Relation::This
    }

    /// Whether somebody who counts says it of another build, artifact, version or use of the
    /// component's package, or maybe so.
    pub(crate) fn is_nearby(&self) -> bool {
        !matches!(self.relation, Relation::This | Relation::OtherSource) && self.is_said()
    }

    /// Whether somebody who counts says with it whether the component can be used. A builder says
    /// what a scan found; that its own tests pass judges nothing.
    /// `stands` says of a statement of its document whether nothing later took its place.
    pub(crate) fn is_judged(&self, component: &Component, stands: impl Fn(usize) -> bool) -> bool {
        let counts = match self.body {
            Body::Other(Unread::TestResult) => self.speakers.iter().any(Speaker::judges),
            _ => self.is_said(),
        };
        counts && self.is_a_word(component, stands)
    }

    /// Whether somebody who counts for the component says it, whatever it is.
    pub(crate) fn is_said(&self) -> bool {
        let mut speakers = self.speakers.iter();
        speakers.any(|speaker| speaker.counts_for(&Whom::Anyone))
    }

    /// Whether it says anything about whether the component can be used: a scan for known
    /// vulnerabilities that ended well, a review of the whole, practices, a scorecard, a test;
    /// support dates that are surely of this version; and a VEX document, if one of its statements
    /// is about the very thing and somebody came to it and stands by it: that they are still
    /// looking, or again, is no word for it.
    ///
    /// That documents belong to it, how it was built or released, what its registry has marked it
    /// as, what somebody demands of it, and what is said of claims or of issuers says nothing of
    /// that, nor does what this reader cannot read. A scan that failed is a document, too, and so
    /// is one that looked for something else.
    fn is_a_word(&self, component: &Component, stands: impl Fn(usize) -> bool) -> bool {
        match self.body {
            Body::Scan(scan) => scan.is_complete && scan.looks_for_known,
            Body::Audit(audit) => audit.judges(),
            Body::Practice(_) | Body::Scorecard(_) => true,
            Body::Lifecycle(_) => of_dates(self.body, component) == Applies::Yes,
            Body::Vex(vex) => vex.statements.iter().enumerate().any(|(at, statement)| {
                if stated::is_open(statement) || !stands(at) {
                    return false;
                }
                if self.of_product {
                    let within = of_statement_within(statement, component);
                    return within == Some(Within::Part(Relation::This));
                }
                of_statement(statement, component) == Some(Relation::This)
            }),
            _ if self.of_product => false,
            Body::Other(unread) => match unread {
                Unread::TestResult => true,
                Unread::Unknown
                | Unread::Finding
                | Unread::FindingCommitment
                | Unread::Authenticity
                | Unread::Release => false,
            },
            // That nothing is marked is said nowhere, and that something is clears nothing.
            Body::RegistryStatus(_)
            | Body::Reference(_)
            | Body::Provenance(_)
            | Body::Requirement(_)
            | Body::Sbom(_)
            | Body::Issuer(_)
            | Body::Endorsement(_)
            | Body::KeyCompromise(_)
            | Body::Withdrawal(_)
            | Body::Response(_) => false,
        }
    }

    fn satisfies(
        &self,
        condition: &Condition,
        speaker: &Speaker,
        grants: &[Grant],
        component: &Value,
        now_ms: u64,
    ) -> Result<bool, String> {
        let kind = self.body.kind().short_name().unwrap_or(self.predicate_type);
        let roles: Vec<&str> = grants.iter().map(|grant| grant.role.name()).collect();
        let claim = Value::Object(vec![
            ("type".into(), self.predicate_type.into()),
            ("kind".into(), kind.into()),
            ("issuer".into(), speaker.issuer.to_hex().into()),
            ("roles".into(), roles.into()),
            ("age_days".into(), days(self.age_ms(speaker, now_ms)).into()),
            ("leaf".into(), speaker.since.leaf.get().into()),
            ("log".into(), speaker.since.origin.as_str().into()),
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
pub(crate) struct Idle {
    pub(crate) claim: ClaimId,
    /// Whether all who signed it took it back.
    pub(crate) withdrawn: bool,
    /// The claim, by each who signed it.
    pub(crate) evidence: Vec<Evidence>,
}

impl Idle {
    /// A claim that has no effect for anybody; `None` if it has, or if it was taken at another
    /// leaf.
    pub(crate) fn of(judged: &JudgedClaim<'_>, sides: &Sides) -> Option<Self> {
        let logged = judged.logged();
        let (claim, body) = (logged.claim().id(), logged.claim().body());
        let mut idle = Idle {
            claim,
            withdrawn: true,
            evidence: Vec::new(),
        };
        for spoken in judged.spoken() {
            if spoken.standing.is_good() {
                return None;
            }
            idle.withdrawn &= matches!(spoken.standing, Standing::Withdrawn { .. });
            let [grants, _] = sides.of(&spoken.issuer, body);
            idle.evidence.push(Evidence {
                claim,
                origin: logged.origin().to_owned(),
                leaf: logged.leaf(),
                issuer: spoken.issuer,
                roles: grants,
            });
        }
        judged.is_first().then_some(idle)
    }
}

/// What is known of a component.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) component: &'a Component,
    pub(crate) component_value: Value,
    pub(crate) facts: Vec<Fact<'a>>,
    /// What decides nothing, and is told if there is nothing else.
    pub(crate) idle: Vec<Idle>,
    /// How many claims by nobody with a role are about it and have effect.
    pub(crate) by_others: usize,
    /// Reviews of other versions of the package: one of a change counts only with one of what it is
    /// from.
    pub(crate) reviews: Vec<Fact<'a>>,
    /// The newest versions of all documents that were heard; if `None`, those of these facts are
    /// all that there are.
    pub(crate) heard: Option<&'a Editions<'a>>,
    pub(crate) now_ms: u64,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(component: &'a Component, facts: Vec<Fact<'a>>, now_ms: u64) -> Self {
        Facts {
            component,
            component_value: component.to_value(),
            facts,
            idle: Vec::new(),
            by_others: 0,
            reviews: Vec::new(),
            heard: None,
            now_ms,
        }
    }

    /// The newest versions of the documents of these facts.
    fn editions(&self) -> Editions<'a> {
        let mut editions = Editions::default();
        for fact in &self.facts {
            if let Body::Vex(vex) = fact.body {
                let sound = fact.speakers.iter().filter(|speaker| speaker.stands);
                sound.for_each(|one| {
                    editions.take(one.issuer, (&vex.id, vex.version), fact.place())
                });
            }
        }
        editions
    }

    /// The claims of the given types.
    pub(crate) fn of_types<'f>(
        &'f self,
        types: &'f [ClaimType],
    ) -> impl Iterator<Item = &'f Fact<'a>> {
        self.facts.iter().filter(|fact| {
            types
                .iter()
                .any(|ty| ty.is_of(fact.body.kind(), fact.predicate_type))
        })
    }

    /// Whether the condition of a requirement holds of a claim, said by one of its speakers in the
    /// roles in which it speaks for the component. Without a condition it does.
    pub(crate) fn satisfies(
        &self,
        rule: &Rule,
        fact: &Fact<'_>,
        speaker: &Speaker,
    ) -> Result<bool, String> {
        self.holds(rule, fact, speaker, &speaker.grants)
    }

    /// The same of a denial: in the roles in which it speaks against the component.
    pub(crate) fn satisfies_against(
        &self,
        rule: &Rule,
        fact: &Fact<'_>,
        speaker: &Speaker,
    ) -> Result<bool, String> {
        self.holds(rule, fact, speaker, &speaker.grants_against)
    }

    fn holds(
        &self,
        rule: &Rule,
        fact: &Fact<'_>,
        speaker: &Speaker,
        grants: &[Grant],
    ) -> Result<bool, String> {
        match &rule.when {
            Some(condition) => fact.satisfies(
                condition,
                speaker,
                grants,
                &self.component_value,
                self.now_ms,
            ),
            None => Ok(true),
        }
    }
}

//! What is weighed: the claims about a component that have effect, and those that have none.

mod latest;
mod part;
mod relation;
mod vulnerable;

pub use part::Part;
pub use relation::Relation;
pub use vulnerable::Vulnerability;

pub(crate) use relation::relation;
pub(crate) use vulnerable::Vulnerabilities;

use crate::component::Component;
use crate::rules::{ClaimType, Condition, Rule, Variables, days};
use crate::trust::{Grant, JudgedClaim, Place, Role, Standing};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::kind;
use assay_claims::statement::Subject;
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

/// An issuer for whom a claim has effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Speaker {
    pub(crate) issuer: IssuerId,
    pub(crate) grants: Vec<Grant>,
}

impl Speaker {
    pub(crate) fn roles(&self) -> Vec<Role> {
        self.grants.iter().map(|grant| grant.role).collect()
    }
}

/// A claim about the component that has effect for at least one issuer.
#[derive(Debug, Clone)]
pub(crate) struct Fact<'a> {
    pub(crate) claim: ClaimId,
    pub(crate) origin: &'a str,
    pub(crate) leaf: LeafIndex,
    pub(crate) logged_at_ms: u64,
    pub(crate) predicate_type: &'a str,
    pub(crate) predicate: &'a Value,
    pub(crate) subjects: &'a [Subject],
    pub(crate) relation: Relation,
    pub(crate) speakers: Vec<Speaker>,
}

impl<'a> Fact<'a> {
    /// A claim by the issuers for whom it has effect, `roles` being what each of them has; `None`
    /// if it has none for anybody.
    pub(crate) fn of(
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
            origin: self.origin.to_owned(),
            leaf: self.leaf,
            issuer: speaker.issuer,
            roles: speaker.grants.clone(),
        }
    }

    /// Milliseconds since the log took it; nothing if the log's clock is ahead.
    pub(crate) fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.logged_at_ms)
    }

    /// When it was logged, and where, so that of two claims the later can be told.
    pub(crate) fn order(&self) -> (u64, LeafIndex) {
        (self.logged_at_ms, self.leaf)
    }

    /// Whether it is about the very thing that is asked about.
    pub(crate) fn is_of_this(&self) -> bool {
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
            .map_or(self.predicate_type, |known| known.short_name());
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
            ("age_days".into(), days(self.age_ms(now_ms)).into()),
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
pub(crate) struct Idle {
    pub(crate) claim: ClaimId,
    /// Whether all who signed it took it back.
    pub(crate) withdrawn: bool,
    /// The claim, by each who signed it.
    pub(crate) evidence: Vec<Evidence>,
}

impl Idle {
    /// A claim that has no effect for anybody; `None` if it has.
    pub(crate) fn of(
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
pub(crate) struct Facts<'a> {
    pub(crate) component: &'a Component,
    pub(crate) component_value: Value,
    pub(crate) facts: Vec<Fact<'a>>,
    /// What decides nothing, and is told if there is nothing else.
    pub(crate) idle: Vec<Idle>,
    pub(crate) now_ms: u64,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(component: &'a Component, facts: Vec<Fact<'a>>, now_ms: u64) -> Self {
        Facts {
            component,
            component_value: component.to_value(),
            facts,
            idle: Vec::new(),
            now_ms,
        }
    }

    /// The claims of the given types.
    pub(crate) fn of_types<'f>(
        &'f self,
        types: &'f [ClaimType],
    ) -> impl Iterator<Item = &'f Fact<'a>> {
        self.facts
            .iter()
            .filter(|fact| types.iter().any(|ty| ty.is_of(fact.predicate_type)))
    }

    /// Whether the condition of a rule holds of a claim, said by one of its speakers. Without a
    /// condition it does.
    pub(crate) fn satisfies(
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

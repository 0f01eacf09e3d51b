//! The trust anchors and rules of a policy file.

use super::values::Reader;
use crate::rules::Criteria;
use crate::rules::file::{self, At};
use crate::rules::policy::{NamedAnchor, PolicyError};
use crate::rules::rule::{Denial, Effect, Requirement, Rule, Sought, Whom};
use crate::rules::severity::Severity;
use crate::trust::{Anchor, Role};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Kind;
use assay_claims::kind::endorsement::MAX_DEPTH;
use std::collections::BTreeSet;

/// Most issuers that a requirement can ask for. No more than this many can be told apart by people.
const ISSUERS: u32 = 1000;

impl Reader<'_> {
    pub(super) fn anchor(&self, anchor: &file::Anchor) -> Result<NamedAnchor, PolicyError> {
        let issuer = IssuerId::from_hex(anchor.issuer.get_ref());
        let issuer = issuer.ok_or_else(|| {
            let reason = "is no issuer id: 64 of the characters 0 to 9 and a to f; `assay issuer \
                show` prints it";
            self.fault("anchor.issuer", anchor.issuer.span(), reason)
        })?;
        let roles = self.some("anchor.roles", &anchor.roles)?;
        let may_delegate = match &anchor.may_delegate {
            Some(depth) if *depth.get_ref() > MAX_DEPTH => {
                return Err(self.fault(
                    "anchor.may_delegate",
                    depth.span(),
                    format!("has to be from 0 to {MAX_DEPTH}"),
                ));
            }
            depth => depth.as_ref().map_or(0, |depth| *depth.get_ref()),
        };
        Ok(NamedAnchor {
            name: self.words("anchor.name", &anchor.name)?,
            anchor: Anchor {
                issuer,
                roles: roles
                    .iter()
                    .map(|role| self.role("anchor.roles", role))
                    .collect::<Result<_, _>>()?,
                scopes: self.scopes("anchor.scopes", &anchor.scopes)?,
                may_delegate,
            },
        })
    }

    pub(super) fn denial<'f>(
        &self,
        deny: &'f At<file::Deny>,
        names: &mut BTreeSet<&'f str>,
    ) -> Result<Denial, PolicyError> {
        let (span, deny) = (deny.span(), deny.get_ref());
        let rule = Rule {
            name: self.rule_name("deny.name", &deny.name, names)?,
            scopes: self.scopes("deny.scopes", &deny.scopes)?,
            from: self.from("deny.from", &deny.from)?,
            when: deny
                .when
                .as_ref()
                .map(|when| self.condition("deny.when", when))
                .transpose()?,
            effect: effect(deny.outcome),
            reason: self.words("deny.reason", &deny.reason)?,
        };
        self.no_misplaced_key(deny)?;
        let least = || match &deny.severity {
            Some(word) => self.severity(word),
            None => Ok(Severity::None),
        };
        let missing =
            |key: &str, reason: &str| self.fault(&format!("deny.{key}"), span.clone(), reason);
        let sought = match deny.sought {
            file::Sought::Affected => Sought::Affected(least()?),
            file::Sought::Vulnerable => {
                let cleared = deny.cleared_by.as_ref();
                let cleared = cleared.ok_or_else(|| {
                    missing(
                        "cleared_by",
                        "is missing: whose word clears a vulnerability?",
                    )
                })?;
                Sought::Vulnerable {
                    least: least()?,
                    cleared_by: self.whose_word_clears("deny.cleared_by", cleared)?,
                }
            }
            file::Sought::Unsupported => {
                // One later date is enough to say that it is still supported, unless anyone's
                // word counts: then nobody's does.
                if !matches!(self.from("deny.from", &deny.from)?, Whom::Anyone) {
                    self.whose_word_clears("deny.from", &deny.from)?;
                }
                Sought::Unsupported
            }
            file::Sought::Claim => {
                let claims = deny.claims.as_ref();
                let claims = claims
                    .ok_or_else(|| missing("claims", "is missing: which types of claims?"))?;
                Sought::Claims(self.claim_types("deny.claims", claims)?)
            }
        };
        Ok(Denial { rule, sought })
    }

    /// Refuses keys that are of another `if`.
    fn no_misplaced_key(&self, deny: &file::Deny) -> Result<(), PolicyError> {
        let of_vulnerabilities = matches!(
            deny.sought,
            file::Sought::Affected | file::Sought::Vulnerable
        );
        if let Some(severity) = deny.severity.as_ref().filter(|_| !of_vulnerabilities) {
            let reason = "is only for `if = \"affected\"` and `if = \"vulnerable\"`; remove it";
            return Err(self.fault("deny.severity", severity.span(), reason));
        }
        if let Some(claims) = deny
            .claims
            .as_ref()
            .filter(|_| deny.sought != file::Sought::Claim)
        {
            return Err(self.fault(
                "deny.claims",
                claims.span(),
                "is only for `if = \"claim\"`; remove it",
            ));
        }
        if let Some(cleared) = deny
            .cleared_by
            .as_ref()
            .filter(|_| deny.sought != file::Sought::Vulnerable)
        {
            return Err(self.fault(
                "deny.cleared_by",
                cleared.span(),
                "is only for `if = \"vulnerable\"`; remove it",
            ));
        }
        Ok(())
    }

    pub(super) fn requirement<'f>(
        &self,
        require: &'f file::Require,
        criteria: &Criteria,
        names: &mut BTreeSet<&'f str>,
    ) -> Result<Requirement, PolicyError> {
        let issuers = match &require.issuers {
            Some(count) if *count.get_ref() == 0 || *count.get_ref() > ISSUERS => {
                let reason =
                    format!("has to be from 1 to {ISSUERS}: what nobody has to say is no demand");
                return Err(self.fault("require.issuers", count.span(), reason));
            }
            count => count.as_ref().map_or(1, |count| *count.get_ref()),
        };
        let named_criteria = self.named_criteria(require)?;
        let meaning = |name: &String| {
            let means = criteria.that_mean(name).into_iter();
            means.map(str::to_owned).collect()
        };
        let needed = named_criteria
            .iter()
            .flat_map(|name| criteria.that_follow(name));
        Ok(Requirement {
            needed: needed.map(str::to_owned).collect(),
            criteria: named_criteria.iter().map(meaning).collect(),
            named_criteria,
            rule: Rule {
                name: self.rule_name("require.name", &require.name, names)?,
                scopes: self.scopes("require.scopes", &require.scopes)?,
                from: self.no_stranger("require.from", &require.from)?,
                when: require
                    .when
                    .as_ref()
                    .map(|when| self.condition("require.when", when))
                    .transpose()?,
                effect: effect(require.outcome),
                reason: self.words("require.reason", &require.reason)?,
            },
            claims: self.claim_types("require.claims", &require.claims)?,
            issuers: usize::try_from(issuers).unwrap_or(usize::MAX),
            max_age_ms: require
                .max_age
                .as_ref()
                .map(|age| self.duration("require.max_age", age))
                .transpose()?,
        })
    }
}

impl Reader<'_> {
    /// Whose word speaks for a component. That of anyone cannot: anyone is everyone who wants to
    /// harm you, too.
    fn no_stranger(&self, key: &str, list: &At<Vec<At<String>>>) -> Result<Whom, PolicyError> {
        match self.from(key, list)? {
            Whom::Anyone => {
                let reason = "cannot be \"anyone\": whoever wants to harm you could say it too. \
                    Name the roles whose word is enough";
                Err(self.fault(key, list.span(), reason))
            }
            whom => Ok(whom),
        }
    }

    /// As above, where that word makes something harmless.
    fn whose_word_clears(
        &self,
        key: &str,
        list: &At<Vec<At<String>>>,
    ) -> Result<Whom, PolicyError> {
        let whom = self.no_stranger(key, list)?;
        let builder = list.get_ref().iter();
        let mut builder = builder.filter(|role| role.get_ref() == Role::Builder.name());
        match builder.next() {
            Some(builder) => {
                let reason = "a builder says how something was built and what a scan found, and \
                    clears nothing; remove it";
                Err(self.fault(key, builder.span(), reason))
            }
            None => Ok(whom),
        }
    }

    /// What reviews have to be for. Other claims have no criteria.
    fn named_criteria(&self, require: &file::Require) -> Result<Vec<String>, PolicyError> {
        let Some(criteria) = &require.criteria else {
            return Ok(Vec::new());
        };
        let mut claims = require.claims.get_ref().iter();
        if claims.any(|ty| Kind::named(ty.get_ref()) != Some(Kind::Audit)) {
            let reason = "are of reviews only; write `claims = [\"audit\"]`, or remove them";
            return Err(self.fault("require.criteria", criteria.span(), reason));
        }
        let named = self.some("require.criteria", criteria)?.iter();
        named
            .map(|criterion| self.words("require.criteria", criterion))
            .collect()
    }
}

fn effect(outcome: file::Effect) -> Effect {
    match outcome {
        file::Effect::Deny => Effect::Deny,
        file::Effect::Warn => Effect::Warn,
    }
}

//! What a policy ignores, the registries that it takes for public ones, and the criteria that it
//! knows.

use super::values::Reader;
use crate::rules::Criteria;
use crate::rules::file::{self, At};
use crate::rules::policy::{Ignore, Ignored, PolicyError, Registry};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Timestamp;
use assay_claims::purl::Pattern;
use std::collections::BTreeSet;
use std::ops::Range;

impl Reader<'_> {
    /// An entry of what is ignored, of a policy that has rules of these names.
    pub(super) fn ignore(
        &self,
        ignore: &At<file::Ignore>,
        rules: &BTreeSet<&str>,
    ) -> Result<Ignore, PolicyError> {
        let (span, ignore) = (ignore.span(), ignore.get_ref());
        let file::Ignore {
            issuer,
            claim,
            vulnerability,
            rule,
            ..
        } = ignore;
        let what = match (issuer, claim, vulnerability, rule) {
            (Some(issuer), None, None, None) => {
                self.no_scopes(ignore)?;
                let id = IssuerId::from_hex(issuer.get_ref()).map(Ignored::Issuer);
                id.ok_or_else(|| self.no_id("ignore.issuer", issuer))?
            }
            (None, Some(claim), None, None) => {
                self.no_scopes(ignore)?;
                let id = ClaimId::from_hex(claim.get_ref()).map(Ignored::Claim);
                id.ok_or_else(|| self.no_id("ignore.claim", claim))?
            }
            (None, None, Some(id), None) => Ignored::Vulnerability {
                id: self.words("ignore.vulnerability", id)?,
                scopes: self.ignored_in(ignore, span)?,
            },
            (None, None, None, Some(rule)) => Ignored::Rule {
                name: self.ignored_rule(rule, rules)?,
                scopes: self.ignored_in(ignore, span)?,
            },
            _ => {
                let reason = "names one of these: a vulnerability, a rule, a claim, an issuer; \
                    add it, or make several of it";
                return Err(self.fault("ignore", span, reason));
            }
        };
        let until = Timestamp::parse_end(&ignore.until.get_ref().text()).ok_or_else(|| {
            let reason = "has to be a date, such as \"2026-12-31\": what is ignored for ever is \
                forgotten";
            self.fault("ignore.until", ignore.until.span(), reason)
        })?;
        Ok(Ignore {
            what,
            reason: self.words("ignore.reason", &ignore.reason)?,
            until,
        })
    }

    /// The packages in which something is ignored.
    fn ignored_in(
        &self,
        ignore: &file::Ignore,
        span: Range<usize>,
    ) -> Result<Vec<Pattern>, PolicyError> {
        let scopes = ignore.scopes.as_ref().ok_or_else(|| {
            let reason = "is missing: in which packages? All are [\"pkg:*\"]";
            self.fault("ignore.scopes", span, reason)
        })?;
        self.scopes("ignore.scopes", scopes)
    }

    fn no_scopes(&self, ignore: &file::Ignore) -> Result<(), PolicyError> {
        match &ignore.scopes {
            None => Ok(()),
            Some(scopes) => {
                let reason = "is only for a vulnerability or a rule; remove it";
                Err(self.fault("ignore.scopes", scopes.span(), reason))
            }
        }
    }

    /// A rule of the policy; or `unknown`, which every policy has. What is wrong with the answer of
    /// a log cannot be ignored.
    fn ignored_rule(
        &self,
        rule: &At<String>,
        rules: &BTreeSet<&str>,
    ) -> Result<String, PolicyError> {
        let name = self.words("ignore.rule", rule)?;
        if name == "unknown" || rules.contains(name.as_str()) {
            return Ok(name);
        }
        let reason = "is no rule of this policy; name a [[deny]] or a [[require]], or \"unknown\"";
        Err(self.fault("ignore.rule", rule.span(), reason))
    }

    pub(super) fn registries(
        &self,
        stated: &[file::Registry],
    ) -> Result<Vec<Registry>, PolicyError> {
        stated
            .iter()
            .map(|registry| self.registry(registry))
            .collect()
    }

    fn registry(&self, registry: &file::Registry) -> Result<Registry, PolicyError> {
        let mut mirrors = Vec::new();
        for mirror in self.some("registry.mirrors", &registry.mirrors)? {
            let url = self.words("registry.mirrors", mirror)?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                let reason = "has to be an address, such as \"https://mirror.example.com/npm\"";
                return Err(self.fault("registry.mirrors", mirror.span(), reason));
            }
            mirrors.push(url);
        }
        Ok(Registry {
            ty: self.words("registry.type", &registry.r#type)?,
            mirrors,
        })
    }

    fn no_id(&self, key: &str, id: &At<String>) -> PolicyError {
        let reason = "is no id: 64 of the characters 0 to 9 and a to f";
        self.fault(key, id.span(), reason)
    }

    pub(super) fn criteria(&self, stated: &[file::Criterion]) -> Result<Criteria, PolicyError> {
        let mut criteria = Criteria::default();
        for one in stated {
            let name = self.words("criterion.name", &one.name)?;
            let mut implied = Vec::new();
            for weaker in self.some("criterion.implies", &one.implies)? {
                implied.push(self.words("criterion.implies", weaker)?);
            }
            if criteria.implied.insert(name, implied).is_some() {
                let reason = "is there twice; put all that it implies in one list";
                return Err(self.fault("criterion.name", one.name.span(), reason));
            }
        }
        Ok(criteria)
    }
}

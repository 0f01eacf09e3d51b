//! What a policy ignores, the registries that it takes for public ones, and the criteria that it
//! knows.

use super::values::Reader;
use crate::rules::Criteria;
use crate::rules::file::{self, At};
use crate::rules::policy::{Ignore, Ignored, PolicyError, Registry};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Timestamp;

impl Reader<'_> {
    pub(super) fn ignore(&self, ignore: &At<file::Ignore>) -> Result<Ignore, PolicyError> {
        let (span, ignore) = (ignore.span(), ignore.get_ref());
        let what = match (&ignore.issuer, &ignore.claim) {
            (Some(issuer), None) => {
                let id = IssuerId::from_hex(issuer.get_ref()).map(Ignored::Issuer);
                id.ok_or_else(|| self.no_id("ignore.issuer", issuer))?
            }
            (None, Some(claim)) => {
                let id = ClaimId::from_hex(claim.get_ref()).map(Ignored::Claim);
                id.ok_or_else(|| self.no_id("ignore.claim", claim))?
            }
            _ => {
                let reason = "names either an issuer or a claim; add one of the two, or make two \
                    of it";
                return Err(self.fault("ignore", span, reason));
            }
        };
        let until = Timestamp::parse_end(ignore.until.get_ref()).ok_or_else(|| {
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

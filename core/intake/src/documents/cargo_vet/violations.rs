//! What the violations of a crate take from its audits (cargo-vet, `src/resolver.rs`): an audit for
//! criteria of which one is violated in its version counts for none.

use super::criteria::{Criteria, one_or_more};
use super::range::Versions;
use super::{VetVersion, purl, required};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::vers::{self, Applies};
use semver::Version;

/// The violations of a crate.
pub(super) struct Violations<'d, 'v> {
    name: &'d str,
    defined: &'d Criteria<'v>,
    /// The versions of each, and what is not met there.
    list: Vec<(Versions, Vec<String>)>,
}

impl<'d, 'v> Violations<'d, 'v> {
    /// Those among the entries of a crate; also what is nobody else's business, as who publishes
    /// knows it.
    pub fn read(
        name: &'d str,
        entries: &Node<'_, '_>,
        defined: &'d Criteria<'v>,
    ) -> Result<Self, PredicateError> {
        let mut list = Vec::new();
        for entry in entries.items()? {
            if let Some(violation) = entry.get("violation") {
                let criteria = one_or_more(&entry.need("criteria")?)?;
                list.push((required(&violation)?, defined.violated(&criteria).1));
            }
        }
        Ok(Violations {
            name,
            defined,
            list,
        })
    }

    /// Whether an entry is an audit, of a version or of a change to one, for criteria of which one
    /// is violated there.
    pub fn deny(&self, entry: &Node<'_, '_>) -> Result<bool, PredicateError> {
        if self.list.is_empty() || entry.get("violation").is_some() {
            return Ok(false);
        }
        let (version, delta) = (entry.get("version"), entry.get("delta"));
        let Some(node) = version.or(delta) else {
            return Ok(false);
        };
        let text = node.text()?;
        let to = text.rsplit("->").next().unwrap_or(text);
        let version = VetVersion::read(&node, to.trim())?.version;
        let met = self.defined.met(&one_or_more(&entry.need("criteria")?)?);
        for (versions, violated) in &self.list {
            let is_violated = met.iter().any(|one| violated.contains(one));
            if is_violated && self.are_of(versions, &version, entry)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a version may be one of these.
    fn are_of(
        &self,
        versions: &Versions,
        version: &Version,
        entry: &Node<'_, '_>,
    ) -> Result<bool, PredicateError> {
        Ok(match versions {
            Versions::One(one) => one.cmp_precedence(version).is_eq(),
            Versions::Range(range) => {
                let purl = purl(self.name, Some(version), entry)?;
                vers::contains_that_of(range, &purl) != Applies::No
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;

    /// The versions that audits vouch for in a store with an audit and a violation, and whether it
    /// is said that one was left out.
    fn vouched(audit: &str, violation: &str) -> (usize, bool) {
        let text = format!(
            r#"
[criteria.strong]
description = "very good"
implies = "safe-to-deploy"

[criteria.other]
description = "tidy"

[[audits.a]]
{audit}

[[audits.a]]
{violation}
"#
        );
        let claims = prepare("audit", "audits.toml", text.as_bytes(), "").unwrap();
        let verdicts = claims.iter().map(|one| one.predicate.get("verdict"));
        let passed = verdicts.filter(|one| one.and_then(|text| text.as_str()) == Some("pass"));
        let notes = claims.iter().flat_map(|one| &one.summary);
        let told = notes
            .clone()
            .any(|(_, note)| note.contains("a violation denies one"));
        (passed.count(), told)
    }

    #[test]
    fn an_audit_for_criteria_of_which_one_is_violated_vouches_for_none() {
        let strong = "criteria = \"strong\"\n";
        let deploy = "criteria = \"safe-to-deploy\"\n";
        let both = "criteria = [\"other\", \"safe-to-run\"]\n";
        let other = "criteria = \"other\"\n";
        let run = "criteria = \"safe-to-run\"\n";
        for (audited, violated, stands) in [
            (strong, strong, false),
            (strong, deploy, false),
            (strong, run, false),
            (deploy, run, false),
            (both, other, false),
            // No criterion of the audit is violated.
            (deploy, strong, true),
            (deploy, other, true),
            (run, deploy, true),
        ] {
            let audit = format!("{audited}version = \"1.0.0\"");
            let violation = format!("{violated}violation = \"=1.0.0\"");
            let expected = (usize::from(stands), !stands);
            assert_eq!(vouched(&audit, &violation), expected, "{audit} {violation}");
        }
    }

    #[test]
    fn a_violation_is_of_its_versions() {
        for (of, violated, stands) in [
            ("version = \"1.0.0\"", "=1.0.0", false),
            ("version = \"1.0.0+x\"", "=1.0.0", false),
            ("version = \"1.0.0\"", "<2", false),
            ("version = \"1.0.0\"", "*", false),
            ("version = \"1.0.0\"", "=1.0.1", true),
            ("version = \"1.0.0\"", ">=1.0.1", true),
            ("delta = \"0.9.0 -> 1.0.0\"", "=1.0.0", false),
            ("delta = \"1.0.0 -> 1.0.1\"", "=1.0.0", true),
        ] {
            let audit = format!("criteria = \"strong\"\n{of}");
            let violation = format!("criteria = \"strong\"\nviolation = \"{violated}\"");
            let expected = (usize::from(stands), !stands);
            assert_eq!(vouched(&audit, &violation), expected, "{of} {violated}");
        }
        // What is nobody else's business is still what who publishes knows.
        let audit = "criteria = \"strong\"\nversion = \"1.0.0\"";
        let local = "criteria = \"strong\"\nviolation = \"=1.0.0\"\nimportable = false\n\
            [[audits.a]]\ncriteria = \"other\"\nversion = \"1.0.0\"";
        assert_eq!(vouched(audit, local), (1, true));
    }
}

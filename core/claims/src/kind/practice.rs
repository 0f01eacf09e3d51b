//! `urn:assay:practice:v1`: how software is made securely, and what data it handles
//! (docs/design.md 3.3).
//!
//! - `baseline` (optional): controls of the OSPS Baseline: `version` of the Baseline, and `met`,
//!   `notMet` and `notApplicable`, lists of ids such as `OSPS-AC-01.01`. No id comes twice; one
//!   that is not listed is not claimed about
//! - `securityInsights` (optional): what a SECURITY-INSIGHTS v2 document says: `schemaVersion`,
//!   `url`, `lastUpdated`, `lastReviewed`, its `digest` (`sha256`), and of its content `status`,
//!   `license`, `reportsAccepted`, `bugBounty`, `securityPolicy`, `automatedRelease`,
//!   `noThirdPartyPackages`
//! - `data` (optional): what personal data the software handles: `summary` in plain words,
//!   `collects` and `sendsTo`, lists of what and to whom (empty: nothing, nobody), `policy`, a URL
//!
//! One of the three has to be there.

use super::error::PredicateError;
use super::node::{Node, quoted};
use super::predicate::{Predicate, TypeOf};
use crate::json::{Value, object};
use assay_tlog::Hash;

/// The predicate type's URI.
pub const URI: &str = "urn:assay:practice:v1";

/// The predicate. At least one of its parts is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Practice {
    /// Controls of the OSPS Baseline.
    pub baseline: Option<Baseline>,
    /// What a SECURITY-INSIGHTS document says.
    pub security_insights: Option<SecurityInsights>,
    /// What personal data the software handles.
    pub data: Option<DataHandling>,
}

/// Controls of the OSPS Baseline, by their ids. No id is in two lists, or twice in one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    /// The version of the Baseline.
    pub version: Option<String>,
    /// Those that are met.
    pub met: Vec<String>,
    /// Those that are not.
    pub not_met: Vec<String>,
    /// Those that do not apply.
    pub not_applicable: Vec<String>,
}

/// What a SECURITY-INSIGHTS document says, people left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityInsights {
    /// The version of its schema: 2 and something.
    pub schema_version: String,
    /// Where it says that it is to be found.
    pub url: String,
    /// When it was last changed, a date.
    pub last_updated: String,
    /// When it was last reviewed, a date.
    pub last_reviewed: String,
    /// SHA-256 of the document.
    pub sha256: Hash,
    /// The repository's status, such as `active` or `unsupported`.
    pub status: Option<String>,
    /// The SPDX expression of the repository's license.
    pub license: Option<String>,
    /// Whether reports of vulnerabilities are accepted.
    pub reports_accepted: Option<bool>,
    /// Whether there is a bug bounty.
    pub bug_bounty: Option<bool>,
    /// Where the policy for reporting is.
    pub security_policy: Option<String>,
    /// Whether releases are made by an automated pipeline.
    pub automated_release: Option<bool>,
    /// Whether there are no dependencies on others' packages.
    pub no_third_party_packages: Option<bool>,
}

/// What personal data software handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataHandling {
    /// In plain words.
    pub summary: String,
    /// What it collects; empty: nothing.
    pub collects: Vec<String>,
    /// To whom it sends it; empty: to nobody.
    pub sends_to: Vec<String>,
    /// Where the privacy policy is.
    pub policy: Option<String>,
}

impl Predicate for Practice {
    const NAME: &'static str = "practice";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("practice", &[URI], Self::read)];
}

impl Practice {
    /// Reads a predicate; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    /// Reads a predicate where it stands.
    pub fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let practice = Practice {
            baseline: node
                .get("baseline")
                .map(|node| Baseline::read(&node))
                .transpose()?,
            security_insights: node
                .get("securityInsights")
                .map(|node| SecurityInsights::read(&node))
                .transpose()?,
            data: node
                .get("data")
                .map(|node| DataHandling::read(&node))
                .transpose()?,
        };
        if practice == Practice::default() {
            Err(node.fault("has none of baseline, securityInsights and data"))
        } else {
            Ok(practice)
        }
    }

    /// Whether it says that a control of the OSPS Baseline is met.
    pub fn meets(&self, control: &str) -> bool {
        self.baseline
            .as_ref()
            .is_some_and(|baseline| baseline.met.iter().any(|met| met == control))
    }

    /// The predicate as JSON, fields in the order of this type.
    pub fn to_value(&self) -> Value {
        object([
            ("baseline", self.baseline.as_ref().map(Baseline::to_value)),
            (
                "securityInsights",
                self.security_insights
                    .as_ref()
                    .map(SecurityInsights::to_value),
            ),
            ("data", self.data.as_ref().map(DataHandling::to_value)),
        ])
    }
}

impl Baseline {
    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let mut seen = Vec::new();
        let mut ids = |key| -> Result<Vec<String>, PredicateError> {
            let Some(list) = node.get(key) else {
                return Ok(Vec::new());
            };
            let ids = list.list(0, |id| control(id))?;
            for (id, item) in ids.iter().zip(list.items()?) {
                if seen.contains(id) {
                    return Err(item.fault(format!("{id} is listed before")));
                }
                seen.push(id.clone());
            }
            Ok(ids)
        };
        let (met, not_met, not_applicable) = (ids("met")?, ids("notMet")?, ids("notApplicable")?);
        if seen.is_empty() {
            return Err(node.fault("lists no control"));
        }
        Ok(Baseline {
            version: line(node, "version")?,
            met,
            not_met,
            not_applicable,
        })
    }

    fn to_value(&self) -> Value {
        let list = |ids: &[String]| (!ids.is_empty()).then(|| ids.to_vec().into());
        object([
            ("version", self.version.as_deref().map(Value::from)),
            ("met", list(&self.met)),
            ("notMet", list(&self.not_met)),
            ("notApplicable", list(&self.not_applicable)),
        ])
    }
}

impl SecurityInsights {
    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let digest = node.need("digest")?.need("sha256")?.string()?.to_owned();
        let sha256 = Hash::from_hex(&digest);
        let needed = |key| node.need(key)?.line().map(str::to_owned);
        Ok(SecurityInsights {
            schema_version: needed("schemaVersion")?,
            url: needed("url")?,
            last_updated: needed("lastUpdated")?,
            last_reviewed: needed("lastReviewed")?,
            sha256: sha256.ok_or_else(|| {
                node.fault("digest.sha256 is no SHA-256 in 64 lower-case hex digits")
            })?,
            status: line(node, "status")?,
            license: line(node, "license")?,
            reports_accepted: boolean(node, "reportsAccepted")?,
            bug_bounty: boolean(node, "bugBounty")?,
            security_policy: line(node, "securityPolicy")?,
            automated_release: boolean(node, "automatedRelease")?,
            no_third_party_packages: boolean(node, "noThirdPartyPackages")?,
        })
    }

    fn to_value(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        object([
            ("schemaVersion", Some(self.schema_version.as_str().into())),
            ("url", Some(self.url.as_str().into())),
            ("lastUpdated", Some(self.last_updated.as_str().into())),
            ("lastReviewed", Some(self.last_reviewed.as_str().into())),
            (
                "digest",
                Some(object([("sha256", Some(self.sha256.to_hex().into()))])),
            ),
            ("status", text(&self.status)),
            ("license", text(&self.license)),
            ("reportsAccepted", self.reports_accepted.map(Value::from)),
            ("bugBounty", self.bug_bounty.map(Value::from)),
            ("securityPolicy", text(&self.security_policy)),
            ("automatedRelease", self.automated_release.map(Value::from)),
            (
                "noThirdPartyPackages",
                self.no_third_party_packages.map(Value::from),
            ),
        ])
    }
}

impl DataHandling {
    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let lines = |key| {
            node.need(key)?
                .list(0, |item| item.line().map(str::to_owned))
        };
        Ok(DataHandling {
            summary: node.need("summary")?.prose()?.to_owned(),
            collects: lines("collects")?,
            sends_to: lines("sendsTo")?,
            policy: line(node, "policy")?,
        })
    }

    fn to_value(&self) -> Value {
        object([
            ("summary", Some(self.summary.as_str().into())),
            ("collects", Some(self.collects.clone().into())),
            ("sendsTo", Some(self.sends_to.clone().into())),
            ("policy", self.policy.as_deref().map(Value::from)),
        ])
    }
}

/// An id of a control (`OSPS-AC-01`) or of one of its requirements (`OSPS-AC-01.02`), as the OSPS
/// Baseline has them.
fn control(node: &Node<'_, '_>) -> Result<String, PredicateError> {
    let text = node.string()?;
    let two = |part: &str, of: fn(&u8) -> bool| part.len() == 2 && part.bytes().all(|b| of(&b));
    let good = text
        .strip_prefix("OSPS-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(family, number)| {
            let (number, requirement) = number.split_once('.').unwrap_or((number, "01"));
            two(family, u8::is_ascii_uppercase)
                && [number, requirement]
                    .iter()
                    .all(|part| two(part, u8::is_ascii_digit))
        });
    if good {
        Ok(text.to_owned())
    } else {
        Err(node.fault(format!(
            "{} is no id of the OSPS Baseline such as OSPS-AC-01.01",
            quoted(text)
        )))
    }
}

fn line(node: &Node<'_, '_>, key: &'static str) -> Result<Option<String>, PredicateError> {
    node.get(key)
        .map(|node| node.line().map(str::to_owned))
        .transpose()
}

fn boolean(node: &Node<'_, '_>, key: &'static str) -> Result<Option<bool>, PredicateError> {
    let Some(node) = node.get(key) else {
        return Ok(None);
    };
    node.value()
        .as_bool()
        .map(Some)
        .ok_or_else(|| node.fault("has to be true or false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn practice() -> Practice {
        Practice {
            baseline: Some(Baseline {
                version: Some("2025-02-25".into()),
                met: vec!["OSPS-AC-01.01".into(), "OSPS-BR-02".into()],
                not_met: vec!["OSPS-VM-05.03".into()],
                not_applicable: vec!["OSPS-DO-01.01".into()],
            }),
            security_insights: Some(SecurityInsights {
                schema_version: "2.0.0".into(),
                url: "https://e.org/r".into(),
                last_updated: "2025-01-01".into(),
                last_reviewed: "2025-01-02".into(),
                sha256: Hash::of(b""),
                status: Some("active".into()),
                license: Some("MIT".into()),
                reports_accepted: Some(true),
                bug_bounty: Some(false),
                security_policy: Some("https://e.org/p".into()),
                automated_release: None,
                no_third_party_packages: Some(true),
            }),
            data: Some(DataHandling {
                summary: "Crash reports, if the user agrees.".into(),
                collects: vec!["stack traces".into()],
                sends_to: vec![],
                policy: Some("https://e.org/privacy".into()),
            }),
        }
    }

    #[test]
    fn a_practice_reads_back() {
        assert_eq!(Practice::parse(&practice().to_value()), Ok(practice()));
        for part in [
            Practice {
                baseline: practice().baseline,
                ..Practice::default()
            },
            Practice {
                data: practice().data,
                ..Practice::default()
            },
        ] {
            assert_eq!(Practice::parse(&part.to_value()), Ok(part));
        }
        assert!(
            practice().meets("OSPS-BR-02")
                && !practice().meets("OSPS-VM-05.03")
                && !practice().meets("OSPS-XX-01")
        );
        assert!(!Practice::default().meets("OSPS-BR-02"));
    }

    #[test]
    fn every_field_is_checked_and_named() {
        let good = practice().to_value().to_json();
        for (from, to, path) in [
            (
                r#""OSPS-BR-02""#,
                r#""OSPS-BR-2""#,
                "$.predicate.baseline.met[1]",
            ),
            (
                r#""OSPS-BR-02""#,
                r#""OSPS-br-02""#,
                "$.predicate.baseline.met[1]",
            ),
            (
                r#""OSPS-VM-05.03""#,
                r#""OSPS-AC-01.01""#,
                "$.predicate.baseline.notMet[0]",
            ),
            (
                r#""version":"2025-02-25""#,
                r#""version":7"#,
                "$.predicate.baseline.version",
            ),
            (
                r#""sha256":"e3"#,
                r#""sha256":"E3"#,
                "$.predicate.securityInsights",
            ),
            (
                r#""schemaVersion":"2.0.0","#,
                "",
                "$.predicate.securityInsights.schemaVersion",
            ),
            (
                r#""bugBounty":false"#,
                r#""bugBounty":"no""#,
                "$.predicate.securityInsights.bugBounty",
            ),
            (r#""sendsTo":[],"#, "", "$.predicate.data.sendsTo"),
            (r#""stack traces""#, r#""""#, "$.predicate.data.collects[0]"),
            (r#""summary""#, r#""text""#, "$.predicate.data.summary"),
        ] {
            assert!(good.contains(from), "{from}");
            let changed = crate::json::parse(good.replace(from, to).as_bytes()).unwrap();
            assert_eq!(Practice::parse(&changed).unwrap_err().path, path, "{to}");
        }
        for nothing in ["{}", r#"{"x":1}"#] {
            assert_eq!(
                Practice::parse(&crate::json::parse(nothing.as_bytes()).unwrap())
                    .unwrap_err()
                    .path,
                "$.predicate"
            );
        }
        let no_control = crate::json::parse(br#"{"baseline":{"version":"1"}}"#).unwrap();
        assert_eq!(
            Practice::parse(&no_control).unwrap_err().path,
            "$.predicate.baseline"
        );
    }
}

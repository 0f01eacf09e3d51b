//! `https://in-toto.io/attestation/vulns/v0.2`: what a scanner found.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::raw;
use crate::json::Value;
use crate::time::Timestamp;
use std::fmt::Write;

const URI: &str = "https://in-toto.io/attestation/vulns/v0.2";

/// The URI of a scanner that has none of its own: `urn:assay:tool:` and its name, percent-encoded
/// (RFC 3986, section 2).
pub fn tool_uri(name: &str) -> String {
    let mut uri = "urn:assay:tool:".to_owned();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// What a scanner found, as far as it bears on trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vulns {
    /// The scanner.
    pub scanner: String,
    /// What it found, in its order; an identifier may come more than once.
    pub vulnerabilities: Vec<Vulnerability>,
    /// When the scan ended.
    pub finished: Timestamp,
    /// What was scanned, as JSON, if it is stated: two scans with the same value were of the same
    /// things.
    pub scanned: Option<String>,
}

/// A vulnerability that a scanner found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vulnerability {
    /// Its identifier.
    pub id: String,
    /// Its severities, method and score, such as `CVSS_V3` and a vector; may be empty.
    pub severities: Vec<(String, String)>,
}

impl Predicate for Vulns {
    const NAME: &'static str = "scan";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("scan", &[URI], Self::read)];

    fn vulnerabilities(predicate: &Value) -> Vec<&Value> {
        let results = raw::items(predicate.pointer("/scanner/result"));
        results
            .iter()
            .filter_map(|result| result.get("id"))
            .collect()
    }
}

impl Vulns {
    /// Reads a predicate, checked as on admission; fields that are not known are passed over.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check(node)?;
        let scanner = node.need("scanner")?;
        let results = scanner.need("result")?;
        Ok(Vulns {
            scanner: scanner.need("uri")?.text()?.to_owned(),
            vulnerabilities: results
                .items()?
                .map(|result| Vulnerability::read(&result))
                .collect::<Result<_, _>>()?,
            finished: node.need("metadata")?.need("scanFinishedOn")?.timestamp()?,
            scanned: node
                .value()
                .pointer("/metadata/scanned")
                .map(Value::to_json),
        })
    }
}

impl Vulnerability {
    fn read(result: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let severities = result
            .value()
            .get("severity")
            .and_then(Value::as_array)
            .unwrap_or_default();
        let text = |severity: &Value, key| severity.get(key)?.as_str().map(str::to_owned);
        let severities = severities
            .iter()
            .filter_map(|s| Some((text(s, "method")?, text(s, "score")?)));
        Ok(Vulnerability {
            id: result.need("id")?.text()?.to_owned(),
            severities: severities.collect(),
        })
    }
}

/// Specification: in-toto attestation, `spec/predicates/vulns_02.md`. It calls
/// `scanner.db.lastUpdate` and `severity` required, and its own examples lack them; so a database
/// has to be dated if it is named, and severities may be absent.
fn check(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    let scanner = predicate.need("scanner")?;
    scanner.need("uri")?.text()?;
    scanner.optional_text("version")?;
    if let Some(db) = scanner.get("db") {
        db.optional_text("uri")?;
        db.optional_text("version")?;
        db.need("lastUpdate")?.instant()?;
    }
    for result in scanner.need("result")?.items()? {
        result.need("id")?.text()?;
        if let Some(severities) = result.get("severity") {
            for severity in severities.items()? {
                severity.need("method")?.text()?;
                severity.need("score")?.text()?;
            }
        }
        if let Some(annotations) = result.get("annotations") {
            for annotation in annotations.items()? {
                annotation.object()?;
            }
        }
    }
    let metadata = predicate.need("metadata")?;
    metadata.need("scanStartedOn")?.instant()?;
    metadata.need("scanFinishedOn")?.instant()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_need_ids_and_times_need_a_form() {
        let good = r#"{"scanner":{"uri":"u","result":[{"id":"A","severity":[{"method":"m","score":"1"}],"new":1}]},
            "metadata":{"scanStartedOn":"2020-01-01T00:00:00Z","scanFinishedOn":"2020-01-01T00:00:00Z"}}"#;
        let check =
            |text: &str| crate::kind::check(URI, &crate::json::parse(text.as_bytes()).unwrap());
        check(good).unwrap();
        let read = Vulns::parse(&crate::json::parse(good.as_bytes()).unwrap()).unwrap();
        assert_eq!(
            (read.scanner.as_str(), read.finished.as_str()),
            ("u", "2020-01-01T00:00:00Z")
        );
        let severities = vec![("m".to_owned(), "1".to_owned())];
        assert_eq!(
            read.vulnerabilities,
            [Vulnerability {
                id: "A".into(),
                severities
            }]
        );
        for (from, to, path) in [
            (r#""uri":"u""#, r#""uri":"""#, "$.predicate.scanner.uri"),
            (
                r#""id":"A""#,
                r#""id":7"#,
                "$.predicate.scanner.result[0].id",
            ),
            (
                r#""score":"1""#,
                r#""score":1"#,
                "$.predicate.scanner.result[0].severity[0].score",
            ),
            (
                r#""scanFinishedOn""#,
                r#""scanFinished""#,
                "$.predicate.metadata.scanFinishedOn",
            ),
            (
                r#""scanStartedOn":"2020-01-01T"#,
                r#""scanStartedOn":"2020-01-01 "#,
                "$.predicate.metadata.scanStartedOn",
            ),
            (
                r#""uri":"u""#,
                r#""uri":"u","db":{}"#,
                "$.predicate.scanner.db.lastUpdate",
            ),
            (
                r#"{"scanner""#,
                r#"{"attachments":[{"digest":{"sha256":"00"}}],"scanner""#,
                "$.predicate.attachments[0].digest.sha256",
            ),
            (
                r#"{"scanner""#,
                r#"{"attachments":[{"uri":"u"}],"scanner""#,
                "$.predicate.attachments[0]",
            ),
        ] {
            assert_eq!(check(&good.replacen(from, to, 1)).unwrap_err().path, path);
        }
    }
}

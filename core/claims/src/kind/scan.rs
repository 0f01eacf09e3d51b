//! `https://in-toto.io/attestation/vulns/v0.2`: what a scanner found.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::raw;
use crate::json::Value;
use crate::purl::Purl;
use crate::time::Timestamp;
use std::collections::HashSet;
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
    /// What it was told to keep silent about: that it did not find these says nothing. A member of
    /// Assay's own, `scanner.ignored`.
    pub ignored: Vec<String>,
    /// When the scan ended.
    pub finished: Timestamp,
    /// What was scanned, as JSON, if it is stated: two scans with the same value were of the same
    /// things.
    pub scanned: Option<String>,
    /// Whether it looked at all that it was to look at: its metadata do not say that they are not
    /// `complete`. What a scan found that broke off counts; what it did not find says nothing.
    pub is_complete: bool,
    /// Whether it looked for known vulnerabilities: its metadata do not say that they are no
    /// `knownVulnerabilities`, as of a linter. What such a scan found counts; that it found nothing
    /// says nothing of what is known.
    pub looks_for_known: bool,
}

/// A vulnerability that a scanner found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vulnerability {
    /// Its identifier.
    pub id: String,
    /// Its other names, by the scanner's word: items of the lists `aliases` of its annotations.
    pub aliases: Vec<String>,
    /// Its severities, method and score, such as `CVSS_V3` and a vector; may be empty.
    pub severities: Vec<(String, String)>,
    /// The packages in which it was found, by their purls in the annotations; empty if an
    /// annotation names a place otherwise, as a commit is one, or none does.
    pub found_in: Vec<Purl>,
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
            vulnerabilities: found(&results)?,
            ignored: raw::items(scanner.value().get("ignored"))
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            finished: node.need("metadata")?.need("scanFinishedOn")?.timestamp()?,
            scanned: node
                .value()
                .pointer("/metadata/scanned")
                .map(Value::to_json),
            is_complete: !is_denied(node, "/metadata/complete"),
            looks_for_known: !is_denied(node, "/metadata/knownVulnerabilities"),
        })
    }
}

/// Whether a member says `false`.
fn is_denied(node: &Node<'_, '_>, pointer: &str) -> bool {
    node.value().pointer(pointer) == Some(&Value::Bool(false))
}

/// What was found. A result that is there for another name of one that is listed as well, so that
/// the index has it, is no finding of its own: an annotation says so, `aliasOf`.
fn found(results: &Node<'_, '_>) -> Result<Vec<Vulnerability>, PredicateError> {
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for result in results.items()? {
        let read = Vulnerability::read(&result)?;
        let annotations = raw::items(result.value().get("annotations")).iter();
        let mut names = annotations.filter_map(|one| one.get("aliasOf")?.as_str());
        match names.next() {
            Some(name) => others.push((name.to_owned(), read)),
            None => found.push(read),
        }
    }
    let listed: HashSet<String> = found.iter().map(|one| one.id.clone()).collect();
    let alone = others.into_iter().filter(|(of, _)| !listed.contains(of));
    found.extend(alone.map(|(_, read)| read));
    Ok(found)
}

impl Vulnerability {
    fn read(result: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let id = result.need("id")?.text()?.to_owned();
        let mut aliases: Vec<String> = Vec::new();
        let (mut found_in, mut named) = (Vec::new(), true);
        for annotation in raw::items(result.value().get("annotations")) {
            // Vendored code has a commit, and no name.
            let place = ["package", "commit"].into_iter();
            if place.filter_map(|key| annotation.get(key)).next().is_some() {
                let purl = annotation.get("purl").and_then(Value::as_str);
                match purl.map(Purl::canonicalize) {
                    Some(Ok(purl)) => found_in.push(purl),
                    _ => named = false,
                }
            }
            for alias in raw::items(annotation.get("aliases")) {
                let alias = alias.as_str().filter(|alias| *alias != id);
                let alias = alias.filter(|alias| aliases.iter().all(|known| known != alias));
                aliases.extend(alias.map(str::to_owned));
            }
        }
        Ok(Vulnerability {
            id,
            aliases,
            severities: raw::severities(result.value()),
            found_in: if named { found_in } else { Vec::new() },
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
        let one = &read.vulnerabilities[0];
        let severities = [("m".to_owned(), "1".to_owned())];
        assert_eq!(
            (one.id.as_str(), &one.severities[..]),
            ("A", &severities[..])
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

    #[test]
    fn other_names_and_packages_are_read_from_annotations() {
        let read = |annotations: &str, more: &str| {
            let text = format!(
                r#"{{"scanner":{{"uri":"u","result":[{{"id":"A","annotations":[{annotations}]}}{more}]}},
                "metadata":{{"scanStartedOn":"2020-01-01T00:00:00Z","scanFinishedOn":"2020-01-01T00:00:00Z"}}}}"#
            );
            let mut read = Vulns::parse(&crate::json::parse(text.as_bytes()).unwrap()).unwrap();
            assert!(read.is_complete && read.looks_for_known);
            let rest = read.vulnerabilities.split_off(1);
            (read.vulnerabilities.remove(0), rest)
        };
        let (one, _) = read(
            r#"{"aliases":["B","A",7,"B"]},{"aliases":["C"]},{"location":"x"}"#,
            "",
        );
        assert_eq!(
            (one.aliases, one.found_in),
            (vec!["B".to_owned(), "C".to_owned()], vec![])
        );
        let named = r#"{"package":"p","purl":"pkg:npm/p@1"}"#;
        let (one, _) = read(named, "");
        assert_eq!(one.found_in, [Purl::canonicalize("pkg:npm/p@1").unwrap()]);
        // One that cannot be told, and nobody knows where it was found.
        for unnamed in [
            r#"{"package":"q"}"#,
            r#"{"package":"q","purl":"q"}"#,
            r#"{"commit":"0a"}"#,
        ] {
            let (one, _) = read(&format!("{named},{unnamed}"), "");
            assert!(one.found_in.is_empty());
        }
        let alias = |of: &str| format!(r#",{{"id":"B","annotations":[{{"aliasOf":"{of}"}}]}}"#);
        assert!(read("", &alias("A")).1.is_empty());
        assert_eq!(read("", &alias("X")).1[0].id, "B");
    }
}

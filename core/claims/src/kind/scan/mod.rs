//! `https://in-toto.io/attestation/vulns/v0.2`: what a scanner found.
//!
//! The predicate holds one result for each identifier, with its severities and, as annotations,
//! where it was found. The scanner's own document is always an attachment. What the specification
//! leaves open is decided here:
//!
//! - Results are whole or absent. If the list does not fit with its annotations, it is written
//!   without; if it still does not fit, the claim only references the document (`reference/v0.1`).
//!   A shortened list would read as "nothing else was found", and an empty one as "nothing was
//!   found".
//! - For the same reason, a run that reports no results, that did not end well, or whose findings
//!   have no names, is only referenced.
//! - `metadata.scanned` is a SHA-256 over the names of what was scanned, where the document gives
//!   them: scans of two lock files of one package are told apart by it. The names themselves are in
//!   the document. They are paths, which name people and machines, and a log forgets nothing.
//! - `metadata.timeSource` is `document` if the scan's times come from it, and `publisher` where it
//!   has none.

mod cargo_audit;
mod osv_scanner;
mod sarif;

use super::document::{Document, DocumentError, Draft, Prepared, not_taken, object};
use super::node::Node;
use super::subject::Subjects;
use super::{PredicateError, PredicateType, Timestamp};
use crate::json::Value;
use assay_tlog::Hash;
use std::collections::{BTreeSet, HashMap};

pub(super) const TYPE: PredicateType = PredicateType {
    name: "scan",
    uris: &["https://in-toto.io/attestation/vulns/v0.2"],
};

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

/// What a format finds in its document: the parts of the predicate.
struct Scan {
    uri: String,
    version: Option<String>,
    database: Option<Value>,
    findings: Findings,
    /// When the scan started and finished, if the document says so.
    times: Option<(String, String)>,
    /// Advisories that the scanner was told to keep silent about.
    ignored: Vec<Value>,
    /// The names of what was scanned, as far as the document gives them.
    scanned: Vec<String>,
    subjects: Subjects,
    summary: Vec<(String, String)>,
}

/// Results, one for each identifier, in the order in which the document first names them.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
    by_id: HashMap<String, usize>,
}

/// Most annotations of a finding that are collected. As many do not fit a claim anyway, and each is
/// compared with all.
const ANNOTATIONS: usize = 1000;

struct Finding {
    id: String,
    severities: Vec<(String, String)>,
    annotations: Vec<Value>,
}

impl Findings {
    /// The finding of that identifier, new or not.
    fn entry(&mut self, id: &str) -> &mut Finding {
        let next = self.list.len();
        let index = *self.by_id.entry(id.to_owned()).or_insert(next);
        if index == next {
            self.list.push(Finding {
                id: id.to_owned(),
                severities: vec![],
                annotations: vec![],
            });
        }
        &mut self.list[index]
    }
}

impl Finding {
    fn severity(&mut self, method: &str, score: &str) {
        let severity = (method.to_owned(), score.to_owned());
        if !method.is_empty() && !score.is_empty() && !self.severities.contains(&severity) {
            self.severities.push(severity);
        }
    }

    fn annotate(&mut self, annotation: Value) {
        if self.annotations.len() <= ANNOTATIONS && !self.annotations.contains(&annotation) {
            self.annotations.push(annotation);
        }
    }

    fn to_json(&self, annotated: bool) -> Value {
        let annotated = annotated && !self.annotations.is_empty();
        object([
            ("id", Some(self.id.as_str().into())),
            (
                "severity",
                Some(Value::Array(
                    self.severities
                        .iter()
                        .map(|(method, score): &(String, String)| {
                            object([
                                ("method", Some(method.as_str().into())),
                                ("score", Some(score.as_str().into())),
                            ])
                        })
                        .collect(),
                )),
            ),
            (
                "annotations",
                annotated.then(|| Value::Array(self.annotations.clone())),
            ),
        ])
    }
}

impl Scan {
    fn predicate(&self, annotated: bool, now: &str) -> Value {
        let results = self
            .findings
            .list
            .iter()
            .map(|finding| finding.to_json(annotated))
            .collect();
        let (started, finished) = self
            .times
            .as_ref()
            .map_or((now, now), |(started, finished)| (started, finished));
        let source = if self.times.is_some() {
            "document"
        } else {
            "publisher"
        };
        object([
            (
                "scanner",
                Some(object([
                    ("uri", Some(self.uri.as_str().into())),
                    ("version", self.version.as_deref().map(Value::from)),
                    ("db", self.database.clone()),
                    (
                        "ignored",
                        (!self.ignored.is_empty()).then(|| Value::Array(self.ignored.clone())),
                    ),
                    ("result", Some(Value::Array(results))),
                ])),
            ),
            (
                "metadata",
                Some(object([
                    ("scanStartedOn", Some(started.into())),
                    ("scanFinishedOn", Some(finished.into())),
                    ("scanned", self.scanned().map(Value::from)),
                    ("timeSource", Some(source.into())),
                ])),
            ),
        ])
    }

    /// One value for the names of what was scanned, in whatever order they come.
    fn scanned(&self) -> Option<String> {
        let names: BTreeSet<&str> = self.scanned.iter().map(String::as_str).collect();
        let names = Value::from(names.into_iter().collect::<Vec<_>>());
        (!self.scanned.is_empty())
            .then(|| format!("sha256:{}", Hash::of(names.to_json().as_bytes())))
    }

    /// The claim, as much of it as fits.
    fn prepared(
        mut self,
        document: &Document,
        media_type: &str,
        now: &str,
    ) -> Result<Prepared, DocumentError> {
        let mut summary = vec![("scanner".to_owned(), self.uri.clone())];
        summary.extend(
            self.version
                .clone()
                .map(|version| ("version".to_owned(), version)),
        );
        summary.push(("findings".into(), self.findings.list.len().to_string()));
        summary.append(&mut self.summary);
        if self.times.is_none() {
            summary.push((
                "note".into(),
                "the document does not say when the scan ran: the time of publishing is used"
                    .into(),
            ));
        }
        let subjects = std::mem::take(&mut self.subjects);
        let complete = self
            .findings
            .list
            .iter()
            .all(|finding| finding.annotations.len() <= ANNOTATIONS);
        let mut draft = self.draft(true, now, subjects, summary);
        draft.bound_subjects();
        let whole = if complete {
            document.attached(draft, media_type)
        } else {
            Err(Box::new(draft))
        };
        whole
            .or_else(|mut whole| {
                whole
                    .summary
                    .push(("note".into(), "where each was found does not fit, and is in the \
                        attachment".into()));
                document.attached(self.draft(false, now, whole.subjects, whole.summary), media_type)
            })
            .or_else(|draft| {
                let why =
                    "the list of findings is too long for a claim: it is in the attachment that \
                     the claim references";
                document.referenced(*draft, media_type, why)
            })
    }

    fn draft(
        &self,
        annotated: bool,
        now: &str,
        subjects: Subjects,
        summary: Vec<(String, String)>,
    ) -> Draft {
        Draft {
            predicate_type: TYPE.uris[0].into(),
            predicate: self.predicate(annotated, now),
            subjects,
            summary,
        }
    }
}

/// A claim that only references the scanner's document.
fn referenced(
    document: &Document,
    media_type: &str,
    subjects: Subjects,
    tool: &str,
    why: &str,
) -> Result<Prepared, DocumentError> {
    let summary = vec![("scanner".to_owned(), tool.to_owned())];
    let draft = Draft {
        predicate_type: String::new(),
        predicate: Value::Null,
        subjects,
        summary,
    };
    document.referenced(draft, media_type, why)
}

pub(super) fn prepare(document: &Document, now: &str) -> Result<Vec<Prepared>, DocumentError> {
    let value = document.json()?;
    let root = Node::root("$", &value);
    let schema = root.shown("$schema").unwrap_or_default();
    if value.get("runs").is_some() || schema.contains("sarif") {
        sarif::prepare(document, &root, now)
    } else if value.get("vulnerabilities").is_some() && value.get("lockfile").is_some() {
        Ok(vec![cargo_audit::read(&root)?.prepared(
            document,
            "application/json",
            now,
        )?])
    } else if value.get("results").is_some() && value.get("bomFormat").is_none() {
        Ok(vec![osv_scanner::read(&root)?.prepared(
            document,
            "application/json",
            now,
        )?])
    } else {
        Err(not_taken(
            "scan",
            "SARIF 2.1.0 and the JSON of osv-scanner and of cargo-audit",
            &value,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::INLINE_BYTES;
    use super::*;

    fn scan(findings: usize, annotation: &str) -> Scan {
        let mut list = Findings::default();
        for i in 0..findings {
            let finding = list.entry(&format!("CVE-2020-{i:05}"));
            finding.severity("CVSS_V3", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
            finding.annotate(object([("package", Some(annotation.into()))]));
        }
        Scan {
            uri: "pkg:x/y".into(),
            version: None,
            database: None,
            findings: list,
            times: None,
            ignored: vec![],
            scanned: vec![],
            subjects: Subjects::default(),
            summary: vec![],
        }
    }

    #[test]
    fn a_list_of_findings_is_whole_or_absent() {
        let document = Document::new("scan.json", b"{}").unwrap();
        let now = "2026-11-22T18:41:48Z";
        for (findings, annotation, expected, annotated) in [
            (0, "", TYPE.uris[0], false),
            (100, "a", TYPE.uris[0], true),
            (
                200,
                "long enough not to fit two hundred times over 123456789 123456789",
                TYPE.uris[0],
                false,
            ),
            (
                2000,
                "a",
                "https://in-toto.io/attestation/reference/v0.1",
                false,
            ),
        ] {
            let prepared = scan(findings, annotation)
                .prepared(&document, "application/json", now)
                .unwrap();
            assert_eq!(prepared.predicate_type, expected, "{findings}");
            assert!(prepared.attachment.is_some());
            assert!(prepared.predicate.to_json().len() <= INLINE_BYTES);
            super::super::check(&prepared.predicate_type, &prepared.predicate).unwrap();
            if let Some(results) = prepared.predicate.pointer("/scanner/result") {
                assert_eq!(results.as_array().unwrap().len(), findings);
                assert_eq!(results.to_json().contains("annotations"), annotated);
            }
        }
    }

    #[test]
    fn a_hundred_thousand_findings_of_one_rule_are_read_in_time_and_not_listed_in_part() {
        let document = Document::new("scan.json", b"{}").unwrap();
        let mut scan = scan(1, "a");
        for i in 0..100_000_u64 {
            scan.findings
                .entry("CVE-2020-00000")
                .annotate(object([("line", Some(i.into()))]));
        }
        let prepared = scan
            .prepared(&document, "application/json", "2026-11-22T18:41:48Z")
            .unwrap();
        assert!(
            !prepared
                .predicate
                .to_json()
                .contains("annotations\":[{\"package"),
            "annotations were cut"
        );
    }

    #[test]
    fn what_was_scanned_is_told_apart_and_not_named() {
        let read = |text: &str| {
            let prepared =
                super::super::prepare("scan", "x", text.as_bytes(), "2026-11-22T18:41:48Z")
                    .unwrap()
                    .remove(0);
            assert!(!prepared.predicate.to_json().contains("alice"));
            Vulns::parse(&prepared.predicate).unwrap().scanned
        };
        let osv = |paths: &[&str]| {
            let results = paths
                .iter()
                .map(|path| format!(r#"{{"source":{{"path":"{path}"}},"packages":[]}}"#));
            read(&format!(
                r#"{{"results":[{}]}}"#,
                results.collect::<Vec<_>>().join(",")
            ))
        };
        let (one, other) = (osv(&["/alice/a"]), osv(&["/alice/b"]));
        assert!(one.is_some() && one != other && osv(&[]).is_none());
        assert_eq!(
            osv(&["/alice/a", "/alice/b"]),
            osv(&["/alice/b", "/alice/a", "/alice/b"])
        );
        let sarif = |more: &str| {
            read(&format!(
                r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"t"}}}},"results":[]{more}}}]}}"#
            ))
        };
        let category = |id: &str| sarif(&format!(r#","automationDetails":{{"id":"{id}"}}"#));
        assert!(
            sarif("").is_none()
                && category("2026-01-01").is_none()
                && category("alice/1").is_some()
        );
        assert_eq!(category("alice/1"), category("alice/2"));
        assert_ne!(category("alice/1"), category("bob/1"));
        let target = |uri: &str, role: &str| {
            sarif(&format!(
                r#","artifacts":[{{"location":{{"uri":"{uri}"}},"roles":["{role}"]}}]"#
            ))
        };
        assert_ne!(
            target("alice/a", "analysisTarget"),
            target("alice/b", "analysisTarget")
        );
        assert_eq!(target("alice/a", "resultFile"), None);
    }

    #[test]
    fn results_need_ids_and_times_need_a_form() {
        let good = r#"{"scanner":{"uri":"u","result":[{"id":"A","severity":[{"method":"m","score":"1"}],"new":1}]},
            "metadata":{"scanStartedOn":"2020-01-01T00:00:00Z","scanFinishedOn":"2020-01-01T00:00:00Z"}}"#;
        let check = |text: &str| {
            super::super::check(TYPE.uris[0], &crate::json::parse(text.as_bytes()).unwrap())
        };
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

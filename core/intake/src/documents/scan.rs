//! Claims of scans (`https://in-toto.io/attestation/vulns/v0.2`), of whatever scanner.
//!
//! The predicate holds one result for each identifier, with its severities and, as annotations,
//! where it was found. The scanner's own document is always an attachment. What the specification
//! leaves open is decided here:
//!
//! - Results are whole or absent. If the list does not fit with its annotations, it is written
//!   without; if it still does not fit, the claim only references the document (`reference/v0.1`).
//!   A shortened list would read as "nothing else was found", and an empty one as "nothing was
//!   found".
//! - For the same reason, a run that reports no results, or whose findings have no names, is only
//!   referenced.
//! - `metadata.complete` is `false` if the scan did not end well. What it found counts; what it did
//!   not find says nothing.
//! - `metadata.knownVulnerabilities` is `false` where the tool is not known to look for known
//!   vulnerabilities, as linters do not: that those found nothing says nothing of them.
//! - `metadata.scanned` is a SHA-256 over the names of what was scanned, where the document gives
//!   them: scans of two lock files of one package are told apart by it. The names themselves are in
//!   the document. They are paths, which name people and machines, and a log forgets nothing.
//! - `metadata.timeSource` is `document` if the scan's times come from it, and `publisher` where it
//!   has none.

use super::document::Document;
use super::draft::{Draft, Prepared, Summary};
use super::error::DocumentError;
use super::findings::Findings;
use super::subjects::Subjects;
use super::tool::Source;
use assay_claims::json::{Value, object};
use assay_claims::kind::Kind;
use assay_tlog::Hash;
use std::collections::BTreeSet;

/// What a format finds in its document: the parts of the predicate.
pub(super) struct Scan {
    /// The scanner: a URI.
    pub uri: String,
    /// Its version.
    pub version: Option<String>,
    /// Its database of vulnerabilities, as the predicate has it.
    pub database: Option<Value>,
    /// What it found.
    pub findings: Findings,
    /// Whether it looked at all that it was to look at, as far as the document says, and at
    /// anything.
    pub is_whole: bool,
    /// Whether the scanner looks for known vulnerabilities, as far as it is known.
    pub looks_for_known: bool,
    /// When the scan started and finished, if the document says so.
    pub times: Option<(String, String)>,
    /// Advisories that the scanner was told to keep silent about, so that nothing says whether they
    /// were found.
    pub ignored: Vec<Value>,
    /// The names of what was scanned, as far as the document gives them.
    pub scanned: Vec<String>,
    /// What was scanned, as subjects.
    pub subjects: Subjects,
    /// What else people are told.
    pub summary: Summary,
}

impl Scan {
    /// The one claim that a tool's JSON becomes.
    pub(super) fn of_json(self, source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
        let prepared = self.prepared(source.document, "application/json", source.now)?;
        Ok(vec![prepared])
    }

    fn predicate(&self, annotated: bool, now: &str) -> Value {
        let (started, finished, source) = match &self.times {
            Some((started, finished)) => (started.as_str(), finished.as_str(), "document"),
            None => (now, now, "publisher"),
        };
        let ignored = (!self.ignored.is_empty()).then(|| Value::Array(self.ignored.clone()));
        let scanner = object([
            ("uri", Some(self.uri.as_str().into())),
            ("version", self.version.as_deref().map(Value::from)),
            ("db", self.database.clone()),
            ("ignored", ignored),
            ("result", Some(self.findings.to_json(annotated))),
        ]);
        let metadata = object([
            ("scanStartedOn", Some(started.into())),
            ("scanFinishedOn", Some(finished.into())),
            ("scanned", self.scanned().map(Value::from)),
            ("timeSource", Some(source.into())),
            ("complete", denied(self.is_whole)),
            ("knownVulnerabilities", denied(self.looks_for_known)),
        ]);
        object([("scanner", Some(scanner)), ("metadata", Some(metadata))])
    }

    /// One value for the names of what was scanned, in whatever order they come.
    fn scanned(&self) -> Option<String> {
        let names: BTreeSet<&str> = self.scanned.iter().map(String::as_str).collect();
        let names = Value::from(names.into_iter().collect::<Vec<_>>());
        (!self.scanned.is_empty())
            .then(|| format!("sha256:{}", Hash::of(names.to_json().as_bytes())))
    }

    /// The claim, as much of it as fits. `now` stands where the document gives no times.
    pub fn prepared(
        mut self,
        document: &Document,
        media_type: &str,
        now: &str,
    ) -> Result<Prepared, DocumentError> {
        let subjects = std::mem::take(&mut self.subjects);
        let mut draft = self.draft(true, now, subjects, self.summary());
        draft.bound_subjects();
        let whole = if self.findings.are_whole() {
            document.attached(draft, media_type)
        } else {
            Err(Box::new(draft))
        };
        let mut draft = match whole {
            Ok(prepared) => return Ok(prepared),
            Err(draft) => *draft,
        };
        let note = "where each was found does not fit, and is in the attachment";
        draft.summary.push(("note".into(), note.into()));
        let listed = self.draft(false, now, draft.subjects, draft.summary);
        document.attached(listed, media_type).or_else(|draft| {
            let why = "the list of findings is too long for a claim: it is in the attachment that \
                       the claim references";
            document.referenced(draft.subjects, draft.summary, media_type, why)
        })
    }

    fn summary(&self) -> Summary {
        let mut summary = vec![("scanner".to_owned(), self.uri.clone())];
        if let Some(version) = &self.version {
            summary.push(("version".to_owned(), version.clone()));
        }
        summary.push(("findings".into(), self.findings.len().to_string()));
        summary.extend(self.summary.iter().cloned());
        let ignored: BTreeSet<&str> = self.ignored.iter().filter_map(Value::as_str).collect();
        if !ignored.is_empty() {
            let names: Vec<&str> = ignored.iter().copied().collect();
            let label = "advisories that the scanner was told to ignore, of which it says nothing";
            let value = format!("{}: {}", names.len(), names.join(", "));
            summary.push((label.to_owned(), value));
        }
        if !self.looks_for_known {
            let note = "this scanner is not known here to look for known vulnerabilities: what it \
                        found counts, and that it found nothing says nothing of them";
            summary.push(("note".to_owned(), note.to_owned()));
        }
        if self.times.is_none() {
            let note = "the document does not say in RFC 3339 when the scan ran: the time of \
                        publishing is used";
            summary.push(("note".into(), note.into()));
        }
        summary
    }

    fn draft(&self, annotated: bool, now: &str, subjects: Subjects, summary: Summary) -> Draft {
        let predicate = self.predicate(annotated, now);
        Draft::new(Kind::Scan, predicate, subjects, summary)
    }
}

/// The value of a member that stands only where something is not so.
fn denied(is_so: bool) -> Option<Value> {
    (!is_so).then_some(Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use super::super::draft::INLINE_BYTES;
    use super::*;
    use assay_claims::kind::scan::Vulns;

    const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";

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
            is_whole: true,
            looks_for_known: true,
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
            (0, "", SCAN, false),
            (100, "a", SCAN, true),
            (
                200,
                "long enough not to fit two hundred times over 123456789 123456789",
                SCAN,
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
            assay_claims::kind::check(&prepared.predicate_type, &prepared.predicate).unwrap();
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

    /// What a scan is told apart by. It names nothing.
    fn read(text: &str) -> Option<String> {
        let prepared =
            crate::documents::prepare("scan", "x", text.as_bytes(), "2026-11-22T18:41:48Z")
                .unwrap()
                .remove(0);
        assert!(!prepared.predicate.to_json().contains("alice"));
        Vulns::parse(&prepared.predicate).unwrap().scanned
    }

    #[test]
    fn a_project_of_dependency_check_is_told_from_others() {
        let check = |project: &str| {
            read(&format!(
                r#"{{"reportSchema":"1.1","scanInfo":{{}},"projectInfo":{{{project}}},
                "dependencies":[{{"fileName":"a.jar"}}]}}"#
            ))
        };
        let of = |name: &str, more: &str| check(&format!(r#""name":"{name}"{more}"#));
        let one = of("alice", "");
        assert!(one.is_some() && one == of("alice", r#","reportDate":"2026-01-01T00:00:00Z""#));
        for other in [
            of("bob", ""),
            of("alice", r#","groupID":"g""#),
            of("alice", r#","artifactID":"g""#),
            of("alice", r#","applicationVersion":"2""#),
            of("", ""),
            check(""),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!((of("", ""), check("")), (None, None));
    }

    #[test]
    fn what_was_scanned_is_told_apart_and_not_named() {
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
            let run = format!(r#"{{"tool":{{"driver":{{"name":"t"}}}},"results":[]{more}}}"#);
            read(&format!(r#"{{"version":"2.1.0","runs":[{run}]}}"#))
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
}

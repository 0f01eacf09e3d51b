//! The JSON of OWASP Dependency-Check (dependency-check/DependencyCheck, `jsonReport.vsl`).

use super::super::findings::{Finding, Findings};
use super::super::scan::Scan;
use super::super::tool::{Takes, Tool};
use super::{Place, found_at, nothing_scanned, scan, suppressed, texts, time};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::purl::Purl;
use std::collections::BTreeSet;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| {
        value.get("reportSchema").is_some() && value.get("scanInfo").is_some()
    }),
    prepare: |source| read(&source.root())?.of_json(source),
};

/// What a report found.
fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    let (mut ignored, mut any) = (BTreeSet::new(), false);
    for dependency in root.need("dependencies")?.items()? {
        any = true;
        let name = dependency.need("fileName")?.text()?;
        let purls = texts(dependency.value().get("packages"), Some("id"));
        let purl = purls.into_iter().find(|id| Purl::begins(id));
        for (key, suppressed) in [
            ("vulnerabilities", false),
            ("suppressedVulnerabilities", true),
        ] {
            let Some(list) = dependency.get(key) else {
                continue;
            };
            for found in list.items()? {
                let id = found.need("name")?.text()?;
                let finding = findings.entry(id);
                rate(&found, finding);
                let place = Place {
                    name,
                    version: None,
                    purl,
                    suppressed,
                };
                found_at(finding, place);
                if suppressed {
                    ignored.insert(id);
                }
            }
        }
    }
    let mut summary: Vec<_> = suppressed(&ignored).into_iter().collect();
    if !any {
        summary.push(nothing_scanned());
    }
    let failed = root.value().pointer("/scanInfo/analysisExceptions");
    let failed = failed.and_then(Value::as_array).unwrap_or_default();
    if !failed.is_empty() {
        let label = "exceptions in the analysis, so that the scan is not whole";
        summary.push((label.to_owned(), failed.len().to_string()));
    }
    let version = root
        .value()
        .pointer("/scanInfo/engineVersion")
        .and_then(Value::as_str);
    Ok(Scan {
        version: version.map(str::to_owned),
        is_whole: any && failed.is_empty(),
        summary,
        times: time(root, "/projectInfo/reportDate"),
        scanned: project(root.value()).into_iter().collect(),
        ..scan("pkg:github/dependency-check/DependencyCheck", findings)
    })
}

/// The project that was looked at: its name, and what else its build tool says of it.
fn project(report: &Value) -> Option<String> {
    let info = report.get("projectInfo")?;
    let parts = ["groupID", "artifactID", "applicationVersion", "name"];
    let parts = parts.map(|key| info.get(key).and_then(Value::as_str).unwrap_or_default());
    // One after the other with what none of them has between them.
    let is_named = parts.iter().any(|part| !part.is_empty());
    is_named.then(|| parts.join("\n"))
}

fn rate(found: &Node<'_, '_>, finding: &mut Finding) {
    if let Some(word) = found.shown("severity") {
        finding.severity("database", word);
    }
    for (key, method) in [
        ("cvssv2", "CVSS_V2"),
        ("cvssv3", "CVSS_V3"),
        ("cvssv4", "CVSS_V4"),
    ] {
        let score = ["baseScore", "score"].into_iter();
        let mut score = score.filter_map(|part| found.value().get(key)?.get(part));
        if let Some(Value::Number(score)) = score.next() {
            finding.severity(method, score.as_str());
        }
    }
}

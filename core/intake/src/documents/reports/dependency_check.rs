//! The JSON of OWASP Dependency-Check (dependency-check/DependencyCheck, `jsonReport.vsl`).

use super::super::findings::Findings;
use super::super::scan::Scan;
use super::super::tool::{Takes, Tool};
use super::{found_in, nothing_scanned, scan, texts, time};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| {
        value.get("reportSchema").is_some() && value.get("scanInfo").is_some()
    }),
    prepare: |source| read(&source.root())?.of_json(source),
};

/// What a report found.
fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    let (mut ignored, mut summary, mut any) = (Vec::new(), Vec::new(), false);
    for dependency in root.need("dependencies")?.items()? {
        any = true;
        let file = dependency.need("fileName")?.text()?;
        let purls = texts(dependency.value().get("packages"), Some("id"));
        let purl = purls.into_iter().find(|id| id.starts_with("pkg:"));
        if let Some(list) = dependency.get("vulnerabilities") {
            for found in list.items()? {
                let finding = findings.entry(found.need("name")?.text()?);
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
                found_in(finding, file, None, purl);
            }
        }
        if let Some(list) = dependency.get("suppressedVulnerabilities") {
            for found in list.items()? {
                ignored.push(found.need("name")?.text()?.into());
            }
        }
    }
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
        ignored,
        ..scan("pkg:github/dependency-check/DependencyCheck", findings)
    })
}

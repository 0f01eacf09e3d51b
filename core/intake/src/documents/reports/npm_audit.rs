//! `npm audit --json` of npm 7 and later (npm/cli, `workspaces/arborist/lib/audit-report.js`).

use super::super::findings::{Finding, Findings};
use super::super::scan::Scan;
use super::super::tool::{Takes, Tool};
use super::{found_in, method, nothing_scanned, scan};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.get("auditReportVersion").is_some()),
    prepare: |source| read(&source.root())?.of_json(source),
};

/// The findings of a report. A package has the advisories of others, if it depends on them: those
/// are found where they are. An advisory is known by its address, whose end is its id.
fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    root.need("auditReportVersion")?;
    let mut findings = Findings::default();
    for (name, package) in root.need("vulnerabilities")?.members()? {
        for via in package.need("via")?.items()? {
            if via.value().as_str().is_some() {
                continue;
            }
            let id = identifier(&via, "source")?;
            let finding = findings.entry(&id);
            rate_by_npm(&via, finding);
            found_in(finding, name, None, None);
        }
        // What npm knows no advisory of any more is found under the package's name.
        let via = package.value().get("via").and_then(Value::as_array);
        if via.unwrap_or_default().is_empty() {
            let finding = findings.entry(&format!("npm:{name}"));
            if let Some(word) = package.shown("severity") {
                finding.severity("database", word);
            }
            found_in(finding, name, None, None);
        }
    }
    let total = root.value().pointer("/metadata/dependencies/total");
    let is_empty = total.and_then(Value::as_u64) == Some(0);
    Ok(Scan {
        is_whole: !is_empty,
        summary: is_empty.then(nothing_scanned).into_iter().collect(),
        ..scan("pkg:npm/npm", findings)
    })
}

/// What an advisory is called: the end of its address, or else its number, which is under this key.
pub(super) fn identifier(
    advisory: &Node<'_, '_>,
    number: &'static str,
) -> Result<String, PredicateError> {
    let url = advisory.shown("url").and_then(|url| url.rsplit('/').next());
    let numbered = advisory.get(number);
    let numbered = numbered.map(|number| format!("npm:{}", number.value().to_json()));
    url.filter(|id| !id.is_empty())
        .map(str::to_owned)
        .or(numbered)
        .ok_or_else(|| advisory.fault(format!("has neither url nor {number}")))
}

pub(super) fn rate_by_npm(via: &Node<'_, '_>, finding: &mut Finding) {
    if let Some(word) = via.shown("severity") {
        finding.severity("database", word);
    }
    let vector = via
        .value()
        .pointer("/cvss/vectorString")
        .and_then(Value::as_str);
    if let Some(vector) = vector {
        finding.severity(method(vector), vector);
    }
}

//! `grype -o json` (anchore/grype, `grype/presenter/models`).

use super::super::findings::{Finding, Findings};
use super::super::scan::Scan;
use super::super::tool::{Takes, Tool};
use super::{found_in, method, scan, texts, time};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| {
        value.get("matches").is_some() && value.get("descriptor").is_some()
    }),
    prepare: |source| read(&source.root())?.of_json(source),
};

/// What a report found.
fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    for found in root.need("matches")?.items()? {
        let vulnerability = found.need("vulnerability")?;
        let finding = findings.entry(vulnerability.need("id")?.text()?);
        let related = found.value().get("relatedVulnerabilities");
        finding.aliases(&texts(related, Some("id")));
        rate_by_grype(&vulnerability, finding);
        let artifact = found.need("artifact")?;
        let name = artifact.need("name")?.text()?;
        found_in(
            finding,
            name,
            artifact.shown("version"),
            artifact.shown("purl"),
        );
    }
    let mut ignored = Vec::new();
    if let Some(list) = root.get("ignoredMatches") {
        for found in list.items()? {
            ignored.push(found.need("vulnerability")?.need("id")?.text()?.into());
        }
    }
    let text = |pointer: &str| root.value().pointer(pointer).and_then(Value::as_str);
    let targets = ["/source/target/userInput", "/source/target"];
    let target = targets.into_iter().find_map(text).map(str::to_owned);
    Ok(Scan {
        version: text("/descriptor/version").map(str::to_owned),
        times: time(root, "/descriptor/timestamp"),
        ignored,
        scanned: target.into_iter().collect(),
        ..scan("pkg:github/anchore/grype", findings)
    })
}

fn rate_by_grype(vulnerability: &Node<'_, '_>, finding: &mut Finding) {
    if let Some(word) = vulnerability.shown("severity") {
        finding.severity("database", word);
    }
    let scores = vulnerability.value().get("cvss").and_then(Value::as_array);
    for score in scores.unwrap_or_default() {
        if let Some(vector) = score.get("vector").and_then(Value::as_str) {
            finding.severity(method(vector), vector);
        }
    }
}

//! The JSON of osv-scanner (`osv-scanner scan --format json`).

use super::draft::Prepared;
use super::ecosystem;
use super::error::DocumentError;
use super::findings::{Finding, Findings};
use super::scan::Scan;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::{Value, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_report),
    prepare,
};

fn is_report(value: &Value) -> bool {
    value.get("results").is_some() && value.get("bomFormat").is_none()
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    read(&source.root())?.of_json(source)
}

fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    let (mut packages, mut sources) = (0, Vec::new());
    // A scan that found nothing writes an empty list, or null in older versions.
    if let Some(results) = root.get("results") {
        for result in results.items()? {
            let source = result.need("source")?;
            sources.push(source.need("path")?.string()?);
            for package in result.need("packages")?.items()? {
                packages += 1;
                read_package(&package, &mut findings)?;
            }
        }
    }
    let mut summary = vec![("vulnerable packages".to_owned(), packages.to_string())];
    summary.extend(
        sources
            .iter()
            .map(|path| ("scanned".to_owned(), (*path).to_owned())),
    );
    Ok(Scan {
        uri: "pkg:github/google/osv-scanner".into(),
        version: None,
        database: None,
        findings,
        is_whole: true,
        times: None,
        ignored: vec![],
        scanned: sources.into_iter().map(str::to_owned).collect(),
        subjects: Subjects::default(),
        summary,
    })
}

fn read_package(entry: &Node<'_, '_>, findings: &mut Findings) -> Result<(), PredicateError> {
    let package = entry.need("package")?;
    package.need("name")?.string()?;
    // What was found by its Git commit has no name, and empty strings for the rest.
    let (name, version) = (package.shown("name"), package.shown("version"));
    let ecosystem = package.shown("ecosystem");
    let purl = ecosystem.zip(name).and_then(|(ecosystem, name)| {
        ecosystem::purl(
            ecosystem,
            name,
            version.filter(|version| !version.is_empty()),
        )
    });
    let found_in = object([
        ("package", name.map(Value::from)),
        ("version", version.map(Value::from)),
        ("ecosystem", ecosystem.map(Value::from)),
        ("commit", package.shown("commit").map(Value::from)),
        ("purl", purl.map(|purl| purl.as_str().into())),
    ]);
    let Some(vulnerabilities) = entry.get("vulnerabilities") else {
        return Ok(());
    };
    for vulnerability in vulnerabilities.items()? {
        let finding = findings.entry(vulnerability.need("id")?.text()?);
        read_severities(&vulnerability, finding)?;
        if let Some(aliases) = vulnerability.get("aliases") {
            let aliases: Result<Vec<&str>, _> =
                aliases.items()?.map(|alias| alias.text()).collect();
            finding.aliases(&aliases?);
        }
        finding.annotate(found_in.clone());
    }
    Ok(())
}

/// The severities of the OSV record, and the word that its database has for it.
fn read_severities(
    vulnerability: &Node<'_, '_>,
    finding: &mut Finding,
) -> Result<(), PredicateError> {
    if let Some(severities) = vulnerability.get("severity") {
        for severity in severities.items()? {
            finding.severity(
                severity.need("type")?.text()?,
                severity.need("score")?.text()?,
            );
        }
    }
    if let Some(word) = vulnerability
        .value()
        .pointer("/database_specific/severity")
        .and_then(Value::as_str)
    {
        finding.severity("database", word);
    }
    Ok(())
}

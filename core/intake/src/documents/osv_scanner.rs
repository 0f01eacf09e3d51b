//! The JSON of osv-scanner (`osv-scanner scan --format json`).

use super::draft::Prepared;
use super::ecosystem;
use super::error::DocumentError;
use super::findings::{Finding, Findings};
use super::informational::harmless;
use super::scan::Scan;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::{Value, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use std::collections::BTreeSet;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_report),
    prepare,
};

/// What osv-scanner writes at the root of a report. Other scanners have `results`, too, and nothing
/// in them once they found nothing.
const ROOT: &[&str] = &[
    "results",
    "experimental_config",
    "experimental_generic_findings",
    "image_metadata",
    "license_summary",
];

fn is_report(value: &Value) -> bool {
    let members = value.as_object().unwrap_or_default();
    let is_known = members.iter().all(|(key, _)| ROOT.contains(&key.as_str()));
    value.get("results").is_some() && (is_known || value.pointer("/results/0/packages").is_some())
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    read(&source.root())?.of_json(source)
}

fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    let (mut packages, mut left_out, mut sources) = (0, LeftOut::default(), Vec::new());
    // A scan that found nothing writes an empty list, or null in older versions.
    if let Some(results) = root.get("results") {
        for result in results.items()? {
            let source = result.need("source")?;
            sources.push(source.need("path")?.string()?);
            for package in result.need("packages")?.items()? {
                packages += 1;
                read_package(&package, &mut findings, &mut left_out)?;
            }
        }
    }
    let mut summary = vec![("vulnerable packages".to_owned(), packages.to_string())];
    for (label, count, why) in [
        (
            "informational",
            left_out.informational,
            "of no vulnerability",
        ),
        (
            "withdrawn",
            left_out.withdrawn,
            "which their databases took back",
        ),
    ] {
        if count > 0 {
            summary.push((label.to_owned(), format!("{count}, {why} and left out")));
        }
    }
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
        looks_for_known: true,
        times: None,
        ignored: vec![],
        scanned: sources.into_iter().map(str::to_owned).collect(),
        subjects: Subjects::default(),
        summary,
    })
}

/// How many advisories are no findings.
#[derive(Default)]
struct LeftOut {
    informational: usize,
    withdrawn: usize,
}

/// Reads what was found in a package.
fn read_package(
    entry: &Node<'_, '_>,
    findings: &mut Findings,
    left_out: &mut LeftOut,
) -> Result<(), PredicateError> {
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
        let id = vulnerability.need("id")?.text()?;
        if vulnerability.get("withdrawn").is_some() {
            left_out.withdrawn += 1;
            continue;
        }
        let mut of_package = affected(vulnerability.value(), package.value()).peekable();
        if of_package.peek().is_some() && of_package.all(|one| harmless(one).is_some()) {
            left_out.informational += 1;
            continue;
        }
        let finding = findings.entry(id);
        read_severities(&vulnerability, finding)?;
        for affected in affected(vulnerability.value(), package.value()) {
            read_severities(&Node::root("$", affected), finding)?;
        }
        if !finding.is_rated() {
            finding.severity(
                "CVSS",
                group_severity(entry.value(), id).unwrap_or_default(),
            );
        }
        finding.aliases(&aliases(&vulnerability, entry.value(), id)?);
        finding.annotate(found_in.clone());
    }
    Ok(())
}

/// What an OSV record says of a package by itself (OSV schema, "affected[].severity").
fn affected<'v>(record: &'v Value, package: &'v Value) -> impl Iterator<Item = &'v Value> {
    let list = record.get("affected").and_then(Value::as_array);
    list.unwrap_or_default().iter().filter(move |affected| {
        let same = |key: &str| affected.pointer(&format!("/package/{key}")) == package.get(key);
        same("name") && same("ecosystem")
    })
}

/// The other names of a vulnerability: those that its record has, the one record that it is made
/// of, and those that osv-scanner groups with it. An advisory that is made of several, and a group
/// that has several CVEs, are no one vulnerability, so that what clears one clears not all.
fn aliases<'v>(
    record: &Node<'v, '_>,
    entry: &'v Value,
    id: &str,
) -> Result<Vec<&'v str>, PredicateError> {
    let mut aliases = Vec::new();
    if let Some(list) = record.get("aliases") {
        for alias in list.items()? {
            aliases.push(alias.text()?);
        }
    }
    let mut upstream = Vec::new();
    if let Some(list) = record.get("upstream") {
        for one in list.items()? {
            upstream.push(one.text()?);
        }
    }
    if upstream.len() > 1 {
        return Ok(aliases);
    }
    aliases.extend(upstream);
    let group = group(entry, id).and_then(|group| group.get("aliases"));
    let group = group.and_then(Value::as_array).unwrap_or_default().iter();
    let names: Vec<&str> = group.filter_map(Value::as_str).collect();
    let cves = names.iter().filter(|name| name.starts_with("CVE-"));
    if cves.collect::<BTreeSet<_>>().len() <= 1 {
        aliases.extend(names);
    }
    Ok(aliases)
}

/// The names that osv-scanner has for one vulnerability: those with this one.
fn group<'v>(entry: &'v Value, id: &str) -> Option<&'v Value> {
    let groups = entry.get("groups").and_then(Value::as_array);
    let mut groups = groups.unwrap_or_default().iter();
    groups.find(|group| {
        let ids = group.get("ids").and_then(Value::as_array);
        ids.unwrap_or_default()
            .iter()
            .any(|one| one.as_str() == Some(id))
    })
}

/// The score that osv-scanner gives a group.
fn group_severity<'v>(entry: &'v Value, id: &str) -> Option<&'v str> {
    group(entry, id)?.get("max_severity")?.as_str()
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

#[cfg(test)]
mod tests {
    use crate::documents::prepare;

    #[test]
    fn what_others_found_nothing_with_is_no_report_of_osv_scanner() {
        let now = "2026-11-22T18:41:48Z";
        for (text, said) in [
            (
                r#"{"version":"0.9.2","created_at":"x","results":[]}"#,
                "bundler-audit",
            ),
            (
                r#"{"errors":[],"paths":{},"results":[],"version":"1"}"#,
                "Semgrep",
            ),
            (r#"{"errors":[],"metrics":{},"results":[]}"#, "Bandit"),
            (r#"{"results":[],"else":1}"#, r#"has "results", "else""#),
        ] {
            let refusal = prepare("scan", "r", text.as_bytes(), now).unwrap_err();
            assert!(refusal.to_string().contains(said), "{refusal}");
        }
        for text in [
            r#"{"results":[]}"#,
            r#"{"results":null,"experimental_config":{"licenses":{"summary":false,"allowlist":null}}}"#,
            r#"{"results":[{"source":{"path":"l"},"packages":[]}],"of_tomorrow":1}"#,
        ] {
            prepare("scan", "r", text.as_bytes(), now).unwrap();
        }
    }

    #[test]
    fn a_severity_stands_in_the_record_of_the_package_or_in_the_group() {
        let low = r#"{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}"#;
        let of = |record: &str, max: &str| {
            let text = format!(
                r#"{{"results":[{{"source":{{"path":"l"}},"packages":[{{"package":{{"name":"a","version":"1","ecosystem":"npm"}},
                    "vulnerabilities":[{{"id":"CVE-1"{record}}}],"groups":[{{"ids":["CVE-0"],"max_severity":"9.9"}},
                    {{"ids":["CVE-1"],"max_severity":"{max}"}}]}}]}}]}}"#
            );
            let now = "2026-11-22T18:41:48Z";
            let claim = prepare("scan", "r", text.as_bytes(), now)
                .unwrap()
                .remove(0);
            let list = claim.predicate.pointer("/scanner/result/0/severity");
            let list = list.unwrap().as_array().unwrap().iter();
            let scores = list.filter_map(|one| one.get("score")?.as_str());
            scores.map(str::to_owned).collect::<Vec<_>>()
        };
        let affected = |name: &str| {
            format!(
                r#","affected":[{{"package":{{"name":"{name}","ecosystem":"npm"}},"severity":[{low}]}}]"#
            )
        };
        let vector = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
        assert_eq!(of(&affected("a"), "7.5"), [vector]);
        assert_eq!(of(&format!(r#","severity":[{low}]"#), "7.5"), [vector]);
        // Of another package it says nothing of this one.
        assert_eq!(of(&affected("b"), "7.5"), ["7.5"]);
        for none in ["", "0.0", "0"] {
            assert_eq!(of("", none), [""; 0], "{none}");
        }
    }

    #[test]
    fn what_is_informational_is_no_finding() {
        let now = "2026-11-22T18:41:48Z";
        for (kind, name, expected) in [
            ("unmaintained", "a", 0),
            ("notice", "a", 0),
            ("unsound", "a", 1),
            ("unmaintained", "b", 1),
        ] {
            let text = format!(
                r#"{{"results":[{{"source":{{"path":"l"}},"packages":[{{"package":
                    {{"name":"a","version":"1","ecosystem":"crates.io"}},"vulnerabilities":
                    [{{"id":"RUSTSEC-1","affected":[{{"package":{{"name":"{name}",
                    "ecosystem":"crates.io"}},"database_specific":{{"informational":"{kind}"}}}}]
                    }}]}}]}}]}}"#
            );
            let claims = prepare("scan", "r", text.as_bytes(), now).unwrap();
            let results = claims[0].predicate.pointer("/scanner/result").unwrap();
            assert_eq!(results.as_array().unwrap().len(), expected, "{kind}");
            let told = claims[0]
                .summary
                .iter()
                .any(|(key, _)| key == "informational");
            assert_eq!(told, expected == 0, "{kind}");
        }
    }

    /// The names of all results of a scan that found this in a package.
    fn found(record: &str, groups: &str) -> Vec<String> {
        let text = format!(
            r#"{{"results":[{{"source":{{"path":"l"}},"packages":[{{"package":
                {{"name":"a","version":"1","ecosystem":"Debian:12"}},
                "vulnerabilities":[{record}],"groups":[{groups}]}}]}}]}}"#
        );
        let now = "2026-11-22T18:41:48Z";
        let claim = prepare("scan", "r", text.as_bytes(), now)
            .unwrap()
            .remove(0);
        let list = claim.predicate.pointer("/scanner/result");
        let list = list.unwrap().as_array().unwrap().iter();
        let mut ids: Vec<&str> = list.filter_map(|one| one.get("id")?.as_str()).collect();
        ids.sort_unstable();
        ids.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn what_a_record_is_made_of_and_grouped_with_is_its_other_name() {
        let debian = "DEBIAN-CVE-2026-1";
        let group = |names: &str| format!(r#"{{"ids":["{debian}"],"aliases":[{names}]}}"#);
        let record = |more: &str| format!(r#"{{"id":"{debian}"{more}}}"#);
        let both = ["CVE-2026-1", debian];
        let one = r#","upstream":["CVE-2026-1"]"#;
        let two = r#","upstream":["CVE-2026-1","CVE-2026-2"]"#;
        let grouped = group(r#""CVE-2026-1","DEBIAN-CVE-2026-1""#);
        let several = group(r#""CVE-2026-1","CVE-2026-2","DEBIAN-CVE-2026-1""#);
        let other = r#"{"ids":["CVE-2026-3"],"aliases":["CVE-2026-4"]}"#;
        for (more, groups, expected) in [
            (one, "", &both[..]),
            ("", &grouped, &both),
            (r#","aliases":["CVE-2026-1"]"#, &grouped, &both),
            ("", other, &[debian]),
            // Of several vulnerabilities none is the advisory.
            (two, "", &[debian]),
            (two, &grouped, &[debian]),
            ("", &several, &[debian]),
        ] {
            assert_eq!(found(&record(more), groups), expected, "{more} {groups}");
        }
    }

    #[test]
    fn what_was_withdrawn_is_no_finding() {
        let record = r#"{"id":"CVE-1","withdrawn":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(found(record, ""), [""; 0]);
        let both = format!(r#"{record},{{"id":"CVE-2"}}"#);
        assert_eq!(found(&both, ""), ["CVE-2"]);
    }
}

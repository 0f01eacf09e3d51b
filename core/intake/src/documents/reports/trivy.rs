//! `trivy --format json`, schema 2 (aquasecurity/trivy, `pkg/types/report.go`).

use super::super::draft::Summary;
use super::super::findings::Findings;
use super::super::scan::Scan;
use super::super::subjects::Subjects;
use super::super::tool::{Takes, Tool};
use super::{Place, found_at, method, nothing_scanned, past_end, scan, suppressed, texts, time};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use std::collections::BTreeSet;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| {
        value.get("SchemaVersion").is_some() && value.get("ArtifactName").is_some()
    }),
    prepare: |source| read(&source.root())?.of_json(source),
};

/// Takes up the vulnerabilities that a rule of the user, or VEX of the user's choice, took out of a
/// result. Returns how many findings of other kinds it took out.
fn take_set_aside<'v>(
    result: &Node<'v, '_>,
    findings: &mut Findings,
    ignored: &mut BTreeSet<&'v str>,
) -> Result<usize, PredicateError> {
    let Some(list) = result.get("ExperimentalModifiedFindings") else {
        return Ok(0);
    };
    let mut others = 0;
    for modified in list.items()? {
        match modified.get("Finding") {
            Some(found) if found.get("VulnerabilityID").is_some() => {
                ignored.insert(found_by_trivy(&found, true, findings)?);
            }
            _ => others += 1,
        }
    }
    Ok(others)
}

/// The class of the packages of a distribution.
const OF_SYSTEM: &str = "os-pkgs";

/// The classes of packages that a report has results of: whoever scans again for one of them has
/// not looked at the others.
fn classes<'v>(root: &Node<'v, '_>) -> BTreeSet<&'v str> {
    let results = root.value().get("Results").and_then(Value::as_array);
    let classes = results.unwrap_or_default().iter();
    let classes = classes.filter_map(|result| result.get("Class")?.as_str());
    classes.filter(|class| class.ends_with("-pkgs")).collect()
}

/// What a report found.
fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    root.need("SchemaVersion")?;
    let mut findings = Findings::default();
    let mut ignored = BTreeSet::new();
    let (mut others, mut any, mut was_told) = (0, false, false);
    if let Some(results) = root.get("Results") {
        for result in results.items()? {
            any |= looked_for_vulnerabilities(result.value());
            was_told |= looked_for_others(result.value());
            if let Some(list) = result.get("Vulnerabilities") {
                for found in list.items()? {
                    found_by_trivy(&found, false, &mut findings)?;
                }
            }
            for key in ["Misconfigurations", "Secrets", "Licenses"] {
                if let Some(list) = result.get(key) {
                    others += list.items()?.count();
                }
            }
            others += take_set_aside(&result, &mut findings, &mut ignored)?;
        }
    }
    let mut summary: Vec<_> = suppressed(&ignored).into_iter().collect();
    if others > 0 {
        let label = "misconfigurations, secrets and licenses, which are left out";
        summary.push((label.to_owned(), others.to_string()));
    }
    let looked = any.then_some(was_told && findings.len() == 0);
    let classes = classes(root);
    let gaps = gaps(root.value(), looked, &classes);
    let is_whole = gaps.is_empty();
    summary.extend(gaps);
    let metadata = root.value().get("Metadata");
    let places = texts(metadata.and_then(|about| about.get("RepoDigests")), None);
    let arch = metadata.and_then(|about| about.pointer("/ImageConfig/architecture"));
    let arch = arch.and_then(Value::as_str);
    let mut subjects = Subjects::default();
    subjects.suggest_images(root.shown("ArtifactName"), &places, arch);
    Ok(Scan {
        version: root
            .value()
            .pointer("/Trivy/Version")
            .and_then(Value::as_str)
            .map(str::to_owned),
        is_whole,
        times: time(root, "/CreatedAt"),
        scanned: root
            .shown("ArtifactName")
            .into_iter()
            .chain(classes)
            .map(str::to_owned)
            .collect(),
        subjects,
        summary,
        ..scan("pkg:github/aquasecurity/trivy", findings)
    })
}

/// Why a report cannot stand for a whole scan, for people. `looked` is whether it may have been
/// told to look for something else alone; `None` if it looked at nothing. Of a distribution that is
/// supported no more nobody says what concerns it (aquasecurity/trivy,
/// `pkg/fanal/types/artifact.go`, `OS`), and where it knows one and has no result for that, it was
/// told not to look or cannot.
fn gaps(report: &Value, looked: Option<bool>, classes: &BTreeSet<&str>) -> Summary {
    let mut gaps = Summary::new();
    match looked {
        None => gaps.push(nothing_scanned()),
        Some(false) => {}
        Some(true) => {
            let note = "Trivy was told what to look for, and its report does not say whether that \
                        was vulnerabilities, too: that it found none says nothing; publish a \
                        report of `--scanners vuln`";
            gaps.push(super::note(note));
        }
    }
    let system = report.pointer("/Metadata/OS");
    if system.and_then(|os| os.get("EOSL")) == Some(&Value::Bool(true)) {
        gaps.push(past_end());
    }
    let family = system.and_then(|os| os.get("Family")?.as_str());
    let is_known = family.is_some_and(|family| !["", "none"].contains(&family));
    if is_known && !classes.is_empty() && !classes.contains(OF_SYSTEM) {
        let note = "Trivy knows the distribution and did not look at its packages (--pkg-types): \
                    that it did not find something says nothing";
        gaps.push(super::note(note));
    }
    gaps
}

/// Whether a result is of a scan for vulnerabilities. Those for secrets, misconfigurations and
/// licenses have results of their own.
fn looked_for_vulnerabilities(result: &Value) -> bool {
    let others = ["Misconfigurations", "MisconfSummary", "Secrets", "Licenses"];
    let is_other = match result.get("Class").and_then(Value::as_str) {
        Some(class) => !class.ends_with("-pkgs"),
        None => others.into_iter().any(|key| result.get(key).is_some()),
    };
    result.get("Vulnerabilities").is_some() || !is_other
}

/// Whether a result is of what Trivy does not look for unless it is told what to look for: then it
/// may have listed packages, as it does for every report in JSON, and not looked for their
/// vulnerabilities (aquasecurity/trivy, `pkg/flag/options.go`, `enableSBOM`).
fn looked_for_others(result: &Value) -> bool {
    let class = result.get("Class").and_then(Value::as_str);
    matches!(class, Some("config" | "license" | "license-file"))
}

/// Takes a vulnerability up, which was set aside if it is `suppressed`. Returns its id.
fn found_by_trivy<'v>(
    found: &Node<'v, '_>,
    suppressed: bool,
    findings: &mut Findings,
) -> Result<&'v str, PredicateError> {
    let id = found.need("VulnerabilityID")?.text()?;
    let finding = findings.entry(id);
    finding.aliases(&texts(found.value().get("VendorIDs"), None));
    if let Some(word) = found.shown("Severity") {
        finding.severity("database", word);
    }
    let scores = found.value().get("CVSS").and_then(Value::as_object);
    for (_, score) in scores.unwrap_or_default() {
        for key in ["V2Vector", "V3Vector", "V40Vector"] {
            if let Some(vector) = score.get(key).and_then(Value::as_str) {
                finding.severity(method(vector), vector);
            }
        }
    }
    let purl = found
        .value()
        .pointer("/PkgIdentifier/PURL")
        .and_then(Value::as_str);
    let place = Place {
        name: found.need("PkgName")?.text()?,
        version: found.shown("InstalledVersion"),
        purl,
        suppressed,
    };
    found_at(finding, place);
    Ok(id)
}

//! `grype -o json` (anchore/grype, `grype/presenter/models`).

use super::super::draft::Summary;
use super::super::findings::{Finding, Findings};
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
        value.get("matches").is_some() && value.get("descriptor").is_some()
    }),
    prepare: |source| read(&source.root())?.of_json(source),
};

/// What a report found.
fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    for found in root.need("matches")?.items()? {
        take(&found, false, &mut findings)?;
    }
    let (mut ignored, mut ruled_out) = (BTreeSet::new(), 0);
    if let Some(list) = root.get("ignoredMatches") {
        for found in list.items()? {
            if is_ruled_out(found.value()) {
                ruled_out += 1;
            } else {
                ignored.insert(take(&found, true, &mut findings)?);
            }
        }
    }
    let mut summary: Vec<_> = suppressed(&ignored).into_iter().collect();
    if ruled_out > 0 {
        let label = "matches that grype itself rules out, and that are left out";
        summary.push((label.to_owned(), ruled_out.to_string()));
    }
    let text = |pointer: &str| root.value().pointer(pointer).and_then(Value::as_str);
    let targets = ["/source/target/userInput", "/source/target"];
    let target = targets.into_iter().find_map(text).map(str::to_owned);
    let gaps = gaps(root.value(), findings.len());
    let is_whole = gaps.is_empty();
    summary.extend(gaps);
    Ok(Scan {
        version: text("/descriptor/version").map(str::to_owned),
        is_whole,
        times: time(root, "/descriptor/timestamp"),
        subjects: images(root.value()),
        scanned: target.into_iter().collect(),
        summary,
        ..scan("pkg:github/anchore/grype", findings)
    })
}

/// Why a report with so many findings cannot stand for a whole scan, for people.
fn gaps(report: &Value, found: usize) -> Summary {
    let mut gaps = Summary::new();
    if report.get("source").is_none() && found == 0 {
        gaps.push(nothing_scanned());
    }
    if is_database_broken(report) {
        let note =
            "grype says that its database cannot be used: that it found nothing says nothing";
        gaps.push(super::note(note));
    }
    let alerts = alerts(report);
    if alerts.contains(&"distro-eol") {
        gaps.push(past_end());
    }
    if alerts
        .iter()
        .any(|alert| ["distro-unknown", "distro-disabled"].contains(alert))
    {
        let note = "grype says that it does not know vulnerabilities of the distribution: that it \
                    found none in its packages says nothing";
        gaps.push(super::note(note));
    }
    gaps
}

/// What grype warns of about packages, beside what it found in them (anchore/grype,
/// `grype/presenter/models/alert.go`).
fn alerts(report: &Value) -> Vec<&str> {
    let packages = report.get("alertsByPackage").and_then(Value::as_array);
    let packages = packages.unwrap_or_default().iter();
    packages
        .flat_map(|package| texts(package.get("alerts"), Some("type")))
        .collect()
}

/// Whether grype says that its database cannot be used: then it finds nothing anywhere.
fn is_database_broken(root: &Value) -> bool {
    let places = ["/descriptor/db/valid", "/descriptor/db/status/valid"];
    let mut stated = places.into_iter().filter_map(|place| root.pointer(place));
    stated.any(|valid| *valid == Value::Bool(false))
}

/// The image that was looked at, if it was one.
fn images(root: &Value) -> Subjects {
    let mut subjects = Subjects::default();
    let source = root.get("source");
    let is_image = source.and_then(|source| source.get("type")?.as_str()) == Some("image");
    if let Some(target) = source.and_then(|source| source.get("target"))
        && is_image
    {
        let text = |key: &str| target.get(key).and_then(Value::as_str);
        let places = texts(target.get("repoDigests"), None);
        subjects.suggest_images(text("userInput"), &places, text("architecture"));
    }
    subjects
}

/// Takes a match up, which the user told grype to ignore if it is `suppressed`. Returns its id.
fn take<'v>(
    found: &Node<'v, '_>,
    suppressed: bool,
    findings: &mut Findings,
) -> Result<&'v str, PredicateError> {
    let vulnerability = found.need("vulnerability")?;
    let id = vulnerability.need("id")?.text()?;
    let finding = findings.entry(id);
    let related = found.value().get("relatedVulnerabilities");
    finding.aliases(&texts(related, Some("id")));
    rate_by_grype(&vulnerability, finding);
    let artifact = found.need("artifact")?;
    let place = Place {
        name: artifact.need("name")?.text()?,
        version: artifact.shown("version"),
        purl: artifact.shown("purl"),
        suppressed,
    };
    found_at(finding, place);
    Ok(id)
}

/// Whether grype's own data say that an ignored match is none, whatever rules of the user say so,
/// too.
fn is_ruled_out(found: &Value) -> bool {
    let rules = found.get("appliedIgnoreRules").and_then(Value::as_array);
    rules.unwrap_or_default().iter().any(is_own)
}

/// Whether a rule is of grype's own making.
fn is_own(rule: &Value) -> bool {
    let text = |pointer: &str| rule.pointer(pointer).and_then(Value::as_str);
    let package = ["name", "upstream-name", "type"];
    let package = package.map(|key| text(&format!("/package/{key}")).unwrap_or_default());
    let is_of_all = text("/vulnerability").is_none_or(str::is_empty);
    text("/reason").is_some_and(|reason| OWN_REASONS.contains(&reason))
        || (text("/match-type") == Some("exact-indirect-match")
            && is_of_all
            && HEADERS.contains(&package))
}

/// The reasons that grype has for rules of its own making (anchore/grype, `grype/matcher`): the
/// distribution has fixed it in the package that the files belong to, or says that it has not got
/// it.
const OWN_REASONS: [&str; 2] = ["DistroPackageFixed", "Explicit APK NAK"];

/// The rules that grype has unless it is told otherwise (anchore/grype, `cmd/grype/cli/commands`):
/// packages of headers are built of the kernel's sources, and are not the kernel. Name, name of the
/// source package, and type.
const HEADERS: [[&str; 3]; 4] = [
    ["kernel-headers", "kernel", "rpm"],
    ["linux(-.*)?-headers-.*", "linux.*", "deb"],
    ["linux-libc-dev", "linux", "deb"],
    ["linux-kbuild-.*", "linux.*", "deb"],
];

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

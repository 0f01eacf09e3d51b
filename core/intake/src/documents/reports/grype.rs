//! `grype -o json` (anchore/grype, `grype/presenter/models`).

use super::super::findings::{Finding, Findings};
use super::super::scan::Scan;
use super::super::subjects::Subjects;
use super::super::tool::{Takes, Tool};
use super::{Place, found_at, method, nothing_scanned, scan, suppressed, texts, time};
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
    let names_source = root.value().get("source").is_some() || findings.len() > 0;
    if !names_source {
        summary.push(nothing_scanned());
    }
    let lacks = lacks(root.value());
    for note in &lacks {
        summary.push(("note".to_owned(), (*note).to_owned()));
    }
    Ok(Scan {
        version: text("/descriptor/version").map(str::to_owned),
        is_whole: names_source && lacks.is_empty(),
        times: time(root, "/descriptor/timestamp"),
        subjects: images(root.value()),
        scanned: target.into_iter().collect(),
        summary,
        ..scan("pkg:github/anchore/grype", findings)
    })
}

/// What grype says that it could not look at: its database cannot be used, or knows nothing, or
/// nothing new, of the distribution that packages are of (anchore/grype,
/// `grype/presenter/models/alert.go`).
fn lacks(root: &Value) -> Vec<&'static str> {
    let places = ["/descriptor/db/valid", "/descriptor/db/status/valid"];
    let mut stated = places.into_iter().filter_map(|place| root.pointer(place));
    let is_broken = stated.any(|valid| *valid == Value::Bool(false));
    let alerts = root.get("alertsByPackage").and_then(Value::as_array);
    let has_alerts = alerts.is_some_and(|alerts| !alerts.is_empty());
    let all = [
        (
            is_broken,
            "grype says that its database cannot be used: that it found nothing says nothing",
        ),
        (
            has_alerts,
            "grype says of packages that it does not know their distribution, or that this is \
             supported no more: that it did not find something says nothing",
        ),
    ];
    let lacking = all.into_iter().filter(|(is_so, _)| *is_so);
    lacking.map(|(_, note)| note).collect()
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

/// Whether grype's own data and no rule of the user's say that an ignored match is none.
fn is_ruled_out(found: &Value) -> bool {
    let rules = found.get("appliedIgnoreRules").and_then(Value::as_array);
    let rules = rules.unwrap_or_default();
    let is_own = |rule: &Value| {
        let reason = rule.get("reason").and_then(Value::as_str);
        reason.is_some_and(|reason| OWN_REASONS.contains(&reason))
    };
    !rules.is_empty() && rules.iter().all(is_own)
}

/// The reasons that grype has for rules of its own making (anchore/grype, `grype/matcher`): the
/// distribution has fixed it in the package that the files belong to, or says that it has not got
/// it.
const OWN_REASONS: [&str; 2] = ["DistroPackageFixed", "Explicit APK NAK"];

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

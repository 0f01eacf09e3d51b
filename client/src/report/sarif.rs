//! The report for code scanning: SARIF 2.1.0 (OASIS), one result for each finding. The rules are
//! the policy's; of those about vulnerabilities each vulnerability is a rule below it (3.5.4), so
//! that services sort by how severe it is, and an alert is closed by itself.

use super::baseline::FINGERPRINT;
use super::{Finding, Log, Report, StoodBehind, UNIDENTIFIED, Witnessed, words};
use crate::ask::Place;
use crate::{percent_encoded, plain};
use assay_claims::time::rfc3339_of_ms;
use assay_policy::rules::{Outcome, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most bytes of the fingerprint that GitHub compares: what it computes itself has so many.
const LINE_HASH: usize = 16;

/// The SARIF log.
pub fn document(report: &Report) -> Value {
    let findings: Vec<Finding<'_>> = report.findings().collect();
    let results: Vec<Value> = findings.iter().map(|one| result(report, one)).collect();
    let silent = report.logs.iter().filter(|log| !log.is_complete());
    let notifications: Vec<Value> = silent
        .map(|log| {
            let text = message(&words::completeness(log, report));
            json!({"level": "error", "message": {"text": text}})
        })
        .collect();
    let logs: Vec<Value> = report.logs.iter().map(of_log).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "assay",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules(report, &findings),
            }},
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "endTimeUtc": rfc3339_of_ms(report.asked_at_ms),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": {"logs": logs},
        }],
    })
}

/// How a log answered, and who stood behind its head.
fn of_log(log: &Log) -> Value {
    let witnessed = Witnessed::new(&log.voices);
    json!({
        "origin": log.origin,
        "state": log.state.name(),
        "coverage": log.completeness.name(),
        "size": log.head.as_ref().map(|head| head.size),
        "cosignedAt": log.quorum_at_ms.map(rfc3339_of_ms),
        "stoodBehind": names(&witnessed.stood_behind),
        "auditedBy": names(&witnessed.audited_by),
        "convictedWitnesses": witnessed.convicted,
    })
}

fn names(all: &[StoodBehind]) -> Vec<&str> {
    all.iter().map(|one| one.name.as_str()).collect()
}

/// Every rule that a result names, by its id.
fn rules(report: &Report, findings: &[Finding<'_>]) -> Vec<Value> {
    let mut rules: BTreeMap<String, Vec<&Finding<'_>>> = BTreeMap::new();
    for finding in findings {
        rules.entry(rule_id(finding)).or_default().push(finding);
    }
    let rules = rules.iter();
    rules.map(|(id, of)| rule(report, id, of)).collect()
}

/// A rule with these findings.
fn rule(report: &Report, id: &str, findings: &[&Finding<'_>]) -> Value {
    let Some(first) = findings.first() else {
        return Value::Null;
    };
    let stated = first.reason.map(|reason| reason.stated.as_str());
    let stated = stated.filter(|stated| !stated.is_empty());
    let title = match (first.vulnerability, stated) {
        (Some(vulnerability), _) => format!("{vulnerability} ({})", first.rule),
        (None, _) => first.rule.to_owned(),
    };
    let full = stated.unwrap_or(match first.cause {
        UNIDENTIFIED => "Nothing is known of what cannot be identified.",
        _ => "Nobody whom the policy trusts says whether it can be used.",
    });
    let full = message(full);
    let help = message(&format!(
        "This is the rule \"{}\" of the policy {}. `assay lookup` shows who says what of a \
         component. What is to be ignored for a while stands in the policy, in an [[ignore]] with \
         a reason and an end.",
        first.rule, report.policy
    ));
    let mut properties = json!({
        "cause": first.cause,
        "tags": ["security", "supply-chain"],
    });
    // A severity that nobody states has no number; that of the worst component counts for all.
    let worst = findings.iter().filter_map(|finding| finding.severity).max();
    if let Some(score) = worst.and_then(score) {
        properties["security-severity"] = score.into();
    }
    let level = findings.iter().map(|finding| level(finding)).max();
    json!({
        "id": id,
        "shortDescription": {"text": message(&title)},
        "fullDescription": {"text": full},
        "help": {"text": format!("{full} {help}")},
        "defaultConfiguration": {"level": level.unwrap_or_default().name()},
        "properties": properties,
    })
}

/// What a result names its rule: the policy's rule, and below it the vulnerability.
fn rule_id(finding: &Finding<'_>) -> String {
    match finding.vulnerability {
        Some(vulnerability) => plain(&format!("{}/{vulnerability}", finding.rule)),
        None => plain(finding.rule),
    }
}

/// A score within the range that services have for a severity; none for "none", for which they have
/// no range.
fn score(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::None => None,
        Severity::Low => Some("2.0"),
        Severity::Medium => Some("5.0"),
        Severity::High => Some("8.0"),
        Severity::Critical => Some("9.5"),
    }
}

/// How loud a result is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Note,
    Warning,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

fn level(finding: &Finding<'_>) -> Level {
    match finding.outcome {
        _ if finding.is_ignored() => Level::Note,
        Outcome::Fine | Outcome::Warn => Level::Warning,
        _ => Level::Error,
    }
}

fn result(report: &Report, finding: &Finding<'_>) -> Value {
    let fingerprint = finding.fingerprint();
    let line_hash = format!("{}:1", fingerprint.get(..LINE_HASH).unwrap_or_default());
    let mut object = json!({
        "ruleId": rule_id(finding),
        "level": level(finding).name(),
        "message": {"text": message(&text(finding))},
        "locations": finding.places.iter().map(location).collect::<Vec<_>>(),
        // So that the same finding is told apart from new ones, though its line moves. The second
        // is the only one that GitHub compares; without it, it takes one of the line's text.
        "partialFingerprints": {FINGERPRINT: fingerprint, "primaryLocationLineHash": line_hash},
        "properties": {
            "component": finding.title,
            "outcome": finding.outcome.name(),
            "severity": finding.severity.map(Severity::name),
            "claims": claims(finding),
        },
    });
    if let Some(old) = report.gate.is_old(finding) {
        object["baselineState"] = if old { "unchanged" } else { "new" }.into();
    }
    let ignored = finding.reason.and_then(|reason| reason.ignored.as_ref());
    if let Some(ignored) = ignored {
        let suppressions = ignored.by.iter().map(|entry| {
            let why = format!("{} (until {})", entry.reason, entry.until);
            json!({"kind": "external", "status": "accepted", "justification": plain(&why)})
        });
        object["suppressions"] = suppressions.collect();
    }
    object
}

/// What is to be said of a finding, for people.
fn text(finding: &Finding<'_>) -> String {
    let title = &finding.title;
    let Some(reason) = finding.reason else {
        return format!("{title} cannot be identified, so that nothing is known of it.");
    };
    let what = match finding.vulnerability {
        Some(id) => {
            let severity = finding.severity.map_or("unknown", Severity::name);
            format!(
                "{id}, severity {severity}, in {title}: {}. ",
                finding.outcome
            )
        }
        None => format!("{title}: {}. ", finding.outcome),
    };
    // A text about all vulnerabilities is not repeated for each.
    let said = if finding.vulnerability.is_some() && !finding.is_ignored() {
        &reason.stated
    } else {
        &reason.text
    };
    let voices = reason.voices();
    let by = if voices.is_empty() {
        String::new()
    } else {
        format!(" (according to {voices})")
    };
    format!("{what}{}: {said}{by}", finding.rule)
}

/// The claims that gave it, each once.
fn claims(finding: &Finding<'_>) -> Vec<String> {
    let claims = finding.reason.into_iter().flat_map(|reason| &reason.claims);
    let mut ids: Vec<String> = claims.map(|claim| claim.claim_id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// A message that is what it says and nothing else. Braces are doubled, as SARIF 2.1.0, 3.11.5, has
/// it, because `{0}` is a placeholder. `[text](target)` is a link (3.11.6) only if nothing stands
/// between its halves, so a space does.
fn message(text: &str) -> String {
    plain(text)
        .replace('{', "{{")
        .replace('}', "}}")
        .replace("](", "] (")
}

/// A place in a file. Where the format has no lines that mean something, the file's first stands
/// for it: services that show results demand one.
fn location(place: &Place) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&place.file)},
        "region": {"startLine": place.line.unwrap_or(1)},
    }})
}

/// A path as a relative or `file:` URI reference (RFC 3986).
fn uri(path: &str) -> String {
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    let path = percent_encoded(path.trim_start_matches("./"), b"/");
    format!("{scheme}{path}")
}

#[cfg(test)]
mod tests {
    use super::super::{Completeness, example};
    use super::*;

    #[test]
    fn every_result_has_a_rule_a_place_and_a_level() {
        let sarif = document(&example::report());
        let run = &sarif["runs"][0];
        let rules: Vec<_> = run["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| &rule["id"])
            .collect();
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 6);
        for result in results {
            assert!(rules.contains(&&result["ruleId"]), "{result}");
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "a%20b/Cargo.lock");
            assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
        }
        let levels: Vec<_> = results
            .iter()
            .map(|result| result["level"].as_str().unwrap())
            .collect();
        assert_eq!(
            levels,
            ["error", "error", "warning", "warning", "warning", "error"]
        );
        assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    }

    #[test]
    fn a_log_that_did_not_answer_makes_the_run_unsuccessful() {
        let mut report = example::report();
        report.logs[0].completeness = Completeness::Nothing;
        assert_eq!(
            document(&report)["runs"][0]["invocations"][0]["executionSuccessful"],
            false
        );
    }

    #[test]
    fn services_sort_by_severity_and_know_a_finding_again() {
        let mut report = example::report();
        let sarif = document(&report);
        let run = &sarif["runs"][0];
        let result = &run["results"][0];
        assert_eq!(result["ruleId"], "exploitable/CVE-2026-0001");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let of = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
        let rule = of("exploitable/CVE-2026-0001");
        assert_eq!(rule["properties"]["security-severity"], "8.0");
        assert!(
            rule["help"]["text"]
                .as_str()
                .unwrap()
                .contains("policy.toml")
        );
        assert!(of("origin")["properties"]["security-severity"].is_null());
        let fingerprints = result["partialFingerprints"].clone();
        let line_hash = fingerprints["primaryLocationLineHash"].as_str().unwrap();
        assert_eq!(line_hash.len(), 18);
        assert!(result["baselineState"].is_null() && result["suppressions"].is_null());
        // Its line moves, and it is the same; another version is another finding.
        report.components[1].places[0].line = Some(1);
        let again = |report: &Report| {
            let sarif = document(report);
            sarif["runs"][0]["results"][0]["partialFingerprints"].clone()
        };
        assert_eq!(again(&report), fingerprints);
        report.components[1].purl = Some("pkg:cargo/bad@1.0.1".into());
        assert_ne!(again(&report), fingerprints);
    }

    #[test]
    fn what_the_policy_ignores_is_suppressed_with_its_reason() {
        let mut report = example::report();
        let reason = &mut report.components[1].reasons[0];
        reason.outcome = Outcome::Warn;
        reason.ignored = Some(super::super::Overlooked {
            outcome: Outcome::Denied,
            by: vec![super::super::Ignoring {
                what: "x".into(),
                reason: "Not built.".into(),
                until: "2026-03-01".into(),
                expired: false,
            }],
        });
        let sarif = document(&report);
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(result["level"], "note");
        let suppression = &result["suppressions"][0];
        assert_eq!(
            suppression["justification"],
            "Not built. (until 2026-03-01)"
        );
    }

    #[test]
    fn a_message_has_no_link_and_no_placeholder() {
        assert_eq!(message("[x](y) {0} ]]((z"), "[x] (y) {{0}} ]] ((z");
        assert_eq!(message("a\u{202e}b"), "a\\u{{202e}}b");
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("./a/ü%.lock"), "a/%C3%BC%25.lock");
        assert_eq!(uri("/a/b"), "file:///a/b");
    }
}

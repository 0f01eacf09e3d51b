//! The report for code scanning: SARIF 2.1.0 (OASIS), one result for each component that is not
//! fine and for each entry that could not be identified. The rules are the policy's.

use super::{Component, Log, Reason, Report, StoodBehind, Witnessed, words};
use crate::ask::Place;
use crate::plain;
use assay_claims::time::rfc3339_of_ms;
use assay_policy::rules::Outcome;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The rule of what could not be identified: the policy has none for it.
const UNIDENTIFIED: &str = "unidentified";

/// The SARIF log.
pub fn document(report: &Report) -> Value {
    let mut results: Vec<Value> = report.not_fine().into_iter().filter_map(result).collect();
    results.extend(report.unidentified().map(|(file, one)| {
        let text = format!(
            "{} {}, so that nothing is known of it.",
            one.what, one.reason
        );
        let level = if report.stops_at_unknown {
            "error"
        } else {
            "warning"
        };
        let place = Place {
            file: file.name.clone(),
            line: one.line,
        };
        finding(UNIDENTIFIED, level, &text, &[place], &one.what)
    }));
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
                "rules": rules(report),
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

/// Every rule that a result names, by name.
fn rules(report: &Report) -> Vec<Value> {
    let reasons = report.components.iter().flat_map(Component::against);
    let mut rules: BTreeMap<&str, &str> = reasons
        .map(|reason| (reason.rule.as_str(), reason.cause.name()))
        .collect();
    if report.unidentified().next().is_some() {
        rules.insert(UNIDENTIFIED, UNIDENTIFIED);
    }

    let mut values = Vec::new();
    for (id, cause) in rules {
        values.push(json!({
            "id": id,
            "shortDescription": {"text": message(id)},
            "properties": {"cause": cause},
        }));
    }
    values
}

fn result(component: &Component) -> Option<Value> {
    let worst = component.main_reason()?;

    let reasons: Vec<String> = component
        .against()
        .map(|reason: &Reason| {
            let voices = reason.voices();
            let by = if voices.is_empty() {
                String::new()
            } else {
                format!(" (according to {voices})")
            };
            format!("{}: {}{by}", reason.rule, reason.text)
        })
        .collect();
    let text = format!(
        "{}: {}. {}",
        component.title(),
        component.outcome,
        reasons.join(" ")
    );
    let level = if worst.outcome == Outcome::Warn {
        "warning"
    } else {
        "error"
    };
    Some(finding(
        &worst.rule,
        level,
        &text,
        &component.places,
        &component.title(),
    ))
}

fn finding(rule: &str, level: &str, text: &str, places: &[Place], name: &str) -> Value {
    json!({
        "ruleId": rule,
        "level": level,
        "message": {"text": message(text)},
        "locations": places.iter().map(location).collect::<Vec<_>>(),
        // So that the same finding is told apart from new ones, though its line moves.
        "partialFingerprints": {"component/v1": format!("{rule}|{name}")},
    })
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
    let mut text = String::new();
    if path.starts_with('/') {
        text.push_str("file://");
    }
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
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
        assert_eq!(results.len(), 5);
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
        assert_eq!(levels, ["error", "error", "warning", "warning", "error"]);
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

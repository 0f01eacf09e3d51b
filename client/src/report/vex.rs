//! The report as a VEX document: CycloneDX 1.6, the vulnerabilities that claims speak of, and
//! whether they apply.
//!
//! Only issuers with a role under the policy say whether a vulnerability applies; if they differ,
//! the worst counts. That it does not apply is written only where their word clears it under the
//! policy, and no rule finds it all the same. Of a vulnerability of which nobody says so much, the
//! state is `in_triage`: it was found, and nobody knows.

use super::{Component, Report, Stated, Vulnerability};
use crate::{one_word, plain};
use assay_claims::kind::vex::Status;
use assay_claims::time::rfc3339_of_ms;
use serde_json::{Map, Value, json};

/// The document.
pub fn document(report: &Report) -> Value {
    let found: Vec<(&Component, &Vulnerability)> = report
        .components
        .iter()
        .flat_map(|component| {
            component
                .vulnerabilities
                .iter()
                .map(move |vulnerability| (component, vulnerability))
        })
        .collect();
    let mut components: Vec<&Component> = found.iter().map(|(component, _)| *component).collect();
    components.dedup_by_key(|component| component.title());
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": rfc3339_of_ms(report.asked_at_ms),
            "tools": {"components": [{
                "type": "application",
                "name": "assay",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
        },
        "components": components.into_iter().map(component).collect::<Vec<_>>(),
        "vulnerabilities": found
            .into_iter()
            .map(|(component, one)| vulnerability(component, one))
            .collect::<Vec<_>>(),
    })
}

fn component(component: &Component) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), "library".into());
    object.insert("bom-ref".into(), component.title().into());
    object.insert("name".into(), component.name.clone().into());
    object.extend(
        component
            .version
            .iter()
            .map(|version| ("version".to_owned(), version.clone().into())),
    );
    object.extend(
        component
            .purl
            .iter()
            .map(|purl| ("purl".to_owned(), purl.to_string().into())),
    );
    Value::Object(object)
}

fn vulnerability(component: &Component, vulnerability: &Vulnerability) -> Value {
    let claims = vulnerability
        .found
        .iter()
        .chain(vulnerability.stated.iter().map(|stated| &stated.claim));
    let properties: Vec<Value> = claims
        .map(|claim| {
            json!({
                "name": "assay:claim",
                "value": format!("{} in {}", claim.claim_id, claim.log),
            })
        })
        .collect();
    let mut object = Map::new();
    object.insert(
        "bom-ref".into(),
        format!("{}#{}", vulnerability.id, component.title()).into(),
    );
    object.insert("id".into(), vulnerability.id.clone().into());
    if let Some(severity) = vulnerability.severity {
        object.insert("ratings".into(), json!([{"severity": severity}]));
    }
    object.insert("analysis".into(), analysis(vulnerability));
    object.insert("affects".into(), json!([{"ref": component.title()}]));
    object.insert("properties".into(), properties.into());
    Value::Object(object)
}

fn analysis(vulnerability: &Vulnerability) -> Value {
    let trusted = vulnerability
        .stated
        .iter()
        .filter(|stated| !stated.claim.roles.is_empty());
    let worst = trusted.max_by_key(|stated| gravity(stated.status));
    let status = worst.and_then(|stated| {
        if stated.status.clears() {
            vulnerability.cleared
        } else {
            Some(stated.status)
        }
    });
    let mut object = Map::new();
    object.insert("state".into(), status.map_or("in_triage", state).into());
    let justification = worst
        .filter(|_| status == Some(Status::NotAffected))
        .and_then(justification);
    object.extend(justification.map(|label| ("justification".to_owned(), label.into())));
    object.insert("detail".into(), detail(vulnerability).into());
    Value::Object(object)
}

/// Who says what, strangers included.
fn detail(vulnerability: &Vulnerability) -> String {
    let mut sentences: Vec<String> = vulnerability
        .stated
        .iter()
        .map(|stated: &Stated| {
            let role = if stated.claim.roles.is_empty() {
                ", who has no role under the policy"
            } else {
                ""
            };
            let why = stated
                .justification
                .as_deref()
                .map(|why| format!(" ({})", one_word(why)))
                .unwrap_or_default();
            format!(
                "According to {}{role}: {}{why}.",
                stated.claim.issuer,
                state(stated.status)
            )
        })
        .collect();
    sentences.extend(
        vulnerability
            .found
            .iter()
            .map(|claim| format!("A scan by {} found it.", claim.issuer)),
    );
    prose(&sentences.join(" "))
}

/// Prose that viewers may take for Markdown or HTML, which CycloneDX does not forbid them: it has
/// no link and no element.
pub(super) fn prose(text: &str) -> String {
    plain(text).replace("](", "] (").replace('<', "\\u{3c}")
}

fn gravity(status: Status) -> u8 {
    match status {
        Status::NotAffected => 0,
        Status::Fixed => 1,
        Status::UnderInvestigation => 2,
        Status::Affected => 3,
    }
}

fn state(status: Status) -> &'static str {
    match status {
        Status::NotAffected => "not_affected",
        Status::Fixed => "resolved",
        Status::UnderInvestigation => "in_triage",
        Status::Affected => "exploitable",
    }
}

/// The label of CycloneDX for one of OpenVEX, where there is one of the same meaning.
fn justification(stated: &Stated) -> Option<&'static str> {
    label(stated.justification.as_deref()?)
}

/// The label of CycloneDX for one of OpenVEX, if there is one of the same meaning.
pub(super) fn label(justification: &str) -> Option<&'static str> {
    match justification {
        "component_not_present" | "vulnerable_code_not_present" => Some("code_not_present"),
        "vulnerable_code_not_in_execute_path" => Some("code_not_reachable"),
        "inline_mitigations_already_exist" => Some("protected_by_mitigating_control"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn what_their_word_does_not_clear_is_not_written_as_cleared() {
        let mut report = example::report();
        let of_bad = report.components.iter_mut();
        let mut all = of_bad.flat_map(|one| &mut one.vulnerabilities);
        let one = all.find(|one| one.id == "CVE-2026-0002").unwrap();
        one.cleared = None;
        let analysis = analysis(one);
        assert_eq!(analysis["state"], "in_triage");
        assert_eq!(analysis.get("justification"), None);
        let detail = analysis["detail"].as_str().unwrap();
        assert!(detail.contains(": not_affected"), "{detail}");
    }

    #[test]
    fn only_those_with_a_role_say_whether_it_applies() {
        let vex = document(&example::report());
        assert_eq!(vex["components"].as_array().unwrap().len(), 1);
        let of = |i: usize| {
            (
                &vex["vulnerabilities"][i]["id"],
                &vex["vulnerabilities"][i]["analysis"]["state"],
            )
        };
        assert_eq!(of(0), (&"CVE-2026-0001".into(), &"exploitable".into()));
        assert_eq!(of(1), (&"CVE-2026-0002".into(), &"not_affected".into()));
        assert_eq!(of(2), (&"CVE-2026-0003".into(), &"in_triage".into()));
        assert_eq!(
            vex["vulnerabilities"][1]["analysis"]["justification"],
            "code_not_present"
        );
        let detail = vex["vulnerabilities"][1]["analysis"]["detail"]
            .as_str()
            .unwrap();
        assert!(
            detail.contains("who has no role under the policy: resolved"),
            "{detail}"
        );
        assert_eq!(
            vex["vulnerabilities"][0]["affects"][0]["ref"],
            vex["components"][0]["bom-ref"]
        );
    }
}

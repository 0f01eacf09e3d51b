//! Which vulnerability a result is of, where its rule does not say it by its own name.

use super::super::informational::is_harmless;
use super::rules::Rule;
use super::texts;
use assay_claims::json::Value;
use assay_claims::vulnerability::{at_beginning, canonical};
use std::collections::BTreeSet;

/// The advisory that a result is of, where one rule is for all of them: cargo-deny names it in the
/// fingerprints alone (`cargo-deny/advisory-id`), others in a taxonomy (SARIF 3.27.8). That a crate
/// is not maintained is no vulnerability.
pub(super) fn advisory<'v>(result: &'v Value, rule: &Rule<'v>) -> Option<&'v str> {
    let fingerprints = result.get("partialFingerprints").and_then(Value::as_object);
    let named = fingerprints.unwrap_or_default().iter();
    let kind = rule.id.rsplit([':', '/']).next().unwrap_or(rule.id);
    let id = named
        .filter(|(key, _)| key.ends_with("advisory-id"))
        .find_map(|(_, id)| id.as_str().filter(|id| canonical(id).is_some()));
    let id = id.or_else(|| of_taxonomy(result, rule));
    id.filter(|_| !is_harmless(kind))
}

/// The vulnerability that a result is classified as, if it is one and its rule is of none by name.
fn of_taxonomy<'v>(result: &'v Value, rule: &Rule<'v>) -> Option<&'v str> {
    let is_named = canonical(rule.id).is_some() || at_beginning(rule.id).is_some();
    let taxa = result.get("taxa").and_then(Value::as_array);
    let taxa = taxa.unwrap_or_default().iter();
    let ids = taxa.filter_map(|taxon| taxon.get("id")?.as_str());
    let ids: BTreeSet<&str> = ids.filter(|id| canonical(id).is_some()).collect();
    match ids.len() {
        1 if !is_named => ids.first().copied(),
        _ => None,
    }
}

/// Whether cargo-audit warns in a result of what is no vulnerability: that a crate is not
/// maintained, or was yanked. What that is, only the text of its message says
/// (`NAME VERSION has a KIND warning: TITLE`; rustsec/rustsec, `cargo-audit/src/sarif.rs`).
pub(super) fn is_no_vulnerability(result: &Value) -> bool {
    let fingerprints = result.get("partialFingerprints");
    let fingerprints = fingerprints.and_then(Value::as_object).unwrap_or_default();
    let mut keys = fingerprints.iter().map(|(key, _)| key);
    let is_of_cargo_audit = keys.any(|key| key.starts_with("cargo-audit/"));
    let text = result.pointer("/message/text").and_then(Value::as_str);
    let words: Vec<&str> = text
        .unwrap_or_default()
        .split(' ')
        .skip(2)
        .take(4)
        .collect();
    let ["has", "a", kind, "warning" | "warning:"] = words[..] else {
        return false;
    };
    is_of_cargo_audit && (kind == "yanked" || is_harmless(kind))
}

/// The other names that a tool tags the rule of a vulnerability with, as govulncheck does. Several
/// of one list are no one vulnerability.
pub(super) fn tagged<'v>(rule: &Rule<'v>) -> Vec<&'v str> {
    let tags = (rule.described.iter()).flat_map(|rule| texts(rule.pointer("/properties/tags")));
    let mut tags: Vec<&str> = tags.filter(|tag| canonical(tag).is_some()).collect();
    tags.sort_unstable();
    tags.dedup();
    let list = |tag: &str| tag.split('-').next().map(str::to_ascii_uppercase);
    let mut pairs = tags.windows(2);
    let many = pairs.any(|pair| matches!(pair, [a, b] if list(a) == list(b)));
    if many || canonical(rule.id).is_none() {
        return Vec::new();
    }
    tags
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::scan::Vulns;

    /// What is found of a result of this rule, which has these tags, and these fingerprints.
    fn named(rule: &str, tags: &str, fingerprints: &str) -> Vec<String> {
        let text = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"cargo-deny","rules":[
                {{"id":"{rule}","properties":{{"tags":[{tags}]}}}}]}}}},
                "results":[{{"ruleId":"{rule}",
                "message":{{"text":"m"}},"partialFingerprints":{{{fingerprints}}}}}]}}]}}"#
        );
        let prepared = prepare("scan", "x.sarif", text.as_bytes(), "2026-11-22T18:41:48Z").unwrap();
        let read = Vulns::parse(&prepared[0].predicate).unwrap();
        let found = read.vulnerabilities.iter();
        let found = found.map(|one| [&[one.id.clone()][..], &one.aliases].concat().join(" "));
        found.chain([read.looks_for_known.to_string()]).collect()
    }

    #[test]
    fn an_advisory_of_cargo_deny_is_that() {
        let id = r#""cargo-deny/advisory-id":"RUSTSEC-2026-0001""#;
        for (rule, fingerprints, expected) in [
            (
                "advisories:vulnerability",
                id,
                ["RUSTSEC-2026-0001", "true"],
            ),
            ("advisories/unsound", id, ["RUSTSEC-2026-0001", "true"]),
            (
                "advisories:unmaintained",
                id,
                ["advisories:unmaintained", "false"],
            ),
            (
                "licenses:rejected",
                r#""cargo-deny/krate":"a@1""#,
                ["licenses:rejected", "false"],
            ),
            ("x", r#""cargo-deny/advisory-id":"no id""#, ["x", "false"]),
        ] {
            assert_eq!(named(rule, "", fingerprints), expected, "{rule}");
        }
    }

    #[test]
    fn a_result_is_of_the_vulnerability_that_it_is_classified_as() {
        let found = |rule: &str, taxa: &str| {
            let text = format!(
                r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"t"}}}},"results":[
                    {{"ruleId":"{rule}","message":{{"text":"m"}},"taxa":[{taxa}]}}]}}]}}"#
            );
            let now = "2026-11-22T18:41:48Z";
            let prepared = prepare("scan", "x.sarif", text.as_bytes(), now).unwrap();
            let read = Vulns::parse(&prepared[0].predicate).unwrap();
            read.vulnerabilities[0].id.clone()
        };
        let (cve, cwe) = (r#"{"id":"CVE-2026-0001"}"#, r#"{"id":"CWE-79"}"#);
        assert_eq!(
            found("old-library", &format!("{cwe},{cve}")),
            "CVE-2026-0001"
        );
        assert_eq!(found("old-library", cwe), "old-library");
        let two = format!(r#"{cve},{{"id":"CVE-2026-0002"}}"#);
        assert_eq!(found("old-library", &two), "old-library");
        assert_eq!(found("CVE-2026-0003-lib", cve), "CVE-2026-0003-lib");
    }

    /// What a result says, by cargo-audit or another tool, is found or not.
    #[test]
    fn what_cargo_audit_only_warns_of_is_no_vulnerability() {
        let own = "cargo-audit/advisory-fingerprint";
        for (key, message, is_found) in [
            (own, "a 1.0.0 is vulnerable to RUSTSEC-2026-0001 (a)", true),
            (
                own,
                "a 1.0.0 has a unsound warning: it has a yanked warning",
                true,
            ),
            (
                own,
                "a 1.0.0 has a unmaintained warning: not maintained",
                false,
            ),
            (own, "a 1.0.0 has a notice warning: renamed", false),
            (own, "a 1.0.0 has a yanked warning", false),
            ("other/advisory", "a 1.0.0 has a yanked warning", true),
        ] {
            let text = format!(
                r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"cargo-audit"}}}},
                    "results":[{{"ruleId":"RUSTSEC-2026-0001","message":{{"text":"{message}"}},
                    "partialFingerprints":{{"{key}":"f"}}}}]}}]}}"#
            );
            let now = "2026-11-22T18:41:48Z";
            let prepared = prepare("scan", "x.sarif", text.as_bytes(), now).unwrap();
            let read = Vulns::parse(&prepared[0].predicate).unwrap();
            assert_eq!(read.vulnerabilities.len() == 1, is_found, "{message}");
            assert!(read.is_complete);
        }
    }

    #[test]
    fn tags_name_a_vulnerability_if_they_name_one() {
        for (rule, tags, expected) in [
            (
                "GO-2026-0001",
                r#""CVE-2026-0001","GHSA-aaaa-bbbb-cccc""#,
                "GO-2026-0001 CVE-2026-0001 GHSA-aaaa-bbbb-cccc",
            ),
            (
                "GO-2026-0001",
                r#""CVE-2026-0001","CVE-2026-0002""#,
                "GO-2026-0001",
            ),
            ("GO-2026-0001", r#""security","CWE-79",7"#, "GO-2026-0001"),
            ("no-eval", r#""CVE-2026-0001""#, "no-eval"),
        ] {
            assert_eq!(named(rule, tags, "")[0], expected, "{tags}");
        }
    }
}

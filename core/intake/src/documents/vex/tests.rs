//! What documents of each format say.

mod bom_links;
mod csaf;
mod csaf_identifiers;
mod csaf_products;
mod cyclonedx;
mod rating;
mod spdx3;

use crate::documents::findings::Findings;
use crate::documents::{DocumentError, Prepared, prepare};
use assay_claims::kind::vex::{Product, Vex};
use assay_claims::kind::{Kind, check};

const NOW: &str = "2026-11-22T18:41:48Z";

fn claims(kind: &str, text: &str) -> Result<Vec<Prepared>, DocumentError> {
    let claims = prepare(kind, "doc.json", text.as_bytes(), NOW)?;
    for claim in &claims {
        check(&claim.predicate_type, &claim.predicate).unwrap();
    }
    Ok(claims)
}

/// The statements of a document's claims, each in a line, and what they are about.
fn said(kind: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let mut lines = Vec::new();
    let mut subjects = Vec::new();
    for claim in claims(kind, text).unwrap() {
        if Kind::of(&claim.predicate_type) != Kind::Vex {
            continue;
        }
        assert_eq!(claim.attachment.unwrap().bytes, text);
        let vex = Vex::parse(&claim.predicate).unwrap();
        for one in &vex.statements {
            let names: Vec<&str> = std::iter::once(&one.vulnerability)
                .chain(&one.aliases)
                .map(String::as_str)
                .collect();
            let products: Vec<String> = one.products.iter().map(named).collect();
            let why = one.justification.as_deref().unwrap_or("-");
            lines.push(format!(
                "{} {} {why} {}",
                names.join("="),
                one.status.as_str(),
                products.join(", ")
            ));
        }
        subjects.extend(
            claim
                .subjects
                .iter()
                .filter_map(|one| one.uri().map(str::to_owned)),
        );
    }
    (lines, subjects)
}

fn lines(kind: &str, text: &str) -> Vec<String> {
    said(kind, text).0
}

/// A product with its parts.
fn named(product: &Product) -> String {
    let mut name = product.name();
    for part in &product.parts {
        name.push_str(&format!(" > {}", part.name()));
    }
    name
}

/// The index tells spellings apart, so that a claim that names `cve-…` would be found by nobody who
/// looks for `CVE-…`.
#[test]
fn a_vulnerability_is_spelled_as_it_is_looked_for() {
    let csaf = csaf::csaf(r#""fixed":["APP"]"#, "")
        .replace(r#""CVE-1""#, r#""cve-2026-0001""#)
        .replace(r#""GHSA-1""#, r#""ghsa-29MW-wpgm-hmr9""#);
    let line = "CVE-2026-0001=GHSA-29mw-wpgm-hmr9 fixed - pkg:npm/app@2";
    assert_eq!(lines("vex", &csaf), [line]);
    let mut findings = Findings::default();
    findings
        .entry("cve-2026-0001")
        .aliases(&["rustsec-2026-0001", "tracker-a"]);
    assert!(findings.has("CVE-2026-0001"));
    let found = findings.to_json(true).to_json();
    for id in ["CVE-2026-0001", "RUSTSEC-2026-0001", "tracker-a"] {
        assert!(found.contains(&format!(r#"{{"id":"{id}""#)), "{found}");
    }
    // What is published as it is written is refused.
    let openvex = |name: &str, alias: &str| {
        let text = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":{{"name":"{name}","aliases":["{alias}"]}},"products":[{{"@id":"pkg:npm/a@1"}}],"status":"fixed"}}]}}"#
        );
        claims("vex", &text).map(|_| ()).map_err(|e| e.to_string())
    };
    for (name, alias, canonical) in [
        ("cve-2026-0001", "tracker-a", "CVE-2026-0001"),
        ("tracker-a", "GHSA-29MW-WPGM-HMR9", "GHSA-29mw-wpgm-hmr9"),
    ] {
        let error = openvex(name, alias).unwrap_err();
        assert!(error.contains(&format!("write {canonical}")), "{error}");
    }
    assert_eq!(openvex("CVE-2026-0001", "cve-in-short"), Ok(()));
}

/// Each format says why itself: what is said of all would be of no use.
#[test]
fn a_document_that_says_of_nothing_how_it_stands_is_refused_for_that() {
    let osv = |more: &str| {
        format!(
            r#"{{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"Nowhere","name":"a"}}{more}}}]}}"#
        )
    };
    let informational = osv(r#","database_specific":{"informational":"notice"}"#);
    let ghsa = r#"{"ghsa_id":"GHSA-1","updated_at":"2026-01-01T00:00:00Z","vulnerabilities":[{"package":{"ecosystem":"elsewhere","name":"a"}}]}"#;
    let rejected = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"id":"CVE-1","rejected":"2026-01-01T00:00:00Z"}]}"#;
    for (text, why, note) in [
        (osv(""), "the OSV record names no package", "Nowhere"),
        (informational, "the OSV record is informational", ""),
        (
            ghsa.to_owned(),
            "the advisory names no package",
            "elsewhere",
        ),
        (
            csaf::csaf("", "").replacen("product_status", "status", 1),
            "the CSAF document has no product_status",
            "",
        ),
        (
            rejected.to_owned(),
            "it says of no vulnerability whether it applies",
            "was rejected",
        ),
    ] {
        let error = claims("vex", &text).unwrap_err().to_string();
        assert!(
            error.contains(why) && error.contains(note),
            "{why}: {error}"
        );
    }
}

#[test]
fn other_names_of_a_vulnerability_are_bounded() {
    let of = |count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!(r#""TRACKER-{at}""#)).collect();
        let text = format!(
            r#"{{"id":"A","modified":"2026-01-01T00:00:00Z","aliases":[{}],"affected":[{{"package":{{"ecosystem":"npm","name":"a"}}}}]}}"#,
            names.join(",")
        );
        claims("vex", &text).map(|claims| claims.len())
    };
    assert_eq!(of(100), Ok(1));
    let error = of(102).unwrap_err().to_string();
    assert!(error.contains("has more than 100 other names"), "{error}");
}

//! Reports that look clean and are not, and those of npm's registry in other forms.

use super::{NOW, Vulns, found, prepare};
use assay_claims::json::Value;

const CONFIG: &str = r#"{"config":{"scanner_name":"govulncheck","scanner_version":"v1.1.4"MORE}}"#;
const FETCHES: &str = r#"{"progress":{"message":"Fetching vulnerabilities from the database..."}}"#;
const CHECKS: &str =
    r#"{"progress":{"message":"Checking the code against the vulnerabilities..."}}"#;
const RECORD: &str = r#"{"osv":{"id":"GO-2026-0001","aliases":["CVE-2026-0001"],
    "affected":[{"package":{"name":"example.org/a","ecosystem":"Go"}}]}}"#;
const FOUND: &str =
    r#"{"finding":{"osv":"GO-2026-0001","trace":[{"module":"example.org/a","version":"v1.2.3"}]}}"#;

fn govulncheck(mode: &str, messages: &[&str]) -> (Vec<String>, bool) {
    let config = CONFIG.replace("MORE", &format!(r#","scan_mode":"{mode}""#));
    found(&format!("{config}{}", messages.concat())).unwrap()
}

/// Where it cannot have its database, it ends; what it wrote until then looks clean.
#[test]
fn govulncheck_that_only_fetched_its_database_looked_at_nothing() {
    let modules = r#"{"SBOM":{"modules":[{"path":"example.org/a","version":"v1.2.3"}]}}"#;
    for (messages, is_whole) in [
        (&[modules, FETCHES][..], false),
        (&[modules, FETCHES, RECORD], false),
        (&[modules, FETCHES, RECORD, CHECKS], true),
        (&[modules, CHECKS], true),
    ] {
        let (lines, whole) = govulncheck("source", messages);
        assert!(lines.is_empty() && whole == is_whole, "{messages:?}");
    }
    let (lines, _) = govulncheck("source", &[FETCHES, RECORD, FOUND]);
    assert_eq!(lines.len(), 1);
}

/// A clean scan of one module takes nothing back that was found in another.
#[test]
fn scans_of_two_modules_are_told_apart() {
    let scanned = |module: &str, needed: &str| {
        let text = format!(
            r#"{CONFIG}{{"SBOM":{{"modules":[{{"path":"{module}"}},{{"path":"{needed}",
            "version":"v1.2.3"}}]}}}}{CHECKS}"#
        );
        let text = text.replace("MORE", "");
        let claim = prepare("scan", "r", text.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        assert!(!claim.predicate.to_json().contains(module));
        Vulns::parse(&claim.predicate).unwrap().scanned
    };
    let one = scanned("example.org/one", "example.org/a");
    assert!(one.is_some() && one == scanned("example.org/one", "example.org/b"));
    assert_ne!(one, scanned("example.org/two", "example.org/a"));
}

/// Of a query the records are the answer; in a scan they are what was looked at.
#[test]
fn what_govulncheck_answers_to_a_query_is_found() {
    let asks =
        r#"{"progress":{"message":"Looking up vulnerabilities in example.org/a at v1.2.3"}}"#;
    let (lines, whole) = govulncheck("query", &[asks, RECORD]);
    let expected = "GO-2026-0001 [CVE-2026-0001]  in pkg:golang/example.org/a";
    assert_eq!((lines, whole), (vec![expected.to_owned()], true));
    let back = RECORD.replace(
        r#""aliases""#,
        r#""withdrawn":"2026-01-01T00:00:00Z","aliases""#,
    );
    for open in [&[asks][..], &[asks, &back]] {
        assert_eq!(govulncheck("query", open), (vec![], false), "{open:?}");
    }
}

/// After that nobody lists what is found in its packages.
#[test]
fn a_scan_of_a_distribution_that_has_ended_or_is_not_known_is_not_whole() {
    let trivy = |ended: bool| {
        format!(
            r#"{{"SchemaVersion":2,"ArtifactName":"a","Metadata":{{"OS":{{"Family":"debian",
            "Name":"9.13","EOSL":{ended}}}}},"Results":[{{"Target":"a","Class":"os-pkgs"}}]}}"#
        )
    };
    let grype = |alert: &str| {
        format!(
            r#"{{"matches":[],"alertsByPackage":[{{"package":{{"name":"a"}},"alerts":[
            {{"type":"{alert}","message":"m"}}]}}],"source":{{"type":"directory","target":"."}},
            "descriptor":{{"name":"grype"}}}}"#
        )
    };
    for (text, is_whole) in [
        (trivy(true), false),
        (trivy(false), true),
        (grype("distro-eol"), false),
        (grype("distro-unknown"), false),
        (grype("distro-disabled"), false),
        (grype("of-tomorrow"), true),
    ] {
        assert_eq!(found(&text).unwrap(), (vec![], is_whole), "{text}");
        let claim = prepare("scan", "r", text.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let mut told = claim.summary.iter();
        let is_told = told.any(|(_, line)| line.contains("distribution"));
        assert_eq!(is_told, !is_whole, "{text}");
    }
}

/// What was looked at is told apart by the kinds of packages, and a system that was left out is
/// told.
#[test]
fn a_report_of_trivy_says_which_kinds_of_packages_it_is_of() {
    let trivy = |results: &str| {
        format!(
            r#"{{"SchemaVersion":2,"ArtifactName":"a","Metadata":{{"OS":{{"Family":"debian"}}}},
            "Results":[{results}]}}"#
        )
    };
    let system = r#"{"Target":"a","Class":"os-pkgs","Type":"debian"}"#;
    let language = r#"{"Target":"l","Class":"lang-pkgs"}"#;
    let scanned = |text: &str| {
        let claim = prepare("scan", "r", text.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let scanned = claim.predicate.pointer("/metadata/scanned");
        scanned.and_then(Value::as_str).map(str::to_owned)
    };
    let (both, of_system) = (trivy(&format!("{language},{system}")), trivy(system));
    assert_ne!(scanned(&of_system), scanned(&both));
    for (text, is_whole) in [(both, true), (of_system, true), (trivy(language), false)] {
        assert_eq!(found(&text).unwrap().1, is_whole, "{text}");
    }
}

const VECTOR: &str = "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:L";

#[test]
fn audits_of_npm_6_pnpm_and_bun_are_read() {
    let advisory = format!(
        r#""url":"https://e.org/advisories/GHSA-aaaa-bbbb-cccc","severity":"moderate",
        "vulnerable_versions":"<2","cvss":{{"score":5.6,"vectorString":"{VECTOR}"}}"#
    );
    let by_number = format!(
        r#"{{"actions":[],"muted":[],"advisories":{{"7":{{"id":7,"module_name":"@e/lib",
        "findings":[{{"version":"1.0.0","paths":["a>@e/lib"]}},{{"version":"1.1.0"}}],
        "cves":["CVE-2026-0001"],{advisory}}},"8":{{"id":8,"module_name":"b","severity":"low",
        "cves":["CVE-2026-0002","CVE-2026-0003"]}}}},"metadata":{{"totalDependencies":9}}}}"#
    );
    let score = format!("moderate {VECTOR}");
    let (lines, whole) = found(&by_number).unwrap();
    let places = "pkg:npm/%40e/lib@1.0.0 pkg:npm/%40e/lib@1.1.0";
    let expected = [
        format!("GHSA-aaaa-bbbb-cccc [CVE-2026-0001] {score} in {places}"),
        "npm:8 [] low in ".to_owned(),
    ];
    assert_eq!((&lines[..], whole), (&expected[..], true));
    let named = by_number.replace(
        r#""id":8,"#,
        r#""github_advisory_id":"GHSA-dddd-eeee-ffff","#,
    );
    assert!(found(&named).unwrap().0[1].starts_with("GHSA-dddd-eeee-ffff"));
    let nameless = by_number.replace(r#""id":8,"#, "");
    let refused = found(&nameless).unwrap_err();
    assert_eq!(refused.place(), "$.advisories.8");
    let none = |count: u32| {
        let metadata = format!(r#""metadata":{{"dependencies":{count}}}"#);
        found(&format!(r#"{{"advisories":{{}},{metadata}}}"#)).unwrap()
    };
    assert_eq!((none(0), none(1)), ((vec![], false), (vec![], true)));
    let untold = found(r#"{"advisories":{},"metadata":{}}"#).unwrap();
    assert_eq!(untold, (vec![], false));

    let by_package = format!(r#"{{"@e/lib":[{{"id":7,{advisory}}}]}}"#);
    let (lines, whole) = found(&by_package).unwrap();
    let expected = format!("GHSA-aaaa-bbbb-cccc [] {score} in ");
    assert_eq!((lines, whole), (vec![expected], true));
}

/// A kind, a report that is not read, and what is said of it.
const NOT_READ: &[(&str, &str, &str)] = &[
    ("scan", r#"{"advisories":[],"abandoned":[]}"#, "composer"),
    (
        "scan",
        r#"{"version":1,"parameters":"","projects":[]}"#,
        "dotnet",
    ),
    (
        "scan",
        r#"{"report_meta":{},"vulnerabilities":[]}"#,
        "Safety",
    ),
    ("scan", r#"{"ClusterName":"c","Resources":[]}"#, "Trivy"),
    (
        "scan",
        r#"{"kind":"VulnerabilityReport","report":{}}"#,
        "Trivy",
    ),
    (
        "scan",
        r#"{"manifest_hash":"","package_vulnerabilities":{}}"#,
        "Clair",
    ),
    (
        "scan",
        r#"{"meta":{"application":"D"},"findings":[]}"#,
        "VEX",
    ),
    (
        "scan",
        r#"{"error":{"code":"ENOLOCK","summary":"s"}}"#,
        "run it again",
    ),
    (
        "scan",
        r#"{"message":"m","method":"POST","statusCode":500}"#,
        "run it again",
    ),
    (
        "scan",
        r#"[{"number":1,"security_advisory":{}}]"#,
        "Dependabot",
    ),
    (
        "scan",
        r#"[{"name":"a","version":"1","vulns":[]}]"#,
        "later pip-audit",
    ),
    (
        "scan",
        r#"[{"Target":"a","Vulnerabilities":null}]"#,
        "Trivy 0.20",
    ),
    (
        "audit",
        "[[audits.somebody.audits.a]]\nversion = \"1.0.0\"\n",
        "imports.lock",
    ),
    (
        "audit",
        "----- BEGIN CREV PROOF -----\nkind: x\n",
        "cargo-crev",
    ),
    (
        "audit",
        "-----BEGIN CREV PACKAGE REVIEW-----\nversion: -1\n",
        "cargo-crev",
    ),
];

#[test]
fn reports_that_are_not_read_say_what_to_publish() {
    for (kind, text, said) in NOT_READ {
        let refused = prepare(kind, "r", text.as_bytes(), NOW).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}

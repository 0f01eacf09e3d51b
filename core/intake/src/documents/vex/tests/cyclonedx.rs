use super::{NOW, claims, lines, said};
use crate::documents::{DocumentError, prepare_about};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;

const BOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":3,
    "serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "metadata":{"timestamp":"2026-01-01T00:00:00Z","authors":[{"name":"Team"}],
      "component":{"type":"application","name":"app","bom-ref":"root","purl":"pkg:npm/app@2.0.0"}},
    "components":[{"type":"library","name":"x","bom-ref":"x","purl":"pkg:npm/x@1.0.0",
      "components":[{"type":"library","name":"deep","bom-ref":"d","purl":"pkg:npm/deep@3.0.0"}]},
      {"type":"library","name":"cpe","bom-ref":"c","cpe":"cpe:2.3:a:e:cpe:1:*:*:*:*:*:*:*"}],
    "vulnerabilities":[VULNERABILITIES]}"#;

const EMPTY: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","version":1,
    "vulnerabilities":[VULNERABILITIES]}"#;

fn bom(vulnerabilities: &str) -> String {
    BOM.replace("VULNERABILITIES", vulnerabilities)
}

#[test]
fn an_analysis_says_what_it_says_and_of_a_product_only_what_is_in_it() {
    for (analysis, expected) in [
        (
            r#","analysis":{"state":"exploitable","response":["update"]}"#,
            "affected -",
        ),
        (
            r#","analysis":{"state":"in_triage"}"#,
            "under_investigation -",
        ),
        (r#","analysis":{"state":"resolved"}"#, "fixed -"),
        (
            r#","analysis":{"state":"resolved_with_pedigree"}"#,
            "fixed -",
        ),
        (
            r#","analysis":{"state":"false_positive"}"#,
            "not_affected -",
        ),
        (
            r#","analysis":{"state":"not_affected","justification":"code_not_reachable"}"#,
            "not_affected vulnerable_code_not_in_execute_path",
        ),
        (
            r#","analysis":{"state":"not_affected","justification":"requires_environment"}"#,
            "not_affected -",
        ),
        // Without a state it is listed as what is affected.
        (r#","analysis":{"detail":"we look"}"#, "affected -"),
        ("", "affected -"),
    ] {
        for kind in ["vex", "sbom"] {
            let one = format!(r#"{{"id":"CVE-1","affects":[{{"ref":"x"}}]{analysis}}}"#);
            let (lines, subjects) = said(kind, &bom(&one));
            assert_eq!(
                lines,
                [format!(
                    "CVE-1 {expected} pkg:npm/app@2.0.0 > pkg:npm/x@1.0.0"
                )]
            );
            assert_eq!(subjects, ["pkg:npm/app@2.0.0", "pkg:npm/x@1.0.0"]);
        }
    }
}

#[test]
fn a_reference_leads_to_what_is_meant_or_to_nothing_that_is_known() {
    let app = "pkg:npm/app@2.0.0";
    let link = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/3";
    for (reference, expected) in [
        ("root", app.to_owned()),
        ("d", format!("{app} > pkg:npm/deep@3.0.0")),
        ("c", format!("{app} > c")),
        (
            "pkg:npm/elsewhere@1",
            format!("{app} > pkg:npm/elsewhere@1"),
        ),
        (link, app.to_owned()),
        (&format!("{link}#d"), format!("{app} > pkg:npm/deep@3.0.0")),
        (
            "urn:cdx:00000000-0000-0000-0000-000000000000/1#pkg%3Anpm/y@1",
            "urn:cdx:00000000-0000-0000-0000-000000000000/1 > pkg:npm/y@1".to_owned(),
        ),
        ("urn:cdx:00000000-0000-0000-0000-000000000000/1#d", {
            let bom = "urn:cdx:00000000-0000-0000-0000-000000000000/1";
            format!("{bom} > {bom}#d")
        }),
        ("nothing", format!("{app} > nothing")),
    ] {
        let one = format!(r#"{{"id":"CVE-1","affects":[{{"ref":"{reference}"}}]}}"#);
        assert_eq!(
            lines("vex", &bom(&one)),
            [format!("CVE-1 affected - {expected}")]
        );
    }
    // A part of another BOM is not the package wherever it is used.
    let one = r#"{"id":"CVE-1","affects":[{"ref":"urn:cdx:0/1#pkg:npm/y@1"}],"analysis":{"state":"resolved"}}"#;
    let text = EMPTY.replace("VULNERABILITIES", one);
    assert_eq!(
        lines("vex", &text),
        ["CVE-1 fixed - urn:cdx:0/1 > pkg:npm/y@1"]
    );
    // Without a product of its own the document is about what it names.
    let one = r#"{"id":"CVE-1","affects":[{"ref":"pkg:npm/y@1"}],"analysis":{"state":"resolved"}}"#;
    let text = EMPTY.replace("VULNERABILITIES", one);
    assert_eq!(lines("vex", &text), ["CVE-1 fixed - pkg:npm/y@1"]);
    assert_eq!(lines("sbom", &text), ["CVE-1 fixed - pkg:npm/y@1"]);
    assert_eq!(claims("sbom", &text).unwrap().len(), 1);
    assert_eq!(claims("sbom", &bom(one)).unwrap().len(), 2);
    // What it is about, if it does not say so, is the product.
    assert_eq!(
        lines("vex", &bom(r#"{"id":"CVE-1"}"#)),
        [format!("CVE-1 affected - {app}")]
    );
}

/// What each version of one package is said to be: the state, the members of the version, the line.
const VERSIONS: [(&str, &str, &str); 13] = [
    (
        "exploitable",
        r#""version":"1.5","status":"affected""#,
        "affected - pkg:npm/y@1.5",
    ),
    (
        "exploitable",
        r#""version":"1.5""#,
        "affected - pkg:npm/y@1.5",
    ),
    (
        "exploitable",
        r#""version":"1.6","status":"unaffected""#,
        "not_affected - pkg:npm/y@1.6",
    ),
    (
        "exploitable",
        r#""version":"1.6","status":"unknown""#,
        "under_investigation - pkg:npm/y@1.6",
    ),
    (
        "exploitable",
        r#""range":"vers:npm/>=1.0.0|<2.0.0","status":"affected""#,
        "affected - pkg:npm/y?vers=vers:npm%2F%3E%3D1.0.0%7C%3C2.0.0",
    ),
    (
        "resolved",
        r#""version":"1.6","status":"unaffected""#,
        "fixed - pkg:npm/y@1.6",
    ),
    // What is called affected is not cleared.
    (
        "resolved",
        r#""version":"1.5","status":"affected""#,
        "affected - pkg:npm/y@1.5",
    ),
    (
        "not_affected",
        r#""version":"1.5","status":"affected""#,
        "affected - pkg:npm/y@1.5",
    ),
    (
        "not_affected",
        r#""version":"1.5""#,
        "not_affected - pkg:npm/y@1.5",
    ),
    // What is no version speaks against all of them, and clears none.
    (
        "exploitable",
        r#""version":"every build""#,
        "affected - pkg:npm/y",
    ),
    (
        "not_affected",
        r#""version":"every build""#,
        "not_affected - pkg:npm/y?vers=every%20build",
    ),
    (
        "exploitable",
        r#""range":">=1.0.0|<2.0.0""#,
        "affected - pkg:npm/y?vers=vers:npm%2F%3E%3D1.0.0%7C%3C2.0.0",
    ),
    (
        "not_affected",
        r#""range":">=1.0.0|<=1.0.0""#,
        "not_affected - pkg:npm/y?vers=vers:npm%2F1.0.0",
    ),
];

#[test]
fn versions_are_each_for_themselves() {
    for (state, version, expected) in VERSIONS {
        let one = format!(
            r#"{{"id":"CVE-1","analysis":{{"state":"{state}"}},"affects":[{{"ref":"pkg:npm/y@1","versions":[{{{version}}}]}}]}}"#
        );
        let (lines, subjects) = said("vex", &EMPTY.replace("VULNERABILITIES", &one));
        assert_eq!(lines, [format!("CVE-1 {expected}")]);
        let package = expected.rsplit(' ').next().unwrap();
        assert_eq!(subjects, [package.split('?').next().unwrap()]);
    }
}

#[test]
fn what_is_wrong_in_cyclonedx_vex_is_named() {
    for (one, place) in [
        ("{}", "$.vulnerabilities[0]"),
        (
            r#"{"id":"CVE-1","analysis":{"state":"fine"}}"#,
            "$.vulnerabilities[0].analysis.state",
        ),
        (
            r#"{"id":"CVE-1","affects":[{"ref":"x","versions":[{}]}]}"#,
            "$.vulnerabilities[0].affects[0].versions[0]",
        ),
        (
            r#"{"id":"CVE-1","affects":[{"ref":"x","versions":[{"version":"1","status":"x"}]}]}"#,
            "$.vulnerabilities[0].affects[0].versions[0].status",
        ),
        (r#"{"id":"CVE-1","rejected":"2026-01-01T00:00:00Z"}"#, "$"),
    ] {
        assert_eq!(claims("vex", &bom(one)).unwrap_err().place(), place);
    }
    // What is about nothing that is named is about what the publisher says.
    let nothing = EMPTY.replace("VULNERABILITIES", r#"{"id":"CVE-1"}"#);
    assert_eq!(
        said("vex", &nothing),
        (vec!["CVE-1 affected - ".to_owned()], vec![])
    );
    // Equivalents are other names; one that was rejected is left out of the others.
    let two = r#"{"id":"CVE-1","references":[{"id":"GHSA-1","source":{"name":"x"}}]},
        {"id":"CVE-2","rejected":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(
        lines("vex", &bom(two)),
        ["CVE-1=GHSA-1 affected - pkg:npm/app@2.0.0"]
    );
}

#[test]
fn vex_of_a_bom_keeps_what_it_is_about_when_the_bom_is_about_something() {
    let subject = |purl: &str| vec![Subject::package(Purl::canonicalize(purl).unwrap())];
    let one = bom(r#"{"id":"CVE-1","affects":[{"ref":"x"}]}"#);
    let about = |kind: &str, purl: &str| {
        let claims = prepare_about(kind, "b", one.as_bytes(), &subject(purl), NOW)?;
        Ok::<_, DocumentError>(
            claims
                .iter()
                .map(|one| one.subjects.len())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(about("sbom", "pkg:npm/other@1"), Ok(vec![1, 2]));
    assert_eq!(about("vex", "pkg:npm/x@1.0.0"), Ok(vec![1]));
    assert!(about("vex", "pkg:npm/other@1").is_err());
}

/// Nobody can tell which of two components a reference means, whichever of them stands last.
#[test]
fn a_reference_to_two_components_is_to_neither() {
    let resolved = |reference: &str| {
        let analysis = r#""analysis":{"state":"resolved"}"#;
        bom(&format!(
            r#"{{"id":"CVE-1","affects":[{{"ref":"{reference}"}}],{analysis}}}"#
        ))
    };
    let link = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/3#d";
    for (from, to, reference) in [
        (r#""bom-ref":"d""#, r#""bom-ref":"x""#, "x"),
        (r#""bom-ref":"c""#, r#""bom-ref":"d""#, "d"),
        (r#""bom-ref":"c""#, r#""bom-ref":"d""#, link),
        (r#""bom-ref":"x""#, r#""bom-ref":"root""#, "root"),
    ] {
        let text = resolved(reference).replacen(from, to, 1);
        for kind in ["vex", "sbom"] {
            let error = claims(kind, &text).unwrap_err();
            assert_eq!(error.place(), "$.vulnerabilities[0].affects[0].ref");
            assert!(
                error.to_string().contains("of several components"),
                "{error}"
            );
        }
    }
    // What is said of another is read, and one that is listed twice is one.
    let text = resolved("c").replacen(r#""bom-ref":"d""#, r#""bom-ref":"x""#, 1);
    assert_eq!(lines("vex", &text), ["CVE-1 fixed - pkg:npm/app@2.0.0 > c"]);
    let again = r#""components":[{"type":"library","name":"deep","bom-ref":"d","purl":"pkg:npm/deep@3.0.0"},"#;
    let text = resolved("d").replacen(r#""components":["#, again, 1);
    let line = "CVE-1 fixed - pkg:npm/app@2.0.0 > pkg:npm/deep@3.0.0";
    assert_eq!(lines("vex", &text), [line]);
}

/// As in CSAF: nobody can tell which of both versions is meant.
#[test]
fn a_component_of_two_versions_is_cleared_in_neither() {
    let of = |component: &str, versions: &str, state: &str| {
        let one = format!(
            r#"{{"id":"CVE-1","affects":[{{"ref":"{component}"{versions}}}],"analysis":{{"state":"{state}"}}}}"#
        );
        let text = bom(&one).replace(
            r#""purl":"pkg:npm/x@"#,
            r#""version":"2.0.0","purl":"pkg:npm/x@"#,
        );
        let claim = claims("vex", &text).unwrap().remove(0);
        let told = claim
            .summary
            .iter()
            .any(|(_, note)| note.contains("clears neither"));
        (lines("vex", &text).concat(), told)
    };
    let app = "pkg:npm/app@2.0.0";
    for (component, versions, state, expected, told) in [
        (
            "x",
            "",
            "resolved",
            "fixed - APP > pkg:npm/x?vers=1.0.0%202.0.0",
            true,
        ),
        (
            "x",
            "",
            "exploitable",
            "affected - APP > pkg:npm/x@1.0.0 > pkg:npm/x@2.0.0",
            true,
        ),
        // What the vulnerability says itself of versions is of these.
        (
            "x",
            r#","versions":[{"version":"2.0.0","status":"unaffected"}]"#,
            "resolved",
            "fixed - APP > pkg:npm/x@2.0.0",
            false,
        ),
        (
            "d",
            "",
            "resolved",
            "fixed - APP > pkg:npm/deep@3.0.0",
            false,
        ),
    ] {
        let expected = format!("CVE-1 {}", expected.replace("APP", app));
        let found = of(component, versions, state);
        assert_eq!(found, (expected, told), "{component} {versions} {state}");
    }
}

/// As in CSAF.
#[test]
fn a_cpe_of_a_component_says_which_version_is_cleared() {
    for (state, product) in [
        ("resolved", "fixed - pkg:npm/app@2.0.0 > pkg:npm/x@1.5.0"),
        ("exploitable", "affected - pkg:npm/app@2.0.0 > pkg:npm/x"),
    ] {
        let text = bom(&format!(
            r#"{{"id":"CVE-1","affects":[{{"ref":"x"}}],"analysis":{{"state":"{state}"}}}}"#
        ))
        .replace(
            r#""purl":"pkg:npm/x@1.0.0""#,
            r#""cpe":"cpe:2.3:a:e:x:1.5.0:*:*:*:*:*:*:*","purl":"pkg:npm/x""#,
        );
        assert_eq!(lines("vex", &text), [format!("CVE-1 {product}")]);
    }
}

use super::{claims, lines, said};
use assay_claims::kind::vex::Vex;

const CSAF: &str = r#"{"document":{"category":"csaf_vex","csaf_version":"2.0","title":"t",
    "publisher":{"category":"vendor","name":"Vendor","namespace":"https://v.example"},
    "tracking":{"id":"V-1","status":"final","version":"2","current_release_date":"2026-01-01T00:00:00Z"}},
  "product_tree":{
    "branches":[{"category":"vendor","name":"V","branches":[
      {"category":"product_name","name":"lib","branches":[
        {"category":"product_version","name":"1.5","product":{"product_id":"L15","name":"lib 1.5",
          "product_identification_helper":{"purl":"pkg:npm/lib"}}},
        {"category":"product_version_range","name":"vers:npm/<1.4.0","product":{"product_id":"LR",
          "name":"lib, old","product_identification_helper":{"purl":"pkg:npm/lib"}}},
        {"category":"product_version_range","name":"before 1.2","product":{"product_id":"LW",
          "name":"lib, very old","product_identification_helper":{"purl":"pkg:npm/lib"}}}]}]}],
    "full_product_names":[
      {"product_id":"APP","name":"app","product_identification_helper":{"purl":"pkg:npm/app@2"}},
      {"product_id":"CPE","name":"os","product_identification_helper":{"cpe":"cpe:2.3:o:v:os:1:*:*:*:*:*:*:*"}}],
    "relationships":[
      {"category":"default_component_of","product_reference":"L15","relates_to_product_reference":"APP",
       "full_product_name":{"product_id":"APP:L15","name":"lib in app"}},
      {"category":"default_component_of","product_reference":"L15","relates_to_product_reference":"CPE",
       "full_product_name":{"product_id":"CPE:L15","name":"lib in os"}}],
    "product_groups":[{"group_id":"G","product_ids":["L15","APP"]}]},
  "vulnerabilities":[{"cve":"CVE-1","ids":[{"system_name":"tracker","text":"77"},
      {"system_name":"GitHub","text":"GHSA-1"}],
    "product_status":{STATUS}
    MORE}]}"#;

pub(super) fn csaf(status: &str, more: &str) -> String {
    CSAF.replace("STATUS", status).replace("MORE", more)
}

#[test]
fn csaf_says_of_each_product_what_its_group_is() {
    for (group, status) in [
        ("known_affected", "affected"),
        ("first_affected", "affected"),
        ("last_affected", "affected"),
        ("known_not_affected", "not_affected"),
        ("fixed", "fixed"),
        ("first_fixed", "fixed"),
        ("under_investigation", "under_investigation"),
        ("unknown", "under_investigation"),
    ] {
        for (id, product) in [
            ("L15", "pkg:npm/lib@1.5"),
            ("LR", "pkg:npm/lib?vers=vers:npm%2F%3C1.4.0"),
            ("LW", "pkg:npm/lib?vers=vers:npm%2F%3C1.2"),
            ("APP", "pkg:npm/app@2"),
            ("APP:L15", "pkg:npm/app@2 > pkg:npm/lib@1.5"),
            ("CPE", "CPE"),
            ("CPE:L15", "CPE > pkg:npm/lib@1.5"),
        ] {
            let text = csaf(&format!(r#""{group}":["{id}"]"#), "");
            assert_eq!(
                lines("vex", &text),
                [format!("CVE-1=GHSA-1 {status} - {product}")]
            );
        }
    }
    let (lines, subjects) = said(
        "vex",
        &csaf(r#""fixed":["APP:L15"],"recommended":["LR"]"#, ""),
    );
    assert_eq!(lines.len(), 1);
    assert_eq!(subjects, ["pkg:npm/app@2", "pkg:npm/lib@1.5"]);
}

/// A branch `product_version` can be called after anything.
#[test]
fn what_is_no_version_is_against_every_version_and_clears_none() {
    for (name, against, cleared) in [
        ("1.5", "pkg:npm/lib@1.5", "pkg:npm/lib@1.5"),
        (
            "v1.5-rc.1",
            "pkg:npm/lib@v1.5-rc.1",
            "pkg:npm/lib@v1.5-rc.1",
        ),
        ("lib", "pkg:npm/lib", "pkg:npm/lib?vers=lib"),
        (
            "Version 1.5",
            "pkg:npm/lib",
            "pkg:npm/lib?vers=Version%201.5",
        ),
        ("lib-1.5", "pkg:npm/lib", "pkg:npm/lib?vers=lib-1.5"),
        (
            "1.x",
            "pkg:npm/lib?vers=vers:npm%2F%3E%3D1.0.0-0%7C%3C2.0.0-0",
            "pkg:npm/lib?vers=1.x",
        ),
        ("2.0+", "pkg:npm/lib", "pkg:npm/lib?vers=2.0%2B"),
        (
            "2.0 and earlier",
            "pkg:npm/lib?vers=vers:npm%2F%3C%3D2.0",
            "pkg:npm/lib?vers=2.0%20and%20earlier",
        ),
        (
            "all versions",
            "pkg:npm/lib?vers=vers:npm%2F%2A",
            "pkg:npm/lib?vers=all%20versions",
        ),
        (
            "< 2.0.0",
            "pkg:npm/lib?vers=vers:npm%2F%3C2.0.0",
            "pkg:npm/lib?vers=%3C%202.0.0",
        ),
    ] {
        for (group, status, product) in [
            ("known_affected", "affected", against),
            ("under_investigation", "under_investigation", against),
            ("known_not_affected", "not_affected", cleared),
            ("fixed", "fixed", cleared),
        ] {
            let text = csaf(&format!(r#""{group}":["L15","CPE:L15"]"#), "");
            let text = text.replace(r#""name":"1.5""#, &format!(r#""name":"{name}""#));
            let expected =
                ["", "CPE > "].map(|whole| format!("CVE-1=GHSA-1 {status} - {whole}{product}"));
            assert_eq!(lines("vex", &text), expected, "{name}");
        }
    }
    // A package whose name begins like a version.
    let text = csaf(r#""known_affected":["L15"]"#, "")
        .replace(r#""name":"1.5""#, r#""name":"7zip""#)
        .replace("pkg:npm/lib", "pkg:rpm/redhat/7zip?arch=src");
    assert_eq!(
        lines("vex", &text),
        ["CVE-1=GHSA-1 affected - pkg:rpm/redhat/7zip?arch=src"]
    );
}

#[test]
fn constraints_of_a_range_need_no_scheme() {
    for (name, range) in [
        ("<=1.4", "vers:npm%2F%3C%3D1.4"),
        (">= 1.0, < 1.4", "vers:npm%2F%3E%3D1.0%7C%3C1.4"),
        ("All versions", "vers:npm%2F%2A"),
        (">= 1.0.0, <= 1.0.0", "vers:npm%2F1.0.0"),
        (">1.0.0, >=2.0.0", "vers:npm%2F%3E%3D2.0.0"),
        // Of no version: it clears none.
        (">=2.0.0, <1.0.0", "%3E%3D2.0.0%2C%20%3C1.0.0"),
    ] {
        let text = csaf(r#""fixed":["LW"]"#, "").replace("before 1.2", name);
        let expected = format!("CVE-1=GHSA-1 fixed - pkg:npm/lib?vers={range}");
        assert_eq!(lines("vex", &text), [expected]);
    }
}

/// The document with more products: a package in some versions.
fn with_versions(purl: &str, status: &str) -> String {
    let ids = ["0.5.0", "1.0.0", "1.5.0", "2.0.0", "3.0.0"].map(|version| {
        let purl = purl.replace("@V", &format!("@{version}"));
        format!(
            r#"{{"product_id":"N{version}","name":"n","product_identification_helper":{{"purl":"{purl}"}}}},"#
        )
    });
    let names = r#""full_product_names":["#;
    csaf(status, "").replacen(names, &format!("{names}{}", ids.concat()), 1)
}

/// Between the first and the last version all are affected, if nobody can mean anything else.
#[test]
fn what_lies_between_the_first_and_the_last_is_affected() {
    let (npm, first, last) = (
        "pkg:npm/lib@V",
        r#""first_affected":["N1.0.0"]"#,
        r#""last_affected":["N2.0.0"]"#,
    );
    let status = format!("{first},{last}");
    let range =
        "affected - pkg:npm/lib@2.0.0, pkg:npm/lib?vers=vers:npm%2F%3E%3D1.0.0%7C%3C%3D2.0.0";
    for (purl, status, is_whole) in [
        (npm, status.clone(), true),
        (npm, format!(r#"{status},"fixed":["N3.0.0"]"#), true),
        // One between them is cleared; two are the first, or the last; or the last is before it.
        (npm, format!(r#"{status},"fixed":["N1.5.0"]"#), false),
        (
            npm,
            format!(r#""first_affected":["N1.0.0","N1.5.0"],{last}"#),
            false,
        ),
        (
            npm,
            format!(r#"{first},"last_affected":["N2.0.0","N3.0.0"]"#),
            false,
        ),
        (npm, format!(r#"{first},"last_affected":["N0.5.0"]"#), false),
        (npm, first.to_owned(), false),
        // Nobody knows the order, or a part of the version stands elsewhere.
        ("pkg:conan/lib@V", status.clone(), false),
        ("pkg:rpm/redhat/lib@V?epoch=1", status.clone(), false),
    ] {
        let said = lines("vex", &with_versions(purl, &status));
        let found = said.iter().any(|line| line.ends_with(range));
        assert_eq!(found, is_whole, "{purl} {status}");
        let ranges = said.iter().filter(|line| line.contains("vers="));
        assert_eq!(ranges.count(), usize::from(is_whole), "{purl} {status}");
    }
    // What is part of a package is none of its versions.
    let status = format!(r#"{first},"last_affected":["APP","APP:L15"]"#);
    let text = with_versions(npm, &status).replace("pkg:npm/app@2", "pkg:npm/lib@2.0.0");
    let said = lines("vex", &text);
    assert!(said[1].ends_with(range), "{said:?}");
    assert!(
        said[2].ends_with(" - pkg:npm/lib@2.0.0 > pkg:npm/lib@1.5"),
        "{said:?}"
    );
}

#[test]
fn reasons_of_csaf_are_those_of_its_products() {
    let flags = r#","flags":[{"label":"component_not_present","group_ids":["G"]}],
        "threats":[{"category":"impact","details":"no harm","product_ids":["LR"]},
          {"category":"exploit_status","details":"none","product_ids":["L15"]}],
        "remediations":[{"category":"vendor_fix","details":"update","product_ids":["CPE"]}]"#;
    let status = r#""known_not_affected":["L15","LR","APP"],"known_affected":["CPE"]"#;
    let claim = claims("vex", &csaf(status, flags)).unwrap().remove(0);
    let text = claim.predicate.to_json();
    let count = |part: &str| text.matches(part).count();
    assert_eq!(
        count(r#""justification":"component_not_present""#),
        2,
        "{text}"
    );
    assert_eq!(count(r#""impact_statement":"no harm""#), 1, "{text}");
    assert_eq!(
        count(r#""action_statement":"vendor_fix: update""#),
        1,
        "{text}"
    );
    assert!(text.starts_with(r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://v.example#V-1","author":"Vendor","timestamp":"2026-01-01T00:00:00Z","version":2,"#));
    // What speaks against something comes last.
    assert!(text.rfind(r#""status":"affected""#) > text.rfind(r#""status":"not_affected""#));
}

#[test]
fn csaf_2_1_names_a_product_by_several_purls() {
    let text = csaf(r#""fixed":["APP"]"#, "")
        .replace(r#""csaf_version":"2.0""#, r#""csaf_version":"2.1""#)
        .replace(
            r#"{"purl":"pkg:npm/app@2"}"#,
            r#"{"purls":["pkg:npm/app@2","pkg:github/v/app@2"]}"#,
        )
        .replace(r#""version":"2""#, r#""version":"1.2.3""#);
    assert_eq!(
        lines("vex", &text),
        ["CVE-1=GHSA-1 fixed - pkg:npm/app@2, pkg:github/v/app@2"]
    );
    let claim = claims("vex", &text).unwrap().remove(0);
    assert_eq!(
        Vex::parse(&claim.predicate).unwrap().version,
        (1 << 32) + (2 << 16) + 3
    );
}

#[test]
fn csaf_that_is_not_for_everybody_or_broken_is_refused() {
    let good = csaf(r#""fixed":["APP"]"#, "");
    for (from, to, place) in [
        (
            r#""csaf_version":"2.0""#,
            r#""csaf_version":"3.0""#,
            "$.document.csaf_version",
        ),
        (
            r#""title":"t""#,
            r#""title":"t","distribution":{"tlp":{"label":"AMBER"}}"#,
            "$.document.distribution",
        ),
        (
            r#""category":"csaf_vex""#,
            r#""category":"csaf_withdrawn""#,
            "$.document.category",
        ),
        (
            r#""version":"2""#,
            r#""version":"two""#,
            "$.document.tracking.version",
        ),
        (
            r#""status":"final""#,
            r#""status":"late""#,
            "$.document.tracking.status",
        ),
        (
            r#"["APP"]"#,
            r#"["NONE"]"#,
            "$.vulnerabilities[0].product_status.fixed[0]",
        ),
        (
            r#""fixed""#,
            r#""mended""#,
            "$.vulnerabilities[0].product_status.mended",
        ),
        (r#""cve":"CVE-1","ids""#, r#""idz""#, "$.vulnerabilities[0]"),
        (r#""fixed":["APP"]"#, "", "$"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = claims("vex", &good.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.place(), place, "{error}");
    }
    for label in ["CLEAR", "WHITE"] {
        let tlp = format!(r#""title":"t","distribution":{{"tlp":{{"label":"{label}"}}}}"#);
        assert!(claims("vex", &good.replacen(r#""title":"t""#, &tlp, 1)).is_ok());
    }
}

#[test]
fn a_large_document_loses_no_statement() {
    let ids: Vec<String> = (0..2000)
        .map(|i| {
            format!(
                r#"{{"product_id":"P{i}","name":"p","product_identification_helper":{{"purl":"pkg:npm/p{i}@1"}}}}"#
            )
        })
        .collect();
    let names: Vec<String> = (0..2000).map(|i| format!(r#""P{i}""#)).collect();
    let status = format!(r#""known_affected":[{}]"#, names.join(","));
    let text = csaf(&status, "").replace(
        r#""full_product_names":["#,
        &format!(r#""full_product_names":[{},"#, ids.join(",")),
    );
    let (lines, subjects) = said("vex", &text);
    assert_eq!((lines.len(), subjects.len()), (2000, 2000));
}

#[test]
fn what_has_no_name_elsewhere_is_no_word_about_what_has_one() {
    let text = csaf(r#""known_affected":["CPE"],"fixed":["APP"]"#, "");
    let (lines, subjects) = said("vex", &text);
    assert_eq!(
        lines,
        [
            "CVE-1=GHSA-1 fixed - pkg:npm/app@2",
            "CVE-1=GHSA-1 affected - CPE"
        ]
    );
    assert_eq!(subjects, ["pkg:npm/app@2"]);
    let json = claims("vex", &text).unwrap().remove(0).predicate.to_json();
    assert!(json.contains(r#""@id":"urn:assay:unnamed:CPE""#), "{json}");
    // Where nothing has a name, whoever publishes says what it is about.
    let claim = claims("vex", &csaf(r#""known_affected":["CPE"]"#, ""))
        .unwrap()
        .remove(0);
    assert!(claim.subjects.is_empty());
}

#[test]
fn a_purl_that_is_none_is_said_and_is_no_name() {
    let text = csaf(r#""fixed":["APP","L15"]"#, "").replace("pkg:npm/app@2", "pkg:npm/@2");
    let claim = claims("vex", &text).unwrap().remove(0);
    assert!(
        claim
            .summary
            .iter()
            .any(|(_, note)| note.contains("is no purl"))
    );
    let products = [
        "CVE-1=GHSA-1 fixed - APP",
        "CVE-1=GHSA-1 fixed - pkg:npm/lib@1.5",
    ];
    assert_eq!(lines("vex", &text), products);
}

#[test]
fn what_is_said_of_a_file_is_said_of_no_other() {
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let file = |name: &str, value: &str| {
        format!(r#"{{"filename":"f","file_hashes":[{{"algorithm":"{name}","value":"{value}"}}]}}"#)
    };
    let with = |files: &[String]| {
        let helper = format!(r#"{{"purl":"pkg:npm/lib","hashes":[{}]}}"#, files.join(","));
        csaf(r#""fixed":["L15"]"#, "").replacen(r#"{"purl":"pkg:npm/lib"}"#, &helper, 1)
    };
    for (files, expected) in [
        (vec![file("sha256", &a)], vec![("sha256", &a)]),
        (
            vec![file("sha256", &a), file("sha256", &b)],
            vec![("sha256", &a), ("sha256", &b)],
        ),
        (vec![file("blake3", &a)], vec![("blake3", &a)]),
    ] {
        let claim = claims("vex", &with(&files)).unwrap().remove(0);
        let vex = Vex::parse(&claim.predicate).unwrap();
        let products: Vec<_> = vex
            .statements
            .iter()
            .flat_map(|one| &one.products)
            .collect();
        let digests: Vec<_> = products.iter().flat_map(|one| &one.digests).collect();
        let digests: Vec<_> = digests
            .iter()
            .map(|(name, value)| (&**name, value))
            .collect();
        assert_eq!(digests, expected);
        assert!(products.iter().all(|one| one.name() == "pkg:npm/lib@1.5"));
    }
    let error = claims(
        "vex",
        &with(&[r#"{"filename":"f","file_hashes":[]}"#.into()]),
    )
    .unwrap_err();
    assert!(error.place().ends_with(".hashes[0].file_hashes"), "{error}");
    let many = |count: usize| claims("vex", &with(&vec![file("sha256", &a); count]));
    assert!(many(100).is_ok());
    let error = many(101).unwrap_err();
    assert!(error.place().ends_with(".hashes"), "{error}");
}

#[test]
fn a_part_that_has_its_name_repeated_is_only_a_part() {
    for (purl, expected) in [
        ("pkg:npm/lib@1.5", "pkg:npm/app@2 > pkg:npm/lib@1.5"),
        ("pkg:npm/lib", "pkg:npm/app@2 > pkg:npm/lib@1.5"),
        ("pkg:npm/app@2", "pkg:npm/app@2 > pkg:npm/lib@1.5"),
        ("pkg:npm/app-lib@2", "pkg:npm/app-lib@2"),
    ] {
        let text = csaf(r#""fixed":["APP:L15"]"#, "").replace(
            r#""name":"lib in app""#,
            &format!(r#""name":"lib in app","product_identification_helper":{{"purl":"{purl}"}}"#),
        );
        assert_eq!(
            lines("vex", &text),
            [format!("CVE-1=GHSA-1 fixed - {expected}")]
        );
    }
}

#[test]
fn a_document_that_says_too_much_is_refused_where_it_does() {
    let many = vec![r#""APP""#; 100_001].join(",");
    let error = claims("vex", &csaf(&format!(r#""fixed":[{many}]"#), "")).unwrap_err();
    let place = "$.vulnerabilities[0].product_status.fixed[100000]";
    assert_eq!(error.place(), place);
}

/// Its publisher asks whether it is so.
#[test]
fn a_draft_clears_nothing() {
    let of = |status: &str, groups: &str| {
        csaf(groups, "").replace(r#""status":"final""#, &format!(r#""status":"{status}""#))
    };
    let both = r#""known_affected":["APP"],"fixed":["L15"]"#;
    let affected = "CVE-1=GHSA-1 affected - pkg:npm/app@2";
    let fixed = "CVE-1=GHSA-1 fixed - pkg:npm/lib@1.5";
    assert_eq!(lines("vex", &of("final", both)), [fixed, affected]);
    assert_eq!(lines("vex", &of("interim", both)), [fixed, affected]);
    assert_eq!(lines("vex", &of("draft", both)), [affected]);
    let error = claims("vex", &of("draft", r#""fixed":["L15"]"#)).unwrap_err();
    assert!(error.to_string().contains("calls itself draft"), "{error}");
}

/// What SUSE's advisories have; those of its documents that are VEX say more.
#[test]
fn what_is_only_recommended_says_of_nothing_how_it_stands() {
    let error = claims("vex", &csaf(r#""recommended":["L15"]"#, "")).unwrap_err();
    let said = "says only which versions are recommended";
    assert!(error.to_string().contains(said), "{error}");
    let both = csaf(r#""recommended":["L15"],"known_affected":["APP"]"#, "");
    assert_eq!(
        lines("vex", &both),
        ["CVE-1=GHSA-1 affected - pkg:npm/app@2"]
    );
}

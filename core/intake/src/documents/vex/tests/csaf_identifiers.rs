//! What identifies a product of a CSAF document, several times.

use super::csaf::csaf;
use super::{claims, lines};

/// Identifiers of one product hold together: what clears it is of the version that one of them has.
#[test]
fn a_cpe_beside_a_purl_says_which_version_is_cleared() {
    for (purl, version, cleared, against, told) in [
        ("app", "2.0.0", "app@2.0.0", "app", false),
        ("app", "*", "app", "app", false),
        ("app@2", "2.0.0", "app@2", "app@2", false),
        ("app@1", "2.0.0", "app?vers=1%202.0.0", "app@1", true),
        ("app", "2.0.0:sp1", "app?vers=2.0.0%20sp1", "app", false),
        ("other", "2.0.0", "other?vers=2.0.0", "other", true),
    ] {
        let cpe = format!("cpe:2.3:a:e:app:{version}:*:*:*:*:*:*:*");
        let helper = format!(r#"{{"cpe":"{cpe}","purl":"pkg:npm/{purl}"}}"#);
        let of = |group: &str| {
            let text = csaf(&format!(r#""{group}":["APP","APP:L15"]"#), "");
            text.replacen(r#"{"purl":"pkg:npm/app@2"}"#, &helper, 1)
        };
        for (group, status, product) in [
            ("fixed", "fixed", cleared),
            ("known_not_affected", "not_affected", cleared),
            ("known_affected", "affected", against),
        ] {
            let expected = ["", " > pkg:npm/lib@1.5"]
                .map(|part| format!("CVE-1=GHSA-1 {status} - pkg:npm/{product}{part}"));
            assert_eq!(lines("vex", &of(group)), expected, "{helper}");
        }
        let claim = claims("vex", &of("fixed")).unwrap().remove(0);
        let mut notes = claim.summary.iter();
        let is_told = notes.any(|(_, note)| note.contains("clears neither"));
        assert_eq!(is_told, told, "{helper}");
    }
    // The branch that a product is in names one, too.
    for (version, product) in [
        ("1.5", "pkg:npm/lib@1.5"),
        ("2.0", "pkg:npm/lib?vers=1.5%202.0"),
    ] {
        let text = csaf(r#""fixed":["L15"]"#, "").replacen(
            r#"{"purl":"pkg:npm/lib"}"#,
            &format!(r#"{{"cpe":"cpe:/a:e:lib:{version}","purl":"pkg:npm/lib"}}"#),
            1,
        );
        let line = format!("CVE-1=GHSA-1 fixed - {product}");
        assert_eq!(lines("vex", &text), [line]);
    }
}

/// CSAF 2.1 has several purls of one product, which are to differ in their qualifiers alone.
#[test]
fn purls_of_one_product_clear_the_version_that_all_of_them_name() {
    for (purls, cleared, against) in [
        ("app app@2", "app@2", "app, pkg:npm/app@2"),
        ("app@2 app", "app@2", "app@2, pkg:npm/app"),
        (
            "app@1 app@2",
            "app?vers=1%202, pkg:npm/app?vers=2%201",
            "app@1, pkg:npm/app@2",
        ),
        (
            "app other@2",
            "app, pkg:npm/other@2",
            "app, pkg:npm/other@2",
        ),
        (
            "app@2 app@2?a=b",
            "app@2, pkg:npm/app@2?a=b",
            "app@2, pkg:npm/app@2?a=b",
        ),
    ] {
        let all: Vec<String> = purls
            .split(' ')
            .map(|purl| format!(r#""pkg:npm/{purl}""#))
            .collect();
        let helper = format!(r#"{{"purls":[{}]}}"#, all.join(","));
        for (group, status, products) in [
            ("fixed", "fixed", cleared),
            ("known_affected", "affected", against),
        ] {
            let text = csaf(&format!(r#""{group}":["APP"]"#), "");
            let text = text.replacen(r#"{"purl":"pkg:npm/app@2"}"#, &helper, 1);
            let line = format!("CVE-1=GHSA-1 {status} - pkg:npm/{products}");
            assert_eq!(lines("vex", &text), [line], "{purls}");
        }
    }
}

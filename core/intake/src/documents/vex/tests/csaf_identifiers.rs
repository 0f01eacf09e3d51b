//! What identifies a product of a CSAF document, several times.

use super::csaf::csaf;
use super::{claims, lines};
use assay_claims::purl::Purl;

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
    for (purls, cleared) in [
        ("npm/app npm/app@2", "npm/app@2"),
        ("npm/app@2 npm/app", "npm/app@2"),
        (
            "npm/app@1 npm/app@2",
            "npm/app?vers=1%202, pkg:npm/app?vers=2%201",
        ),
        ("npm/app@1 npm/other@2", "npm/app@1, pkg:npm/other@2"),
        // By what names no version of another package nothing is cleared.
        ("npm/app npm/other@2", "npm/other@2"),
        ("npm/app@1.0.0 deb/debian/node-app", "npm/app@1.0.0"),
        (
            "npm/app?vers=vers:npm/%3C2 deb/debian/a@1",
            "deb/debian/a@1",
        ),
        // A package has several names.
        (
            "rpm/redhat/openssl@3.0.7-1 rpm/rhel/openssl",
            "rpm/redhat/openssl@3.0.7-1, pkg:rpm/rhel/openssl@3.0.7-1",
        ),
        (
            "golang/go@1.22.1 golang/stdlib",
            "golang/go@1.22.1, pkg:golang/stdlib@1.22.1",
        ),
        (
            "swift/github.com/O/A swift/github.com/o/a@1.0.0",
            "swift/github.com/o/a@1.0.0",
        ),
        (
            "rpm/redhat/a@1-1 rpm/rhel/a@2-1",
            "rpm/redhat/a?vers=1-1%202-1, pkg:rpm/rhel/a?vers=2-1%201-1",
        ),
    ] {
        clears(purls, cleared);
    }
}

/// Nor is anything cleared by a purl that says less of the package than another one.
#[test]
fn purls_of_one_package_clear_what_all_of_them_are() {
    for (purls, cleared) in [
        (
            "npm/a@1 npm/a@1?repository_url=x",
            "npm/a@1?repository_url=x",
        ),
        ("npm/a?repository_url=x npm/a@1", "npm/a@1?repository_url=x"),
        (
            "npm/a@1?repository_url=x npm/a@1?repository_url=y",
            "npm/a@1?repository_url=x, pkg:npm/a@1?repository_url=y",
        ),
        (
            "golang/a.org/b@v1.0.0 golang/a.org/b@v1.0.0#c",
            "golang/a.org/b@v1.0.0#c",
        ),
        (
            "rpm/fedora/a@2-1?epoch=1 rpm/fedora/a",
            "rpm/fedora/a@2-1?epoch=1",
        ),
        (
            "rpm/fedora/a@2-1?epoch=1 rpm/fedora/a@2-1",
            "rpm/fedora/a@2-1?epoch=1",
        ),
        (
            "npm/a@1?b=c npm/a@1?d=e",
            "npm/a?b=c&vers=identifiers, pkg:npm/a?d=e&vers=identifiers",
        ),
        (
            "rpm/fedora/a@2-1?epoch=1 rpm/fedora/a@2-1?epoch=2",
            "rpm/fedora/a?epoch=1&vers=2-1%202-1, pkg:rpm/fedora/a?epoch=2&vers=2-1%202-1",
        ),
        // Of ranges neither is what both hold.
        (
            "npm/a?vers=vers:npm/1 npm/a?vers=vers:npm/2",
            "npm/a?vers=identifiers",
        ),
        ("npm/a npm/a?vers=vers:npm/1", "npm/a?vers=vers:npm%2F1"),
        ("npm/a@1.5.0 npm/a?vers=vers:npm/%3C2.0.0", "npm/a@1.5.0"),
        (
            "npm/a@2.5.0 npm/a?vers=vers:npm/%3C2.0.0",
            "npm/a?vers=2.5.0%20vers:npm%2F%3C2.0.0, pkg:npm/a?vers=2.5.0",
        ),
    ] {
        clears(purls, cleared);
    }
    let many: Vec<String> = (0..33).map(|at| format!("npm/a@1?b={at}")).collect();
    let none: Vec<String> = (0..33)
        .map(|at| format!("npm/a?b={at}&vers=identifiers"))
        .collect();
    clears(&many.join(" "), &none.join(", pkg:"));
}

/// What clears a product with these purls clears this; what speaks against it counts for all.
fn clears(purls: &str, cleared: &str) {
    let purls: Vec<String> = purls.split(' ').map(|purl| format!("pkg:{purl}")).collect();
    let helper = format!(r#"{{"purls":["{}"]}}"#, purls.join(r#"",""#));
    let against = purls.iter().map(|purl| Purl::canonicalize(purl).unwrap());
    let against: Vec<String> = against
        .map(|purl| purl.without_case().to_string())
        .collect();
    for (group, status, products) in [
        ("fixed", "fixed", format!("pkg:{cleared}")),
        ("known_affected", "affected", against.join(", ")),
    ] {
        let text = csaf(&format!(r#""{group}":["APP"]"#), "");
        let text = text.replacen(r#"{"purl":"pkg:npm/app@2"}"#, &helper, 1);
        let line = format!("CVE-1=GHSA-1 {status} - {products}");
        assert_eq!(lines("vex", &text), [line], "{purls:?}");
    }
}

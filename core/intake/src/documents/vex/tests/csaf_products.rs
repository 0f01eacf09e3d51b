//! What the products of CSAF documents are: builds of a version, and packages of a release.

use super::csaf::csaf;
use super::{claims, lines, said};
use assay_claims::kind::vex::Vex;

const ARM: &str = "pkg:npm/lib@1.5?arch=arm64";

/// A branch below the version 1.5, how its product is identified, and what is cleared of it.
const NARROW: &[(&str, &str, &str, &str)] = &[
    ("architecture", "arm64", r#"{"purl":"pkg:npm/lib"}"#, ARM),
    (
        "architecture",
        "arm64",
        r#"{"purl":"pkg:npm/lib?arch=arm64"}"#,
        ARM,
    ),
    (
        "service_pack",
        "SP1",
        r#"{"purl":"pkg:npm/lib"}"#,
        "pkg:npm/lib?vers=1.5%20SP1",
    ),
    (
        "service_pack",
        "SP1",
        r#"{"purl":"pkg:npm/lib@1.5-sp1"}"#,
        "pkg:npm/lib@1.5-sp1",
    ),
    (
        "service_pack",
        "SP1",
        r#"{"purl":"pkg:npm/lib@1.5-SP12"}"#,
        "pkg:npm/lib?vers=1.5-SP12%20SP1",
    ),
    (
        "patch_level",
        "p7",
        r#"{"purl":"pkg:npm/lib"}"#,
        "pkg:npm/lib?vers=1.5%20p7",
    ),
    (
        "patch_level",
        "p7",
        r#"{"purl":"pkg:npm/lib@1.5p7"}"#,
        "pkg:npm/lib@1.5p7",
    ),
    (
        "language",
        "de",
        r#"{"purl":"pkg:npm/lib"}"#,
        "pkg:npm/lib?vers=1.5%20de",
    ),
    (
        "host_name",
        "h",
        r#"{"purl":"pkg:npm/lib?host=h"}"#,
        "pkg:npm/lib@1.5?host=h",
    ),
    // The file is the file.
    ("patch_level", "p7", "FILE", "pkg:npm/lib?vers=1.5%20p7"),
    // It says no less.
    (
        "product_family",
        "f",
        r#"{"purl":"pkg:npm/lib"}"#,
        "pkg:npm/lib@1.5",
    ),
    (
        "legacy",
        "old",
        r#"{"purl":"pkg:npm/lib"}"#,
        "pkg:npm/lib@1.5",
    ),
];

/// A branch below a version is of less than the version.
#[test]
fn what_is_narrower_than_a_version_is_cleared_only_as_far_as_it_says() {
    let hashed = format!(
        r#"{{"purl":"pkg:npm/lib","hashes":[{{"filename":"f","file_hashes":[{{"algorithm":"sha256","value":"{}"}}]}}]}}"#,
        "a".repeat(64)
    );
    for (category, name, helper, cleared) in NARROW {
        let helper = helper.replace("FILE", &hashed);
        let inner = format!(
            r#"{{"category":"{category}","name":"{name}","product":{{"product_id":"IN","name":"in","product_identification_helper":{helper}}}}}"#
        );
        let text = |group: &str| {
            csaf(&format!(r#""{group}":["IN"]"#), "").replacen(
                r#""name":"1.5","product""#,
                &format!(r#""name":"1.5","branches":[{inner}],"product""#),
                1,
            )
        };
        for (group, status) in [("fixed", "fixed"), ("known_not_affected", "not_affected")] {
            let line = format!("CVE-1=GHSA-1 {status} - {cleared}");
            assert_eq!(lines("vex", &text(group)), [line], "{category} {helper}");
        }
        let claim = claims("vex", &text("fixed")).unwrap().remove(0);
        let vex = Vex::parse(&claim.predicate).unwrap();
        let digests = &vex.statements[0].products[0].digests;
        assert_eq!(digests.is_empty(), helper != hashed, "{helper}");
        // Against the version it counts.
        let against = lines("vex", &text("known_affected")).remove(0);
        assert!(!against.contains("vers="), "{against}");
    }
}

/// Units of a product have its purl in common.
#[test]
fn what_clears_some_units_of_a_product_clears_not_all() {
    for (units, cleared) in [
        (r#""serial_numbers":["S1"]"#, "?vers=1.5%20S1"),
        // A number that the version has in it, too.
        (r#""serial_numbers":["1"]"#, "?vers=1.5%201"),
        (r#""skus":["5"]"#, "?vers=1.5%205"),
        (r#""model_numbers":["M1"]"#, "?vers=1.5%20M1"),
        (r#""skus":["K1"]"#, "?vers=1.5%20K1"),
        (r#""model_numbers":["*"]"#, "@1.5"),
        (r#""model_numbers":[]"#, "@1.5"),
    ] {
        let of_product = csaf(r#""GROUP":["L15"]"#, "").replace(
            r#"{"purl":"pkg:npm/lib"}"#,
            &format!(r#"{{"purl":"pkg:npm/lib",{units}}}"#),
        );
        let of_both = csaf(r#""GROUP":["APP:L15"]"#, "").replace(
            r#""name":"lib in app""#,
            &format!(r#""name":"lib in app","product_identification_helper":{{{units}}}"#),
        );
        let own_name = csaf(r#""GROUP":["APP:L15"]"#, "").replace(
            r#""name":"lib in app""#,
            &format!(
                r#""name":"x","product_identification_helper":{{"purl":"pkg:npm/x@1.5",{units}}}"#
            ),
        );
        for (text, before) in [
            (of_product, "pkg:npm/lib"),
            (of_both, "pkg:npm/app@2 > pkg:npm/lib"),
            (own_name, "pkg:npm/x"),
        ] {
            let of = |group: &str| lines("vex", &text.replace("GROUP", group));
            for (group, status) in [("fixed", "fixed"), ("known_not_affected", "not_affected")] {
                let line = format!("CVE-1=GHSA-1 {status} - {before}{cleared}");
                assert_eq!(of(group), [line], "{units}");
            }
            let line = format!("CVE-1=GHSA-1 affected - {before}@1.5");
            assert_eq!(of("known_affected"), [line], "{units}");
        }
    }
}

#[test]
fn a_component_of_a_release_is_a_package_of_it() {
    let cpe = "cpe:2.3:o:v:os:1:*:*:*:*:*:*:*";
    for (cpe_, purl, product) in [
        (
            "cpe:/o:redhat:enterprise_linux:7",
            "pkg:rpm/redhat/lib?arch=src",
            "pkg:rpm/redhat/lib?arch=src&distro=rhel-7",
        ),
        (
            "cpe:/a:redhat:rhel_eus:9.4::appstream",
            "pkg:rpm/redhat/lib@1-2.el9_4?arch=x86_64",
            "pkg:rpm/redhat/lib@1-2.el9_4?arch=x86_64",
        ),
        (
            "cpe:/a:redhat:openshift:4",
            "pkg:rpm/redhat/lib?arch=src",
            "CPE > pkg:rpm/redhat/lib?arch=src",
        ),
        (cpe, "pkg:npm/lib@1", "CPE > pkg:npm/lib@1"),
    ] {
        for (group, status) in [("fixed", "fixed"), ("known_affected", "affected")] {
            let text = csaf(&format!(r#""{group}":["CPE:L15"]"#), "")
                .replace(cpe, cpe_)
                .replacen(r#""name":"1.5""#, r#""name":"lib""#, 1)
                .replacen(
                    r#""category":"product_version""#,
                    r#""category":"product_name""#,
                    1,
                )
                .replacen(
                    r#"{"purl":"pkg:npm/lib"}"#,
                    &format!(r#"{{"purl":"{purl}"}}"#),
                    1,
                );
            let (lines, subjects) = said("vex", &text);
            assert_eq!(lines, [format!("CVE-1=GHSA-1 {status} - {product}")]);
            let package = product.strip_prefix("CPE > ").unwrap_or(product);
            assert_eq!(subjects, [package]);
        }
    }
}

/// Whoever asks for what a later version leaves out does not hear of that version.
#[test]
fn who_publishes_a_later_version_is_told_to_take_the_former_back() {
    for (version, is_later) in [("1", false), ("1.0.0", false), ("2", true), ("1.0.1", true)] {
        let text = csaf(r#""fixed":["APP"]"#, "")
            .replace(r#""version":"2""#, &format!(r#""version":"{version}""#));
        let claim = claims("vex", &text).unwrap().remove(0);
        let mut notes = claim.summary.iter();
        let told = notes.any(|(_, note)| note.contains("`assay withdraw`"));
        assert_eq!(told, is_later, "{version}");
    }
}

/// What clears a package with this purl as a part of modules, which are a part of a release.
fn in_module(modules: &str, cpe: &str, purl: &str) -> Vec<String> {
    let module = format!(
        r#"{{"product_id":"MOD","name":"m:14","product_identification_helper":{{"purls":["{}"]}}}}"#,
        modules.replace(' ', r#"",""#)
    );
    let within = r#"{"category":"default_component_of","product_reference":"MOD","relates_to_product_reference":"CPE","full_product_name":{"product_id":"CPE:MOD","name":"m"}},
      {"category":"default_component_of","product_reference":"LR","relates_to_product_reference":"CPE:MOD","full_product_name":{"product_id":"CPE:MOD:LR","name":"lib"}}"#;
    let mut text =
        csaf(r#""fixed":["CPE:MOD:LR"]"#, "").replace("cpe:2.3:o:v:os:1:*:*:*:*:*:*:*", cpe);
    for (list, more) in [("full_product_names", &*module), ("relationships", within)] {
        let begin = format!(r#""{list}":["#);
        text = text.replacen(&begin, &format!("{begin}{more},"), 1);
    }
    let named = |purl: &str| {
        format!(r#""name":"lib, old","product_identification_helper":{{"purl":"{purl}"}}"#)
    };
    lines(
        "vex",
        &text.replacen(&named("pkg:npm/lib"), &named(purl), 1),
    )
}

/// A module as a part of a release, and a package as a part of that.
#[test]
fn a_package_of_a_module_is_one_of_the_release() {
    let build = "pkg:rpm/redhat/lib@1-1.module%2Bel8?arch=x86_64";
    for (modules, cpe, purl, product) in [
        (
            "pkg:rpmmod/redhat/m@14:8060:c",
            "cpe:/a:redhat:enterprise_linux:8::appstream",
            build,
            "pkg:rpm/redhat/lib@1-1.module%2Bel8?arch=x86_64&rpmmod=m:14:8060:c",
        ),
        (
            "pkg:rpmmod/redhat/m@14",
            "cpe:/o:redhat:enterprise_linux:8",
            "pkg:rpm/redhat/lib@14?arch=src&rpmmod=m:14",
            "pkg:rpm/redhat/lib?arch=src&distro=rhel-8&rpmmod=m:14&vers=vers:npm%2F%3C1.4.0",
        ),
        // What is no module, and a module of what is no release.
        (
            "pkg:rpm/redhat/m@14",
            "cpe:/o:redhat:enterprise_linux:8",
            build,
            "CPE:MOD > pkg:rpm/redhat/lib@1-1.module%2Bel8?arch=x86_64",
        ),
        (
            "pkg:rpmmod/redhat/m@14",
            "cpe:/a:redhat:openshift:4",
            build,
            "CPE > pkg:rpm/redhat/lib@1-1.module%2Bel8?arch=x86_64&rpmmod=m:14",
        ),
        // What clears it in either of two modules may not clear it in the other.
        (
            "pkg:rpmmod/redhat/m@14 pkg:rpmmod/redhat/n@14",
            "cpe:/a:redhat:openshift:4",
            build,
            "CPE:MOD > pkg:rpm/redhat/lib@1-1.module%2Bel8?arch=x86_64",
        ),
    ] {
        let line = format!("CVE-1=GHSA-1 fixed - {product}");
        assert_eq!(in_module(modules, cpe, purl), [line], "{modules} {cpe}");
    }
}

#[test]
fn an_id_of_two_products_is_of_neither() {
    for (id, other) in [
        ("L15", "LR"),
        ("APP", "CPE"),
        ("L15", "APP"),
        ("APP:L15", "CPE:L15"),
    ] {
        let stated = format!(r#""product_id":"{other}""#);
        let text = csaf(&format!(r#""fixed":["{id}"]"#), "");
        assert!(text.contains(&stated));
        let text = text.replacen(&stated, &format!(r#""product_id":"{id}""#), 1);
        let error = claims("vex", &text).unwrap_err();
        assert!(error.to_string().contains("a second time"), "{error}");
    }
}

#[test]
fn a_group_that_is_defined_twice_is_refused() {
    let text = csaf(r#""fixed":["APP"]"#, "").replacen(
        r#""product_groups":["#,
        r#""product_groups":[{"group_id":"G","product_ids":["APP"]},"#,
        1,
    );
    let error = claims("vex", &text).unwrap_err();
    assert_eq!(error.place(), "$.product_tree.product_groups[1]");
    assert!(error.to_string().contains("a second time"), "{error}");
}

/// What a branch of this category and name, and a purl, say together: what is spoken against, what
/// is cleared, and whether people are told that they contradict each other.
const VERSIONS: &[(&str, &str, &str, &[&str], &str, bool)] = &[
    // A purl that says the same, or more of the same.
    (
        "product_version",
        "1.5",
        "pkg:npm/lib@1.5.0",
        &["pkg:npm/lib@1.5.0"],
        "pkg:npm/lib@1.5.0",
        false,
    ),
    (
        "product_version",
        "v1.5",
        "pkg:npm/lib@1.5-rc1",
        &["pkg:npm/lib@1.5-rc1"],
        "pkg:npm/lib@1.5-rc1",
        false,
    ),
    (
        "product_version",
        "lib-0:1.5-2.el9.src",
        "pkg:rpm/redhat/lib@1.5-2.el9?arch=src",
        &["pkg:rpm/redhat/lib@1.5-2.el9?arch=src"],
        "pkg:rpm/redhat/lib@1.5-2.el9?arch=src",
        false,
    ),
    (
        "product_version",
        "0:1.5-2.el9.src",
        "pkg:rpm/redhat/lib@1.5-2.el9?arch=src",
        &["pkg:rpm/redhat/lib@1.5-2.el9?arch=src"],
        "pkg:rpm/redhat/lib@1.5-2.el9?arch=src",
        false,
    ),
    // Another version, and less than what the purl says.
    (
        "product_version",
        "1.50",
        "pkg:npm/lib@1.5",
        &["pkg:npm/lib@1.5", "pkg:npm/lib@1.50"],
        "pkg:npm/lib?vers=1.5%201.50",
        true,
    ),
    (
        "product_version",
        "1.5p7",
        "pkg:npm/lib@1.5",
        &["pkg:npm/lib@1.5", "pkg:npm/lib@1.5p7"],
        "pkg:npm/lib?vers=1.5%201.5p7",
        true,
    ),
    (
        "product_version",
        "< 1.5.0",
        "pkg:npm/lib@2.0.0",
        &["pkg:npm/lib@2.0.0", "pkg:npm/lib?vers=vers:npm%2F%3C1.5.0"],
        "pkg:npm/lib?vers=2.0.0%20%3C%201.5.0",
        true,
    ),
    // A range that the purl's version is in, that it is not in, and of which nobody can tell.
    (
        "product_version_range",
        "vers:npm/<1.5.0",
        "pkg:npm/lib@1.4.0",
        &["pkg:npm/lib@1.4.0", "pkg:npm/lib?vers=vers:npm%2F%3C1.5.0"],
        "pkg:npm/lib@1.4.0",
        false,
    ),
    (
        "product_version_range",
        "vers:npm/<1.5.0",
        "pkg:npm/lib@1.5.0",
        &["pkg:npm/lib@1.5.0", "pkg:npm/lib?vers=vers:npm%2F%3C1.5.0"],
        "pkg:npm/lib?vers=1.5.0%20vers:npm%2F%3C1.5.0",
        true,
    ),
    (
        "product_version_range",
        "1.0-2.0",
        "pkg:npm/lib",
        &["pkg:npm/lib?vers=1.0-2.0"],
        "pkg:npm/lib?vers=1.0-2.0",
        false,
    ),
    // A version with a dash, which may be a range; distributions have revisions there.
    (
        "product_version",
        "1.0-2.0",
        "pkg:npm/lib",
        &["pkg:npm/lib@1.0-2.0", "pkg:npm/lib?vers=1.0-2.0"],
        "pkg:npm/lib?vers=1.0-2.0",
        false,
    ),
    (
        "product_version",
        "1.0-2.0",
        "pkg:deb/debian/lib",
        &["pkg:deb/debian/lib@1.0-2.0"],
        "pkg:deb/debian/lib@1.0-2.0",
        false,
    ),
    (
        "product_version",
        "2.0-1.0",
        "pkg:npm/lib",
        &["pkg:npm/lib@2.0-1.0"],
        "pkg:npm/lib@2.0-1.0",
        false,
    ),
];

/// Two versions of one product are both meant by what speaks against it, and clear neither.
#[test]
fn versions_that_contradict_each_other_clear_neither() {
    for (category, name, purl, against, cleared, is_told) in VERSIONS {
        let branch = format!(r#""category":"{category}","name":"{name}""#);
        for (group, status, products) in [
            ("fixed", "fixed", &[*cleared][..]),
            ("known_not_affected", "not_affected", &[*cleared]),
            ("known_affected", "affected", against),
            ("under_investigation", "under_investigation", against),
        ] {
            let text = csaf(&format!(r#""{group}":["L15"]"#), "")
                .replacen(r#""category":"product_version","name":"1.5""#, &branch, 1)
                .replacen(
                    r#"{"purl":"pkg:npm/lib"}"#,
                    &format!(r#"{{"purl":"{purl}"}}"#),
                    1,
                );
            let line = format!("CVE-1=GHSA-1 {status} - {}", products.join(", "));
            assert_eq!(lines("vex", &text), [line], "{branch} {purl}");
            let claim = claims("vex", &text).unwrap().remove(0);
            let mut notes = claim.summary.iter();
            let told = notes.any(|(_, note)| note.contains("clears neither"));
            assert_eq!(told, *is_told, "{branch} {purl}");
        }
    }
}

/// The same of the version that a relationship names again.
#[test]
fn a_part_that_is_named_again_in_another_version_clears_neither() {
    for (group, status, part) in [
        ("fixed", "fixed", "pkg:npm/lib?vers=1.5%202.0"),
        (
            "known_affected",
            "affected",
            "pkg:npm/lib@1.5 > pkg:npm/lib@2.0",
        ),
    ] {
        let text = csaf(&format!(r#""{group}":["APP:L15"]"#), "").replace(
            r#""name":"lib in app""#,
            r#""name":"lib in app","product_identification_helper":{"purl":"pkg:npm/lib@2.0"}"#,
        );
        let line = format!("CVE-1=GHSA-1 {status} - pkg:npm/app@2 > {part}");
        assert_eq!(lines("vex", &text), [line]);
        let claim = claims("vex", &text).unwrap().remove(0);
        let mut notes = claim.summary.iter();
        assert!(notes.any(|(_, note)| note.contains("clears neither")));
    }
}

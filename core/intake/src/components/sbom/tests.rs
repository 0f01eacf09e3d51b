use super::*;

#[test]
fn a_purl_takes_the_version_that_stands_beside_it() {
    let with =
        |purl: &str, version: Option<&str>| canonical(purl, version).map(|purl| purl.to_string());
    assert_eq!(
        with("pkg:npm/@a/b", Some("1.0")),
        Ok("pkg:npm/%40a/b@1.0".into())
    );
    assert_eq!(
        with("pkg:npm/b@2.0", Some("1.0")),
        Ok("pkg:npm/b@2.0".into())
    );
    assert_eq!(
        with("pkg:npm/b", None),
        Err("names a package without version".into())
    );
    let spaced = "\n  pkg:npm/b@2.0 ";
    assert_eq!(with(spaced, Some("1.0")), Ok("pkg:npm/b@2.0".into()));
    assert!(with("pkg:oci/a?tag=1", Some("1")).is_err());
    assert!(
        with("npm/b", Some("1"))
            .unwrap_err()
            .starts_with("is no package URL")
    );
}

#[test]
fn a_reference_says_a_package_in_the_way_of_its_manager() {
    for (kind, locator, expected) in [
        ("purl", "pkg:npm/a@1", Some("pkg:npm/a@1")),
        ("PURL", "pkg:npm/a@1", Some("pkg:npm/a@1")),
        ("package-url", "pkg:npm/a@1", Some("pkg:npm/a@1")),
        ("npm", "@s/a@1.0.0", Some("pkg:npm/%40s/a@1.0.0")),
        ("nuget", "A.b/1.0", Some("pkg:nuget/A.b@1.0")),
        (
            "http://spdx.org/rdf/references/maven-central",
            "g:a:1.0",
            Some("pkg:maven/g/a@1.0"),
        ),
        ("npm", "@s", None),
        ("npm", "a", None),
        ("maven-central", "g:a", None),
        ("bower", "a#1", None),
    ] {
        assert_eq!(
            of_reference(kind, locator).as_deref(),
            expected,
            "{locator}"
        );
    }
}

#[test]
fn a_source_package_is_said_in_many_ways() {
    let built = |purl: &str, upstream: &str| {
        built_of(Purl::canonicalize(purl).unwrap(), upstream).to_string()
    };
    let libssl = "pkg:deb/debian/libssl3@3.0.11-1";
    assert_eq!(
        built(libssl, "openssl@3.0.11-1"),
        format!("{libssl}?upstream=openssl%403.0.11-1")
    );
    for same in ["libssl3", "libssl3@3.0.11-1"] {
        assert_eq!(built(libssl, same), libssl);
    }
    assert!(built(libssl, "libssl3@2").contains("upstream"));
    for other in ["pkg:npm/a@1", "pkg:deb/debian/a@1?arch=source"] {
        assert_eq!(built(other, "b"), other);
    }
    for (info, upstream) in [
        (
            "built package from: openssl 3.0.11-1",
            Some("openssl@3.0.11-1"),
        ),
        ("built package from: openssl", Some("openssl")),
        ("built package from: ", None),
        ("built package from: a 1 and more", None),
        ("acquired package info from DPKG DB", None),
    ] {
        assert_eq!(upstream_of_info(info).as_deref(), upstream, "{info}");
    }
}

#[test]
fn what_a_document_is_about_is_one_thing() {
    assert_eq!(only([]), None);
    assert_eq!(only(["a", "a"]), Some("a"));
    assert_eq!(only(["a", "b"]), None);
}

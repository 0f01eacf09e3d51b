use super::*;

/// Ecosystems, names, versions, and the purls.
const PACKAGES: &[(&str, &str, Option<&str>, &str)] = &[
    ("npm", "@scope/a", Some("1.0.0"), "pkg:npm/%40scope/a@1.0.0"),
    ("PyPI", "Some_Thing", None, "pkg:pypi/some-thing"),
    (
        "Go",
        "example.org/a/b",
        Some("1.2.3"),
        "pkg:golang/example.org/a/b@v1.2.3",
    ),
    (
        "Go",
        "example.org/c",
        Some("v1.22.1"),
        "pkg:golang/example.org/c@v1.22.1",
    ),
    ("Maven", "org.e:a", Some("1"), "pkg:maven/org.e/a@1"),
    (
        "Maven:https://maven.google.com",
        "org.e:a",
        None,
        "pkg:maven/org.e/a?repository_url=https:%2F%2Fmaven.google.com",
    ),
    (
        "Packagist:https://packages.drupal.org/8",
        "drupal/a",
        None,
        "pkg:composer/drupal/a?repository_url=https:%2F%2Fpackages.drupal.org%2F8",
    ),
    (
        "VSCode:https://open-vsx.org",
        "Pub-lisher.Name.x",
        Some("1.0.0"),
        "pkg:vscode-extension/pub-lisher/name.x@1.0.0?repository_url=https:%2F%2Fopen-vsx.org",
    ),
    (
        "VSCode",
        "ms-python.python",
        None,
        "pkg:vscode-extension/ms-python/python",
    ),
    ("ConanCenter", "zlib", Some("1.3"), "pkg:conan/zlib@1.3"),
    (
        "SwiftURL",
        "https://host.test/e/a.git",
        Some("1.0.0"),
        "pkg:swift/host.test/e/a@1.0.0",
    ),
    (
        "SwiftURL",
        "http://host.test/e/b/",
        None,
        "pkg:swift/host.test/e/b",
    ),
    (
        "SwiftURL",
        "host.test/e/c.git",
        None,
        "pkg:swift/host.test/e/c",
    ),
    ("SwiftURL", "host.test/e/d", None, "pkg:swift/host.test/e/d"),
    (
        "SwiftURL",
        "https://github.com/Own/Lib.git",
        Some("1.0.0"),
        "pkg:swift/github.com/own/lib@1.0.0",
    ),
    ("SwiftURL", "host.test/E/d", None, "pkg:swift/host.test/E/d"),
    (
        "GitHub Actions",
        "Own/act",
        None,
        "pkg:githubactions/own/act",
    ),
    (
        "Debian:12",
        "curl",
        Some("7.1-1"),
        "pkg:deb/debian/curl@7.1-1?distro=debian-12",
    ),
    (
        "Alpine:v3.19",
        "musl",
        None,
        "pkg:apk/alpine/musl?distro=alpine-3.19",
    ),
    (
        "Ubuntu:Pro:22.04:LTS",
        "a",
        None,
        "pkg:deb/ubuntu/a?distro=ubuntu-22.04",
    ),
    (
        "Rocky Linux:9",
        "a",
        None,
        "pkg:rpm/rocky-linux/a?distro=rocky-9",
    ),
    ("crates.io", "serde", Some("1.0.0"), "pkg:cargo/serde@1.0.0"),
];

#[test]
fn packages_of_ecosystems_have_purls() {
    for &(ecosystem, name, version, expected) in PACKAGES {
        let purl = purl(ecosystem, name, version).unwrap();
        assert_eq!(purl.as_str(), expected);
    }
    assert_eq!(purl("Nowhere", "a", None), None);
    assert_eq!(purl("npm", "", None), None);
    for (ecosystem, why) in [
        ("Julia", "a purl of type julia must have the qualifier uuid"),
        ("Nowhere:1", "those of its ecosystem are not known here"),
        (
            "GHC",
            "its ecosystem is of parts of a compiler, which have no purl type",
        ),
    ] {
        assert_eq!(purl_or_why(ecosystem, "a", None), Err(why.to_owned()));
    }
}

/// The list of the OSV schema as it is now (ossf/osv-schema, `ecosystems.json`).
#[test]
fn every_ecosystem_has_a_type_or_says_why_it_has_none() {
    for ecosystem in "AlmaLinux Alpaquita Alpine Android Bioconductor Bitnami Chainguard \
        CleanStart ConanCenter CRAN crates.io Debian Echo FreeBSD GHC Go Hackage Hex Julia \
        Kubernetes Linux Mageia Maven MinimOS npm NuGet opam openEuler openSUSE OSS-Fuzz \
        Packagist Pub PyPI Root RubyGems SUSE SwiftURL TuxCare Ubuntu VSCode Wolfi"
        .split_whitespace()
        .chain([
            "Azure Linux",
            "BellSoft Hardened Containers",
            "GitHub Actions",
        ])
        .chain([
            "Docker Hardened Images",
            "Photon OS",
            "Red Hat",
            "Rocky Linux",
        ])
    {
        let mut known = ECOSYSTEMS.iter().map(|(name, _, _)| name);
        let mut others = WITHOUT_TYPE.iter().map(|(name, _)| name);
        let is_mapped = known.any(|name| *name == ecosystem);
        let is_named = others.any(|name| *name == ecosystem);
        assert!(is_mapped != is_named, "{ecosystem}");
    }
}

#[test]
fn a_release_that_is_not_known_gives_way_to_the_ecosystem() {
    for (ecosystem, stated, expected) in [
        ("Ubuntu:Pro:18.04:LTS", "", "?distro=ubuntu-18.04"),
        ("Ubuntu:18.04:LTS", "?distro=bionic", "?distro=bionic"),
        (
            "Ubuntu:Pro:18.04:LTS",
            "?distro=esm-apps/unheard",
            "?distro=ubuntu-18.04",
        ),
        ("npm", "?distro=unheard", "?distro=unheard"),
    ] {
        let purl = Purl::canonicalize(&format!("pkg:deb/ubuntu/a{stated}")).unwrap();
        let purl = of_release(purl, ecosystem);
        assert_eq!(purl.as_str(), format!("pkg:deb/ubuntu/a{expected}"));
    }
    let sid = purl("Debian:sid", "a", None).unwrap();
    assert_eq!(sid.as_str(), "pkg:deb/debian/a?distro=sid");
    let edge = purl("Alpine:edge", "a", None).unwrap();
    assert_eq!(edge.as_str(), "pkg:apk/alpine/a?distro=alpine-edge");
    let stream = purl("Alpaquita:stream", "a", None).unwrap();
    let expected = "pkg:apk/alpaquita/a?distro=alpaquita-stream";
    assert_eq!(stream.as_str(), expected);
}

#[test]
fn ecosystems_name_releases_in_their_own_ways() {
    for (ecosystem, expected) in [
        (
            "Red Hat:enterprise_linux:8::baseos",
            "redhat/a?distro=rhel-8",
        ),
        (
            "Red Hat:rhel_eus:9.2::appstream",
            "redhat/a?distro=rhel-9.2",
        ),
        ("openSUSE:Leap 15.4", "opensuse/a?distro=opensuse-leap-15.4"),
        (
            "SUSE:Linux Enterprise Server 15 SP4-LTSS",
            "suse/a?distro=suse-15.4",
        ),
        (
            "SUSE:Linux Enterprise Server 16.0",
            "suse/a?distro=suse-16.0",
        ),
        (
            "openSUSE:Tumbleweed",
            "opensuse/a?distro=opensuse-tumbleweed",
        ),
        (
            "openSUSE:Leap Micro 5.5",
            "opensuse/a?distro=opensuse-leap-micro-5.5",
        ),
        (
            "SUSE:Linux Enterprise Micro 5.5",
            "suse/a?distro=sle-micro-5.5",
        ),
        ("SUSE:Linux Micro 6.0", "suse/a?distro=sle-micro-6.0"),
        (
            "SUSE:Linux Enterprise Module for Basesystem 15 SP7",
            "suse/a?distro=suse-15.7",
        ),
        (
            "openEuler:22.03-LTS-SP3",
            "openeuler/a?distro=openeuler-22.03",
        ),
        ("Photon OS:4.0", "photon/a?distro=photon-4.0"),
        ("Azure Linux:2", "azurelinux/a?distro=azurelinux-2"),
        ("Mageia:8", "mageia/a?distro=mageia-8"),
    ] {
        let purl = purl(ecosystem, "a", None).unwrap();
        assert_eq!(purl.as_str(), format!("pkg:rpm/{expected}"));
    }
    let purl = purl("Alpaquita:23", "a", None).unwrap();
    assert_eq!(purl.as_str(), "pkg:apk/alpaquita/a?distro=alpaquita-23");
}

#[test]
fn what_is_no_release_of_a_distribution_is_none() {
    for (ecosystem, name, version, expected) in [
        ("Debian", "a", None, "pkg:deb/debian/a"),
        (
            "Red Hat:jboss_core_services:1::el8",
            "a",
            None,
            "pkg:rpm/redhat/a",
        ),
        (
            "SUSE:Linux Enterprise Micro for Rancher 5.4",
            "a",
            None,
            "pkg:rpm/suse/a",
        ),
        (
            "SUSE:Linux Enterprise Module for Legacy 12",
            "a",
            None,
            "pkg:rpm/suse/a",
        ),
        ("MinimOS", "a", None, "pkg:apk/minimos/a"),
        (
            "GitHub Actions",
            "e/act",
            Some("1.0.0"),
            "pkg:githubactions/e/act@1.0.0",
        ),
        ("Bitnami", "a", Some("1"), "pkg:bitnami/a@1"),
        ("opam", "a", Some("1"), "pkg:opam/a@1"),
    ] {
        let purl = purl(ecosystem, name, version).unwrap();
        assert_eq!(purl.as_str(), expected);
    }
}

#[test]
fn advisories_of_what_has_no_package_url_say_why() {
    let of = |package: &str| {
        let text = format!(
            r#"{{"id":"JLSEC-1","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"Julia","name":"JSON"{package}}}}}]}}"#
        );
        crate::documents::prepare("vex", "r.json", text.as_bytes(), "")
    };
    for package in ["", r#","purl":"pkg:julia/JSON""#] {
        let refused = of(package).unwrap_err().to_string();
        let said = "\"JSON\" of \"Julia\" has no package URL here, and nothing is claimed of \
                    it: a purl of type julia must have the qualifier uuid";
        assert!(refused.contains(said), "{refused}");
    }
    let named = r#","purl":"pkg:julia/JSON?uuid=682c06a0-de6a-54ab-a142-c8b1cf79cde6""#;
    assert_eq!(of(named).unwrap().len(), 1);
    let github = r#"{"ghsa_id":"GHSA-29mw-wpgm-hmr9","published_at":"2026-01-01T00:00:00Z",
        "updated_at":"2026-01-01T00:00:00Z","vulnerabilities":[{"package":{"ecosystem":"other","name":"a"},
        "vulnerable_version_range":"< 1"}]}"#;
    let refused = crate::documents::prepare("vex", "r.json", github.as_bytes(), "");
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("those of its ecosystem are not known here"),
        "{refused}"
    );
}

#[test]
fn what_has_no_type_takes_nothing_from_the_rest_of_a_record() {
    let text = r#"{"id":"HSEC-1","modified":"2026-01-01T00:00:00Z","affected":[
        {"package":{"ecosystem":"GHC","name":"compiler"}},
        {"package":{"ecosystem":"From:Tomorrow","name":"b"}},
        {"package":{"ecosystem":"Docker Hardened Images","name":"c","purl":"pkg:dhi/c"}},
        {"package":{"ecosystem":"Hackage","name":"a"}}]}"#;
    let claim = crate::documents::prepare("vex", "r.json", text.as_bytes(), "")
        .unwrap()
        .remove(0);
    let about = claim.subjects.iter().filter_map(|subject| subject.uri());
    assert_eq!(about.collect::<Vec<_>>(), ["pkg:dhi/c", "pkg:hackage/a"]);
    for told in [
        "\"compiler\" of \"GHC\" has no package URL here",
        "\"b\" of \"From:Tomorrow\" has no package URL here",
    ] {
        assert!(
            claim.summary.iter().any(|(_, text)| text.contains(told)),
            "{told}"
        );
    }
}

//! Which packages records are of.

use super::{of, products, range};

/// What a database states as a purl may be none, as SUSE's and openEuler's, of which the qualifiers
/// begin with `&`; ecosystem and name say which package it is, and are always there.
#[test]
fn ecosystem_and_name_say_which_package_it_is() {
    for (ecosystem, name, stated, expected) in [
        (
            "SUSE:Linux Enterprise Module for Basesystem 15 SP6",
            "a",
            "pkg:rpm/suse/a&distro=SUSE%20Linux%20Enterprise%20Module%2015%20SP6",
            &["pkg:rpm/suse/a?distro=suse-15.6"][..],
        ),
        (
            "openSUSE:Tumbleweed",
            "a",
            "pkg:rpm/opensuse/a&distro=openSUSE%20Tumbleweed",
            &["pkg:rpm/opensuse/a?distro=opensuse-tumbleweed"],
        ),
        (
            "openEuler:24.03-LTS",
            "a",
            "pkg:rpm/openEuler/a&distro=openEuler-24.03-LTS",
            &["pkg:rpm/openeuler/a?distro=openEuler-24.03-LTS"],
        ),
        ("npm", "a", "", &["pkg:npm/a"]),
        ("npm", "a", "npm/a", &["pkg:npm/a"]),
        ("npm", "@s/a", "pkg:npm/a", &["pkg:npm/%40s/a", "pkg:npm/a"]),
        (
            "Azure Linux:3",
            "a",
            "pkg:rpm/azure-linux/a",
            &["pkg:rpm/azure-linux/a?distro=azurelinux-3"],
        ),
        (
            "Alpaquita:stream",
            "a",
            "pkg:apk/alpaquita/a?arch=source&distro=stream",
            &["pkg:apk/alpaquita/a?arch=source&distro=stream"],
        ),
        (
            "GitHub Actions",
            "o/a",
            "pkg:github/o/a",
            &["pkg:github/o/a"],
        ),
        (
            "Root:Debian:12",
            "rootio-a",
            "pkg:deb/root/a",
            &["pkg:deb/root/a"],
        ),
    ] {
        let affected = format!(
            r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}","purl":"{stated}"}}}}"#
        );
        assert_eq!(products(&affected).unwrap(), expected, "{stated}");
    }
}

/// The repository is more than one action in it.
#[test]
fn an_action_that_is_stated_does_not_stand_for_its_repository() {
    let stated = "pkg:githubactions/own/act/init";
    let package = r#"{"ecosystem":"GitHub Actions","name":"own/act","purl":"PURL"}"#;
    let package = package.replace("PURL", stated);
    let affected = format!(r#"{{"package":{package}}}"#);
    let expected = ["pkg:githubactions/own/act", stated];
    assert_eq!(products(&affected).unwrap(), expected);
}

/// Sources that are no package are in a repository, whose tags are listed.
#[test]
fn what_is_no_package_is_the_tags_of_its_repository() {
    let of = |package: &str, repo: &str, versions: &str| {
        products(&format!(
            r#"{{{package}"ranges":[{{"type":"GIT","repo":"{repo}","events":[{{"introduced":"0"}},{{"fixed":"6f1"}}]}}]{versions}}}"#
        ))
    };
    let listed = r#","versions":["a-1_0","v1.1.0"]"#;
    let named = r#""package":{"ecosystem":"GIT","name":"https://github.com/O/a"},"#;
    for (package, repo, versions, expected) in [
        (
            "",
            "https://github.com/O/a.git",
            listed,
            &["pkg:github/o/a@a-1_0", "pkg:github/o/a@v1.1.0"][..],
        ),
        (
            named,
            "https://github.com/O/a",
            listed,
            &["pkg:github/o/a@a-1_0", "pkg:github/o/a@v1.1.0"],
        ),
        (
            "",
            "https://gitlab.com/o/s/a/",
            listed,
            &["pkg:gitlab/o/s/a@a-1_0", "pkg:gitlab/o/s/a@v1.1.0"],
        ),
        (
            "",
            "https://github.com/o/a",
            "",
            &["pkg:github/o/a?vers=commits"],
        ),
    ] {
        assert_eq!(of(package, repo, versions).unwrap(), expected, "{repo}");
    }
    for repo in [
        "https://git.example/o/a",
        "https://github.com/a",
        "https://github.com/o/a/b",
    ] {
        assert_eq!(of("", repo, listed), Err("$".to_owned()), "{repo}");
    }
}

/// All versions are of each repository.
#[test]
fn a_record_is_of_few_repositories() {
    let of = |number: usize| {
        let ranges = (0..number).map(|n| {
            format!(
                r#"{{"type":"GIT","repo":"https://github.com/o/a{n}","events":[{{"introduced":"0"}}]}}"#
            )
        });
        let ranges: Vec<String> = ranges.collect();
        let ranges = ranges.join(",");
        products(&format!(r#"{{"ranges":[{ranges}],"versions":["1","2"]}}"#))
    };
    assert_eq!(of(8).map(|all| all.len()), Ok(16));
    assert_eq!(of(9), Err("$.affected[0].ranges".to_owned()));
}

/// What Ubuntu builds for FIPS is above what it mends in the release.
#[test]
fn a_stream_beside_a_release_has_versions_of_its_own() {
    let until = range("ECOSYSTEM", r#"{"introduced":"0"},{"fixed":"1.0-2+Fips1"}"#);
    let listed = format!(r#"{until},"versions":["1.0-1+Fips1"]"#);
    let open = range("ECOSYSTEM", r#"{"introduced":"0"}"#);
    let open = format!(r#"{open},"versions":["1.0-1+Fips1"]"#);
    let at = "pkg:deb/ubuntu/a";
    let distro = "distro=ubuntu-22.04";
    for (ecosystem, more, expected) in [
        (
            "Ubuntu:Pro:FIPS-updates:22.04:LTS",
            &listed,
            vec![format!("{at}@1.0-1%2BFips1?{distro}")],
        ),
        // What goes on is not in the list.
        (
            "Ubuntu:Pro:FIPS:22.04:LTS",
            &open,
            vec![
                format!("{at}?{distro}&vers=events"),
                format!("{at}@1.0-1%2BFips1?{distro}"),
            ],
        ),
        (
            "Ubuntu:Pro:FIPS:22.04:LTS",
            &until,
            vec![format!("{at}?{distro}&vers=events")],
        ),
        (
            "Ubuntu:Pro:22.04:LTS",
            &until,
            vec![format!("{at}?{distro}&vers=vers:deb%2F%3C1.0-2%2BFips1")],
        ),
    ] {
        assert_eq!(of(ecosystem, "a", more).unwrap(), expected, "{ecosystem}");
    }
}

//! Which versions are in a range.

use super::*;

#[test]
fn a_version_is_in_a_range_or_not() {
    for (range, within, without) in [
        (
            "vers:cargo/>=1.0.0|<2.0.0",
            &["1.0.0", "1.9.9"][..],
            &["0.9.0", "2.0.0", "1.0.0-rc.1"][..],
        ),
        (
            "vers:cargo/>1.0.0|<=2.0.0",
            &["1.0.1", "2.0.0"],
            &["1.0.0", "2.0.1"],
        ),
        (
            "vers:cargo/<2.0.0",
            &["0.0.1", "2.0.0-a"],
            &["2.0.0", "3.0.0"],
        ),
        ("vers:cargo/>=2.0.0", &["2.0.0", "3.0.0"], &["1.9.9"]),
        (
            "vers:npm/1.2.3|>=2.0.0|<5.0.0",
            &["1.2.3", "2.0.0", "4.9.0"],
            &["1.2.4", "5.0.0"],
        ),
        (
            "vers:npm/<1.0.0|>=2.0.0|!=2.1.0|<3.0.0",
            &["0.1.0", "2.0.5", "2.2.0"],
            &["1.0.0", "1.5.0", "2.1.0", "3.0.0"],
        ),
        ("vers:npm/!=2.0.0", &["1.0.0"], &["2.0.0"]),
        ("vers:npm/=2.0.0", &["2.0.0", "2.0.0+build"], &["1.0.0"]),
        (
            "vers:npm/>=1|<2.1",
            &["1.0.0", "2.0.9"],
            &["2.1.0", "2.1.1"],
        ),
        ("vers:cargo/*", &["anything"], &[]),
    ] {
        let package_type = range[5..].split('/').next().unwrap();
        within.iter().for_each(|one| {
            assert_eq!(
                contains(range, package_type, one),
                Applies::Yes,
                "{range} {one}"
            )
        });
        without.iter().for_each(|one| {
            assert_eq!(
                contains(range, package_type, one),
                Applies::No,
                "{range} {one}"
            )
        });
    }
    assert_eq!(
        contains("vers:golang/<v1.2.0", "golang", "v1.1.0"),
        Applies::Yes
    );
}

#[test]
fn go_and_python_have_orders_of_their_own() {
    for (range, within, without) in [
        (
            "vers:golang/>=1.21.0|<1.22.1",
            &["go1.21", "go1.22.0", "go1.22rc1", "v1.21.5"][..],
            &["go1.22.1", "go1.20.14", "go1.21rc2"][..],
        ),
        (
            "vers:pypi/>=1.0|<2.0",
            &["1.0", "1.10", "1.0.post1", "2.0rc1", "1.5+local"],
            &["2.0", "0.9", "1.0.dev1", "1!1.5", "v2"],
        ),
        ("vers:pypi/<=2.0", &["2.0.0", "1.9"], &["2.0.post1"]),
    ] {
        let (package_type, _) = range[5..].split_once('/').unwrap();
        for (versions, expected) in [(within, Applies::Yes), (without, Applies::No)] {
            for one in versions {
                assert_eq!(
                    contains(range, package_type, one),
                    expected,
                    "{range} {one}"
                );
            }
        }
    }
}

/// PEP 440 puts `1.0+local` above `1.0` and below `1.0.post1`; specifiers without a local version
/// ignore that of a candidate, and those with one compare it in normal form.
#[test]
fn a_local_version_of_python_is_decided_where_order_and_specifiers_agree() {
    use Applies::{No, Undecided, Yes};
    for (range, version, expected) in [
        // Introduced in 0, fixed in 1.0.
        ("vers:pypi/<1.0", "1.0+local", No),
        ("vers:pypi/<1.0", "0.9+local", Yes),
        ("vers:pypi/>=0|<1.0", "1.0+local.2", No),
        // The last that is affected is 1.0: by its order it is above, for pip it is 1.0.
        ("vers:pypi/<=1.0", "1.0+local", Undecided),
        ("vers:pypi/>=0|<=1.0", "1.0+local", Undecided),
        ("vers:pypi/<=1.0", "0.9+local", Yes),
        ("vers:pypi/<=1.0", "1.0.post1+local", No),
        ("vers:pypi/>=1.0", "1.0+local", Yes),
        ("vers:pypi/>1.0", "1.0+local", Undecided),
        ("vers:pypi/1.0", "1.0+local", Undecided),
        ("vers:pypi/!=1.0", "1.0+local", Undecided),
        // What names a local version is of that one, however it is spelled.
        ("vers:pypi/1.0+local", "1.0+local", Yes),
        ("vers:pypi/1.0+Ubuntu-1", "1.0.0+ubuntu.1", Yes),
        ("vers:pypi/!=1.0+Ubuntu-1", "1.0+ubuntu.1", No),
        ("vers:pypi/<=1.0+local", "1.0+Local", Yes),
        ("vers:pypi/<1.0+local", "1.0+Local", No),
        ("vers:pypi/1.0+local", "1.0", No),
        ("vers:pypi/1.0+local", "1.0+other", No),
        ("vers:pypi/<1.0+local.2", "1.0+local.1", Yes),
        ("vers:pypi/<1.0+local.1", "1.0+local.2", Undecided),
    ] {
        let found = contains(range, "pypi", version);
        assert_eq!(found, expected, "{range} {version}");
    }
}

#[test]
fn what_cannot_be_told_is_not_told() {
    for (range, package_type, version) in [
        ("vers:cargo/>=1.0.0", "npm", "1.0.0"),
        // A range of everything is of everything of its own type.
        ("vers:npm/*", "cargo", "1.0.0"),
        ("vers:generic/*", "cargo", "1.0.0"),
        ("vers:semver/*", "deb", "1.0.0"),
        ("vers:semver/>=1.0.0", "pypi", "1.1.0"),
        ("vers:pypi/>=1.0", "pypi", "one"),
        ("vers:pypi/>=2.0|<1.0", "pypi", "1.5"),
        ("vers:pypi/<=2.0", "pypi", "2.0+local"),
        ("vers:opam/>=1.0", "opam", "1.1"),
        ("vers:opam/1.0", "opam", "1.0.1"),
        // What is in no order is not even equal to what is spelled in another way.
        ("vers:pypi/1.0|>=one", "pypi", "1.0.0"),
        ("vers:npm/=1.0.0|<x", "npm", "1.0.0+build"),
        ("vers:npm/%3C2.0.0%7C>1", "npm", "1.0.0"),
        ("vers:npm/%3", "npm", "1.0.0"),
        ("vers:npm/%GG1.0.0", "npm", "1.0.0"),
        ("vers:npm/<2.0.0|*", "npm", "1.0.0"),
        ("vers:all/<2.0.0", "npm", "1.0.0"),
        ("vers:intdot/<2.0.0", "deb", "1.0.0"),
        ("vers:intdot/<2.0.0", "generic", "1.0.0a"),
        ("vers:intdot/<2.0.0", "generic", "2.0"),
        ("vers:rpm/<=1.2", "rpm", "1.2-1"),
        ("vers:githubactions/<4.1.0", "githubactions", "v4"),
        ("vers:githubactions/<4.1.0", "github", "v4"),
        ("vers:github/<4.1.0", "githubactions", "v4.0.0"),
        ("vers:maven/<2.0", "maven", "unspecified"),
        ("vers:maven/<2.0", "maven", "${project.version}"),
        ("vers:deb/<1.2-3", "deb", "all versions"),
        ("vers:rpm/<1.2-3", "rpm", "openssl"),
        ("vers:gem/<2.0", "gem", "latest"),
        ("vers:nuget/<2.0", "nuget", "1.x"),
        ("vers:composer/<2.0", "composer", "dev-main"),
        ("vers:apk/<1.2.3-r4", "apk", "1.2.3-4"),
        ("vers:golang/>=1.21.0", "golang", "gogo1.22"),
        ("vers:cargo/>=1.0.0", "cargo", "one"),
        ("vers:cargo/>=one", "cargo", "1.0.0"),
        ("vers:cargo/>=2.0.0|<1.0.0", "cargo", "1.5.0"),
        ("vers:cargo/>=1.0.0|", "cargo", "1.5.0"),
        ("cargo/>=1.0.0", "cargo", "1.5.0"),
    ] {
        assert_eq!(
            contains(range, package_type, version),
            Applies::Undecided,
            "{range} {version}"
        );
    }
    assert_eq!(contains("vers:pypi/1.0|2.0", "pypi", "2.0"), Applies::Yes);
    assert_eq!(contains("vers:pypi/1.0|2.0", "pypi", "2.0.0"), Applies::Yes);
}

#[test]
fn each_ecosystem_has_an_order() {
    for (range, within, without) in [
        (
            "maven/<2.0",
            &["1.0", "2.0-rc1", "2.0-SNAPSHOT"][..],
            &["2.0.1", "2.0.0", "2-sp"][..],
        ),
        (
            "deb/<1.2-3",
            &["1.2-3~deb12u1", "1.2-2"],
            &["1.10-1", "1:1.0-1", "1.2-3+b1"],
        ),
        (
            "rpm/<1.2-3.el9",
            &["1.2~rc1-9.el9", "1.2-3.el8"],
            &["1.2^git1-1.el9", "1:1-1"],
        ),
        ("rpm/<1.2", &["1.1-9"], &["1.2-1"]),
        (
            "gem/<2.0.0",
            &["2.0.0.rc1", "1.9.9-x86_64-linux"],
            &["2", "2.0.0-java", "2.0.1"],
        ),
        (
            "nuget/<2.0.0",
            &["2.0.0-beta", "1.9.9.9"],
            &["2.0.0.1", "2.0", "v2.0.0+sha"],
        ),
        (
            "composer/<2.0.0",
            &["2.0.0-RC1", "v1.9"],
            &["v2.0.1", "2.0", "2.0.x-dev"],
        ),
        (
            "apk/<1.2.3-r4",
            &["1.2.3_rc1-r0", "1.2.3-r3"],
            &["1.2.10-r0", "1.2.3a-r0"],
        ),
        ("cran/<1.2-3", &["1.2.2", "1.2"], &["1.2.3", "1.2-10"]),
        ("hackage/<1.2.0", &["1.2", "1.1.10"], &["1.2.0", "1.10"]),
        ("pub/<2.0.0+1", &["2.0.0", "1.0.0"], &["2.0.0+1", "2.0.0+2"]),
        ("hex/<0.2.0", &["0.1.0"], &["0.2.0"]),
        ("swift/<0.2.0", &["v0.1.0"], &["0.2.0"]),
        ("githubactions/<0.2.0", &["v0.1.0"], &["v0.2.0"]),
        ("npm/%3C2.0.0%2Bx", &["1.0.0"], &["2.0.0"]),
        (
            "deb/%3E=1%3A1.0-1|<1%3a2",
            &["1:1.5-1"],
            &["1.5-1", "1:2-1"],
        ),
    ] {
        let (package_type, _) = range.split_once('/').unwrap();
        for (versions, expected) in [(within, Applies::Yes), (without, Applies::No)] {
            for one in versions {
                let said = contains(&format!("vers:{range}"), package_type, one);
                assert_eq!(said, expected, "{range} {one}");
            }
        }
    }
}

#[test]
fn versions_of_go_itself_are_ordered() {
    let range = "vers:golang/<1.20.5|>=1.21.0-0|<1.21.3";
    for (versions, expected) in [
        (
            ["1.21rc2", "go1.21beta1", "1.20.4 X:boringcrypto", "v1.21.2"],
            Applies::Yes,
        ),
        (
            [
                "1.22rc1",
                "go1.20.5 X:boringcrypto",
                "go1.20.5-bigcorp",
                "1.20.5",
            ],
            Applies::No,
        ),
    ] {
        for one in versions {
            assert_eq!(contains(range, "golang", one), expected, "{one}");
        }
    }
}

/// By its numbers alone a build of a snapshot would come after the release that it is built for.
#[test]
fn a_build_of_a_snapshot_is_where_the_snapshot_is() {
    let build = "1.0-20240101.120000-3";
    for (range, expected) in [
        ("<1.0", Applies::Yes),
        (">=1.0", Applies::No),
        (">1.0-rc1", Applies::Yes),
        ("<1.0-rc1", Applies::No),
        (">=1.0-SNAPSHOT", Applies::Yes),
        // The snapshot that has no time may be any of its builds.
        ("<=1.0-SNAPSHOT", Applies::Undecided),
        ("=1.0-SNAPSHOT", Applies::Undecided),
        ("=1.0-20240102.120000-4", Applies::Undecided),
        ("<1.0-20240102.120000-4", Applies::Undecided),
        ("=1.0-20240101.120000-3", Applies::Yes),
    ] {
        let said = contains(&format!("vers:maven/{range}"), "maven", build);
        assert_eq!(said, expected, "{range}");
    }
    for other in [
        "1.0-20240101.12000-3",
        "1.0-2024.120000-3",
        "1.0-20240101.120000-x",
    ] {
        assert_eq!(
            contains("vers:maven/>=1.0", "maven", other),
            Applies::Yes,
            "{other}"
        );
    }
}

#[test]
fn a_scheme_can_be_of_many_types() {
    for (range, package_type, version, expected) in [
        ("vers:all/*", "npm", "1.0.0", Applies::Yes),
        ("vers:all/*", "deb", "anything", Applies::Yes),
        (
            "vers:cocoapods/<2.0.0",
            "cocoapods",
            "2.0.0-rc1",
            Applies::Yes,
        ),
        ("vers:cocoapods/<2.0.0", "cocoapods", "2", Applies::No),
        ("vers:semver/<2.0.0", "bitnami", "1.10.0", Applies::Yes),
        ("vers:semver/<2.0.0", "bitnami", "2.0.0-3", Applies::No),
        ("vers:semver/<2.0.0", "bitnami", "2.0.0-rc.1", Applies::Yes),
        ("vers:semver/<2.0.0", "julia", "1.10.0", Applies::Yes),
        ("vers:semver/<2.0.0", "conan", "2.0.0", Applies::No),
        (
            "vers:semver/<2.0.0",
            "vscode-extension",
            "2.0.0",
            Applies::No,
        ),
        (
            "vers:githubactions/<4.1.0",
            "github",
            "v4.0.9",
            Applies::Yes,
        ),
        ("vers:githubactions/<4.1.0", "github", "v4.1.0", Applies::No),
        ("vers:githubactions/*", "github", "v4", Applies::Yes),
        ("vers:intdot/<2.0.0", "generic", "1.10.0", Applies::Yes),
        ("vers:intdot/<2.0.0", "generic", "10.0.0", Applies::No),
        ("vers:intdot/<2.0.0", "generic", "2.0.0", Applies::No),
        ("vers:semver/<2.0.0", "hex", "1.0.0", Applies::Yes),
        ("vers:semver/<2.0.0+1", "pub", "2.0.0", Applies::Yes),
    ] {
        assert_eq!(contains(range, package_type, version), expected, "{range}");
    }
    // Named as it is spelled, whatever stands beside it.
    let said = contains("vers:npm/=1.0.0|<x", "npm", "1.0.0");
    assert_eq!(said, Applies::Yes);
}

#[test]
fn a_package_is_in_a_range_with_its_epoch() {
    for (range, package, expected) in [
        (
            "rpm/<2:1.0-1",
            "pkg:rpm/fedora/a@3.0-1?epoch=1",
            Applies::Yes,
        ),
        (
            "rpm/<2:1.0-1",
            "pkg:rpm/fedora/a@0.5-1?epoch=2",
            Applies::Yes,
        ),
        (
            "rpm/<2:1.0-1",
            "pkg:rpm/fedora/a@1.0-1?epoch=2",
            Applies::No,
        ),
        ("deb/<1.0-1", "pkg:deb/debian/a@1%3A0.5-1", Applies::No),
        ("deb/<1.0-1", "pkg:deb/debian/a@0%3A0.5-1", Applies::Yes),
        ("deb/*", "pkg:deb/debian/a", Applies::Undecided),
    ] {
        let purl = Purl::canonicalize(package).unwrap();
        let said = contains_that_of(&format!("vers:{range}"), &purl);
        assert_eq!(said, expected, "{range} {package}");
    }
}

#[test]
fn a_range_names_epochs() {
    for (range, expected) in [
        ("vers:rpm/<1:2.0-1", &["1"][..]),
        ("vers:rpm/>=1.0|<1%3A2.0-1", &["0", "1"]),
        (
            "vers:rpm/1:1|2:1|3:1|4:1|5:1|6:1",
            &["1", "2", "3", "4", "5"],
        ),
        ("vers:rpm/*", &["0"]),
        ("x", &["0"]),
    ] {
        let epochs: Vec<String> = epochs(range).into_iter().collect();
        assert_eq!(epochs, expected, "{range}");
    }
}

//! Names of distributions and of their releases.

use super::*;

fn purl(text: &str) -> Purl {
    Purl::canonicalize(text).unwrap()
}

#[test]
fn a_release_has_many_names() {
    let ubuntu = purl("pkg:deb/ubuntu/a@1");
    for name in ["ubuntu-22.04", "22.04", "Jammy", "ubuntu-jammy"] {
        assert!(ubuntu.is_same_release("jammy", name), "{name}");
    }
    for name in ["22.10", "noble", "debian-12", "ubuntu-24.04", ""] {
        assert!(!ubuntu.is_same_release("jammy", name), "{name}");
    }
    let debian = purl("pkg:deb/debian/a@1");
    for name in ["debian-12", "12", "debian-12.4"] {
        assert!(debian.is_same_release("bookworm", name), "{name}");
    }
    for name in ["jammy", "debian-11", "1", "ubuntu-12"] {
        assert!(!debian.is_same_release("bookworm", name), "{name}");
    }
    let alpine = purl("pkg:apk/alpine/a@1");
    assert!(alpine.is_same_release("alpine-3.19.1", "v3.19"));
    assert!(!alpine.is_same_release("alpine-3.19.1", "v3.18"));
    assert!(purl("pkg:rpm/rocky/a@1").is_same_release("rocky-9.3", "9.3"));
    assert!(purl("pkg:rpm/rocky/a@1").is_same_release("rocky-linux-9.3", "9.3"));
    for (package, one, other) in [
        ("pkg:rpm/sles/a@1", "sles-15.4", "suse-15.4"),
        (
            "pkg:rpm/opensuse-leap/a@1",
            "opensuse-leap-15.6",
            "opensuse.leap-15.6",
        ),
        ("pkg:rpm/mariner/a@1", "mariner-2.0", "cbl-mariner-2.0"),
        ("pkg:deb/ubuntu/a@1", "ubuntu-21.04", "hirsute"),
        ("pkg:deb/debian/a@1", "sid", "unstable"),
    ] {
        assert!(purl(package).is_same_release(one, other), "{other}");
    }
    // What is said of a stream of its own clears nothing of the release.
    assert!(!ubuntu.is_of_release("jammy", "esm-infra/jammy"));
    assert!(!purl("pkg:rpm/rocky/a@1").is_same_release("rocky-9.3", "9.2"));
}

/// Packages, and two names of one release.
const SAME: &[(&str, &str, &str)] = &[
    ("pkg:rpm/amazon/a@1", "amazon-2 (Karoo)", "amzn-2"),
    ("pkg:rpm/amazon/a@1", "amazon-2+(Karoo)", "2"),
    (
        "pkg:rpm/amzn/a@1",
        "amzn-2023",
        "amazon-2023.6.20241121 (Amazon Linux)",
    ),
    ("pkg:rpm/azurelinux/a@1", "azurelinux-3.0", "azurelinux-3"),
    ("pkg:rpm/azurelinux/a@1", "3.0.20250102", "azurelinux-3.0"),
    ("pkg:rpm/photon/a@1", "photon-5.0", "photon-5"),
    ("pkg:apk/wolfi/a@1", "wolfi-20230201", "wolfi"),
    ("pkg:apk/wolfi/a@1", "20230201", "wolfi-20230201"),
    ("pkg:apk/chainguard/a@1", "chainguard", "20230214"),
    ("pkg:alpm/arch/a@1", "arch-20240101", "arch"),
];

#[test]
fn tools_name_one_release_in_ways_of_their_own() {
    for (package, one, other) in SAME {
        let same = purl(package).is_same_release(one, other);
        assert!(same, "{one} {other}");
    }
    for (package, one, other) in [
        ("pkg:rpm/amazon/a@1", "amazon-2 (Karoo)", "amzn-2023"),
        ("pkg:rpm/azurelinux/a@1", "azurelinux-3.0", "2.0"),
        ("pkg:apk/wolfi/a@1", "wolfi-20230201", "alpine-3.20"),
        ("pkg:apk/alpine/a@1", "20230201", "alpine"),
        (
            "pkg:rpm/redhat/a@1",
            "Red Hat Enterprise Linux 8",
            "Red Hat Enterprise Linux 9",
        ),
        ("pkg:rpm/amazon/a@1", "Amazon Linux 2", "Amazon Linux 2023"),
        (
            "pkg:deb/debian/a@1",
            "Debian GNU/Linux 11",
            "Debian GNU/Linux 12",
        ),
        (
            "pkg:rpm/suse/a@1",
            "SUSE Linux Enterprise Server 15 SP4",
            "SUSE Linux Enterprise Server 15 SP5",
        ),
        (
            "pkg:rpm/opensuse/a@1",
            "openSUSE Leap 15.5",
            "openSUSE Leap 15.6",
        ),
    ] {
        let same = purl(package).is_same_release(one, other);
        assert!(!same, "{one} {other}");
    }
    let karoo = "amazon-2 (Karoo)";
    assert!(purl("pkg:rpm/amazon/a@1").is_other_release(karoo, "amzn-2023"));
}

/// What Docker Scout writes in the place of `distro`.
#[test]
fn a_release_stands_in_qualifiers_of_its_own() {
    let scout = purl("pkg:deb/debian/a@1?os_distro=bookworm&os_name=debian&os_version=12");
    assert_eq!(scout.distribution(), Some("12"));
    assert!(scout.has_known_release());
    let named = purl("pkg:deb/debian/a@1?os_distro=bookworm&os_name=debian");
    for (ours, expected) in [
        (&scout, true),
        (&named, true),
        (&purl("pkg:deb/debian/a@1?distro=debian-12"), true),
        (&purl("pkg:deb/debian/a@1?distro=debian-11"), false),
        (&purl("pkg:deb/debian/a@1"), false),
    ] {
        for (key, stated) in scout.qualifiers().filter(|(key, _)| *key != "os_name") {
            assert_eq!(ours.is_of_system(key, stated), expected, "{ours} {key}");
        }
        assert!(ours.is_of_system("os_name", "debian"), "{ours}");
        assert!(!ours.is_of_system("os_name", "ubuntu"), "{ours}");
        assert!(!ours.is_of_system("arch", "12"), "{ours}");
    }
    assert!(purl("pkg:rpm/redhat/a@1").is_of_system("os_name", "rhel"));
}

#[test]
fn a_minor_release_is_of_its_major_one() {
    for (package, ours, stated, expected) in [
        ("pkg:rpm/redhat/a@1", "rhel-9.4", "rhel-9", true),
        ("pkg:rpm/redhat/a@1", "rhel-9.4", "redhat-9", true),
        ("pkg:rpm/redhat/a@1", "rhel-9", "rhel-9.4", false),
        ("pkg:rpm/redhat/a@1", "rhel-9.4", "rhel-9.2", false),
        ("pkg:rpm/redhat/a@1", "rhel-90.4", "rhel-9", false),
        ("pkg:rpm/redhat/a@1", "rhel-9.4", "rhel-", false),
        ("pkg:rpm/almalinux/a@1", "almalinux-9.4", "alma-9", true),
        ("pkg:rpm/rocky-linux/a@1", "rocky-9.3", "9", true),
        ("pkg:rpm/oracle/a@1", "ol-8.9", "oraclelinux-8", true),
        (
            "pkg:rpm/opensuse/a@1",
            "opensuse-15.5",
            "opensuse-15",
            false,
        ),
        ("pkg:deb/ubuntu/a@1", "ubuntu-22.04", "ubuntu-22", false),
        ("pkg:deb/ubuntu/a@1", "ubuntu-23.10", "mantic", true),
        (
            "pkg:rpm/opensuse-tumbleweed/a@1",
            "opensuse-tumbleweed-20250101",
            "opensuse-tumbleweed",
            true,
        ),
        (
            "pkg:rpm/opensuse/a@1",
            "opensuse.tumbleweed-20250101",
            "tumbleweed",
            true,
        ),
        (
            "pkg:rpm/opensuse-tumbleweed/a@1",
            "opensuse-tumbleweed",
            "opensuse-tumbleweed-20250101",
            false,
        ),
        (
            "pkg:rpm/opensuse-tumbleweed/a@1",
            "opensuse-tumbleweed-20250102",
            "opensuse-tumbleweed-20250101",
            false,
        ),
        (
            "pkg:rpm/opensuse-microos/a@1",
            "opensuse-microos-20250101",
            "opensuse-tumbleweed",
            false,
        ),
        ("pkg:rpm/sled/a@1", "sled-15.5", "suse-15.5", true),
        ("pkg:rpm/sles_sap/a@1", "sles_sap-15.5", "sles-15.4", false),
    ] {
        let said = purl(package).is_of_release(ours, stated);
        assert_eq!(said, expected, "{ours} {stated}");
    }
}

/// Packages, two releases, and whether these are others.
const RELEASES_OF: &[(&str, &str, &str, bool)] = &[
    ("pkg:deb/debian/a@1", "debian-12", "debian-11", true),
    ("pkg:deb/debian/a@1", "bookworm", "11", true),
    ("pkg:deb/debian/a@1", "debian-12", "debian-12.4", false),
    ("pkg:deb/debian/a@1", "debian-12", "sid", true),
    ("pkg:deb/debian/a@1", "bookworm", "unstable", true),
    ("pkg:deb/debian/a@1", "forky", "sid", false),
    ("pkg:deb/debian/a@1", "debian-12", "testing", false),
    (
        "pkg:deb/ubuntu/a@1",
        "ubuntu-24.04",
        "esm-apps/bionic",
        true,
    ),
    (
        "pkg:deb/ubuntu/a@1",
        "ubuntu-18.04",
        "esm-apps/bionic",
        false,
    ),
    ("pkg:deb/ubuntu/a@1", "focal", "fips-updates/focal", false),
    ("pkg:deb/ubuntu/a@1", "focal", "focal-updates", false),
    ("pkg:deb/ubuntu/a@1", "noble", "focal-security", true),
    ("pkg:deb/debian/a@1", "debian-12", "bullseye/updates", true),
    ("pkg:deb/ubuntu/a@1", "focal", "esm-apps/unheard", false),
    ("pkg:apk/alpine/a@1", "alpine-3.18.2", "edge", true),
    ("pkg:apk/alpaquita/a@1", "alpaquita-23", "stream", true),
    ("pkg:apk/alpaquita/a@1", "alpaquita-stream", "stream", false),
    ("pkg:apk/alpine/a@1", "3.23.0_alpha20250612", "edge", false),
    (
        "pkg:rpm/rocky/a@1",
        "rocky-8.9",
        "rocky-linux-9-s390x",
        true,
    ),
    (
        "pkg:rpm/rocky/a@1",
        "rocky-9.2",
        "rocky-linux-9-s390x",
        false,
    ),
    ("pkg:deb/debian/a@1", "debian-12", "ubuntu-22.04", false),
    ("pkg:deb/ubuntu/a@1", "ubuntu-22.04", "ubuntu-22.10", true),
    ("pkg:deb/ubuntu/a@1", "jammy", "ubuntu-22.04.3", false),
    ("pkg:apk/alpine/a@1", "alpine-3.19", "alpine-3.20.1", true),
    ("pkg:apk/alpine/a@1", "alpine-3.19", "v3.19.4", false),
    ("pkg:apk/alpine/a@1", "alpine-3", "alpine-3.19", false),
    ("pkg:rpm/redhat/a@1", "rhel-9", "rhel-9.4", false),
    ("pkg:rpm/redhat/a@1", "rhel-9.4", "rhel-8.10", true),
    ("pkg:rpm/suse/a@1", "suse-15.4", "suse-15.5", true),
    ("pkg:rpm/suse/a@1", "suse-15.5", "suse-15", false),
    (
        "pkg:rpm/opensuse/a@1",
        "opensuse-tumbleweed-20250101",
        "opensuse-leap-15.5",
        true,
    ),
    (
        "pkg:rpm/opensuse-tumbleweed/a@1",
        "opensuse-tumbleweed-20250101",
        "opensuse-leap-15.5",
        true,
    ),
    (
        "pkg:rpm/opensuse-microos/a@1",
        "opensuse-microos-20250101",
        "opensuse-leap-15.5",
        true,
    ),
    (
        "pkg:rpm/opensuse-microos/a@1",
        "opensuse-microos-20250101",
        "opensuse-tumbleweed",
        false,
    ),
    (
        "pkg:rpm/opensuse/a@1",
        "opensuse-leap-micro-5.5",
        "opensuse-leap-15.5",
        true,
    ),
    ("pkg:rpm/suse/a@1", "sle-micro-5.5", "sles-15.5", true),
    ("pkg:rpm/suse/a@1", "sles_sap-15.5", "sled-15.5", false),
    ("pkg:rpm/openeuler/a@1", "openeuler-22.03", "24.03", true),
    ("pkg:rpm/photon/a@1", "photon-4.0", "photon-5.0", true),
];

#[test]
fn a_release_is_another_only_by_its_number() {
    for &(package, one, other, expected) in RELEASES_OF {
        assert_eq!(
            purl(package).is_other_release(one, other),
            expected,
            "{one} {other}"
        );
        assert_eq!(
            purl(package).is_other_release(other, one),
            expected,
            "{one} {other}"
        );
    }
}

/// What is said of one of them clears nothing of another.
#[test]
fn distributions_of_one_vendor_are_told_apart() {
    for (one, other) in [
        ("opensuse-tumbleweed/a@1", "opensuse-leap/a@1"),
        (
            "opensuse-tumbleweed/a@1",
            "opensuse/a@1?distro=opensuse-leap-15.6",
        ),
        (
            "opensuse-tumbleweed/a@1",
            "opensuse/a@1?distro=opensuse-15.6",
        ),
        ("opensuse/a@1?distro=tumbleweed", "opensuse-leap/a@1"),
        (
            "opensuse/a@1?distro=opensuse-tumbleweed-20250101",
            "opensuse.leap/a@1",
        ),
        ("opensuse-microos/a@1", "opensuse-leap-micro/a@1"),
        ("opensuse-leap-micro/a@1", "opensuse-leap/a@1"),
        (
            "opensuse-leap-micro/a@1?distro=opensuse-leap-micro-5.5",
            "opensuse-leap/a@1",
        ),
        ("sle-micro/a@1", "sles/a@1"),
        ("sl-micro/a@1", "suse/a@1?distro=sles-15.5"),
        ("suse/a@1?distro=sle-micro-5.5", "sled/a@1"),
        ("sles/a@1", "opensuse-leap/a@1"),
    ] {
        let (one, other) = (format!("pkg:rpm/{one}"), format!("pkg:rpm/{other}"));
        assert!(!purl(&one).is_same_package(&purl(&other)), "{one} {other}");
        assert!(!purl(&other).is_same_package(&purl(&one)), "{one} {other}");
        let named = purl(&one).other_packages();
        let plain = purl(&other);
        assert!(
            plain.distribution().is_some() || !named.contains(&plain.package_key().into_owned()),
            "{one} {other}"
        );
    }
}

#[test]
fn a_distribution_has_several_names() {
    let rocky = purl("pkg:rpm/rocky/a@1-1");
    assert_eq!(rocky.other_packages(), ["pkg:rpm/rocky-linux/a"]);
    assert!(rocky.is_same_version(&purl("pkg:rpm/rocky-linux/a@1-1")));
    for other in [
        "pkg:rpm/rocky-linux/b@1-1",
        "pkg:rpm/rocky-linux/a@1-2",
        "pkg:rpm/alma/a@1-1",
    ] {
        assert!(!rocky.is_same_version(&purl(other)), "{other}");
    }
    for (one, other) in [
        ("pkg:rpm/opensuse/a@1-1", "pkg:rpm/opensuse.leap/a@1-1"),
        ("pkg:rpm/sles/a@1-1", "pkg:rpm/suse/a@1-1"),
        ("pkg:rpm/sled/a@1-1", "pkg:rpm/suse/a@1-1?distro=suse-15.5"),
        ("pkg:rpm/sles_sap/a@1-1", "pkg:rpm/sle_hpc/a@1-1"),
        ("pkg:rpm/sle-micro/a@1-1", "pkg:rpm/suse/a@1-1"),
        (
            "pkg:rpm/sle-micro/a@1-1",
            "pkg:rpm/suse/a@1-1?distro=sle-micro-5.5",
        ),
        (
            "pkg:rpm/opensuse-leap-micro/a@1-1",
            "pkg:rpm/opensuse/a@1-1",
        ),
        (
            "pkg:rpm/opensuse-microos/a@1-1",
            "pkg:rpm/opensuse/a@1-1?distro=opensuse-tumbleweed",
        ),
        (
            "pkg:rpm/opensuse-tumbleweed/a@1-1?distro=opensuse-tumbleweed-20250101",
            "pkg:rpm/opensuse/a@1-1?distro=opensuse-tumbleweed",
        ),
        ("pkg:rpm/azurelinux/a@1-1", "pkg:rpm/cbl-mariner/a@1-1"),
        ("pkg:rpm/mariner/a@1-1", "pkg:rpm/azure-linux/a@1-1"),
    ] {
        assert!(purl(one).is_same_version(&purl(other)), "{other}");
    }
    assert_eq!(purl("pkg:npm/rocky/a@1").other_packages(), [""; 0]);
    assert_eq!(
        purl("pkg:rpm/opensuse-tumbleweed/a@1").other_packages(),
        [
            "pkg:rpm/opensuse/a",
            "pkg:rpm/opensuse-microos/a",
            "pkg:rpm/opensuse.tumbleweed/a"
        ]
    );
}

#[test]
fn what_lies_in_a_repository_has_the_names_of_that() {
    let swift = purl("pkg:swift/github.com/Own/Lib@1");
    assert_eq!(swift.other_packages(), ["pkg:swift/github.com/own/lib"]);
    let lower = purl("pkg:swift/github.com/own/lib@1");
    assert_eq!(lower.other_packages(), [""; 0]);
    let action = purl("pkg:githubactions/Own/act@v1.2.3");
    assert_eq!(action.other_packages(), ["pkg:github/own/act"]);
    assert!(action.is_same_version(&purl("pkg:github/own/act@1.2.3")));
    assert!(!action.is_same_version(&purl("pkg:github/own/other@1.2.3")));
}

#[test]
fn an_image_of_a_distribution_has_its_release() {
    for (image, release) in [
        ("pkg:docker/debian@bookworm-slim", Some("12")),
        ("pkg:docker/ubuntu@jammy", Some("22.04")),
        ("pkg:docker/ubuntu@bookworm", None),
        ("pkg:docker/debian@12-slim", None),
        ("pkg:deb/debian/debian@bookworm", None),
    ] {
        assert_eq!(purl(image).release_of_image(), release, "{image}");
    }
}

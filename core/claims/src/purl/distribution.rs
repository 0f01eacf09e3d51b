//! Distributions and their releases, which tools name in different ways: what one tool says of a
//! package is about what another has.

use super::{Purl, golang};
use std::borrow::Cow;

/// Distributions that have several names as namespaces.
const VENDORS: [&[&str]; 8] = [
    &["almalinux", "alma"],
    &["amazon", "amzn"],
    &["azurelinux", "cbl-mariner", "mariner"],
    &["opensuse", "opensuse-leap", "opensuse.leap"],
    &["oracle", "ol", "oraclelinux"],
    &["redhat", "rhel"],
    &["rocky", "rocky-linux"],
    &["suse", "sles"],
];

/// Distributions, by the first of their names, whose minor releases are all of one major one, of
/// which their advisories speak.
const OF_MAJOR: [&str; 5] = ["almalinux", "centos", "oracle", "redhat", "rocky"];

/// Names of releases, with their distributions and numbers.
const RELEASES: [(&str, &str, &str); 26] = [
    ("debian", "bookworm", "12"),
    ("debian", "bullseye", "11"),
    ("debian", "buster", "10"),
    ("debian", "duke", "15"),
    ("debian", "forky", "14"),
    ("debian", "jessie", "8"),
    ("debian", "stretch", "9"),
    ("debian", "trixie", "13"),
    ("debian", "unstable", "sid"),
    ("debian", "wheezy", "7"),
    ("ubuntu", "bionic", "18.04"),
    ("ubuntu", "focal", "20.04"),
    ("ubuntu", "groovy", "20.10"),
    ("ubuntu", "hirsute", "21.04"),
    ("ubuntu", "impish", "21.10"),
    ("ubuntu", "jammy", "22.04"),
    ("ubuntu", "kinetic", "22.10"),
    ("ubuntu", "lunar", "23.04"),
    ("ubuntu", "mantic", "23.10"),
    ("ubuntu", "noble", "24.04"),
    ("ubuntu", "oracular", "24.10"),
    ("ubuntu", "plucky", "25.04"),
    ("ubuntu", "questing", "25.10"),
    ("ubuntu", "resolute", "26.04"),
    ("ubuntu", "trusty", "14.04"),
    ("ubuntu", "xenial", "16.04"),
];

/// Distributions, by the first of their names, with the releases that have no number.
const ROLLING: [(&str, &str); 3] = [
    ("alpine", "edge"),
    ("debian", "sid"),
    ("opensuse", "tumbleweed"),
];

/// The first of Debian's releases that may still be made of its rolling one.
const DEBIAN_TO_COME: u32 = 14;

/// All names of a distribution.
fn names(vendor: &str) -> &'static [&'static str] {
    let mut all = VENDORS.into_iter();
    all.find(|names| names.contains(&vendor))
        .unwrap_or_default()
}

impl Purl {
    /// The package under the other names of its distribution, as the index has them; an action of
    /// GitHub's is its repository, Go itself is its standard library, and a package of Swift is
    /// what it is in lower case, if it is a repository of GitHub.
    pub fn other_packages(&self) -> Vec<String> {
        if self.ty() == "swift" {
            let lower = self.without_case().package_key().into_owned();
            let is_other = lower != self.package_key();
            return is_other.then_some(lower).into_iter().collect();
        }
        let mut types = [("github", "githubactions"), ("githubactions", "github")].into_iter();
        if let Some((_, other)) = types.find(|(ty, _)| *ty == self.ty()) {
            let mut parts = self.components();
            parts.ty = other.to_owned();
            let other = Purl::build(parts).ok();
            return other
                .map(|purl| purl.package_key().into_owned())
                .into_iter()
                .collect();
        }
        if let Some(other) = golang::other_name(self) {
            let mut parts = self.components();
            parts.name = other.to_owned();
            let other = Purl::build(parts).ok();
            return other
                .map(|purl| purl.package_key().into_owned())
                .into_iter()
                .collect();
        }
        let vendor = self.namespace().filter(|_| self.ty() == "rpm");
        let Some(vendor) = vendor else {
            return Vec::new();
        };
        let others = names(vendor).iter().filter(|name| **name != vendor);
        let named = others.filter_map(|name| {
            let mut parts = self.components();
            parts.namespace = Some((*name).to_owned());
            Purl::build(parts).ok()
        });
        named.map(|purl| purl.package_key().into_owned()).collect()
    }

    /// Whether two values of the qualifier `distro` name one release of this package's
    /// distribution: by its name or its number, with the distribution in front or without.
    fn is_same_release(&self, one: &str, other: &str) -> bool {
        let vendor = self.namespace().unwrap_or_default();
        one == other || release(vendor, one) == release(vendor, other)
    }

    /// Whether a release of this package's distribution is the one that is stated, or is of the
    /// major one that is: `rhel-9.4` is of `rhel-9`, and not the other way round.
    pub fn is_of_release(&self, ours: &str, stated: &str) -> bool {
        if self.is_same_release(ours, stated) {
            return true;
        }
        let vendor = self.namespace().unwrap_or_default();
        let first = names(vendor).first().unwrap_or(&vendor);
        let (ours, stated) = (release(vendor, ours), release(vendor, stated));
        let minor = ours.strip_prefix(&*stated);
        OF_MAJOR.contains(first)
            && stated.parse::<u32>().is_ok()
            && minor.is_some_and(|rest| rest.starts_with('.'))
    }

    /// Whether two values of the qualifier `distro` surely name different releases of this
    /// package's distribution: by their numbers, or as one of them has none and goes on for ever.
    /// Of names that are not known it cannot be told.
    pub fn is_other_release(&self, one: &str, other: &str) -> bool {
        let vendor = self.namespace().unwrap_or_default();
        match (number(vendor, one), number(vendor, other)) {
            (Some(one), Some(other)) => one != other,
            (None, Some(_)) => is_rolling(vendor, one) && is_past(vendor, other),
            (Some(_), None) => is_rolling(vendor, other) && is_past(vendor, one),
            (None, None) => false,
        }
    }

    /// Whether the qualifier `distro` names a release that can be told from others of this
    /// package's distribution.
    pub fn has_known_release(&self) -> bool {
        let vendor = self.namespace().unwrap_or_default();
        self.distribution()
            .is_some_and(|stated| number(vendor, stated).is_some() || is_rolling(vendor, stated))
    }

    /// The number of the release that a tag of a distribution's image names: of
    /// `pkg:docker/debian@bookworm-slim` it is 12.
    pub(crate) fn release_of_image(&self) -> Option<&'static str> {
        let of_image = ["docker", "oci"].contains(&self.ty());
        let tag = self.version().filter(|_| of_image)?;
        let named = tag.split('-').next()?;
        let mut releases = RELEASES.iter();
        let known = releases.find(|it| it.0 == self.name() && it.1 == named);
        known.map(|(_, _, number)| *number)
    }

    /// The value of the qualifier `distro`, which names a release of a distribution.
    pub fn distribution(&self) -> Option<&str> {
        self.qualifier("distro")
    }
}

/// The parts of the number of a release that tell it from others, if it has so many. What comes
/// after the number, and the stream before a slash, do not count: `esm-infra/xenial` is of 16.04,
/// and `rocky-linux-9-x86-64` of 9.
fn number(vendor: &str, stated: &str) -> Option<Vec<u32>> {
    let first = names(vendor).first().unwrap_or(&vendor);
    let parts = match *first {
        "alpine" | "openeuler" | "opensuse" | "suse" | "ubuntu" => 2,
        _ => 1,
    };
    stated.rsplit('/').find_map(|name| {
        let stated = release(vendor, name);
        // Such as `noble-updates`: what follows a name is a part of the archive.
        let bare = release(vendor, stated.split('-').next()?);
        let numbers = bare.split('.').map(|part| part.parse::<u32>().ok());
        let numbers = numbers.take(parts).collect::<Option<Vec<u32>>>()?;
        (numbers.len() == parts).then_some(numbers)
    })
}

/// Whether a release has no number, and never gets one.
fn is_rolling(vendor: &str, stated: &str) -> bool {
    let first = names(vendor).first().unwrap_or(&vendor);
    let release = release(vendor, stated);
    // A day may follow: `tumbleweed-20240101`.
    let bare = release.split('-').next().unwrap_or_default();
    let mut rolling = ROLLING.iter();
    rolling.any(|(vendor, name)| vendor == first && *name == bare)
}

/// Whether a release that has a number is surely not made of the rolling one any more.
fn is_past(vendor: &str, stated: &str) -> bool {
    match vendor {
        "debian" => number(vendor, stated) < Some(vec![DEBIAN_TO_COME]),
        // Such as 3.23.0_alpha20250612.
        _ => !stated.contains('_'),
    }
}

/// The number of a release, as far as packages are of it: Debian and Alpine publish newer media of
/// one release.
fn release<'a>(vendor: &str, stated: &'a str) -> Cow<'a, str> {
    let lower = stated.to_ascii_lowercase();
    let known = names(vendor).iter().copied().chain([vendor]);
    let bare = known.filter_map(|name| lower.strip_prefix(name)?.strip_prefix('-'));
    let bare = bare.min_by_key(|rest| rest.len()).unwrap_or(&lower);
    let mut releases = RELEASES.iter();
    if let Some((_, _, number)) = releases.find(|it| it.0 == vendor && it.1 == bare) {
        return Cow::Borrowed(number);
    }
    let bare = match bare.strip_prefix('v') {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => number,
        _ => bare,
    };
    let kept = match vendor {
        "debian" => 1,
        "alpine" => 2,
        _ => usize::MAX,
    };
    Cow::Owned(bare.split('.').take(kept).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
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
            ("pkg:rpm/azurelinux/a@1-1", "pkg:rpm/cbl-mariner/a@1-1"),
        ] {
            assert!(purl(one).is_same_version(&purl(other)), "{other}");
        }
        assert_eq!(purl("pkg:npm/rocky/a@1").other_packages(), [""; 0]);
        let action = purl("pkg:githubactions/Own/act@v1.2.3");
        assert_eq!(action.other_packages(), ["pkg:github/own/act"]);
        let swift = purl("pkg:swift/github.com/Own/Lib@1");
        assert_eq!(swift.other_packages(), ["pkg:swift/github.com/own/lib"]);
        let lower = purl("pkg:swift/github.com/own/lib@1");
        assert_eq!(lower.other_packages(), [""; 0]);
        assert!(action.is_same_version(&purl("pkg:github/own/act@1.2.3")));
        assert!(!action.is_same_version(&purl("pkg:github/own/other@1.2.3")));
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
}

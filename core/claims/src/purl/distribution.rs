//! Distributions and their releases, which tools name in different ways: what one tool says of a
//! package is about what another has.

use super::Purl;
use std::borrow::Cow;

/// Distributions that have several names as namespaces.
const VENDORS: [&[&str]; 5] = [
    &["almalinux", "alma"],
    &["amazon", "amzn"],
    &["oracle", "ol", "oraclelinux"],
    &["redhat", "rhel"],
    &["rocky", "rocky-linux"],
];

/// Distributions, by the first of their names, whose minor releases are all of one major one, of
/// which their advisories speak.
const OF_MAJOR: [&str; 5] = ["almalinux", "centos", "oracle", "redhat", "rocky"];

/// Names of releases, with their distributions and numbers.
const RELEASES: [(&str, &str, &str); 19] = [
    ("debian", "bookworm", "12"),
    ("debian", "bullseye", "11"),
    ("debian", "buster", "10"),
    ("debian", "forky", "14"),
    ("debian", "jessie", "8"),
    ("debian", "stretch", "9"),
    ("debian", "trixie", "13"),
    ("debian", "wheezy", "7"),
    ("ubuntu", "bionic", "18.04"),
    ("ubuntu", "focal", "20.04"),
    ("ubuntu", "jammy", "22.04"),
    ("ubuntu", "lunar", "23.04"),
    ("ubuntu", "mantic", "23.10"),
    ("ubuntu", "noble", "24.04"),
    ("ubuntu", "oracular", "24.10"),
    ("ubuntu", "plucky", "25.04"),
    ("ubuntu", "questing", "25.10"),
    ("ubuntu", "trusty", "14.04"),
    ("ubuntu", "xenial", "16.04"),
];

/// All names of a distribution.
fn names(vendor: &str) -> &'static [&'static str] {
    let mut all = VENDORS.into_iter();
    all.find(|names| names.contains(&vendor))
        .unwrap_or_default()
}

impl Purl {
    /// The package under the other names of its distribution, as the index has them.
    pub fn other_packages(&self) -> Vec<String> {
        let parts = self.components();
        let vendor = parts.namespace.as_deref().filter(|_| parts.ty == "rpm");
        let Some(vendor) = vendor else {
            return Vec::new();
        };
        let others = names(vendor).iter().filter(|name| **name != vendor);
        let named = others.filter_map(|name| {
            let mut parts = parts.clone();
            parts.namespace = Some((*name).to_owned());
            Purl::build(parts).ok()
        });
        named.map(|purl| purl.package_key().into_owned()).collect()
    }

    /// Whether two values of the qualifier `distro` name one release of this package's
    /// distribution: by its name or its number, with the distribution in front or without.
    fn is_same_release(&self, one: &str, other: &str) -> bool {
        let vendor = self.components().namespace.as_deref().unwrap_or_default();
        one == other || release(vendor, one) == release(vendor, other)
    }

    /// Whether a release of this package's distribution is the one that is stated, or is of the
    /// major one that is: `rhel-9.4` is of `rhel-9`, and not the other way round.
    pub fn is_of_release(&self, ours: &str, stated: &str) -> bool {
        if self.is_same_release(ours, stated) {
            return true;
        }
        let vendor = self.components().namespace.as_deref().unwrap_or_default();
        let first = names(vendor).first().unwrap_or(&vendor);
        let (ours, stated) = (release(vendor, ours), release(vendor, stated));
        let minor = ours.strip_prefix(&*stated);
        OF_MAJOR.contains(first)
            && stated.parse::<u32>().is_ok()
            && minor.is_some_and(|rest| rest.starts_with('.'))
    }

    /// Whether two values of the qualifier `distro` surely name different releases of this
    /// package's distribution: by their numbers. Of names that are not known it cannot be told.
    pub fn is_other_release(&self, one: &str, other: &str) -> bool {
        let vendor = self.components().namespace.as_deref().unwrap_or_default();
        let parts = match vendor {
            "alpine" | "ubuntu" => 2,
            _ => 1,
        };
        match (number(vendor, one, parts), number(vendor, other, parts)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        }
    }

    /// The value of the qualifier `distro`, which names a release of a distribution.
    pub fn distribution(&self) -> Option<&str> {
        self.qualifier("distro")
    }
}

/// The first parts of the number of a release, if it has one of so many.
fn number(vendor: &str, stated: &str, parts: usize) -> Option<Vec<u32>> {
    let release = release(vendor, stated);
    let numbers = release.split('.').map(|part| part.parse::<u32>().ok());
    let numbers = numbers.take(parts).collect::<Option<Vec<u32>>>()?;
    (numbers.len() == parts).then_some(numbers)
}

/// The number of a release, as far as packages are of it: Debian and Alpine publish newer media of
/// one release.
fn release<'a>(vendor: &str, stated: &'a str) -> Cow<'a, str> {
    let lower = stated.to_ascii_lowercase();
    let known = names(vendor).iter().copied().chain([vendor]);
    let mut bare = known.filter_map(|name| lower.strip_prefix(name)?.strip_prefix('-'));
    let bare = bare.next().unwrap_or(&lower);
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

    #[test]
    fn a_release_is_another_only_by_its_number() {
        for (package, one, other, expected) in [
            ("pkg:deb/debian/a@1", "debian-12", "debian-11", true),
            ("pkg:deb/debian/a@1", "bookworm", "11", true),
            ("pkg:deb/debian/a@1", "debian-12", "debian-12.4", false),
            ("pkg:deb/debian/a@1", "debian-12", "sid", false),
            ("pkg:deb/debian/a@1", "debian-12", "ubuntu-22.04", false),
            ("pkg:deb/ubuntu/a@1", "ubuntu-22.04", "ubuntu-22.10", true),
            ("pkg:deb/ubuntu/a@1", "jammy", "ubuntu-22.04.3", false),
            ("pkg:apk/alpine/a@1", "alpine-3.19", "alpine-3.20.1", true),
            ("pkg:apk/alpine/a@1", "alpine-3.19", "v3.19.4", false),
            ("pkg:apk/alpine/a@1", "alpine-3", "alpine-3.19", false),
            ("pkg:rpm/redhat/a@1", "rhel-9", "rhel-9.4", false),
            ("pkg:rpm/redhat/a@1", "rhel-9.4", "rhel-8.10", true),
        ] {
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
        assert_eq!(purl("pkg:npm/rocky/a@1").other_packages(), [""; 0]);
    }
}

//! Distributions and their releases, which tools name in different ways: what one tool says of a
//! package is about what another has.

use super::{Purl, action, golang};
use crate::order::are_digits;
use std::borrow::Cow;

/// Distributions that have several names as namespaces. Under the first one all are meant; those
/// of [`APART`] are told from each other.
const VENDORS: [&[&str]; 8] = [
    &["almalinux", "alma"],
    &["amazon", "amzn"],
    &["azurelinux", "azure-linux", "cbl-mariner", "mariner"],
    &[
        "opensuse",
        "opensuse-leap",
        "opensuse-leap-micro",
        "opensuse-microos",
        "opensuse-tumbleweed",
        "opensuse.leap",
        "opensuse.tumbleweed",
    ],
    &["oracle", "ol", "oraclelinux"],
    &["redhat", "rhel"],
    &["rocky", "rocky-linux"],
    &[
        "suse",
        "sl-micro",
        "sle-micro",
        "sle_hpc",
        "sled",
        "sles",
        "sles_sap",
    ],
];

/// Names in a row of [`VENDORS`] that are of distributions of their own: what is said of Leap is
/// not said of Tumbleweed. MicroOS is made of Tumbleweed's packages; the desktop, the server, and
/// what is sold for SAP and for large machines, of those of one release, which has one number.
const APART: [&[&str]; 5] = [
    &["opensuse-leap", "opensuse.leap"],
    &["opensuse-leap-micro"],
    &[
        "opensuse-tumbleweed",
        "opensuse-microos",
        "opensuse.tumbleweed",
    ],
    &["sle-micro", "sl-micro"],
    &["sles", "sle_hpc", "sled", "sles_sap"],
];

/// Distributions of [`APART`] that a release is of which is stated with a number, and by the first
/// of the names.
const NUMBERED: [(&str, &str); 2] = [("opensuse", "opensuse-leap"), ("suse", "sles")];

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
const ROLLING: [(&str, &str); 6] = [
    ("alpaquita", "stream"),
    ("alpine", "edge"),
    ("bellsoft-hardened-containers", "stream"),
    ("debian", "sid"),
    ("opensuse", "microos"),
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

/// Which of the distributions of [`APART`] a name is of, by its first name.
fn apart(name: &str) -> Option<&'static str> {
    let mut all = APART.into_iter();
    let names = all.find(|names| names.contains(&name))?;
    names.first().copied()
}

impl Purl {
    /// Which of the distributions of [`APART`] it is a package of: that which its release is named
    /// after, else its namespace, else its release. `None` if nothing says it, and where a
    /// distribution is not told from others.
    fn of_distribution(&self) -> Option<&'static str> {
        let vendor = self.namespace().filter(|_| self.ty() == "rpm")?;
        let first = names(vendor).first()?;
        let stated = self.distribution().unwrap_or_default().to_ascii_lowercase();
        let named = names(vendor).iter().filter(|name| {
            let rest = stated.strip_prefix(**name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        let named = named.max_by_key(|name| name.len());
        let by_name = named.and_then(|name| apart(name)).or_else(|| apart(vendor));
        by_name.or_else(|| {
            if is_rolling(vendor, &stated) {
                return apart("opensuse-tumbleweed");
            }
            let mut numbered = NUMBERED.into_iter();
            let (_, name) = numbered.find(|(vendor, _)| vendor == first)?;
            number(vendor, &stated).map(|_| name)
        })
    }

    /// Whether both are, for all that they say, of one distribution of a vendor that has several.
    pub(super) fn may_be_of_one_distribution(&self, other: &Purl) -> bool {
        let both = self.of_distribution().zip(other.of_distribution());
        both.is_none_or(|(one, other)| one == other)
    }

    /// The package under the other names of its distribution, as the index has them; an action of
    /// GitHub's is its repository, Go itself is its standard library, and a package of Swift is
    /// what it is in lower case, if it is a repository of GitHub.
    pub fn other_packages(&self) -> Vec<String> {
        if self.ty() == "swift" {
            let lower = self.without_case().package_key().into_owned();
            let is_other = lower != self.package_key();
            return is_other.then_some(lower).into_iter().collect();
        }
        if action::is_one(self) {
            return action::other_packages(self);
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
        let ours = self.of_distribution();
        let others = names(vendor).iter().filter(|name| {
            let both = ours.zip(apart(name));
            **name != vendor && both.is_none_or(|(one, other)| one == other)
        });
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
    /// major one that is: `rhel-9.4` is of `rhel-9`, and not the other way round. Of one without a
    /// number there are days: `opensuse-tumbleweed-20250101` is of `opensuse-tumbleweed`.
    pub fn is_of_release(&self, ours: &str, stated: &str) -> bool {
        if self.is_same_release(ours, stated) {
            return true;
        }
        let vendor = self.namespace().unwrap_or_default();
        let first = names(vendor).first().unwrap_or(&vendor);
        let (ours, stated) = (release(vendor, ours), release(vendor, stated));
        let minor = ours.strip_prefix(&*stated);
        let day = minor.and_then(|rest| rest.strip_prefix('-'));
        if is_rolling(vendor, &stated) && day.is_some_and(are_digits) {
            return true;
        }
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

    /// The value of the qualifier that names a release of a distribution.
    pub fn distribution(&self) -> Option<&str> {
        RELEASE.iter().find_map(|key| self.qualifier(key))
    }

    /// Whether a qualifier of another purl names the distribution that this package is of, or the
    /// release of it.
    pub fn is_of_system(&self, key: &str, stated: &str) -> bool {
        if key == VENDOR {
            let ours = self.namespace().unwrap_or_default();
            return ours == stated || names(ours).contains(&stated);
        }
        let ours = self.distribution().filter(|_| RELEASE.contains(&key));
        ours.is_some_and(|ours| self.is_of_release(ours, stated))
    }
}

/// The qualifiers that name a release of a distribution; the first that there is counts. The later
/// ones are those of Docker Scout: `os_distro=bookworm&os_name=debian&os_version=12`.
const RELEASE: [&str; 3] = ["distro", "os_version", "os_distro"];

/// The qualifier that names the distribution, where others name its release.
const VENDOR: &str = "os_name";

/// Distributions that have no releases: what stands there is their name, or the day of a build.
const WITHOUT_RELEASES: [&str; 3] = ["arch", "chainguard", "wolfi"];

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

/// The number of a release, as far as packages are of it: Debian, Alpine and others publish newer
/// media of one release.
fn release<'a>(vendor: &str, stated: &'a str) -> Cow<'a, str> {
    let lower = stated.to_ascii_lowercase();
    let known = names(vendor).iter().copied().chain([vendor]);
    // The name of what has no number is the name of its release.
    let known = known.filter(|name| ROLLING.iter().all(|(_, rolling)| !name.ends_with(rolling)));
    let bare = known.filter_map(|name| lower.strip_prefix(name)?.strip_prefix(['-', '.']));
    let bare = bare.min_by_key(|rest| rest.len()).unwrap_or(&lower);
    // Of Amazon Linux, Trivy has `2 (Karoo)`. A name of several words is one name.
    let bare = match bare.split([' ', '+', '(']).next() {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => number,
        _ => bare,
    };
    if WITHOUT_RELEASES.contains(&vendor) && (bare == vendor || are_digits(bare)) {
        return Cow::Borrowed("");
    }
    let mut releases = RELEASES.iter();
    if let Some((_, _, number)) = releases.find(|it| it.0 == vendor && it.1 == bare) {
        return Cow::Borrowed(number);
    }
    let bare = match bare.strip_prefix('v') {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => number,
        _ => bare,
    };
    let first = names(vendor).first().unwrap_or(&vendor);
    let kept = match *first {
        "amazon" | "azurelinux" | "debian" | "photon" => 1,
        "alpine" => 2,
        _ => usize::MAX,
    };
    Cow::Owned(bare.split('.').take(kept).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests;

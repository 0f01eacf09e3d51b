//! Packages as OSV names them (OSV schema, "affected[].package"), as purls.

use assay_claims::purl::{Components, Purl};

/// OSV's ecosystems whose packages have a purl type, with the type and, for those of distributions,
/// the namespace.
const ECOSYSTEMS: [(&str, &str, Option<&str>); 38] = [
    ("crates.io", "cargo", None),
    ("npm", "npm", None),
    ("PyPI", "pypi", None),
    ("Go", "golang", None),
    ("Maven", "maven", None),
    ("RubyGems", "gem", None),
    ("NuGet", "nuget", None),
    ("Packagist", "composer", None),
    ("Hex", "hex", None),
    ("Pub", "pub", None),
    ("Hackage", "hackage", None),
    ("CRAN", "cran", None),
    ("SwiftURL", "swift", None),
    ("ConanCenter", "conan", None),
    ("Debian", "deb", Some("debian")),
    ("Ubuntu", "deb", Some("ubuntu")),
    ("Alpine", "apk", Some("alpine")),
    ("Wolfi", "apk", Some("wolfi")),
    ("Chainguard", "apk", Some("chainguard")),
    ("Red Hat", "rpm", Some("redhat")),
    ("AlmaLinux", "rpm", Some("almalinux")),
    ("Rocky Linux", "rpm", Some("rocky-linux")),
    ("openSUSE", "rpm", Some("opensuse")),
    ("SUSE", "rpm", Some("suse")),
    ("openEuler", "rpm", Some("openeuler")),
    ("Mageia", "rpm", Some("mageia")),
    ("Photon OS", "rpm", Some("photon")),
    ("Azure Linux", "rpm", Some("azurelinux")),
    ("Alpaquita", "apk", Some("alpaquita")),
    (
        "BellSoft Hardened Containers",
        "apk",
        Some("bellsoft-hardened-containers"),
    ),
    ("MinimOS", "apk", Some("minimos")),
    ("Echo", "deb", Some("echo")),
    ("GitHub Actions", "githubactions", None),
    ("Bitnami", "bitnami", None),
    ("Bioconductor", "bioconductor", None),
    ("Julia", "julia", None),
    ("opam", "opam", None),
    ("VSCode", "vscode-extension", None),
];

/// Distributions of which advisories and packages name releases by the same numbers. What others
/// have after the colon is a product or a stream of it.
const RELEASED: [&str; 5] = ["Debian", "Ubuntu", "Alpine", "AlmaLinux", "Rocky Linux"];

/// The release of a distribution that an ecosystem names after a colon, as the qualifier `distro`
/// has it: `Ubuntu:Pro:22.04:LTS` is `ubuntu-22.04`.
fn release(ecosystem: &str) -> Option<String> {
    let (base, suffix) = ecosystem.split_once(':')?;
    let mut known = ECOSYSTEMS.into_iter();
    let (_, _, vendor) = known.find(|(known, _, _)| *known == base)?;
    let vendor = vendor.filter(|_| RELEASED.contains(&base))?;
    let mut numbers = suffix
        .split(':')
        .map(|part| part.strip_prefix('v').unwrap_or(part));
    let number = numbers.find(|part| part.starts_with(|c: char| c.is_ascii_digit()))?;
    // What packages of Rocky Linux call it.
    let vendor = vendor.strip_suffix("-linux").unwrap_or(vendor);
    Some(format!("{vendor}-{number}"))
}

/// The same package of the release that an ecosystem names, unless it names one itself: each
/// release has versions with fixes of its own.
pub(super) fn of_release(purl: Purl, ecosystem: &str) -> Purl {
    let Some(release) = release(ecosystem).filter(|_| purl.distribution().is_none()) else {
        return purl;
    };
    let mut parts = purl.components().clone();
    parts.qualifiers.push(("distro".to_owned(), release));
    Purl::build(parts).unwrap_or(purl)
}

/// The purl of a package of an ecosystem, which may go on after a colon with a release
/// ([`of_release`]). `None` if the ecosystem's packages have no purl that is known here.
pub(super) fn purl(ecosystem: &str, name: &str, version: Option<&str>) -> Option<Purl> {
    let base = ecosystem.split(':').next()?;
    let mut known = ECOSYSTEMS.into_iter();
    let (_, ty, distribution) = known.find(|(known, _, _)| *known == base)?;
    let separator = if ty == "maven" { ':' } else { '/' };
    let (namespace, name) = match (distribution, name.rsplit_once(separator)) {
        (Some(distribution), _) => (Some(distribution), name),
        (None, Some((namespace, name))) => (Some(namespace), name),
        (None, None) => (None, name),
    };
    let version = match (ty, version) {
        // Of a Go module the v is a part of the version in purls, and none in OSV.
        ("golang", Some(version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(format!("v{version}"))
        }
        (_, version) => version.map(str::to_owned),
    };
    let purl = Purl::build(Components {
        ty: ty.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        version,
        ..Components::default()
    });
    Some(of_release(purl.ok()?, ecosystem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_ecosystems_have_purls() {
        for (ecosystem, name, version, expected) in [
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
        ] {
            let purl = purl(ecosystem, name, version).unwrap();
            assert_eq!(purl.as_str(), expected);
        }
        assert_eq!(purl("Nowhere", "a", None), None);
        assert_eq!(purl("npm", "", None), None);
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
                "SUSE:Linux Enterprise Server 15 SP5",
                "a",
                None,
                "pkg:rpm/suse/a",
            ),
            ("openEuler:24.03-LTS", "a", None, "pkg:rpm/openeuler/a"),
            ("Photon OS:5.0", "a", None, "pkg:rpm/photon/a"),
            ("Azure Linux:3", "a", None, "pkg:rpm/azurelinux/a"),
            ("Mageia:9", "a", None, "pkg:rpm/mageia/a"),
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
}

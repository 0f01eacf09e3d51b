//! Packages as OSV names them (OSV schema, "affected[].package"), as purls.

use assay_claims::purl::{Components, Purl};

/// OSV's ecosystems whose packages have a purl type, with the type and, for those of distributions,
/// the namespace.
const ECOSYSTEMS: [(&str, &str, Option<&str>); 23] = [
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
];

/// Distributions whose releases are told apart by the qualifier `distro` of their packages. Of
/// others the packages are of newer minor releases than OSV names.
const RELEASED: [&str; 3] = ["Alpine", "Debian", "Ubuntu"];

/// The package in the release of its distribution that the ecosystem goes on with after a colon, if
/// it names one by its number: a version of one release says nothing of the version of another.
pub(super) fn in_release(purl: Purl, ecosystem: &str) -> Option<Purl> {
    let (base, rest) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
    let mut parts = rest
        .split(':')
        .map(|part| part.strip_prefix('v').unwrap_or(part));
    let number = parts.find(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let qualifiers = &purl.components().qualifiers;
    let is_told = qualifiers.iter().any(|(key, _)| key == "distro");
    let number = number.filter(|_| RELEASED.contains(&base) && !is_told);
    let Some(number) = number else {
        return Some(purl);
    };
    let mut components = purl.components().clone();
    let vendor = base.to_ascii_lowercase();
    let release = format!("{vendor}-{number}");
    components.qualifiers.push(("distro".to_owned(), release));
    Purl::build(components).ok()
}

/// The purl of a package of an ecosystem, which may go on after a colon with a release. `None` if the ecosystem's packages have no purl that is known here.
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
    in_release(purl.ok()?, ecosystem)
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
            ("Debian", "curl", None, "pkg:deb/debian/curl"),
            (
                "Ubuntu:Pro:22.04:LTS",
                "curl",
                None,
                "pkg:deb/ubuntu/curl?distro=ubuntu-22.04",
            ),
            (
                "Alpine:v3.19",
                "musl",
                None,
                "pkg:apk/alpine/musl?distro=alpine-3.19",
            ),
            ("AlmaLinux:9", "curl", None, "pkg:rpm/almalinux/curl"),
            ("crates.io", "serde", Some("1.0.0"), "pkg:cargo/serde@1.0.0"),
        ] {
            let purl = purl(ecosystem, name, version).unwrap();
            assert_eq!(purl.as_str(), expected);
        }
        let given = |text: &str| {
            let given = Purl::canonicalize(text).unwrap();
            in_release(given, "Debian:12").unwrap().as_str().to_owned()
        };
        let (told, untold) = ("?arch=source&distro=sid", "?arch=source");
        assert_eq!(
            given(&format!("pkg:deb/debian/a{untold}")),
            "pkg:deb/debian/a?arch=source&distro=debian-12"
        );
        assert!(given(&format!("pkg:deb/debian/a{told}")).ends_with(told));
        assert_eq!(purl("Nowhere", "a", None), None);
        assert_eq!(purl("npm", "", None), None);
    }
}

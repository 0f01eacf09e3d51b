//! Packages as OSV names them (OSV schema, "affected[].package"), as purls.

use assay_claims::kind::node::quoted;
use assay_claims::purl::{Components, Purl, place};

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

/// Distributions of which advisories and packages name releases by the same numbers, with what
/// packages call them.
const RELEASED: [(&str, &str); 13] = [
    ("Debian", "debian"),
    ("Ubuntu", "ubuntu"),
    ("Alpine", "alpine"),
    ("AlmaLinux", "almalinux"),
    ("Rocky Linux", "rocky"),
    ("Red Hat", "rhel"),
    ("openSUSE", "opensuse-leap"),
    ("SUSE", "suse"),
    ("openEuler", "openeuler"),
    ("Mageia", "mageia"),
    ("Photon OS", "photon"),
    ("Azure Linux", "azurelinux"),
    ("Alpaquita", "alpaquita"),
];

/// Products of Red Hat that are its distribution, as CPEs name them.
const RED_HAT: [&str; 6] = [
    "enterprise_linux",
    "rhel_aus",
    "rhel_e4s",
    "rhel_els",
    "rhel_eus",
    "rhel_tus",
];

/// The release of a distribution that an ecosystem names after a colon, as the qualifier `distro`
/// has it: `Ubuntu:Pro:22.04:LTS` is `ubuntu-22.04`. `None` if it names a product or a stream that
/// is of no one release.
fn release(ecosystem: &str) -> Option<String> {
    let (base, suffix) = ecosystem.split_once(':')?;
    let mut released = RELEASED.into_iter();
    let (_, name) = released.find(|(known, _)| *known == base)?;
    let number = match base {
        "Red Hat" => {
            let (product, number) = suffix.split_once(':')?;
            let number = number.split(':').next()?;
            RED_HAT.contains(&product).then(|| number.to_owned())?
        }
        "openSUSE" if suffix == "Tumbleweed" => return Some("opensuse-tumbleweed".to_owned()),
        "openSUSE" => suffix.strip_prefix("Leap ")?.to_owned(),
        "SUSE" => of_suse(suffix)?,
        "Alpine" if suffix == "edge" => return Some("alpine-edge".to_owned()),
        _ => {
            let parts = suffix.split(':');
            let mut bare = parts.map(|part| part.strip_prefix('v').unwrap_or(part));
            bare.find(|part| is_numbered(part))?.to_owned()
        }
    };
    // What comes after it, such as LTS, is no part of the number.
    let number = number.split('-').next()?;
    is_numbered(number).then(|| format!("{name}-{number}"))
}

fn is_numbered(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

/// The release that a product of SUSE is of: `Linux Enterprise Server 15 SP6` is of 15.6. Those
/// that are named without a service pack are of several, and Micro has numbers of its own.
fn of_suse(product: &str) -> Option<String> {
    let name = product.strip_prefix("Linux Enterprise ")?;
    let (name, number) = match name.rsplit_once(" SP") {
        Some((name, pack)) => {
            let (name, major) = name.rsplit_once(' ')?;
            (name, format!("{major}.{}", pack.split('-').next()?))
        }
        // From 16 on there are no service packs.
        None => {
            let (name, number) = name.rsplit_once(' ')?;
            (name, number.split('-').next()?.to_owned())
        }
    };
    let is_numeric = |part: &str| part.parse::<u32>().is_ok();
    let told = number.split_once('.');
    let told = told.is_some_and(|(major, minor)| is_numeric(major) && is_numeric(minor));
    (told && !name.starts_with("Micro")).then_some(number)
}

/// The same package of the release that an ecosystem names, unless it names one itself that is
/// known: each release has versions with fixes of its own.
pub(super) fn of_release(purl: Purl, ecosystem: &str) -> Purl {
    let Some(release) = release(ecosystem).filter(|_| !purl.has_known_release()) else {
        return purl;
    };
    let mut parts = purl.components();
    parts.qualifiers.retain(|(key, _)| key != "distro");
    parts.qualifiers.push(("distro".to_owned(), release));
    Purl::build(parts).unwrap_or(purl)
}

/// The purl of a package of an ecosystem, which may go on after a colon with a release
/// ([`of_release`]). `None` if the ecosystem's packages have no purl that is known here.
pub(super) fn purl(ecosystem: &str, name: &str, version: Option<&str>) -> Option<Purl> {
    purl_or_why(ecosystem, name, version).ok()
}

/// The same, or why there is none: of some ecosystems name and version are not enough, as packages
/// of Julia are told apart by their UUIDs.
pub(super) fn purl_or_why(
    ecosystem: &str,
    name: &str,
    version: Option<&str>,
) -> Result<Purl, String> {
    let base = ecosystem.split(':').next().unwrap_or_default();
    let mut known = ECOSYSTEMS.into_iter();
    let Some((_, ty, distribution)) = known.find(|(known, _, _)| *known == base) else {
        return Err("those of its ecosystem are not known here".to_owned());
    };
    // Packages of Swift are called by the addresses of their repositories.
    let repository = place(name).filter(|_| ty == "swift");
    let repository = repository.map(|(host, path)| format!("{host}{path}"));
    let name = repository.as_deref().unwrap_or(name);
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
    let purl = purl.map_err(|e| e.to_string())?;
    Ok(of_release(purl, ecosystem))
}

/// What people are told of a package that a document names without a purl that could be used.
pub(super) fn without_purl(ecosystem: &str, name: &str, why: &str) -> String {
    format!(
        "{} of {} has no package URL here, and nothing is claimed of it: {why}",
        quoted(name),
        quoted(ecosystem)
    )
}

#[cfg(test)]
mod tests {
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
        ] {
            assert_eq!(purl_or_why(ecosystem, "a", None), Err(why.to_owned()));
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
        let edge = purl("Alpine:edge", "a", None).unwrap();
        assert_eq!(edge.as_str(), "pkg:apk/alpine/a?distro=alpine-edge");
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
                "SUSE:Linux Enterprise Micro 5.5",
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
            ("openSUSE:Leap Micro 5.5", "a", None, "pkg:rpm/opensuse/a"),
            ("Alpaquita:stream", "a", None, "pkg:apk/alpaquita/a"),
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
}

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

/// OSV's ecosystems whose packages have no purl type in purl-spec, with what they are. A record
/// that states purls of them itself is taken at its word.
const WITHOUT_TYPE: [(&str, &str); 10] = [
    ("Android", "projects of Android's sources"),
    ("CleanStart", "packages of several systems"),
    ("Docker Hardened Images", "packages of several systems"),
    ("FreeBSD", "ports and parts of FreeBSD"),
    ("GHC", "parts of a compiler"),
    // Names are of Go's modules, and versions of Kubernetes.
    ("Kubernetes", "parts of Kubernetes, in its own versions"),
    ("Linux", "the kernel"),
    ("OSS-Fuzz", "projects of OSS-Fuzz"),
    ("Root", "packages that Root patched"),
    ("TuxCare", "packages of several systems"),
];

/// Ecosystems that go on after a colon with the registry that packages are in, if it is not the
/// usual one.
const WITH_REGISTRY: [&str; 3] = ["Maven", "Packagist", "VSCode"];

/// Distributions of which advisories and packages name releases by the same numbers, with what
/// packages call them.
const RELEASED: [(&str, &str); 14] = [
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
    (
        "BellSoft Hardened Containers",
        "bellsoft-hardened-containers",
    ),
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
        "openSUSE" | "SUSE" if suffix.contains("Micro ") => return micro(suffix),
        "openSUSE" => suffix.strip_prefix("Leap ")?.to_owned(),
        "SUSE" => of_suse(suffix)?,
        "Alpine" if suffix == "edge" => return Some("alpine-edge".to_owned()),
        _ if suffix == "stream" => return Some(format!("{name}-stream")),
        "Debian" if suffix == "sid" => return Some("sid".to_owned()),
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

/// Whether an ecosystem is a stream beside a release, such as that of Ubuntu's packages for FIPS:
/// they have the release's name, and versions of their own that are above those without what the
/// stream adds, whatever is mended in these.
pub(super) fn is_beside_release(ecosystem: &str) -> bool {
    let stream = ecosystem.strip_prefix("Ubuntu:Pro:");
    stream.is_some_and(|stream| !is_numbered(stream))
}

fn is_numbered(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_digit())
}

/// The release of a distribution that is called Micro, with numbers of its own.
fn micro(product: &str) -> Option<String> {
    let (name, number) = product.rsplit_once(' ')?;
    let number = number.split('-').next()?;
    let name = match name {
        "Leap Micro" => "opensuse-leap-micro",
        "Linux Enterprise Micro" | "Linux Micro" => "sle-micro",
        _ => return None,
    };
    is_numbered(number).then(|| format!("{name}-{number}"))
}

/// The release that a product of SUSE is of: `Linux Enterprise Server 15 SP6` is of 15.6. Those
/// that are named without a service pack are of several.
fn of_suse(product: &str) -> Option<String> {
    let name = product.strip_prefix("Linux Enterprise ")?;
    let number = match name.rsplit_once(" SP") {
        Some((name, pack)) => {
            let (_, major) = name.rsplit_once(' ')?;
            format!("{major}.{}", pack.split('-').next()?)
        }
        // From 16 on there are no service packs.
        None => {
            let (_, number) = name.rsplit_once(' ')?;
            number.split('-').next()?.to_owned()
        }
    };
    let is_numeric = |part: &str| part.parse::<u32>().is_ok();
    let told = number.split_once('.');
    let told = told.is_some_and(|(major, minor)| is_numeric(major) && is_numeric(minor));
    told.then_some(number)
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
        let mut others = WITHOUT_TYPE.iter();
        return Err(match others.find(|(known, _)| *known == base) {
            Some((_, what)) => format!("its ecosystem is of {what}, which have no purl type"),
            None => "those of its ecosystem are not known here".to_owned(),
        });
    };
    // Packages of Swift are called by the addresses of their repositories.
    let repository = place(name).filter(|_| ty == "swift");
    let repository = repository.map(|(host, path)| format!("{host}{path}"));
    let name = repository.as_deref().unwrap_or(name);
    let cut = match ty {
        "maven" => name.rsplit_once(':'),
        // PUBLISHER.NAME
        "vscode-extension" => name.split_once('.'),
        _ => name.rsplit_once('/'),
    };
    let (namespace, name) = match (distribution, cut) {
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
        qualifiers: registry(ecosystem).into_iter().collect(),
        ..Components::default()
    });
    let purl = purl.map_err(|e| e.to_string())?;
    Ok(of_release(purl.without_case(), ecosystem))
}

/// The registry that an ecosystem names, as the qualifier that says so.
fn registry(ecosystem: &str) -> Option<(String, String)> {
    let (base, address) = ecosystem.split_once(':')?;
    let is_stated = WITH_REGISTRY.contains(&base) && place(address).is_some();
    is_stated.then(|| ("repository_url".to_owned(), address.to_owned()))
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
mod tests;

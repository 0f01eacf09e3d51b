//! `conda-lock.yml` of conda-lock, version 1, and `pixi.lock` of pixi, versions 4 to 7.
//!
//! Both name packages of conda by the address of their archive, `CHANNEL/SUBDIR/NAME-VERSION-BUILD`
//! with `.conda` or `.tar.bz2`, beside wheels of Python. What several platforms need stands once
//! for each.

use super::component::Component;
use super::digest::{self, Digests};
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin::{self, Repository};
use super::python::{add_file, is_archive};
use super::reader::{Reader, Sign};
use assay_claims::json::Part;
use assay_claims::kind::node::quoted;
use assay_claims::purl;

pub(super) const CONDA_LOCK: Reader = Reader {
    name: "conda-lock.yml",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `conda-lock` write it",
    files: &["conda-lock.yml"],
    path: None,
    sign: Sign::Text(|head| head.has("metadata:") && head.has("  content_hash:")),
    read: |input, _| read_conda_lock(input),
};

pub(super) const PIXI: Reader = Reader {
    name: "pixi.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `pixi lock` write it",
    files: &["pixi.lock"],
    path: None,
    sign: Sign::Text(|head| head.has("environments:")),
    read: |input, _| read_pixi(input),
};

/// Where the public channels are.
const PUBLIC: &[&str] = &["conda.anaconda.org", "repo.anaconda.com", "repo.prefix.dev"];

fn read_conda_lock(input: &Input<'_>) -> Result<List, Fault> {
    let document = input.yaml()?;
    let root = Node::root("$", document.root());
    number(&root.need("version")?, &["1"])?;
    let mut list = List::default();
    for package in root.need("package")?.items()? {
        let name = package.need("name")?.text()?;
        let address = package.need("url")?.string()?;
        let hashes = package.need("hash")?;
        let mut component = Component {
            name: name.to_owned(),
            version: package.optional_text("version")?.map(str::to_owned),
            digests: digests(&hashes)?,
            dev: package.optional_text("category")? == Some("dev"),
            optional: package.value().get("optional").and_then(Part::as_bool) == Some(true),
            ..Component::default()
        };
        let manager = package.need("manager")?;
        match manager.one_of(&["conda", "pip"])? {
            "pip" => add_python(component, address, &mut list)?,
            _ if is_local(address) && is_of_conda(address) => {
                add_local(component, address, &mut list)?;
            }
            _ => {
                let Some(archive) = Archive::read(address) else {
                    return Err(package.need("url")?.fault("is no archive of conda").into());
                };
                component.version = component.version.or(Some(archive.version.to_owned()));
                archive.add(component, &mut list)?;
            }
        }
    }
    Ok(list)
}

fn read_pixi(input: &Input<'_>) -> Result<List, Fault> {
    let document = input.yaml()?;
    let root = Node::root("$", document.root());
    number(&root.need("version")?, &["4", "5", "6", "7"])?;
    let mut list = List::default();
    for package in root.need("packages")?.items()? {
        read_pixi_package(&package, &mut list)?;
    }
    Ok(list)
}

fn read_pixi_package(package: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let kind = package.optional_text("kind")?;
    let address = ["conda", "conda_source", "pypi", "url", "path"]
        .into_iter()
        .find_map(|key| Some((key, package.get(key)?)));
    let Some((key, address)) = address else {
        return Err(package.fault("has no address").into());
    };
    let (built, text) = match address.string()?.split_once(" @ ") {
        // `NAME[HASH] @ PLACE`
        Some((name, place)) if key == "conda_source" => (name.split('[').next(), place),
        _ => (None, address.string()?),
    };
    let is_python = key == "pypi" || kind == Some("pypi");
    let name = package.optional_text("name")?.or(built);
    let mut component = Component {
        name: name.unwrap_or_default().to_owned(),
        version: package.optional_text("version")?.map(str::to_owned),
        digests: digests(package)?,
        ..Component::default()
    };
    let ty = if is_python { "pypi" } else { "conda" };
    if text.starts_with("git+") {
        let parts = origin::package(ty, &component.name, component.version.as_deref());
        list.remark(BUILT, None, &component.name);
        return list.sources(component, parts, &Repository::read(text));
    }
    let is_local = if is_python {
        !text.contains("://")
    } else {
        is_local(text)
    };
    if is_local && is_python && is_archive(text) {
        add_file(component, text, list)
    } else if is_local && is_of_conda(text) {
        add_local(component, text, list)
    } else if is_local {
        component.own = true;
        component.by_path = !origin::is_here(text);
        if component.name.is_empty() {
            text.clone_into(&mut component.name);
        }
        list.remark("local folders", None, &component.name);
        let parts = origin::package(ty, &component.name, component.version.as_deref());
        list.package(component, parts)
    } else if is_python {
        add_python(component, text, list)
    } else {
        let Some(archive) = Archive::read(text) else {
            return Err(address.fault("is no archive of conda").into());
        };
        archive.name.clone_into(&mut component.name);
        component.version = Some(archive.version.to_owned());
        archive.add(component, list)
    }
}

const BUILT: &str =
    "from git, so that what is known of the channel's or PyPI's package need not hold";

/// Fails unless a version of a format is one of these.
fn number(version: &Node<'_, '_>, known: &[&str]) -> Result<(), Fault> {
    let is_known = version
        .value()
        .as_number()
        .is_some_and(|it| known.contains(&it));
    if is_known {
        return Ok(());
    }
    let reason = format!("is not {}, which is known here", known.join(", "));
    Err(version.fault(reason).into())
}

/// The SHA-256 of an archive, if it is stated.
fn digests(package: &Node<'_, '_>) -> Result<Digests, Fault> {
    let Some(hash) = package.get("sha256").filter(|hash| !hash.value().is_null()) else {
        return Ok(Digests::new());
    };
    let digest = digest::hex("sha256", hash.string()?).map_err(|reason| hash.fault(reason))?;
    Ok(digest.into_iter().collect())
}

/// Adds a package of Python, which comes from PyPI or from an address of its own: PyPI has files
/// of all other packages, too.
fn add_python(component: Component, address: &str, list: &mut List) -> Result<(), Fault> {
    if address.starts_with("git+") {
        let parts = origin::package("pypi", &component.name, component.version.as_deref());
        list.remark(BUILT, None, &component.name);
        return list.sources(component, parts, &Repository::read_pip(address));
    }
    add_file(component, address, list)
}

/// Whether an address is a path, and leads to no other machine.
fn is_local(address: &str) -> bool {
    !address.contains("://") || address.starts_with("file://")
}

/// Whether an address or a path ends as archives of conda do.
fn is_of_conda(address: &str) -> bool {
    let plain = origin::without_query(address);
    plain.ends_with(".conda") || plain.ends_with(".tar.bz2")
}

/// Adds an archive of conda that lies on the machine.
fn add_local(mut component: Component, path: &str, list: &mut List) -> Result<(), Fault> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut words = file.rsplitn(3, '-');
    let (Some(_build), Some(version), Some(name)) = (words.next(), words.next(), words.next())
    else {
        return list.without_purl(component, "is a local file without digest");
    };
    let is_named = component.name.is_empty() || component.name == name;
    if !is_named || component.version.as_deref().is_some_and(|it| it != version) {
        return list.without_purl(component, &of_another(name));
    }
    name.clone_into(&mut component.name);
    component.version = Some(version.to_owned());
    let mut parts = origin::package("conda", name, Some(version));
    origin::qualify_local(&mut parts, path);
    list.remark("from local files", None, name);
    list.package(component, parts)
}

/// Why a package is not the one whose address it has.
fn of_another(name: &str) -> String {
    format!("is of another package than its address {}", quoted(name))
}

/// What the address of an archive says.
struct Archive<'a> {
    /// Where its channel is, if that is none of the public ones.
    place: Option<String>,
    channel: &'a str,
    subdir: &'a str,
    name: &'a str,
    version: &'a str,
    build: &'a str,
    kind: &'static str,
}

impl<'a> Archive<'a> {
    fn read(address: &'a str) -> Option<Self> {
        let plain = origin::without_query(address);
        let mut kinds = ["conda", "tar.bz2"].into_iter();
        let (kind, path) = kinds.find_map(|kind| {
            let path = plain.strip_suffix(kind)?.strip_suffix('.')?;
            Some((kind, path))
        })?;
        let mut folders = path.rsplitn(3, '/');
        let (file, subdir, above) = (folders.next()?, folders.next()?, folders.next()?);
        let channel = channel(above)?;
        let mut words = file.rsplitn(3, '-');
        let (build, version, name) = (words.next()?, words.next()?, words.next()?);
        let place = place(address)?;
        let parts = [name, version, build, subdir, channel];
        let is_whole = parts.iter().all(|part| !part.is_empty());
        is_whole.then_some(Archive {
            place,
            channel,
            subdir,
            name,
            version,
            build,
            kind,
        })
    }

    fn add(&self, component: Component, list: &mut List) -> Result<(), Fault> {
        if component.name != self.name || component.version.as_deref() != Some(self.version) {
            return list.without_purl(component, &of_another(self.name));
        }
        let mut parts = origin::package("conda", self.name, Some(self.version));
        let said = [
            ("build", self.build),
            ("channel", self.channel),
            ("subdir", self.subdir),
            ("type", self.kind),
        ];
        let said = said.map(|(key, value)| (key.to_owned(), value.to_owned()));
        parts.qualifiers.extend(said);
        if let Some(place) = &self.place {
            origin::qualify(&mut parts, "repository_url", place);
            list.remark(
                "from another host than the public channels",
                None,
                self.name,
            );
        }
        list.package(component, parts)
    }
}

/// The channel at the end of an address: its last folder, or that with a label of it,
/// `CHANNEL/label/NAME`, in which other packages may lie.
fn channel(address: &str) -> Option<&str> {
    let mut starts = address.rmatch_indices('/').map(|(at, _)| at + 1);
    let (last, label, channel) = (starts.next()?, starts.next(), starts.next());
    let is_label = label.is_some_and(|at| address.get(at..last) == Some("label/"));
    let whole = channel.filter(|at| {
        // A host is no channel, and what stands behind a `t` is a secret.
        let before = address.get(..*at).unwrap_or_default();
        is_label && !before.ends_with("//") && !before.ends_with("/t/")
    });
    address.get(whole.unwrap_or(last)..)
}

/// Where a channel is, if that is none of the public ones: a host, a store of objects (`s3://`) or
/// a registry of containers (`oci://`). No more is taken of an address: it may have a secret in it.
fn place(address: &str) -> Option<Option<String>> {
    let (scheme, rest) = address.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let host = if ["http", "https"].contains(&scheme.as_str()) {
        purl::place(address)?.0
    } else {
        let authority = rest.split(['/', '?', '#']).next()?;
        authority.rsplit('@').next()?.to_owned()
    };
    match scheme.as_str() {
        _ if host.is_empty() => None,
        "http" | "https" if PUBLIC.contains(&host.as_str()) => Some(None),
        "http" | "https" => Some(Some(format!("https://{host}"))),
        scheme => Some(Some(format!("{scheme}://{host}"))),
    }
}

#[cfg(test)]
mod tests;

//! `pnpm-lock.yaml` (pnpm's `lockfile/types`), versions 5 to 9.
//!
//! A package stands under `NAME@VERSION` from version 9 on, `/NAME@VERSION(PEERS)` in version 6,
//! and `/NAME/VERSION_PEERS` before. Up to version 6, a host before the first slash is that of the
//! registry, if that is not the project's; later one has a name, `NAME@REGISTRY:VERSION`.

use super::component::Component;
use super::digest::{self, Digests};
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use super::tarball;
use assay_claims::json::Part;
use assay_claims::kind::node::quoted;
use assay_claims::purl;
use std::collections::BTreeSet;

pub(super) const READER: Reader = Reader {
    name: "pnpm-lock.yaml",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `pnpm install` write it",
    files: &["pnpm-lock.yaml"],
    path: None,
    sign: Sign::Text(|head| head.has("lockfileVersion:")),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    // From pnpm 11 on, what pnpm itself was installed from may stand before the project.
    let documents = input.yaml_documents(2, &["snapshots"])?;
    if documents.is_empty() {
        return Err(Fault::at(1, "the document is empty"));
    }
    let mut list = List::default();
    for document in &documents {
        let root = Node::root("$", document.root());
        let major = version(&root)?;
        read_links(&root, &mut list)?;
        tarball::remark_patches(&root, &mut list);
        let Some(packages) = root.get("packages") else {
            continue;
        };
        list.expect(packages.members()?.count());
        for (key, package) in packages.members()? {
            package.need_object()?;
            read_package(key, &package, major, &mut list)?;
        }
    }
    Ok(list)
}

/// The lists of a project that name what it needs.
const NEEDED: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

/// Counts what projects need from folders that are no projects of the workspace: a link leads to
/// what the file says nothing of, neither its version nor what it needs itself.
fn read_links(root: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let mut told = BTreeSet::new();
    let Some(importers) = root.get("importers") else {
        // A project alone stands at the top, before version 9.
        return read_links_of(root, ".", &BTreeSet::new(), &mut told, list);
    };
    let all: Vec<_> = importers.members()?.collect();
    let folders: BTreeSet<String> = all.iter().map(|(folder, _)| below("", folder)).collect();
    for (folder, importer) in &all {
        read_links_of(importer, folder, &folders, &mut told, list)?;
    }
    Ok(())
}

fn read_links_of(
    importer: &Node<'_, '_>,
    folder: &str,
    folders: &BTreeSet<String>,
    told: &mut BTreeSet<(String, String)>,
    list: &mut List,
) -> Result<(), Fault> {
    for needed in NEEDED.into_iter().filter_map(|key| importer.get(key)) {
        for (name, dependency) in needed.members()? {
            let version = dependency.value().as_str().or(dependency.shown("version"));
            let Some(target) = version.and_then(|version| version.strip_prefix("link:")) else {
                continue;
            };
            let place = below(folder, target);
            let is_new = !folders.contains(&place) && told.insert((name.to_owned(), place));
            if is_new {
                let target = quoted(target);
                let reason = format!("is a link to {target}, of which the file says nothing");
                list.unidentified(None, name, &reason)?;
            }
        }
    }
    Ok(())
}

/// A path that is stated below a folder, without steps that lead nowhere.
fn below(folder: &str, path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    let is_whole = path.starts_with('/');
    let before = folder.split('/').filter(|_| !is_whole);
    for step in before.chain(path.split(['/', '\\'])) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let root = if is_whole { "/" } else { "" };
    format!("{root}{}", steps.join("/"))
}

/// The major version of the format.
fn version(root: &Node<'_, '_>) -> Result<u64, Fault> {
    let version = root.need("lockfileVersion")?;
    let text = match version.value().as_number() {
        Some(number) => number,
        None => version.text()?,
    };
    let major = text.split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(major @ 5..=9) => Ok(major),
        _ => Err(version
            .fault("is not one of 5 to 9, which are known here")
            .into()),
    }
}

/// The host that a key of before version 9 begins with, and the rest of the key. Before a port pnpm
/// writes `+`.
fn cut_host(key: &str, major: u64) -> Option<(&str, &str)> {
    let (host, rest) = key.split_once('/').filter(|_| major < 9)?;
    let (name, port) = match host.split_once(['+', ':']) {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let mut bytes = name.bytes();
    let is_name =
        !name.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    let is_host = match port {
        Some(port) => !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()),
        None => name.contains('.'),
    };
    (is_name && is_host).then_some((host, rest))
}

/// Name and version of a key.
fn cut(key: &str, major: u64) -> Option<(&str, &str)> {
    let key = key.split('(').next().unwrap_or_default();
    let key = cut_host(key, major).map_or(key, |(_, rest)| rest);
    let key = key.strip_prefix('/').unwrap_or(key);
    let (name, version) = if major < 6 {
        let (name, version) = key.rsplit_once('/')?;
        (name, version.split('_').next().unwrap_or_default())
    } else {
        let at = key.get(1..)?.find('@')? + 1;
        (&key[..at], key.get(at + 1..)?)
    };
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

fn read_package(
    key: &str,
    package: &Node<'_, '_>,
    major: u64,
    list: &mut List,
) -> Result<(), Fault> {
    let (named, versioned) = (
        package.optional_text("name")?,
        package.optional_text("version")?,
    );
    let cut = cut(key, major);
    let name = named.or(cut.map(|(name, _)| name));
    let version = versioned.or(cut.map(|(_, version)| version));
    let (Some(name), Some(version)) = (name, version) else {
        return Err(package
            .fault(format!("{} says no name and version", quoted(key)))
            .into());
    };
    let keyed = cut.map(|(_, at)| at);
    let (version, is_runtime) = match version.strip_prefix(RUNTIME) {
        Some(version) => (version, true),
        None => (version, keyed.is_some_and(|at| at.starts_with(RUNTIME))),
    };
    let of_registry = named_registry(version);
    let in_registry = of_registry.or(keyed.and_then(named_registry));
    let version = of_registry.map_or(version, |(_, version)| version);
    let flag = |key: &str| package.value().get(key).and_then(Part::as_bool) == Some(true);
    // Where it lies is no version.
    let stated = Some(version).filter(|version| !version.contains([':', '/']));
    let mut component = Component {
        name: name.to_owned(),
        version: stated.map(str::to_owned),
        dev: flag("dev"),
        optional: flag("optional"),
        ..Component::default()
    };
    let resolution = package.need("resolution")?;
    component.digests = digests(&resolution)?;
    if is_runtime {
        return add_runtime(component, &resolution, list);
    }
    match resolution.shown("type") {
        None | Some("git") => {}
        Some("directory") => {
            component.by_path = true;
            list.remark("workspaces and local folders", None, name);
            return tarball::add_own(component, list);
        }
        // A project may bring along what fetches others.
        Some(_) => return list.without_purl(component, "is fetched in a way that is not known"),
    }
    let address = address(&resolution, version);
    let host = cut_host(key, major).map(|(host, _)| host);
    match registry(&resolution, host, in_registry.map(|(name, _)| name)) {
        Some(registry) if address.is_none() => tarball::of_registry(component, &registry, list),
        _ => tarball::locate(component, address.as_deref(), list),
    }
}

/// Where a package is from, if not from a registry.
fn address(resolution: &Node<'_, '_>, version: &str) -> Option<String> {
    let tarball = resolution.shown("tarball");
    match resolution.shown("type") {
        Some("git") => {
            let commit = resolution.shown("commit").unwrap_or_default();
            let repository = resolution.shown("repo")?;
            Some(format!("git+{repository}#{commit}"))
        }
        // Without a tarball it is from the registry, and its version is one.
        _ => tarball
            .or(Some(version).filter(|version| version.contains(':')))
            .map(str::to_owned),
    }
}

/// The registry that a package is from, if that is none of npm's own: as it is stated, by the host
/// in its key, or by a name of which the file does not say where it is.
fn registry(resolution: &Node<'_, '_>, host: Option<&str>, named: Option<&str>) -> Option<String> {
    let stated = resolution.shown("registry").map(str::to_owned);
    let hosted = host.map(|host| format!("https://{}", host.replace('+', ":")));
    let named = named.filter(|name| !OF_NPM.contains(name));
    // With the colon it is no host.
    let named = named.map(|name| format!("{name}:"));
    let mut all = [stated, hosted, named].into_iter().flatten();
    all.find(|at| !purl::is_public_registry("npm", at))
}

/// What pnpm calls npm's own registry.
const OF_NPM: [&str; 2] = ["npmjs", "npm"];

/// What stands before a colon and is the name of no registry.
const NO_REGISTRIES: [&str; 5] = ["file", "link", "portal", "runtime", "workspace"];

/// The name of a registry and the version there, of `REGISTRY:VERSION`. The file does not say where
/// a registry of this name is.
fn named_registry(version: &str) -> Option<(&str, &str)> {
    let (registry, version) = version.split_once(':')?;
    let mut bytes = registry.bytes();
    let is_name =
        !registry.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let is_version =
        version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains([':', '/', '\\']);
    (is_name && is_version && !NO_REGISTRIES.contains(&registry)).then_some((registry, version))
}

/// What a package's version begins with that is no package of npm: a runtime (node, deno, bun) that
/// pnpm fetches from those who make it.
const RUNTIME: &str = "runtime:";

/// The digests of a package.
fn digests(resolution: &Node<'_, '_>) -> Result<Digests, Fault> {
    let Some(integrity) = resolution.get("integrity") else {
        return Ok(Digests::new());
    };
    let digests = digest::integrity(integrity.string()?);
    Ok(digests.map_err(|reason| integrity.fault(reason))?)
}

/// Adds a runtime, which has an archive for each platform. npm has other packages of these names.
fn add_runtime(
    mut component: Component,
    resolution: &Node<'_, '_>,
    list: &mut List,
) -> Result<(), Fault> {
    if let Some(variants) = resolution.get("variants") {
        for variant in variants.items()? {
            if let Some(resolution) = variant.get("resolution") {
                component.digests.extend(digests(&resolution)?);
            }
        }
    }
    list.remark(
        "runtimes, which are no packages of npm",
        None,
        &component.name,
    );
    let parts = origin::package("generic", &component.name, component.version.as_deref());
    list.package(component, parts)
}

#[cfg(test)]
mod tests;

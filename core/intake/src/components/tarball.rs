//! Packages of npm, wherever a lock file has them from: what the lock files of its package managers
//! have in common.

use super::component::Component;
use super::fault::Fault;
use super::list::List;
use super::origin::{self, Repository};
use assay_claims::purl;

fn parts(component: &Component) -> purl::Components {
    origin::spaced("npm", &component.name, component.version.as_deref())
}

/// Adds an installed package, with where it comes from.
pub(super) fn locate(
    mut component: Component,
    resolved: Option<&str>,
    list: &mut List,
) -> Result<(), Fault> {
    let mut parts = parts(&component);
    let name = component.name.clone();
    match resolved {
        None => {}
        Some(address) if is_of_registry(address, &component) => {}
        Some(address) if is_git(address) => {
            let address = address
                .strip_prefix("github:")
                .map(|path| format!("https://github.com/{path}"));
            let address = address.as_deref().or(resolved).unwrap_or_default();
            let repository = Repository::read(address);
            repository.qualify(&mut parts);
            component.digests.extend(repository.commit());
            list.remark(
                "from git, so that what is known of the registry's package need not hold",
                None,
                &name,
            );
        }
        Some(address) if address.starts_with("file:") => {
            list.remark(
                "from local files, so that what is known of the registry's package need not hold",
                None,
                &name,
            );
            return list.without_purl(component, "is a local file without digest");
        }
        Some(address) => {
            let tarball = registry_of(address, &component);
            let (key, address) = tarball.map_or(("download_url", address), |registry| {
                ("repository_url", registry)
            });
            origin::qualify(&mut parts, key, address);
            list.remark("from another address than npm's registry", None, &name);
        }
    }
    list.package(component, parts)
}

pub(super) fn is_git(address: &str) -> bool {
    ["git+", "git:", "github:"]
        .iter()
        .any(|scheme| address.starts_with(scheme))
}

/// Whether the tarball is where npm's own registry, under whichever of its names, has tarballs.
fn is_of_registry(address: &str, component: &Component) -> bool {
    registry_of(address, component).is_some_and(|at| purl::is_public_registry("npm", at))
}

/// The address of the registry, if this is where a registry has the tarball of the package:
/// `REGISTRY/NAME/-/FILE`.
fn registry_of<'a>(address: &'a str, component: &Component) -> Option<&'a str> {
    let (folder, _file) = address.rsplit_once("/-/")?;
    let name = component.name.as_str();
    let encoded = name.replace('/', "%2f");
    let registry = folder
        .strip_suffix(name)
        .or_else(|| folder.strip_suffix(&encoded))?;
    registry
        .strip_suffix('/')
        .filter(|registry| registry.starts_with("http"))
}

/// Adds the project or one of its folders, if it has a name: with a purl if name and version make
/// one.
pub(super) fn add_own(component: Component, list: &mut List) -> Result<(), Fault> {
    if component.name.is_empty() {
        return Ok(());
    }
    let parts = parts(&component);
    list.package(
        Component {
            own: true,
            ..component
        },
        parts,
    )
}

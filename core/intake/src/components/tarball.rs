//! Packages of npm, wherever a lock file has them from: what the lock files of its package managers
//! have in common.

use super::code_host;
use super::component::Component;
use super::fault::Fault;
use super::input::Node;
use super::list::List;
use super::origin::{self, Repository};
use assay_claims::bom_link::decoded;
use assay_claims::json::Part;
use assay_claims::purl;

pub(super) const PATCHED: &str = "patched by the project, besides the package itself";

/// Remarks which packages the project patches, if the top of a lock file says it.
pub(super) fn remark_patches(root: &Node<'_, '_>, list: &mut List) {
    let patches = root.value().get("patchedDependencies");
    for (patched, _) in patches.and_then(Part::as_object).into_iter().flatten() {
        list.remark(PATCHED, None, patched);
    }
}

fn parts(component: &Component) -> purl::Components {
    origin::spaced("npm", &component.name, component.version.as_deref())
}

/// Adds a package of a registry that is known by its address, or by nothing but a name.
pub(super) fn of_registry(
    component: Component,
    registry: &str,
    list: &mut List,
) -> Result<(), Fault> {
    let mut parts = parts(&component);
    if !purl::is_public_registry("npm", registry) {
        origin::qualify(&mut parts, "repository_url", registry);
        list.remark(ELSEWHERE, component.line, &component.name);
    }
    list.package(component, parts)
}

const ELSEWHERE: &str = "from another address than npm's registry";

/// Adds an installed package, with where it comes from.
pub(super) fn locate(
    component: Component,
    resolved: Option<&str>,
    list: &mut List,
) -> Result<(), Fault> {
    let sources = resolved.and_then(code_host::sources);
    let resolved = sources.as_deref().or(resolved);
    let component = installed(component, resolved, list);
    let mut parts = parts(&component);
    let name = component.name.clone();
    match resolved {
        None => {}
        Some(address) if is_of_registry(address, &component) => {}
        Some(address) if is_git(address) => {
            let hosted = HOSTS.iter().find_map(|(scheme, host)| {
                let path = address.strip_prefix(scheme)?;
                Some(format!("https://{host}/{path}"))
            });
            let address = hosted.as_deref().unwrap_or(address);
            list.remark(
                "from git, so that what is known of the registry's package need not hold",
                None,
                &name,
            );
            return list.sources(component, parts, &Repository::read(address));
        }
        Some(address) if address.starts_with("file:") => {
            list.remark(
                "from local files, so that what is known of the registry's package need not hold",
                None,
                &name,
            );
            origin::qualify_local(&mut parts, address);
            if component.version.is_none() {
                return list.without_purl(component, "is a local file without digest");
            }
        }
        Some(address) => {
            let tarball = registry_of(address, &component);
            let (key, address) = tarball.map_or(("download_url", address), |registry| {
                ("repository_url", registry)
            });
            origin::qualify(&mut parts, key, address);
            list.remark(ELSEWHERE, None, &name);
        }
    }
    list.package(component, parts)
}

/// The package as what it is by its tarball, if npm's own registry has that: an alias has another
/// name than the package that is installed under it.
fn installed(component: Component, resolved: Option<&str>, list: &mut List) -> Component {
    let address = resolved.filter(|at| registry_of(at, &component).is_none());
    let Some((name, version)) = address.and_then(of_public_registry) else {
        return component;
    };
    let stated = component.version.as_ref();
    if component.name != name || stated.is_some_and(|stated| *stated != version) {
        let remark = "another package or version by its address at npm's registry, and looked up \
                      as that";
        list.remark(remark, component.line, &component.name);
    }
    Component {
        name,
        version: Some(version),
        ..component
    }
}

/// Name and version of the package whose tarball npm's own registry has at an address:
/// `REGISTRY/NAME/-/BASE-VERSION.tgz`.
fn of_public_registry(address: &str) -> Option<(String, String)> {
    if !purl::is_public_registry("npm", address) {
        return None;
    }
    let (_, path) = purl::place(address)?;
    let path = decoded(path.strip_prefix('/')?);
    let (name, file) = path.split_once("/-/")?;
    let (scope, base) = match name.split_once('/') {
        Some((scope, base)) => (Some(scope), base),
        None => (None, name),
    };
    let is_name = !base.is_empty() && !base.contains('/');
    let is_whole = is_name && scope.is_none_or(|it| it.len() > 1 && it.starts_with('@'));
    // Some repeat the scope before the file.
    let again = scope.and_then(|scope| file.strip_prefix(scope)?.strip_prefix('/'));
    let of_base = again.unwrap_or(file).strip_prefix(base)?;
    let version = of_base.strip_prefix('-')?.strip_suffix(".tgz")?;
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('/');
    (is_whole && is_version).then(|| (name.to_owned(), version.to_owned()))
}

/// What the addresses of repositories of some hosts are short for.
const HOSTS: [(&str, &str); 3] = [
    ("bitbucket:", "bitbucket.org"),
    ("github:", "github.com"),
    ("gitlab:", "gitlab.com"),
];

/// Whether an address is of a repository of git, and not of a file.
pub(super) fn is_git(address: &str) -> bool {
    let mut schemes = ["git+", "git:", "git@", "ssh:"].into_iter();
    let mut hosts = HOSTS.iter().map(|(scheme, _)| *scheme);
    let begins = |scheme: &str| address.starts_with(scheme);
    schemes.any(begins) || hosts.any(begins)
}

/// Whether the tarball is where npm's own registry, under whichever of its names, has tarballs.
fn is_of_registry(address: &str, component: &Component) -> bool {
    registry_of(address, component).is_some_and(|at| purl::is_public_registry("npm", at))
}

/// The address of the registry, if this is where a registry has the tarball of the package:
/// `REGISTRY/NAME/-/FILE`, of which some repeat the scope before the file.
fn registry_of<'a>(address: &'a str, component: &Component) -> Option<&'a str> {
    let address = origin::without_query(address);
    let (folder, file) = address.rsplit_once("/-/")?;
    let (scope, base) = match component.name.split_once('/') {
        Some((scope, base)) => (Some(scope), base),
        None => (None, component.name.as_str()),
    };
    // Build metadata is no part of what a registry calls a file.
    let version = component.version.as_deref()?.split('+').next()?;
    let of_version = format!("{base}-{version}.tgz");
    let in_scope = |name: &str| spellings(scope, name);
    if file != of_version && !in_scope(&of_version).iter().any(|name| file == name) {
        return None;
    }
    let names = in_scope(base);
    let mut registries = names
        .iter()
        .filter_map(|name| folder.strip_suffix(name.as_str()));
    let registry = registries.find_map(|registry| registry.strip_suffix('/'))?;
    let last = registry.rsplit('/').next().unwrap_or_default();
    let is_scope = last.starts_with('@') || last.starts_with("%40");
    let is_plain = origin::is_web(registry) && purl::place(registry).is_some();
    (is_plain && !is_scope).then_some(registry)
}

/// How addresses write a name in a scope.
fn spellings(scope: Option<&str>, name: &str) -> Vec<String> {
    let Some(scope) = scope else {
        return vec![name.to_owned()];
    };
    let encoded = scope.replace('@', "%40");
    let scopes = [scope, encoded.as_str()].into_iter();
    let separated = scopes.flat_map(|scope| ["/", "%2f", "%2F"].map(|slash| (scope, slash)));
    separated
        .map(|(scope, slash)| format!("{scope}{slash}{name}"))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tarball_of_the_public_registry_says_of_which_package_it_is() {
        let at = |address: &str| of_public_registry(address).map(|(name, of)| name + " " + &of);
        for (path, said) in [
            ("other/-/other-2.0.0.tgz", "other 2.0.0"),
            ("a-b/-/a-b-2.0.0-rc.1.tgz?x=y#z", "a-b 2.0.0-rc.1"),
            ("@s/a/-/a-1.0.0.tgz", "@s/a 1.0.0"),
            ("@s%2fa/-/@s/a-1.0.0.tgz", "@s/a 1.0.0"),
        ] {
            for host in [
                "https://registry.npmjs.org",
                "http://registry.yarnpkg.com:80",
            ] {
                assert_eq!(
                    at(&format!("{host}/{path}")).as_deref(),
                    Some(said),
                    "{path}"
                );
            }
            assert_eq!(at(&format!("https://mirror.test/{path}")), None, "{path}");
        }
        for path in [
            "other/-/evil-2.0.0.tgz",
            "other/-/other-2.0.0.zip",
            "other/-/other-latest.tgz",
            "s/a/-/a-1.0.0.tgz",
            "@s/x/a/-/a-1.0.0.tgz",
            "@/a/-/a-1.0.0.tgz",
            "a/../b/-/b-1.0.0.tgz",
            "-/-1.0.0.tgz",
            "other/-/@evil/other-2.0.0.tgz",
        ] {
            assert_eq!(
                at(&format!("https://registry.npmjs.org/{path}")),
                None,
                "{path}"
            );
        }
    }

    #[test]
    fn a_registry_has_the_file_of_this_name_and_version() {
        let of = |name: &str, address: &str| {
            let component = Component {
                name: name.to_owned(),
                version: Some("4.17.21".to_owned()),
                ..Component::default()
            };
            registry_of(address, &component).map(str::to_owned)
        };
        let npm = "https://registry.npmjs.org";
        for (name, path) in [
            ("lodash", "lodash/-/lodash-4.17.21.tgz"),
            ("lodash", "lodash/-/lodash-4.17.21.tgz?a=b#0"),
            ("@s/a", "@s/a/-/a-4.17.21.tgz"),
            ("@s/a", "@s%2fa/-/a-4.17.21.tgz"),
            ("@s/a", "%40s%2Fa/-/a-4.17.21.tgz"),
            ("@s/a", "@s/a/-/@s/a-4.17.21.tgz"),
        ] {
            let found = of(name, &format!("{npm}/{path}"));
            assert_eq!(found.as_deref(), Some(npm), "{path}");
        }
        for (name, path) in [
            ("lodash", "@evil/lodash/-/lodash-4.17.21.tgz"),
            ("lodash", "%40evil/lodash/-/lodash-4.17.21.tgz"),
            ("lodash", "lodash/-/lodash-4.17.4.tgz"),
            ("lodash", "lodash/-/evil-4.17.21.tgz"),
            ("lodash", "lodash/-/@evil/lodash-4.17.21.tgz"),
            ("lodash", "a/../lodash/-/lodash-4.17.21.tgz"),
            ("lodash", "x%2flodash/-/lodash-4.17.21.tgz"),
            ("@s/a", "@evil/@s/a/-/a-4.17.21.tgz"),
            ("@s/a", "@evil/a/-/a-4.17.21.tgz"),
        ] {
            assert_eq!(of(name, &format!("{npm}/{path}")), None, "{path}");
        }
    }
}

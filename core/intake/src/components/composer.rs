//! `composer.lock` (Composer's `src/Composer/Package/Locker.php`).

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin::{self, Repository};
use super::reader::{Reader, Sign};
use assay_claims::purl;

pub(super) const READER: Reader = Reader {
    name: "composer.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `composer update --lock` write it",
    files: &["composer.lock"],
    path: None,
    sign: Sign::Member("content-hash"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let mut list = List::default();
    for package in root.need("packages")?.items()? {
        read_package(&package, false, &mut list)?;
    }
    if let Some(packages) = root.get("packages-dev") {
        for package in packages.items()? {
            read_package(&package, true, &mut list)?;
        }
    }
    Ok(list)
}

fn read_package(package: &Node<'_, '_>, dev: bool, list: &mut List) -> Result<(), Fault> {
    let name = package.need("name")?.text()?;
    let version = package.need("version")?.text()?;
    let mut component = Component {
        name: name.into(),
        version: Some(version.into()),
        dev,
        ..Component::default()
    };
    if let Some(dist) = package.get("dist") {
        if dist.shown("type") == Some("path") {
            component.own = true;
            component.by_path = true;
            list.remark("local folders", None, name);
        }
        // Empty for the archives that code hosts make on demand: those are not always the same
        // bytes.
        if let Some(shasum) = dist.get("shasum")
            && !shasum.string()?.is_empty()
        {
            component.digests.extend(
                digest::hex("sha1", shasum.string()?).map_err(|reason| shasum.fault(reason))?,
            );
        }
    }
    if version.starts_with("dev-") || version.ends_with("-dev") {
        list.remark("branches, which change under the same name", None, name);
    }
    let mut parts = origin::spaced("composer", name, Some(version));
    if !component.own {
        locate(package, &mut component, &mut parts, list)?;
    }
    list.package(component, parts)
}

/// What Packagist, and its mirrors, are told of each installation: packages from elsewhere name
/// another address, or none.
const PACKAGIST: [&str; 2] = ["packagist.org", "repo.packagist.org"];

/// Says where a package comes from, if it is not from Packagist.
fn locate(
    package: &Node<'_, '_>,
    component: &mut Component,
    parts: &mut purl::Components,
    list: &mut List,
) -> Result<(), Fault> {
    match package.optional_text("notification-url")? {
        Some(told) if PACKAGIST.contains(&host(told)) => return Ok(()),
        Some(told) => {
            let folder = told.trim_end_matches('/');
            let registry = folder.strip_suffix("/downloads").unwrap_or(folder);
            origin::qualify(parts, "repository_url", registry);
        }
        None => match (place(package, "source"), place(package, "dist")) {
            (Some((address, revision)), _) => {
                let repository = Repository { address, revision };
                repository.qualify(parts);
                component.digests.extend(repository.commit());
            }
            (None, Some((address, _))) if !address.contains("://") => {
                origin::qualify_local(parts, address);
            }
            (None, Some((address, _))) => origin::qualify(parts, "download_url", address),
            (None, None) => return Ok(()),
        },
    }
    list.remark("from another address than Packagist", None, &component.name);
    Ok(())
}

/// Address and revision of where a package is to be had.
fn place<'v>(package: &Node<'v, '_>, holder: &'static str) -> Option<(&'v str, Option<&'v str>)> {
    let holder = package.get(holder)?;
    let address = holder.shown("url").filter(|address| !address.is_empty())?;
    Some((address, holder.shown("reference")))
}

/// The host of an address.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::components::Format::ComposerLock;
    use crate::components::tests::{found, lines, notes, refusal};

    #[test]
    fn packages_are_components_and_those_for_developers_are_flagged() {
        let text = format!(
            r#"{{"content-hash":"0","packages":[
              {{"name":"League/Flysystem","version":"v1.0.8","dist":{{"type":"zip","shasum":"{}"}}}},
              {{"name":"a/b","version":"dev-main","dist":{{"type":"zip","shasum":""}}}},
              {{"name":"a/local","version":"1.0","dist":{{"type":"path","url":"../x"}}}}],
              "packages-dev":[{{"name":"p/unit","version":"9.0"}}]}}"#,
            "Ab".repeat(20)
        );
        let found = found(ComposerLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:composer/league/flysystem@v1.0.8 sha1",
                "pkg:composer/a/b@dev-main",
                "pkg:composer/a/local@1.0 own",
                "pkg:composer/p/unit@9.0 dev"
            ]
        );
        assert_eq!(
            notes(&found),
            "branches, which change under the same name: a/b\nlocal folders: a/local"
        );
    }

    #[test]
    fn what_is_not_from_packagist_says_so() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let package = |name: &str, rest: &str| {
            let source = format!(
                r#""source":{{"type":"git","url":"https://t:s@git.e/a.git","reference":"{commit}"}}"#
            );
            format!(r#"{{"name":"a/{name}","version":"1.0",{source}{rest}}}"#)
        };
        let told = |of: &str| format!(r#","notification-url":"{of}""#);
        let text = format!(
            r#"{{"content-hash":"0","packages":[{},{},{},{{"name":"a/e","version":"1",
            "dist":{{"type":"zip","url":"https://e.org/e.zip?k=secret"}}}}]}}"#,
            package("b", &told("https://packagist.org/downloads/")),
            package("c", &told("https://repo.packagist.com/corp/downloads/")),
            package("d", ""),
        );
        let found = found(ComposerLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:composer/a/b@1.0".to_owned(),
                "pkg:composer/a/c@1.0?repository_url=https:%2F%2Frepo.packagist.com%2Fcorp".into(),
                format!(
                    "pkg:composer/a/d@1.0?vcs_url=git%2Bhttps:%2F%2Fgit.e%2Fa.git%40{commit} \
                     gitCommit"
                ),
                "pkg:composer/a/e@1?download_url=https:%2F%2Fe.org%2Fe.zip".into(),
            ]
        );
        assert_eq!(
            notes(&found),
            "from another address than Packagist: a/c, a/d, a/e"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}", "x:1: $.packages: is missing"),
            (
                r#"{"packages":[{"version":"1"}]}"#,
                "x:1: $.packages[0].name: is missing",
            ),
            (
                r#"{"packages":[{"name":"a/b"}]}"#,
                "x:1: $.packages[0].version: is missing",
            ),
            (
                r#"{"packages":[],"packages-dev":{}}"#,
                "x:1: $.packages-dev: is an object",
            ),
            (
                r#"{"packages":[{"name":"a/b","version":"1","dist":{"shasum":"12"}}]}"#,
                "x:1: $.packages[0].dist.shasum: is no sha1 in hex",
            ),
        ] {
            let error = refusal(ComposerLock, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}

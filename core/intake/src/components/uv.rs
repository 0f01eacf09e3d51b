//! `uv.lock` (uv's `crates/uv-resolver/src/lock`), version 1.

use super::blocks::{self, Packages};
use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::{self, Repository};
use super::python::{add_file, elsewhere};
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;
use assay_claims::purl;
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

pub(super) const READER: Reader = Reader {
    name: "uv.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `uv lock` write it",
    files: &["uv.lock"],
    path: None,
    sign: Sign::Text(|head| head.has("requires-python = ") && head.has("[[package]]")),
    read: |input, _| read(input),
};

#[derive(Deserialize)]
struct Lock {
    version: Spanned<u64>,
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    manifest: Manifest,
}

impl blocks::Lock for Lock {
    const LIST: &'static str = "package";
    type Package = Package;

    fn take(&mut self) -> Vec<Package> {
        std::mem::take(&mut self.package)
    }
}

#[derive(Deserialize, Default)]
struct Manifest {
    /// Names of the packages of the workspace, if it has several.
    #[serde(default)]
    members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    /// Absent where the project computes it.
    version: Option<String>,
    source: Source,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
}

/// One of these says where a package comes from.
#[derive(Deserialize)]
struct Source {
    registry: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
    /// In registries that are folders.
    path: Option<String>,
    /// Absent in registries that state none.
    hash: Option<String>,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    input.toml::<Lock>(read_lock)
}

fn read_lock(lock: Lock, mut packages: Packages<'_, Package>) -> Result<List, Fault> {
    if *lock.version.get_ref() != 1 {
        let reason = format!(
            "version {} is not known here, only 1",
            lock.version.get_ref()
        );
        return Err(
            Fault::at(packages.line_outside(lock.version.span()), reason)
                .advise("export it with `uv export --format requirements-txt`, and check that"),
        );
    }
    let mut list = List::default();
    while let Some((package, from)) = packages.next()? {
        let line = packages.line(from, package.name.span());
        read_package(package, &lock.manifest.members, line, &mut list)?;
    }
    Ok(list)
}

fn read_package(
    package: Package,
    members: &BTreeSet<String>,
    line: u32,
    list: &mut List,
) -> Result<(), Fault> {
    let Package {
        name,
        version,
        source,
        sdist,
        wheels,
    } = package;
    let name = name.into_inner();
    let parts = origin::package("pypi", &name, version.as_deref());
    let mut component = Component {
        by_path: !members.contains(&name),
        name,
        version,
        line: Some(line),
        ..Component::default()
    };
    let files: Vec<&File> = sdist.iter().chain(&wheels).collect();
    for hash in files.iter().filter_map(|file| file.hash.as_ref()) {
        let digest = digest::prefixed(hash).map_err(|reason| {
            Fault::at(
                line,
                format!("a hash of {} {reason}", quoted(&component.name)),
            )
        })?;
        component.digests.extend(digest);
    }
    let places = files
        .iter()
        .map(|file| file.url.as_deref().or(file.path.as_deref()));
    if let Some(registry) = &source.registry
        && purl::is_public_registry("pypi", registry)
        && let Some(at) = elsewhere(&component.name, places)
    {
        return add_file(component, at, list);
    }
    read_source(source, line, component, parts, list)
}

/// Adds a package with where it comes from.
fn read_source(
    source: Source,
    line: u32,
    mut component: Component,
    mut parts: purl::Components,
    list: &mut List,
) -> Result<(), Fault> {
    let (at, name) = (Some(line), component.name.clone());
    if let Some(registry) = source.registry {
        if !registry.contains("://") {
            origin::qualify_local(&mut parts, &registry);
            list.remark("from another index than PyPI", at, &name);
        } else if !purl::is_public_registry("pypi", &registry) {
            origin::qualify(&mut parts, "repository_url", &registry);
            list.remark("from another index than PyPI", at, &name);
        }
    } else if let Some(address) = source.git {
        list.remark(
            "from git, so that what is known of PyPI's package need not hold",
            at,
            &name,
        );
        return list.sources(component, parts, &Repository::read(&address));
    } else if let Some(address) = source.url.or(source.path) {
        return add_file(component, &address, list);
    } else if let Some(path) = source.directory.or(source.editable).or(source.r#virtual) {
        component.own = true;
        component.by_path &= !origin::is_here(&path);
        list.remark("the project itself, and local folders", at, &name);
    } else {
        let reason = format!("{} has no source that is known here", quoted(&name));
        return Err(Fault::at(line, reason));
    }
    list.package(component, parts)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::UvLock;
    use crate::components::tests::{found, lines, notes, refusal};

    const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";

    fn package(name: &str, rest: &str) -> String {
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0\"\n{rest}\n")
    }

    fn lock(packages: &[String]) -> String {
        format!(
            "version = 1\nrevision = 2\nrequires-python = \">=3.9\"\n\n{}",
            packages.concat()
        )
    }

    #[test]
    fn each_source_has_its_purl() {
        let hash = "ab".repeat(32);
        let at = "https://files.pythonhosted.org/p";
        let files = format!(
            "source = {{ registry = \"https://pypi.org/simple\" }}\nsdist = {{ url = \"{at}/s\", \
             hash = \"sha256:{hash}\", size = 1 }}\nwheels = [\n    {{ url = \"{at}/w\", hash = \
             \"sha256:{hash}\" }},\n    {{ url = \"{at}/n\" }},\n]"
        );
        let text = lock(&[
            package("Typing_Extensions", &files),
            package(
                "b",
                "source = { registry = \"https://u:s@index.example/simple\" }",
            ),
            package(
                "c",
                &format!("source = {{ git = \"https://host/c?rev=x#{COMMIT}\" }}"),
            ),
            package("d", "source = { url = \"https://host/d.whl\" }"),
            package("e", "source = { path = \"e.whl\" }"),
            package("f", "source = { editable = \".\" }"),
            package("g", "source = { virtual = \"g\" }").replace("version = \"1.0\"\n", ""),
            package("h", "source = { directory = \"h\" }"),
        ]);
        let found = found(UvLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:pypi/typing-extensions@1.0 sha256 sha256 :6".to_owned(),
                "pkg:pypi/b@1.0?repository_url=https:%2F%2Findex.example%2Fsimple :15".to_owned(),
                format!(
                    "pkg:pypi/c@1.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fc%40{COMMIT} gitCommit :19"
                ),
                "pkg:pypi/d@1.0?download_url=https:%2F%2Fhost%2Fd.whl :23".to_owned(),
                "pkg:pypi/e@1.0?download_url=file:e.whl :27".to_owned(),
                "pkg:pypi/f@1.0 own :31".to_owned(),
                "(g) own :35".to_owned(),
                "pkg:pypi/h@1.0 own :38".to_owned(),
            ]
        );
        assert_eq!(notes(&found).lines().count(), 5);
        let by_path = found.list.iter().filter(|one| one.own && one.by_path);
        assert_eq!(
            by_path.map(|one| &*one.name).collect::<Vec<_>>(),
            ["g", "h"]
        );
    }

    #[test]
    fn members_of_the_workspace_are_no_copies() {
        let text = lock(&[
            "[manifest]\nmembers = [\"a\"]\n\n".to_owned(),
            package("a", "source = { editable = \"p/a\" }"),
            package("b", "source = { editable = \"p/b\" }"),
        ]);
        let found = found(UvLock, &text);
        let by_path: Vec<_> = found.list.iter().map(|one| one.by_path).collect();
        assert_eq!(by_path, [false, true]);
    }

    #[test]
    fn files_from_elsewhere_are_not_those_of_the_index() {
        for (file, expected) in [
            (
                "url = \"https://files.pythonhosted.org/p/a-1.0.tar.gz\"",
                "",
            ),
            (
                "url = \"https://host/a-1.0.tar.gz\"",
                "?download_url=https:%2F%2Fhost%2Fa-1.0.tar.gz",
            ),
            ("path = \"a-1.0.tar.gz\"", "?download_url=file:a-1.0.tar.gz"),
        ] {
            let text = lock(&[package(
                "a",
                &format!(
                    "source = {{ registry = \"https://pypi.org/simple\" }}\nsdist = {{ {file} }}"
                ),
            )]);
            let found = found(UvLock, &text);
            assert_eq!(lines(&found), [format!("pkg:pypi/a@1.0{expected} :6")]);
            assert_eq!(found.notes.is_empty(), expected.is_empty());
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            (
                "version = 2\n".to_owned(),
                "x:1: version 2 is not known here, only 1; export it with `uv export",
            ),
            (
                "[[package]]\n".to_owned(),
                "x:1: cannot be read: missing field",
            ),
            (
                lock(&[package("a", "")]),
                "x:5: cannot be read: missing field `source`",
            ),
            (
                lock(&[package("a", "source = { odd = \"x\" }")]),
                "x:6: \"a\" has no source that is known here",
            ),
            (
                lock(&[package(
                    "a",
                    "source = { editable = \".\" }\nsdist = { hash = \"sha256:1\" }",
                )]),
                "x:6: a hash of \"a\" is no sha256 in hex",
            ),
        ] {
            let error = refusal(UvLock, &text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}

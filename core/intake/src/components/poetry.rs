//! `poetry.lock` (Poetry's `src/poetry/packages/locker.py`): lock versions 1 and 2, and files of
//! before with `metadata.hashes` and no version.

use super::blocks::{self, Packages};
use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::{self, Repository};
use super::python::add_file;
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;
use assay_claims::purl;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

pub(super) const READER: Reader = Reader {
    name: "poetry.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `poetry lock` write it",
    files: &["poetry.lock"],
    path: None,
    sign: Sign::Text(|head| head.generated_by("by Poetry")),
    read: |input, _| read(input),
};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
    /// Poetry writes it last: a file that was cut has none.
    metadata: Metadata,
}

impl blocks::Lock for Lock {
    const LIST: &'static str = "package";
    type Package = Package;

    fn take(&mut self) -> Vec<Package> {
        std::mem::take(&mut self.package)
    }
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: String,
    #[serde(default)]
    optional: bool,
    /// `dev` or `main`, until 1.5.
    category: Option<String>,
    /// From 2.0 on.
    groups: Option<Vec<String>>,
    source: Option<Source>,
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Source {
    r#type: String,
    url: String,
    reference: Option<String>,
    resolved_reference: Option<String>,
}

#[derive(Deserialize)]
struct File {
    hash: String,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "lock-version")]
    lock_version: Option<Spanned<String>>,
    /// Until 1.2.
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
    /// Until 0.12: SHA-256, without saying so.
    #[serde(default)]
    hashes: BTreeMap<String, Vec<String>>,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    input.toml::<Lock>(read_lock)
}

fn read_lock(lock: Lock, mut packages: Packages<'_, Package>) -> Result<List, Fault> {
    if let Some(version) = &lock.metadata.lock_version
        && !["1", "2"].contains(&version.get_ref().split('.').next().unwrap_or_default())
    {
        let reason = format!(
            "lock-version {} is not known here, only 1 and 2",
            quoted(version.get_ref())
        );
        return Err(Fault::at(packages.line_outside(version.span()), reason)
            .advise("export it with `poetry export`, and check that"));
    }
    let mut list = List::default();
    while let Some((package, from)) = packages.next()? {
        let line = packages.line(from, package.name.span());
        read_package(package, line, &lock.metadata, &mut list)?;
    }
    Ok(list)
}

fn read_package(
    package: Package,
    line: u32,
    metadata: &Metadata,
    list: &mut List,
) -> Result<(), Fault> {
    let name = package.name.into_inner();
    let parts = origin::package("pypi", &name, Some(&package.version));
    let groups = package.groups.as_deref();
    let mut component = Component {
        version: Some(package.version),
        line: Some(line),
        dev: package.category.as_deref() == Some("dev")
            || groups.is_some_and(|groups| {
                !groups.is_empty() && groups.iter().all(|group| group != "main")
            }),
        optional: package.optional,
        ..Component::default()
    };
    let files = package
        .files
        .iter()
        .chain(metadata.files.get(&name).into_iter().flatten());
    let hashes = metadata.hashes.get(&name).into_iter().flatten();
    let written = files
        .map(|file| file.hash.clone())
        .chain(hashes.map(|hash| format!("sha256:{hash}")));
    for hash in written {
        let digest = digest::prefixed(&hash)
            .map_err(|reason| Fault::at(line, format!("a hash of {} {reason}", quoted(&name))))?;
        component.digests.extend(digest);
    }
    component.name = name;
    match package.source {
        Some(source) => read_source(&source, line, component, parts, list),
        None => list.package(component, parts),
    }
}

/// Adds a package that does not come from PyPI.
fn read_source(
    source: &Source,
    line: u32,
    mut component: Component,
    mut parts: purl::Components,
    list: &mut List,
) -> Result<(), Fault> {
    let (at, name) = (Some(line), component.name.clone());
    match source.r#type.as_str() {
        "git" => {
            let revision = source
                .resolved_reference
                .as_deref()
                .or(source.reference.as_deref());
            let repository = Repository {
                address: &source.url,
                revision,
            };
            repository.qualify(&mut parts);
            component.digests.extend(repository.commit());
            list.remark(
                "from git, so that what is known of PyPI's package need not hold",
                at,
                &name,
            );
        }
        "legacy" if purl::is_public_registry("pypi", &source.url) => {}
        "legacy" => {
            origin::qualify(&mut parts, "repository_url", &source.url);
            list.remark("from another index than PyPI", at, &name);
        }
        "url" | "file" => return add_file(component, &source.url, list),
        "directory" => {
            component.own = true;
            component.by_path = true;
            list.remark("local folders", at, &name);
        }
        other => {
            let (name, other) = (quoted(&name), quoted(other));
            let reason = format!("{name} has a source of the unknown type {other}");
            return Err(Fault::at(line, reason));
        }
    }
    list.package(component, parts)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::PoetryLock;
    use crate::components::tests::{found, lines, notes, refusal};

    const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";
    const END: &str = "[metadata]\nlock-version = \"2.1\"\n";

    fn package(name: &str, rest: &str) -> String {
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0\"\n{rest}\n")
    }

    #[test]
    fn packages_have_their_files_groups_and_sources() {
        let hash = "ab".repeat(32);
        let source = |ty: &str, more: &str| {
            format!("[package.source]\ntype = \"{ty}\"\nurl = \"https://host/r\"\n{more}")
        };
        let text = [
            package(
                "a",
                &format!("optional = true\nfiles = [{{file = \"f\", hash = \"sha256:{hash}\"}}]"),
            ),
            package("b", "groups = [\"dev\"]"),
            package("c", "groups = [\"main\", \"dev\"]"),
            package("d", "category = \"dev\""),
            package(
                "g",
                &source(
                    "git",
                    &format!("reference = \"main\"\nresolved_reference = \"{COMMIT}\"\n"),
                ),
            ),
            package("l", &source("legacy", "")),
            package("u", &source("url", "")),
            package("p", &source("directory", "")),
            package(
                "f",
                &source("file", "").replace("https://host/r", "../dist/f-1.0.tar.gz"),
            ),
            END.to_owned(),
        ];
        let found = found(PoetryLock, &text.concat());
        assert_eq!(
            lines(&found),
            [
                "pkg:pypi/a@1.0 sha256 optional :2".to_owned(),
                "pkg:pypi/b@1.0 dev :7".to_owned(),
                "pkg:pypi/c@1.0 :11".to_owned(),
                "pkg:pypi/d@1.0 dev :15".to_owned(),
                format!(
                    "pkg:pypi/g@1.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fr%40{COMMIT} gitCommit :19"
                ),
                "pkg:pypi/l@1.0?repository_url=https:%2F%2Fhost%2Fr :28".to_owned(),
                "pkg:pypi/u@1.0?download_url=https:%2F%2Fhost%2Fr :35".to_owned(),
                "pkg:pypi/p@1.0 own :42".to_owned(),
                "pkg:pypi/f@1.0?download_url=file:f-1.0.tar.gz :49".to_owned(),
            ]
        );
        let by_path = found.list.iter().filter(|one| one.by_path);
        assert_eq!(by_path.map(|one| &*one.name).collect::<Vec<_>>(), ["p"]);
        assert_eq!(notes(&found).lines().count(), 5);
    }

    #[test]
    fn older_files_keep_hashes_at_the_end() {
        let hash = "ab".repeat(32);
        for end in [
            format!(
                "[metadata]\nlock-version = \"1.0\"\n[metadata.files]\na = [{{file = \"f\", hash \
                 = \"sha256:{hash}\"}}]\n"
            ),
            format!("[metadata]\n[metadata.hashes]\na = [\"{hash}\"]\n"),
        ] {
            let found = found(PoetryLock, &(package("a", "") + &end));
            assert_eq!(lines(&found), ["pkg:pypi/a@1.0 sha256 :2"]);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let a = package("a", "");
        for (text, said) in [
            (a.clone(), "x:1: cannot be read: missing field `metadata`"),
            (
                a.clone() + "[metadata]\nlock-version = \"3.0\"\n",
                "x:6: lock-version \"3.0\" is not known here",
            ),
            (
                package("a", "files = [{hash = \"00\"}]") + END,
                "x:2: a hash of \"a\" is no digest in the form",
            ),
            (
                package("a", "[package.source]\ntype = \"odd\"\nurl = \"u\"") + END,
                "x:2: \"a\" has a source of the unknown type \"odd\"",
            ),
        ] {
            let error = refusal(PoetryLock, &text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}

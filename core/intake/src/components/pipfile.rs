//! `Pipfile.lock` (pipenv's `pipenv/utils/locking.py`), version 6 of its specification.

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin::{self, Repository};
use super::pinned::unpinned;
use super::python::{add_file, is_archive};
use super::reader::{Reader, Sign};
use assay_claims::json::Part;
use assay_claims::purl;

pub(super) const READER: Reader = Reader {
    name: "Pipfile.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `pipenv lock` write it",
    files: &["Pipfile.lock"],
    path: None,
    sign: Sign::Member("_meta"),
    read: |input, _| read(input),
};

/// Members that are no groups of packages.
const META: &str = "_meta";

/// What pipenv calls the public index, if nothing else is said.
const PUBLIC: &str = "pypi";

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let meta = root.need(META)?;
    let mut indexes: Vec<(&str, &str)> = Vec::new();
    if let Some(sources) = meta.get("sources") {
        for source in sources.items()? {
            let name = source.shown("name").unwrap_or_default();
            indexes.push((name, source.need("url")?.text()?));
        }
    }
    let mut list = List::default();
    for (group, packages) in root.members()? {
        if group == META {
            continue;
        }
        for (name, package) in packages.members()? {
            read_package(name, &package, group != "default", &indexes, &mut list)?;
        }
    }
    Ok(list)
}

fn read_package(
    name: &str,
    package: &Node<'_, '_>,
    dev: bool,
    indexes: &[(&str, &str)],
    list: &mut List,
) -> Result<(), Fault> {
    package.need_object()?;
    let mut component = Component {
        name: name.to_owned(),
        dev,
        ..Component::default()
    };
    if let Some(hashes) = package.get("hashes") {
        for hash in hashes.items()? {
            let digest = digest::prefixed(hash.string()?).map_err(|reason| hash.fault(reason))?;
            component.digests.extend(digest);
        }
    }
    if let Some(address) = package.optional_text("git")? {
        let repository = Repository {
            address,
            revision: package.optional_text("ref")?,
        };
        let parts = origin::package("pypi", name, None);
        return list.sources(component, parts, &repository);
    }
    let path = package.value().get("path").filter(|path| !path.is_null());
    let file = path.and_then(Part::as_str).filter(|path| is_archive(path));
    if let Some(at) = file.or(package.optional_text("file")?) {
        return add_file(component, at, list);
    }
    let local = path.is_some();
    let editable = package.value().get("editable").and_then(Part::as_bool) == Some(true);
    if local || editable {
        component.own = true;
        list.remark("local folders", None, name);
        return list.without_purl(component, "is a local folder");
    }
    let version = package.need("version")?.text()?;
    let pinned = version.strip_prefix("===").or(version.strip_prefix("=="));
    let Some(pinned) = pinned.filter(|pinned| unpinned(pinned).is_none()) else {
        let what = format!("{name} {version}");
        return list.unidentified(None, &what, "is not pinned: let `pipenv lock` write it");
    };
    component.version = Some(pinned.to_owned());
    let mut parts = origin::package("pypi", name, Some(pinned));
    let named = package.optional_text("index")?;
    let address = index_of(named, indexes);
    if let Some(address) = address.filter(|at| !purl::is_public_registry("pypi", at)) {
        origin::qualify(&mut parts, "repository_url", address);
        list.remark("from another index than PyPI", None, name);
    }
    list.package(component, parts)
}

/// Where a package is from, given the name of its index, if it has one.
fn index_of<'a>(named: Option<&'a str>, indexes: &[(&'a str, &'a str)]) -> Option<&'a str> {
    let Some(named) = named else {
        return indexes.first().map(|(_, address)| *address);
    };
    let known = indexes.iter().find(|(known, _)| named == *known);
    match known {
        Some((_, address)) => Some(address),
        None if indexes.is_empty() && named == PUBLIC => None,
        // Where an index is that the file does not have is not known: its name says which it is.
        None => Some(named),
    }
}

#[cfg(test)]
mod tests {
    use crate::components::Format::PipfileLock;
    use crate::components::tests::{found, lines, refusal, unidentified};

    const SOURCES: &str = r#""_meta":{"sources":[{"name":"pypi","url":"https://pypi.org/simple"},
        {"name":"ours","url":"https://u:secret@py.test/simple"}]}"#;

    #[test]
    fn what_is_not_pinned_is_counted() {
        for version in ["*", ">=1", "==1.*", "~=1.0"] {
            let entry = format!(r#""a":{{"version":"{version}"}},"b":{{"version":"==2"}}"#);
            let text = format!(r#"{{"_meta":{{}},"default":{{{entry}}}}}"#);
            let found = found(PipfileLock, &text);
            assert_eq!(lines(&found), ["pkg:pypi/b@2"]);
            let said = format!("a {version} is not pinned");
            assert!(unidentified(&found)[0].starts_with(&said), "{version}");
        }
    }

    #[test]
    fn packages_are_pinned_and_know_their_index() {
        let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
        let text = format!(
            r#"{{{SOURCES},"default":{{
              "a.b":{{"version":"==1.0","index":"pypi","hashes":["sha256:{}"]}},
              "ours":{{"version":"==2","index":"ours"}},
              "lost":{{"version":"==2","index":"theirs"}},
              "vcs":{{"git":"https://host/x","ref":"{commit}"}},
              "wheel":{{"path":"./d/wheel-1.0-py3-none-any.whl"}},
              "there":{{"file":"https://host/there-1.0.tar.gz"}},
              "moving":{{"git":"https://host/x","ref":"main"}},
              "local":{{"path":".","editable":true}}}},
             "develop":{{"dev":{{"version":"==3"}}}}}}"#,
            "0".repeat(64)
        );
        let found = found(PipfileLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:pypi/a.b@1.0 sha256".to_owned(),
                "pkg:pypi/ours@2?repository_url=https:%2F%2Fpy.test%2Fsimple".to_owned(),
                "pkg:pypi/lost@2?repository_url=theirs".to_owned(),
                format!(
                    "pkg:pypi/vcs@{commit}?vcs_url=git%2Bhttps:%2F%2Fhost%2Fx%40{commit} gitCommit"
                ),
                "pkg:pypi/wheel@1.0?download_url=file:wheel-1.0-py3-none-any.whl".to_owned(),
                "pkg:pypi/there@1.0?download_url=https:%2F%2Fhost%2Fthere-1.0.tar.gz".to_owned(),
                "(local) own".to_owned(),
                "pkg:pypi/dev@3 dev".to_owned(),
            ]
        );
        assert_eq!(
            unidentified(&found),
            ["moving is from git at \"main\", which says no version: pin it to a commit"]
        );
    }

    #[test]
    fn the_public_index_needs_no_source() {
        let text = |index: &str| {
            format!(r#"{{"_meta":{{}},"default":{{"a":{{"version":"==1","index":"{index}"}}}}}}"#)
        };
        let line = |index: &str| lines(&found(PipfileLock, &text(index))).concat();
        assert_eq!(line("pypi"), "pkg:pypi/a@1");
        assert_eq!(line("ours"), "pkg:pypi/a@1?repository_url=ours");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}", "x:1: $._meta: is missing"),
            (r#"{"_meta":{},"default":[]}"#, "x:1: $.default"),
            (
                r#"{"_meta":{},"default":{"a":{}}}"#,
                "x:1: $.default.a.version: is missing",
            ),
            (
                r#"{"_meta":{},"default":{"a":{"version":"==1","hashes":["sha256:0"]}}}"#,
                "x:1: $.default.a.hashes[0]",
            ),
        ] {
            let error = refusal(PipfileLock, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}

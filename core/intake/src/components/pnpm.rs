//! `pnpm-lock.yaml` (pnpm's `lockfile/types`), versions 5 to 9.
//!
//! A package stands under `NAME@VERSION` from version 9 on, `/NAME@VERSION(PEERS)` in version 6,
//! and `/NAME/VERSION_PEERS` before.

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

/// Name and version of a key.
fn cut(key: &str, major: u64) -> Option<(&str, &str)> {
    let key = key.strip_prefix('/').unwrap_or(key);
    let key = key.split('(').next().unwrap_or_default();
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
    let (version, is_runtime) = match version.strip_prefix(RUNTIME) {
        Some(version) => (version, true),
        None => (version, cut.is_some_and(|(_, at)| at.starts_with(RUNTIME))),
    };
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
    let text = |key: &'static str| resolution.shown(key).map(str::to_owned);
    let address = match text("type").as_deref() {
        Some("directory") => {
            component.by_path = true;
            list.remark("workspaces and local folders", None, name);
            return tarball::add_own(component, list);
        }
        Some("git") => {
            let commit = text("commit").unwrap_or_default();
            text("repo").map(|repository| format!("git+{repository}#{commit}"))
        }
        // Without a tarball it is from the registry, and its version is one.
        _ if text("tarball").is_none() && version.contains(':') => Some(version.to_owned()),
        _ => text("tarball"),
    };
    tarball::locate(component, address.as_deref(), list)
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
mod tests {
    use crate::components::Format::PnpmLock;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    const INTEGRITY: &str = "{integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=}";

    #[test]
    fn patched_packages_are_noted() {
        for patch in ["{hash: h, path: patches/a.patch}", "h"] {
            let text = format!(
                "lockfileVersion: '9.0'\npatchedDependencies:\n  a@1.0.0: {patch}\npackages:\n  \
                 a@1.0.0:\n    resolution: {INTEGRITY}\n"
            );
            let found = found(PnpmLock, &text);
            assert_eq!(lines(&found), ["pkg:npm/a@1.0.0 sha1"]);
            assert_eq!(
                notes(&found),
                "patched by the project, besides the package itself: a@1.0.0"
            );
        }
    }

    #[test]
    fn every_version_names_its_packages() {
        for (text, expected) in [
            (
                format!(
                    "lockfileVersion: '9.0'\nimporters:\n  .: {{}}\npackages:\n  a@1.0.0:\n    \
                     resolution: {INTEGRITY}\n  '@s/b@2.0.0':\n    resolution: {INTEGRITY}\n"
                ),
                ["pkg:npm/a@1.0.0 sha1", "pkg:npm/%40s/b@2.0.0 sha1"],
            ),
            (
                format!(
                    "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0(c@3.0.0):\n    resolution: \
                     {INTEGRITY}\n    dev: true\n  /@s/b@2.0.0:\n    resolution: {INTEGRITY}\n"
                ),
                ["pkg:npm/a@1.0.0 sha1 dev", "pkg:npm/%40s/b@2.0.0 sha1"],
            ),
            (
                format!(
                    "lockfileVersion: 5.4\npackages:\n  /a/1.0.0_c@3.0.0:\n    resolution: \
                     {INTEGRITY}\n    optional: true\n  /@s/b/2.0.0:\n    resolution: {INTEGRITY}\n"
                ),
                ["pkg:npm/a@1.0.0 sha1 optional", "pkg:npm/%40s/b@2.0.0 sha1"],
            ),
        ] {
            assert_eq!(lines(&found(PnpmLock, &text)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_from_elsewhere_says_where() {
        let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
        let text = format!(
            "lockfileVersion: '9.0'\npackages:\n  a@https://host/a.tgz:\n    resolution: \
             {{tarball: \
             https://host/a.tgz}}\n    version: 1.0.0\n  b@git+https://host/b.git#{commit}:\n    \
             resolution: {{type: git, repo: https://host/b.git, commit: {commit}}}\n    version: \
                  2.0.0\n  \
             c@file:c:\n    resolution: {{directory: c, type: directory}}\n  \
             d@https://codeload.github.com/o/d/tar.gz/{commit}:\n    resolution: {{tarball: \
             https://codeload.github.com/o/d/tar.gz/{commit}}}\n    version: 3.0.0\n"
        );
        assert_eq!(
            lines(&found(PnpmLock, &text)),
            [
                "pkg:npm/a@1.0.0?download_url=https:%2F%2Fhost%2Fa.tgz".to_owned(),
                format!(
                    "pkg:npm/b@2.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fb.git%40{commit} gitCommit"
                ),
                "(c) own".to_owned(),
                format!(
                    "pkg:npm/d@3.0.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fd%40{commit} \
                     gitCommit"
                ),
            ]
        );
    }

    /// npm has a package of the name, which is something else.
    #[test]
    fn a_runtime_is_no_package_of_npm() {
        let variant = |os: &str| {
            format!(
                "        - resolution:\n            archive: tarball\n            integrity: \
                 sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n            type: binary\n            url: \
                 https://nodejs.org/download/release/v24.6.0/node-v24.6.0-{os}.tar.gz\n          \
                 targets:\n            - cpu: x64\n              os: {os}\n"
            )
        };
        for version in ["    version: 24.6.0\n", ""] {
            let text = format!(
                "lockfileVersion: '9.0'\npackages:\n  node@runtime:24.6.0:\n    hasBin: true\n    \
                 resolution:\n      type: variations\n      variants:\n{}{}{version}  \
                 deno@runtime:2.4.2:\n    resolution: {INTEGRITY}\n  node@24.6.0:\n    \
                 resolution: {INTEGRITY}\n",
                variant("linux"),
                variant("darwin")
            );
            let found = found(PnpmLock, &text);
            assert_eq!(
                lines(&found),
                [
                    "pkg:generic/node@24.6.0 sha1 sha1",
                    "pkg:generic/deno@2.4.2 sha1",
                    "pkg:npm/node@24.6.0 sha1",
                ]
            );
            let told = "runtimes, which are no packages of npm: node, deno";
            assert_eq!(notes(&found), told);
        }
    }

    /// Where a package lies is no version, which a folder may have beside it.
    #[test]
    fn a_local_folder_is_no_version_of_a_package() {
        for (version, expected) in [
            ("", "(c) own"),
            ("    version: 1.2.0\n", "pkg:npm/c@1.2.0 own"),
        ] {
            let text = format!(
                "lockfileVersion: '9.0'\npackages:\n  c@file:../c:\n    resolution: \
                 {{directory: ../c, type: directory}}\n{version}"
            );
            let found = found(PnpmLock, &text);
            assert_eq!(lines(&found), [expected]);
            assert!(found.list[0].by_path);
        }
    }

    /// What the workspace has no project for is told and counted.
    #[test]
    fn a_link_out_of_the_workspace_is_counted() {
        let workspace = "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      \
            a:\n        specifier: workspace:*\n        version: link:packages/a\n  \
            packages/a:\n    devDependencies:\n      out:\n        specifier: \
            link:../../../out\n        version: link:../../../out\n      root:\n        \
            specifier: link:../..\n        version: link:../..\n";
        let alone = "lockfileVersion: 5.4\nspecifiers:\n  out: link:../out\ndependencies:\n  out: \
            link:../out\n  a: 1.0.0\n";
        let alone_6 = "lockfileVersion: '6.0'\noptionalDependencies:\n  out:\n    specifier: \
            link:../out\n    version: link:../out\n";
        for (text, expected) in [
            (
                workspace,
                "out is a link to \"../../../out\", of which the file says nothing",
            ),
            (
                alone,
                "out is a link to \"../out\", of which the file says nothing",
            ),
            (
                alone_6,
                "out is a link to \"../out\", of which the file says nothing",
            ),
        ] {
            assert_eq!(unidentified(&found(PnpmLock, text)), [expected], "{text}");
        }
        let inner = workspace.replace("link:../../../out", "link:../../packages/a/");
        let said = unidentified(&found(PnpmLock, &inner)).concat();
        assert!(!said.contains("is a link"), "{said}");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("packages: {}\n", "$.lockfileVersion: is missing"),
            ("# lockfileVersion: '9.0'\n", "x:1: the document is empty"),
            ("lockfileVersion: '4.0'\n", "is not one of 5 to 9"),
            ("lockfileVersion: '9.0'\npackages: []\n", "$.packages"),
            (
                "lockfileVersion: '9.0'\npackages:\n  a: {}\n",
                "says no name and version",
            ),
            (
                "lockfileVersion: '9.0'\npackages:\n  a@1: {}\n",
                "resolution: is missing",
            ),
            (
                "lockfileVersion: '9.0'\npackages: &a {}\n",
                "x:2: cannot be read: anchors",
            ),
            (
                "lockfileVersion: '9.0'\na: 1\na: 2\n",
                "x:3: cannot be read",
            ),
        ] {
            let error = refusal(PnpmLock, text);
            assert!(error.contains(said), "{error}");
        }
        let deep = format!(
            "lockfileVersion: '9.0'\npackages: {}\n",
            "[".repeat(100_000)
        );
        assert!(refusal(PnpmLock, &deep).contains("cannot be read"));
    }
}

//! `package-lock.json` and `npm-shrinkwrap.json` (npm's documentation, "package-lock.json"),
//! versions 1 to 3.
//!
//! Versions 2 and 3 list what stands in which folder (`packages`); version 1 is a tree
//! (`dependencies`), which version 2 repeats for old tools.

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::reader::{Reader, Sign};
use super::tarball;
use assay_claims::json::Part;
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "package-lock.json",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `npm install` write it",
    files: &["package-lock.json", "npm-shrinkwrap.json"],
    path: None,
    sign: Sign::Member("lockfileVersion"),
    read: |input, _| read(input),
};

const FOLDER: &str = "node_modules/";

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let version = root.need("lockfileVersion")?;
    let mut list = List::default();
    match version.value().as_u64() {
        Some(1) => {
            tarball::add_own(
                entry(&root, root.shown("name").unwrap_or_default())?,
                &mut list,
            )?;
            if let Some(dependencies) = root.get("dependencies") {
                read_tree(&dependencies, &mut list)?;
            }
        }
        Some(2 | 3) => read_folders(&root, &mut list)?,
        Some(other) => {
            return Err(version
                .fault(format!("is {other}, and only 1, 2 and 3 are known here"))
                .into());
        }
        None => {
            return Err(version
                .fault("is no whole number; 1, 2 and 3 are known here")
                .into());
        }
    }
    Ok(list)
}

/// What is the same in both forms: version, integrity, and who needs it.
fn entry(node: &Node<'_, '_>, name: &str) -> Result<Component, Fault> {
    let flag = |key: &str| node.value().get(key).and_then(Part::as_bool) == Some(true);
    let mut digests = Vec::new();
    if let Some(integrity) = node.get("integrity") {
        digests =
            digest::integrity(integrity.string()?).map_err(|reason| integrity.fault(reason))?;
    }
    Ok(Component {
        name: name.to_owned(),
        version: node.optional_text("version")?.map(str::to_owned),
        digests,
        dev: flag("dev"),
        optional: flag("optional") || flag("devOptional"),
        ..Component::default()
    })
}

/// Versions 2 and 3. A key is a folder: `""` the project, `node_modules/a/node_modules/b` an
/// installed package, any other one a workspace or a local dependency.
fn read_folders(root: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let packages = root.need("packages")?;
    let members = workspaces(packages.value());
    list.expect(packages.members()?.count());
    for (folder, package) in packages.members()? {
        package.need_object()?;
        let installed_as = folder.rsplit_once(FOLDER).map(|(_, name)| name);
        // An alias is installed under another name than its own.
        let name = package.optional_text("name")?.or(installed_as);
        let name = name
            .or_else(|| root.shown("name").filter(|_| folder.is_empty()))
            .unwrap_or_else(|| of_folder(folder));
        let resolved = package.optional_text("resolved")?;
        if package.value().get("link").and_then(Part::as_bool) == Some(true) {
            // A link leads to an entry of its own.
            let target = resolved.unwrap_or_default();
            if packages.value().get(target).is_none() {
                list.unidentified(
                    None,
                    name,
                    &format!(
                        "is a link to {}, which the file does not list",
                        quoted(target)
                    ),
                )?;
            }
            continue;
        }
        let component = entry(&package, name)?;
        if installed_as.is_none() {
            let by_path = !folder.is_empty() && !members.iter().any(|of| is_of(folder, of));
            if !folder.is_empty() {
                list.remark("workspaces and local folders", None, name);
            }
            tarball::add_own(
                Component {
                    by_path,
                    ..component
                },
                list,
            )?;
            continue;
        }
        if package.value().get("inBundle").and_then(Part::as_bool) == Some(true) {
            list.remark(
                "bundled with another package, so without a digest of its own",
                None,
                name,
            );
        }
        tarball::locate(component, resolved, list)?;
    }
    Ok(())
}

/// The name of a package whose entry has none: that of its folder, in a scope if one is around it.
fn of_folder(folder: &str) -> &str {
    let mut slashes = folder.rmatch_indices('/').map(|(at, _)| at + 1);
    let (base, scope) = (slashes.next().unwrap_or(0), slashes.next().unwrap_or(0));
    let at = match folder.get(scope..base) {
        Some(around) if around.starts_with('@') => scope,
        _ => base,
    };
    folder.get(at..).unwrap_or(folder)
}

/// The patterns of the folders that are members of the workspace.
fn workspaces(packages: Part<'_>) -> Vec<&str> {
    let stated = packages.get("").and_then(|root| root.get("workspaces"));
    let list = stated.and_then(|stated| stated.get("packages").or(Some(stated)));
    let list = list.and_then(Part::as_array).into_iter().flatten();
    list.filter_map(Part::as_str).collect()
}

/// Whether a folder fits a pattern, in which `*` stands for a part of a name, and `**` for folders.
fn is_of(folder: &str, pattern: &str) -> bool {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let (mut names, mut wanted) = (folder.split('/'), pattern.split('/'));
    loop {
        match (names.next(), wanted.next()) {
            (None, None) => return true,
            (Some(_), Some("**")) => return true,
            (Some(name), Some(wanted)) => {
                let fits = match wanted.split_once('*') {
                    Some((left, right)) => {
                        let rest = name.strip_prefix(left);
                        rest.is_some_and(|rest| rest.ends_with(right))
                    }
                    None => name == wanted,
                };
                if !fits {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Version 1: each entry may hold those that are installed below it.
fn read_tree(dependencies: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    for (key, dependency) in dependencies.members()? {
        dependency.need_object()?;
        let mut component = entry(&dependency, key)?;
        let mut resolved = dependency.optional_text("resolved")?.map(str::to_owned);
        if let Some(version) = component.version.take() {
            match version
                .strip_prefix("npm:")
                .map(|alias| alias.rsplit_once('@'))
            {
                Some(Some((name, version))) => {
                    component.name = name.to_owned();
                    component.version = Some(version.to_owned());
                }
                Some(None) => {
                    return Err(dependency
                        .need("version")?
                        .fault("is an alias without version")
                        .into());
                }
                // Anything but a version is where the package comes from.
                None if version.contains(':') => resolved = Some(version),
                None => component.version = Some(version),
            }
        }
        if dependency.value().get("bundled").and_then(Part::as_bool) == Some(true) {
            list.remark(
                "bundled with another package, so without a digest of its own",
                None,
                key,
            );
        }
        tarball::locate(component, resolved.as_deref(), list)?;
        if let Some(below) = dependency.get("dependencies") {
            read_tree(&below, list)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::components::Format::NpmLock;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    const SHA1: &str = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";

    fn folders(packages: &str) -> String {
        format!(
            "{{\"name\":\"top\",\"version\":\"1.0.0\",\"lockfileVersion\":3,\"packages\":{{{packages}}}}}"
        )
    }

    fn tree(dependencies: &str) -> String {
        format!(
            "{{\"name\":\"top\",\"version\":\"1.0.0\",\"lockfileVersion\":1,\"dependencies\":{{{dependencies}}}}}"
        )
    }

    #[test]
    fn folders_are_packages_under_their_own_names() {
        let text = folders(&format!(
            r#""":{{"version":"1.0.0","license":"MIT"}},
            "node_modules/@s/a":{{"version":"1.0.0","integrity":"{SHA1}","dev":true}},
            "node_modules/@s/a/node_modules/b":{{"version":"2.0.0","optional":true}},
            "node_modules/alias":{{"name":"@s/real","version":"3.0.0","devOptional":true}},
            "node_modules/w":{{"resolved":"packages/w","link":true}},
            "packages/w":{{"version":"0.1.0"}},
            "packages/w/node_modules/b":{{"version":"2.0.0"}},
            "node_modules/c":{{"version":"4.0.0","inBundle":true}}"#
        ));
        let found = found(NpmLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:npm/top@1.0.0 own",
                "pkg:npm/%40s/a@1.0.0 sha1 dev",
                "pkg:npm/b@2.0.0",
                "pkg:npm/%40s/real@3.0.0 optional",
                "pkg:npm/w@0.1.0 own",
                "pkg:npm/c@4.0.0"
            ]
        );
        assert_eq!(
            found.list[1].digests[0].1,
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        );
        assert!(notes(&found).contains("workspaces and local folders: w"));
        assert!(
            notes(&found)
                .contains("bundled with another package, so without a digest of its own: c")
        );
    }

    #[test]
    fn a_folder_has_its_own_name_and_may_be_somebody_elses() {
        let text = folders(
            r#""":{"version":"1.0.0","workspaces":["packages/*","./tools/x-*/","all/**"]},
            "packages/a":{"version":"1.0.0"},
            "tools/x-b":{"version":"1.0.0"},
            "all/in/c":{"version":"1.0.0"},
            "tools/y-d":{"version":"1.0.0"},
            "packages/in/e":{"version":"1.0.0"},
            "../copies/@s/f":{"version":"1.0.0"},
            "g":{"name":"@t/real","version":"1.0.0"}"#,
        );
        let found = found(NpmLock, &text);
        let listed = found.list.iter();
        let listed: Vec<_> = listed
            .map(|one| (one.purl.as_ref().unwrap().as_str(), one.by_path))
            .collect();
        assert_eq!(
            listed,
            [
                ("pkg:npm/top@1.0.0", false),
                ("pkg:npm/a@1.0.0", false),
                ("pkg:npm/x-b@1.0.0", false),
                ("pkg:npm/c@1.0.0", false),
                ("pkg:npm/y-d@1.0.0", true),
                ("pkg:npm/e@1.0.0", true),
                ("pkg:npm/%40s/f@1.0.0", true),
                ("pkg:npm/%40t/real@1.0.0", true),
            ]
        );
    }

    #[test]
    fn a_project_without_a_name_is_not_listed() {
        let unnamed = |text: &str| found(NpmLock, text).list.len();
        assert_eq!(
            unnamed(r#"{"lockfileVersion":3,"packages":{"":{"license":"MIT"}}}"#),
            0
        );
        assert_eq!(unnamed(r#"{"lockfileVersion":1}"#), 0);
    }

    #[test]
    fn where_a_package_comes_from_is_in_its_purl() {
        for (name, resolved, purl) in [
            (
                "a",
                "https://registry.npmjs.org/a/-/a-1.0.0.tgz",
                "pkg:npm/a@1.0.0",
            ),
            (
                "@s/a",
                "https://registry.yarnpkg.com/@s/a/-/a-1.0.0.tgz",
                "pkg:npm/%40s/a@1.0.0",
            ),
            (
                "a",
                "https://t:s@npm.example/r/a/-/a-1.0.0.tgz",
                "pkg:npm/a@1.0.0?repository_url=https:%2F%2Fnpm.example%2Fr",
            ),
            (
                "a",
                "https://registry.npmjs.org/a/-/evil-1.0.0.tgz",
                "pkg:npm/a@1.0.0?download_url=https:%2F%2Fregistry.npmjs.org%2Fa%2F-%2Fevil-1.0.0.tgz",
            ),
            (
                "a",
                "https://host/a.tgz?token=s",
                "pkg:npm/a@1.0.0?download_url=https:%2F%2Fhost%2Fa.tgz",
            ),
            (
                "a",
                &format!("git+ssh://git@host/a.git#{COMMIT}"),
                &format!(
                    "pkg:npm/a@1.0.0?vcs_url=git%2Bssh:%2F%2Fgit%40host%2Fa.git%40{COMMIT} \
                     gitCommit"
                ),
            ),
        ] {
            let entry =
                format!(r#""node_modules/{name}":{{"version":"1.0.0","resolved":"{resolved}"}}"#);
            let found = found(NpmLock, &folders(&entry));
            assert_eq!(lines(&found), [purl], "{resolved}");
            assert_eq!(found.notes.is_empty(), !purl.contains('?'), "{resolved}");
        }
    }

    /// npm makes it so where a package is installed under another name.
    #[test]
    fn a_tarball_of_another_package_is_looked_up_as_that() {
        for (path, purl) in [
            ("other/-/other-2.0.0.tgz", "pkg:npm/other@2.0.0"),
            ("@s%2fb/-/b-1.0.0.tgz", "pkg:npm/%40s/b@1.0.0"),
            ("mis/-/mis-3.0.0.tgz", "pkg:npm/mis@3.0.0"),
        ] {
            let resolved = format!("https://registry.npmjs.org/{path}");
            let entry =
                format!(r#""node_modules/mis":{{"version":"2.0.0","resolved":"{resolved}"}}"#);
            let found = found(NpmLock, &folders(&entry));
            assert_eq!(lines(&found), [purl]);
            let told = "another package or version by its address at npm's registry, and looked \
                        up as that: mis";
            assert_eq!(notes(&found), told);
        }
    }

    #[test]
    fn local_files_and_dangling_links_are_counted() {
        let text = folders(&format!(
            r#""node_modules/a":{{"version":"1.0.0","resolved":"file:../a.tgz"}},
            "node_modules/b":{{"version":"1.0.0","resolved":"file:../b.tgz","integrity":"{SHA1}"}},
            "node_modules/c":{{"resolved":"../c","link":true}},
            "node_modules/d":{{}}"#
        ));
        let found = found(NpmLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:npm/a@1.0.0?download_url=file:a.tgz",
                "pkg:npm/b@1.0.0?download_url=file:b.tgz sha1"
            ]
        );
        assert_eq!(
            unidentified(&found),
            [
                "c is a link to \"../c\", which the file does not list",
                "d has no version"
            ]
        );
    }

    fn of_commit(name: &str, path: &str) -> String {
        format!("pkg:npm/{name}@{COMMIT}?vcs_url=git%2Bhttps:%2F%2F{path}%40{COMMIT} gitCommit")
    }

    #[test]
    fn version_1_is_a_tree() {
        let text = tree(&format!(
            r#""a":{{"version":"1.0.0","integrity":"{SHA1}","requires":{{"b":"^2"}},
                "dependencies":{{"b":{{"version":"2.0.0","dev":true,"bundled":true}}}}}},
            "alias":{{"version":"npm:@s/real@3.0.0"}},
            "g":{{"version":"git+https://host/g.git#{COMMIT}"}},
            "h":{{"version":"github:o/h#{COMMIT}"}},
            "f":{{"version":"file:../f"}}"#
        ));
        let found = found(NpmLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:npm/top@1.0.0 own".to_owned(),
                "pkg:npm/a@1.0.0 sha1".to_owned(),
                "pkg:npm/b@2.0.0 dev".to_owned(),
                "pkg:npm/%40s/real@3.0.0".to_owned(),
                of_commit("g", "host%2Fg.git"),
                of_commit("h", "github.com%2Fo%2Fh"),
            ]
        );
        assert_eq!(unidentified(&found), ["f is a local file without digest"]);
        assert!(notes(&found).contains("bundled") && notes(&found).contains("from git"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}".to_owned(), "x:1: $.lockfileVersion: is missing"),
            (
                "{\"lockfileVersion\":4}".to_owned(),
                "x:1: $.lockfileVersion: is 4, and only 1, 2 and 3",
            ),
            (
                "{\"lockfileVersion\":2}".to_owned(),
                "x:1: $.packages: is missing",
            ),
            (
                "{\"lockfileVersion\":3,\n\"packages\":{".to_owned(),
                "x:2: column 13",
            ),
            (
                folders(r#""node_modules/a":1"#),
                "x:1: $.packages[\"node_modules/a\"]: is a number",
            ),
            (
                folders(r#""node_modules/a":{"version":1}"#),
                "x:1: $.packages[\"node_modules/a\"].version: is a number",
            ),
            (
                folders(r#""node_modules/a":{"version":"1","integrity":"sha512-AAAA"}"#),
                "x:1: $.packages[\"node_modules/a\"].integrity: is no sha512",
            ),
            (
                tree(r#""a":{"version":"npm:real"}"#),
                "x:1: $.dependencies.a.version: is an alias without version",
            ),
            (tree(r#""a":1"#), "x:1: $.dependencies.a: is a number"),
        ] {
            let error = refusal(NpmLock, &text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}

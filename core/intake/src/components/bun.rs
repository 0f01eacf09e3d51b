//! `bun.lock` of Bun (`src/install/lockfile/bun.lock.zig`), versions 0 and 1: JSON with commas
//! before closing brackets.
//!
//! A package is an array whose first item is `NAME@VERSION`, or `NAME@` and where it is from. Of
//! the registry's packages the second item is the registry, empty for npm's, and the last one the
//! digest. The file does not say what only developers need.

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::reader::{Reader, Sign};
use super::tarball;
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "bun.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `bun install` write it",
    files: &["bun.lock"],
    path: None,
    // It is no JSON, and its members are those of npm's lock.
    sign: Sign::Text(|_| false),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let document = input.json_with_commas()?;
    let root = Node::root("$", document.root());
    let version = root.need("lockfileVersion")?;
    if !matches!(version.value().as_number(), Some("0" | "1")) {
        return Err(version.fault("is not 0 or 1, which are known here").into());
    }
    let mut list = List::default();
    tarball::remark_patches(&root, &mut list);
    if let Some(packages) = root.get("packages") {
        list.expect(packages.members()?.count());
        for (key, package) in packages.members()? {
            read_package(key, &package, &mut list)?;
        }
    }
    Ok(list)
}

fn read_package(key: &str, package: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let items: Vec<Node<'_, '_>> = package.items()?.collect();
    let Some(first) = items.first() else {
        return Err(package.fault(format!("{} is empty", quoted(key))).into());
    };
    let ident = first.string()?;
    let cut = ident.get(1..).and_then(|rest| rest.find('@'));
    let Some((name, at)) = cut.and_then(|cut| Some((ident.get(..=cut)?, ident.get(cut + 2..)?)))
    else {
        return Err(first.fault("is not NAME@VERSION").into());
    };
    let mut component = Component {
        name: name.to_owned(),
        ..Component::default()
    };
    if let Some(last) = items.iter().skip(1).next_back()
        && let Some(text) = last.value().as_str()
        && text.contains('-')
        && ["sha1-", "sha256-", "sha384-", "sha512-"]
            .iter()
            .any(|kind| text.starts_with(kind))
    {
        component.digests = digest::integrity(text).map_err(|reason| last.fault(reason))?;
    }
    let is_own = ["workspace:", "root:", "link:", "file:"]
        .iter()
        .any(|kind| at.starts_with(kind));
    if is_own && component.digests.is_empty() && !at.ends_with(".tgz") {
        component.by_path = at.starts_with("link:") || at.starts_with("file:");
        list.remark("workspaces and local folders", None, name);
        return tarball::add_own(component, list);
    }
    if at.contains([':', '/']) {
        return tarball::locate(component, Some(at), list);
    }
    component.version = Some(at.to_owned());
    let registry = items.get(1).and_then(|item| item.value().as_str());
    let registry = registry.filter(|text| !text.is_empty());
    match registry {
        Some(address) if address.ends_with(".tgz") => {
            tarball::locate(component, Some(address), list)
        }
        Some(address) => tarball::of_registry(component, address, list),
        None => tarball::locate(component, None, list),
    }
}

#[cfg(test)]
mod tests {
    use crate::components::Format::BunLock;
    use crate::components::tests::{found, lines, notes, refusal};

    const INTEGRITY: &str = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";

    fn lock(packages: &str) -> String {
        format!(
            "{{\n  // written by hand\n  \"lockfileVersion\": 1,\n  \"workspaces\": {{\n    \"\": \
             {{ \"name\": \"x,]\", }},\n  }},\n  \"packages\": {{\n{packages}\n  }},\n}}\n"
        )
    }

    #[test]
    fn packages_are_named_as_they_are_installed() {
        let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
        let text = lock(&format!(
            r#"    "a": ["a@1.0.0", "", {{ "bin": "a.js" }}, "{INTEGRITY}"],
    "@s/b": ["@s/b@2.0.0-rc.1", "", {{}}, "{INTEGRITY}"],
    "other": ["real@3.0.0", "", {{}}, "{INTEGRITY}"],
    "a/c": ["c@1.0.0", "https://npm.corp.example/", {{}}, "{INTEGRITY}"],
    "d": ["d@1.0.0", "https://registry.npmjs.org/d/-/d-1.0.0.tgz", {{}}, "{INTEGRITY}"],
    "e": ["e@workspace:packages/e"],
    "f": ["f@git+https://host/f.git#{commit}", {{}}, "host-f"],
    "g": ["g@https://host/g.tgz", {{}}, "{INTEGRITY}"],
    "h": ["h@github:o/h#17620a2", {{}}, "o-h-17620a2"],
    "i": ["i@bitbucket:o/i#17620a2", {{}}, "o-i-17620a2"],
    "j": ["j@git@host:o/j.git#17620a2", {{}}, "o-j-17620a2"],"#
        ));
        assert_eq!(
            lines(&found(BunLock, &text)),
            [
                "pkg:npm/a@1.0.0 sha1".to_owned(),
                "pkg:npm/%40s/b@2.0.0-rc.1 sha1".to_owned(),
                "pkg:npm/real@3.0.0 sha1".to_owned(),
                "pkg:npm/c@1.0.0?repository_url=https:%2F%2Fnpm.corp.example%2F sha1".to_owned(),
                "pkg:npm/d@1.0.0 sha1".to_owned(),
                "(e) own".to_owned(),
                format!(
                    "pkg:npm/f@{commit}?vcs_url=git%2Bhttps:%2F%2Fhost%2Ff.git%40{commit} gitCommit"
                ),
                "(g) sha1".to_owned(),
                "pkg:npm/h@17620a2?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fh%4017620a2"
                    .to_owned(),
                "pkg:npm/i@17620a2?vcs_url=git%2Bhttps:%2F%2Fbitbucket.org%2Fo%2Fi%4017620a2"
                    .to_owned(),
                "pkg:npm/j@17620a2?vcs_url=git%2Bgit%40host:o%2Fj.git%4017620a2".to_owned(),
            ]
        );
    }

    #[test]
    fn patched_packages_are_noted() {
        let text = lock(&format!(r#""a": ["a@1.0.0", "", {{}}, "{INTEGRITY}"]"#));
        let patches = r#""patchedDependencies": {"a@1.0.0": "patches/a.patch"}, "packages""#;
        let found = found(BunLock, &text.replace("\"packages\"", patches));
        assert_eq!(lines(&found), ["pkg:npm/a@1.0.0 sha1"]);
        assert_eq!(
            notes(&found),
            "patched by the project, besides the package itself: a@1.0.0"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("{}".to_owned(), "$.lockfileVersion: is missing"),
            ("{\"lockfileVersion\": 7}".to_owned(), "is not 0 or 1"),
            (lock("\"a\": []"), "is empty"),
            (lock("\"a\": [\"a\"]"), "is not NAME@VERSION"),
            (lock("\"a\": [\"@\"]"), "is not NAME@VERSION"),
            (lock("\"a\": {}"), "$.packages.a"),
            (
                lock("\"a\": [\"a@1\", \"\", {}, \"sha512-AAAA\"]"),
                "no sha512",
            ),
            (lock("\"a\": [,]"), "x:8: column"),
            (lock("\"a\": [\"a@1\"], \"a\": [\"a@2\"]"), "x:8: column"),
            (lock("/* no end"), "x:"),
        ] {
            let error = refusal(BunLock, &text);
            assert!(error.contains(said), "{error}");
        }
        assert!(refusal(BunLock, &lock(&"[".repeat(100_000))).contains("x:8"));
    }
}

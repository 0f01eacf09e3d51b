//! ARCHITECTURE's promises: one more of something is one file and its place in one list.
//!
//! What is already there shows what one more would touch: the files that name its module.

use crate::{
    Tree, Violation,
    claims::is_product,
    modules::Modules,
    rules::{PROMISES, Promise},
};
use std::collections::{BTreeMap, BTreeSet};

/// One of what a promise is about.
pub struct Instance {
    /// Its module's name.
    pub name: String,
    /// Its file without `.rs`, or its folder.
    pub path: String,
}

/// What there is: every file and folder of the promise's folder that is not shared.
pub fn instances(tree: &Tree, promise: &Promise) -> Vec<Instance> {
    let Some(folder) = tree.first(promise.folders) else {
        return Vec::new();
    };
    let mut names = BTreeSet::new();
    for (path, _) in tree.rust() {
        let inside = path
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'));
        let first = inside.and_then(|inside| inside.split('/').next());
        names.extend(first.map(|name| name.trim_end_matches(".rs")));
    }
    let own = names
        .into_iter()
        .filter(|name| !promise.shared.contains(name));
    own.map(|name| Instance {
        name: name.to_owned(),
        path: format!("{folder}/{name}"),
    })
    .collect()
}

/// The files outside of an instance that name what is in it, with the first place of each.
pub fn files_that_name(
    instance: &Instance,
    modules: &Modules,
) -> BTreeMap<String, (usize, String)> {
    let mut files = BTreeMap::new();
    for one in modules.references() {
        if instance.has(&one.to) && !instance.has(&one.from) && is_product(&one.from) {
            files
                .entry(one.from.clone())
                .or_insert((one.line, one.path.clone()));
        }
    }
    files
}

/// Files that name an instance and are none of those that one more may touch.
pub fn broken(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    PROMISES
        .iter()
        .flat_map(|promise| broken_promise(tree, modules, promise))
        .collect()
}

fn broken_promise(tree: &Tree, modules: &Modules, promise: &Promise) -> Vec<Violation> {
    let Promise {
        one_more,
        folders,
        lists,
        led_by,
        about,
        ..
    } = promise;
    let all = instances(tree, promise);
    if all.is_empty() {
        let what = format!("there is no {one_more}");
        return vec![Violation::new(folders[0], 1, what)];
    }
    let led = led_by
        .map(|name| files_led_by(name, folders, modules))
        .unwrap_or_default();
    let mut found = Vec::new();
    for instance in all {
        let name = instance.name.as_str();
        for (file, (line, path)) in files_that_name(&instance, modules) {
            let is_about = about
                .iter()
                .any(|(of, place)| *of == name && file.starts_with(place));
            if !lists.contains(&file.as_str()) && !led.contains(&file) && !is_about {
                let what = format!("names the {one_more} {name}: {path}");
                found.push(Violation::new(&file, line, what));
            }
        }
    }
    found
}

/// The files that name the enum, which is defined in one of the folders.
fn files_led_by(name: &str, folders: &[&str], modules: &Modules) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for one in modules.references() {
        let defined = folders
            .iter()
            .any(|folder| one.to.starts_with(&format!("{folder}/")));
        if defined && one.path.split("::").any(|segment| segment == name) {
            files.insert(one.from.clone());
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMISE: Promise = Promise {
        one_more: "format",
        folders: &["a/src/formats"],
        shared: &["mod", "help"],
        lists: &["a/src/formats/mod.rs"],
        led_by: Some("Body"),
        about: &[("npm", "a/src/npm_only.rs")],
    };

    fn whats(other: &str, help: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("a/src/lib.rs", "mod formats; mod other; mod npm_only;"),
            (
                "a/src/formats/mod.rs",
                "mod help; pub mod cargo; pub mod npm; pub use npm::lock::Npm;\n\
                 pub enum Body { Npm(Npm) } fn f() { cargo::read(); npm::read() }",
            ),
            ("a/src/formats/help.rs", help),
            (
                "a/src/formats/cargo.rs",
                "use super::help::h; pub fn read() { h() }",
            ),
            (
                "a/src/formats/npm/mod.rs",
                "pub mod lock; pub fn read() { lock::g() }",
            ),
            ("a/src/formats/npm/lock.rs", "pub struct Npm; pub fn g() {}"),
            ("a/src/npm_only.rs", "use crate::formats::npm::read;"),
            ("a/src/other.rs", other),
        ]);
        let found = broken_promise(&tree, &Modules::of(&tree), &PROMISE);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_that_names_an_instance_is_caught() {
        assert_eq!(whats("fn f() {}", "pub fn h() {}"), [""; 0]);
        assert_eq!(
            whats(
                "use crate::formats::Npm;",
                "pub fn h() { super::cargo::read() }"
            ),
            [
                "a/src/formats/help.rs:1: names the format cargo: super::cargo::read",
                "a/src/other.rs:1: names the format npm: crate::formats::Npm",
            ]
        );
    }

    #[test]
    fn the_compiler_leads_to_files_that_match() {
        let led =
            "use crate::formats::{Body, Npm}; fn f(b: Body) { match b { Body::Npm(Npm) => {} } }";
        assert_eq!(whats(led, "pub fn h() {}"), [""; 0]);
    }

    #[test]
    fn a_promise_about_nothing_is_caught() {
        let tree = Tree::of(&[("b/src/lib.rs", "")]);
        assert_eq!(
            broken_promise(&tree, &Modules::of(&tree), &PROMISE).len(),
            1
        );
    }
}

//! ARCHITECTURE's promises: one more of something is one file and its place in one list.
//!
//! What is already there shows what one more would touch: the files that name its module.

use crate::{
    Tree, Violation,
    modules::Modules,
    rules::{PROMISES, Promise},
    tokens::{self, Leave},
};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use syn::{
    ExprMatch, Pat,
    visit::{self, Visit},
};

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
        if instance.has(&one.to) && !instance.has(&one.from) && modules.is_product(&one.from) {
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
        .map(|name| files_led_by(name, folders, tree, modules))
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

/// The files that `match` on the enum without an arm for the rest: the compiler leads there whoever
/// adds a variant. The enum is defined in one of the folders.
fn files_led_by(name: &str, folders: &[&str], tree: &Tree, modules: &Modules) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for one in modules.references() {
        let defined = folders
            .iter()
            .any(|folder| one.to.starts_with(&format!("{folder}/")));
        let names = defined && one.path.split("::").any(|segment| segment == name);
        if names && !files.contains(&one.from) && has_whole_match(name, tree, &one.from) {
            files.insert(one.from.clone());
        }
    }
    files
}

fn has_whole_match(name: &str, tree: &Tree, file: &str) -> bool {
    let parsed = tree.text(file).and_then(|text| syn::parse_file(text).ok());
    let mut matches = Matches { name, whole: false };
    parsed.iter().for_each(|file| matches.visit_file(file));
    matches.whole
}

/// Looks for a `match` with an arm for each variant of an enum, and none for the rest.
struct Matches<'n> {
    name: &'n str,
    whole: bool,
}

impl<'ast> Visit<'ast> for Matches<'_> {
    fn visit_expr_match(&mut self, found: &'ast ExprMatch) {
        let mut patterns: Vec<&Pat> = Vec::new();
        for arm in &found.arms {
            match &arm.pat {
                Pat::Or(or) => patterns.extend(&or.cases),
                one => patterns.push(one),
            }
        }
        patterns.retain(|pattern| {
            let tokens = tokens::of_stream(pattern.to_token_stream(), Leave::Nothing);
            tokens.first().is_none_or(|first| first.text != self.name)
        });
        self.whole |= patterns.is_empty() && found.arms.len() > 1;
        visit::visit_expr_match(self, found);
    }
}

/// Rows that let a file name an instance which it does not name.
pub fn idle_rows(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let mut found = Vec::new();
    for promise in PROMISES {
        let all = instances(tree, promise);
        for (name, place) in promise.about {
            let instance = all.iter().find(|instance| instance.name == *name);
            let files = instance
                .map(|one| files_that_name(one, modules))
                .unwrap_or_default();
            if !files.keys().any(|file| file.starts_with(place)) {
                let what = format!("does not name the {} {name} any more", promise.one_more);
                found.push(Violation::new(place, 1, what));
            }
        }
    }
    found
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
        let led = |code: &str| {
            let text = format!("use crate::formats::{{Body, Npm}}; fn f(b: Body) {{ {code} }}");
            whats(&text, "pub fn h() {}").is_empty()
        };
        assert!(led(
            "match b { Body::Npm(Npm) => {} Body::Cargo(_) | Body::Other => {} }"
        ));
        // Here a variant more is not heard of.
        assert!(!led(
            "match b { Body::Npm(Npm) => {} Body::Cargo(_) => {} _ => {} }"
        ));
        assert!(!led(
            "match b { Body::Npm(Npm) => {} Body::Cargo(_) => {} rest => {} }"
        ));
        assert!(!led("if let Body::Npm(Npm) = b {}"));
        assert!(!led("let npm: Npm = g(b);"));
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

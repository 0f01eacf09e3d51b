//! Which file names what of which other: the modules of every crate, and the paths in their code.
//!
//! A reference goes from the file that holds a path to the file that defines the item, through
//! every re-export on the way. Comments, `mod x;` and what is compiled for tests only refer to
//! nothing. Not seen: items that macros make (a reference goes to the file of the module that
//! should have them), and methods, which no path names.

mod read;
mod resolve;

use crate::{Tree, rules::TEST_PACKAGES};
use std::collections::{BTreeMap, BTreeSet};

/// A path in the code of one file that names an item of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The file that names the item.
    pub from: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The file that defines it.
    pub to: String,
    /// The path as it is written.
    pub path: String,
    /// Whether it does nothing but name the item again: `pub use`.
    pub reexport: bool,
    /// Whether both files belong to one library, program or test.
    pub same_crate: bool,
}

/// The modules of all crates of a tree, without those that are compiled for tests only.
pub struct Modules {
    modules: Vec<Module>,
    /// The root module of each library, by the name that other crates know it by.
    libraries: BTreeMap<String, usize>,
    references: Vec<Reference>,
}

struct Module {
    file: String,
    /// `None` for a crate's root.
    parent: Option<usize>,
    /// Whether it is shipped: part of a library or program, and not of the test tools.
    product: bool,
    names: BTreeMap<String, Vec<Name>>,
    /// What is imported by `*`.
    globs: Vec<Path>,
    uses: Vec<Use>,
    code: Vec<Path>,
}

/// What a name stands for in a module.
enum Name {
    Item,
    Module(usize),
    /// Another path; whether it is a re-export.
    Alias(Vec<String>, bool),
}

#[derive(Clone)]
struct Path {
    segments: Vec<String>,
    line: usize,
}

struct Use {
    path: Path,
    reexport: bool,
    glob: bool,
}

impl Modules {
    /// Reads the crates of `tree`: those of each package with a `Cargo.toml`, with its programs and
    /// integration tests.
    pub fn of(tree: &Tree) -> Self {
        let mut all = Self {
            modules: Vec::new(),
            libraries: BTreeMap::new(),
            references: Vec::new(),
        };
        let packages: Vec<_> = tree
            .files()
            .filter_map(|(path, text)| package(path, text))
            .collect();
        for (folder, name) in &packages {
            for root in roots(tree, folder) {
                let module = all.add_module(&root, None);
                let is_shipped = root.starts_with(&format!("{folder}src/"));
                all.modules[module].product = is_shipped && !TEST_PACKAGES.contains(&name.as_str());
                all.read_file(tree, &root, module);
                if root == format!("{folder}src/lib.rs") {
                    all.libraries.insert(name.replace('-', "_"), module);
                }
            }
        }
        all.references = all.find_references();
        all
    }

    /// Every reference from one file to another, sorted, each once a line.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The files that were read, each once.
    pub fn files(&self) -> BTreeSet<&str> {
        self.modules
            .iter()
            .map(|module| module.file.as_str())
            .collect()
    }

    /// Whether a file is part of what is shipped: a module of a library or program, compiled
    /// outside of tests, of a package that is no test tool.
    pub fn is_product(&self, file: &str) -> bool {
        let mut of_file = self.modules.iter().filter(|module| module.file == file);
        of_file.any(|module| module.product)
    }

    /// Whether a module of the file `below` lies below one of the file `above`.
    pub fn is_below(&self, above: &str, below: &str) -> bool {
        let mut of_file = self.modules.iter().filter(|module| module.file == below);
        of_file.any(|module| {
            let parents = std::iter::successors(module.parent, |at| self.modules[*at].parent);
            let mut files = parents.map(|at| self.modules[at].file.as_str());
            files.any(|file| file == above)
        })
    }

    fn add_module(&mut self, file: &str, parent: Option<usize>) -> usize {
        let product = parent.is_some_and(|parent| self.modules[parent].product);
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            product,
            names: BTreeMap::new(),
            globs: Vec::new(),
            uses: Vec::new(),
            code: Vec::new(),
        });
        self.modules.len() - 1
    }
}

/// The folder of a package (empty, or with a `/` at its end) and its name, if `path` is its
/// manifest.
pub fn package(path: &str, text: &str) -> Option<(String, String)> {
    let folder = path
        .strip_suffix("Cargo.toml")
        .filter(|f| f.is_empty() || f.ends_with('/'))?;
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim() != "[package]")
        .skip(1);
    let name = lines.find_map(|line| line.strip_prefix("name = \""))?;
    Some((
        folder.to_owned(),
        name.trim_end().trim_end_matches('"').to_owned(),
    ))
}

/// The root files of a package's library, programs and integration tests.
fn roots(tree: &Tree, folder: &str) -> Vec<String> {
    let mut roots = Vec::new();
    for (path, _) in tree.rust() {
        let Some(inside) = path.strip_prefix(folder) else {
            continue;
        };
        let parts: Vec<&str> = inside.split('/').collect();
        let is_root = match parts.as_slice() {
            ["src", "lib.rs" | "main.rs"] => true,
            ["src", "bin", file] | ["tests", file] => file.ends_with(".rs"),
            ["src", "bin", _, "main.rs"] | ["tests", _, "main.rs"] => true,
            _ => false,
        };
        if is_root {
            roots.push(path.to_owned());
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: (&str, &str) = ("a/Cargo.toml", "[package]\nname = \"assay-a\"\n");

    fn references(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(&[&[MANIFEST], files].concat());
        let mut shown = Vec::new();
        for Reference {
            from,
            line,
            to,
            path,
            reexport,
            ..
        } in Modules::of(&tree).references()
        {
            let mark = if *reexport { " again" } else { "" };
            shown.push(format!("{from}:{line} {to} {path}{mark}").replace("a/src/", ""));
        }
        shown
    }

    #[test]
    fn a_path_leads_to_the_file_that_defines_the_item() {
        let found = references(&[
            (
                "a/src/lib.rs",
                "mod b; mod c; pub use b::deep::Deep; pub fn root() {}",
            ),
            (
                "a/src/b/mod.rs",
                "pub mod deep; use self::deep::Deep as D; pub use super::c::C; fn f(_: D) {}",
            ),
            (
                "a/src/b/deep.rs",
                "pub struct Deep; impl Deep { pub fn new() -> Self { Deep } }",
            ),
            (
                "a/src/c.rs",
                "use crate::b;\npub struct C;\n\
                 fn f() { b::deep::Deep::new(); crate::Deep::new(); crate::root() }\n\
                 fn g(_: b::C) {}",
            ),
        ]);
        assert_eq!(
            found,
            [
                "b/mod.rs:1 b/deep.rs self::deep::Deep",
                "b/mod.rs:1 c.rs super::c::C again",
                "c.rs:3 b/deep.rs b::deep::Deep::new",
                "c.rs:3 b/deep.rs crate::Deep::new",
                "c.rs:3 lib.rs crate::root",
                "lib.rs:1 b/deep.rs b::deep::Deep again",
            ]
        );
    }

    #[test]
    fn a_reexport_that_its_own_file_uses_is_an_import() {
        let found = references(&[
            ("a/src/lib.rs", "mod b; pub use b::B;\nfn f(_: B) {}"),
            ("a/src/b.rs", "pub struct B;"),
        ]);
        assert_eq!(found, ["lib.rs:1 b.rs b::B again", "lib.rs:2 b.rs B"]);
    }

    #[test]
    fn what_stands_in_tests_macros_functions_and_globs() {
        let found = references(&[
            (
                "a/src/lib.rs",
                "mod b; mod c; #[cfg(test)] mod t; #[cfg(test)] use b::X;",
            ),
            (
                "a/src/b.rs",
                "pub struct X; pub fn y() {}\n#[cfg(test)] mod tests { use crate::c::Z; }",
            ),
            (
                "a/src/c.rs",
                "use super::b::*;\npub struct Z;\nfn f() { vec![X];\n\
                 assert!(crate::b::y());\nuse crate::b::{y as q}; }",
            ),
            ("a/src/t.rs", "use crate::b::X;"),
        ]);
        assert_eq!(
            found,
            [
                "c.rs:3 b.rs X",
                "c.rs:4 b.rs crate::b::y",
                "c.rs:5 b.rs crate::b::y"
            ]
        );
    }

    #[test]
    fn another_crate_is_known_by_its_name() {
        let found = references(&[
            ("a/src/lib.rs", "pub mod b;"),
            ("a/src/b.rs", "pub fn f() {}"),
            (
                "a/src/main.rs",
                "use assay_a::b; mod b {} fn main() { assay_a::b::f(); std::fs::read(); }",
            ),
        ]);
        assert_eq!(found, ["main.rs:1 b.rs assay_a::b::f"]);
    }

    #[test]
    fn names_that_lead_back_to_themselves_end() {
        let found = references(&[
            (
                "a/src/lib.rs",
                "mod b; use b::b; use c::d; use d::c; fn f() { b::x(); c::x(); }",
            ),
            ("a/src/b.rs", "pub fn b() {}"),
        ]);
        assert_eq!(
            found.first().map(String::as_str),
            Some("lib.rs:1 b.rs b::b")
        );
    }
}

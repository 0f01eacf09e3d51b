//! Files of one crate that import each other in a circle.

use crate::{
    Violation,
    modules::{Modules, Reference},
    rules::CIRCLE_FILES,
};
use std::collections::{BTreeMap, BTreeSet};

/// Files by the files that they import, with the first reference of each pair.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Reference>>;

/// Circles of too many files: sets in which every file reaches every other by imports.
///
/// Each violation names the files, and behind them every import that holds the circle together. To
/// name again what lies below, as a crate's root and a `mod.rs` do, is no import; any other `pub
/// use` is one.
pub fn large_circles(modules: &Modules) -> Vec<Violation> {
    let mut imports: Imports<'_> = BTreeMap::new();
    for reference in modules.references() {
        let Reference { from, to, .. } = reference;
        let is_front = reference.reexport && modules.is_below(from, to);
        if reference.same_crate && !is_front {
            let targets = imports.entry(from).or_default();
            targets.entry(to).or_insert(reference);
        }
    }
    let mut found = Vec::new();
    for circle in circles(&imports) {
        if circle.len() > CIRCLE_FILES {
            found.push(violation(&circle, &imports));
        }
    }
    found
}

fn violation(circle: &BTreeSet<&str>, imports: &Imports<'_>) -> Violation {
    let mut text = format!(
        "{} files import each other in a circle, over {CIRCLE_FILES}: {}",
        circle.len(),
        circle.iter().copied().collect::<Vec<_>>().join(", ")
    );
    for from in circle {
        for (to, first) in imports.get(from).into_iter().flatten() {
            if circle.contains(to) {
                text.push_str(&format!(
                    "\n    {from}:{}: {} is of {to}",
                    first.line, first.path
                ));
            }
        }
    }
    Violation::new(circle.first().copied().unwrap_or_default(), 1, text)
}

/// The strongly connected components of more than one file.
fn circles<'a>(imports: &Imports<'a>) -> Vec<BTreeSet<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = imports
        .keys()
        .map(|from| (*from, reachable(from, imports)))
        .collect();
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for (from, targets) in &reached {
        if found.iter().any(|circle| circle.contains(from)) {
            continue;
        }
        let mut circle = BTreeSet::new();
        for to in targets {
            if reached.get(to).is_some_and(|back| back.contains(from)) {
                circle.insert(*to);
            }
        }
        if circle.len() > 1 {
            found.push(circle);
        }
    }
    found
}

/// The files that are imported by `from`, or by a file that is.
fn reachable<'a>(from: &str, imports: &Imports<'a>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(file) = next.pop() {
        for to in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(*to) {
                next.push(to);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tree;

    /// A crate of `n` files, of which each imports the next and the last the first.
    fn ring(n: usize) -> Tree {
        let mut files = vec![(
            "Cargo.toml".to_owned(),
            "[package]\nname = \"a\"\n".to_owned(),
        )];
        let list: Vec<_> = (0..n).map(|i| format!("mod m{i};")).collect();
        files.push(("src/lib.rs".to_owned(), list.join("\n")));
        for i in 0..n {
            let next = (i + 1) % n;
            let text = format!("use crate::m{next}::T{next};\npub struct T{i};");
            files.push((format!("src/m{i}.rs"), text));
        }
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        Tree::of(&files)
    }

    #[test]
    fn a_large_circle_is_caught() {
        assert_eq!(large_circles(&Modules::of(&ring(4))), []);
        let found = large_circles(&Modules::of(&ring(5)));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].what.starts_with("5 files import each other"),
            "{}",
            found[0]
        );
        assert!(
            found[0]
                .what
                .contains("src/m4.rs:1: crate::m0::T0 is of src/m0.rs"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn an_import_is_not_hidden_by_making_it_visible() {
        for visible in ["pub(super)", "pub(crate)", "pub(in crate)", "pub"] {
            let mut tree = ring(5);
            for (path, text) in ring(5).files().filter(|(path, _)| path.contains("/m")) {
                tree.put(path, &text.replace("use", &format!("{visible} use")));
            }
            assert_eq!(large_circles(&Modules::of(&tree)).len(), 1, "{visible}");
        }
    }

    #[test]
    fn a_chain_is_no_circle() {
        let tree = Tree::of(&[
            ("Cargo.toml", "[package]\nname = \"a\"\n"),
            (
                "src/lib.rs",
                "mod b; mod c; mod d; mod e; mod f; pub use f::F;",
            ),
            ("src/b.rs", "pub struct B;"),
            ("src/c.rs", "pub struct C(crate::b::B);"),
            ("src/d.rs", "pub struct D(crate::c::C);"),
            ("src/e.rs", "pub struct E(crate::d::D);"),
            ("src/f.rs", "pub struct F(crate::e::E, crate::b::B);"),
        ]);
        assert_eq!(large_circles(&Modules::of(&tree)), []);
    }
}

//! A claim is read once: nothing outside the kinds' own files parses a predicate, writes the URI of
//! a predicate type, or tells kinds apart by a string.

use crate::{
    Tree, Violation,
    modules::{Modules, Reference},
    promises::{Instance, instances},
    rules::{KINDS, TYPE_CONSTANTS, TYPE_URIS},
    tokens::{self, Kind, Leave, Token},
};

/// Literals that begin like the URI of a predicate type, in code that is not of the kinds.
/// Attributes, and so the help texts of the command line, do not count.
pub fn type_uris(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    each_literal(tree, modules, |tokens, at| {
        let text = unquoted(&tokens[at].text);
        let is_type = TYPE_URIS.iter().any(|uri| text.starts_with(uri));
        is_type.then(|| format!("writes the predicate type {text}"))
    })
}

/// Comparisons with the short name of a kind: `==`, `!=`, or the arm of a `match`.
pub fn compared_names(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let instances = instances(tree, &KINDS);
    each_literal(tree, modules, |tokens, at| {
        let text = unquoted(&tokens[at].text);
        let is_name = instances
            .iter()
            .any(|kind| kind.name.replace('_', "-") == text);
        (is_name && is_compared(tokens, at))
            .then(|| format!("tells a claim type by the name {text:?}"))
    })
}

/// Uses of a kind's constants for its type outside of the kinds, and calls that parse a predicate.
pub fn parsed_again(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let instances = instances(tree, &KINDS);
    let mut found = Vec::new();
    for Reference {
        from,
        line,
        to,
        path,
        ..
    } in modules.references()
    {
        let of_kind = instances.iter().any(|kind| kind.has(to));
        if !of_kind || is_of_kinds(tree, from) || !is_product(from) {
            continue;
        }
        let last = path.rsplit("::").next().unwrap_or(path);
        if last == "parse" || last.starts_with("parse_") {
            let what = format!("parses a predicate: {path} of {to}");
            found.push(Violation::new(from, *line, what));
        } else if TYPE_CONSTANTS.contains(&last) {
            let what = format!("names the type of a claim: {path} of {to}");
            found.push(Violation::new(from, *line, what));
        }
    }
    found
}

/// Whether a file is part of what is shipped, and not of the test tools.
pub fn is_product(path: &str) -> bool {
    !path.starts_with("tests/") && !path.contains("/tests/")
}

fn is_of_kinds(tree: &Tree, path: &str) -> bool {
    let folder = tree.first(KINDS.folders).unwrap_or_default();
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// What `judge` says of each literal in code that is neither of the kinds nor of tests.
fn each_literal(
    tree: &Tree,
    modules: &Modules,
    judge: impl Fn(&[Token], usize) -> Option<String>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in modules.files() {
        if is_of_kinds(tree, path) || !is_product(path) {
            continue;
        }
        let text = tree.text(path).unwrap_or_default();
        let tokens = tokens::of_source(text, Leave::TestsAndAttributes).unwrap_or_default();
        for (at, token) in tokens.iter().enumerate() {
            if token.kind == Kind::Literal
                && let Some(what) = judge(&tokens, at)
            {
                found.push(Violation::new(path, token.line, what));
            }
        }
    }
    found
}

fn unquoted(literal: &str) -> &str {
    literal
        .trim_start_matches(['b', 'r', '#'])
        .trim_end_matches('#')
        .trim_matches('"')
}

/// Whether a literal stands beside `==` or `!=`, or is a pattern before `=>`.
fn is_compared(tokens: &[Token], at: usize) -> bool {
    let (before, after) = (&tokens[..at], &tokens[at + 1..]);
    let before: Vec<&str> = before
        .iter()
        .rev()
        .take(2)
        .map(|token| token.text.as_str())
        .collect();
    let after: Vec<&str> = after
        .iter()
        .take(2)
        .map(|token| token.text.as_str())
        .collect();
    matches!(before[..], ["=", "=" | "!"]) || matches!(after[..], ["=", "=" | ">"] | ["!", "="])
}

impl Instance {
    /// Whether the file is one of its own.
    pub fn has(&self, file: &str) -> bool {
        file == format!("{}.rs", self.path) || file.starts_with(&format!("{}/", self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(text: &str) -> (Tree, Modules) {
        let tree = Tree::of(&[
            (
                "core/claims/Cargo.toml",
                "[package]\nname = \"assay-claims\"\n",
            ),
            ("core/claims/src/lib.rs", "pub mod kind; pub mod other;"),
            (
                "core/claims/src/kind/mod.rs",
                "pub mod vex; pub use vex::Vex;",
            ),
            (
                "core/claims/src/kind/vex.rs",
                "pub const URI: &str = \"https://openvex.dev/ns\";\n\
                 pub struct Vex; impl Vex { pub fn parse() {} pub fn shown() {} }",
            ),
            ("core/claims/src/other.rs", text),
        ]);
        let modules = Modules::of(&tree);
        (tree, modules)
    }

    #[test]
    fn a_type_uri_is_caught() {
        for bad in [
            "const A: &str = \"https://openvex.dev/ns/v0.2.0\";",
            "fn f() { g(\"urn:assay:issuer:v1\") }",
            "fn f() { format!(r#\"https://slsa.dev/provenance/v1\"#) }",
        ] {
            let (tree, modules) = plant(bad);
            assert_eq!(type_uris(&tree, &modules).len(), 1, "{bad}");
        }
        let good = "/// \"https://openvex.dev/ns\"\n#[arg(help = \"https://slsa.dev/x\")] struct A;
            #[cfg(test)] mod t { const A: &str = \"urn:assay:x:v1\"; }
            const B: &str = \"https://example.org/urn:assay:\";";
        let (tree, modules) = plant(good);
        assert_eq!(type_uris(&tree, &modules), []);
    }

    #[test]
    fn a_predicate_that_is_parsed_again_is_caught() {
        for bad in [
            "use crate::kind::Vex; fn f() { Vex::parse() }",
            "use crate::kind; fn f() { kind::vex::Vex::parse() }",
            "use crate::kind::vex; fn f() { x == vex::URI }",
        ] {
            let (tree, modules) = plant(bad);
            let found = parsed_again(&tree, &modules);
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
        }
        let (tree, modules) = plant("use crate::kind::Vex; fn f() { Vex::shown(); parse() }");
        assert_eq!(parsed_again(&tree, &modules), []);
    }

    #[test]
    fn a_comparison_of_names_is_caught() {
        for bad in [
            "fn f() { x.name == \"vex\" }",
            "fn f() { \"vex\" != x.name }",
            "fn f() { match x { \"vex\" => 1, _ => 2 } }",
        ] {
            let (tree, modules) = plant(bad);
            assert_eq!(compared_names(&tree, &modules).len(), 1, "{bad}");
        }
        let (tree, modules) = plant("fn f() { let x = \"vex\"; y == \"vexed\" }");
        assert_eq!(compared_names(&tree, &modules), []);
    }
}

//! A claim is read once: nothing outside the kinds' own files parses a predicate, writes the URI of
//! a predicate type, or tells kinds apart by a string or by looking one up.

use crate::{
    Tree, Violation,
    modules::{Modules, Reference},
    promises::{Instance, instances},
    rules::{
        KINDS, LOOKS_UP, May, NAMED, NO_TYPES, TEXT_SEARCHES, TYPE_CONSTANTS, TYPE_LOOKUPS,
        TYPE_URIS,
    },
    tokens::{self, Kind, Leave, Token},
};
use std::collections::BTreeSet;

/// The file with the list of all claim types, and what reads a predicate by its URI.
const LIST: &str = KINDS.lists[0];

/// Literals that are a predicate type's URI or a part by which one is told, in code that is not of
/// the kinds. Attributes, and so the help texts of the command line, do not count.
///
/// A part is a beginning of one of [`TYPE_URIS`] that is longer than a scheme, what the literals of
/// a `concat!` make together, and any piece of a URI in a call such as `ends_with`
/// ([`TEXT_SEARCHES`]).
pub fn type_uris(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let known = known_uris(tree);
    each_text(tree, modules, |tokens, at, text| {
        let begins = TYPE_URIS.iter().any(|uri| text.starts_with(uri));
        let begun =
            text.len() > "https://".len() && TYPE_URIS.iter().any(|uri| uri.starts_with(text));
        let whole = concatenated(tokens, at);
        let is_made = whole.is_some_and(|whole| TYPE_URIS.iter().any(|uri| whole.starts_with(uri)));
        let is_piece = is_searched_for(tokens, at)
            && text.len() >= PIECE_BYTES
            && !"https://".contains(text)
            && known.iter().any(|uri| uri.contains(text));
        let is_another = NO_TYPES.iter().any(|name| text.starts_with(name));
        (!is_another && (begins || begun || is_made || is_piece))
            .then(|| format!("writes the predicate type {text:?}, or a part of it"))
    })
}

/// Shortest piece of a URI by which one could be told from others.
const PIECE_BYTES: usize = 4;

/// The URIs of all predicate types, and whatever else the kinds' files write that begins like one.
fn known_uris(tree: &Tree) -> BTreeSet<String> {
    let mut uris = BTreeSet::new();
    for (_, text) in tree.rust().filter(|(path, _)| is_of_kinds(tree, path)) {
        let tokens = tokens::of_source(text, Leave::TestsAndAttributes).unwrap_or_default();
        let literals = tokens.iter().filter(|token| token.kind == Kind::Literal);
        let texts = literals.filter_map(|token| tokens::text_of(&token.text));
        uris.extend(texts.filter(|text| TYPE_URIS.iter().any(|uri| text.starts_with(uri))));
    }
    uris
}

/// What the literals of the `concat!` make that a literal is the first of.
fn concatenated(tokens: &[Token], at: usize) -> Option<String> {
    let before: Vec<&str> = (at.checked_sub(3)?..at)
        .map(|at| tokens[at].text.as_str())
        .collect();
    if before[..2] != ["concat", "!"] {
        return None;
    }
    let parts = tokens[at..]
        .iter()
        .take_while(|token| token.kind == Kind::Literal || token.text == ",");
    Some(
        parts
            .filter_map(|token| tokens::text_of(&token.text))
            .collect(),
    )
}

/// Whether a literal is an argument of a call that looks for it in a text.
fn is_searched_for(tokens: &[Token], at: usize) -> bool {
    let call = at.checked_sub(2).map(|call| &tokens[call]);
    call.is_some_and(|call| TEXT_SEARCHES.contains(&call.text.as_str()))
        && tokens[at - 1].text == "("
}

/// Short names of kinds that are written outside of the kinds, where [`NAMED`] does not list them.
pub fn kind_names(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let names = names(tree);
    let mut found = each_text(tree, modules, |_, _, text| {
        let is_name = names.iter().any(|name| name == text);
        is_name.then(|| text.to_owned())
    });
    found.retain(|one| !may(NAMED, one));
    for one in &mut found {
        one.what = format!("writes the name of a claim type: {:?}", one.what);
    }
    found
}

/// Whether a row lets the file of `found` say what it says.
fn may(rows: &[May], found: &Violation) -> bool {
    rows.iter()
        .any(|row| row.file == found.file && row.names.contains(&found.what.as_str()))
}

/// Rows of [`NAMED`] and [`LOOKS_UP`] that allow what nobody does.
pub fn idle_rows(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let mut done = each_text(tree, modules, |_, _, text| Some(text.to_owned()));
    done.extend(looked_up(tree, modules));
    let mut found = Vec::new();
    for row in NAMED.iter().chain(LOOKS_UP) {
        for name in row.names {
            let mut of_file = done.iter().filter(|one| one.file == row.file);
            if !of_file.any(|one| one.what == *name) {
                let what = format!("has no {name:?} any more: {}", row.why);
                found.push(Violation::new(row.file, 1, what));
            }
        }
    }
    found
}

/// The short names of the kinds: those of their files.
fn names(tree: &Tree) -> Vec<String> {
    let all = instances(tree, &KINDS);
    all.iter().map(|kind| kind.name.replace('_', "-")).collect()
}

/// Functions that find a kind by a URI, or the URIs of a kind, where [`LOOKS_UP`] does not list
/// them: what a claim is about is told by `match` on its body.
pub fn looks_up_types(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let mut found = looked_up(tree, modules);
    found.retain(|one| !may(LOOKS_UP, one));
    for one in &mut found {
        one.what = format!("looks up the type of a claim by {}", one.what);
    }
    found
}

/// Names of [`TYPE_LOOKUPS`] in paths that lead to the list of the kinds, and a type's URIs as a
/// field or method.
fn looked_up(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let mut found = each_token(tree, modules, |tokens, at| {
        let is_member = at > 0 && tokens[at - 1].text == ".";
        (is_member && tokens[at].text == "uris").then(|| "uris".to_owned())
    });
    for Reference {
        from,
        line,
        to,
        path,
        ..
    } in modules.references()
    {
        let last = path.rsplit("::").next().unwrap_or(path);
        let is_lookup = to == LIST && TYPE_LOOKUPS.contains(&last);
        if is_lookup && !is_of_kinds(tree, from) && modules.is_product(from) {
            found.push(Violation::new(from, *line, last));
        }
    }
    found
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
        if !of_kind || is_of_kinds(tree, from) || !modules.is_product(from) {
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

fn is_of_kinds(tree: &Tree, path: &str) -> bool {
    let folder = tree.first(KINDS.folders).unwrap_or_default();
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// What `judge` says of each token in code that is neither of the kinds nor of tests.
fn each_token(
    tree: &Tree,
    modules: &Modules,
    judge: impl Fn(&[Token], usize) -> Option<String>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in modules.files() {
        if is_of_kinds(tree, path) || !modules.is_product(path) {
            continue;
        }
        let text = tree.text(path).unwrap_or_default();
        let tokens = tokens::of_source(text, Leave::TestsAndAttributes).unwrap_or_default();
        for (at, token) in tokens.iter().enumerate() {
            if let Some(what) = judge(&tokens, at) {
                found.push(Violation::new(path, token.line, what));
            }
        }
    }
    found
}

/// What `judge` says of each literal of text, which it is given without quotes and escapes.
fn each_text(
    tree: &Tree,
    modules: &Modules,
    judge: impl Fn(&[Token], usize, &str) -> Option<String>,
) -> Vec<Violation> {
    each_token(tree, modules, |tokens, at| {
        let is_literal = tokens[at].kind == Kind::Literal;
        let text = is_literal
            .then(|| tokens::text_of(&tokens[at].text))
            .flatten()?;
        judge(tokens, at, &text)
    })
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
        plant_at("core/claims/src/other.rs", text)
    }

    fn plant_at(path: &str, text: &str) -> (Tree, Modules) {
        let kind = "pub const URI: &str = \"https://openvex.dev/ns/v0.2.0\";\n\
            pub struct Vex; impl Vex { pub fn parse() {} pub fn shown() {} }";
        let list = "pub mod vex; pub use vex::Vex; pub enum Kind { Vex } pub fn by_uri() {}";
        let tree = Tree::of(&[
            (
                "core/claims/Cargo.toml",
                "[package]\nname = \"assay-claims\"\n",
            ),
            (
                "core/claims/src/lib.rs",
                "pub mod kind; pub mod other; #[cfg(test)] mod tests;",
            ),
            ("core/claims/src/kind/mod.rs", list),
            ("core/claims/src/kind/vex.rs", kind),
            (path, text),
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
            "fn f() { x.starts_with(\"https://openvex.dev/\") }",
            "const A: &str = \"https://openvex.dev\";",
            "fn f() { x.ends_with(\"/ns/v0.2.0\") }",
            "fn f() { x.contains(\"openvex\") }",
            "const A: &str = concat!(\"urn:\", \"assay:vex\");",
            r#"const A: &str = "\u{75}rn:assay:issuer:v1";"#,
            "const A: &[u8] = b\"urn:assay:issuer:v1\";",
        ] {
            let (tree, modules) = plant(bad);
            assert_eq!(type_uris(&tree, &modules).len(), 1, "{bad}");
        }
        let good = "/// \"https://openvex.dev/ns\"\n#[arg(help = \"https://slsa.dev/x\")] struct A;
            #[cfg(test)] mod t { const A: &str = \"urn:assay:x:v1\"; }
            fn f() { x.starts_with(\"https://\"); x.contains(\"ns\"); x.contains(\"urn:uuid\") }
            const C: &str = concat!(\"urn:\", \"uuid\");
            const B: &str = \"https://example.org/urn:assay:\";";
        let (tree, modules) = plant(good);
        assert_eq!(type_uris(&tree, &modules), []);
    }

    #[test]
    fn looking_up_a_type_is_caught() {
        for bad in [
            "use crate::kind::Kind; fn f() { Kind::of(uri) == Kind::Vex }",
            "use crate::kind::Kind as K; fn f() { K::of(uri) == K::Vex }",
            "use crate::kind::Kind; fn f() { Kind::Vex.uris().any(|u| u == uri) }",
            "use crate::kind; fn f() { kind::by_uri(uri).name == a.name }",
            "use crate::kind::by_uri as known; fn f() { known(uri).name == a.name }",
            "use crate::kind; fn f() { known.uris.contains(uri) }",
        ] {
            let (tree, modules) = plant(bad);
            assert_eq!(looks_up_types(&tree, &modules).len(), 1, "{bad}");
        }
        let (tree, modules) =
            plant("use crate::kind::Kind; fn f(k: Kind) { k == Kind::Vex; of() }");
        assert_eq!(looks_up_types(&tree, &modules), []);
    }

    #[test]
    fn a_folder_named_tests_is_no_excuse() {
        let text = "fn f() { x == \"vex\" }";
        let names = |path: &str| {
            let (tree, modules) = plant_at(path, text);
            kind_names(&tree, &modules).len()
        };
        // `mod tests` of the root is compiled for tests only.
        assert_eq!(names("core/claims/src/tests/mod.rs"), 0);
        assert_eq!(names("core/claims/tests/x.rs"), 0);
        let (tree, modules) = plant("mod tests;");
        assert_eq!(kind_names(&tree, &modules), []);
        let mut tree = tree;
        tree.put("core/claims/src/other/tests/mod.rs", text);
        assert_eq!(kind_names(&tree, &Modules::of(&tree)).len(), 1);
        tree.put(
            "core/claims/src/other.rs",
            "#[cfg(any(test, unix))] mod tests;",
        );
        assert_eq!(kind_names(&tree, &Modules::of(&tree)).len(), 1);
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
    fn the_name_of_a_kind_is_caught() {
        for bad in [
            "fn f() { x.name == \"vex\" }",
            "fn f() { \"vex\" != x.name }",
            "fn f() { match x { \"vex\" => 1, _ => 2 } }",
            "fn f() { matches!(name, \"vex\") }",
            "fn f() { match x { Some(\"vex\") => 1, _ => 2 } }",
            "fn f() { x == Some(\"vex\") }",
            "fn f() { match x { \"vex\" if c => 1, _ => 2 } }",
            "fn f() { match x { \"vex\" | \"scan\" => 1, _ => 2 } }",
            "fn f() { name.eq(\"vex\") }",
            "fn f() { [\"vex\"].contains(&name) }",
            "fn f() { x == &\"vex\" }",
            "const A: &str = \"\\x76ex\";",
            "const A: &[u8] = b\"vex\";",
        ] {
            let (tree, modules) = plant(bad);
            assert_eq!(kind_names(&tree, &modules).len(), 1, "{bad}");
        }
        let good = "#[arg(name = \"vex\")] struct A; fn f() { y == \"vexed\" }
            #[cfg(test)] fn g() { \"vex\" }";
        let (tree, modules) = plant(good);
        assert_eq!(kind_names(&tree, &modules), []);
    }
}

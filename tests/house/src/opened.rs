//! Who opens files: `host/src/files.rs` does, which waits for nobody.

use crate::{
    Tree, Violation,
    modules::Modules,
    rules::{OPENERS, OPENS},
    tokens::{self, Kind, Leave, Token},
};

/// Names of the standard library, and of others, that open what stands at a path, whatever it is:
/// in what is shipped, outside of [`OPENERS`].
pub fn by_themselves(tree: &Tree, modules: &Modules) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in modules.files() {
        let is_tool = path.starts_with("tests/") || OPENERS.contains(&path);
        if is_tool || !modules.is_product(path) {
            continue;
        }
        let text = tree.text(path).unwrap_or_default();
        let tokens = tokens::of_source(text, Leave::TestsAndAttributes).unwrap_or_default();
        for (at, token) in tokens.iter().enumerate() {
            if let Some(name) = opens(&tokens, at) {
                let what = format!("opens a file by {name}: assay_host::files waits for nobody");
                found.push(Violation::new(path, token.line, what));
            }
        }
    }
    found
}

/// The name that opens a file, if one ends here. Literals do not count.
fn opens(tokens: &[Token], at: usize) -> Option<&'static str> {
    OPENS.iter().copied().find(|name| {
        let parts = name.split("::").flat_map(|part| ["::", part]);
        let parts: Vec<&str> = parts.skip(1).collect();
        let start = (at + 1).checked_sub(parts.len());
        start.is_some_and(|start| {
            parts
                .iter()
                .enumerate()
                .all(|(n, part)| word(tokens, start + n) == *part)
        })
    })
}

fn word(tokens: &[Token], at: usize) -> &str {
    match tokens.get(at) {
        Some(token) if token.kind != Kind::Literal => &token.text,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        let manifest = "[package]\nname = \"assay-x\"\n";
        let tree = Tree::of(&[("x/Cargo.toml", manifest), (path, text)]);
        by_themselves(&tree, &Modules::of(&tree)).len()
    }

    #[test]
    fn opening_by_oneself_is_caught() {
        for bad in [
            "fn f() { std::fs::read(p); }",
            "use std::fs; fn f() { fs::read_to_string(p); }",
            "use std::fs::File; fn f() { File::open(p); }",
            "fn f() { std::fs::File::create(p); }",
            "fn f() { PrivateKeyDer::from_pem_file(p); }",
        ] {
            assert_eq!(found("x/src/lib.rs", bad), 1, "{bad}");
        }
        for good in [
            "use assay_host::files; fn f() { files::read(p); files::open(p); }",
            "fn f() { x.read(p); fs::read_dir(p); PeerFile::open(p); \"fs::read\"; }",
            "#[cfg(test)] mod tests { fn f() { std::fs::read(p); } }",
        ] {
            assert_eq!(found("x/src/lib.rs", good), 0, "{good}");
        }
    }
}

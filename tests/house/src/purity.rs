//! Keeps the crates below `core/` pure: what their source names.
//!
//! [`links`](crate::links) is the other net, because either has holes: the list of crates says
//! nothing of the standard library, and a scan of the source says nothing of what a dependency
//! does. Neither proves purity against an author who means to evade them; they catch the
//! `Instant::now()` that slips in.

use crate::{
    Tree, Violation,
    modules::package,
    rules::{IMPURE_MACROS, IMPURE_MODULES, IMPURE_NAMES},
    tokens::{self, Kind, Leave, Token},
};

/// Clocks, files, sockets, threads, terminals and the like in the sources of core, tests included.
pub fn impurities(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in core_folders(tree) {
        let sources = format!("{folder}src/");
        for (path, text) in tree.rust().filter(|(path, _)| path.starts_with(&sources)) {
            let Some(named) = violations(text) else {
                found.push(Violation::new(path, 1, "is not Rust"));
                continue;
            };
            for (line, what) in named {
                found.push(Violation::new(path, line, what));
            }
        }
    }
    found
}

/// The folders of the crates below `core/`, each with a `/` at its end.
pub fn core_folders(tree: &Tree) -> Vec<String> {
    let packages = tree.files().filter_map(|(path, text)| package(path, text));
    packages
        .map(|(folder, _)| folder)
        .filter(|folder| folder.starts_with("core/"))
        .collect()
}

/// What `source` names that core must not, with the line of each. Comments and literals do not
/// count.
fn violations(source: &str) -> Option<Vec<(usize, String)>> {
    let tokens = tokens::of_source(source, Leave::Nothing)?;
    let text = |at: usize| match tokens.get(at) {
        Some(token) if token.kind != Kind::Literal => token.text.as_str(),
        _ => "",
    };
    let mut found = Vec::new();
    for (
        at,
        Token {
            line,
            text: token,
            kind,
        },
    ) in tokens.iter().enumerate()
    {
        if *kind != Kind::Word {
            continue;
        }
        if IMPURE_NAMES.contains(&token.as_str()) {
            found.push((*line, token.clone()));
        } else if IMPURE_MACROS.contains(&token.as_str()) && text(at + 1) == "!" {
            found.push((*line, format!("{token}!")));
        } else if text(at + 1) == "::" && text(at + 2) == "now" {
            found.push((*line, format!("{token}::now")));
        } else if ["std", "core"].contains(&token.as_str()) && text(at + 1) == "::" {
            let group = text(at + 2) == "{";
            let named = if group {
                first_segments(&tokens, at + 2)
            } else {
                vec![at + 2]
            };
            for module in named
                .into_iter()
                .filter(|at| IMPURE_MODULES.contains(&text(*at)))
            {
                found.push((tokens[module].line, format!("{token}::{}", text(module))));
            }
        }
    }
    Some(found)
}

/// The positions of `a`, `b` and `c` in `{a, b::x, c::{y, z}}`, whose opening brace is at `open`.
fn first_segments(tokens: &[Token], open: usize) -> Vec<usize> {
    let (mut depth, mut expected, mut found) = (0, false, Vec::new());
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            _ if depth == 1 && expected => found.push(at),
            _ => {}
        }
        // A leading `::` is no name.
        let opens = matches!(token.text.as_str(), "{" | ",");
        expected = depth == 1 && (opens || expected && token.text == "::");
        if depth == 0 {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_catches_planted_violations() {
        for planted in [
            "use std::fs;",
            "use std::fs::File;",
            "fn f() { let _ = std :: fs :: read(\"x\"); }",
            "use std::{collections::BTreeMap, net::{IpAddr, TcpStream}};",
            "use std::{fmt, time};",
            "use ::std::{self, process};",
            "use core::time::Duration;",
            "use std::{\n    // a comment\n    env,\n};",
            "fn f() { std::thread::spawn(|| ()); }",
            "fn now() { Instant::now(); }",
            "fn now() { let _ = SystemTime::now(); }",
            "fn f() { println!(\"x\"); }",
            "fn f() { eprintln ! (\"x\"); }",
            "fn f() { std::io::stdout(); }",
            "async fn f() {}",
            "use tokio::sync::Notify;",
            "fn f() { tracing::info!(\"x\"); }",
            "fn f() { let q = '\"'; std::fs::read(q); let r = '\"'; }",
            "fn f<'a>(x: &'a str) { std::fs::read(x); }",
            "const R: &str = r#\"quote \" inside\"#; use std::fs;",
            "/* outer /* inner */ still a comment */ use std::fs;",
        ] {
            assert!(
                !violations(planted).expect("Rust").is_empty(),
                "not caught: {planted}"
            );
        }
    }

    #[test]
    fn the_scan_leaves_innocent_source_alone() {
        for innocent in [
            "use std::{collections::BTreeMap, fmt, sync::Arc};",
            "// std::fs would be wrong here, and so would Instant::now()\nfn f() {}",
            "/// Never calls `SystemTime::now`.\nfn f() {}",
            "const HELP: &str = \"run std::fs::read, then println!\";",
            "const HELP: &str = r##\"std::fs \"# SystemTime\"##; fn f() {}",
            "const B: &[u8] = b\"std::fs \\\" tokio\"; const C: char = '\\'';",
            "fn time(env: u8) -> u8 { env }",
            "struct Tree { process: u8 }",
            "enum Instant { Day, Second } fn f(now: Instant) {}",
        ] {
            assert_eq!(
                violations(innocent).expect("Rust"),
                [],
                "caught wrongly: {innocent}"
            );
        }
    }

    #[test]
    fn a_violation_is_reported_with_its_line() {
        let found = violations("// one\nconst A: &str = \"two\n\";\nuse std::fs;\n");
        assert_eq!(found.expect("Rust"), [(4, "std::fs".to_owned())]);
    }

    #[test]
    fn every_crate_below_core_is_scanned() {
        let (manifest, bad) = ("[package]\nname = \"x\"\n", "use std::fs;");
        let tree = Tree::of(&[
            ("core/Cargo.toml", manifest),
            ("core/src/a.rs", bad),
            ("core/tlog/Cargo.toml", manifest),
            ("core/tlog/src/deep/a.rs", bad),
            ("core/tlog/tests/a.rs", bad),
            ("node/Cargo.toml", manifest),
            ("node/src/a.rs", bad),
        ]);
        let found: Vec<_> = impurities(&tree).into_iter().map(|one| one.file).collect();
        assert_eq!(found, ["core/src/a.rs", "core/tlog/src/deep/a.rs"]);
    }
}

//! Keeps the crates of `core/` pure: what it links and what its source names.
//!
//! Two nets, because either has holes: the list of crates says nothing of the standard library, and
//! a scan of the source says nothing of what a dependency does. Neither proves purity against an
//! author who means to evade them; they catch the `Instant::now()` that slips in.

#![allow(clippy::expect_used, reason = "a test that cannot look fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Every crate that core may link, with those that its dependencies pull in. Who adds one has read
/// it for clocks, files, sockets, threads, random numbers and logging, and says in the commit that
/// there are none.
const ALLOWED_CRATES: &[&str] = &[
    "arraydeque",
    "assay-claims",
    "assay-intake",
    "assay-policy",
    "assay-tlog",
    "base64",
    "block-buffer",
    "bytes",
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "curve25519-dalek",
    "digest",
    "ed25519",
    "ed25519-dalek",
    "hex",
    "hybrid-array",
    "itoa",
    "memchr",
    "prost",
    "saphyr-parser",
    "semver",
    "serde",
    "serde_core",
    "serde_json",
    "serde_spanned",
    "sha2",
    "signature",
    "subtle",
    "thiserror",
    "toml",
    "toml_datetime",
    "toml_parser",
    "typenum",
    "winnow",
    "zeroize",
    "zmij",
];

/// Modules of `std` that do what core leaves to its callers.
const FORBIDDEN_MODULES: &[&str] = &["env", "fs", "net", "os", "process", "thread", "time"];

/// Names that mean, wherever they come from, a clock (so does any `::now`), randomness,
/// a terminal, a thread, logging or an async runtime.
const FORBIDDEN_NAMES: &[&str] = &[
    "Condvar",
    "Mutex",
    "RandomState",
    "RwLock",
    "SystemTime",
    "UNIX_EPOCH",
    "async",
    "await",
    "chrono",
    "getrandom",
    "mpsc",
    "rand",
    "stderr",
    "stdin",
    "stdout",
    "thread_local",
    "tokio",
    "tracing",
];

/// Macros that print.
const FORBIDDEN_MACROS: &[&str] = &["dbg", "eprint", "eprintln", "print", "println"];

#[test]
fn core_links_only_crates_that_are_listed() {
    let linked = ["assay-intake", "assay-policy"]
        .into_iter()
        .flat_map(crates_linked_by)
        .collect::<BTreeSet<_>>();
    assert!(
        linked.contains("assay-tlog") && linked.contains("sha2"),
        "cargo tree listed too little: {linked:?}"
    );
    let strangers: Vec<_> = linked
        .iter()
        .filter(|name| !ALLOWED_CRATES.contains(&name.as_str()))
        .collect();
    assert!(
        strangers.is_empty(),
        "the crates of core/ link {strangers:?}, which are not in ALLOWED_CRATES of {}",
        file!()
    );
}

#[test]
fn the_list_would_catch_a_runtime() {
    let linked = crates_linked_by("assay-node");
    assert!(linked.contains("tokio") && !ALLOWED_CRATES.contains(&"tokio"));
}

#[test]
fn core_names_no_clock_file_socket_thread_or_terminal() {
    let files = rust_files(&workspace().join("core"));
    assert!(
        files.len() > 5,
        "found only {} source files of core",
        files.len()
    );
    let mut found = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).expect("a source file of core is readable UTF-8");
        found.extend(
            violations(&source)
                .into_iter()
                .map(|(line, what)| format!("{}:{line}: {what}", file.display())),
        );
    }
    assert!(
        found.is_empty(),
        "core must stay pure (ARCHITECTURE.md):\n{}",
        found.join("\n")
    );
}

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
        assert!(!violations(planted).is_empty(), "not caught: {planted}");
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
        assert_eq!(violations(innocent), [], "caught wrongly: {innocent}");
    }
}

#[test]
fn a_violation_is_reported_with_its_line() {
    assert_eq!(
        violations("// one\n\"two\n\";\nuse std::fs;\n"),
        [(4, "std::fs".to_owned())]
    );
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the workspace")
        .to_owned()
}

/// Names of the crates that end up in what links `package` on this platform. Procedural macros run
/// in the compiler only.
fn crates_linked_by(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--no-dedupe",
        ])
        .args(["--package", package])
        .current_dir(workspace())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "cargo tree failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("cargo tree prints UTF-8");
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in fs::read_dir(folder).expect("the folder can be listed") {
        let path = item.expect("the folder can be listed").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// What `source` names that core must not, with the line of each. Comments and literals do not
/// count.
fn violations(source: &str) -> Vec<(usize, String)> {
    let tokens = tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |(_, token)| token.as_str());
    let mut found = Vec::new();
    for (at, (line, token)) in tokens.iter().enumerate() {
        if FORBIDDEN_NAMES.contains(&token.as_str()) {
            found.push((*line, token.clone()));
        } else if FORBIDDEN_MACROS.contains(&token.as_str()) && text(at + 1) == "!" {
            found.push((*line, format!("{token}!")));
        } else if text(at + 1) == "::" && text(at + 2) == "now" {
            found.push((*line, format!("{token}::now")));
        } else if ["std", "core"].contains(&token.as_str()) && text(at + 1) == "::" {
            let named = if text(at + 2) == "{" {
                first_segments(&tokens, at + 2)
            } else {
                vec![at + 2]
            };
            for module in named
                .into_iter()
                .filter(|module| FORBIDDEN_MODULES.contains(&text(*module)))
            {
                found.push((tokens[module].0, format!("{token}::{}", text(module))));
            }
        }
    }
    found
}

/// The positions of `a`, `b` and `c` in `{a, b::x, c::{y, z}}`, whose opening brace is at `open`.
fn first_segments(tokens: &[(usize, String)], open: usize) -> Vec<usize> {
    let (mut depth, mut expected, mut found) = (0, false, Vec::new());
    for (at, (_, token)) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            _ if depth == 1 && expected => found.push(at),
            _ => {}
        }
        expected = depth == 1 && matches!(token.as_str(), "{" | ",");
        if depth == 0 {
            break;
        }
    }
    found
}

/// Identifiers, `::` and single punctuation characters of Rust source, each with its line; comments
/// and literals left out.
fn tokens(source: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut tokens) = (0, Vec::new());
    let mut line = 1;
    while at < chars.len() {
        let start = at;
        at = match literal_or_comment_end(&chars, at) {
            Some(end) => end,
            None if is_word(chars[at]) => {
                let end = (at..chars.len())
                    .find(|&i| !is_word(chars[i]))
                    .unwrap_or(chars.len());
                tokens.push((line, chars[at..end].iter().collect()));
                end
            }
            None if chars[at..].starts_with(&[':', ':']) => {
                tokens.push((line, "::".to_owned()));
                at + 2
            }
            None => {
                if !chars[at].is_whitespace() {
                    tokens.push((line, chars[at].to_string()));
                }
                at + 1
            }
        };
        line += chars[start..at].iter().filter(|&&c| c == '\n').count();
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where the comment, string or character that starts at `at` ends, if one does.
fn literal_or_comment_end(chars: &[char], at: usize) -> Option<usize> {
    let rest = &chars[at..];
    if rest.starts_with(&['/', '/']) {
        return Some(at + rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(&['/', '*']) {
        return Some(at + block_comment_length(rest));
    }
    // The b, r, br and c prefixes of literals.
    let prefix = rest
        .iter()
        .take(2)
        .take_while(|&&c| matches!(c, 'b' | 'r' | 'c'))
        .count();
    let hashes = rest[prefix..].iter().take_while(|&&c| c == '#').count();
    let raw = rest[..prefix].contains(&'r');
    let body = prefix + hashes + 1;
    match rest.get(prefix + hashes)? {
        '"' if raw => {
            let close: Vec<char> = std::iter::once('"')
                .chain(std::iter::repeat_n('#', hashes))
                .collect();
            let length = rest[body..]
                .windows(close.len())
                .position(|w| w == close)
                .map(|i| body + i + close.len());
            Some(at + length.unwrap_or(rest.len()))
        }
        '"' if hashes == 0 => Some(at + quoted_length(rest, body, '"')),
        // 'x' and '\n' are characters; 'a without a closing quote is a lifetime.
        '\'' if hashes == 0
            && (rest.get(body) == Some(&'\\') || rest.get(body + 1) == Some(&'\'')) =>
        {
            Some(at + quoted_length(rest, body, '\''))
        }
        _ => None,
    }
}

/// Length of a literal up to and with its closing quote, from `body`, the position after the
/// opening one.
fn quoted_length(chars: &[char], body: usize, quote: char) -> usize {
    let mut at = body;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn block_comment_length(chars: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < chars.len() {
        if chars[at..].starts_with(&['/', '*']) {
            (at, depth) = (at + 2, depth + 1);
        } else if chars[at..].starts_with(&['*', '/']) {
            (at, depth) = (at + 2, depth - 1);
        } else {
            at += 1;
        }
        if depth == 0 {
            break;
        }
    }
    at
}

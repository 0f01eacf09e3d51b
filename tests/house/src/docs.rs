//! What documents and comments refer to, and whether it is there.

use crate::{
    Tree, Violation,
    promises::instances,
    rules::{CITED, DESIGN_FILE, DOCUMENTS, FILE_ENDS, KINDS, MADE, OLD_NAME},
};
use std::collections::BTreeSet;

/// Mentions of the design's old name, and of sections that the documents of [`CITED`] do not have.
///
/// A section is cited as `docs/design.md 3.4` or `docs/index.md, section 8`; several with commas or
/// `and`. The file's name may stand in backticks or be a link, and the numbers may stand on the
/// next line.
pub fn citations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if has_word(line, OLD_NAME) {
                let what = format!("says {OLD_NAME}; the design is {DESIGN_FILE}");
                found.push(Violation::new(path, at + 1, what));
            }
            for document in CITED {
                let sections = tree
                    .text(document)
                    .map(numbered_headings)
                    .unwrap_or_default();
                let next = lines.get(at + 1).copied().unwrap_or_default();
                let missing = cited_by(document, line, next);
                for cited in missing.iter().filter(|cited| !sections.contains(*cited)) {
                    let what = format!("{document} has no section {cited}");
                    found.push(Violation::new(path, at + 1, what));
                }
            }
        }
    }
    found.dedup();
    found
}

/// Claim types that section 3.3 of the design does not have in a table.
pub fn kinds_without_a_row(tree: &Tree) -> Vec<Violation> {
    let text = tree.text(DESIGN_FILE).unwrap_or_default();
    let section = text.split("\n### 3.3 ").nth(1).unwrap_or_default();
    let section = section.split("\n### ").next().unwrap_or_default();
    let rows: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    let mut found = Vec::new();
    for kind in instances(tree, &KINDS) {
        let name = kind.name.replace('_', "-");
        if !rows.iter().any(|row| has_word(row, &name)) {
            let what = format!("section 3.3 has no row for the claim type {name}");
            found.push(Violation::new(DESIGN_FILE, 1, what));
        }
    }
    found
}

/// The sections of a document that a line cites, which may go on in the next.
fn cited_by(document: &str, line: &str, next: &str) -> Vec<String> {
    let name = document.rsplit('/').next().unwrap_or(document);
    let next = next.trim_start_matches(|c: char| c.is_whitespace() || "/!#*".contains(c));
    let mut sections = Vec::new();
    for (before, after) in matches_of(line, name) {
        // Another document of that name, or a longer name.
        if !(before.ends_with("docs/") || before.ends_with(['(', '[', '`'])) {
            continue;
        }
        let text = format!("{after} {next}");
        sections.extend(cited_sections(behind_name(&text)));
    }
    sections
}

/// What follows the name of a document, without the end of its backticks or of its link.
fn behind_name(text: &str) -> &str {
    let text = text.strip_prefix('`').unwrap_or(text);
    let link = text
        .strip_prefix("](")
        .and_then(|link| link.split_once(')'));
    let text = link.map_or(text, |(_, behind)| behind);
    text.strip_prefix(')').unwrap_or(text)
}

/// The numbers of headings such as `## 1. Words` and `### 3.4 Issuers`.
fn numbered_headings(text: &str) -> BTreeSet<String> {
    let mut sections = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with('#')) {
        let number = line
            .trim_start_matches('#')
            .split_whitespace()
            .next()
            .unwrap_or("");
        let number = number.trim_end_matches('.');
        if is_section(number) {
            sections.insert(number.to_owned());
        }
    }
    sections
}

fn is_section(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// The sections that are cited at the beginning of `text`, such as ` 3.3, 3.4: more words` or
/// `, sections 4 and 5`.
fn cited_sections(text: &str) -> Vec<String> {
    const BEFORE: &[&str] = &[", sections ", ", section ", " sections ", " section ", " "];
    let mut sections = Vec::new();
    let Some(mut rest) = BEFORE.iter().find_map(|before| text.strip_prefix(before)) else {
        return sections;
    };
    loop {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let section = rest[..end].trim_end_matches('.');
        if !is_section(section) {
            return sections;
        }
        sections.push(section.to_owned());
        match [", ", " and ", " to "]
            .iter()
            .find_map(|between| rest[end..].strip_prefix(between))
        {
            Some(next) => rest = next,
            None => return sections,
        }
    }
}

/// What stands before and after each place of `line` that holds `wanted`.
fn matches_of<'a>(line: &'a str, wanted: &str) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices(wanted) {
        found.push((&line[..at], &line[at + wanted.len()..]));
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    matches_of(line, word)
        .iter()
        .any(|(before, after)| !before.ends_with(is_part) && !after.starts_with(is_part))
}

/// Paths that the documents name and that do not exist: in backticks or in a fenced block, if the
/// first part is a folder of the root, and targets of links without a scheme.
pub fn dead_paths(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| is_document(path)) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut fenced = false;
        for (at, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            let spans = if fenced {
                line.split_whitespace().collect()
            } else {
                code_spans(line)
            };
            let mut named: Vec<_> = spans.iter().flat_map(|span| paths_in(tree, span)).collect();
            if !fenced {
                named.extend(
                    link_targets(line)
                        .iter()
                        .map(|target| resolve(folder, target)),
                );
            }
            found.extend(missing(tree, path, at + 1, named));
        }
    }
    found
}

/// Paths of files that comments name and that do not exist: words that begin with a folder of the
/// root and end as [`FILE_ENDS`] says. The sources of these checks, and what [`DOCUMENTS`] lists,
/// are left out.
pub fn dead_paths_in_comments(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        let Some(mark) = comment_mark(path).filter(|_| !path.starts_with("tests/house/")) else {
            continue;
        };
        for (at, line) in text.lines().enumerate() {
            let Some((before, comment)) = line.split_once(mark) else {
                continue;
            };
            if !before.is_empty() && !before.ends_with(char::is_whitespace) {
                continue;
            }
            let mut named = Vec::new();
            for word in comment.split(|c: char| c.is_whitespace() || "`()[]\"'".contains(c)) {
                named.extend(paths_in(tree, word));
            }
            named.retain(|path| FILE_ENDS.iter().any(|end| path.ends_with(end)));
            found.extend(missing(tree, path, at + 1, named));
        }
    }
    found
}

/// What a comment begins with in a file of that name. `None` if it has none, or is no source.
fn comment_mark(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (_, end) = name.rsplit_once('.').unwrap_or(("", ""));
    match end {
        "rs" | "proto" | "go" => Some("//"),
        "py" | "toml" | "yml" | "yaml" | "sh" | "service" | "template" | "" => Some("#"),
        _ => None,
    }
}

fn missing(tree: &Tree, path: &str, line: usize, named: Vec<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for named in named {
        if !exists(tree, &named) && !MADE.contains(&named.as_str()) {
            found.push(Violation::new(path, line, format!("there is no {named}")));
        }
    }
    found
}

fn is_document(path: &str) -> bool {
    DOCUMENTS
        .iter()
        .any(|pattern| match pattern.strip_suffix("/*.md") {
            Some(folder) => {
                path.ends_with(".md") && path.rsplit_once('/').is_some_and(|p| p.0 == folder)
            }
            None => path == *pattern,
        })
}

/// What stands between backticks.
fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// The paths that a code span names: its first word, with braces expanded, if it begins with a
/// folder of the root.
fn paths_in(tree: &Tree, span: &str) -> Vec<String> {
    let word = span.split_whitespace().next().unwrap_or("");
    let word = word.trim_end_matches([',', ';', '.']);
    let word = word.split_once(':').map_or(word, |(path, _)| path);
    let is_path = word
        .split_once('/')
        .is_some_and(|(first, _)| tree.has(&format!("{first}/")));
    if is_path { expand(word) } else { Vec::new() }
}

/// `a/{b,c}/d` as `a/b/d` and `a/c/d`.
fn expand(path: &str) -> Vec<String> {
    let braces = path.split_once('{').and_then(|(before, rest)| {
        let (inside, after) = rest.split_once('}')?;
        Some((before, inside, after))
    });
    let Some((before, inside, after)) = braces else {
        return vec![path.to_owned()];
    };
    let mut paths = Vec::new();
    for choice in inside.split(',') {
        paths.extend(expand(&format!("{before}{choice}{after}")));
    }
    paths
}

/// Targets of `[text](target)` that are files: without scheme, and without the anchor.
fn link_targets(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    for (_, after) in matches_of(line, "](") {
        let target = after.split([')', '#']).next().unwrap_or("");
        if !target.is_empty() && !target.contains(':') {
            targets.push(target);
        }
    }
    targets
}

/// A link's target as a path below the root; the document lies in `folder`.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether the path exists; `*` and `<name>` stand for any part of a name.
fn exists(tree: &Tree, path: &str) -> bool {
    if !path.contains(['*', '<']) {
        return tree.has(path);
    }
    let wanted: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    tree.files().any(|(file, _)| {
        let parts: Vec<&str> = file.split('/').collect();
        parts.len() >= wanted.len()
            && parts
                .iter()
                .zip(&wanted)
                .all(|(part, pattern)| fits(part, pattern))
    })
}

/// Whether `part` fits a pattern with at most one `*` or `<name>`.
fn fits(part: &str, pattern: &str) -> bool {
    let Some(open) = pattern.find(['*', '<']) else {
        return part == pattern;
    };
    let close = pattern.find('>').unwrap_or(open);
    let (before, after) = (&pattern[..open], &pattern[close + 1..]);
    part.len() >= before.len() + after.len() && part.starts_with(before) && part.ends_with(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_is_not_there_is_caught() {
        let design = "# Assay: design\n## 1. Words\n### 3.4 Issuers\n### 3.5 Index (version 2)\n";
        let lines = format!(
            "// {DESIGN_FILE} 3.4\n// {DESIGN_FILE} 3.4, 3.6: x\n// {DESIGN_FILE} 2.\n\
             // see {OLD_NAME} 3\n// {OLD_NAME}ER\n\
             // [x]({DESIGN_FILE}) and {DESIGN_FILE}, 1\n// {DESIGN_FILE} 3.5 and 9"
        );
        let tree = Tree::of(&[(DESIGN_FILE, design), ("core/src/x.rs", &lines)]);
        let found: Vec<_> = citations(&tree).iter().map(|one| one.line).collect();
        assert_eq!(found, [2, 3, 4, 7]);
        let without = Tree::of(&[("core/src/x.rs", &format!("// {DESIGN_FILE} 3.4"))]);
        assert_eq!(citations(&without).len(), 1);
    }

    #[test]
    fn a_section_is_cited_in_many_ways() {
        let index = CITED[1];
        let (design, sections) = (
            "# Design\n## 1. Words\n",
            "# Index\n## 1. Entries\n## 6. Cuts\n",
        );
        for (good, bad) in [
            ("//! in D, section 1)", "//! in D, section 7)"),
            ("//! in D, sections 1 and 1.", "//! in D, sections 1 and 2."),
            ("/// (`D`, section 1)", "/// (`D`, section 1.1)"),
            ("as in [D](D), section 1.", "as in [D](D), section 9."),
            (
                "as in [the design](design.md), section 1",
                "as in [it](design.md), section 2",
            ),
            ("/// (D 1; I, section 6)", "/// (D 1; I, section 6.1)"),
            ("/// (D,\n/// section 1)", "/// (D,\n/// section 2)"),
            ("# see D\n# 1", "# see D\n# 2"),
            ("`I` 6", "`I` 7"),
        ] {
            for (line, count) in [(good, 0), (bad, 1)] {
                // In two steps, because this file is checked as well.
                let line = line.replace('D', DESIGN_FILE).replace('I', index);
                let tree = Tree::of(&[(DESIGN_FILE, design), (index, sections), ("x", &line)]);
                assert_eq!(citations(&tree).len(), count, "{line}");
            }
        }
    }

    #[test]
    fn a_claim_type_without_a_row_is_caught() {
        let design =
            "# D\n### 3.3 Claims\nvex\n| scan | a |\n| key-compromise | b |\n### 3.4 I\n| vex |";
        let tree = Tree::of(&[
            (DESIGN_FILE, design),
            ("core/claims/src/kind/mod.rs", ""),
            ("core/claims/src/kind/scan.rs", ""),
            ("core/claims/src/kind/key_compromise.rs", ""),
            ("core/claims/src/kind/vex/mod.rs", ""),
        ]);
        let found = kinds_without_a_row(&tree);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].what.ends_with("the claim type vex"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn a_path_that_is_not_there_is_caught() {
        let text = "`core/src/lib.rs`, `core/src/{lib,gone}.rs`, `assay/v1/x.proto`, `node/x`\n\
            [a](docs/here.md#x) [b](docs/gone.md) [c](https://example.org/x) [d](#top)\n\
            ```\nmake core/none core/src/lib.rs node/node.toml\n```\n\
            `core/src/*.rs`, `core/*/lib.rs`, `core/src/*.proto`, \
            `scripts/setup cli`, `scripts/set`\n\
            `core/src/<name>.rs` `core/<any>/lib.rs` `core/src/lib.rs:12` `core/`";
        let tree = Tree::of(&[
            ("README.md", text),
            (
                "docs/here.md",
                "[up](../README.md) [gone](../NONE.md) [beside](here.md)",
            ),
            ("notes/x.md", "`core/gone`"),
            ("core/src/lib.rs", ""),
            ("scripts/setup", ""),
        ]);
        let found: Vec<_> = dead_paths(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "README.md:1: there is no core/src/gone.rs",
                "README.md:2: there is no docs/gone.md",
                "README.md:4: there is no core/none",
                "README.md:6: there is no core/src/*.proto",
                "README.md:6: there is no scripts/set",
                "docs/here.md:1: there is no NONE.md",
            ]
        );
    }

    #[test]
    fn a_path_in_a_comment_that_is_not_there_is_caught() {
        let rust = "/// See `core/src/gone.rs`, and core/src/lib.rs.\nlet a; // (core/gone.md)\n\
            // core/or/node, example.org/core/x.rs, \"core/*.rs\"\nlet url = \"a://core/x.rs\";";
        let script = "# as core/gone.toml says\nx=core/other.toml # core/more.toml";
        let tree = Tree::of(&[
            ("core/src/lib.rs", rust),
            ("scripts/x", script),
            ("notes.txt", "# core/gone.md"),
        ]);
        let found: Vec<_> = dead_paths_in_comments(&tree)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "core/src/lib.rs:1: there is no core/src/gone.rs",
                "core/src/lib.rs:2: there is no core/gone.md",
                "core/src/lib.rs:3: there is no core/*.rs",
                "scripts/x:1: there is no core/gone.toml",
                "scripts/x:2: there is no core/more.toml",
            ]
        );
    }
}

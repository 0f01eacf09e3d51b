//! What documents and comments refer to, and whether it is there.

use crate::{
    Tree, Violation,
    rules::{DESIGN_FILE, DOCUMENTS, OLD_NAME},
};
use std::collections::BTreeSet;

/// Mentions of the design's old name, and of sections that the design does not have.
///
/// A section is cited as `docs/design.md 3.4`; several with commas: `docs/design.md 3.3, 3.4`.
pub fn design_references(tree: &Tree) -> Vec<Violation> {
    let sections = tree.text(DESIGN_FILE).map(numbered_headings);
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        for (at, line) in text.lines().enumerate() {
            if has_word(line, OLD_NAME) {
                let what = format!("says {OLD_NAME}; the design is {DESIGN_FILE}");
                found.push(Violation::new(path, at + 1, what));
            }
            for (_, after) in matches_of(line, DESIGN_FILE) {
                for cited in cited_sections(after) {
                    if !sections
                        .as_ref()
                        .is_some_and(|known| known.contains(&cited))
                    {
                        let what = format!("{DESIGN_FILE} has no section {cited}");
                        found.push(Violation::new(path, at + 1, what));
                    }
                }
            }
        }
    }
    found
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

/// The sections that are cited at the beginning of `text`, such as ` 3.3, 3.4: more words`.
fn cited_sections(text: &str) -> Vec<String> {
    let mut sections = Vec::new();
    let Some(mut rest) = text.strip_prefix(' ') else {
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
        match [", ", " and "]
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

/// Paths that the documents name and that do not exist: in backticks, if the first part is a folder
/// of the root, and targets of links without a scheme.
pub fn dead_paths(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| is_document(path)) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut fenced = false;
        for (at, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            let named = code_spans(line)
                .into_iter()
                .flat_map(|span| paths_in(tree, span));
            let linked = link_targets(line)
                .into_iter()
                .map(|target| resolve(folder, target));
            for missing in named.chain(linked).filter(|named| !exists(tree, named)) {
                found.push(Violation::new(
                    path,
                    at + 1,
                    format!("there is no {missing}"),
                ));
            }
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
        let found: Vec<_> = design_references(&tree)
            .iter()
            .map(|one| one.line)
            .collect();
        assert_eq!(found, [2, 3, 4, 7]);
        let without = Tree::of(&[("core/src/x.rs", &format!("// {DESIGN_FILE} 3.4"))]);
        assert_eq!(design_references(&without).len(), 1);
    }

    #[test]
    fn a_path_that_is_not_there_is_caught() {
        let text = "`core/src/lib.rs`, `core/src/{lib,gone}.rs`, `assay/v1/x.proto`, `node/x`\n\
            [a](docs/here.md#x) [b](docs/gone.md) [c](https://example.org/x) [d](#top)\n\
            ```\n`core/none`\n```\n\
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
                "README.md:6: there is no core/src/*.proto",
                "README.md:6: there is no scripts/set",
                "docs/here.md:1: there is no NONE.md",
            ]
        );
    }
}

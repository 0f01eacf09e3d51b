//! The sections of the document, as steps.

use anyhow::{Context, bail, ensure};
use std::{fs, path::Path};

/// Who does a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whose trouble it is.
    Own,
    /// Each of the others.
    Peers,
    /// Each of the others that has a log.
    PeersWithLog,
}

/// A block of commands, and what is seen.
#[derive(Debug)]
pub struct Step {
    /// Who types it.
    pub who: Who,
    /// Whether it has to fail.
    pub fails: bool,
    /// The commands, as they stand.
    pub script: String,
    /// The lines of the `text` block below.
    pub seen: Vec<String>,
}

/// The part of the document about runbooks.
fn runbooks() -> anyhow::Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let text = fs::read_to_string(root)?;
    let (_, rest) = text.split_once("\n## Runbooks\n").context("no runbooks")?;
    let (part, _) = rest.split_once("\n## ").unwrap_or((rest, ""));
    Ok(part.to_owned())
}

/// The titles of all sections.
pub fn titles() -> anyhow::Result<Vec<String>> {
    let text = runbooks()?;
    let titles = text.lines().filter_map(|line| line.strip_prefix("### "));
    Ok(titles.map(str::to_owned).collect())
}

/// The steps of the section of this title.
pub fn section(title: &str) -> anyhow::Result<Vec<Step>> {
    let text = runbooks()?;
    let (_, rest) = text
        .split_once(&format!("\n### {title}\n"))
        .with_context(|| format!("no section {title}"))?;
    let (part, _) = rest.split_once("\n### ").unwrap_or((rest, ""));
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = part.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if kind == "text" {
            let step = steps.last_mut().context("text without commands")?;
            step.seen = block.iter().map(|line| (*line).to_owned()).collect();
            continue;
        }
        let (who, fails) = match kind {
            "sh" => (Who::Own, false),
            "sh fails" => (Who::Own, true),
            "sh peers" => (Who::Peers, false),
            "sh peers with a log" => (Who::PeersWithLog, false),
            _ => bail!("{title} has a block {kind:?}, which nobody can follow"),
        };
        steps.push(Step {
            who,
            fails,
            script: block.join("\n"),
            seen: Vec::new(),
        });
    }
    ensure!(!steps.is_empty(), "{title} has no commands");
    Ok(steps)
}

/// A line with its variables replaced.
pub fn expanded(line: &str, variables: &[(String, String)]) -> String {
    let mut line = line.to_owned();
    for (name, value) in variables {
        line = line.replace(&format!("${name}"), value);
    }
    line
}

/// Whether a line is as wanted, where `…` stands for anything.
pub fn matches(wanted: &str, line: &str) -> bool {
    let mut parts = wanted.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn three_dots_stand_for_anything() {
    for (wanted, line, is_so) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a…", "ab", true),
        ("…b", "ab", true),
        ("…b", "abc", false),
        ("a…c…e", "abcde", true),
        ("a…e…c", "abcde", false),
    ] {
        assert_eq!(matches(wanted, line), is_so, "{wanted} {line}");
    }
}

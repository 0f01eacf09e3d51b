//! What the file of a format provides. The list of the formats in [`super::format`] calls it.

use super::component::Distribution;
use super::fault::Fault;
use super::input::Input;
use super::list::List;

/// A format: how its files are recognized and read.
pub(super) struct Reader {
    /// What people call it.
    pub name: &'static str,
    /// Whether it is a bill of materials, rather than what a package manager resolved.
    pub is_sbom: bool,
    /// What to do with a broken file.
    pub remedy: &'static str,
    /// Names of files. A prefix that ends with `.`, `-` or `_` may stand before each.
    pub files: &'static [&'static str],
    /// Whether a path says the format though it ends with none of the names of any format. It is
    /// given the whole path and the name without folders.
    pub path: Option<fn(&str, &str) -> bool>,
    /// What the content is known by, if the name says nothing.
    pub sign: Sign,
    /// Reads a file. The distribution is whose packages a package database holds.
    pub read: fn(&Input<'_>, Option<&Distribution>) -> Result<List, Fault>,
}

/// What content is known by.
pub(super) enum Sign {
    /// The member that only documents of the format have, at the top of JSON.
    Member(&'static str),
    /// The root of XML.
    Root(&'static str),
    /// What the tool writes at the head of its files, or what every file of the format has.
    Text(fn(&Head<'_>) -> bool),
}

/// The head of a file that is neither JSON nor XML: its first lines that are not empty.
pub(super) struct Head<'a> {
    text: &'a str,
}

impl<'a> Head<'a> {
    /// The head of a text.
    pub fn new(text: &'a str) -> Self {
        Head { text }
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The first line.
    pub fn first(&self) -> &'a str {
        self.lines().next().unwrap_or_default()
    }

    /// Whether a comment of the tool opens the file.
    pub fn generated_by(&self, tool: &str) -> bool {
        self.lines()
            .any(|line| line.starts_with("# This file") && line.contains(tool))
    }

    /// Whether a line begins so.
    pub fn has(&self, start: &str) -> bool {
        self.lines().any(|line| line.starts_with(start))
    }

    fn lines(&self) -> impl Iterator<Item = &'a str> {
        self.text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .take(40)
    }
}

//! The rows of a table of components, and the notes on files, for people.

use super::{Component, Report};
use crate::ask::File;
use crate::plain;

/// Components with the same to be said are one row from this number on.
const TOGETHER: usize = 4;

/// Names that such a row shows.
const NAMES: usize = 3;

/// What a table says of some components.
#[derive(Debug)]
pub struct Row<'a> {
    /// The components: one, or several of which the same is to be said.
    pub components: Vec<&'a Component>,
}

/// The rows of a table, the worst first: of every component by itself if `all`, or else of those
/// that are not fine, with many of which the same is missing in one row.
pub fn rows(report: &Report, all: bool) -> Vec<Row<'_>> {
    if all {
        let mut components: Vec<&Component> = report.components.iter().collect();
        components.sort_by_key(|component| std::cmp::Reverse(component.outcome));
        return components.into_iter().map(Row::of).collect();
    }
    let mut rows: Vec<Row<'_>> = Vec::new();
    for component in report.not_fine() {
        match rows.iter_mut().find(|row| row.takes(component, report)) {
            Some(row) => row.components.push(component),
            None => rows.push(Row::of(component)),
        }
    }
    rows.into_iter().flat_map(Row::split).collect()
}

impl<'a> Row<'a> {
    fn of(component: &'a Component) -> Self {
        Row {
            components: vec![component],
        }
    }

    /// Whether the same is to be said of a component.
    fn takes(&self, component: &Component, report: &Report) -> bool {
        let first = self.components.first();
        first.is_some_and(|first| says_the_same(first, component, report))
    }

    /// Few components of which the same is to be said have a row each.
    fn split(self) -> Vec<Self> {
        if self.components.len() < TOGETHER {
            self.components.into_iter().map(Row::of).collect()
        } else {
            vec![self]
        }
    }

    /// How its components are called: the first of them, and how many more there are.
    pub fn titles(&self) -> Vec<String> {
        let shown = if self.components.len() < TOGETHER {
            self.components.len()
        } else {
            NAMES
        };
        let components = self.components.iter().take(shown);
        let mut titles: Vec<String> = components
            .map(|component| plain(&component.title()))
            .collect();
        let more = self.components.len() - shown;
        if more > 0 {
            titles.push(format!("and {more} more (--all lists them)"));
        }
        titles
    }
}

/// Whether of both the same is missing, and nobody says anything of one alone.
fn says_the_same(one: &Component, other: &Component, report: &Report) -> bool {
    let why = |component: &Component| -> Vec<String> {
        let reasons = component.against();
        reasons
            .map(|reason| report.why(component, reason))
            .collect()
    };
    one.outcome == other.outcome && !is_said(one) && !is_said(other) && why(one) == why(other)
}

/// Whether somebody says what is to be said of a component.
fn is_said(component: &Component) -> bool {
    component.against().any(|reason| !reason.claims.is_empty())
}

/// What is to be known of the files, with the lines that it is about.
pub fn notes(report: &Report) -> Vec<String> {
    report.files.iter().flat_map(notes_of).collect()
}

fn notes_of(file: &File) -> Vec<String> {
    let mut notes = Vec::new();
    for note in &file.notes {
        notes.push(format!("{}: {}", place(file, note.line), note.text));
    }
    for one in &file.unidentified {
        notes.push(format!(
            "{}: cannot be looked up: {} {}",
            place(file, one.line),
            one.what,
            one.reason
        ));
    }
    notes
}

/// A line of a file, if it has lines.
fn place(file: &File, line: Option<u32>) -> String {
    match line {
        Some(line) => format!("{}:{line}", file.name),
        None => file.name.clone(),
    }
}

//! Writing: data to stdout, words to stderr, tables, colors and progress bars.

pub use assay_client::plain;

use crate::{args::Format, config::Settings, exit::Failure};
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// Writes `text` and a newline to stdout. A reader that went away is no error.
pub fn text(text: &str) -> Result<(), Failure> {
    bytes(format!("{}\n", text.trim_end_matches('\n')).as_bytes())
}

/// Writes bytes to stdout as they are.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to stdout", e))
        }
        _ => Ok(()),
    }
}

/// Writes data in the format that the settings ask for.
pub fn data(
    settings: &Settings,
    people: impl FnOnce() -> String,
    programs: &impl Serialize,
) -> Result<(), Failure> {
    match settings.format {
        Format::Json => json(programs),
        // `main` keeps the formats that only one command writes from all others.
        _ => text(&people()),
    }
}

/// Writes JSON to stdout.
pub fn json(programs: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(programs)
        .map_err(|e| Failure::io("cannot write JSON", io::Error::other(e)))?;
    text(&json)
}

/// Says something to the person on stderr, unless told to be quiet.
pub fn say(settings: &Settings, words: &str) {
    if !settings.quiet {
        // Nobody is left to be told if stderr is closed.
        let _ = writeln!(io::stderr().lock(), "{words}");
    }
}

/// A table for people, as wide as the terminal.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::TableStyle::default());
    table.set_header(header);
    table
}

/// Keeps a table within a width where nobody's terminal says how wide it is, but for its first
/// column: what stands in it is looked for with other programs, and so is never broken. The others
/// get `rest` columns at least.
pub fn keep_first_column(table: &mut Table, width: u16, rest: u16) {
    table.set_content_arrangement(ContentArrangement::Dynamic);
    let first = table
        .column_max_content_widths()
        .first()
        .copied()
        .unwrap_or_default();
    table.set_width(width.max(first.saturating_add(rest)));
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
}

/// A progress bar on stderr. It shows only on a terminal and not if told to be quiet.
pub fn progress(settings: &Settings, what: &'static str, total: u64, unit: Unit) -> ProgressBar {
    let target = if settings.quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let template = match unit {
        Unit::Bytes => "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}",
        Unit::Leaves => "{msg} [{bar:30}] {human_pos}/{human_len} leaves, {per_sec}, {eta} left",
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.with_message(what)
}

/// What a progress bar counts.
pub enum Unit {
    /// Bytes of a document.
    Bytes,
    /// Leaves of a log.
    Leaves,
}

/// A word in color, where colors are wanted and can be shown.
pub fn color(word: &str, color: Color) -> String {
    styled(word, &format!("1;{}", color as u8))
}

/// Words that stand out, where that can be shown.
pub fn bold(words: &str) -> String {
    styled(words, "1")
}

/// Words that stand back, where that can be shown.
pub fn dim(words: &str) -> String {
    styled(words, "2")
}

fn styled(words: &str, style: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || !io::stdout().is_terminal();
    if plain {
        words.to_owned()
    } else {
        format!("\x1b[{style}m{words}\x1b[0m")
    }
}

/// ANSI's numbers for colors.
#[derive(Debug, Clone, Copy)]
pub enum Color {
    /// It failed.
    Red = 31,
    /// It holds.
    Green = 32,
    /// It is open.
    Yellow = 33,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_of_a_table_is_never_broken() {
        let long = format!(
            "pkg:maven/com.fasterxml.jackson.core/{}@2.10.0",
            "jackson-databind".repeat(9)
        );
        for first in [
            "pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.10.0",
            &long,
        ] {
            let mut table = table(["component", "verdict", "why"]);
            table.add_row([first, "unmet", &"Nobody says how it was built. ".repeat(8)]);
            keep_first_column(&mut table, 100, 60);
            let text = table.to_string();
            assert!(text.contains(first), "{text}");
            // Nor do the others become a letter wide.
            assert!(text.contains("Nobody says how"), "{text}");
            let wide = text.lines().map(|line| line.chars().count()).max();
            assert!(wide <= Some(100.max(first.len() + 60)), "{text}");
        }
    }
}

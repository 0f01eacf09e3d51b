//! What a terminal shows: tables and colors.

use assay_client::plain;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use std::io::{self, IsTerminal};

/// The sequences that [`styled`] writes.
const STYLES: [&str; 6] = [
    "\x1b[0m",
    "\x1b[1m",
    "\x1b[2m",
    "\x1b[1;31m",
    "\x1b[1;32m",
    "\x1b[1;33m",
];

/// A table for people, as wide as the terminal.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::TableStyle::default());
    table.set_header(header);
    table
}

/// Limits a table to `width` columns, as where no terminal gives a width. The first column is never
/// broken, because people search for what is in it; the others get at least `rest` columns.
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

/// A word in color, if the terminal can show it and NO_COLOR is not set.
pub fn color(word: &str, color: Color) -> String {
    styled(word, &format!("1;{}", color as u8))
}

/// Words in bold, if the terminal can show that.
pub fn bold(words: &str) -> String {
    styled(words, "1")
}

/// Words in faint letters, if the terminal can show that.
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

/// Text of several lines in which nothing drives the terminal but the styles of this module.
pub fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let style = STYLES.into_iter().find(|style| rest.starts_with(style));
        let (piece, after) = rest.split_at(style.map_or(first.len_utf8(), str::len));
        if style.is_some() || first == '\n' {
            shown.push_str(piece);
        } else {
            shown.push_str(&plain(piece));
        }
        rest = after;
    }
    shown
}

/// ANSI's numbers for colors.
#[derive(Debug, Clone, Copy)]
pub enum Color {
    /// It failed.
    Red = 31,
    /// It holds.
    Green = 32,
    /// It is not decided.
    Yellow = 33,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_our_own_styles_drives_the_terminal() {
        let own = format!("\x1b[{}mred\x1b[0m\nnext", "1;31");
        assert_eq!(inert(&own), own);
        assert_eq!(
            inert("a\x1b[2Jb\u{9b}31m\u{202e}\rc\u{e0041}"),
            "a\\u{1b}[2Jb\\u{9b}31m\\u{202e}\\rc\\u{e0041}"
        );
    }

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

//! The report as a comment for a pull request: the summary, and a table of what is not fine.

mod inert;

use super::{Reason, Report, Row, notes, rows, words};
use inert::line as escape;

/// Most rows of the table: services take comments of 65,536 characters at most.
const ROWS: usize = 100;

/// The comment.
pub fn render(report: &Report) -> String {
    let sign = if !report.is_stopped() { "✅" } else { "❌" };
    let mut lines = words::lines(report).into_iter().map(|line| escape(&line));
    let counts = lines.next().unwrap_or_default();
    let mut text = format!(
        "### {sign} Assay: {counts}\n\n{}\n",
        lines.collect::<Vec<_>>().join("\n\n")
    );
    let rows = rows(report, false);
    if !rows.is_empty() {
        text.push_str("\n| component | verdict | why | who says so |\n| --- | --- | --- | --- |\n");
        rows.iter()
            .take(ROWS)
            .for_each(|line| text.push_str(&row(report, line)));
    }
    if rows.len() > ROWS {
        text.push_str(&format!("\n{} more are not shown.\n", rows.len() - ROWS));
    }
    let notes = notes(report);
    if !notes.is_empty() {
        text.push_str("\nNotes:\n\n");
        notes
            .iter()
            .take(ROWS)
            .for_each(|note| text.push_str(&format!("- {}\n", escape(note))));
    }
    text
}

fn row(report: &Report, row: &Row<'_>) -> String {
    let Some(component) = row.components.first() else {
        return String::new();
    };
    let cells = |cell: &dyn Fn(&Reason) -> String| -> String {
        component
            .against()
            .map(|reason| escape(&cell(reason)))
            .collect::<Vec<_>>()
            .join("<br>")
    };
    let why = cells(&|reason| report.why(component, reason));
    let who = cells(&Reason::voices);
    let titles: Vec<String> = row.titles().iter().map(|title| escape(title)).collect();
    format!(
        "| {} | {} | {why} | {who} |\n",
        titles.join("<br>"),
        component.outcome
    )
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_comment_has_a_row_for_each_that_is_not_fine() {
        let text = render(&example::report());
        assert!(
            text.starts_with("### ❌ Assay: 5 components: 1 fine, "),
            "{text}"
        );
        assert_eq!(
            text.lines()
                .filter(|line| line.starts_with("| `pkg:"))
                .count(),
            4
        );
        assert!(
            text.lines()
                .filter(|line| line.starts_with('|'))
                .all(|line| line.matches('|').count() == 5),
            "{text}"
        );
    }
}

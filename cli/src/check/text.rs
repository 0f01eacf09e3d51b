//! The report for people at a terminal: the summary, then a table of what is not fine, then the
//! notes on the files.

use crate::output::{self, Color};
use assay_client::report::{Reason, Report, Row, notes, rows, words};
use comfy_table::ContentArrangement;
use std::io::IsTerminal;

/// Characters of a line if nothing says how wide the terminal is.
const WIDTH: u16 = 120;

/// Characters that the columns after the first have at least.
const REST: u16 = 80;

/// The report as text; `all` lists every component for itself, also those that are fine.
pub fn render(report: &Report, all: bool) -> String {
    let mut parts = vec![colored(report)];
    let rows = rows(report, all);
    if !rows.is_empty() {
        parts.push(table(report, &rows));
    }
    let notes = notes(report);
    if !notes.is_empty() {
        parts.push(format!("Notes:\n{}", notes.join("\n")));
    }
    parts.join("\n\n")
}

/// The summary, with the judgment in color.
fn colored(report: &Report) -> String {
    let judgment = words::judgment(report);
    let color = if !report.is_stopped() {
        Color::Green
    } else {
        Color::Red
    };
    let lines = words::lines(report).into_iter();
    lines
        .map(|line| {
            if line == judgment {
                output::color(&line, color)
            } else {
                line
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn table(report: &Report, rows: &[Row<'_>]) -> String {
    let mut table = output::table(["component", "verdict", "why", "who says so"]);
    for row in rows {
        let Some(first) = row.components.first() else {
            continue;
        };
        let mut titles = vec![row.titles().join("\n")];
        let mut verdicts = vec![first.outcome.name().to_owned()];
        let against: Vec<&Reason> = first.against().collect();
        for reason in &against {
            table.add_row([
                titles.pop().unwrap_or_default(),
                verdicts.pop().unwrap_or_default(),
                report.why(first, reason),
                reason.voices(),
            ]);
        }
        if against.is_empty() {
            let voices: Vec<String> = first
                .reasons
                .iter()
                .map(Reason::voices)
                .filter(|voice| !voice.is_empty())
                .collect();
            table.add_row([
                row.titles().join("\n"),
                first.outcome.name().to_owned(),
                String::new(),
                voices.join("; "),
            ]);
        }
    }
    if std::io::stdout().is_terminal() {
        _ = table.set_content_arrangement(ContentArrangement::Dynamic)
    } else {
        output::keep_first_column(&mut table, WIDTH, REST)
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_client::report::example;

    #[test]
    fn the_table_has_what_is_not_fine_the_worst_first() {
        let text = render(&example::report(), false);
        let places: Vec<_> = ["bad@1", "nobody@1", "old@1", "short@1"]
            .map(|name| text.find(&format!("pkg:cargo/{name}")))
            .into();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{text}"
        );
        assert!(!text.contains("good@1"), "{text}");
        assert!(
            text.contains("the makers (maintainer)")
                && text.contains("a b/Cargo.lock:15: cannot be looked up"),
            "{text}"
        );
        assert!(render(&example::report(), true).contains("good@1"));
        assert!(
            text.lines()
                .all(|line| line.chars().count() <= usize::from(WIDTH) || !line.contains('|')),
            "{text}"
        );
    }

    #[test]
    fn a_package_url_is_never_broken_so_that_it_can_be_searched_for() {
        let purl = "pkg:maven/com.fasterxml.jackson.core/jackson-databind-of-some-length@2.10.0";
        let mut report = example::report();
        report
            .components
            .iter_mut()
            .for_each(|component| component.purl = Some(purl.into()));
        let text = render(&report, true);
        assert_eq!(
            text.matches(purl).count(),
            report.components.len(),
            "{text}"
        );
    }

    #[test]
    fn those_of_which_the_same_is_missing_stand_together() {
        let mut report = example::report();
        report.components = (0..6)
            .map(|_| example::report().components.remove(2))
            .collect();
        assert!(
            render(&report, false).contains("and 3 more"),
            "{}",
            render(&report, false)
        );
        assert_eq!(render(&report, true).matches("nobody@").count(), 6);
    }

    #[test]
    fn what_was_said_and_does_not_count_is_a_line_of_its_own() {
        let mut report = example::report();
        report.components = (0..7)
            .map(|_| example::report().components.remove(2))
            .collect();
        let taken_back = example::report()
            .components
            .remove(3)
            .reasons
            .remove(0)
            .claims;
        report.components[5].purl = Some("pkg:cargo/taken-back@1.0.0".into());
        report.components[5].reasons[0].claims = taken_back;
        let text = render(&report, false);
        let line = text
            .lines()
            .find(|line| line.contains("taken-back@1.0.0"))
            .unwrap();
        assert!(
            line.contains("the makers") && text.contains("and 3 more"),
            "{text}"
        );
    }
}

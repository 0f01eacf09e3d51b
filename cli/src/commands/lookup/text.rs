//! The answer for people: a paragraph first, then question by question, then whether that is all
//! there is.

use crate::output::{self, Color};
use assay_client::ask::About;
use assay_client::report::{Line, Question, Report, words};
use std::fmt::Write;

/// Columns that text is broken at.
const WIDTH: usize = 100;

/// The whole answer.
pub fn text(about: &About, report: &Report) -> String {
    let mut text = format!("{}\n\n", about.spelled());
    wrap(&mut text, "", "", &words::paragraph(about, report));
    questions(&mut text, about, report);
    if let Some(signed) = &report.signed {
        let title = words::signed_title(signed);
        group(&mut text, &title, &signed.newest, report);
    }
    text.push('\n');
    for log in &report.logs {
        let line = words::log_line(log, report);
        let color = if line.good {
            Color::Green
        } else {
            Color::Yellow
        };
        let word = output::color(line.word, color);
        wrap(&mut text, &format!("{word}: "), "  ", &line.rest);
    }
    for ended in words::no_longer_ignored(report) {
        wrap(&mut text, "", "  ", &ended);
    }
    if let Some(privacy) = words::privacy(report) {
        wrap(&mut text, "", "  ", &privacy);
    }
    text
}

/// The questions. Of a component every question is answered, if only by "no claims"; of others most
/// questions make no sense.
fn questions(text: &mut String, about: &About, report: &Report) {
    let all = matches!(about, About::Package(_) | About::Artifact(_));
    let mut questions: Vec<&Question> = report.questions.iter().collect();
    questions.retain(|question| all || !question.lines.is_empty());
    let mut before_empty = false;
    for question in questions {
        let empty = question.lines.is_empty();
        if empty {
            text.push_str(if before_empty { "" } else { "\n" });
            let title = output::bold(question.text);
            let _ = writeln!(text, "{title} {}", output::dim("no claims"));
        } else {
            let title = words::title(question, about);
            group(text, title, &question.lines, report);
        }
        before_empty = empty;
    }
}

/// A question with its answers. What counts for nothing is dimmed.
fn group(text: &mut String, title: &str, lines: &[Line], report: &Report) {
    let _ = write!(text, "\n{}\n", output::bold(title));
    for line in lines {
        let mut shown = String::new();
        wrap(&mut shown, "  ", "    ", &words::says(line, report));
        wrap(&mut shown, "    ", "      ", &words::who_says(line, report));
        if let Some(why_not) = &line.why_not {
            wrap(&mut shown, "    ", "      ", why_not);
        }
        // What is said of those who reply stands with them.
        if line.target.is_none() {
            for reply in &line.replies {
                wrap(&mut shown, "    > ", "      ", &words::reply(reply, report));
            }
        }
        if line.counts() {
            text.push_str(&shown);
        } else {
            for line in shown.lines() {
                text.push_str(&format!("{}\n", output::dim(line)));
            }
        }
    }
}

/// Appends words, broken between them: the first line after `first`, the others after `rest`, which
/// are this program's own. The words are other people's: what could drive a terminal is replaced.
fn wrap(text: &mut String, first: &str, rest: &str, words: &str) {
    let mut column = first.chars().count();
    text.push_str(first);
    let mut at_start = true;
    for word in output::plain(words).split_whitespace() {
        let length = word.chars().count();
        if !at_start && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(rest);
            column = rest.chars().count();
            at_start = true;
        }
        if !at_start {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        at_start = false;
    }
    text.push('\n');
}

//! The answer for people: a paragraph first, then question by question, then whether that is all
//! there is.

use super::{
    answer::{Answer, LineView, LogView, QuestionView, SignedView, VoiceView},
    replies::{self, ReplyView},
};
use crate::{
    asking,
    output::{self, Color},
    subject,
};
use std::{collections::BTreeSet, fmt::Write};

/// Columns that text is broken at.
const WIDTH: usize = 100;

/// The whole answer.
pub fn text(answer: &Answer) -> String {
    let mut text = format!("{}\n\n", answer.about.spelled);
    wrap(&mut text, "", "", &answer.answer);
    let several = answer.logs.len() > 1;
    // Of a component every question is answered, if only by "nothing"; of others most questions
    // make no sense.
    let all = ["package", "artifact"].contains(&answer.about.kind);
    let mut before_empty = false;
    for question in answer
        .questions
        .iter()
        .filter(|question| all || !question.lines.is_empty())
    {
        if question.lines.is_empty() {
            text.push_str(if before_empty { "" } else { "\n" });
            let _ = writeln!(
                text,
                "{} {}",
                output::bold(question.text),
                output::dim("nothing is known")
            );
        } else {
            group(
                &mut text,
                title(question, answer),
                &question.lines,
                answer,
                several,
            );
        }
        before_empty = question.lines.is_empty();
    }
    if let Some(signed) = &answer.signed {
        let title = signed_title(signed);
        group(&mut text, &title, &signed.newest, answer, several);
    }
    text.push('\n');
    for log in &answer.logs {
        let (word, line) = log_line(log, answer.asked_at_ms);
        wrap(&mut text, &word, "  ", &line);
    }
    if let Some(privacy) = &answer.privacy {
        let labels = match privacy.prefixes {
            1 => "1 label, which".to_owned(),
            n => format!("{n} labels, each of which"),
        };
        let things = if privacy.fewest == 1 {
            "thing"
        } else {
            "things"
        };
        let what = format!(
            "Asked privately: the node was told the first bits of {labels} could mean any of {} \
             {things} or more. It learns when you asked, and how much came back.",
            privacy.fewest
        );
        wrap(&mut text, "", "  ", &what);
    }
    text
}

/// A question, as it is asked of what was asked about.
fn title(question: &QuestionView, answer: &Answer) -> &'static str {
    match (answer.about.kind, question.question) {
        ("issuer", "other") => "What does it say of itself?",
        ("issuer", "vouched") => "Who vouches for it, or warns of its keys?",
        _ => question.text,
    }
}

/// A question with its answers.
fn group(text: &mut String, title: &str, lines: &[LineView], answer: &Answer, several: bool) {
    let _ = write!(text, "\n{}\n", output::bold(title));
    for line in lines {
        let mut shown = String::new();
        wrap(&mut shown, "  ", "    ", &says(line, answer));
        wrap(&mut shown, "    ", "      ", &who(line, answer, several));
        if let Some(why_not) = &line.why_not {
            wrap(&mut shown, "    ", "      ", why_not);
        }
        // What is said of those who reply stands with them.
        for reply in line.replies.iter().filter(|_| line.target.is_none()) {
            wrap(&mut shown, "    > ", "      ", &reply_line(reply));
        }
        if counts(line) {
            text.push_str(&shown)
        } else {
            shown
                .lines()
                .for_each(|line| text.push_str(&format!("{}\n", output::dim(line))))
        }
    }
}

/// Whether a line counts for anything; the others are dimmed.
fn counts(line: &LineView) -> bool {
    line.effect && line.why_not.is_none()
}

/// What is said, and of what if that is not what was asked about.
fn says(line: &LineView, answer: &Answer) -> String {
    if let Some(target) = &line.target {
        return format!("about {}: {}", answered(line, target, answer), line.says);
    }
    match answer.about.kind {
        "package" | "artifact" => line.says.clone(),
        _ => format!("{}: {}", line.about, line.says),
    }
}

/// What a line answers or takes back: the claim, at every place where it has effect, and those
/// where it has none.
fn answered(line: &LineView, target: &str, answer: &Answer) -> String {
    let lines = answer.questions.iter().flat_map(|question| &question.lines);
    let lines: Vec<&LineView> = lines.filter(|line| line.claim_id == target).collect();
    let Some(first) = lines.first() else {
        return format!("claim {}", subject::shorten(target));
    };
    let leaves = |effect: bool| -> Vec<String> {
        let of_it = lines
            .iter()
            .filter(|one| replies::has_effect(line, one) == effect);
        let leaves: BTreeSet<u64> = of_it.map(|one| one.leaf_index).collect();
        leaves.iter().map(|leaf| format!("leaf {leaf}")).collect()
    };
    let (with, without) = (leaves(true).join(" and "), leaves(false).join(" and "));
    let places = match (with.is_empty(), without.is_empty()) {
        (false, false) => format!("{with}; without effect on {without}"),
        _ => with + &without,
    };
    format!("\"{}\" ({places})", first.says)
}

/// Who says it, what they are to you, when, and where it can be found again.
fn who(line: &LineView, answer: &Answer, several: bool) -> String {
    let log = if several {
        format!(" of {}", line.log)
    } else {
        String::new()
    };
    format!(
        "by {}; {}, leaf {}{log}",
        voices(line),
        asking::ago(line.logged_at_ms, answer.asked_at_ms),
        line.leaf_index
    )
}

/// Those who say it.
pub fn voices(line: &LineView) -> String {
    all_voices(&line.issuers)
}

fn all_voices(issuers: &[VoiceView]) -> String {
    issuers.iter().map(voice).collect::<Vec<_>>().join(" and ")
}

/// An issuer, by the name that the policy has for it or else its own, and what it is trusted as.
fn voice(voice: &VoiceView) -> String {
    let id = subject::shorten(&voice.issuer_id);
    let name = match (&voice.called, &voice.name) {
        (Some(called), _) => called.clone(),
        (None, Some(name)) => format!("\"{name}\" ({id}…)"),
        (None, None) => format!("issuer {id}…"),
    };
    let roles: Vec<&str> = voice.roles.iter().map(|role| role.role).collect();
    let roles = roles.join(" and ");
    match (voice.roles.is_empty(), &voice.called) {
        (true, None) => format!("{name}, whom you do not trust for anything"),
        (true, Some(_)) => format!("{name}, whom you do not trust for this"),
        (false, Some(_)) => format!("{name}, whom you trust as {roles}"),
        (false, None) => format!("{name}, {roles} by the word of those whom you trust"),
    }
}

/// What others say of a claim, beside it.
fn reply_line(reply: &ReplyView) -> String {
    let effect = match (reply.effect, reply.counts_somewhere()) {
        (true, _) => "",
        (false, true) => " (without effect for this issuer)",
        (false, false) => " (without effect)",
    };
    let says = reply.says.trim_end_matches('.');
    format!(
        "{}: {says}{effect}; leaf {}",
        all_voices(&reply.issuers),
        reply.leaf_index
    )
}

fn signed_title(signed: &SignedView) -> String {
    // A claim can be shown in several lines.
    let shown: BTreeSet<_> = signed
        .newest
        .iter()
        .map(|line| (&line.log, line.leaf_index))
        .collect();
    match signed.count {
        None => "What has it signed? (not asked)".to_owned(),
        Some(count) if count > shown.len() as u64 => {
            format!(
                "What has it signed? ({count} claims; the newest {})",
                shown.len()
            )
        }
        Some(1) => "What has it signed? (1 claim)".to_owned(),
        Some(count) => format!("What has it signed? ({count} claims)"),
    }
}

/// Whether nothing was left out, and as of when: the word, and the rest.
fn log_line(log: &LogView, now_ms: u64) -> (String, String) {
    let entries = match log.tree_size.unwrap_or_default() {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    let kept = if log.kept {
        ", kept on this machine"
    } else {
        ""
    };
    let as_of = log.as_of_ms.map(|at| {
        format!(
            "as of {}, {}{kept} (log {}, {entries})",
            asking::at(at),
            asking::ago(at, now_ms),
            log.origin
        )
    });
    let mut line = match (&log.missing, as_of) {
        (None, as_of) => format!(
            "nothing under these labels was left out, {}",
            as_of.unwrap_or_default()
        ),
        (Some(missing), Some(as_of)) => format!("{missing}; {as_of}"),
        (Some(missing), None) => format!("the log {} did not answer: {missing}", log.origin),
    };
    if !log.witnesses.is_empty() {
        line.push_str(&format!(", confirmed by {}", log.witnesses.join(" and ")));
    }
    let word = if log.complete {
        output::color("complete", Color::Green)
    } else {
        output::color("NOT complete", Color::Yellow)
    };
    (format!("{word}: "), line)
}

/// Appends words, broken between them: the first line after `first`, the others after `rest`, which
/// are this program's own. The words are other people's: what could drive a terminal is replaced.
fn wrap(text: &mut String, first: &str, rest: &str, words: &str) {
    let mut column = first.chars().count();
    text.push_str(first);
    let mut at_start = true;
    for word in words.split_whitespace().map(output::plain) {
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
        text.push_str(&word);
        column += length;
        at_start = false;
    }
    text.push('\n');
}

/// A question's answers that count.
pub fn counting(question: &QuestionView) -> impl Iterator<Item = &LineView> {
    question.lines.iter().filter(|line| counts(line))
}

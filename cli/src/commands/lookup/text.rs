//! The answer for people: a paragraph first, then question by question, then whether that is all there is.

use super::answer::{Answer, LineView, LogView, QuestionView, SignedView, VoiceView};
use crate::{
    output::{self, Colour},
    subject,
};
use std::fmt::Write;

/// Columns that text is broken at.
const WIDTH: usize = 100;

/// The whole answer.
pub fn text(answer: &Answer) -> String {
    let mut text = format!("{}\n\n", answer.about.spelled);
    wrap(&mut text, "", "", &answer.answer);
    let several = answer.logs.len() > 1;
    for question in &answer.questions {
        group(&mut text, question.text, &question.lines, answer, several);
    }
    if let Some(signed) = &answer.signed {
        let title = signed_title(signed);
        group(&mut text, &title, &signed.newest, answer, several);
    }
    text.push('\n');
    for log in &answer.logs {
        let (word, line) = log_line(log);
        wrap(&mut text, &word, "  ", &line);
    }
    for broken in &answer.broken {
        let what = format!(
            "Entry {} of {} is listed here, and its signatures do not verify: {}",
            broken.leaf_index, broken.log, broken.error
        );
        wrap(&mut text, "", "  ", &what);
    }
    if let Some(privacy) = &answer.privacy {
        let what = format!(
            "Asked privately: the node was told the beginnings of {} labels, each of which could mean any of {} things or \
             more. It learns when you asked and how much came back.",
            privacy.prefixes, privacy.fewest
        );
        wrap(&mut text, "", "  ", &what);
    }
    text
}

/// A question with its answers.
fn group(text: &mut String, title: &str, lines: &[LineView], answer: &Answer, several: bool) {
    let _ = write!(text, "\n{}\n", output::bold(title));
    if lines.is_empty() {
        let _ = writeln!(text, "  {}", output::dim("nothing is known"));
    }
    for line in lines {
        let mut shown = String::new();
        wrap(&mut shown, "  ", "    ", &says(line, answer));
        wrap(&mut shown, "    ", "      ", &who(line, several));
        if let Some(why_not) = &line.why_not {
            wrap(&mut shown, "    ", "      ", why_not);
        }
        for reply in replies(line, answer) {
            wrap(&mut shown, "    > ", "      ", &reply_line(reply));
        }
        match counts(line) {
            true => text.push_str(&shown),
            false => shown.lines().for_each(|line| text.push_str(&format!("{}\n", output::dim(line)))),
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
        let answered =
            answer.questions.iter().flat_map(|question| &question.lines).find(|line| &line.claim_id == target);
        let what = answered.map_or_else(
            || format!("claim {}", subject::shorten(target)),
            |answered| format!("\"{}\" (leaf {})", answered.says, answered.leaf_index),
        );
        return format!("of {what}: {}", line.says);
    }
    match answer.about.kind {
        "package" | "artifact" => line.says.clone(),
        _ => format!("{}: {}", line.about, line.says),
    }
}

/// Who says it, what they are to you, when, and where it can be found again.
fn who(line: &LineView, several: bool) -> String {
    let voices: Vec<String> = line.issuers.iter().map(voice).collect();
    let log = if several { format!(" of {}", line.log) } else { String::new() };
    format!("by {}; {}, leaf {}{log}", voices.join(" and "), age(line.age_days), line.leaf_index)
}

/// An issuer, by the name that the policy has for it or else its own, and what it is trusted as.
pub fn voice(voice: &VoiceView) -> String {
    let id = subject::shorten(&voice.issuer_id);
    let name = match (&voice.called, &voice.name) {
        (Some(called), _) => format!("{called} ({id})"),
        (None, Some(name)) => format!("\"{name}\" ({id})"),
        (None, None) => format!("issuer {id}"),
    };
    let roles: Vec<&str> = voice.roles.iter().map(|role| role.role).collect();
    match (roles.is_empty(), voice.roles.iter().all(|role| !role.endorsed_by.is_empty())) {
        (true, _) => format!("{name}, whom you do not know"),
        (false, true) => format!("{name}, vouched for as {}", roles.join(" and ")),
        (false, false) => format!("{name}, whom you trust as {}", roles.join(" and ")),
    }
}

/// How long ago, in words.
pub fn age(days: u64) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        n => format!("{n} days ago"),
    }
}

/// What others say of a claim, beside it.
fn replies<'a>(line: &'a LineView, answer: &'a Answer) -> impl Iterator<Item = &'a LineView> {
    let all = answer.questions.iter().flat_map(|question| &question.lines);
    all.filter(move |reply| line.target.is_none() && reply.target.as_ref() == Some(&line.claim_id))
}

fn reply_line(reply: &LineView) -> String {
    let voices: Vec<String> = reply.issuers.iter().map(voice).collect();
    let effect = if reply.effect { "" } else { " (without effect)" };
    format!("{}: {}{effect}; leaf {}", voices.join(" and "), reply.says, reply.leaf_index)
}

fn signed_title(signed: &SignedView) -> String {
    match signed.count {
        None => "What has it signed? (not asked)".to_owned(),
        Some(count) if count > signed.newest.len() as u64 => {
            format!("What has it signed? ({count} claims; the newest {})", signed.newest.len())
        }
        Some(1) => "What has it signed? (1 claim)".to_owned(),
        Some(count) => format!("What has it signed? ({count} claims)"),
    }
}

/// Whether nothing was left out, and as of when: the word, and the rest.
fn log_line(log: &LogView) -> (String, String) {
    let kept = if log.kept { "kept on this machine, " } else { "" };
    let when = |log: &LogView| match (&log.as_of, log.tree_size, log.age_ms) {
        (Some(at), Some(size), Some(age)) => {
            format!("as of {at}, {kept}{} old (log {}, {size} entries)", duration(age), log.origin)
        }
        _ => format!("(log {})", log.origin),
    };
    match &log.missing {
        None => {
            let line = format!("nothing under these labels was left out, {}", when(log));
            (format!("{}: ", output::colour("complete", Colour::Green)), line)
        }
        Some(missing) => {
            let line = format!("{missing}; {}", when(log));
            (format!("{}: ", output::colour("NOT complete", Colour::Yellow)), line)
        }
    }
}

/// A length of time, to the precision that matters.
pub fn duration(ms: u64) -> String {
    let unit = |count: u64, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    match ms / 1000 {
        seconds @ 0..60 => unit(seconds, "second"),
        seconds @ 60..3600 => unit(seconds / 60, "minute"),
        seconds @ 3600..172_800 => unit(seconds / 3600, "hour"),
        seconds => unit(seconds / 86_400, "day"),
    }
}

/// Appends words, broken between them: the first line after `first`, the others after `rest`, which are this program's own.
/// The words are other people's: what could drive a terminal is replaced.
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

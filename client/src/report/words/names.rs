//! What things are called in a sentence: subjects, times, numbers.

use crate::{one_word, plain, quoted_name};
use assay_claims::issuer::IssuerId;
use assay_claims::statement::Subject;
use assay_claims::time::rfc3339_of_ms;
use assay_policy::rules::Policy;
use assay_policy::trust::Trust;
use std::borrow::Borrow;

/// What [`short_list`] and [`each_once`] name.
const SHOWN: usize = 3;

/// A subject in few words: its URI, or its name and its first digest.
pub fn short(subject: &Subject) -> String {
    match (subject.uri(), subject.name()) {
        (Some(uri), _) => one_word(uri).into_owned(),
        (None, Some(name)) => format!("{} ({})", one_word(name), short_digest(subject)),
        (None, None) => short_digest(subject),
    }
}

fn short_digest(subject: &Subject) -> String {
    match subject.digests().first() {
        Some((algorithm, value)) => {
            let digest = format!("{algorithm}:{}", shorten(value));
            one_word(&digest).into_owned()
        }
        None => String::new(),
    }
}

/// Subjects in few words: the first three, and how many more there are.
pub fn short_list(subjects: &[Subject]) -> String {
    let mut words: Vec<String> = subjects.iter().take(SHOWN).map(short).collect();
    if subjects.len() > SHOWN {
        words.push(format!("and {} more", subjects.len() - SHOWN));
    }
    words.join(", ")
}

/// Names, each once: the first three, and how many more there are. Empty if there are none.
pub(super) fn each_once<N: Borrow<str> + PartialEq>(all: impl Iterator<Item = N>) -> String {
    let mut names: Vec<N> = Vec::new();
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let named = names.join(" and ");
    match more {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// The first 12 digits of a digest or id.
pub fn shorten(hex: &str) -> &str {
    hex.get(..12).unwrap_or(hex)
}

/// Who somebody is: what the policy calls it, else the beginning of its id and, behind that and in
/// quotation marks, what it calls itself, which proves nothing.
pub fn who(issuer: &IssuerId, policy: &Policy, trust: &Trust<'_>) -> String {
    let mut anchors = policy.anchors().iter();
    if let Some(anchor) = anchors.find(|named| named.anchor.issuer == *issuer) {
        return plain(&anchor.name);
    }
    self_named(&issuer.to_hex(), trust.name(issuer))
}

/// An issuer by the beginning of its id and what it calls itself, never by that name alone.
pub fn self_named(id: &str, name: Option<&str>) -> String {
    let id = shorten(id);
    match name {
        Some(name) => format!("issuer {id}… {}", quoted_name(name)),
        None => format!("issuer {id}…"),
    }
}

/// How long ago something was: `3 days ago`. A time in the future is `just now`: clocks differ.
pub fn ago(at_ms: u64, now_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(at_ms) / 1000;
    let (count, unit) = match seconds {
        0..60 => return "just now".into(),
        60..3600 => (seconds / 60, "minute"),
        3600..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// A time: `2026-01-31 08:05 UTC`.
pub fn at(ms: u64) -> String {
    let text = rfc3339_of_ms(ms);
    let minutes = text.get(..16).unwrap_or(&text);
    format!("{} UTC", minutes.replacen('T', " ", 1))
}

/// A number of things: `1 claim`, `2 claims`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A number of entries, for people.
pub(super) fn entries(size: u64) -> String {
    if size == 1 {
        "1 entry".into()
    } else {
        format!("{} entries", thousands(size))
    }
}

/// A number with its thousands apart: `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_times_are_for_people() {
        let now = 1_000_000_000_000;
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7_199, "1 hour ago"),
            (172_799, "47 hours ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(now - seconds * 1000, now), text);
        }
        assert_eq!(ago(now + 1, now), "just now");
        assert_eq!(at(951_782_399_000), "2000-02-28 23:59 UTC");
    }
}

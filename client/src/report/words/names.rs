//! What things are called in a sentence: subjects, times, numbers.

use crate::plain;
use crate::time;
use assay_claims::issuer::IssuerId;
use assay_claims::statement::Subject;
use assay_policy::rules::Policy;
use assay_policy::trust::Trust;

/// Subjects that [`short_list`] names.
const SHOWN: usize = 3;

/// A subject in few words: its URI, or its name and its first digest.
pub fn short(subject: &Subject) -> String {
    let text = match (subject.uri(), subject.name()) {
        (Some(uri), _) => uri.to_owned(),
        (None, Some(name)) => format!("{name} ({})", short_digest(subject)),
        (None, None) => short_digest(subject),
    };
    plain(&text)
}

fn short_digest(subject: &Subject) -> String {
    match subject.digests().first() {
        Some((algorithm, value)) => format!("{algorithm}:{}", shorten(value)),
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

/// The first 12 digits of a digest or id.
pub fn shorten(hex: &str) -> &str {
    hex.get(..12).unwrap_or(hex)
}

/// Who somebody is: what the policy calls it, else what it calls itself, else the beginning of its
/// id. A name that it gave itself stands in quotes, with the id: it proves nothing.
pub fn who(issuer: &IssuerId, policy: &Policy, trust: &Trust<'_>) -> String {
    let mut anchors = policy.anchors().iter();
    if let Some(anchor) = anchors.find(|named| named.anchor.issuer == *issuer) {
        return plain(&anchor.name);
    }
    let hex = issuer.to_hex();
    let id = shorten(&hex);
    match trust.name(issuer) {
        Some(name) => format!("\"{}\" ({id}…)", plain(name)),
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
    let text = time::rfc3339_of_ms(ms);
    let minutes = text.get(..16).unwrap_or(&text);
    format!("{} UTC", minutes.replacen('T', " ", 1))
}

/// A number of things: `1 claim`, `2 claims`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
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

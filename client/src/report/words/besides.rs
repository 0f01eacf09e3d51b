//! What a summary says besides: what was not looked up, and what is ignored no more.

use crate::report::Report;

/// Most names that a sentence shows; of more it says how many.
const NAMES: usize = 3;

/// What could not be identified: nothing is known of it, and it is part of the project all the
/// same.
pub(super) fn unidentified(report: &Report) -> Option<String> {
    let all: Vec<_> = report.unidentified().collect();
    let named: Vec<String> = all
        .iter()
        .take(NAMES)
        .map(|(_, one)| format!("{} ({})", one.what, one.reason))
        .collect();
    let rest = match all.len().saturating_sub(NAMES) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    (!all.is_empty()).then(|| {
        let (more, them) = match all.len() {
            1 => ("1 more entry".to_owned(), "it"),
            n => (format!("{n} more entries"), "them"),
        };
        format!(
            "{more} could not be identified, so nothing is known about {them}: {}{rest}.",
            named.join(", ")
        )
    })
}

pub(super) fn own(report: &Report) -> Option<String> {
    (!report.own.is_empty()).then(|| {
        let shown: Vec<&str> = report.own.iter().take(NAMES).map(String::as_str).collect();
        let rest = match report.own.len().saturating_sub(NAMES) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        format!(
            "Not counted, because they are the project itself (--own counts them): {}{rest}.",
            shown.join(", ")
        )
    })
}

/// The entries of the policy that ignore nothing any more, each in a sentence.
pub fn no_longer_ignored(report: &Report) -> Vec<String> {
    let entries = report.ignores.iter().filter(|entry| entry.expired);
    entries
        .map(|entry| {
            format!(
                "No longer ignored, because the entry of your policy ended: {}, until {}: {}",
                entry.what, entry.until, entry.reason
            )
        })
        .collect()
}

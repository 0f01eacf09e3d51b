//! The summary, in words that need no knowledge of cryptography: how many are fine, what is the
//! matter with the others, what to do next, and how complete and how old the answers are.

use super::names::count;
use super::{ago, at};
use crate::ask::How;
use crate::report::{Completeness, Component, Log, Reason, Report};
use assay_policy::rules::Outcome;
use assay_policy::verdict::Cause;

/// Most names that a sentence shows; of more it says how many.
const NAMES: usize = 3;

/// The summary, one sentence a line.
pub fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![counts(report), judgment(report)];
    lines.extend(unidentified(report));
    lines.extend(own(report));
    lines.extend(next(report).map(|next| format!("Next: {next}")));
    lines.extend(report.logs.iter().map(|log| completeness(log, report)));
    lines
}

/// `312 components: 290 fine, 4 past end of support, …`. Each is counted once, by the worst that
/// there is to say of it.
fn counts(report: &Report) -> String {
    let total = count(report.components.len(), "component");
    if report.components.is_empty() {
        return format!("{total} to look up.");
    }
    let fine = report
        .components
        .iter()
        .filter(|component| component.outcome == Outcome::Fine)
        .count();
    let mut parts: Vec<String> = (fine > 0)
        .then(|| format!("{fine} fine"))
        .into_iter()
        .collect();
    parts.extend(
        groups(report)
            .into_iter()
            .map(|(words, count)| format!("{count} {words}")),
    );
    format!("{total}: {}.", parts.join(", "))
}

/// What is the matter with the components that are not fine, the worst first, and with how many.
fn groups(report: &Report) -> Vec<(String, usize)> {
    let mut groups: Vec<(String, usize)> = Vec::new();
    for reason in report
        .not_fine()
        .into_iter()
        .filter_map(Component::main_reason)
    {
        let words = words(reason);
        match groups.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => groups.push((words, 1)),
        }
    }
    groups
}

fn words(reason: &Reason) -> String {
    match (reason.cause, reason.outcome) {
        (Cause::Logs, Outcome::Stale) => "with an answer that is too old (stale)".into(),
        (Cause::Logs, _) => "without a complete answer (incomplete)".into(),
        (Cause::Unknown, _) if !reason.claims.is_empty() => {
            "of which nothing that was said counts (unknown)".into()
        }
        (Cause::Unknown, _) => "of which nobody whom you trust says anything (unknown)".into(),
        (Cause::Affected, _) => "with a vulnerability that can be exploited".into(),
        (Cause::Vulnerable, _) => "with an open vulnerability".into(),
        (Cause::Unsupported, _) => "past end of support".into(),
        (Cause::Claim, _) => format!("caught by \"{}\"", reason.rule),
        (Cause::Requirement, _) => format!("short of \"{}\"", reason.rule),
        (Cause::Undecided, _) => "for which a rule could not be decided".into(),
    }
}

/// Whether the policy is met.
pub fn judgment(report: &Report) -> String {
    let warned = report
        .components
        .iter()
        .filter(|component| component.outcome == Outcome::Warn)
        .count();
    let unidentified = report.unidentified().next().is_some();
    match (report.outcome().is_met(), warned) {
        (true, 0) if !unidentified => "Your policy is met.".into(),
        (true, 0) => "Your policy is met; it warns of what could not be identified.".into(),
        (true, n) => format!("Your policy is met; it warns of {n}."),
        (false, 0) => format!("Your policy is not met: {}.", stops(report)),
        (false, n) => format!(
            "Your policy is not met: {}; it warns of {n} more.",
            stops(report)
        ),
    }
}

/// That the policy is not met, and where it stops.
pub fn not_met(report: &Report) -> String {
    format!("your policy is not met: {}", stops(report))
}

/// Where the policy stops: `it stops at 3 of 312 components`.
fn stops(report: &Report) -> String {
    let stopped = report
        .components
        .iter()
        .filter(|component| !component.outcome.is_met())
        .count();
    let unidentified = report.unidentified().count();
    let mut parts = Vec::new();
    if stopped > 0 {
        parts.push(format!(
            "{stopped} of {}",
            count(report.components.len(), "component")
        ));
    }
    if unidentified > 0 && report.stops_at_unknown {
        parts.push(format!("{unidentified} that could not be identified"));
    }
    format!("it stops at {}", parts.join(" and at "))
}

/// What could not be identified: nothing is known of it, and it is part of the project all the
/// same.
fn unidentified(report: &Report) -> Option<String> {
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
            "{more} could not be identified, so that nothing is known of {them}: {}{rest}.",
            named.join(", ")
        )
    })
}

fn own(report: &Report) -> Option<String> {
    (!report.own.is_empty()).then(|| {
        let shown: Vec<&str> = report.own.iter().take(NAMES).map(String::as_str).collect();
        let rest = match report.own.len().saturating_sub(NAMES) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        format!(
            "Not counted, because they are the project itself: {}{rest}.",
            shown.join(", ")
        )
    })
}

/// What to do about the worst.
fn next(report: &Report) -> Option<String> {
    let worst = report
        .not_fine()
        .into_iter()
        .find_map(Component::main_reason);
    let Some(worst) = worst else {
        let unknown = report.unidentified().next()?;
        return Some(format!(
            "find out what the entries of {} are that could not be identified.",
            unknown.0.name
        ));
    };
    Some(match (worst.cause, worst.outcome) {
        (Cause::Logs, Outcome::Stale) if report.how == How::Offline => {
            "ask again without --offline.".into()
        }
        (Cause::Logs, Outcome::Stale) => {
            "ask again later; if the log stays as old, ask its operator, or allow more with \
             `max_head_age` in your policy."
                .into()
        }
        (Cause::Logs, _) if report.how == How::Offline => "ask again without --offline.".into(),
        (Cause::Logs, _) => "try again; if it stays so, see below which log is missing, and ask \
            its operator."
            .into(),
        (Cause::Unknown, _) => format!(
            "name whom you trust in {}, or ask those who make these packages to publish what they \
             know.",
            report.policy
        ),
        (Cause::Affected, _) => "update what can be exploited, or do what those who say so \
            advise."
            .into(),
        (Cause::Vulnerable, _) => {
            "update what has an open vulnerability, or ask those who make it whether it does harm \
             here."
                .into()
        }
        (Cause::Unsupported, _) => "replace what is past its end of support, or update to a \
            version that is not."
            .into(),
        (Cause::Claim, _) => "read below what was said, and replace what your policy does not \
            allow."
            .into(),
        (Cause::Requirement, _) => {
            "ask those who make these packages for what is missing (`assay require`), or change \
             the demand."
                .into()
        }
        (Cause::Undecided, _) => "read below which rule could not be decided, and make it more \
            precise."
            .into(),
    })
}

/// What a log's answer is worth, for people.
pub fn completeness(log: &Log, report: &Report) -> String {
    let missing = log.missing.as_deref().unwrap_or_default();
    let kept = if report.how == How::Offline {
        "kept answer "
    } else {
        ""
    };
    let head = log.head.as_ref().map(|head| {
        let (at, ago) = (
            at(head.made_at_ms),
            ago(head.made_at_ms, report.asked_at_ms),
        );
        format!(
            "{at}, {ago} ({kept}of the log {}, {})",
            log.origin,
            entries(head.size)
        )
    });
    let mut text = match (log.completeness, head) {
        (Completeness::Complete, Some(head)) => {
            format!("Complete as of {head}: nothing was left out.")
        }
        (_, Some(head)) => format!("Not complete, as of {head}: {missing}."),
        (_, None) => format!("No answer of the log {}: {missing}.", log.origin),
    };
    if !log.witnesses.is_empty() {
        text.push_str(&format!(" Confirmed by {}.", log.witnesses.join(", ")));
    }
    if let Some(private) = &log.privacy {
        text.push_str(&format!(
            " The log was told {} instead of names; each stood for at least {} names that it has.",
            if private.prefixes == 1 {
                "1 prefix".to_owned()
            } else {
                format!("{} prefixes", private.prefixes)
            },
            private.fewest
        ));
    }
    text
}

fn entries(size: u64) -> String {
    if size == 1 {
        "1 entry".into()
    } else {
        format!("{} entries", thousands(size))
    }
}

/// `1,234,567`.
fn thousands(number: u64) -> String {
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
    use crate::report::example;

    #[test]
    fn it_says_what_is_the_matter_with_how_many() {
        let text = lines(&example::report()).join("\n");
        assert_eq!(
            text,
            "5 components: 1 fine, 1 with a vulnerability that can be exploited, 1 of which \
             nobody whom you trust says anything (unknown), 1 past end of support, 1 short of \
             \"origin\".\nYour policy is not met: it stops at 2 of 5 components and at 1 that \
             could not be identified; it warns of 2 more.\n1 more entry could not be identified, \
             so that nothing is known of it: mystery (has no version).\nNot counted, because they \
             are the project itself: pkg:cargo/app@0.1.0.\nNext: update what can be exploited, or \
             do what those who say so advise.\nComplete as of 2026-01-31 08:05 UTC, 3 minutes ago \
             (of the log log.example, 1,234 entries): nothing was left out."
        );
    }

    #[test]
    fn what_did_not_come_is_said() {
        let mut report = example::report();
        report.how = How::Offline;
        report.logs[0].completeness = Completeness::Partial;
        report.logs[0].missing = Some("half of it".into());
        assert!(
            lines(&report).join("\n").contains(
                "Not complete, as of 2026-01-31 08:05 UTC, 3 minutes ago (kept answer of"
            )
        );
        report.logs[0].head = None;
        assert!(
            lines(&report)
                .join("\n")
                .ends_with("No answer of the log log.example: half of it.")
        );
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}

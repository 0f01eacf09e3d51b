//! The summary, in words that need no knowledge of cryptography: how many are fine, what is the
//! matter with the others, what to do next, and how complete and how old the answers are.

use super::besides;
use super::gate;
use super::names::{count, entries};
use super::stood::by_mirror;
use super::{ago, at, convicted, stood_behind};
use crate::ask::gather::Privacy;
use crate::ask::{How, LogState};
use crate::report::{Completeness, Component, Log, Reason, Report};
use assay_policy::rules::Outcome;
use assay_policy::verdict::Cause;
use std::collections::BTreeMap;

/// The summary, one sentence a line. What is missing is named first.
pub fn lines(report: &Report) -> Vec<String> {
    let lacking = report.logs.iter().filter(|log| !log.is_good());
    let mut lines: Vec<String> = lacking.map(|log| completeness(log, report)).collect();
    lines.extend([counts(report), judgment(report)]);
    lines.extend(gate::lines(report));
    lines.extend(besides::unidentified(report));
    lines.extend(besides::own(report));
    lines.extend(besides::no_longer_ignored(report));
    lines.extend(next(report).map(|next| format!("Next: {next}")));
    let whole = report.logs.iter().filter(|log| log.is_good());
    lines.extend(whole.map(|log| completeness(log, report)));
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
    parts.extend(unknown(report));
    format!("{total}: {}.", parts.join(", "))
}

/// What is the matter with the components that are neither fine nor unknown, the worst first, and
/// with how many.
fn groups(report: &Report) -> Vec<(String, usize)> {
    let mut groups: Vec<(String, usize)> = Vec::new();
    for reason in report
        .not_fine()
        .into_iter()
        .filter_map(Component::main_reason)
    {
        let Some(words) = words(reason) else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => groups.push((words, 1)),
        }
    }
    groups
}

/// `397 unknown: 396 without claims from issuers you trust, …`: the components of which nothing
/// that counts is known, by what there is instead; `None` if there are none.
fn unknown(report: &Report) -> Option<String> {
    let mut kinds: BTreeMap<Unknown, usize> = BTreeMap::new();
    for component in report.not_fine() {
        if let Some(reason) = component.main_reason()
            && reason.cause == Cause::Unknown
        {
            *kinds.entry(Unknown::of(reason)).or_default() += 1;
        }
    }
    let total: usize = kinds.values().sum();
    let parts: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.words()))
        .collect();
    let (first, _) = kinds.first_key_value()?;
    Some(if kinds.len() == 1 {
        format!("{total} unknown, {}", first.words())
    } else {
        format!("{total} unknown: {}", parts.join(", "))
    })
}

/// What there is of a component that is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unknown {
    /// Nothing, or claims that have effect, but by issuers who are not trusted.
    NoTrustedClaims,
    /// Claims by trusted issuers that judge nothing.
    Wordless,
    /// Claims by trusted issuers that are not known to be about exactly this.
    Nearby,
    /// One claim, which was withdrawn.
    Withdrawn,
    /// One claim, which never had effect.
    Ineffective,
    /// Several claims, none with effect, or one that is withdrawn at one place and ineffective at
    /// another.
    Several,
}

impl Unknown {
    fn of(reason: &Reason) -> Self {
        let Some(unspoken) = &reason.unspoken else {
            return Self::NoTrustedClaims;
        };
        if unspoken.no_word > 0 {
            return Self::Wordless;
        }
        if unspoken.nearby > 0 {
            return Self::Nearby;
        }
        if unspoken.by_others > 0 || unspoken.idle == 0 {
            return Self::NoTrustedClaims;
        }
        match (unspoken.withdrawn, unspoken.ineffective) {
            (1, 0) => Self::Withdrawn,
            (0, 1) => Self::Ineffective,
            _ => Self::Several,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::NoTrustedClaims => "without claims from issuers you trust",
            Self::Wordless => "whose claims do not say whether it can be used",
            Self::Nearby => "whose claims are not known to be about exactly this",
            Self::Withdrawn => "whose only claim found was withdrawn",
            Self::Ineffective => "whose only claim found has no effect",
            Self::Several => "whose claims found were withdrawn or have no effect",
        }
    }
}

/// What a reason says of a component; `None` of one that is unknown: those are counted apart.
fn words(reason: &Reason) -> Option<String> {
    Some(match (reason.cause, reason.outcome) {
        (Cause::Logs, Outcome::Stale) => "with an answer that is too old (stale)".into(),
        (Cause::Logs, _) => "without a complete answer (incomplete)".into(),
        (Cause::Unknown, _) => return None,
        (Cause::Affected, _) => "with a vulnerability that can be exploited".into(),
        (Cause::Vulnerable, _) => "with an open vulnerability".into(),
        (Cause::Unsupported, _) => "past end of support".into(),
        (Cause::Claim, _) => format!("caught by \"{}\"", reason.rule),
        (Cause::Requirement, _) => format!("not meeting \"{}\"", reason.rule),
        (Cause::Undecided, _) => "with a rule that could not be decided".into(),
        (Cause::Ignored, _) => "with what your policy ignores".into(),
    })
}

/// Whether the policy is met.
pub fn judgment(report: &Report) -> String {
    if report.gate.is_set() {
        return gate::judgment(report);
    }
    if !report.outcome().is_met() {
        return format!("Policy not met: {}.", unmet(report));
    }
    let components = report.components.len();
    let warned = with_outcome(report, Outcome::Warn);
    let unidentified = report.unidentified().count();
    if warned > 0 {
        let of = count(components, "component");
        return format!("Policy met, with warnings about {warned} of {of}.");
    }
    if unidentified > 0 {
        let entries = entries(unidentified as u64);
        return format!("Policy met, with a warning about {entries} that could not be identified.");
    }
    match components {
        0 => "Policy met.".into(),
        1 => "Policy met by 1 component.".into(),
        n => format!("Policy met by all {n} components."),
    }
}

/// That the policy is not met, and by how many components.
pub fn not_met(report: &Report) -> String {
    if report.gate.is_set() {
        return gate::stopped(report);
    }
    format!("your policy is not met: {}", unmet(report))
}

/// How many components do not meet the policy, by outcome, and how many are warned about:
/// `1 of 398 components denied, 397 warned about`.
fn unmet(report: &Report) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (outcome, words) in [
        (Outcome::Denied, "denied"),
        (Outcome::Unmet, "missing a requirement"),
        (Outcome::Unknown, "unknown"),
        (Outcome::Incomplete, "without a complete answer"),
        (Outcome::Stale, "with an answer that is too old"),
        (Outcome::Warn, "warned about"),
    ] {
        let number = with_outcome(report, outcome);
        if number == 0 {
            continue;
        }
        parts.push(if parts.is_empty() {
            let of = count(report.components.len(), "component");
            format!("{number} of {of} {words}")
        } else {
            format!("{number} {words}")
        });
    }
    let unidentified = report.unidentified().count();
    if unidentified > 0 && report.stops_at_unknown {
        let entries = entries(unidentified as u64);
        parts.push(format!("{entries} could not be identified"));
    }
    parts.join(", ")
}

fn with_outcome(report: &Report, outcome: Outcome) -> usize {
    let components = report.components.iter();
    components.filter(|one| one.outcome == outcome).count()
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
            "find out what the unidentified entries of {} are.",
            unknown.0.name
        ));
    };
    Some(match (worst.cause, worst.outcome) {
        (Cause::Logs, Outcome::Stale) if report.how == How::Offline => {
            "ask again without --offline.".into()
        }
        (Cause::Logs, Outcome::Stale) => {
            let now = at(report.asked_at_ms);
            format!(
                "ask again later; if the log is still too old, see whether the clock of this \
                 machine is right (it shows {now}), ask the log's operator, or allow an older \
                 answer with `max_head_age` in your policy."
            )
        }
        (Cause::Logs, _) if report.how == How::Offline => "ask again without --offline.".into(),
        (Cause::Logs, _) => "try again; if that does not help, see below which log is missing \
            and ask its operator."
            .into(),
        (Cause::Unknown, _) => format!(
            "name issuers you trust in {}, or ask the makers of these packages to publish claims.",
            report.policy
        ),
        (Cause::Affected, _) => {
            "update what can be exploited, or follow the advice of the issuers who say so.".into()
        }
        (Cause::Vulnerable, _) => {
            "update what has an open vulnerability, or ask its makers whether it can be exploited."
                .into()
        }
        (Cause::Unsupported, _) => "replace what is past end of support, or update to a supported \
            version."
            .into(),
        (Cause::Claim, _) => {
            "read the reasons below, and replace what your policy does not allow.".into()
        }
        (Cause::Requirement, _) => {
            "ask the makers of these packages for what is missing (`assay require`), or change the \
             requirement."
                .into()
        }
        (Cause::Undecided, _) => "see below which rule could not be decided, and make it more \
            precise."
            .into(),
        (Cause::Ignored, _) => {
            "look again at what your policy ignores, before its entries end.".into()
        }
    })
}

/// What a log's answer is worth, for people.
pub fn completeness(log: &Log, report: &Report) -> String {
    let missing = log.missing.as_deref().unwrap_or_default();
    let kept = if report.how == How::Offline {
        "kept answer of the "
    } else {
        ""
    };
    let head = log.head.as_ref().map(|head| {
        let (at, ago) = (
            at(head.made_at_ms),
            ago(head.made_at_ms, report.asked_at_ms),
        );
        format!(
            "{at}, {ago} ({kept}log {}, {})",
            log.origin,
            entries(head.size)
        )
    });
    let mut text = match (log.completeness, head) {
        (Completeness::Complete, Some(head)) if log.state == LogState::Stale => {
            format!("Too old: complete only as of {head}; later withdrawals would be missing.")
        }
        (Completeness::Complete, Some(head)) if report.lacks_logs() => {
            format!("Of one log only, nothing was left out, as of {head}.")
        }
        (Completeness::Complete, Some(head)) => {
            format!("Complete as of {head}: nothing was left out.")
        }
        (_, Some(head)) => format!("Not complete, as of {head}: {missing}."),
        (_, None) if log.state == LogState::Convicted => {
            format!("The log {} counts no more: {missing}.", log.origin)
        }
        (_, None) => format!("No answer from the log {}: {missing}.", log.origin),
    };
    if let Some(mirror) = by_mirror(log) {
        text.push_str(&format!(" The log: {mirror}."));
    }
    if log.spare {
        text.push_str(" Your policy does without it, because enough other logs answered.");
    }
    if let Some(witnesses) = stood_behind(&log.voices) {
        text.push_str(&format!(" {witnesses}."));
    }
    if let Some(witnesses) = convicted(&log.voices) {
        text.push_str(&format!(" The {witnesses}."));
    }
    if let Some(private) = &log.privacy {
        text.push_str(&told_privately(private));
    }
    text
}

/// What the log was told in place of names.
fn told_privately(private: &Privacy) -> String {
    let packages = match private.prefixes {
        1 => "1 package".to_owned(),
        more => format!("{more} packages"),
    };
    format!(
        " The log was told the first {} bits of {packages} instead of names; at least {} names in \
         the log begin like each.",
        private.bits, private.fewest
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;
    use crate::report::words::names::thousands;
    use assay_policy::verdict::Unspoken;

    #[test]
    fn it_says_what_is_the_matter_with_how_many() {
        let text = lines(&example::report()).join("\n");
        assert_eq!(
            text,
            "5 components: 1 fine, 1 with a vulnerability that can be exploited, 1 past end of \
             support, 1 not meeting \"origin\", 1 unknown, without claims from issuers you \
             trust.\nPolicy not met: 1 of 5 components denied, 1 unknown, 2 warned about, 1 entry \
             could not be identified.\n1 more entry could not be identified, so nothing is known \
             about it: mystery (has no version).\nNot counted, because they are the project \
             itself (--own counts them): pkg:cargo/app@0.1.0.\nNext: update what can be \
             exploited, or follow the advice of the issuers who say so.\nComplete as of \
             2026-01-31 08:05 UTC, 3 minutes ago (log log.example, 1,234 entries): nothing was \
             left out."
        );
    }

    #[test]
    fn the_unknown_are_counted_last_by_what_there_is_of_them() {
        let unspoken = |by_others, withdrawn, ineffective, idle| Unspoken {
            by_others,
            withdrawn,
            ineffective,
            idle,
            no_word: 0,
            nearby: 0,
            from_elsewhere: None,
        };
        let (withdrawn, ineffective) = (unspoken(0, 1, 0, 1), unspoken(0, 0, 1, 1));
        let unknown = |kinds: &[Unspoken]| {
            let mut report = example::report();
            report.components = kinds
                .iter()
                .map(|kind| {
                    let mut nobody = example::report().components.remove(2);
                    nobody.reasons[0].unspoken = Some(kind.clone());
                    nobody
                })
                .collect();
            counts(&report)
        };
        assert_eq!(
            unknown(&[
                withdrawn.clone(),
                unspoken(1, 0, 0, 0),
                unspoken(1, 1, 0, 1)
            ]),
            "3 components: 3 unknown: 2 without claims from issuers you trust, 1 whose only claim \
             found was withdrawn."
        );
        assert_eq!(
            unknown(&[ineffective.clone(), withdrawn.clone(), unspoken(0, 1, 1, 1)]),
            "3 components: 3 unknown: 1 whose only claim found was withdrawn, 1 whose only claim \
             found has no effect, 1 whose claims found were withdrawn or have no effect."
        );
        let (mut wordless, mut nearby) = (ineffective.clone(), withdrawn.clone());
        (wordless.no_word, nearby.nearby) = (1, 2);
        assert_eq!(
            unknown(&[nearby, wordless, unspoken(0, 0, 0, 0)]),
            "3 components: 3 unknown: 1 without claims from issuers you trust, 1 whose claims do \
             not say whether it can be used, 1 whose claims are not known to be about exactly \
             this."
        );
        assert_eq!(
            unknown(&[withdrawn.clone(), withdrawn]),
            "2 components: 2 unknown, whose only claim found was withdrawn."
        );
        assert_eq!(
            unknown(&[unspoken(0, 2, 0, 2), unspoken(0, 1, 1, 2)]),
            "2 components: 2 unknown, whose claims found were withdrawn or have no effect."
        );
    }

    #[test]
    fn a_policy_that_is_met_says_what_it_warns_of() {
        let mut report = example::report();
        report.stops_at_unknown = false;
        report.components.remove(1);
        report.components.remove(1);
        assert_eq!(
            judgment(&report),
            "Policy met, with warnings about 2 of 3 components."
        );
        report.components.truncate(1);
        assert_eq!(
            judgment(&report),
            "Policy met, with a warning about 1 entry that could not be identified."
        );
        report.files.clear();
        assert_eq!(judgment(&report), "Policy met by 1 component.");
        report
            .components
            .push(example::report().components.remove(0));
        assert_eq!(judgment(&report), "Policy met by all 2 components.");
        report.components.clear();
        assert_eq!(judgment(&report), "Policy met.");
    }

    #[test]
    fn what_did_not_come_is_said() {
        let mut report = example::report();
        report.how = How::Offline;
        report.logs[0].completeness = Completeness::Partial;
        report.logs[0].missing = Some("half of it".into());
        assert!(lines(&report).join("\n").contains(
            "Not complete, as of 2026-01-31 08:05 UTC, 3 minutes ago (kept answer of the log"
        ));
        report.logs[0].head = None;
        // What is missing is named first.
        assert_eq!(
            lines(&report)[0],
            "No answer from the log log.example: half of it."
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

//! Why a policy decides as it does.

use super::time::{date, duration};
use super::{Reader, or, whom};
use crate::one_word;
use assay_policy::rules::{Severity, Wanted};
use assay_policy::trust::{ENDORSEMENTS, ISSUERS, Limit};
use assay_policy::verdict::{
    Bound, CLAIMS_ABOUT_ONE, Demanded, LogFault, Overlooked, Rated, Reason, Undecided,
    UndecidedWhat, Unspoken, Why,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Most things that a reason names.
const NAMED: usize = 10;

/// A reason, in one or more sentences.
pub fn reason(reason: &Reason, reader: Reader) -> String {
    let stated = reason.stated.as_deref().unwrap_or_default();
    match &reason.why {
        Why::Logs(fault) => log_fault(fault, reader),
        Why::Unknown(unspoken) => unknown(unspoken, reader),
        Why::Affected(found) | Why::Vulnerable(found) => {
            denied(stated, found.iter().map(rated).collect())
        }
        Why::Unsupported(until) => {
            let until = until.iter().map(date);
            denied(
                stated,
                until
                    .map(|date| format!("security support until {date}"))
                    .collect(),
            )
        }
        Why::Claim => stated.to_owned(),
        Why::Requirement(demanded) => required(stated, demanded, reason.evidence.len()),
        Why::Undecided(undecided) => not_decided(undecided),
        Why::Ignored(overlooked) => ignored(reason, overlooked, reader),
    }
}

/// That the policy ignores it, until when and why; then what it is.
fn ignored(reason: &Reason, overlooked: &Overlooked, reader: Reader) -> String {
    let entries: Vec<String> = overlooked
        .by
        .iter()
        .map(|entry| {
            format!(
                "until {}: {}",
                entry.until.as_str(),
                sentence(&entry.reason)
            )
        })
        .collect();
    let ignored = Reason {
        why: (*overlooked.why).clone(),
        outcome: overlooked.outcome,
        ..reason.clone()
    };
    format!(
        "{} ignores this {} It would be \"{}\": {}",
        reader.policy_first(),
        entries.join(" Also "),
        overlooked.outcome,
        self::reason(&ignored, reader)
    )
}

fn log_fault(fault: &LogFault, reader: Reader) -> String {
    match fault {
        LogFault::Bounded(bound) => bounded(bound, reader),
        LogFault::NoneAsked => "No log was asked, so nothing is known.".to_owned(),
        LogFault::Silent { origin, why: None } => format!("The log {origin} did not answer."),
        LogFault::Silent {
            origin,
            why: Some(why),
        } => format!("The log {origin} did not answer: {why}."),
        LogFault::Partial { origin, missing } => {
            format!("The answer of the log {origin} is not complete: {missing}.")
        }
        LogFault::Future { origin } => format!(
            "The answer of the log {origin} is dated in the future; check the clock of this \
             machine."
        ),
        LogFault::Old {
            origin,
            age_ms,
            most_ms,
        } => format!(
            "The answer of the log {origin} is older than the {} that {} allows ({}): \
             later withdrawals would be missing from it.",
            duration(*most_ms),
            reader.policy(),
            duration(*age_ms)
        ),
    }
}

/// Who was not heard, and why.
fn bounded(bound: &Bound, reader: Reader) -> String {
    match bound {
        Bound::Search(Limit::Endorsements { issuer, origin }) => format!(
            "Issuer {issuer} endorses more than {ENDORSEMENTS} others in the log {origin}, so none \
             of its endorsements there counts, and who speaks for it is not known."
        ),
        Bound::Search(Limit::Issuers { scope, steps }) => format!(
            "The anchors of {} for {scope} lead to more than {ISSUERS} issuers; only the first \
             {steps} steps were followed.",
            reader.policy()
        ),
        Bound::Search(Limit::Unasked(issuer)) => {
            format!("Whom issuer {issuer} endorses was not asked.")
        }
        Bound::Claims {
            issuer,
            origin: None,
        } => format!(
            "Issuer {issuer} made more than {CLAIMS_ABOUT_ONE} claims about this package, so none \
             of them counts."
        ),
        Bound::Claims {
            issuer,
            origin: Some(origin),
        } => format!(
            "Issuer {issuer} made more than {CLAIMS_ABOUT_ONE} claims about this package in the \
             log {origin}, so not all of them were read, and none counts for it; what it says in \
             other logs counts."
        ),
        Bound::Replies {
            issuer,
            origin,
            claim,
        } => format!(
            "Issuer {issuer} said more than {CLAIMS_ABOUT_ONE} things about its claim {claim} in \
             the log {origin}, so whether it withdrew it is not known."
        ),
        Bound::Keys { issuer, origin } => format!(
            "Issuer {issuer} has more than {CLAIMS_ABOUT_ONE} records of its keys in the log \
             {origin}, so which keys are its own is not known."
        ),
    }
}

fn unknown(unspoken: &Unspoken, reader: Reader) -> String {
    let trust = reader.trust();
    let idle = idle(unspoken);
    if unspoken.no_word > 0 {
        return format!(
            "Issuers {trust} made {} about it, and none that says whether it can be used: only \
             how it was built, that documents belong to it, what a scan for something else found, \
             a vulnerability of which no rule asks them, or what cannot be read.",
            claims(unspoken.no_word)
        );
    }
    if unspoken.nearby > 0 {
        return format!(
            "Issuers {trust} made {} about another build, file, version or use of it, and none \
             that is known to be about exactly this.",
            claims(unspoken.nearby)
        );
    }
    if unspoken.by_others > 0 {
        let more = idle
            .map(|idle| format!(" {} more {idle}.", unspoken.idle))
            .unwrap_or_default();
        return format!(
            "No claims from issuers {trust}; {} from others.{more}",
            claims(unspoken.by_others)
        );
    }
    // Others may have spoken: mostly only those are asked for whom the policy listens to.
    match (idle, &unspoken.from_elsewhere) {
        (Some(idle), _) => {
            let all = match unspoken.idle {
                1 => "The only claim found about it".to_owned(),
                2 => "Both claims found about it".to_owned(),
                n => format!("All {n} claims found about it"),
            };
            let see = match reader {
                Reader::Owner => "see `assay lookup`",
                Reader::Visitor | Reader::Unweighed => "see below",
            };
            format!("{all} {idle}: {see}. Unknown is not trusted.")
        }
        (None, Some(place)) => format!(
            "No claims from issuers {trust} about it as it comes from {}. Claims about packages of \
             the same name from other places are not about it.",
            one_word(place)
        ),
        (None, None) => format!("No claims from issuers {trust}. Unknown is not trusted."),
    }
}

/// Why claims have no effect, with a verb for as many as they are; `None` if there are none.
fn idle(unspoken: &Unspoken) -> Option<&'static str> {
    let one = unspoken.idle == 1;
    match (unspoken.withdrawn, unspoken.ineffective) {
        (0, 0) => None,
        (_, 0) => Some(if one {
            "was withdrawn"
        } else {
            "were withdrawn"
        }),
        (0, _) => Some(if one {
            "has no effect"
        } else {
            "have no effect"
        }),
        _ if one => Some("was withdrawn or has no effect"),
        _ => Some("were withdrawn or have no effect"),
    }
}

fn claims(n: usize) -> String {
    format!("{n} claim{}", if n == 1 { "" } else { "s" })
}

/// What the policy's author says of the rule, and what was found.
fn denied(stated: &str, found: BTreeSet<String>) -> String {
    if found.is_empty() {
        return stated.to_owned();
    }
    let named: Vec<&str> = found.iter().take(NAMED).map(String::as_str).collect();
    let named = named.join("; ");
    match found.len().saturating_sub(NAMED) {
        0 => format!("{stated} ({named})"),
        more => format!("{stated} ({named}; and {more} more)"),
    }
}

fn rated(found: &Rated) -> String {
    let severity = found.severity.map_or("unknown", Severity::name);
    format!("{}, severity {severity}", one_word(&found.id))
}

fn required(stated: &str, demanded: &Demanded, counted: usize) -> String {
    let needed = demanded.wanted.issuers;
    let what = wanted(&demanded.wanted);
    if counted >= needed {
        let says_so = match counted {
            1 => "1 issuer says so".to_owned(),
            n => format!("{n} issuers say so"),
        };
        return format!("{says_so}; required: {what}.");
    }
    format!(
        "{} Required: {what}; found: {counted} of {needed}.{}",
        sentence(stated),
        missed(demanded)
    )
}

/// The policy's own words, ended, so that others can follow.
fn sentence(text: &str) -> Cow<'_, str> {
    if text.trim_end().ends_with(['.', '!', '?', ':', ';']) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("{}.", text.trim_end()))
    }
}

fn wanted(wanted: &Wanted) -> String {
    let types = or(wanted.types.iter().map(String::as_str));
    let types = types + &criteria(wanted);
    let issuers = match wanted.issuers {
        1 => "one issuer".to_owned(),
        n => format!("{n} issuers"),
    };
    let age = wanted
        .max_age_ms
        .map(|ms| format!(", at most {} old", duration(ms)))
        .unwrap_or_default();
    format!("{types} by {issuers} ({}){age}", whom(&wanted.from))
}

/// What reviews must be for, with a space before; nothing if for anything.
pub(super) fn criteria(wanted: &Wanted) -> String {
    if wanted.criteria.is_empty() {
        return String::new();
    }
    format!(" for {}", wanted.criteria.join(" and "))
}

/// What did not count for a requirement, and why.
fn missed(demanded: &Demanded) -> String {
    let mut text = String::new();
    for (count, why) in [
        (demanded.too_old, "too old"),
        (
            demanded.no_review,
            "a failed review, for other criteria, or of a change from a version that was not \
             reviewed",
        ),
        (
            demanded.violated,
            "somebody whose word counts says that this is not met, so that no review will do",
        ),
        (demanded.no_role, "by an issuer without the role"),
        (demanded.condition, "the condition is not true"),
    ] {
        if count > 0 {
            text.push_str(&format!(" {count} did not count: {why}."));
        }
    }
    if let Some(error) = &demanded.undecided {
        text.push_str(&format!(" The condition could not be decided: {error}."));
    }
    text
}

fn not_decided(undecided: &[Undecided]) -> String {
    let first = undecided.first().map(|first| {
        let what = match &first.what {
            UndecidedWhat::Condition(error) => error.clone(),
            UndecidedWhat::Versions(range) => {
                let range = range.as_deref().map_or("its range".into(), one_word);
                format!("whether {range} covers this version")
            }
        };
        format!("claim {}: {what}", first.claim)
    });
    format!(
        "This rule could not be decided for {} and was not applied there. The first: {}.",
        claims(undecided.len()),
        first.unwrap_or_default()
    )
}

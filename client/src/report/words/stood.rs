//! Which witnesses stood behind a log, in words that need no knowledge of cryptography.

use super::at;
use crate::plain;
use crate::report::Log;
use assay_tlog::tlog_policy::{Role, Voices};

/// `3 of 4 witnesses saw the same log, the last at 2026-01-31 08:05 UTC: a, b, c`; `None` if none
/// did.
pub fn stood_behind(voices: &Voices) -> Option<String> {
    let last = voices.counted.iter().map(|voice| voice.at).max()?;
    let witnesses = match voices.operators() {
        1 => "1 witness".to_owned(),
        n => format!("{n} witnesses"),
    };
    let mut text = format!(
        "{} of {witnesses} saw the same log, the last at {}: {}",
        voices.counted.len(),
        at(last.saturating_mul(1000)),
        voices.names().join(", ")
    );
    let auditors = voices.of_role(Role::Audit);
    let auditors: Vec<&str> = auditors.map(|voice| voice.name.as_str()).collect();
    if !auditors.is_empty() {
        text.push_str(&format!("; checked in full by {}", auditors.join(", ")));
    }
    Some(plain(&text))
}

/// `witness a is convicted of misbehavior: it does not count`; `None` if none is.
pub fn convicted(voices: &Voices) -> Option<String> {
    let names = plain(&voices.convicted.join(", "));
    match voices.convicted.len() {
        0 => None,
        1 => Some(format!(
            "witness {names} is convicted of misbehavior: it does not count"
        )),
        _ => Some(format!(
            "witnesses {names} are convicted of misbehavior: they do not count"
        )),
    }
}

/// What there is where a quorum is missing: `1 of 2 needed: a; missing: b, c`.
pub fn not_enough(voices: &Voices) -> String {
    plain(&voices.to_string())
}

/// That a mirror answered, if one did.
pub(super) fn by_mirror(log: &Log) -> Option<String> {
    let mirror = log.mirror.as_ref()?;
    log.head.as_ref()?;
    Some(format!(
        "its own node does not answer, and its mirror {} did",
        plain(mirror)
    ))
}

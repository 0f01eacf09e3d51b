//! What stops, where the reader says it for one run, in words.

use super::names::{count, thousands};
use crate::one_word;
use crate::report::{Finding, Report};

/// Most findings that a sentence names; of more it says how many.
const NAMED: usize = 3;

/// Whether something stops, and what.
pub(super) fn judgment(report: &Report) -> String {
    let stopping = stopping(report);
    if stopping.is_empty() {
        return format!("No {}.", words(report, "finding", "stops"));
    }
    let named: Vec<String> = stopping.iter().take(NAMED).map(name).collect();
    let more = match stopping.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!("; and {n} more"),
    };
    format!("{}: {}{more}.", stopped(report), named.join("; "))
}

/// How many findings stop, where it is why a program ends.
pub(super) fn stopped(report: &Report) -> String {
    match stopping(report).len() {
        1 => format!("1 {}", words(report, "finding", "stops")),
        n => format!(
            "{} {}",
            thousands(n as u64),
            words(report, "findings", "stop")
        ),
    }
}

/// Which findings are meant: `new findings of what --fail-on names (high) stop`.
fn words(report: &Report, findings: &str, stop: &str) -> String {
    let gate = &report.gate;
    let new = if gate.baseline.is_some() { "new " } else { "" };
    let kinds: Vec<&str> = gate.fail_on.iter().map(|one| one.name()).collect();
    let named = match kinds.as_slice() {
        [] => String::new(),
        kinds => format!(" of what --fail-on names ({})", kinds.join(", ")),
    };
    format!("{new}{findings}{named} {stop}")
}

/// What is there and does not stop.
pub(super) fn lines(report: &Report) -> Option<String> {
    let baseline = report.gate.baseline.as_ref()?;
    let findings: Vec<Finding<'_>> = report.findings().collect();
    let old = |finding: &&Finding<'_>| report.gate.is_old(finding) == Some(true);
    let old = findings.iter().filter(old).count();
    Some(format!(
        "{} of {} in the baseline {}.",
        if old == 1 {
            "1 stands".to_owned()
        } else {
            format!("{old} stand")
        },
        count(findings.len(), "finding"),
        baseline.name
    ))
}

fn stopping(report: &Report) -> Vec<Finding<'_>> {
    let findings = report.findings();
    findings
        .filter(|finding| report.gate.stops(finding))
        .collect()
}

fn name(finding: &Finding<'_>) -> String {
    match finding.vulnerability {
        Some(id) => format!("{} in {} ({})", one_word(id), finding.title, finding.rule),
        None => format!("{} ({})", finding.title, finding.rule),
    }
}

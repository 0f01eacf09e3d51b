//! What is called complete, and of how many logs.

use super::super::{log_line, summary};
use crate::ask::LogState;
use crate::report::{Completeness, Report, example};

#[test]
fn one_log_of_two_does_not_make_an_answer_complete() {
    let mut report = example::report();
    let mut other = report.logs[0].clone();
    other.origin = "other.example".into();
    other.completeness = Completeness::Nothing;
    (other.head, other.missing) = (None, Some("cannot be reached".into()));
    report.logs.push(other);
    let last = |report: &Report| summary::lines(report).last().unwrap().clone();
    assert_eq!(
        last(&report),
        "Of one log only, nothing was left out, as of 2026-01-31 08:05 UTC, 3 minutes ago (log \
         log.example, 1,234 entries)."
    );
    // Where the policy can do without the other, the answer is all that was asked for.
    report.logs[1].spare = true;
    assert!(last(&report).starts_with("Complete as of "), "{report:?}");
}

#[test]
fn what_is_too_old_is_not_called_complete() {
    let mut report = example::report();
    let word = |report: &Report| log_line(&report.logs[0], report).word;
    assert_eq!(word(&report), "complete");
    report.logs[0].state = LogState::Stale;
    assert_eq!(word(&report), "TOO OLD");
    let mut other = report.logs[0].clone();
    report.logs[0].state = LogState::Answered;
    other.completeness = Completeness::Nothing;
    report.logs.push(other);
    assert_eq!(word(&report), "of this log only");
}

//! Reports for programs: everything, with the sentences for people. These objects are part of the
//! command line's interface: fields are added, never renamed.

use super::keys::Keys;
use super::{
    Component, Finding, Head, Ignoring, Line, Log, Question, Report, ShownClaim, SignedLines,
    Versions, Witnessed, words,
};
use crate::ask::{About, File, How, LogState, Others};
use assay_claims::time::rfc3339_of_ms;
use assay_policy::rules::{Outcome, Severity};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The report on the components of files, as `assay check` writes it.
#[derive(Debug, Serialize)]
pub struct Check<'a> {
    summary: Vec<String>,
    counts: Counts,
    outcome: &'static str,
    complete: bool,
    missing: Vec<&'a str>,
    policy: &'a str,
    stops_at_unknown: bool,
    checked_at: String,
    checked_at_ms: u64,
    offline: bool,
    logs: Vec<CheckedLog<'a>>,
    files: &'a [File],
    own: &'a [String],
    components: &'a [Component],
    findings: Findings<'a>,
    ignores: &'a [Ignoring],
    fail_on: Vec<&'static str>,
    baseline: Option<&'a str>,
    stopped: bool,
}

/// All [`Found`] of a report, each made when it is written: they can be as many as components.
#[derive(Debug)]
struct Findings<'a>(&'a Report);

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Findings(report) = self;
        to.collect_seq(report.findings().map(|one| Found::new(report, &one)))
    }
}

/// What there is against a component, one by one, in [`Check`]. `--baseline` reads it.
#[derive(Debug, Serialize)]
struct Found<'a> {
    fingerprint: String,
    component: String,
    rule: &'a str,
    cause: &'static str,
    vulnerability: Option<&'a str>,
    severity: Option<&'static str>,
    outcome: &'static str,
    ignored: bool,
    baseline: Option<&'static str>,
    stops: bool,
}

/// How many there are of each.
#[derive(Debug, Serialize)]
struct Counts {
    components: usize,
    unidentified: usize,
    own: usize,
    outcomes: BTreeMap<&'static str, usize>,
}

/// How a log answered, in [`Check`].
#[derive(Debug, Serialize)]
struct CheckedLog<'a> {
    origin: &'a str,
    url: Option<&'a str>,
    /// The mirror that answered in its place.
    mirror: Option<&'a str>,
    answer: &'static str,
    missing: Option<&'a str>,
    unreachable: bool,
    state: &'static str,
    spare: bool,
    coverage: &'static str,
    head: Option<CheckedHead<'a>>,
    witnesses: Vec<&'a str>,
    cosigned_at: Option<String>,
    #[serde(flatten)]
    witnessed: Witnessed,
    private: Option<Hidden>,
}

#[derive(Debug, Serialize)]
struct CheckedHead<'a> {
    size: u64,
    root: String,
    made_at: String,
    made_at_ms: u64,
    age_seconds: u64,
    checkpoint: &'a str,
}

/// What a private question gave away, in [`Check`].
#[derive(Debug, Serialize)]
struct Hidden {
    prefixes: usize,
    bits: u16,
    hidden_among: u64,
}

/// The report on one thing, as `assay lookup` writes it.
#[derive(Debug, Serialize)]
pub struct Lookup<'a> {
    about: LookedUp,
    asked_at_ms: u64,
    answer: String,
    complete: bool,
    missing: Vec<&'a str>,
    lacking: Option<String>,
    policy: Option<Verdict<'a>>,
    questions: &'a [Question],
    versions: Option<&'a Versions>,
    signed: Option<&'a SignedLines>,
    others: Option<ListenedTo<'a>>,
    keys: Option<&'a Keys>,
    logs: Vec<LookedUpLog<'a>>,
    privacy: Option<GivenAway>,
    claims: &'a [ShownClaim],
    hints: Vec<String>,
}

/// Which others were listened to, if everyone was to be.
#[derive(Debug, Serialize)]
struct ListenedTo<'a> {
    after: Option<String>,
    heard: usize,
    spoke: u64,
    /// What `--after` takes for the next page; nothing if this is the last one.
    next: Option<String>,
    talkative: usize,
    unasked: usize,
    failed: Option<&'a str>,
}

/// What was looked up. Its names in the index are hex.
#[derive(Debug, Serialize)]
struct LookedUp {
    kind: &'static str,
    spelled: String,
    names: Vec<String>,
}

/// Whether the policy is met.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    outcome: &'static str,
    met: bool,
    reasons: Vec<VerdictReason<'a>>,
}

/// Why, with the ids of the claims that say so.
#[derive(Debug, Serialize)]
struct VerdictReason<'a> {
    rule: &'a str,
    outcome: &'static str,
    text: &'a str,
    claims: Vec<&'a str>,
}

/// How a log answered, in [`Lookup`].
#[derive(Debug, Serialize)]
struct LookedUpLog<'a> {
    origin: &'a str,
    answered: bool,
    complete: bool,
    missing: Option<&'a str>,
    tree_size: Option<u64>,
    root: Option<String>,
    as_of: Option<String>,
    as_of_ms: Option<u64>,
    age_ms: Option<u64>,
    kept: bool,
    state: &'static str,
    /// The mirror that answered in its place.
    mirror: Option<&'a str>,
    spare: bool,
    coverage: &'static str,
    witnesses: Vec<&'a str>,
    cosigned_at: Option<String>,
    #[serde(flatten)]
    witnessed: Witnessed,
}

/// What a private question gave away, in [`Lookup`].
#[derive(Debug, Serialize)]
struct GivenAway {
    prefixes: usize,
    bits: u16,
    fewest: u64,
}

/// The object for a report on the components of files.
pub fn check(report: &Report) -> Check<'_> {
    let logs = report.logs.iter();
    Check {
        summary: words::lines(report),
        counts: Counts::of(report),
        outcome: report.outcome().name(),
        complete: report.is_whole(),
        missing: report.missing(),
        policy: &report.policy,
        stops_at_unknown: report.stops_at_unknown,
        checked_at: rfc3339_of_ms(report.asked_at_ms),
        checked_at_ms: report.asked_at_ms,
        offline: report.how == How::Offline,
        logs: logs
            .map(|log| CheckedLog::new(log, report.asked_at_ms))
            .collect(),
        files: &report.files,
        own: &report.own,
        components: &report.components,
        findings: Findings(report),
        ignores: &report.ignores,
        fail_on: report.gate.fail_on.iter().map(|one| one.name()).collect(),
        baseline: report.gate.baseline.as_ref().map(|one| one.name.as_str()),
        stopped: report.is_stopped(),
    }
}

impl<'a> Found<'a> {
    fn new(report: &Report, finding: &Finding<'a>) -> Self {
        Found {
            fingerprint: finding.fingerprint(),
            component: finding.title.clone(),
            rule: finding.rule,
            cause: finding.cause,
            vulnerability: finding.vulnerability,
            severity: finding.severity.map(Severity::name),
            outcome: finding.outcome.name(),
            ignored: finding.is_ignored(),
            baseline: (report.gate.is_old(finding)).map(|old| if old { "old" } else { "new" }),
            stops: report.gate.stops(finding),
        }
    }
}

/// The object for a report on one thing.
pub fn lookup<'a>(about: &About, report: &'a Report) -> Lookup<'a> {
    let logs = report.logs.iter();
    Lookup {
        about: LookedUp {
            kind: about.kind(),
            spelled: about.spelled(),
            names: about.names().iter().map(ToString::to_string).collect(),
        },
        asked_at_ms: report.asked_at_ms,
        answer: words::paragraph(about, report),
        complete: report.is_whole(),
        missing: report.missing(),
        lacking: report.lacking.map(words::lacking),
        policy: report.components.first().map(Verdict::new),
        questions: &report.questions,
        versions: report.versions.as_ref(),
        signed: report.signed.as_ref(),
        others: report.others.as_ref().map(ListenedTo::new),
        keys: report.keys.as_ref(),
        logs: logs.map(|log| LookedUpLog::new(log, report)).collect(),
        privacy: report
            .logs
            .iter()
            .find_map(|log| log.privacy)
            .map(|given| GivenAway {
                prefixes: given.prefixes,
                bits: given.bits,
                fewest: given.fewest,
            }),
        claims: &report.claims,
        hints: report.hints.iter().map(words::hint).collect(),
    }
}

impl<'a> ListenedTo<'a> {
    fn new(others: &'a Others) -> Self {
        ListenedTo {
            after: others.after.map(|by| by.to_string()),
            heard: others.heard,
            spoke: others.spoke,
            next: others.next.map(|by| by.to_string()),
            talkative: others.talkative,
            unasked: others.unasked,
            failed: others.failed.as_deref(),
        }
    }
}

impl Counts {
    fn of(report: &Report) -> Self {
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        for outcome in Outcome::ALL {
            outcomes.insert(outcome.name(), 0);
        }
        for component in &report.components {
            *outcomes.entry(component.outcome.name()).or_default() += 1;
        }
        Counts {
            components: report.components.len(),
            unidentified: report.unidentified().count(),
            own: report.own.len(),
            outcomes,
        }
    }
}

impl<'a> CheckedLog<'a> {
    fn new(log: &'a Log, now_ms: u64) -> Self {
        CheckedLog {
            origin: &log.origin,
            url: log.url.as_deref(),
            mirror: log.mirror.as_deref(),
            answer: log.completeness.name(),
            missing: log.missing.as_deref(),
            unreachable: log.state == LogState::Unreachable,
            state: log.state.name(),
            spare: log.spare,
            coverage: log.completeness.name(),
            head: log.head.as_ref().map(|head| CheckedHead::new(head, now_ms)),
            witnesses: log.voices.names(),
            cosigned_at: log.quorum_at_ms.map(rfc3339_of_ms),
            witnessed: Witnessed::new(&log.voices),
            private: log.privacy.map(|given| Hidden {
                prefixes: given.prefixes,
                bits: given.bits,
                hidden_among: given.fewest,
            }),
        }
    }
}

impl<'a> CheckedHead<'a> {
    fn new(head: &'a Head, now_ms: u64) -> Self {
        CheckedHead {
            size: head.size,
            root: head.root.to_string(),
            made_at: rfc3339_of_ms(head.made_at_ms),
            made_at_ms: head.made_at_ms,
            age_seconds: now_ms.saturating_sub(head.made_at_ms) / 1000,
            checkpoint: &head.checkpoint,
        }
    }
}

impl<'a> Verdict<'a> {
    fn new(component: &'a Component) -> Self {
        let mut reasons = Vec::with_capacity(component.reasons.len());
        for reason in &component.reasons {
            let claims = reason.claims.iter();
            reasons.push(VerdictReason {
                rule: &reason.rule,
                outcome: reason.outcome.name(),
                text: &reason.text,
                claims: claims.map(|claim| claim.claim_id.as_str()).collect(),
            });
        }
        Verdict {
            outcome: component.outcome.name(),
            met: component.outcome.is_met(),
            reasons,
        }
    }
}

impl<'a> LookedUpLog<'a> {
    fn new(log: &'a Log, report: &Report) -> Self {
        let head = log.head.as_ref();
        let as_of_ms = head.map(|head| head.made_at_ms);
        LookedUpLog {
            origin: &log.origin,
            answered: head.is_some(),
            complete: log.is_complete(),
            missing: log.missing.as_deref(),
            tree_size: head.map(|head| head.size),
            root: head.map(|head| head.root.to_string()),
            as_of: as_of_ms.map(rfc3339_of_ms),
            as_of_ms,
            age_ms: as_of_ms.map(|at| report.asked_at_ms.saturating_sub(at)),
            kept: report.how == How::Offline,
            state: log.state.name(),
            mirror: log.mirror.as_deref(),
            spare: log.spare,
            coverage: log.completeness.name(),
            witnesses: log.voices.names(),
            cosigned_at: log.quorum_at_ms.map(rfc3339_of_ms),
            witnessed: Witnessed::new(&log.voices),
        }
    }
}

/// A claim that is new, as `assay watch` writes it.
#[derive(Debug, Serialize)]
pub struct NewClaim<'a> {
    /// The claim.
    #[serde(flatten)]
    pub claim: &'a ShownClaim,
    /// What was asked to watch, of what the claim bears on.
    pub watched: &'a [String],
    /// Whether all was heard of it that can count. If not, no line has an effect.
    pub whole: bool,
    /// What it says and what it is worth, in lines.
    pub lines: &'a [Line],
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn everything_is_there() {
        let report = example::report();
        let json = serde_json::to_value(check(&report)).unwrap();
        assert_eq!(json["outcome"], "denied");
        assert_eq!(json["counts"]["outcomes"]["warn"], 2);
        assert_eq!(json["counts"]["outcomes"]["stale"], 0);
        let bad = &json["components"][1];
        assert_eq!(bad["places"][0]["line"], 6);
        assert_eq!(bad["reasons"][0]["cause"], "affected");
        assert_eq!(bad["reasons"][0]["claims"][0]["leaf_index"], 2);
        assert_eq!(
            bad["vulnerabilities"][1]["stated"][0]["status"],
            "not_affected"
        );
        assert_eq!(json["logs"][0]["head"]["size"], 1234);
        assert_eq!(json["files"][0]["unidentified"][0]["line"], 15);
    }
}

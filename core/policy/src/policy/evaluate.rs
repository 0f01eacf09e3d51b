//! The decision: every rule of the policy, on every fact, with reasons.

use super::duration::{self, DAY_MS};
use super::facts::{Answer, Component, Fact, Facts, Idle, LogAnswer, Relation, Speaker};
use super::rules::{self, ClaimType, Denial, Effect, Requirement, Rule, Sought, Whom};
use super::severity::Severity;
use super::verdict::{Cause, Evidence, Outcome, Reason, Verdict};
use super::vulnerable::Vulnerabilities;
use super::{Known, Policy};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::lifecycle::{self, Date, Lifecycle};
use assay_claims::kind::vex::Status;
use assay_claims::logged::LoggedClaim;
use assay_claims::vers::Applies;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// How far the clock of a log may be ahead of ours before its time is not believed.
const CLOCK_SKEW_MS: u64 = 10 * 60 * 1000;

/// Most vulnerabilities that a reason names.
const NAMED: usize = 10;

/// Decides whether a policy is met by what is known of a component.
///
/// `claims` are those that the answers held: about the component, about those claims, and about
/// every issuer among the signers (see [`Trust::judge`](crate::trust::Trust::judge)); `now_ms` is
/// the time, in milliseconds since 1970. It guarantees that the outcome is never `Fine` or `Warn`
/// if a log that must answer did not, or did with an answer that is not complete or is older than
/// the policy allows; and that claims without effect change nothing. For many components, [`Known`]
/// judges the claims once.
pub fn evaluate(
    policy: &Policy,
    component: &Component,
    answers: &[LogAnswer],
    claims: &[LoggedClaim],
    now_ms: u64,
) -> Verdict {
    Known::judge(policy, claims, now_ms).verdict(component, answers)
}

/// As [`evaluate`], on facts.
pub(super) fn decide(policy: &Policy, facts: &Facts<'_>, answers: &[LogAnswer]) -> Verdict {
    let mut reasons = log_reasons(policy, facts, answers);
    let vulnerabilities = Vulnerabilities::of(facts);
    let purl = facts.component.purl();
    for denial in policy
        .denials
        .iter()
        .filter(|denial| denial.rule.covers(purl))
    {
        reasons.extend(denied(denial, facts, &vulnerabilities));
    }

    if facts.facts.iter().any(|fact: &Fact<'_>| {
        fact.is_of_this() && fact.speakers.iter().any(|s| !s.grants.is_empty())
    }) {
        let requirements = policy
            .requirements
            .iter()
            .filter(|requirement| requirement.rule.covers(purl));
        reasons.extend(requirements.map(|requirement| required(requirement, facts)));
    } else {
        let silent = reasons
            .iter()
            .any(|reason| reason.outcome == Outcome::Incomplete);
        reasons.extend(
            policy
                .unknown
                .and_then(|effect| unknown(effect, facts, silent)),
        );
    }
    Verdict::new(reasons)
}

// -- Logs
// ---------------------------------------------------------------------------------------------------------------------

/// What is wrong with the answers. Every log that must answer is looked at, and every log that
/// something is relied on from.
fn log_reasons(policy: &Policy, facts: &Facts<'_>, answers: &[LogAnswer]) -> Vec<Reason> {
    let counted = answers
        .iter()
        .map(|answer| answer.origin.as_str())
        .filter(|origin| policy.counts(origin));
    let origins: BTreeSet<&str> = policy
        .logs
        .iter()
        .map(|log| log.origin.as_str())
        .chain(counted)
        .chain(facts.facts.iter().map(|fact| fact.origin))
        .collect();
    if origins.is_empty() {
        return vec![log_reason(
            Outcome::Incomplete,
            "No log was asked, so nothing is known.".into(),
        )];
    }

    origins
        .into_iter()
        .flat_map(|origin: &str| -> Vec<Reason> {
            let mut given = answers
                .iter()
                .filter(|answer| answer.origin == origin)
                .peekable();
            if given.peek().is_none() {
                return vec![log_reason(
                    Outcome::Incomplete,
                    format!("The log {origin} did not answer."),
                )];
            }
            let most = policy.max_head_age_ms(origin);
            given
                .flat_map(|given| answer_reasons(origin, &given.answer, most, facts.now_ms))
                .collect()
        })
        .collect()
}

fn answer_reasons(origin: &str, answer: &Answer, most_ms: u64, now_ms: u64) -> Vec<Reason> {
    match answer {
        Answer::None { why } => {
            vec![log_reason(
                Outcome::Incomplete,
                format!("The log {origin} did not answer: {why}."),
            )]
        }
        Answer::Partial {
            head_at_ms,
            missing,
        } => {
            let text = format!("The answer of the log {origin} is not complete: {missing}.");
            let partial = log_reason(Outcome::Incomplete, text);
            std::iter::once(partial)
                .chain(head_reason(origin, *head_at_ms, most_ms, now_ms))
                .collect()
        }
        Answer::Complete { head_at_ms } => head_reason(origin, *head_at_ms, most_ms, now_ms)
            .into_iter()
            .collect(),
    }
}

fn head_reason(origin: &str, head_at_ms: u64, most_ms: u64, now_ms: u64) -> Option<Reason> {
    if head_at_ms > now_ms.saturating_add(CLOCK_SKEW_MS) {
        let text = format!(
            "The answer of the log {origin} is dated in the future; check the clock of this \
             machine."
        );
        return Some(log_reason(Outcome::Incomplete, text));
    }
    let age = now_ms.saturating_sub(head_at_ms);
    (age > most_ms).then(|| {
        let text = format!(
            "The answer of the log {origin} is older than the {} that your policy allows ({}): \
             what was taken back since would not be in it.",
            duration::words(most_ms),
            duration::words(age)
        );
        log_reason(Outcome::Stale, text)
    })
}

fn log_reason(outcome: Outcome, text: String) -> Reason {
    Reason {
        rule: "logs".into(),
        cause: Cause::Logs,
        outcome,
        text,
        evidence: Vec::new(),
    }
}

/// That nobody whom the policy trusts says anything, and what was said all the same. If not all
/// logs answered, nobody can tell what is not said: then there is only what was taken back to tell
/// of.
fn unknown(effect: Effect, facts: &Facts<'_>, silent: bool) -> Option<Reason> {
    let others: BTreeSet<ClaimId> = facts
        .facts
        .iter()
        .filter(|fact| fact.is_of_this())
        .map(|fact| fact.claim)
        .collect();
    let text = match (
        others.len(),
        idle(&facts.idle),
        facts.component.from_elsewhere(),
    ) {
        (0, Some(idle), _) => {
            format!("What was said of it {idle}: see `assay lookup`. Unknown is not trusted.")
        }
        _ if silent => return None,
        (0, None, Some(place)) => format!(
            "No log says anything about it as it comes from {place}. What is said of packages of \
             the same name from other places is not said of it."
        ),
        (0, None, None) => "No log says anything about it. Unknown is not trusted.".to_owned(),
        (n, idle, _) => {
            let more = idle
                .map(|idle| format!(" What else was said {idle}."))
                .unwrap_or_default();
            format!(
                "Nobody whom your policy trusts says anything about it; others do, in {}.{more}",
                claims(n)
            )
        }
    };
    let outcome = if effect == Effect::Deny {
        Outcome::Unknown
    } else {
        Outcome::Warn
    };
    let evidence = facts
        .idle
        .iter()
        .flat_map(|idle| idle.evidence.clone())
        .collect();
    Some(Reason {
        rule: "unknown".into(),
        cause: Cause::Unknown,
        outcome,
        text,
        evidence,
    })
}

/// Why claims have no effect, and how many they are; `None` if there are none.
fn idle(idle: &[Idle]) -> Option<String> {
    let ids = |withdrawn| -> BTreeSet<ClaimId> {
        idle.iter()
            .filter(|idle| idle.withdrawn == withdrawn)
            .map(|idle| idle.claim)
            .collect()
    };
    let why = match (ids(true).len(), ids(false).len()) {
        (0, 0) => return None,
        (_, 0) => "was withdrawn",
        (0, _) => "does not count",
        _ => "was withdrawn or does not count",
    };
    Some(format!(
        "{why} ({})",
        claims(ids(true).union(&ids(false)).count())
    ))
}

fn claims(n: usize) -> String {
    format!("{n} claim{}", if n == 1 { "" } else { "s" })
}

// -- What must be
// -------------------------------------------------------------------------------------------------------------

/// What kept claims from counting for a requirement.
#[derive(Default)]
struct Missed {
    too_old: usize,
    no_role: usize,
    condition: usize,
    undecided: Option<String>,
}

fn required(requirement: &Requirement, facts: &Facts<'_>) -> Reason {
    let rule = &requirement.rule;
    let mut counted: BTreeMap<IssuerId, Evidence> = BTreeMap::new();
    let mut missed = Missed::default();
    for fact in of_types(facts, &requirement.claims).filter(|fact| fact.is_of_this()) {
        if requirement
            .max_age_ms
            .is_some_and(|most| fact.age_ms(facts.now_ms) > most)
        {
            missed.too_old += 1;
            continue;
        }
        for speaker in &fact.speakers {
            if !rule.from.counts(&speaker.roles()) {
                missed.no_role += 1;
                continue;
            }
            match fact.satisfies(
                rule.when.as_ref(),
                speaker,
                &facts.component_value,
                facts.now_ms,
            ) {
                Ok(true) => {
                    _ = counted
                        .entry(speaker.issuer)
                        .or_insert_with(|| fact.evidence(speaker))
                }
                Ok(false) => missed.condition += 1,
                Err(error) => missed.undecided = Some(error),
            }
        }
    }
    let (needed, got) = (requirement.issuers, counted.len());
    let evidence = counted.into_values().collect();
    let reason = |outcome, text| Reason {
        rule: rule.name.clone(),
        cause: Cause::Requirement,
        outcome,
        text,
        evidence,
    };
    if got >= needed {
        let say = if got == 1 {
            "1 issuer says so".to_owned()
        } else {
            format!("{got} issuers say so")
        };
        return reason(
            Outcome::Fine,
            format!("{say}; it takes {}.", what(requirement)),
        );
    }
    let outcome = if rule.effect == Effect::Deny {
        Outcome::Unmet
    } else {
        Outcome::Warn
    };
    let there = if got == 1 { "there is" } else { "there are" };
    let text = format!(
        "{} It takes {}; {there} {got} of {needed}.{}",
        sentence(&rule.reason),
        what(requirement),
        missed.words()
    );
    reason(outcome, text)
}

/// The policy's own words, ended, so that others can follow.
fn sentence(text: &str) -> Cow<'_, str> {
    if text.trim_end().ends_with(['.', '!', '?', ':', ';']) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("{}.", text.trim_end()))
    }
}

/// What a requirement asks for, in words.
fn what(requirement: &Requirement) -> String {
    let types = rules::or(requirement.claims.iter().map(|ty| ty.word.as_str()));
    let issuers = if requirement.issuers == 1 {
        "one issuer".into()
    } else {
        format!("{} issuers", requirement.issuers)
    };
    let age = requirement
        .max_age_ms
        .map(|ms| format!(", at most {} old", duration::words(ms)))
        .unwrap_or_default();
    format!("{types} by {issuers} ({}){age}", requirement.rule.from)
}

impl Missed {
    fn words(&self) -> String {
        let mut text = String::new();
        let mut add = |count: usize, why: &str| {
            if count > 0 {
                text.push_str(&format!(" {count} did not count: {why}."));
            }
        };
        add(self.too_old, "too old");
        add(self.no_role, "by an issuer without the role");
        add(self.condition, "the condition is not true");
        if let Some(error) = &self.undecided {
            text.push_str(&format!(" The condition could not be decided: {error}."));
        }
        text
    }
}

// -- What must not be
// ---------------------------------------------------------------------------------------------------------

/// What was found against a component, in the words of each find.
#[derive(Default)]
struct Against {
    words: BTreeSet<String>,
    evidence: Vec<Evidence>,
    undecided: BTreeSet<String>,
}

impl Against {
    /// Takes a claim as found, if the rule's condition holds of it.
    fn take(
        &mut self,
        rule: &Rule,
        facts: &Facts<'_>,
        fact: &Fact<'_>,
        speaker: &Speaker,
        words: impl FnOnce() -> String,
    ) {
        match fact.satisfies(
            rule.when.as_ref(),
            speaker,
            &facts.component_value,
            facts.now_ms,
        ) {
            Ok(true) => {
                self.words.insert(words());
                self.evidence.push(fact.evidence(speaker));
            }
            Ok(false) => {}
            Err(error) => {
                _ = self
                    .undecided
                    .insert(format!("claim {}: {error}", fact.claim))
            }
        }
    }

    /// A denial if anything was found. What could not be decided is said, and denies nothing.
    fn reasons(self, rule: &Rule, cause: Cause) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let reason = |cause, outcome, text, evidence| Reason {
            rule: rule.name.clone(),
            cause,
            outcome,
            text,
            evidence,
        };
        if !self.evidence.is_empty() {
            let outcome = if rule.effect == Effect::Deny {
                Outcome::Denied
            } else {
                Outcome::Warn
            };
            let named: Vec<&str> = self
                .words
                .iter()
                .filter(|words| !words.is_empty())
                .map(String::as_str)
                .collect();
            let more = named.len().saturating_sub(NAMED);
            let mut text = rule.reason.clone();
            if !named.is_empty() {
                text.push_str(&format!(" ({}", named[..named.len() - more].join("; ")));
                text.push_str(&if more > 0 {
                    format!("; and {more} more)")
                } else {
                    ")".to_owned()
                });
            }
            reasons.push(reason(cause, outcome, text, self.evidence));
        }
        if let Some(first) = self.undecided.first() {
            let text = format!(
                "Whether this rule is broken could not be decided for {}, so that it was not \
                 applied there. The first: {first}.",
                claims(self.undecided.len())
            );
            reasons.push(reason(Cause::Undecided, Outcome::Warn, text, Vec::new()));
        }
        reasons
    }
}

fn denied(
    denial: &Denial,
    facts: &Facts<'_>,
    vulnerabilities: &Vulnerabilities<'_>,
) -> Vec<Reason> {
    let rule = &denial.rule;
    let mut against = Against::default();
    let cause = match &denial.sought {
        Sought::Affected(least) => {
            affected(rule, *least, facts, vulnerabilities, &mut against);
            Cause::Affected
        }
        Sought::Vulnerable { least, cleared_by } => {
            vulnerable(
                rule,
                *least,
                cleared_by,
                facts,
                vulnerabilities,
                &mut against,
            );
            Cause::Vulnerable
        }
        Sought::Unsupported => {
            unsupported(rule, facts, &mut against);
            Cause::Unsupported
        }
        Sought::Claims(types) => {
            for (fact, speaker) in
                of_types(facts, types).flat_map(|fact| fact.speakers.iter().map(move |s| (fact, s)))
            {
                if rule.from.counts(&speaker.roles()) {
                    against.take(rule, facts, fact, speaker, String::new);
                }
            }
            Cause::Claim
        }
    };
    against.reasons(rule, cause)
}

fn affected(
    rule: &Rule,
    least: Severity,
    facts: &Facts<'_>,
    vulnerabilities: &Vulnerabilities<'_>,
    against: &mut Against,
) {
    for stated in vulnerabilities.last_statements() {
        let statement = &stated.statement;
        if statement.status != Status::Affected || !rule.from.counts(&stated.speaker.roles()) {
            continue;
        }
        let names: Vec<&str> = std::iter::once(&statement.vulnerability)
            .chain(&statement.aliases)
            .map(String::as_str)
            .collect();
        let severity = vulnerabilities.severity(&names, &rule.from);
        if severity.is_none_or(|severity| severity >= least) {
            against.take(rule, facts, stated.fact, stated.speaker, || {
                named(&statement.vulnerability, severity)
            });
        }
    }
}

fn vulnerable(
    rule: &Rule,
    least: Severity,
    cleared_by: &Whom,
    facts: &Facts<'_>,
    vulnerabilities: &Vulnerabilities<'_>,
    against: &mut Against,
) {
    for found in vulnerabilities.found(&rule.from) {
        let severity = vulnerabilities.severity(&[&found.id], &rule.from);
        let severe = severity.is_none_or(|severity| severity >= least);
        if severe && !vulnerabilities.is_cleared(&found.id, cleared_by) {
            against.take(rule, facts, found.fact, found.speaker, || {
                named(&found.id, severity)
            });
        }
    }
}

fn named(id: &str, severity: Option<Severity>) -> String {
    format!(
        "{id}, severity {}",
        severity.map_or("unknown", Severity::name)
    )
}

/// Support has ended if all who state when it ends, and whose word counts, state a time that is
/// past: upstream's and a supplier's dates both stand, so that one who still supports it is enough.
fn unsupported(rule: &Rule, facts: &Facts<'_>, against: &mut Against) {
    let mut last: BTreeMap<IssuerId, (&Fact<'_>, &Speaker, Lifecycle)> = BTreeMap::new();
    let mut in_order: Vec<&Fact<'_>> = facts
        .facts
        .iter()
        .filter(|fact| fact.predicate_type == lifecycle::URI)
        .collect();
    in_order.sort_by_key(|fact| fact.order());
    for fact in in_order {
        let Ok(said) = Lifecycle::parse(fact.predicate) else {
            continue;
        };
        let applies = match facts.component.purl() {
            Some(purl) => said.applies_to(purl),
            None if said.versions.is_none() => Applies::Yes,
            None => Applies::Undecided,
        };
        match applies {
            Applies::Yes => {}
            Applies::No => continue,
            Applies::Undecided => {
                let range = said
                    .versions
                    .as_ref()
                    .and_then(|versions| versions.range.as_deref())
                    .unwrap_or("its range");
                against.undecided.insert(format!(
                    "claim {}: whether {range} holds this version",
                    fact.claim
                ));
                continue;
            }
        }
        for speaker in fact
            .speakers
            .iter()
            .filter(|speaker| rule.from.counts(&speaker.roles()))
        {
            last.insert(speaker.issuer, (fact, speaker, said.clone()));
        }
    }
    let now = i64::try_from(facts.now_ms).unwrap_or(i64::MAX);
    let ended = |said: &Lifecycle| {
        said.end_of_security_support.is_past_at(now) || said.end_of_life.is_past_at(now)
    };
    if last.values().all(|(_, _, said)| ended(said)) {
        for (fact, speaker, said) in last.into_values() {
            against.take(rule, facts, fact, speaker, || {
                format!(
                    "security support until {}",
                    date(&said.end_of_security_support)
                )
            });
        }
    }
}

/// A date, as it was written; of a day's first or last second, the day.
pub(super) fn date(date: &Date) -> &str {
    let Date::At(time) = date else {
        return "a date to be announced";
    };
    let day = |end| time.as_str().strip_suffix(end);
    day("T00:00:00Z")
        .or_else(|| day("T23:59:59Z"))
        .unwrap_or(time.as_str())
}

fn of_types<'f>(
    facts: &'f Facts<'_>,
    types: &'f [ClaimType],
) -> impl Iterator<Item = &'f Fact<'f>> {
    facts
        .facts
        .iter()
        .filter(|fact| rules::is_of(types, fact.predicate_type))
}

impl Fact<'_> {
    /// Whether it is about the very thing, and not about another artifact of the same version.
    pub(super) fn is_of_this(&self) -> bool {
        self.relation == Relation::This
    }
}

/// A day in milliseconds, for those who show ages.
pub(super) const fn days(ms: u64) -> u64 {
    ms / DAY_MS
}

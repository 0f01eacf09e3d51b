//! From files and answers to a report: every component once, with the policy's verdict.

use super::read::Source;
use super::{
    Claim, Component, File, Head, Log, Note, Place, Privacy, Reason, Report, Stated, Unidentified,
    Vulnerability,
};
use crate::{
    asking::{self, Asked, AskedLog, How},
    config::Settings,
    exit::Failure,
    output, time,
};
use assay_claims::index::Label;
use assay_claims::purl::Purl;
use assay_client::report::words;
use assay_intake::components;
use assay_policy::rules::{self, Policy};
use assay_policy::verdict::{self, Answer, Evidence, Known, LogAnswer, Outcome};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// A component of one or several files.
struct Part<'a> {
    component: &'a components::Component,
    about: assay_policy::Component,
    places: Vec<Place>,
    dev: bool,
    optional: bool,
}

/// Asks the logs about all components in one question each, and weighs what they answer.
pub async fn weigh(
    policy: &Policy,
    policy_path: &Path,
    sources: &[Source],
    how: How,
    settings: &Settings,
) -> Result<Report, Failure> {
    let parts = parts(sources);
    let labels: BTreeSet<Label> = parts
        .iter()
        .flat_map(|part| asking::labels(&part.about))
        .collect();
    let labels: Vec<Label> = labels.into_iter().collect();
    let asked = if labels.is_empty() {
        Asked::default()
    } else {
        asking::ask(policy, &labels, how, settings).await?
    };
    let now_ms = asking::now_ms();
    let scales = Scales {
        policy,
        known: Known::judge(policy, asked.claims(), now_ms),
        answers: asked.answers(),
    };
    let components: Vec<Component> = parts
        .into_iter()
        .map(|part| scales.component(part))
        .collect();
    let mut report = Report {
        outcome: components
            .iter()
            .map(|component| component.outcome)
            .max()
            .unwrap_or(Outcome::Fine),
        policy: policy_path.display().to_string(),
        stops_at_unknown: policy.stops_at_unknown(),
        checked_at: time::rfc3339_of_ms(now_ms),
        checked_at_ms: now_ms,
        offline: how.offline,
        logs: asked.logs.iter().map(|log| of_log(log, now_ms)).collect(),
        files: sources.iter().map(of_source).collect(),
        own: own(sources),
        components,
    };
    // Nobody can know anything of what has no name, so it is unknown, and the policy says what
    // follows from that.
    if report.stops_at_unknown && report.unidentified().next().is_some() {
        report.outcome = report.outcome.max(Outcome::Unknown);
    }
    Ok(report)
}

/// The components of all files, each once, without the project's own.
fn parts(sources: &[Source]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut known: BTreeMap<(Option<&str>, &str, Option<&str>, &[(String, String)]), usize> =
        BTreeMap::new();
    for source in sources {
        for component in source
            .components
            .list
            .iter()
            .filter(|component| !component.own)
        {
            let place = Place {
                file: source.name.clone(),
                line: component.line,
            };
            let purl = component.purl.as_ref().map(Purl::as_str);
            let identity = (
                purl,
                component.name.as_str(),
                component.version.as_deref(),
                &component.digests[..],
            );
            if let Some(twin) = known.get(&identity).and_then(|at| parts.get_mut(*at)) {
                twin.places.push(place);
                twin.dev &= component.dev;
                twin.optional &= component.optional;
                continue;
            }
            known.insert(identity, parts.len());
            parts.push(Part {
                component,
                about: assay_policy::Component::new(
                    component.purl.clone(),
                    component.digests.clone(),
                ),
                places: vec![place],
                dev: component.dev,
                optional: component.optional,
            });
        }
    }
    parts
}

fn own(sources: &[Source]) -> Vec<String> {
    let components = sources
        .iter()
        .flat_map(|source| &source.components.list)
        .filter(|component| component.own);

    let names: BTreeSet<String> = components
        .map(|component: &components::Component| match &component.purl {
            Some(purl) => purl.to_string(),
            None => component.name.clone(),
        })
        .collect();
    names.into_iter().collect()
}

/// What components are weighed with.
struct Scales<'a> {
    policy: &'a Policy,
    known: Known<'a>,
    answers: Vec<LogAnswer>,
}

impl Scales<'_> {
    fn component(&self, part: Part<'_>) -> Component {
        let verdict = self.known.verdict(&part.about, &self.answers);
        let mut digests: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (algorithm, digest) in &part.component.digests {
            digests
                .entry(algorithm.clone())
                .or_default()
                .push(digest.clone());
        }
        Component {
            purl: part.component.purl.as_ref().map(Purl::to_string),
            name: part.component.name.clone(),
            version: part.component.version.clone(),
            digests,
            places: part.places,
            dev: part.dev,
            optional: part.optional,
            from_elsewhere: part.about.from_elsewhere().map(output::plain),
            outcome: verdict.outcome(),
            reasons: verdict
                .reasons()
                .iter()
                .map(|reason| self.reason(reason))
                .collect(),
            vulnerabilities: self
                .known
                .vulnerabilities(&part.about)
                .iter()
                .map(|one| self.vulnerability(one))
                .collect(),
        }
    }

    fn reason(&self, reason: &verdict::Reason) -> Reason {
        Reason {
            rule: output::plain(&reason.rule),
            cause: reason.cause(),
            outcome: reason.outcome,
            text: output::plain(&words::reason(reason)),
            claims: reason
                .evidence
                .iter()
                .map(|evidence| self.claim(evidence))
                .collect(),
        }
    }

    fn vulnerability(&self, vulnerability: &verdict::Vulnerability) -> Vulnerability {
        let stated = vulnerability
            .stated
            .iter()
            .map(|(statement, evidence)| Stated {
                status: statement.status,
                justification: statement.justification.clone(),
                claim: self.claim(evidence),
            });
        Vulnerability {
            id: output::plain(&vulnerability.id),
            severity: vulnerability.severity.map(rules::Severity::name),
            found: vulnerability
                .found
                .iter()
                .map(|evidence| self.claim(evidence))
                .collect(),
            stated: stated.collect(),
        }
    }

    fn claim(&self, evidence: &Evidence) -> Claim {
        Claim {
            claim_id: evidence.claim.to_string(),
            log: evidence.origin.clone(),
            leaf_index: evidence.leaf.get(),
            issuer_id: evidence.issuer.to_string(),
            issuer: asking::who(&evidence.issuer, self.policy, self.known.trust()),
            roles: evidence
                .roles
                .iter()
                .map(|grant| grant.role.name())
                .collect(),
        }
    }
}

fn of_log(asked: &AskedLog, now_ms: u64) -> Log {
    let (answer, missing) = match &asked.answer {
        Answer::Complete { .. } => ("complete", None),
        Answer::Partial { missing, .. } => ("partial", Some(output::plain(missing))),
        Answer::None { why } => ("none", Some(output::plain(why))),
    };
    let head = asked
        .head_at_ms()
        .zip(asked.gathered.checkpoint.as_ref())
        .map(|(made_at_ms, checkpoint)| Head {
            size: checkpoint.size().get(),
            root: checkpoint.root().to_string(),
            made_at: time::rfc3339_of_ms(made_at_ms),
            made_at_ms,
            age_seconds: now_ms.saturating_sub(made_at_ms) / 1000,
            checkpoint: checkpoint.note().to_owned(),
        });
    let private = asked.gathered.privacy;
    Log {
        origin: output::plain(asked.origin()),
        url: asked.log.url.clone(),
        answer,
        missing,
        unreachable: asked.unreachable,
        head,
        witnesses: asked.witnesses.clone(),
        private: private.map(|given| Privacy {
            prefixes: given.prefixes,
            hidden_among: given.fewest,
        }),
    }
}

fn of_source(source: &Source) -> File {
    let Source { name, components } = source;
    let note = |note: &components::Note| Note {
        line: note.line,
        text: output::plain(&note.text),
    };
    let unidentified = |one: &components::Unidentified| Unidentified {
        line: one.line,
        what: output::plain(&one.what),
        reason: output::plain(&one.reason),
    };
    File {
        name: name.clone(),
        format: components.format.name(),
        components: components
            .list
            .iter()
            .filter(|component| !component.own)
            .count(),
        notes: components.notes.iter().map(note).collect(),
        unidentified: components.unidentified.iter().map(unidentified).collect(),
    }
}

//! A component, with the policy's verdict and its reasons.

use super::Reasons;
use super::words;
use super::words::{Reader, who};
use crate::ask::{Part, Place};
use crate::plain;
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use assay_policy::rules::{self, Ignore, Outcome, Policy, Severity};
use assay_policy::verdict::{self, Agreed, Cause, Known, LogAnswer, Unspoken, Why};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A component and what is to be thought of it. As JSON it is part of the command line's interface:
/// fields are added, never renamed.
#[derive(Debug, Serialize)]
pub struct Component {
    /// Its package URL.
    #[serde(serialize_with = "purl")]
    pub purl: Option<Arc<str>>,
    /// Its name, as the file writes it.
    pub name: String,
    /// Its version, as the file writes it.
    pub version: Option<String>,
    /// Its digests, hex, by algorithm.
    pub digests: BTreeMap<String, Vec<String>>,
    /// Where it stands.
    pub places: Vec<Place>,
    /// Whether only developers need it, in every file.
    pub dev: bool,
    /// Whether the project also works without it.
    pub optional: bool,
    /// Where it comes from, if not from where its packages usually do.
    pub from_elsewhere: Option<String>,
    /// The outcome.
    #[serde(serialize_with = "outcome")]
    pub outcome: Outcome,
    /// Why, the worst first; demands that are met are among them.
    pub reasons: Reasons,
    /// The vulnerabilities that claims speak of.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// A reason for an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The policy's name of the rule, `logs` or `unknown`.
    pub rule: String,
    /// What kind of rule it is.
    #[serde(serialize_with = "cause")]
    pub cause: Cause,
    /// What it alone makes of the outcome.
    #[serde(serialize_with = "outcome")]
    pub outcome: Outcome,
    /// What to tell people.
    pub text: String,
    /// The vulnerabilities that it is about, if it is about any.
    pub vulnerabilities: Vec<Named>,
    /// That the policy ignores it, if it does.
    pub ignored: Option<Overlooked>,
    /// The claims that gave it.
    pub claims: Vec<Evidence>,
    /// What the policy's author says of the rule. Not in the JSON, whose `text` says it.
    #[serde(skip)]
    pub stated: String,
    /// What there is of a component that is unknown. Not in the JSON, whose `text` says it.
    #[serde(skip)]
    pub unspoken: Option<Unspoken>,
}

/// A vulnerability that a reason is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its identifier.
    pub id: String,
    /// How severe it is, by the issuers whose word counts for the rule; nothing if none says it.
    #[serde(serialize_with = "severity")]
    pub severity: Option<Severity>,
}

/// What the policy ignores of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overlooked {
    /// What it would make of the outcome.
    #[serde(serialize_with = "outcome")]
    pub outcome: Outcome,
    /// The entries of the policy that ignore it.
    pub by: Vec<Ignoring>,
}

/// An entry of what a policy ignores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignoring {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Until when: the last day, or the last instant.
    pub until: String,
    /// Whether that is past, so that the entry counts no more.
    pub expired: bool,
}

impl Ignoring {
    /// Describes an entry at a time in milliseconds since 1970.
    pub(super) fn new(ignore: &Ignore, now_ms: u64) -> Self {
        Ignoring {
            what: plain(&words::what_is_ignored(ignore)),
            reason: plain(&ignore.reason),
            until: ignore.until.as_str().to_owned(),
            expired: ignore.is_over(now_ms),
        }
    }
}

/// A claim that gave a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Its id, hex.
    pub claim_id: String,
    /// The log that it stands in.
    pub log: String,
    /// Its place there.
    pub leaf_index: u64,
    /// Who signed it, hex.
    pub issuer_id: String,
    /// Who that is, for people.
    pub issuer: String,
    /// The roles that the issuer has for the component under the policy.
    pub roles: Vec<&'static str>,
}

/// A vulnerability that claims speak of.
#[derive(Debug, Serialize)]
pub struct Vulnerability {
    /// Its identifier.
    pub id: String,
    /// The highest severity that is stated.
    pub severity: Option<&'static str>,
    /// The scans that found it.
    pub found: Vec<Evidence>,
    /// What issuers say of it.
    pub stated: Vec<Stated>,
    /// That it does not apply: what those agree on whose word clears it under the policy, if no
    /// reason names it all the same. Not in the JSON.
    #[serde(skip)]
    pub cleared: Option<Status>,
}

/// What an issuer says of a vulnerability.
#[derive(Debug, Serialize)]
pub struct Stated {
    /// Whether it applies.
    #[serde(serialize_with = "status")]
    pub status: Status,
    /// Why it does not, in a label of OpenVEX.
    pub justification: Option<String>,
    /// The claim that says so.
    pub claim: Evidence,
}

impl Component {
    /// How it is called, for people and programs: its purl, or else its name and version.
    pub fn title(&self) -> String {
        match (&self.purl, &self.version) {
            (Some(purl), _) => purl.to_string(),
            (None, Some(version)) => format!("{} {version}", self.name),
            (None, None) => self.name.clone(),
        }
    }

    /// The reasons that something is to be said.
    pub fn against(&self) -> impl Iterator<Item = &Reason> {
        self.reasons
            .iter()
            .filter(|reason| reason.outcome != Outcome::Fine)
    }

    /// Whether somebody's word denies it, or is in the way of it.
    pub(super) fn is_spoken_against(&self) -> bool {
        self.against().any(|reason| {
            let demand = matches!(
                reason.cause,
                Cause::Requirement | Cause::Unknown | Cause::Logs | Cause::Ignored
            );
            !demand && !reason.claims.is_empty()
        })
    }

    /// The worst that there is to say of it.
    pub fn main_reason(&self) -> Option<&Reason> {
        self.against().next()
    }

    /// Makes the words of others plain.
    pub(super) fn make_plain(&mut self) {
        self.from_elsewhere = self.from_elsewhere.as_deref().map(plain);
        for reason in &mut self.reasons {
            reason.rule = plain(&reason.rule);
            reason.text = plain(&reason.text);
            reason.stated = plain(&reason.stated);
            for one in &mut reason.vulnerabilities {
                one.id = plain(&one.id);
            }
        }
        for vulnerability in &mut self.vulnerabilities {
            vulnerability.id = plain(&vulnerability.id);
        }
    }
}

impl Reason {
    /// Who says so, each once, with the roles that count.
    pub fn voices(&self) -> String {
        let mut voices: Vec<String> = Vec::new();
        for claim in &self.claims {
            let roles = if claim.roles.is_empty() {
                "no role under your policy".to_owned()
            } else {
                claim.roles.join(", ")
            };
            let voice = format!("{} ({roles})", claim.issuer);
            if !voices.contains(&voice) {
                voices.push(voice);
            }
        }
        voices.join("; ")
    }
}

/// What components are judged with.
pub(super) struct Judge<'a> {
    pub(super) policy: &'a Policy,
    pub(super) known: Known<'a>,
    pub(super) answers: Vec<LogAnswer>,
    pub(super) now_ms: u64,
    pub(super) reader: Reader,
}

impl Judge<'_> {
    /// A component with the policy's verdict.
    pub(super) fn component(&self, part: Part) -> Component {
        let about = &part.component;
        let verdict = self.known.verdict(about, &self.answers);
        let mut digests: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (algorithm, digest) in about.digests() {
            let of_algorithm = digests.entry(algorithm.clone()).or_default();
            of_algorithm.push(digest.clone());
        }
        let reasons: Reasons = verdict
            .reasons()
            .iter()
            .map(|reason| self.reason(reason))
            .collect();
        let vulnerabilities = self.known.vulnerabilities(about);
        let mut stated = vulnerabilities.iter().flat_map(|one| &one.stated);
        let agreed = if stated.any(|said| said.statement.status.clears()) {
            self.known.agreed(about)
        } else {
            Vec::new()
        };
        let vulnerabilities = vulnerabilities.iter().map(|one| {
            let mut reasons = reasons.iter().flat_map(|reason| &reason.vulnerabilities);
            let is_named = reasons.any(|named| named.id == one.id);
            Vulnerability {
                cleared: cleared(one, &agreed).filter(|_| !is_named),
                ..self.vulnerability(one)
            }
        });
        let vulnerabilities = vulnerabilities.collect();
        Component {
            purl: about.purl().map(Purl::shared),
            digests,
            from_elsewhere: about.from_elsewhere().map(str::to_owned),
            outcome: verdict.outcome(),
            reasons,
            vulnerabilities,
            name: part.name,
            version: part.version,
            places: part.places,
            dev: part.dev,
            optional: part.optional,
        }
    }

    fn reason(&self, reason: &verdict::Reason) -> Reason {
        let (why, ignored) = match &reason.why {
            Why::Ignored(overlooked) => (overlooked.why.as_ref(), Some(overlooked)),
            why => (why, None),
        };
        let unspoken = match why {
            Why::Unknown(unspoken) => Some(unspoken.clone()),
            _ => None,
        };
        let ignored = ignored.map(|overlooked| {
            let by = overlooked.by.iter();
            Overlooked {
                outcome: overlooked.outcome,
                by: by.map(|one| Ignoring::new(one, self.now_ms)).collect(),
            }
        });
        Reason {
            vulnerabilities: named(why),
            ignored,
            stated: reason.stated.clone().unwrap_or_default(),
            unspoken,
            rule: reason.rule.clone(),
            cause: reason.cause(),
            outcome: reason.outcome,
            text: words::reason(reason, self.reader),
            claims: self.all_evidence(&reason.evidence),
        }
    }

    fn vulnerability(&self, vulnerability: &verdict::Vulnerability) -> Vulnerability {
        let mut stated = Vec::with_capacity(vulnerability.stated.len());
        for said in &vulnerability.stated {
            stated.push(Stated {
                status: said.statement.status,
                justification: said.statement.justification.clone(),
                claim: self.evidence(&said.evidence),
            });
        }
        Vulnerability {
            id: vulnerability.id.clone(),
            severity: vulnerability.severity.map(rules::Severity::name),
            found: self.all_evidence(&vulnerability.found),
            stated,
            cleared: None,
        }
    }

    fn all_evidence(&self, all: &[verdict::Evidence]) -> Vec<Evidence> {
        all.iter().map(|one| self.evidence(one)).collect()
    }

    fn evidence(&self, evidence: &verdict::Evidence) -> Evidence {
        let roles = evidence.roles.iter();
        Evidence {
            claim_id: evidence.claim.to_string(),
            log: evidence.origin.clone(),
            leaf_index: evidence.leaf.get(),
            issuer_id: evidence.issuer.to_string(),
            issuer: who(&evidence.issuer, self.policy, self.known.trust()),
            roles: roles.map(|grant| grant.role.name()).collect(),
        }
    }
}

/// The vulnerabilities that a reason is about.
/// What those agree on whose word clears a vulnerability, if that clears it wherever the component
/// is.
fn cleared(vulnerability: &verdict::Vulnerability, agreed: &[Agreed]) -> Option<Status> {
    let of_this = agreed.iter().filter(|agreed| {
        agreed.said.iter().any(|said| {
            let mut stated = vulnerability.stated.iter();
            stated.any(|one| {
                one.statement == said.statement && one.evidence.claim == said.evidence.claim
            })
        })
    });
    let mut clearing = of_this.filter(|agreed| !agreed.within);
    clearing.find_map(|agreed| agreed.status.filter(|status| status.clears()))
}

fn named(why: &Why) -> Vec<Named> {
    let (Why::Affected(rated) | Why::Vulnerable(rated)) = why else {
        return Vec::new();
    };
    let named = rated.iter().map(|one| Named {
        id: one.id.clone(),
        severity: one.severity,
    });
    named.collect()
}

fn purl<S: Serializer>(purl: &Option<Arc<str>>, to: S) -> Result<S::Ok, S::Error> {
    purl.as_deref().serialize(to)
}

fn severity<S: Serializer>(severity: &Option<Severity>, to: S) -> Result<S::Ok, S::Error> {
    match severity {
        Some(severity) => to.serialize_str(severity.name()),
        None => to.serialize_none(),
    }
}

fn outcome<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.name())
}

fn cause<S: Serializer>(cause: &Cause, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.name())
}

fn status<S: Serializer>(status: &Status, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match status {
        Status::NotAffected => "not_affected",
        Status::Affected => "affected",
        Status::Fixed => "fixed",
        Status::UnderInvestigation => "under_investigation",
    })
}

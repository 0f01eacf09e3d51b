//! `assay check`: what a project is made of, looked up and weighed; and the ways to say what came
//! of it.
//!
//! `read` reads the files, `weigh` makes a [`Report`] of them and of what the logs answered. The
//! report is plain data, whole and in order; each output is one file that only words it. Components
//! of the project itself are listed beside the others and not counted.

pub mod json;
pub mod markdown;
pub mod read;
pub mod sarif;
pub mod summary;
pub mod text;
pub mod vex;
mod weigh;

#[cfg(test)]
mod example;

pub use weigh::weigh;

use crate::exit::Failure;
use assay_claims::kind::vex::Status;
use assay_policy::verdict::{Cause, Outcome};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Everything that a check found. As JSON it is part of the command line's interface: fields are
/// added, never renamed.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The worst outcome of all; `unknown` at best if something could not be identified and the
    /// policy stops at the unknown.
    #[serde(serialize_with = "outcome")]
    pub outcome: Outcome,
    /// The policy's file.
    pub policy: String,
    /// Whether the policy stops at what is unknown.
    pub stops_at_unknown: bool,
    /// When it was checked, RFC 3339.
    pub checked_at: String,
    /// The same in milliseconds since 1970.
    pub checked_at_ms: u64,
    /// Whether only answers that were kept were asked.
    pub offline: bool,
    /// What each log answered.
    pub logs: Vec<Log>,
    /// What was read.
    pub files: Vec<File>,
    /// The project's own parts, which are not looked up.
    pub own: Vec<String>,
    /// What it is made of, each once, in the order of the files.
    pub components: Vec<Component>,
}

/// What a log answered.
#[derive(Debug, Serialize)]
pub struct Log {
    /// Its name.
    pub origin: String,
    /// Where it was asked.
    pub url: Option<String>,
    /// `complete`, `partial` or `none`.
    pub answer: &'static str,
    /// What is missing, or why there is no answer.
    pub missing: Option<String>,
    /// Whether it could not be reached, or nothing was kept of it.
    pub unreachable: bool,
    /// What the answer is complete as of.
    pub head: Option<Head>,
    /// The policy's names of the witnesses that confirmed the head.
    pub witnesses: Vec<String>,
    /// What a private question gave away.
    pub private: Option<Privacy>,
}

/// The head of a log.
#[derive(Debug, Serialize)]
pub struct Head {
    /// Entries.
    pub size: u64,
    /// Its root, hex.
    pub root: String,
    /// When it was made, or a quorum of witnesses had confirmed it, RFC 3339.
    pub made_at: String,
    /// The same in milliseconds since 1970.
    pub made_at_ms: u64,
    /// How old it is.
    pub age_seconds: u64,
    /// The signed note, verbatim.
    pub checkpoint: String,
}

/// How much a private question gave away.
#[derive(Debug, Serialize)]
pub struct Privacy {
    /// Prefixes that the log was told.
    pub prefixes: usize,
    /// The fewest names that one of them stood for.
    pub hidden_among: u64,
}

/// A file that was read.
#[derive(Debug, Serialize)]
pub struct File {
    /// As it was named.
    pub name: String,
    /// What it was read as.
    pub format: &'static str,
    /// Components in it, without the project's own.
    pub components: usize,
    /// What is to be known of it.
    pub notes: Vec<Note>,
    /// What it names so that it cannot be looked up.
    pub unidentified: Vec<Unidentified>,
}

/// What is to be known of a file.
#[derive(Debug, Serialize)]
pub struct Note {
    /// The line, from 1.
    pub line: Option<u32>,
    /// What is to be known.
    pub text: String,
}

/// What cannot be looked up.
#[derive(Debug, Serialize)]
pub struct Unidentified {
    /// The line, from 1.
    pub line: Option<u32>,
    /// As far as it can be named.
    pub what: String,
    /// Why it cannot be looked up.
    pub reason: String,
}

/// A component and what is to be thought of it.
#[derive(Debug, Serialize)]
pub struct Component {
    /// Its package URL.
    pub purl: Option<String>,
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
    pub reasons: Vec<Reason>,
    /// The vulnerabilities that claims speak of.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// Where a component stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1, if the format has lines that mean something.
    pub line: Option<u32>,
}

/// A reason for an outcome.
#[derive(Debug, Serialize)]
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
    /// The claims that gave it.
    pub claims: Vec<Claim>,
}

/// A claim that gave a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
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
    pub found: Vec<Claim>,
    /// What issuers say of it.
    pub stated: Vec<Stated>,
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
    pub claim: Claim,
}

impl Report {
    /// What the exit code is to say: nothing if the policy is met, else which of DESIGN 4's
    /// failures it is.
    ///
    /// A log that must answer and cannot be reached comes first, because then nothing else is
    /// certain.
    pub fn result(&self) -> Result<(), Failure> {
        let silent: Vec<&str> = self
            .logs
            .iter()
            .filter(|log| log.unreachable)
            .map(|log| log.origin.as_str())
            .collect();
        if !silent.is_empty() {
            let (logs, whose) = if silent.len() == 1 {
                ("log", "it")
            } else {
                ("logs", "each of them")
            };
            return Err(Failure::Unanswered(format!(
                "no answer of the {logs} {}, and your policy asks for one of {whose}; try again \
                 later",
                silent.join(", ")
            )));
        }
        if self.outcome.is_met() {
            Ok(())
        } else {
            Err(Failure::NotMet(format!(
                "your policy is not met: {}",
                summary::stops(self)
            )))
        }
    }

    /// What could not be identified, with its file.
    pub fn unidentified(&self) -> impl Iterator<Item = (&File, &Unidentified)> {
        self.files
            .iter()
            .flat_map(|file| file.unidentified.iter().map(move |one| (file, one)))
    }

    /// The components that something is to be said of, the worst first, and of those the ones that
    /// somebody says it of.
    pub fn not_fine(&self) -> Vec<&Component> {
        let mut list: Vec<_> = self
            .components
            .iter()
            .filter(|component| component.outcome != Outcome::Fine)
            .collect();
        let unsaid =
            |component: &Component| component.against().all(|reason| reason.claims.is_empty());
        list.sort_by_key(|component| (std::cmp::Reverse(component.outcome), unsaid(component)));
        list
    }
}

impl Component {
    /// How it is called, for people and programs: its purl, or else its name and version.
    pub fn title(&self) -> String {
        match (&self.purl, &self.version) {
            (Some(purl), _) => purl.clone(),
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

//! What there is to report of an answer: one model, its words, and the formats that need no
//! terminal.
//!
//! A [`Report`] is plain data, whole and in order: what was asked about, what each log proved, the
//! components with their verdicts, and question by question what is said. [`Scales`] make it of the
//! verified answers that [`ask`](crate::ask) returns; that is a pure function of these, the policy
//! and the time. [`json`], [`sarif`], [`vex`] and [`markdown`] are renderings of it, and all
//! sentences are in [`words`].

pub mod badge;
mod baseline;
mod choice;
pub mod claim;
mod component;
mod conclusion;
pub mod export;
mod finding;
mod gate;
pub mod json;
pub mod keys;
pub mod lifecycle;
mod line;
mod log;
pub mod markdown;
mod reasons;
mod reply;
mod rows;
pub mod sarif;
mod signed;
mod stood;
mod versions;
pub mod vex;
mod weigh;
pub mod words;

#[cfg(any(test, feature = "testing"))]
pub mod example;

#[cfg(test)]
mod hostile;

pub use baseline::{BASELINE_BYTES, Baseline, BaselineError};
pub use component::{
    Component, Evidence, Ignoring, Named, Overlooked, Reason, Stated, Vulnerability,
};
pub use conclusion::Conclusion;
pub use finding::{Finding, UNIDENTIFIED};
pub use gate::{FailOn, Gate};
pub use line::{Fact, InLog, Line, Question, Role, ShownClaim, Voice};
pub use log::{Completeness, Head, Log};
pub use reasons::Reasons;
pub use reply::{Reply, has_effect};
pub use rows::{Row, notes, rows};
pub use signed::SignedLines;
pub use stood::{StoodBehind, Witnessed};
pub use versions::{Version, Versions, Weighed};
pub use weigh::Scales;

use crate::ask::{About, File, Hint, How, Lacking, Others, Unidentified};
use crate::plain;
use assay_claims::kind::Kind;
use assay_policy::rules::Outcome;
use keys::Keys;
use words::Reader;

/// Everything that there is to tell about what was asked.
#[derive(Debug)]
pub struct Report {
    /// What was asked about, if it is one thing. If not, it is the components of `files`.
    pub about: Option<About>,
    /// When, in milliseconds since 1970.
    pub asked_at_ms: u64,
    /// Who reads it.
    pub reader: Reader,
    /// How the logs were asked.
    pub how: How,
    /// What the reader calls the policy: its file.
    pub policy: String,
    /// Whether the policy stops at what is unknown.
    pub stops_at_unknown: bool,
    /// What the policy ignores, also what it ignores no more.
    pub ignores: Vec<Ignoring>,
    /// What stops, if not what the policy says.
    pub gate: Gate,
    /// What each log answered.
    pub logs: Vec<Log>,
    /// The files whose components were asked about.
    pub files: Vec<File>,
    /// The project's own parts in these files, which are not looked up.
    pub own: Vec<String>,
    /// The components that the policy judged, each once, in the order of the files.
    pub components: Vec<Component>,
    /// What is known of the one thing, question by question; every question is there.
    pub questions: Vec<Question>,
    /// The claims of all lines, with what was signed.
    pub claims: Vec<ShownClaim>,
    /// Of a package, the versions that claims are about which are not shown.
    pub versions: Option<Versions>,
    /// What the issuer signed, if an issuer was asked about.
    pub signed: Option<SignedLines>,
    /// Which others were listened to, if everyone was to be.
    pub others: Option<Others>,
    /// What became of the issuer's keys, if an issuer was asked about.
    pub keys: Option<Keys>,
    /// What could not be found out.
    pub lacking: Option<Lacking>,
    /// What else there is to know.
    pub hints: Vec<Hint>,
}

impl Report {
    /// The worst outcome of all components; `unknown` at best if something could not be identified
    /// and the policy stops at the unknown.
    pub fn outcome(&self) -> Outcome {
        let outcomes = self.components.iter().map(|component| component.outcome);
        let worst = outcomes.max().unwrap_or(Outcome::Fine);
        // Nobody can know anything of what has no name, so it is unknown, and the policy says what
        // follows from that.
        if self.stops_at_unknown && self.unidentified().next().is_some() {
            worst.max(Outcome::Unknown)
        } else {
            worst
        }
    }

    /// Whether every log answered, and nothing was left out.
    pub fn is_complete(&self) -> bool {
        self.logs.iter().all(Log::is_complete)
    }

    /// Whether every log answered in full, lately enough, and was confirmed by enough witnesses.
    pub fn is_whole(&self) -> bool {
        self.logs.iter().all(Log::is_good)
    }

    /// The logs that are missing and that the policy cannot do without.
    pub(crate) fn lacking_logs(&self) -> impl Iterator<Item = &Log> {
        let lacking = self.logs.iter().filter(|log| !log.is_good());
        lacking.filter(|log| !log.spare)
    }

    /// Whether there are any.
    pub(crate) fn lacks_logs(&self) -> bool {
        self.lacking_logs().next().is_some()
    }

    /// The logs of which it cannot be said that their answer is whole.
    pub fn missing(&self) -> Vec<&str> {
        let lacking = self.logs.iter().filter(|log| !log.is_good());
        lacking.map(|log| log.origin.as_str()).collect()
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
        list.sort_by_key(|component| {
            (
                std::cmp::Reverse(component.outcome),
                component.against().all(|reason| reason.claims.is_empty()),
            )
        });
        list
    }

    /// The lines of all questions.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.questions.iter().flat_map(|question| &question.lines)
    }

    /// The newest record with effect of an issuer that was asked about.
    pub fn record(&self) -> Option<&Line> {
        self.lines()
            .filter(|line| line.of == Kind::Issuer && line.effect)
            .max_by_key(|line| line.leaf_index)
    }

    /// Makes the words of others [`plain`], so that they can be shown as they are.
    fn make_plain(&mut self) {
        for log in &mut self.logs {
            log.origin = plain(&log.origin);
            log.missing = log.missing.as_deref().map(plain);
            log.make_voices_plain();
        }
    }
}

//! What follows from a report, for whoever asked to act on it.

use super::{Log, Report, Versions, words};
use crate::ask::{About, LogState};
use assay_policy::rules::Outcome;

/// Whether what was asked for is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conclusion {
    /// The policy is met; or, where there is nothing that it could judge, something is known.
    Met,
    /// It is not, for this reason.
    NotMet(String),
    /// A log that must answer cannot be reached, has only an old answer, or none that enough
    /// witnesses confirm, so that nothing is certain.
    Unanswered(String),
    /// A log that must answer is not to be relied on, or not readable by this program.
    Failed(String),
}

impl Report {
    /// What follows from it. A log that must answer and does not comes first, because then nothing
    /// else is certain.
    pub fn conclusion(&self) -> Conclusion {
        let name = self.about.as_ref().map(words::name);
        let silent: Vec<&Log> = self.silent().filter(|log| !log.spare).collect();
        let worst = silent.iter().map(|log| log.state).max();
        let worst = worst.unwrap_or_default();
        if worst >= LogState::UnsupportedMapping {
            return Conclusion::Failed(words::unanswered(name.as_deref(), &silent));
        }
        if !silent.is_empty() {
            return Conclusion::Unanswered(words::unanswered(name.as_deref(), &silent));
        }
        let why = match &self.about {
            Some(about) => self.why_not(about),
            None if !self.is_stopped() => None,
            None => Some(words::not_met(self)),
        };
        match (why, name) {
            (None, _) => Conclusion::Met,
            (Some(why), Some(name)) => Conclusion::NotMet(format!("{name}: {why}")),
            (Some(why), None) => Conclusion::NotMet(why),
        }
    }

    /// The logs without an answer that can be relied on.
    pub fn silent(&self) -> impl Iterator<Item = &Log> {
        let logs = self.logs.iter();
        logs.filter(|log| log.state != LogState::Answered)
    }

    /// Why what is known of one thing is not enough.
    fn why_not(&self, about: &About) -> Option<String> {
        if let Some(lacking) = self.lacking {
            return Some(words::lacking(lacking));
        }
        // Others can answer a claim whose id is the same digits; that makes nobody of them an
        // issuer.
        if matches!(about, About::Issuer(_)) && self.record().is_none() {
            return Some("it is not registered in a log that was asked".to_owned());
        }
        if let Some(component) = self.components.first() {
            let outcome = component.outcome;
            let versions = self.versions.as_ref();
            if outcome.is_met() && versions.is_some_and(Versions::are_denied) {
                let denied = Outcome::Denied;
                return Some(format!("your policy is not met by its versions ({denied})"));
            }
            return (!outcome.is_met()).then(|| format!("your policy is not met ({outcome})"));
        }
        if self.claims.is_empty() {
            return Some("nothing is known".to_owned());
        }
        let mut needed = self.logs.iter().filter(|log| !log.spare);
        (!needed.all(Log::is_complete)).then(|| "what is known is not complete".to_owned())
    }
}

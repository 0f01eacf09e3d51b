//! The first sentence about a component, for people who read one: one out of five, with its reason.

use super::asked::silence;
use super::lines::voice;
use super::names::each_once;
use super::{ago, at};
use crate::report::{Component, Fact, Line, Log, Reason, Report};
use assay_policy::posture::Question;
use assay_policy::rules::Outcome;
use assay_policy::verdict::Cause;

/// What is to be done about a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Not all could be checked. It comes before all others, because nothing else is certain then.
    Unchecked,
    /// Something speaks against it.
    Act,
    /// Something is missing, or warned about.
    Plan,
    /// Nobody whom the policy trusts has said anything.
    Unsaid,
    /// Nothing speaks against it.
    Quiet,
}

impl Stand {
    /// Its name, for programs and styles.
    pub const fn name(self) -> &'static str {
        match self {
            Stand::Unchecked => "unchecked",
            Stand::Act => "act",
            Stand::Plan => "plan",
            Stand::Unsaid => "unsaid",
            Stand::Quiet => "quiet",
        }
    }
}

/// The sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Which one it is.
    pub stand: Stand,
    /// The sentence itself.
    pub text: String,
    /// Why, in other people's words in part; nothing if the sentence says it.
    pub why: Option<String>,
    /// As of when.
    pub as_of: String,
}

/// The sentence about the component that a report is about; `None` if it is about something that no
/// policy judges.
pub fn sentence(report: &Report) -> Option<Sentence> {
    let component = report.components.first()?;
    let stand = stand(component, report);
    let main = || component.main_reason().map(|reason| reason.text.clone());
    let unspoken = unspoken(component);
    let trust = report.reader.trust();
    let (text, why) = match stand {
        Stand::Unchecked => (
            "This could not be checked fully.".to_owned(),
            Some(lacking(report).or_else(main).unwrap_or_default()),
        ),
        Stand::Act => ("Do something about it.".to_owned(), main()),
        Stand::Plan => ("Plan to do something about it.".to_owned(), main()),
        Stand::Unsaid => (
            match unspoken.and_then(|reason| reason.unspoken.as_ref()) {
                Some(unspoken) if unspoken.no_word > 0 => {
                    format!("Nobody whom {trust} has said whether it can be used.")
                }
                _ => format!("Nobody whom {trust} has said anything about it."),
            },
            unspoken.map(|reason| reason.text.clone()),
        ),
        Stand::Quiet => (quiet(report), None),
    };
    Some(Sentence {
        stand,
        text,
        why: why.filter(|why| !why.is_empty()),
        as_of: as_of(report),
    })
}

fn stand(component: &Component, report: &Report) -> Stand {
    if report.lacks_logs() {
        return Stand::Unchecked;
    }
    match component.outcome {
        Outcome::Incomplete | Outcome::Stale => Stand::Unchecked,
        Outcome::Denied => Stand::Act,
        // What a policy makes of it is its own: silence is said as silence.
        _ if unspoken(component).is_some() => Stand::Unsaid,
        Outcome::Warn | Outcome::Unmet => Stand::Plan,
        Outcome::Unknown => Stand::Unsaid,
        Outcome::Fine => Stand::Quiet,
    }
}

/// That the policy knows nothing of it, if it does not.
fn unspoken(component: &Component) -> Option<&Reason> {
    let mut reasons = component.reasons.iter();
    reasons.find(|it| it.cause == Cause::Unknown)
}

/// Which logs did not answer as they must, if any did not.
fn lacking(report: &Report) -> Option<String> {
    let lacking: Vec<&Log> = report.lacking_logs().collect();
    (!lacking.is_empty()).then(|| {
        let missing = lacking.iter().find_map(|log| log.missing.as_deref());
        let missing = missing.map(|why| format!(" ({why})")).unwrap_or_default();
        format!("There is {}{missing}.", silence(&lacking, ""))
    })
}

/// That nothing speaks against it, and who reviewed it.
fn quiet(report: &Report) -> String {
    let reader = report.reader;
    let knows = reader.knows();
    let mut questions = report.questions.iter();
    let reviews = questions.find(|it| it.question == Question::Reviewed);
    let lines = reviews.map(|it| &it.lines[..]).unwrap_or_default();
    let passed = lines.iter().filter(|line| line.fact == Some(Fact::Passed));
    let reviewers = passed.flat_map(Line::trusted);
    let names = each_once(reviewers.map(|one| voice(one, reader)));
    if names.is_empty() {
        return format!(
            "Nothing that {knows} of speaks against it, and nobody whom {} has reviewed it.",
            reader.trust()
        );
    }
    format!("Nothing that {knows} of speaks against it, and it was reviewed by {names}.")
}

/// As of which time the oldest answer is whole.
fn as_of(report: &Report) -> String {
    let heads = report.logs.iter().filter_map(|log| log.head.as_ref());
    match heads.map(|head| head.made_at_ms).min() {
        Some(at_ms) => {
            let ago = ago(at_ms, report.asked_at_ms);
            format!("As of {}, {ago}.", at(at_ms))
        }
        None => format!("Asked at {}; no log answered.", at(report.asked_at_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::LogState;
    use crate::report::example;

    /// The example with the component that has this outcome.
    fn with(outcome: Outcome) -> Report {
        let mut report = example::report();
        report.components.truncate(1);
        report.components[0].outcome = outcome;
        report
    }

    #[test]
    fn each_outcome_has_one_of_five_sentences() {
        for (outcome, stand) in [
            (Outcome::Fine, Stand::Quiet),
            (Outcome::Warn, Stand::Plan),
            (Outcome::Unmet, Stand::Plan),
            (Outcome::Unknown, Stand::Unsaid),
            (Outcome::Incomplete, Stand::Unchecked),
            (Outcome::Stale, Stand::Unchecked),
            (Outcome::Denied, Stand::Act),
        ] {
            let sentence = sentence(&with(outcome)).unwrap();
            assert_eq!(sentence.stand, stand, "{outcome}");
            assert!(
                sentence.as_of.starts_with("As of 2026-01-31"),
                "{}",
                sentence.as_of
            );
            let told = format!("{sentence:?}").to_lowercase();
            assert!(!told.contains("safe") && !told.contains("secure"), "{told}");
        }
    }

    #[test]
    fn what_could_not_be_checked_comes_before_everything() {
        for outcome in Outcome::ALL {
            for state in [
                LogState::Stale,
                LogState::Unconfirmed,
                LogState::Unreachable,
                LogState::Convicted,
            ] {
                let mut report = with(outcome);
                report.logs[0].state = state;
                let sentence = sentence(&report).unwrap();
                assert_eq!(sentence.stand, Stand::Unchecked, "{outcome} {state:?}");
                assert!(sentence.why.unwrap().contains("the log log.example"));
            }
        }
    }

    #[test]
    fn what_no_policy_judges_has_no_sentence() {
        let mut report = example::report();
        report.components.clear();
        assert_eq!(sentence(&report), None);
    }
}

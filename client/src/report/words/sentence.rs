//! The first sentence about a component, for people who read one: one out of five, with its reason.

use super::asked::silence;
use super::lines::voice;
use super::names::each_once;
use super::{ago, at, whole};
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

    /// What is to be done about what has this outcome, and of which somebody says whether it can be
    /// used, or nobody. What a policy makes of silence is its own: it is said as silence.
    pub(super) const fn of(outcome: Outcome, is_judged: bool) -> Self {
        match outcome {
            Outcome::Incomplete | Outcome::Stale => Stand::Unchecked,
            Outcome::Denied => Stand::Act,
            _ if !is_judged => Stand::Unsaid,
            Outcome::Warn | Outcome::Unmet => Stand::Plan,
            Outcome::Unknown => Stand::Unsaid,
            Outcome::Fine => Stand::Quiet,
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
    let (stand, text, why) = if report.lacks_logs() || !whole::is_whole(report) {
        of_component(component, report)
    } else {
        whole::sentence(component, report)
    };
    Some(Sentence {
        stand,
        text,
        why: why.filter(|why| !why.is_empty()),
        as_of: as_of(report),
    })
}

/// What is to be done about a component, in a sentence, and why.
fn of_component(component: &Component, report: &Report) -> (Stand, String, Option<String>) {
    let main = || component.main_reason().map(|reason| reason.text.clone());
    let stand = if report.lacks_logs() {
        Stand::Unchecked
    } else {
        Stand::of(component.outcome, unspoken(component).is_none())
    };
    let (text, why) = match stand {
        Stand::Unchecked => (
            "This could not be checked fully.".to_owned(),
            lacking(report).or_else(main),
        ),
        Stand::Act => ("Do something about it.".to_owned(), main()),
        Stand::Plan => ("Plan to do something about it.".to_owned(), main()),
        Stand::Unsaid => unsaid(component, report),
        Stand::Quiet => (quiet(report), None),
    };
    (stand, text, why)
}

/// That nobody whose word counts says whether it can be used, or anything at all; and what there is
/// instead.
pub(super) fn unsaid(component: &Component, report: &Report) -> (String, Option<String>) {
    let trust = report.reader.trust();
    let unspoken = unspoken(component);
    let said = unspoken.and_then(|reason| reason.unspoken.as_ref());
    let of_it = said.is_some_and(|said| said.no_word + said.nearby > 0);
    let of_versions = report.versions.as_ref();
    let text = if of_it || of_versions.is_some_and(|it| it.weighed().next().is_some()) {
        format!("Nobody whom {trust} has said whether it can be used.")
    } else {
        format!("Nobody whom {trust} has said anything about it.")
    };
    (text, unspoken.map(|reason| reason.text.clone()))
}

/// That the policy knows nothing of it, if it does not.
fn unspoken(component: &Component) -> Option<&Reason> {
    let mut reasons = component.reasons.iter();
    reasons.find(|it| it.cause == Cause::Unknown)
}

/// Which logs did not answer as they must, if any did not. The line of each log says why not, in a
/// network's words.
fn lacking(report: &Report) -> Option<String> {
    let lacking: Vec<&Log> = report.lacking_logs().collect();
    (!lacking.is_empty()).then(|| format!("There is {}.", silence(&lacking, "")))
}

/// That nothing speaks against it, and who reviewed it.
pub(super) fn quiet(report: &Report) -> String {
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
    use crate::ask::{About, LogState};
    use crate::report::words::Reader;
    use crate::report::{Question as Asked, example};
    use assay_policy::posture::posture;
    use assay_policy::testing::{NOW_MS, World, about, anchor, component, parse};

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
                // A package as a whole is asked about its versions, too.
                for about in [None, About::parse("pkg:cargo/good").unwrap()] {
                    let mut report = with(outcome);
                    (report.about, report.logs[0].state) = (about, state);
                    let sentence = sentence(&report).unwrap();
                    assert_eq!(sentence.stand, Stand::Unchecked, "{outcome} {state:?}");
                    assert!(sentence.why.unwrap().contains("the log log.example"));
                }
            }
        }
    }

    #[test]
    fn a_review_that_did_not_pass_is_none() {
        for (verdict, says) in [
            ("fail", "nobody whom you trust has reviewed it."),
            ("pass", "it was reviewed by "),
        ] {
            let mut world = World::new();
            let alice = world.register("Alice", &[1], 1);
            let text = format!(r#"{{"criteria":["x"],"verdict":"{verdict}","scope":"version"}}"#);
            let said = about("pkg:cargo/a@1", "urn:assay:audit:v1", &text);
            world.log(&said, &[&alice]);
            let policy = parse(&format!("version = 1\n{}", anchor(&alice, &["auditor"])));
            let component = component("pkg:cargo/a@1");
            let posture = posture(&policy, &component, &world.claims, NOW_MS);
            let mut report = with(Outcome::Fine);
            report.questions = Asked::all(&posture, Reader::Owner);
            let said = sentence(&report).unwrap();
            assert!(said.text.contains(says), "{verdict}: {}", said.text);
        }
    }

    #[test]
    fn what_no_policy_judges_has_no_sentence() {
        let mut report = example::report();
        report.components.clear();
        assert_eq!(sentence(&report), None);
    }
}

//! `https://scorecard.dev/result/v0.1`: a result of OpenSSF Scorecard, in the form that `scorecard
//! --format=intoto` gives it: the JSON result without `repo`, which is the subject.

use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use crate::time;

/// A result of Scorecard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scorecard {
    /// The aggregate score as JSON, such as `7.5`; from 0 to 10, or -1 if it is inconclusive.
    pub score: String,
}

impl Predicate for Scorecard {
    const NAME: &'static str = "scorecard";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new(
        "scorecard",
        &["https://scorecard.dev/result/v0.1"],
        Self::read,
    )];
}

impl Scorecard {
    /// Reads a result, with or without the `repo` that is the claim's subject.
    pub fn read(predicate: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check(predicate)?;
        Ok(Scorecard {
            score: predicate.need("score")?.value().to_json(),
        })
    }
}

fn check(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    let date = predicate.need("date")?;
    if !time::is_date(date.string()?) {
        date.instant()?;
    }
    let tool = predicate.need("scorecard")?;
    tool.need("version")?.text()?;
    if let Some(commit) = tool.get("commit") {
        commit.string()?;
    }
    score(&predicate.need("score")?)?;
    for check in predicate.need("checks")?.items()? {
        check.need("name")?.text()?;
        score(&check.need("score")?)?;
        if let Some(reason) = check.get("reason") {
            reason.string()?;
        }
        if let Some(details) = check.get("details") {
            for detail in details.items()? {
                detail.string()?;
            }
        }
    }
    Ok(())
}

/// Scores go from 0 to 10; −1 says that a check was inconclusive.
fn score(node: &Node<'_, '_>) -> Result<f64, PredicateError> {
    let score = node
        .value()
        .as_f64()
        .ok_or_else(|| node.fault("is no number"))?;
    let possible = (0.0..=10.0).contains(&score) || score == -1.0;
    if possible {
        Ok(score)
    } else {
        Err(node.fault("is no score from 0 to 10, nor -1 for inconclusive"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_from_0_to_10_or_inconclusive() {
        let wrong = |whole: &str, of_check: &str| {
            let text = format!(
                r#"{{"date":"2026-01-01","scorecard":{{"version":"5.0.0"}},"score":{whole},
                "checks":[{{"name":"License","score":{of_check}}}]}}"#
            );
            let value = crate::json::parse(text.as_bytes()).unwrap();
            let read = Scorecard::read(&Node::root("$", &value));
            read.err().map(|error| error.path)
        };
        for good in ["0", "10", "7.5", "-1"] {
            assert_eq!(wrong(good, good), None, "{good}");
        }
        for bad in ["10.1", "-0.5", "-2", "11"] {
            assert_eq!(wrong(bad, "10").as_deref(), Some("$.score"), "{bad}");
            let path = "$.checks[0].score";
            assert_eq!(wrong("10", bad).as_deref(), Some(path), "{bad}");
        }
    }
}

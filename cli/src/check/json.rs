//! The report for programs: everything, with the summary's sentences.

use super::{Report, summary};
use assay_policy::verdict::Outcome;
use serde::Serialize;
use std::collections::BTreeMap;

/// The JSON object.
#[derive(Serialize)]
pub struct Document<'a> {
    summary: Vec<String>,
    counts: Counts,
    #[serde(flatten)]
    report: &'a Report,
}

/// How many there are of each.
#[derive(Serialize)]
struct Counts {
    components: usize,
    unidentified: usize,
    own: usize,
    outcomes: BTreeMap<&'static str, usize>,
}

/// What is written.
pub fn document(report: &Report) -> Document<'_> {
    let of_outcome = |outcome: Outcome| {
        report
            .components
            .iter()
            .filter(|component| component.outcome == outcome)
            .count()
    };
    let counts = Counts {
        components: report.components.len(),
        unidentified: report.unidentified().count(),
        own: report.own.len(),
        outcomes: Outcome::ALL
            .into_iter()
            .map(|outcome| (outcome.name(), of_outcome(outcome)))
            .collect(),
    };
    Document {
        summary: summary::lines(report),
        counts,
        report,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn everything_is_there() {
        let report = example::report();
        let json = serde_json::to_value(document(&report)).unwrap();
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

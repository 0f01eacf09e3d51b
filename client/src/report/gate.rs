//! What stops, where the reader says it for one run: only kinds of findings, only severities, and
//! only what a former report does not have.
//!
//! A finding is old if a report of before has the same, and at least as bad: what got worse is new.
//! That a log did not answer as it has to is never old, and always stops: nothing is certain then.

use super::baseline::Baseline;
use super::finding::{Finding, UNIDENTIFIED};
use super::{Component, Reason, Report};
use assay_policy::rules::Severity;
use assay_policy::verdict::Cause;

/// What stops. By default, what the policy says.
#[derive(Debug, Default)]
pub struct Gate {
    /// If there are any, only these stop, whatever the policy says of them.
    pub fail_on: Vec<FailOn>,
    /// What is in this report does not stop.
    pub baseline: Option<Baseline>,
}

/// What a reader wants to be stopped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// Findings of this cause.
    Cause(&'static str),
    /// Vulnerabilities that are this severe, or of unknown severity.
    Severity(Severity),
}

/// The causes that can be named. What is wrong with the answer of a log always stops, and what the
/// policy ignores never does.
const CAUSES: [&str; 8] = [
    Cause::Affected.name(),
    Cause::Vulnerable.name(),
    Cause::Unsupported.name(),
    Cause::Claim.name(),
    Cause::Requirement.name(),
    Cause::Unknown.name(),
    Cause::Undecided.name(),
    UNIDENTIFIED,
];

const SEVERITIES: [Severity; 4] = [
    Severity::Low,
    Severity::Medium,
    Severity::High,
    Severity::Critical,
];

impl FailOn {
    /// What a word stands for: the name of a cause or of a severity.
    ///
    /// # Errors
    ///
    /// The words that there are.
    pub fn parse(word: &str) -> Result<Self, String> {
        let cause = CAUSES.into_iter().find(|cause| *cause == word);
        let severity = SEVERITIES.into_iter().find(|one| one.name() == word);
        let found = cause.map(FailOn::Cause).or(severity.map(FailOn::Severity));
        found.ok_or_else(|| {
            let severities = SEVERITIES.map(Severity::name).join(", ");
            format!(
                "nothing is called that; there are {}, {severities}",
                CAUSES.join(", ")
            )
        })
    }

    /// The word that stands for it.
    pub fn name(self) -> &'static str {
        match self {
            FailOn::Cause(cause) => cause,
            FailOn::Severity(severity) => severity.name(),
        }
    }

    fn names(self, finding: &Finding<'_>) -> bool {
        match self {
            FailOn::Cause(cause) => finding.cause == cause,
            FailOn::Severity(least) => {
                let severe = finding.severity.is_none_or(|severity| severity >= least);
                finding.vulnerability.is_some() && severe
            }
        }
    }
}

impl Gate {
    /// Whether the reader said anything.
    pub fn is_set(&self) -> bool {
        !self.fail_on.is_empty() || self.baseline.is_some()
    }

    /// Whether a finding is in the baseline; nothing if there is none.
    pub fn is_old(&self, finding: &Finding<'_>) -> Option<bool> {
        let baseline = self.baseline.as_ref()?;
        Some(!finding.is_of_logs() && baseline.has(finding))
    }

    /// Whether a finding stops.
    pub fn stops(&self, finding: &Finding<'_>) -> bool {
        let unmet = !finding.outcome.is_met();
        if finding.is_of_logs() {
            return unmet;
        }
        let named = if self.fail_on.is_empty() {
            unmet
        } else {
            self.fail_on.iter().any(|one| one.names(finding))
        };
        named && !finding.is_ignored() && self.is_old(finding) != Some(true)
    }

    /// How a reason stands to the baseline, in words; nothing if there is none.
    pub(super) fn mark(&self, component: &Component, reason: &Reason) -> Option<String> {
        self.baseline.as_ref()?;
        let findings = Finding::of_reason(component, reason);
        let mut new = Vec::new();
        for finding in &findings {
            if self.is_old(finding) != Some(true) {
                new.push(finding);
            }
        }
        Some(if new.is_empty() {
            "in the baseline".to_owned()
        } else if new.len() == findings.len() {
            "new".to_owned()
        } else {
            let names: Vec<&str> = new.iter().filter_map(|one| one.vulnerability).collect();
            format!("new: {}", names.join(", "))
        })
    }
}

impl Report {
    /// Whether something stops: by the policy, or what the reader says in its place.
    pub fn is_stopped(&self) -> bool {
        if !self.gate.is_set() {
            return !self.outcome().is_met();
        }
        self.findings().any(|finding| self.gate.stops(&finding))
    }

    /// What a table says of a reason: the rule and its words, and whether it is new if there is a
    /// baseline.
    pub fn why(&self, component: &Component, reason: &Reason) -> String {
        match self.gate.mark(component, reason) {
            Some(mark) => format!("({mark}) {}: {}", reason.rule, reason.text),
            None => format!("{}: {}", reason.rule, reason.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{example, json, sarif};
    use super::*;
    use assay_policy::rules::Outcome;

    fn gate(fail_on: &[&str], baseline: Option<&[u8]>) -> Gate {
        Gate {
            fail_on: fail_on
                .iter()
                .map(|word| FailOn::parse(word).unwrap())
                .collect(),
            baseline: baseline.map(|bytes| Baseline::read("b", bytes).unwrap()),
        }
    }

    /// What stops, as component and rule.
    fn stopping(report: &Report) -> Vec<String> {
        let findings = report.findings();
        let findings = findings.filter(|finding| report.gate.stops(finding));
        let short = |title: &str| title.replace("pkg:cargo/", "").replace("@1.0.0", "");
        findings
            .map(|one| format!("{} {}", short(&one.title), one.rule))
            .collect()
    }

    fn both(report: &Report) -> [Vec<u8>; 2] {
        [
            serde_json::to_vec(&json::check(report)).unwrap(),
            serde_json::to_vec(&sarif::document(report)).unwrap(),
        ]
    }

    #[test]
    fn only_what_is_named_stops() {
        let mut report = example::report();
        for (words, expected) in [
            (
                &[][..],
                &["bad exploitable", "nobody unknown", "mystery unidentified"][..],
            ),
            (&["affected"], &["bad exploitable"]),
            (&["unknown"], &["nobody unknown"]),
            (&["unsupported"], &["old support has ended"]),
            (&["requirement"], &["old origin", "short origin"]),
            (&["unidentified", "vulnerable"], &["mystery unidentified"]),
            (&["high"], &["bad exploitable"]),
            (&["critical"], &[]),
            (&["claim"], &[]),
        ] {
            report.gate = gate(words, None);
            assert_eq!(stopping(&report), expected, "{words:?}");
            assert_eq!(report.is_stopped(), !expected.is_empty(), "{words:?}");
        }
        // A severity that nobody states is high enough.
        report.components[1].reasons[0].vulnerabilities[0].severity = None;
        report.gate = gate(&["critical"], None);
        assert_eq!(stopping(&report), ["bad exploitable"]);
        assert!(FailOn::parse("logs").unwrap_err().contains("unsupported"));
        assert!(FailOn::parse("HIGH").is_err());
    }

    #[test]
    fn what_is_in_the_baseline_does_not_stop() {
        for baseline in both(&example::report()) {
            let mut report = example::report();
            report.gate = gate(&[], Some(&baseline));
            assert_eq!(stopping(&report), [""; 0]);
            assert!(!report.is_stopped() && !report.outcome().is_met());
            // Where it stands does not matter; another version, vulnerability or rule does.
            report.components[1].places[0].line = Some(99);
            assert_eq!(stopping(&report), [""; 0]);
            report.components[2].purl = Some("pkg:cargo/nobody@1.0.1".into());
            assert_eq!(stopping(&report), ["nobody@1.0.1 unknown"]);
            report.components[2].reasons[0].rule = "other".into();
            report.components.remove(2);
            let named = &mut report.components[1].reasons[0].vulnerabilities;
            named.push(named[0].clone());
            named[1].id = "CVE-2026-0009".into();
            assert_eq!(stopping(&report), ["bad exploitable"]);
            let component = &report.components[1];
            let said = report.why(component, &component.reasons[0]);
            assert!(
                said.starts_with("(new: CVE-2026-0009) exploitable: "),
                "{said}"
            );
        }
    }

    #[test]
    fn a_file_has_the_same_findings_with_a_dot_before_it_and_others_in_another_folder() {
        let named = |folder: &str| {
            let mut report = example::report();
            for file in &mut report.files {
                file.name = format!("{folder}{}", file.name);
            }
            report
        };
        for baseline in both(&named("a/")) {
            for (folder, are_new) in [("./a/", false), ("a/", false), ("b/", true)] {
                let mut report = named(folder);
                report.gate = gate(&["unidentified", "high"], Some(&baseline));
                assert_eq!(!stopping(&report).is_empty(), are_new, "{folder}");
            }
        }
    }

    #[test]
    fn what_got_worse_is_new() {
        let mut before = example::report();
        before.components[1].reasons[0].outcome = Outcome::Warn;
        for baseline in both(&before) {
            let mut report = example::report();
            report.gate = gate(&[], Some(&baseline));
            assert_eq!(stopping(&report), ["bad exploitable"]);
        }
        let [baseline, _] = both(&example::report());
        let mut report = example::report();
        report.gate = gate(&[], Some(&baseline));
        for (severity, stops) in [
            (Some(Severity::Critical), true),
            (None, true),
            (Some(Severity::Low), false),
        ] {
            report.components[1].reasons[0].vulnerabilities[0].severity = severity;
            assert_eq!(report.is_stopped(), stops, "{severity:?}");
        }
    }

    #[test]
    fn what_a_log_did_not_answer_stops_whatever_is_named_and_known() {
        let incomplete = || {
            let mut report = example::report();
            let reason = &mut report.components[0].reasons[0];
            (reason.cause, reason.outcome) = (Cause::Logs, Outcome::Incomplete);
            report.components[0].outcome = Outcome::Incomplete;
            report
        };
        let [baseline, _] = both(&incomplete());
        let mut report = incomplete();
        report.gate = gate(&["critical"], Some(&baseline));
        assert_eq!(stopping(&report), ["good origin"]);
    }

    #[test]
    fn what_is_ignored_never_stops_and_is_new_when_it_is_no_more() {
        let ignored = || {
            let mut report = example::report();
            report.components.truncate(2);
            report.files.clear();
            let reason = &mut report.components[1].reasons[0];
            (reason.cause, reason.outcome) = (Cause::Ignored, Outcome::Warn);
            reason.ignored = Some(super::super::Overlooked {
                outcome: Outcome::Denied,
                by: vec![],
            });
            report
        };
        let mut report = ignored();
        report.gate = gate(&["high", "affected"], None);
        assert_eq!(stopping(&report), [""; 0]);
        for baseline in both(&ignored()) {
            let mut report = example::report();
            report.gate = gate(&["affected"], Some(&baseline));
            assert_eq!(stopping(&report), ["bad exploitable"]);
        }
    }

    #[test]
    fn what_is_no_report_is_no_baseline() {
        for (text, why) in [
            ("", "it ends in the middle, at line 1, column 0"),
            ("x", "it is not JSON: line 1, column 1"),
            ("[]", "no report of `assay check` has there"),
            ("{}", "no report"),
            (r#"{"components": []}"#, "no report"),
            (r#"{"findings": {}}"#, "it has what no report"),
            (r#"{"findings": [{"outcome": "denied"}]}"#, "told apart"),
            (r#"{"findings": [{"fingerprint": "a"}]}"#, "told apart"),
            (
                r#"{"findings": [{"fingerprint": "a", "outcome": "bad"}]}"#,
                "\"bad\"",
            ),
            (
                r#"{"runs": [{"tool": {"driver": {"name": "grype"}}}]}"#,
                "grype",
            ),
            (
                r#"{"runs": [{"tool": {"driver": {"name": "assay"}}, "results": [{}]}]}"#,
                "told",
            ),
        ] {
            let error = Baseline::read("b", text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

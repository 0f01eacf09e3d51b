//! Findings: what a report has against a component, one by one, so that each can be told from those
//! of a former report.

use super::{Component, Reason, Report};
use crate::ask::{File, Place, Unidentified};
use assay_policy::rules::{Outcome, Severity};
use assay_policy::verdict::Cause;
use assay_tlog::Hash;

/// The rule and the cause of what could not be identified: the policy has no rule for it.
pub const UNIDENTIFIED: &str = "unidentified";

/// One thing that is to be said of one component: by one rule, and of one vulnerability if it is
/// about vulnerabilities.
#[derive(Debug)]
pub struct Finding<'a> {
    /// What the component is called, or the entry that could not be identified.
    pub title: String,
    /// Where it stands.
    pub places: Vec<Place>,
    /// The rule.
    pub rule: &'a str,
    /// What kind of rule it is.
    pub cause: &'static str,
    /// What it alone makes of the outcome.
    pub outcome: Outcome,
    /// The vulnerability.
    pub vulnerability: Option<&'a str>,
    /// How severe that is, if anybody says it.
    pub severity: Option<Severity>,
    /// The reason in the report; nothing of what could not be identified.
    pub reason: Option<&'a Reason>,
    /// What else tells it from others.
    detail: String,
}

impl Report {
    /// All findings: the components in the order of [`Report::not_fine`], then what could not be
    /// identified.
    pub fn findings(&self) -> impl Iterator<Item = Finding<'_>> {
        let not_fine = self.not_fine().into_iter();
        let of_components = not_fine.flat_map(|component| {
            let reasons = component.against();
            reasons.flat_map(|reason| Finding::of_reason(component, reason))
        });
        let unidentified = self.unidentified();
        of_components.chain(unidentified.map(|(file, one)| self.of_unidentified(file, one)))
    }

    fn of_unidentified<'a>(&self, file: &'a File, one: &'a Unidentified) -> Finding<'a> {
        // `./x` is `x`. Files of one name in two folders are two.
        let name = file.name.trim_start_matches("./");
        Finding {
            title: one.what.clone(),
            places: vec![Place {
                file: file.name.as_str().into(),
                line: one.line,
            }],
            rule: UNIDENTIFIED,
            cause: UNIDENTIFIED,
            outcome: if self.stops_at_unknown {
                Outcome::Unknown
            } else {
                Outcome::Warn
            },
            vulnerability: None,
            severity: None,
            reason: None,
            detail: format!("{name}\n{}", one.reason),
        }
    }
}

impl<'a> Finding<'a> {
    /// The findings of a reason: one for each vulnerability that it is about.
    pub(super) fn of_reason(component: &Component, reason: &'a Reason) -> Vec<Self> {
        let one = |vulnerability: Option<&'a str>, severity| Finding {
            title: component.title(),
            places: component.places.clone(),
            rule: &reason.rule,
            cause: reason.cause.name(),
            outcome: reason.outcome,
            vulnerability,
            severity,
            reason: Some(reason),
            detail: detail(component),
        };
        if reason.vulnerabilities.is_empty() {
            return vec![one(None, None)];
        }
        let named = reason.vulnerabilities.iter();
        named
            .map(|named| one(Some(&named.id), named.severity))
            .collect()
    }

    /// What tells it from every other finding, the same in every report that has it, wherever its
    /// component then stands in the files: SHA-256, in hex, of component, rule and vulnerability.
    pub fn fingerprint(&self) -> String {
        let vulnerability = self.vulnerability.unwrap_or_default();
        let ignored = if self.is_ignored() { "ignored" } else { "" };
        let parts = [&self.title, self.rule, vulnerability, ignored, &self.detail];
        let mut text = String::from("assay finding v1\n");
        for part in parts {
            text.push_str(&format!("{}\n{part}\n", part.len()));
        }
        Hash::of(text.as_bytes()).to_hex()
    }

    /// Whether the policy ignores it.
    pub fn is_ignored(&self) -> bool {
        self.reason.is_some_and(|reason| reason.ignored.is_some())
    }

    /// Whether it is that a log did not answer as it has to, so that nothing is certain.
    pub(super) fn is_of_logs(&self) -> bool {
        let cause = self.reason.map(|reason| reason.cause);
        cause == Some(Cause::Logs)
    }
}

/// What tells components of one name apart, where that is not their package URL.
fn detail(component: &Component) -> String {
    if component.purl.is_some() {
        return String::new();
    }
    let digests = component.digests.iter();
    let digests = digests.map(|(algorithm, values)| format!("{algorithm}:{}", values.join(",")));
    digests.collect::<Vec<_>>().join(" ")
}

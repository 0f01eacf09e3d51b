//! A report of before, that a new one is held to.

use super::finding::Finding;
use assay_policy::rules::{Outcome, Severity};
use serde::Deserialize;
use serde_json::error::Category;
use std::collections::BTreeMap;

/// Longest report that is taken for a baseline, in bytes.
pub const BASELINE_BYTES: usize = 256 * 1024 * 1024;

/// The name of a finding's fingerprint in SARIF.
pub(super) const FINGERPRINT: &str = "assayFinding/v1";

/// The findings of a report of before.
#[derive(Debug)]
pub struct Baseline {
    /// What the reader calls it: its file.
    pub name: String,
    /// How bad each was, by its fingerprint.
    known: BTreeMap<String, Gravity>,
}

/// How bad a finding is. A severity that nobody states is worse than any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gravity {
    outcome: Outcome,
    severity: Option<Severity>,
}

impl Gravity {
    fn of(finding: &Finding<'_>) -> Self {
        Gravity {
            outcome: finding.outcome,
            severity: finding.severity,
        }
    }

    fn is_as_bad_as(self, other: Gravity) -> bool {
        let severe = match (self.severity, other.severity) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(this), Some(other)) => this >= other,
        };
        self.outcome >= other.outcome && severe
    }
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON, or has something else where a report has findings.
    #[error("{}", unreadable(.0))]
    Unreadable(#[from] serde_json::Error),
    /// It is no report.
    #[error("it is no report of `assay check`; write one with --output json or --output sarif")]
    NoReport,
    /// It is a report of another program.
    #[error(
        "it is a report of {0}, whose findings are not those of `assay check`; write one with \
         `assay check --output sarif`"
    )]
    OfAnother(String),
    /// A finding has no fingerprint.
    #[error("its findings cannot be told apart; write it again with this program")]
    NoFingerprint,
    /// A word that no report has.
    #[error("it has the unknown outcome or severity {0:?}; it may be of a newer program")]
    Word(String),
}

/// Why a report cannot be read, without the names that this program has for its parts.
fn unreadable(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Data => format!("at {place} it has what no report of `assay check` has there"),
        Category::Eof => format!("it ends in the middle, at {place}"),
        Category::Syntax | Category::Io => format!("it is not JSON: {place}"),
    }
}

#[derive(Deserialize)]
struct Former {
    findings: Option<Vec<FormerFinding>>,
    runs: Option<Vec<Run>>,
}

#[derive(Deserialize)]
struct FormerFinding {
    fingerprint: Option<String>,
    #[serde(flatten)]
    gravity: Words,
}

#[derive(Deserialize)]
struct Words {
    outcome: Option<String>,
    severity: Option<String>,
}

#[derive(Deserialize)]
struct Run {
    tool: Tool,
    results: Option<Vec<Outcomes>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Deserialize)]
struct Driver {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcomes {
    #[serde(default)]
    partial_fingerprints: BTreeMap<String, String>,
    baseline_state: Option<String>,
    properties: Option<Words>,
}

impl Baseline {
    /// Reads a report that `assay check` wrote, in JSON or SARIF, of at most [`BASELINE_BYTES`].
    /// `name` is what the reader calls it.
    ///
    /// # Errors
    ///
    /// Why it is none. Nothing of it is taken then.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, BaselineError> {
        let former: Former = serde_json::from_slice(bytes)?;
        let mut known = BTreeMap::new();
        match former {
            Former {
                findings: Some(findings),
                ..
            } => {
                for finding in findings {
                    take(&mut known, finding.fingerprint, &finding.gravity)?;
                }
            }
            Former {
                runs: Some(runs), ..
            } => {
                for run in runs {
                    take_run(&mut known, run)?;
                }
            }
            _ => return Err(BaselineError::NoReport),
        }
        Ok(Baseline {
            name: name.to_owned(),
            known,
        })
    }

    /// Whether it has a finding, at least as bad.
    pub(super) fn has(&self, finding: &Finding<'_>) -> bool {
        let known = self.known.get(&finding.fingerprint());
        known.is_some_and(|known| known.is_as_bad_as(Gravity::of(finding)))
    }
}

fn take_run(known: &mut BTreeMap<String, Gravity>, run: Run) -> Result<(), BaselineError> {
    let by = run.tool.driver.name;
    if by != "assay" {
        return Err(BaselineError::OfAnother(crate::plain(&by)));
    }
    for mut result in run.results.unwrap_or_default() {
        // It was gone already.
        if result.baseline_state.as_deref() == Some("absent") {
            continue;
        }
        let words = result.properties.ok_or(BaselineError::NoFingerprint)?;
        take(
            known,
            result.partial_fingerprints.remove(FINGERPRINT),
            &words,
        )?;
    }
    Ok(())
}

fn take(
    known: &mut BTreeMap<String, Gravity>,
    fingerprint: Option<String>,
    words: &Words,
) -> Result<(), BaselineError> {
    let fingerprint = fingerprint.ok_or(BaselineError::NoFingerprint)?;
    let outcome = words
        .outcome
        .as_deref()
        .ok_or(BaselineError::NoFingerprint)?;
    let unknown = |word: &str| BaselineError::Word(word.to_owned());
    let outcome = Outcome::of_name(outcome).ok_or_else(|| unknown(outcome))?;
    let severity = match words.severity.as_deref() {
        None => None,
        Some(word) => {
            let named = Severity::of_word(word).filter(|severity| severity.name() == word);
            Some(named.ok_or_else(|| unknown(word))?)
        }
    };
    known.insert(fingerprint, Gravity { outcome, severity });
    Ok(())
}

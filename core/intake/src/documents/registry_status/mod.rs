//! What registries mark releases and projects as: what npm and PyPI answer about a package.
//!
//! Each release, and each project, that is marked becomes a claim, with the reason in the words of
//! whoever gave it. What is not marked becomes none: that says nothing.

pub(super) mod npm;
pub(super) mod pypi;

use super::document::Document;
use super::draft::{Draft, Prepared};
use super::ecosystem;
use super::error::DocumentError;
use super::subjects::Subjects;
use assay_claims::json::Value;
use assay_claims::kind::node::Node;
use assay_claims::kind::registry_status::RegistryStatus;
use assay_claims::kind::{Kind, PredicateError};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;

/// Most marks of a document: each becomes a claim. Packages that are released daily have some
/// thousands of releases.
const MARKS: usize = 10_000;

/// Most bytes of a reason. What is longer is cut, and says so with an ellipsis.
const REASON_BYTES: usize = 4096;

/// What is marked.
struct Mark {
    subjects: Vec<Subject>,
    status: String,
    reason: Option<String>,
}

/// The package, or a release of it, that a registry calls so: `node` is where its name stands.
fn package(
    registry: &str,
    node: &Node<'_, '_>,
    version: Option<&str>,
) -> Result<Purl, PredicateError> {
    let purl = ecosystem::purl(registry, node.text()?, version);
    // A name that a purl reads as two, or a version that it drops, is of another package.
    let purl = purl.filter(|purl| purl.version().is_some() == version.is_some());
    purl.ok_or_else(|| node.fault(format!("and a version make no package URL of {registry}")))
}

/// Whether something is marked, and why. Registries mark with `true` or with a reason; an empty one
/// takes the mark back.
fn marked<'v>(node: Option<Node<'v, '_>>) -> Result<Option<&'v str>, PredicateError> {
    let Some(node) = node else {
        return Ok(None);
    };
    match (node.value().as_bool(), node.value().as_str()) {
        (Some(is), _) => Ok(is.then_some("")),
        (None, Some(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        (None, None) => Err(node.fault("is neither a text nor true or false")),
    }
}

/// A reason as a claim may have it: without control characters, and not endless.
fn reason(text: &str) -> Option<String> {
    let mut reason = String::new();
    for c in text.trim().chars() {
        let is_odd = c.is_control() && !"\n\t".contains(c);
        let c = if is_odd {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        };
        if reason.len() + c.len_utf8() > REASON_BYTES {
            reason.push('…');
            break;
        }
        reason.push(c);
    }
    (!reason.is_empty()).then_some(reason)
}

/// A claim for each mark. Only a document in which nothing is marked is not taken; what does not
/// fit is an error, so that nobody takes it for one of these.
fn claims(document: &Document, marks: Vec<Mark>) -> Result<Vec<Prepared>, DocumentError> {
    if marks.len() > MARKS {
        let reason = format!("marks more than {MARKS} releases; publish it in parts");
        return Err(Node::root("$", &Value::Null).fault(reason).into());
    }
    if marks.is_empty() {
        let nothing = "nothing is marked in this document, so that there is nothing to claim";
        return Err(DocumentError::NotTaken(nothing.to_owned()));
    }
    let mut claims = Vec::with_capacity(marks.len());
    for mark in marks {
        let said = RegistryStatus {
            status: mark.status,
            reason: mark.reason,
        };
        let mut summary = vec![("marked as".to_owned(), said.status.clone())];
        summary.extend(
            said.reason
                .iter()
                .map(|why| ("reason".to_owned(), why.clone())),
        );
        let subjects = Subjects {
            list: mark.subjects,
            notes: Vec::new(),
        };
        let draft = Draft::new(Kind::RegistryStatus, said.to_value(), subjects, summary);
        let claim = document.inline_or_referenced(draft, "application/json");
        let claim = claim.map_err(|e| Node::root("$", &Value::Null).fault(e.to_string()))?;
        claims.push(claim);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::super::{Prepared, prepare};
    use super::*;

    /// Of each claim: what it is about, and what it says.
    pub(super) fn said(text: &str) -> Vec<String> {
        let claims = prepare("registry-status", "a.json", text.as_bytes(), "").unwrap();
        claims.iter().map(line).collect()
    }

    fn line(claim: &Prepared) -> String {
        let about = claim.subjects.iter().map(|subject| {
            let file = subject.digest("sha256").and(subject.name());
            let file = file.map_or(String::new(), |file| format!("#{file}"));
            format!("{}{file}", subject.uri().unwrap_or("-"))
        });
        let about: Vec<String> = about.collect();
        format!("{} {}", about.join(" "), claim.predicate.to_json())
    }

    /// Why nothing is claimed.
    pub(super) fn refusal(text: &str) -> String {
        let refused = prepare("registry-status", "a.json", text.as_bytes(), "");
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_reason_is_text_and_bounded() {
        assert_eq!(
            reason(" a\u{1b}[2J\nb\t "),
            Some("a\u{fffd}[2J\nb".to_owned())
        );
        assert_eq!(reason("\n "), None);
        let long = reason(&"é".repeat(REASON_BYTES)).unwrap();
        assert!(
            long.len() <= REASON_BYTES + 3 && long.ends_with("é…"),
            "{long}"
        );
    }

    #[test]
    fn a_document_that_marks_too_much_is_refused() {
        let document = |count: usize| {
            let versions = (0..count).map(|n| format!(r#""1.0.{n}":{{"deprecated":"x"}}"#));
            let versions: Vec<String> = versions.collect();
            format!(r#"{{"name":"a","versions":{{{}}}}}"#, versions.join(","))
        };
        assert_eq!(said(&document(MARKS)).len(), MARKS);
        assert!(refusal(&document(MARKS + 1)).contains("more than 10000"));
    }
}

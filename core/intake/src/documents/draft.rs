//! What becomes of a document: a draft, and then a claim short of its signature.

use super::error::DocumentError;
use super::subjects::Subjects;
use crate::text::shown;
use assay_claims::index::{DIGESTS, PackageNames};
use assay_claims::json::Value;
use assay_claims::kind::node::quoted;
use assay_claims::kind::{self, Kind};
use assay_claims::limits;
use assay_claims::statement::{Statement, Subject};
use assay_claims::vulnerability::canonical;
use assay_tlog::Hash;
use bytes::Bytes;

/// Most bytes of predicate and suggested subjects together, as compact JSON. It leaves 4 KiB of the
/// payload to the statement's frame and to subjects that the caller adds.
pub const INLINE_BYTES: usize = limits::PAYLOAD_BYTES - 4 * 1024;

/// Most lines of a summary: people read it.
const SUMMARY_LINES: usize = 40;

/// A claim that a document can become, short of its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The predicate's type URI.
    pub predicate_type: String,
    /// The predicate. It passes [`kind::check`] for that type.
    pub predicate: Value,
    /// What the document says that it is about; may be empty, and then the caller must say.
    pub subjects: Vec<Subject>,
    /// What the claim will say, for people: labels and values in a sensible order. A label may come
    /// more than once.
    pub summary: Vec<(String, String)>,
    /// The document itself, if the predicate names it and it has to be stored beside the log.
    pub attachment: Option<Attachment>,
    /// Whether it is of another kind than was asked for, and says itself what it is about: what a
    /// BOM says of vulnerabilities is of its components.
    pub is_beside: bool,
}

/// Bytes to be stored beside the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The document, verbatim.
    pub bytes: Bytes,
    /// Its file name, without folders.
    pub name: String,
    /// Its media type.
    pub media_type: String,
}

/// What a claim will say, for people: labels and values in a sensible order. A label may come more
/// than once.
pub(super) type Summary = Vec<(String, String)>;

/// What a format made of a document, before it is known whether that fits a claim.
pub struct Draft {
    /// The type URI.
    pub predicate_type: String,
    /// The predicate, whole.
    pub predicate: Value,
    /// What the document says that it is about.
    pub subjects: Subjects,
    /// Label and value pairs for people.
    pub summary: Vec<(String, String)>,
}

impl Draft {
    /// A draft of a kind's preferred type. A kind that is not read has none.
    pub fn new(kind: Kind, predicate: Value, subjects: Subjects, summary: Summary) -> Self {
        Draft {
            predicate_type: kind.uri().unwrap_or_default().to_owned(),
            predicate,
            subjects,
            summary,
        }
    }

    /// Leaves the suggestions out if they alone would take half of the room: then the caller has to
    /// choose.
    pub fn bound_subjects(&mut self) {
        if self.subjects.bytes() > INLINE_BYTES / 2 || self.subjects.list.len() > limits::SUBJECTS {
            let note = "the document names too many subjects to suggest them".to_owned();
            self.subjects.list.clear();
            self.subjects.notes.push(note);
        }
    }

    /// Whether a statement has room for it, in bytes and in depth: the predicate is one level down
    /// there.
    pub(super) fn fits(&self) -> bool {
        fits(&self.predicate, &self.subjects)
    }

    pub(super) fn prepared(self, attachment: Option<Attachment>) -> Prepared {
        let notes = self
            .subjects
            .notes
            .into_iter()
            .map(|note| ("note".to_owned(), note));
        let summary = self.summary.into_iter().chain(notes).take(SUMMARY_LINES);
        let summary = summary
            .map(|(label, value)| (shown(&label), shown(&value)))
            .collect();
        let (predicate_type, predicate, subjects) =
            (self.predicate_type, self.predicate, self.subjects.list);
        Prepared {
            predicate_type,
            predicate,
            subjects,
            summary,
            attachment,
            is_beside: false,
        }
    }
}

/// Whether a statement has room for a predicate and its subjects.
pub(super) fn fits(predicate: &Value, subjects: &Subjects) -> bool {
    predicate.to_json().len() + subjects.bytes() <= INLINE_BYTES
        && depth(predicate) < limits::JSON_DEPTH
}

impl Subjects {
    /// Bytes that they take in a statement, as compact JSON.
    fn bytes(&self) -> usize {
        self.list
            .iter()
            .map(|subject| subject.to_value().to_json().len() + 1)
            .sum()
    }
}

impl Prepared {
    /// Makes sure that a statement can be made of it: [`Statement::new`] takes its subjects and its
    /// predicate; and that it is found under the vulnerabilities that it names: the index tells
    /// spellings apart.
    pub fn check(self) -> Result<Self, DocumentError> {
        let any = [Subject::artifact(None, &Hash::of(b""))];
        let subjects = match self.subjects.as_slice() {
            [] => &any,
            subjects => subjects,
        };
        let reason = match Statement::check(subjects, &self.predicate_type, &self.predicate) {
            Ok(()) => match kind::check(&self.predicate_type, &self.predicate) {
                Ok(()) => match self.odd_spelling() {
                    Some(reason) => reason,
                    None => return Ok(self),
                },
                Err(e) => e.to_string(),
            },
            Err(e) => e.to_string(),
        };
        Err(DocumentError::Content {
            path: "$".into(),
            reason: format!("would make no valid claim: {reason}"),
        })
    }

    /// Adds a note if it is about something that logs find under no name: whoever has that alone
    /// would never hear of it.
    pub(super) fn note_unfound(&mut self) {
        let Some(unfound) = self.subjects.iter().find(|subject| !is_found(subject)) else {
            return;
        };
        let Some((algorithm, value)) = unfound.digests().first() else {
            return;
        };
        let kinds = DIGESTS.map(|(algorithm, _)| algorithm).join(", ");
        let note = format!(
            "nobody who looks for {algorithm}:{value} finds this: logs find what has a digest of \
             {kinds}, or a purl; name one of these, too"
        );
        self.summary.push(("note".to_owned(), shown(&note)));
    }

    /// Why nobody would find it under a vulnerability that it names, if that is so.
    fn odd_spelling(&self) -> Option<String> {
        let ids = kind::vulnerability_ids(&self.predicate_type, &self.predicate);
        ids.into_iter().find_map(|id| {
            let canonical = canonical(id).filter(|canonical| canonical != id)?;
            Some(format!(
                "it names {}, and nobody who looks for {canonical} would find that: write \
                 {canonical}",
                quoted(id)
            ))
        })
    }
}

/// Whether the index has a name of a subject.
fn is_found(subject: &Subject) -> bool {
    let mut digests = subject.digests().iter();
    digests.any(|(algorithm, _)| DIGESTS.iter().any(|(known, _)| known == algorithm))
        || subject
            .uri()
            .is_some_and(|uri| PackageNames::of(uri).is_some())
}

/// Nested arrays and objects.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => {
            1 + members
                .iter()
                .map(|(_, value)| depth(value))
                .max()
                .unwrap_or(0)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use crate::documents::{Prepared, prepare, prepare_about};
    use assay_claims::statement::Subject;

    fn vex(product: &str) -> Vec<u8> {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://v.example/1","author":"a",
            "timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{{
            "vulnerability":{{"name":"CVE-2026-1"}},"products":[{product}],"status":"fixed"}}]}}"#
        )
        .into_bytes()
    }

    fn notes(claims: &[Prepared]) -> Vec<&str> {
        let all = claims.iter().flat_map(|claim| &claim.summary);
        let notes = all.filter(|(_, value)| value.starts_with("nobody who looks for"));
        notes.map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn what_logs_find_under_no_name_is_noted() {
        let (short, long) = ("a1".repeat(20), "a1".repeat(48));
        let (found, sha256) = ("a1".repeat(64), "a1".repeat(32));
        for (product, is_noted) in [
            (
                format!(r#"{{"@id":"x","hashes":{{"sha1":"{short}"}}}}"#),
                true,
            ),
            (
                format!(r#"{{"@id":"x","hashes":{{"sha-384":"{long}"}}}}"#),
                true,
            ),
            (
                format!(r#"{{"@id":"x","hashes":{{"sha-512":"{found}"}}}}"#),
                false,
            ),
            (
                format!(r#"{{"@id":"x","hashes":{{"sha1":"{short}","sha-256":"{sha256}"}}}}"#),
                false,
            ),
            (
                format!(r#"{{"@id":"pkg:npm/a@1","hashes":{{"sha1":"{short}"}}}}"#),
                false,
            ),
        ] {
            let claims = prepare("vex", "x.json", &vex(&product), "").unwrap();
            assert_eq!(notes(&claims).len(), usize::from(is_noted), "{product}");
        }
        let claims = prepare(
            "vex",
            "x.json",
            &vex(&format!(r#"{{"@id":"x","hashes":{{"sha1":"{short}"}}}}"#)),
            "",
        );
        let expected = format!(
            "nobody who looks for sha1:{short} finds this: logs find what has a digest of sha256, \
             sha512, gitCommit, or a purl; name one of these, too"
        );
        assert_eq!(notes(&claims.unwrap()), [expected]);
    }

    #[test]
    fn what_the_caller_says_counts_instead() {
        let sbom = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}"#;
        let of = |algorithm: &str, hex: String| {
            let digests = vec![(algorithm.to_owned(), hex)];
            let subject = Subject::of_parts(Some("x".to_owned()), None, digests);
            prepare_about("sbom", "x.json", sbom, &[subject], "").unwrap()
        };
        assert_eq!(notes(&of("md5", "a1".repeat(16))).len(), 1);
        assert!(notes(&of("sha256", "a1".repeat(32))).is_empty());
    }
}

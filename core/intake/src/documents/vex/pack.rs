//! Statements, as many as fit a claim.

use super::super::document::Document;
use super::super::draft::{Draft, INLINE_BYTES, Prepared, Summary};
use super::super::error::DocumentError;
use super::super::subjects::Subjects;
use assay_claims::json::Value;

/// Most claims of one document.
const CLAIMS: usize = 1000;

/// Most subjects of one claim: each has labels of its own in the index.
const SUBJECTS: usize = 100;

/// Most statements of one claim: each names a vulnerability.
const STATEMENTS: usize = 200;

/// A statement as a claim has it, and what it is about.
pub(in super::super) struct Piece {
    pub statement: Value,
    pub subjects: Subjects,
}

/// What every claim of a document has besides its statements.
pub(in super::super) struct Frame {
    pub predicate_type: String,
    /// The members of the predicate but for `statements`.
    pub members: Vec<(String, Value)>,
    pub summary: Summary,
    pub media_type: String,
    pub notes: Vec<String>,
}

/// The claims of a document's statements, as few as hold them all.
pub(in super::super) fn pack(
    document: &Document,
    frame: Frame,
    pieces: Vec<Piece>,
) -> Result<Vec<Prepared>, DocumentError> {
    // Most documents are small, and their statements go into one claim.
    let budget = INLINE_BYTES.saturating_sub(frame.bytes());
    let mut open = Open::default();
    let mut full: Vec<Open> = Vec::new();
    for piece in pieces {
        let bytes = piece.statement.to_json().len() + 1;
        if !open.takes(bytes, &piece.subjects, budget) {
            full.push(std::mem::take(&mut open));
        }
        open.add(piece.statement, bytes, piece.subjects);
    }
    full.push(open);
    if full.len() > CLAIMS {
        return Err(DocumentError::NotTaken(format!(
            "it would be more than {CLAIMS} claims; publish it in parts"
        )));
    }
    let (count, mut claims) = (full.len(), Vec::new());
    for (at, mut open) in full.into_iter().enumerate() {
        let mut members = frame.members.clone();
        members.push(("statements".into(), Value::Array(open.statements)));
        let mut summary = frame.summary.clone();
        if count > 1 {
            summary.push(("part".into(), format!("{} of {count}", at + 1)));
        }
        if at == 0 {
            open.subjects.notes.extend(frame.notes.iter().cloned());
        }
        open.subjects.notes.sort();
        open.subjects.notes.dedup();
        let draft = Draft {
            predicate_type: frame.predicate_type.clone(),
            predicate: Value::Object(members),
            subjects: open.subjects,
            summary,
        };
        claims.push(document.attached_or_referenced(draft, &frame.media_type)?);
    }
    Ok(claims)
}

impl Frame {
    /// Bytes that a claim takes without its statements, with the attachment's descriptor.
    fn bytes(&self) -> usize {
        const DESCRIPTOR: usize = 1024;
        Value::Object(self.members.clone()).to_json().len() + DESCRIPTOR
    }
}

/// A claim that is being filled.
#[derive(Default)]
struct Open {
    statements: Vec<Value>,
    bytes: usize,
    subjects: Subjects,
}

impl Open {
    fn takes(&self, bytes: usize, subjects: &Subjects, budget: usize) -> bool {
        let more = subjects.list.iter();
        let more = more.filter(|subject| !self.subjects.list.contains(subject));
        let (mut count, mut subject_bytes) = (self.subjects.list.len(), 0);
        for subject in more {
            count += 1;
            subject_bytes += subject.to_value().to_json().len() + 1;
        }
        let fits = self.bytes + bytes + subject_bytes <= budget;
        self.statements.is_empty()
            || (fits && count <= SUBJECTS && self.statements.len() < STATEMENTS)
    }

    fn add(&mut self, statement: Value, bytes: usize, subjects: Subjects) {
        self.statements.push(statement);
        self.bytes += bytes;
        for subject in subjects.list {
            if !self.subjects.list.contains(&subject) {
                self.bytes += subject.to_value().to_json().len() + 1;
                self.subjects.list.push(subject);
            }
        }
        self.subjects.notes.extend(subjects.notes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a frame that leaves no room, each statement is a claim.
    #[test]
    fn a_document_becomes_no_more_claims_than_are_made() {
        let document = Document::new("x", b" ").unwrap();
        let packed = |count: usize| {
            let frame = Frame {
                predicate_type: "t".to_owned(),
                members: vec![("m".to_owned(), "x".repeat(INLINE_BYTES - 1024).into())],
                summary: vec![],
                media_type: "m".to_owned(),
                notes: vec![],
            };
            let piece = |_| Piece {
                statement: "s".into(),
                subjects: Subjects::default(),
            };
            pack(&document, frame, (0..count).map(piece).collect())
        };
        assert_eq!(packed(3).unwrap().len(), 3);
        let error = packed(CLAIMS + 1).unwrap_err().to_string();
        assert!(error.contains("more than 1000 claims"), "{error}");
    }
}

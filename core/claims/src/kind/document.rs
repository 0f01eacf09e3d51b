//! A document as it came from a tool: how it is read, and where it goes in a claim. It goes into
//! the predicate if it is small, else beside it as an attachment that the predicate names by
//! SHA-256.

use super::{PredicateError, node::quoted, reference, subject::Subjects};
use crate::json::{self, Value};
use crate::limits;
use crate::statement::{Statement, Subject};
use assay_tlog::Hash;
use base64::Engine;
use bytes::Bytes;

/// Most bytes of predicate and suggested subjects together, as compact JSON. It leaves 4 KiB of the
/// payload to the statement's frame and to subjects that the caller adds.
pub const INLINE_BYTES: usize = limits::PAYLOAD_BYTES - 4 * 1024;

/// Most lines of a summary, and most characters of a value in it: people read it.
const SUMMARY_LINES: usize = 40;
const SHOWN_CHARACTERS: usize = 300;

/// Why a document that does not fit is referenced, for people.
pub const TOO_LARGE: &str =
    "too large for a claim: it becomes an attachment that the claim references";

/// Most bytes of an attachment's name: what file systems take.
const NAME_BYTES: usize = 255;

/// Why a document cannot be made into a claim. Each says where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are not JSON (or not as strict as JSON is).
    #[error("line {line}, column {column} ({path}): {reason}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// JSON path of what was being read.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// It is JSON, but not what its format asks for.
    #[error("{path}: {reason}")]
    Content {
        /// JSON path, `$` being the whole document.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// A line of a text format is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The document as a whole is of a format that is not taken here. It says what is.
    #[error("{0}")]
    NotTaken(String),
    /// More than [`limits::DOCUMENT_BYTES`].
    #[error("the document has {0} bytes; at most {max} are read", max = limits::DOCUMENT_BYTES)]
    TooLarge(usize),
}

impl DocumentError {
    /// Where in the document the error is: a line and column, a line, or a JSON path.
    pub fn place(&self) -> String {
        match self {
            DocumentError::Syntax { line, column, .. } => format!("line {line}, column {column}"),
            DocumentError::Line { line, .. } => format!("line {line}"),
            DocumentError::Content { path, .. } => path.clone(),
            DocumentError::NotTaken(_) | DocumentError::TooLarge(_) => "$".into(),
        }
    }
}

impl From<PredicateError> for DocumentError {
    fn from(e: PredicateError) -> Self {
        DocumentError::Content {
            path: e.path,
            reason: e.reason,
        }
    }
}

/// A claim that a document can become, short of its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The predicate's type URI.
    pub predicate_type: String,
    /// The predicate. It passes [`super::check`] for that type.
    pub predicate: Value,
    /// What the document says that it is about; may be empty, and then the caller must say.
    pub subjects: Vec<Subject>,
    /// What the claim will say, for people: labels and values in a sensible order. A label may come
    /// more than once.
    pub summary: Vec<(String, String)>,
    /// The document itself, if the predicate names it and it has to be stored beside the log.
    pub attachment: Option<Attachment>,
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

/// The document and its name. Formats take it apart, and say in the end where it goes.
pub struct Document {
    bytes: Bytes,
    name: String,
}

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

impl Document {
    /// Takes a document that is not too large and not compressed.
    pub fn new(file_name: &str, bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > limits::DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge(bytes.len()));
        }
        if let Some(format) = compression(bytes) {
            let advice =
                "nothing compressed is expanded here; decompress it and publish the result";
            return Err(DocumentError::NotTaken(format!(
                "the document is compressed ({format}): {advice}"
            )));
        }
        Ok(Document {
            bytes: Bytes::copy_from_slice(bytes),
            name: attachment_name(file_name),
        })
    }

    /// The bytes, verbatim.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes without a byte order mark.
    pub fn body(&self) -> &[u8] {
        self.bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.bytes)
    }

    /// The document as JSON.
    pub fn json(&self) -> Result<Value, DocumentError> {
        if self.body().trim_ascii_start().first() == Some(&b'<') {
            return Err(DocumentError::NotTaken(
                "the document looks like XML; export it as JSON".into(),
            ));
        }
        parse(self.body())
    }

    /// The ResourceDescriptor that names the document.
    pub fn descriptor(&self, media_type: &str) -> Value {
        object([
            ("name", Some(self.name.as_str().into())),
            (
                "digest",
                Some(object([(
                    "sha256",
                    Some(Hash::of(&self.bytes).to_hex().into()),
                )])),
            ),
            ("mediaType", Some(media_type.into())),
            (
                "annotations",
                Some(object([("size", Some((self.bytes.len() as u64).into()))])),
            ),
        ])
    }

    fn attachment(&self, media_type: &str) -> Attachment {
        Attachment {
            bytes: self.bytes.clone(),
            name: self.name.clone(),
            media_type: media_type.into(),
        }
    }

    /// The claim with the draft's predicate, if it fits, and else the draft: the document is in it,
    /// or does not matter.
    pub fn inline(&self, draft: Draft) -> Result<Prepared, Box<Draft>> {
        if !draft.fits() {
            return Err(Box::new(draft));
        }
        Ok(draft.prepared(None))
    }

    /// The claim with the draft's predicate, in which `attachments` names the document, if it fits,
    /// and else the draft.
    pub fn attached(&self, mut draft: Draft, media_type: &str) -> Result<Prepared, Box<Draft>> {
        match &mut draft.predicate {
            Value::Object(members) if members.iter().all(|(key, _)| key != "attachments") => {
                members.push((
                    "attachments".into(),
                    Value::Array(vec![self.descriptor(media_type)]),
                ));
            }
            _ => return Err(Box::new(draft)),
        }
        if !draft.fits() {
            return Err(Box::new(draft));
        }
        Ok(draft.prepared(Some(self.attachment(media_type))))
    }

    /// The claim that only references the document. `why` says so to people.
    pub fn referenced(
        &self,
        mut draft: Draft,
        media_type: &str,
        why: &str,
    ) -> Result<Prepared, DocumentError> {
        // The specification demands a location. RFC 6920 names bytes by their digest wherever they
        // are.
        let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(Hash::of(&self.bytes).as_bytes());
        let mut descriptor = self.descriptor(media_type);
        push(
            &mut descriptor,
            "downloadLocation",
            format!("ni:///sha-256;{digest}").into(),
        );
        draft.predicate = reference::predicate(vec![descriptor]);
        draft.predicate_type = reference::TYPE.uris[0].into();
        draft.summary.push(("note".into(), why.into()));
        if !draft.fits() {
            let reason = "the document names more subjects than a claim holds; publish it in parts";
            return Err(DocumentError::NotTaken(reason.into()));
        }
        Ok(draft.prepared(Some(self.attachment(media_type))))
    }

    /// The claim with the draft's predicate if that fits, else the one that references the
    /// document.
    pub fn inline_or_referenced(
        &self,
        draft: Draft,
        media_type: &str,
    ) -> Result<Prepared, DocumentError> {
        self.inline(draft)
            .or_else(|draft| self.referenced(*draft, media_type, TOO_LARGE))
    }
}

impl Draft {
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
    fn fits(&self) -> bool {
        self.predicate.to_json().len() + self.subjects.bytes() <= INLINE_BYTES
            && depth(&self.predicate) < limits::JSON_DEPTH
    }

    fn prepared(self, attachment: Option<Attachment>) -> Prepared {
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
        }
    }
}

impl Subjects {
    fn bytes(&self) -> usize {
        self.list
            .iter()
            .map(|subject| subject.to_value().to_json().len() + 1)
            .sum()
    }
}

impl Prepared {
    /// Makes sure that a statement can be made of it: [`Statement::new`] takes its subjects and its
    /// predicate.
    pub fn check(self) -> Result<Self, DocumentError> {
        let subjects = if self.subjects.is_empty() {
            vec![Subject::artifact(None, &Hash::of(b""))]
        } else {
            self.subjects.clone()
        };
        let reason = match Statement::new(subjects, &self.predicate_type, self.predicate.clone()) {
            Ok(_) => match super::check(&self.predicate_type, &self.predicate) {
                Ok(()) => return Ok(self),
                Err(e) => e.to_string(),
            },
            Err(e) => e.to_string(),
        };
        Err(DocumentError::Content {
            path: "$".into(),
            reason: format!("would make no valid claim: {reason}"),
        })
    }
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

/// A text from a document as it may stand on a terminal: no control characters, and not endless.
pub fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN_CHARACTERS)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

/// Parses JSON; errors say line and column.
pub fn parse(bytes: &[u8]) -> Result<Value, DocumentError> {
    json::parse(bytes).map_err(|e| DocumentError::Syntax {
        line: e.line,
        column: e.column,
        path: e.path,
        reason: e.reason,
    })
}

/// An object of those members that are there.
pub fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect(),
    )
}

/// Appends a member to an object.
pub fn push(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.push((key.to_owned(), value));
    }
}

/// How the bytes are compressed, if their first ones say that they are.
pub fn compression(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 5] = [
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| bytes.starts_with(magic))
        .map(|(_, name)| *name)
}

/// A file name without folders and control characters, never empty.
fn attachment_name(file_name: &str) -> String {
    let last = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name: String = last.chars().filter(|c| !c.is_control()).collect();
    while name.len() > NAME_BYTES {
        name.pop();
    }
    if name.is_empty() {
        "document".into()
    } else {
        name
    }
}

/// Says what the document looks like, for errors that send it elsewhere.
pub fn not_taken(kind: &str, wanted: &str, document: &Value) -> DocumentError {
    let seen = looks_like(document);
    DocumentError::NotTaken(format!("{kind} takes {wanted}; the document {seen}"))
}

fn looks_like(document: &Value) -> String {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let has = |key: &str| document.get(key).is_some();
    if text("/bomFormat").is_some() {
        "looks like CycloneDX: use `publish sbom`, which also takes CycloneDX VEX".into()
    } else if has("spdxVersion") || has("@graph") {
        "looks like SPDX: use `publish sbom`".into()
    } else if text("/document/csaf_version").is_some() {
        "looks like CSAF, which is not taken: convert it to OpenVEX for `publish vex`".into()
    } else if text("/@context").is_some_and(|context| context.starts_with("https://openvex.dev/ns"))
    {
        "looks like OpenVEX: use `publish vex`".into()
    } else if has("runs") {
        "looks like SARIF: use `publish scan`".into()
    } else if has("scorecard") {
        "looks like a Scorecard result: use `publish scorecard`".into()
    } else if has("_type") || has("payloadType") || has("dsseEnvelope") {
        "looks like an in-toto statement or envelope: use `publish provenance` or `publish \
         statement`"
            .into()
    } else if has("$id") && has("properties") {
        "looks like a JSON schema".into()
    } else {
        match document {
            Value::Object(members) if members.is_empty() => "is an empty object".into(),
            Value::Object(members) => {
                let keys: Vec<_> = members.iter().take(4).map(|(key, _)| quoted(key)).collect();
                format!("has {}", keys.join(", "))
            }
            Value::Array(_) => "is an array".into(),
            _ => "is neither an object nor an array".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_documents_are_not_expanded() {
        for bytes in [
            &b"\x1f\x8b\x08\x00"[..],
            b"BZh91AY",
            b"\xfd7zXZ\x00\x00",
            b"\x28\xb5\x2f\xfd0",
            b"PK\x03\x04",
        ] {
            let error = Document::new("x.json.gz", bytes).err().unwrap();
            assert!(error.to_string().contains("decompress it"), "{error}");
        }
    }

    #[test]
    fn names_lose_folders_and_control_characters() {
        assert_eq!(attachment_name("/some/a\\b/c\u{7}.json"), "c.json");
        assert_eq!(attachment_name("dir/"), "document");
        assert!(attachment_name(&"é".repeat(300)).len() <= NAME_BYTES);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_json_but_of_the_attachment() {
        let document = Document::new("x", b"\xef\xbb\xbf{}").unwrap();
        assert_eq!(document.json().unwrap(), Value::Object(vec![]));
        assert_eq!(document.attachment("m").bytes.len(), 5);
    }

    #[test]
    fn what_is_too_deep_for_a_statement_is_referenced() {
        let document = Document::new("x", b" ").unwrap();
        let nested = |depth| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        for (depth, predicate_type) in [
            (limits::JSON_DEPTH - 1, "t"),
            (limits::JSON_DEPTH, reference::TYPE.uris[0]),
        ] {
            let (subjects, summary) = (
                Subjects::default(),
                vec![("a\u{1b}".into(), "x".repeat(400))],
            );
            let draft = Draft {
                predicate_type: "t".into(),
                predicate: nested(depth),
                subjects,
                summary,
            };
            let prepared = document.inline_or_referenced(draft, "m").unwrap();
            assert_eq!(prepared.predicate_type, predicate_type);
            assert_eq!(
                prepared.summary[0],
                ("a\u{fffd}".into(), "x".repeat(300) + "…")
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_referenced() {
        let document = Document::new("x", &[b' '; 10]).unwrap();
        let draft = |bytes: usize| Draft {
            predicate_type: "t".into(),
            predicate: object([("p", Some("x".repeat(bytes - 8).into()))]),
            subjects: Subjects::default(),
            summary: vec![],
        };
        let small = document
            .inline_or_referenced(draft(INLINE_BYTES), "m")
            .unwrap();
        assert_eq!(
            (small.predicate_type.as_str(), small.attachment),
            ("t", None)
        );
        let large = document
            .inline_or_referenced(draft(INLINE_BYTES + 1), "m")
            .unwrap();
        assert_eq!(large.predicate_type, reference::TYPE.uris[0]);
        assert_eq!(large.attachment.unwrap().bytes.len(), 10);
        super::super::check(reference::TYPE.uris[0], &large.predicate).unwrap();
    }
}

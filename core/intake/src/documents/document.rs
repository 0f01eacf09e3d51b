//! A document as it came from a tool: how it is read, and where it goes in a claim. It goes into
//! the predicate if it is small, else beside it as an attachment that the predicate names by
//! SHA-256.

use super::draft::{Attachment, Draft, Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use crate::limits::DOCUMENT_BYTES;
use crate::text::{compression, utf_16};
use assay_claims::json::{self, Value, object};
use assay_claims::kind::{Kind, reference};
use assay_tlog::Hash;
use base64::Engine;
use bytes::Bytes;

/// Why a document that does not fit is referenced, for people.
const TOO_LARGE: &str = "too large for a claim: it becomes an attachment that the claim references";

/// Most bytes of an attachment's name: what file systems take.
const NAME_BYTES: usize = 255;

/// The document and its name. Formats take it apart, and say in the end where it goes.
pub struct Document {
    bytes: Bytes,
    /// The same in UTF-8, if it is UTF-16, as PowerShell writes what is redirected into a file.
    text: Option<String>,
    name: String,
}

impl Document {
    /// Takes a document that is not too large and not compressed.
    pub fn new(file_name: &str, bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge(bytes.len()));
        }
        if let Some(format) = compression(bytes) {
            let advice =
                "nothing compressed is expanded here; decompress it and publish the result";
            return Err(DocumentError::NotTaken(format!(
                "the document is compressed ({format}): {advice}"
            )));
        }
        let text = utf_16(bytes);
        if text.is_none() && is_utf_16(bytes) {
            let advice = "the document looks like UTF-16, and is broken; write it again, in UTF-8 \
                          (in PowerShell `| Out-File -Encoding utf8`), and publish the result";
            return Err(DocumentError::NotTaken(advice.into()));
        }
        Ok(Document {
            bytes: Bytes::copy_from_slice(bytes),
            text,
            name: attachment_name(file_name),
        })
    }

    /// The bytes, verbatim.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes in UTF-8, without a byte order mark.
    pub fn body(&self) -> &[u8] {
        let bytes = self.text.as_ref().map_or(&*self.bytes, String::as_bytes);
        bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
    }

    /// The document as JSON.
    pub fn json(&self) -> Result<Value, DocumentError> {
        if self.body().trim_ascii_start().first() == Some(&b'<') {
            return Err(DocumentError::NotTaken(
                "the document looks like XML; export it as JSON: of CycloneDX, `cyclonedx convert \
                 --input-file FILE.xml --output-format json` writes it"
                    .into(),
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

    /// The claim about `subjects` that only references the document. `why` says so to people.
    pub fn referenced(
        &self,
        subjects: Subjects,
        summary: Summary,
        media_type: &str,
        why: &str,
    ) -> Result<Prepared, DocumentError> {
        self.referenced_with(subjects, summary, media_type, why, None)
    }

    /// As [`Document::referenced`], with another member of the predicate.
    pub fn referenced_with(
        &self,
        subjects: Subjects,
        mut summary: Summary,
        media_type: &str,
        why: &str,
        member: Option<(&str, Value)>,
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
        let mut predicate = reference::predicate(vec![descriptor]);
        if let Some((key, value)) = member {
            push(&mut predicate, key, value);
        }
        summary.push(("note".into(), why.into()));
        let draft = Draft::new(Kind::Reference, predicate, subjects, summary);
        if !draft.fits() {
            let reason = "the document names more subjects than a claim holds; publish it in parts";
            return Err(DocumentError::NotTaken(reason.into()));
        }
        Ok(draft.prepared(Some(self.attachment(media_type))))
    }

    /// The claim with the draft's predicate, in which `attachments` names the document, if that
    /// fits, else the one that references the document.
    pub fn attached_or_referenced(
        &self,
        draft: Draft,
        media_type: &str,
    ) -> Result<Prepared, DocumentError> {
        self.attached(draft, media_type)
            .or_else(|draft| self.referenced(draft.subjects, draft.summary, media_type, TOO_LARGE))
    }

    /// As [`Document::attached_or_referenced`], with another member of the predicate, whichever it
    /// is.
    pub fn attached_or_referenced_with(
        &self,
        mut draft: Draft,
        media_type: &str,
        (key, value): (&str, Value),
    ) -> Result<Prepared, DocumentError> {
        let attached = if draft.predicate.get(key).is_some() {
            Err(Box::new(draft))
        } else {
            push(&mut draft.predicate, key, value.clone());
            self.attached(draft, media_type)
        };
        attached.or_else(|draft| {
            let (subjects, summary, member) = (draft.subjects, draft.summary, Some((key, value)));
            self.referenced_with(subjects, summary, media_type, TOO_LARGE, member)
        })
    }

    /// The claim with the draft's predicate if that fits, else the one that references the
    /// document.
    pub fn inline_or_referenced(
        &self,
        draft: Draft,
        media_type: &str,
    ) -> Result<Prepared, DocumentError> {
        self.inline(draft)
            .or_else(|draft| self.referenced(draft.subjects, draft.summary, media_type, TOO_LARGE))
    }
}

/// Whether text is UTF-16, with a byte order mark or without: no JSON, YAML or TOML begins with a
/// character beyond ASCII, and none has NUL.
fn is_utf_16(bytes: &[u8]) -> bool {
    let marks = [&b"\xff\xfe"[..], b"\xfe\xff"];
    let is_marked = marks.into_iter().any(|mark| bytes.starts_with(mark));
    is_marked || matches!(bytes, [0, 1..=255, ..] | [1..=255, 0, ..])
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

/// Appends a member to an object.
pub fn push(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.push((key.to_owned(), value));
    }
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

#[cfg(test)]
mod tests {
    use super::super::draft::INLINE_BYTES;
    use super::*;
    use assay_claims::kind::check;

    const REFERENCE: &str = "https://in-toto.io/attestation/reference/v0.1";

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

    /// A text in UTF-16, with a byte order mark or without, big-endian or little-endian.
    fn in_utf_16(text: &str, mark: bool, big: bool) -> Vec<u8> {
        let units = mark
            .then_some(0xfeff)
            .into_iter()
            .chain(text.encode_utf16());
        let bytes = units.map(|unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        });
        bytes.flatten().collect()
    }

    #[test]
    fn utf_16_is_read_and_stays_as_it_is() {
        let object = json::parse(br#"{"a":"\u00e9"}"#).unwrap();
        for (mark, big) in [(true, true), (true, false), (false, true), (false, false)] {
            let mut bytes = in_utf_16(r#"{"a":"é"}"#, mark, big);
            let document = Document::new("x.json", &bytes).unwrap();
            assert_eq!(document.json().unwrap(), object, "{mark} {big}");
            assert_eq!(document.attachment("m").bytes, bytes);
            bytes.pop();
            let error = Document::new("x.json", &bytes).err().unwrap().to_string();
            assert!(
                error.contains("looks like UTF-16, and is broken"),
                "{error}"
            );
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
        for (depth, predicate_type) in [
            (assay_claims::limits::JSON_DEPTH - 1, "t"),
            (assay_claims::limits::JSON_DEPTH, REFERENCE),
        ] {
            let (subjects, summary) = (
                Subjects::default(),
                vec![("a\u{1b}".into(), "x".repeat(400))],
            );
            let draft = Draft {
                predicate_type: "t".into(),
                predicate: (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner])),
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
        assert_eq!(large.predicate_type, REFERENCE);
        assert_eq!(large.attachment.unwrap().bytes.len(), 10);
        check(REFERENCE, &large.predicate).unwrap();
    }

    #[test]
    fn a_reference_to_more_subjects_than_fit_is_refused() {
        let document = Document::new("x", b" ").unwrap();
        let referenced = |count: usize| {
            let mut subjects = Subjects::default();
            for at in 0..count {
                let name = format!("{at}{}", "x".repeat(INLINE_BYTES / 100));
                let digest = ("sha256".to_owned(), "0".repeat(64));
                subjects.suggest(Some(&name), None, vec![digest]);
            }
            document.referenced(subjects, vec![], "m", "w")
        };
        assert_eq!(referenced(50).unwrap().subjects.len(), 50);
        let error = referenced(100).unwrap_err().to_string();
        assert!(
            error.contains("more subjects than a claim holds"),
            "{error}"
        );
    }
}

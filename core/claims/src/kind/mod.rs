//! What claims say: the predicate types that Assay knows, and how documents of tools become claims.
//!
//! Each kind does two things. It *checks* a predicate of its type in a claim: strictly for what the
//! type's specification requires, and tolerant of fields that it does not know, as in-toto demands.
//! And it *prepares* a claim from a document of a tool: predicate, suggested subjects, a summary
//! for people, and the document itself as an attachment where the predicate names it. Predicates of
//! types that are not in [`TABLE`] are not looked into: they are logged as they are.
//!
//! Left out: fetching or expanding anything, verifying other people's signatures, and judging what
//! a document says.

pub mod audit;
mod body;
pub mod document;
pub mod endorsement;
mod in_toto;
pub mod issuer;
pub mod key_compromise;
pub mod lifecycle;
mod named;
pub mod node;
pub mod practice;
pub mod provenance;
pub mod reference;
pub mod requirement;
pub mod response;
pub mod sbom;
pub mod scan;
pub mod scorecard;
pub mod subject;
mod toml;
pub mod vex;
pub mod withdrawal;
mod yaml;

pub use body::{Body, Kind, TABLE, Unread, by_uri, check, check_statement, types};
pub use document::{Attachment, DocumentError, Prepared};
pub use named::{targets, vulnerabilities};

pub use crate::time::Timestamp;

use crate::json::Value;
use crate::statement::Statement;
use assay_tlog::Hash;
use document::Document;
use node::Node;

/// A predicate type that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PredicateType {
    /// Short name, for people.
    pub name: &'static str,
    /// Every type URI that it goes by, the preferred one first.
    pub uris: &'static [&'static str],
}

impl PredicateType {
    /// Its kind's name: `provenance` of `provenance (SLSA v1)`.
    pub fn short_name(&self) -> &'static str {
        self.name.split(" (").next().unwrap_or(self.name)
    }
}

/// Why a predicate is not what its type asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct PredicateError {
    /// JSON path in the statement, such as `$.predicate.scanner.uri`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// The documents beside the log that a predicate of any type may name.
fn check_attachments(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    let Some(attachments) = predicate.get("attachments") else {
        return Ok(());
    };
    for attachment in attachments.items()? {
        check_descriptor(&attachment)?;
        if sha256(attachment.value()).is_none() {
            return Err(attachment
                .fault("names an attachment without its SHA-256 in 64 lower-case hex digits"));
        }
    }
    Ok(())
}

/// A document beside the log that a claim names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRef {
    /// Its SHA-256.
    pub sha256: Hash,
    /// Its file name, if the claim gives one.
    pub name: Option<String>,
    /// Its media type, if the claim gives one.
    pub media_type: Option<String>,
    /// Its size in bytes, if the claim gives it.
    pub size: Option<u64>,
}

/// The documents that a statement's predicate names by SHA-256: in `attachments`, whatever its
/// type, and in the `references` of a reference. What is malformed is passed over.
pub fn attachments(statement: &Statement) -> Vec<AttachmentRef> {
    let (predicate_type, predicate) = (statement.predicate_type(), statement.predicate());
    let list = |key: &str| {
        predicate
            .get(key)
            .and_then(Value::as_array)
            .unwrap_or_default()
    };
    let references = if reference::TYPE.uris.contains(&predicate_type) {
        list("references")
    } else {
        &[]
    };
    list("attachments")
        .iter()
        .chain(references)
        .filter_map(attachment)
        .collect()
}

fn attachment(descriptor: &Value) -> Option<AttachmentRef> {
    let text = |key: &str| {
        descriptor
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Some(AttachmentRef {
        sha256: sha256(descriptor)?,
        name: text("name"),
        media_type: text("mediaType"),
        size: descriptor
            .pointer("/annotations/size")
            .and_then(Value::as_u64),
    })
}

fn sha256(descriptor: &Value) -> Option<Hash> {
    Hash::from_hex(descriptor.pointer("/digest/sha256")?.as_str()?)
}

/// A ResourceDescriptor names something by URI, digest or content (in-toto,
/// `spec/v1/resource_descriptor.md`).
fn check_descriptor(node: &Node<'_, '_>) -> Result<(), PredicateError> {
    node.object()?;
    if let Some(uri) = node.get("uri") {
        uri.text()?;
    }
    if let Some(digest) = node.get("digest") {
        check_digests(&digest)?;
    }
    if ["uri", "digest", "content"]
        .iter()
        .all(|key| node.get(key).is_none())
    {
        return Err(node.fault("has none of uri, digest and content"));
    }
    Ok(())
}

/// A DigestSet: algorithm to value, at least one. Those of the SHA families are lower-case hex of
/// the right length.
fn check_digests(node: &Node<'_, '_>) -> Result<(), PredicateError> {
    let mut any = false;
    for (algorithm, value) in node.members()? {
        any = true;
        let hex = value.text()?;
        let known = [
            "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384",
            "sha3_512",
        ];
        let good = subject::digest(algorithm, hex).is_some_and(|(_, lower)| lower == hex);
        if known.contains(&algorithm) && !good {
            return Err(value.fault(format!(
                "{} is no {algorithm} in lower-case hex",
                node::quoted(hex)
            )));
        }
    }
    if any {
        Ok(())
    } else {
        Err(node.fault("holds no digest"))
    }
}

/// The kinds of documents that [`prepare`] takes.
pub const KINDS: &[&str] = &[
    "scan",
    "sbom",
    "vex",
    "lifecycle",
    "provenance",
    "scorecard",
    "audit",
    "practice",
    "statement",
];

/// Makes claims of a document: usually one, and one for each statement in it where it holds
/// several.
///
/// `kind` is one of [`KINDS`]; `file_name` names the attachment, its folders being dropped; `now`
/// is an RFC 3339 time that stands where the document gives none and the predicate needs one. Every
/// predicate that is returned passes [`check`], makes a valid statement with the suggested
/// subjects, and takes with them at most 28 KiB as compact JSON.
pub fn prepare(
    kind: &str,
    file_name: &str,
    bytes: &[u8],
    now: &str,
) -> Result<Vec<Prepared>, DocumentError> {
    let document = Document::new(file_name, bytes)?;
    let claims = match kind {
        "scan" => scan::prepare(&document, now),
        "sbom" => sbom::prepare(&document),
        "vex" => vex::prepare(&document),
        "lifecycle" => lifecycle::prepare(&document, now),
        "provenance" => provenance::prepare(&document),
        "scorecard" => scorecard::prepare(&document),
        "audit" => audit::prepare(&document),
        "practice" => practice::prepare(&document),
        "statement" => in_toto::prepare(&document),
        _ => Err(DocumentError::NotTaken(format!(
            "{} is no kind; there are {}",
            node::quoted(kind),
            KINDS.join(", ")
        ))),
    }?;
    claims.into_iter().map(Prepared::check).collect()
}

#[cfg(test)]
mod tests {
    use super::endorsement::Endorsement;
    use super::key_compromise::KeyCompromise;
    use super::*;
    use crate::statement::Subject;

    const HEX: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn no_uri_stands_for_two_types() {
        let uris: Vec<_> = TABLE.iter().flat_map(|known| known.uris).collect();
        for (i, uri) in uris.iter().enumerate() {
            assert!(!uris[..i].contains(uri), "{uri}");
            assert!(
                check(uri, &Value::Object(vec![])).is_err(),
                "{uri} takes anything"
            );
            assert!(check(uri, &Value::Null).is_err(), "{uri} takes nothing");
        }
        check("https://example.org/unknown", &Value::Null).unwrap();
    }

    #[test]
    fn attachments_are_named_by_digest() {
        let named = |predicate_type: &str, predicate: &str| {
            let predicate = crate::json::parse(predicate.as_bytes()).unwrap();
            let subject = Subject::artifact(None, &Hash::of(b""));
            attachments(&Statement::new(vec![subject], predicate_type, predicate).unwrap())
        };
        let one = format!(
            r#"{{"name":"n","digest":{{"sha256":"{HEX}"}},"mediaType":"m","annotations":{{"size":7}}}}"#
        );
        let expected = AttachmentRef {
            sha256: Hash::from_hex(HEX).unwrap(),
            name: Some("n".into()),
            media_type: Some("m".into()),
            size: Some(7),
        };
        let reference = reference::TYPE.uris[0];
        assert_eq!(
            named(
                "https://e.org/x",
                &format!(r#"{{"attachments":[{one},{{"uri":"u"}},7]}}"#)
            ),
            std::slice::from_ref(&expected)
        );
        assert_eq!(
            named(reference, &format!(r#"{{"references":[{one}]}}"#)),
            [expected]
        );
        assert_eq!(
            named("https://e.org/x", &format!(r#"{{"references":[{one}]}}"#)),
            []
        );
    }

    #[test]
    fn endorsements_and_compromises_are_about_the_issuer_that_they_name() {
        let issuer = crate::issuer::IssuerId::from_hex(HEX).unwrap();
        let endorsement = Endorsement {
            issuer,
            role: "auditor".into(),
            scope: vec![crate::purl::Pattern::parse("pkg:cargo/*").unwrap()],
            may_delegate: 0,
            valid_from: None,
            valid_until: Timestamp::parse("2027-01-01T00:00:00Z").unwrap(),
        };
        let key = crate::claim::PublicKey::from(&crate::claim::SigningKey::from_bytes(&[1; 32]));
        let compromise = KeyCompromise {
            issuer,
            key,
            from_index: 0,
            reason: None,
        };
        for statement in [
            endorsement.statement().unwrap(),
            compromise.statement().unwrap(),
        ] {
            check_statement(&statement).unwrap();
            let elsewhere = vec![Subject::artifact(None, &Hash::of(b""))];
            let elsewhere = Statement::new(
                elsewhere,
                statement.predicate_type(),
                statement.predicate().clone(),
            );
            assert_eq!(
                check_statement(&elsewhere.unwrap()).unwrap_err().path,
                "$.subject"
            );
        }
    }

    #[test]
    fn a_reference_says_where_and_what() {
        let good = r#"{"attester":{"id":"a"},"references":[{"downloadLocation":"l","mediaType":"m","uri":"u"}]}"#;
        let outcome = |text: &str| {
            check(
                reference::TYPE.uris[0],
                &crate::json::parse(text.as_bytes()).unwrap(),
            )
        };
        outcome(good).unwrap();
        for (gone, path) in [
            (r#""id":"a""#, "$.predicate.attester.id"),
            (
                r#""downloadLocation":"l","#,
                "$.predicate.references[0].downloadLocation",
            ),
            (r#""mediaType":"m","#, "$.predicate.references[0].mediaType"),
            (r#","uri":"u""#, "$.predicate.references[0]"),
        ] {
            assert_eq!(outcome(&good.replacen(gone, "", 1)).unwrap_err().path, path);
        }
    }

    #[test]
    fn every_limit_is_kept() {
        let large = vec![b' '; crate::limits::DOCUMENT_BYTES + 1];
        assert_eq!(
            prepare("scan", "x", &large, ""),
            Err(DocumentError::TooLarge(large.len()))
        );
        let many = |item: &str, n: usize| vec![item; n].join(",");
        let run = r#"{"tool":{"driver":{"name":"t"}},"results":[]}"#;
        let statement = r#"{"core":{"$schema":"https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json",
            "end_of_life":"tba","end_of_security_support":"tba","last_updated":"2026-01-01T00:00:00Z"}}"#;
        let now = "2026-11-22T18:41:48Z";
        for (kind, item, before, after, limit) in [
            ("scan", run, r#"{"version":"2.1.0","runs":["#, "]}", 100),
            ("lifecycle", statement, r#"{"statements":["#, "]}", 1000),
            ("lifecycle", r#"{"cycle":"1","eol":false}"#, "[", "]", 1000),
        ] {
            let outcome = |n| {
                prepare(
                    kind,
                    "x",
                    format!("{before}{}{after}", many(item, n)).as_bytes(),
                    now,
                )
            };
            assert_eq!(outcome(limit).unwrap().len(), limit);
            assert!(
                outcome(limit + 1)
                    .unwrap_err()
                    .to_string()
                    .contains("more than")
            );
        }
        let lines = prepare("provenance", "x", "{}\n".repeat(1001).as_bytes(), now).unwrap_err();
        assert!(
            lines.to_string().contains("more than 1000 lines"),
            "{lines}"
        );
        let subject = format!(r#"{{"digest":{{"sha256":"{HEX}"}},"name":"#);
        let subjects: Vec<_> = (0..=crate::limits::SUBJECTS)
            .map(|i| format!("{subject}\"{i}\"}}"))
            .collect();
        let crowd = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://e.org/x","subject":[{}]}}"#,
            subjects.join(",")
        );
        let error = prepare("statement", "x", crowd.as_bytes(), now).unwrap_err();
        assert_eq!(error.place(), "$.subject", "{error}");
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        assert!(
            prepare("sboms", "x", b"{}", "")
                .unwrap_err()
                .to_string()
                .contains("sbom, vex")
        );
    }
}

//! Ready in-toto Statements (`https://in-toto.io/Statement/v1`) of any predicate type.
//!
//! A new statement is made of the parts. So a statement that was signed elsewhere goes by
//! `provenance`, which keeps it.

use super::document::{Document, DocumentError, Draft, INLINE_BYTES, Prepared, not_taken};
use super::node::{Node, quoted};
use super::subject::Subjects;
use super::{PredicateError, by_uri};
use crate::json::Value;
use crate::limits;
use crate::purl::Purl;

pub(crate) const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";
pub(crate) const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";

pub(super) fn prepare(document: &Document) -> Result<Vec<Prepared>, DocumentError> {
    let statement = document.json()?;
    if statement.get("_type").is_none() {
        return Err(refuse_other(&statement));
    }
    let root = Node::root("$", &statement);
    let kind = root.need("_type")?;
    match kind.string()? {
        STATEMENT_V1 => {}
        STATEMENT_V0_1 => {
            let advice = "only v1 is signed here: change `_type` to \
                https://in-toto.io/Statement/v1, or use `publish provenance` for SLSA";
            return Err(kind
                .fault(format!("is an in-toto Statement v0.1; {advice}"))
                .into());
        }
        other => {
            return Err(kind
                .fault(format!(
                    "is {}, and has to be {STATEMENT_V1}",
                    quoted(other)
                ))
                .into());
        }
    }
    let predicate_type = root.need("predicateType")?.text()?;
    let subjects = subjects(&root)?;
    let predicate = root
        .get("predicate")
        .map_or_else(|| Value::Object(vec![]), |node| node.value().clone());
    super::check(predicate_type, &predicate)?;
    let summary = vec![
        (
            "predicate".to_owned(),
            by_uri(predicate_type)
                .map_or(predicate_type, |known| known.name)
                .to_owned(),
        ),
        ("subjects".to_owned(), subjects.list.len().to_string()),
    ];
    let draft = Draft {
        predicate_type: predicate_type.into(),
        predicate,
        subjects,
        summary,
    };
    let prepared = document.inline(draft).map_err(|_| {
        root.fault(format!(
            "predicate and subjects take more than {INLINE_BYTES} bytes; put the large part into \
             an attachment"
        ))
    })?;
    Ok(vec![prepared])
}

fn refuse_other(statement: &Value) -> DocumentError {
    if statement.get("predicate_type").is_some() || statement.get("type").is_some() {
        let reason = "is missing: in-toto names its fields `_type` and `predicateType`, not \
            `type` and `predicate_type`";
        return Node::root("$._type", statement).fault(reason).into();
    }
    if statement.get("payload").is_some() || statement.get("dsseEnvelope").is_some() {
        let reason = "the statement is in an envelope that somebody signed: use `publish \
            provenance` for SLSA provenance, else publish the statement inside, which is base64 \
            in `payload`";
        return DocumentError::NotTaken(reason.into());
    }
    not_taken("statement", "an in-toto Statement", statement)
}

/// The subjects, as the statement has them. One with a package URL and no digest gets the digest of
/// that URL.
pub(super) fn subjects(root: &Node<'_, '_>) -> Result<Subjects, PredicateError> {
    let list = root.need("subject")?;
    let mut subjects = Subjects::default();
    for subject in list.items()? {
        let name = subject.optional_text("name")?;
        let uri = subject.optional_text("uri")?;
        let mut digests = Vec::new();
        if let Some(set) = subject.get("digest") {
            super::check_digests(&set)?;
            for (algorithm, value) in set.members()? {
                digests.push((algorithm.to_owned(), value.text()?.to_owned()));
            }
        }
        let purl = uri.filter(|uri| Purl::canonicalize(uri).is_ok());
        if digests.is_empty() && purl.is_none() {
            return Err(
                subject.fault("has no digest, and no package URL that one could be made of")
            );
        }
        // A URI that is no package URL is not looked up by anything; as a name it is not lost.
        subjects.suggest(name.or(uri.filter(|_| purl.is_none())), purl, digests);
    }
    if subjects.list.len() > limits::SUBJECTS {
        return Err(list.fault(format!("names more than {} subjects", limits::SUBJECTS)));
    }
    if subjects.list.is_empty() {
        Err(list.fault("names no subject"))
    } else {
        Ok(subjects)
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepare;

    const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[
        {"name":"a","digest":{"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}},
        {"uri":"pkg:cargo/a@1"},{"uri":"git+https://e.org/r","digest":{"gitCommit":"68bc59901773ab4c051dfcea0cc4201a1567ab32"}}],
        "predicateType":"https://e.org/own","predicate":{"n":1.10}}"#;

    fn error(text: &str) -> String {
        prepare("statement", "s.json", text.as_bytes(), "")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_statement_is_taken_apart() {
        let prepared = prepare("statement", "s.json", STATEMENT.as_bytes(), "")
            .unwrap()
            .remove(0);
        assert_eq!(prepared.predicate_type, "https://e.org/own");
        assert_eq!(prepared.predicate.to_json(), r#"{"n":1.10}"#);
        assert_eq!(prepared.subjects[1].digest("purl").map(str::len), Some(64));
        assert_eq!(prepared.subjects[2].name(), Some("git+https://e.org/r"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, expected) in [
            (
                "Statement/v1",
                "Statement/v0.1",
                "$._type: is an in-toto Statement v0.1",
            ),
            (
                "Statement/v1",
                "Statement/v2",
                "$._type: is \"https://in-toto.io/Statement/v2\"",
            ),
            (
                r#""sha256":"0"#,
                r#""sha256":"F"#,
                "$.subject[0].digest.sha256",
            ),
            (
                r#""uri":"pkg:cargo/a@1""#,
                r#""uri":"https://e.org""#,
                "$.subject[1]: has no digest",
            ),
            (r#""gitCommit":"68"#, r#""gitCommit":"6"#, "gitCommit"),
            (
                r#""predicateType":"https://e.org/own""#,
                r#""predicateType":"https://in-toto.io/attestation/vulns/v0.2""#,
                "$.predicate.scanner",
            ),
            (
                r#""predicateType":"https://e.org/own","#,
                "",
                "$.predicateType: is missing",
            ),
            (r#"{"n":1.10}"#, r#"[]"#, "$.predicate"),
        ] {
            assert!(STATEMENT.contains(from), "{from}");
            let error = error(&STATEMENT.replacen(from, to, 1));
            assert!(error.contains(expected), "{error}");
        }
        let large = STATEMENT.replacen("1.10", &format!("{:?}", "x".repeat(30_000)), 1);
        assert!(error(&large).contains("attachment"));
    }

    #[test]
    fn envelopes_and_other_spellings_are_explained() {
        assert!(
            error(r#"{"payload":"","payloadType":"","signatures":[]}"#)
                .contains("publish provenance")
        );
        assert!(
            error(r#"{"type":"https://in-toto.io/Statement/v1","predicate_type":"x"}"#)
                .contains("`_type`")
        );
        assert!(error("{}").contains("empty object"));
    }
}

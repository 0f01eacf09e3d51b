//! Ready in-toto Statements (`https://in-toto.io/Statement/v1`) of any predicate type.
//!
//! A new statement is made of the parts. So a statement that was signed elsewhere goes by
//! `provenance`, which keeps it.

use super::advice::not_taken;
use super::draft::{Draft, INLINE_BYTES, Prepared};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::dsse::{DsseError, Envelope};
use assay_claims::json::Value;
use assay_claims::kind::descriptor::check_digests;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::{PredicateError, by_uri, check};
use assay_claims::limits;
use assay_claims::purl::Purl;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(|_| true),
    prepare,
};

/// The type of a payload that is an in-toto statement.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

pub(super) const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";
pub(super) const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    if source.value.get("_type").is_none() {
        return Err(refuse_other(source.value));
    }
    let root = source.root();
    check_version(&root.need("_type")?)?;
    let predicate_type = root.need("predicateType")?.text()?;
    let subjects = subjects(&root)?;
    let predicate = root
        .get("predicate")
        .map_or_else(|| Value::Object(vec![]), |node| node.value().clone());
    check(predicate_type, &predicate)?;
    let name = by_uri(predicate_type).map_or(predicate_type, |known| known.name);
    let summary = vec![
        ("predicate".to_owned(), name.to_owned()),
        ("subjects".to_owned(), subjects.list.len().to_string()),
    ];
    let draft = Draft {
        predicate_type: predicate_type.into(),
        predicate,
        subjects,
        summary,
    };
    let prepared = source.document.inline(draft).map_err(|_| {
        root.fault(format!(
            "predicate and subjects take more than {INLINE_BYTES} bytes; put the large part into \
             an attachment"
        ))
    })?;
    Ok(vec![prepared])
}

fn check_version(kind: &Node<'_, '_>) -> Result<(), PredicateError> {
    match kind.string()? {
        STATEMENT_V1 => Ok(()),
        STATEMENT_V0_1 => {
            let advice = "only v1 is signed here: change `_type` to \
                https://in-toto.io/Statement/v1, or use `publish provenance` for SLSA";
            Err(kind.fault(format!("is an in-toto Statement v0.1; {advice}")))
        }
        other => Err(kind.fault(format!(
            "is {}, and has to be {STATEMENT_V1}",
            quoted(other)
        ))),
    }
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

/// The envelope, if an in-toto statement is in it. Its signatures are not verified.
pub(super) fn signed(node: &Node<'_, '_>) -> Result<Envelope, DocumentError> {
    let envelope = Envelope::from_value(node.value()).map_err(|e| match e {
        DsseError::Field { path, expected } => {
            fault_below(node, &path, format!("has to be {expected}"))
        }
        DsseError::Base64 { path } => fault_below(node, &path, "is not base64".into()),
        DsseError::NoSignature => node.fault("has no signature").into(),
        DsseError::Json(e) => node.fault(e.to_string()).into(),
    })?;
    if envelope.payload_type != PAYLOAD_TYPE {
        let found = quoted(&envelope.payload_type);
        return Err(fault_below(
            node,
            "payloadType",
            format!("is {found}; only in-toto statements are taken"),
        ));
    }
    Ok(envelope)
}

pub(super) fn fault_below(node: &Node<'_, '_>, path: &str, reason: String) -> DocumentError {
    DocumentError::Content {
        path: format!("{}.{path}", node.path()),
        reason,
    }
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
            check_digests(&set)?;
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
        // npm, and others who attest to files of packages, name them by their URL.
        let named = name.filter(|name| Purl::begins(name) && Purl::canonicalize(name).is_ok());
        let purl = purl.or(named);
        // A URI that is no package URL is not looked up by anything; as a name it is not lost.
        let other = uri.filter(|uri| Some(*uri) != purl);
        subjects.suggest(name.or(other), purl, digests);
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
    use crate::documents::prepare;

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

    /// Who looks for the package finds what is said of its file.
    #[test]
    fn a_name_that_is_a_package_url_is_that() {
        let of = |name: &str| {
            let text = STATEMENT.replacen(r#""name":"a""#, &format!(r#""name":"{name}""#), 1);
            let prepared = prepare("statement", "s.json", text.as_bytes(), "");
            let subject = prepared.unwrap().remove(0).subjects.remove(0);
            assert_eq!(subject.digests().len(), 1);
            (
                subject.uri().map(str::to_owned),
                subject.name().map(str::to_owned),
            )
        };
        let npm = "pkg:npm/%40e/lib@1.0.0";
        assert_eq!(of(npm), (Some(npm.into()), Some(npm.into())));
        assert_eq!(of("pkg:npm/@e/lib@1.0.0").0, Some(npm.into()));
        for other in ["a", "pkg:", "e.org/pkg:npm/a"] {
            assert_eq!(of(other), (None, Some(other.into())));
        }
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
        let nothing = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],
            "predicateType":"https://e.org/own","predicate":{}}"#;
        assert!(error(nothing).contains("$.subject: names no subject"));
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

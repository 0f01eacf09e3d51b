//! SLSA provenance, v1 (`https://slsa.dev/provenance/v1`) and v0.2: how something was built.
//!
//! The document is an in-toto statement, bare or in the envelope that the builder signed: DSSE
//! JSON, DSSE JSON Lines, or a Sigstore bundle. The claim has the statement's subjects and
//! predicate, and names the signed original as an attachment, so that whoever trusts the builder
//! can verify it. Nothing of the builder's signature is verified here: the claim says that its
//! issuer hands on this provenance, not that the builder made it.

use super::document::{Document, DocumentError, Draft, Prepared, TOO_LARGE, not_taken, parse};
use super::in_toto::{STATEMENT_V0_1, STATEMENT_V1, subjects};
use super::node::{Node, quoted};
use super::{PredicateError, PredicateType};
use crate::dsse::{DsseError, Envelope};
use crate::json::Value;

pub(super) const V1: PredicateType = PredicateType {
    name: "provenance (SLSA v1)",
    uris: &["https://slsa.dev/provenance/v1"],
};

pub(super) const V0_2: PredicateType = PredicateType {
    name: "provenance (SLSA v0.2)",
    uris: &["https://slsa.dev/provenance/v0.2"],
};

/// How something was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The builder's id: a URI.
    pub builder: String,
    /// The kind of build: a URI.
    pub build_type: String,
}

impl Provenance {
    pub(super) fn read_v1(predicate: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check_v1(predicate)?;
        Ok(Provenance {
            builder: text_at(predicate.value(), "/runDetails/builder/id"),
            build_type: text_at(predicate.value(), "/buildDefinition/buildType"),
        })
    }

    pub(super) fn read_v0_2(predicate: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check_v0_2(predicate)?;
        Ok(Provenance {
            builder: text_at(predicate.value(), "/builder/id"),
            build_type: text_at(predicate.value(), "/buildType"),
        })
    }
}

fn text_at(predicate: &Value, pointer: &str) -> String {
    let text = predicate.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Most envelopes in one file of JSON Lines.
const LINES: usize = 1000;

/// Specification: slsa.dev/spec/v1.0/provenance.
fn check_v1(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    let definition = predicate.need("buildDefinition")?;
    definition.need("buildType")?.text()?;
    definition.need("externalParameters")?.object()?;
    if let Some(parameters) = definition.get("internalParameters") {
        parameters.object()?;
    }
    check_resources(&definition, "resolvedDependencies")?;
    let details = predicate.need("runDetails")?;
    let builder = details.need("builder")?;
    builder.need("id")?.text()?;
    check_resources(&builder, "builderDependencies")?;
    check_resources(&details, "byproducts")?;
    check_metadata(&details, &["startedOn", "finishedOn"])
}

/// Specification: slsa.dev/spec/v0.2/provenance.
fn check_v0_2(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    predicate.need("builder")?.need("id")?.text()?;
    predicate.need("buildType")?.text()?;
    if let Some(materials) = predicate.get("materials") {
        for material in materials.items()? {
            material.optional_text("uri")?;
            if let Some(digests) = material.get("digest") {
                super::check_digests(&digests)?;
            }
        }
    }
    check_metadata(predicate, &["buildStartedOn", "buildFinishedOn"])
}

fn check_resources(parent: &Node<'_, '_>, key: &'static str) -> Result<(), PredicateError> {
    let Some(list) = parent.get(key) else {
        return Ok(());
    };
    list.items()?
        .try_for_each(|resource| super::check_descriptor(&resource))
}

fn check_metadata(parent: &Node<'_, '_>, times: &[&'static str]) -> Result<(), PredicateError> {
    let Some(metadata) = parent.get("metadata") else {
        return Ok(());
    };
    metadata.object()?;
    for key in times {
        if let Some(time) = metadata.get(key) {
            time.instant()?;
        }
    }
    Ok(())
}

pub(super) fn prepare(document: &Document) -> Result<Vec<Prepared>, DocumentError> {
    match document.json() {
        Ok(whole) => Ok(vec![prepare_one(document, &whole)?]),
        Err(not_one_value) => prepare_lines(document, not_one_value),
    }
}

/// JSON Lines: one envelope or statement a line.
fn prepare_lines(
    document: &Document,
    not_one_value: DocumentError,
) -> Result<Vec<Prepared>, DocumentError> {
    let lines: Vec<_> = document
        .body()
        .split(|b| *b == b'\n')
        .enumerate()
        .filter(|(_, l)| !l.trim_ascii().is_empty())
        .collect();
    // Lines that are no JSON by themselves are those of one document, and its own error says more.
    if lines.len() < 2 || lines.first().is_none_or(|(_, line)| parse(line).is_err()) {
        return Err(not_one_value);
    }
    if lines.len() > LINES {
        return Err(DocumentError::NotTaken(format!(
            "the document has more than {LINES} lines; publish it in parts"
        )));
    }
    let mut claims = Vec::new();
    for (index, line) in lines {
        let prepared = parse(line).and_then(|value| prepare_one(document, &value));
        claims.push(prepared.map_err(|e| DocumentError::Line {
            line: index + 1,
            reason: e.to_string(),
        })?);
    }
    Ok(claims)
}

fn prepare_one(document: &Document, value: &Value) -> Result<Prepared, DocumentError> {
    let root = Node::root("$", value);
    if let Some(envelope) = root.get("dsseEnvelope") {
        let media_type = root
            .shown("mediaType")
            .unwrap_or("application/vnd.dev.sigstore.bundle+json");
        return prepare_envelope(document, &envelope, media_type);
    }
    if root.get("payloadType").is_some() {
        return prepare_envelope(document, &root, "application/vnd.dsse.envelope.v1+json");
    }
    if root.get("_type").is_none() {
        let wanted =
            "SLSA provenance as an in-toto statement, a DSSE envelope or a Sigstore bundle";
        return Err(not_taken("provenance", wanted, value));
    }
    let draft = read(&root)?;
    document.inline_or_referenced(draft, PAYLOAD_TYPE)
}

fn prepare_envelope(
    document: &Document,
    node: &Node<'_, '_>,
    media_type: &str,
) -> Result<Prepared, DocumentError> {
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
    let payload = parse(&envelope.payload)
        .map_err(|e| fault_below(node, "payload", format!("holds no JSON: {e}")))?;
    let mut draft = read(&Node::root("$.payload:", &payload))?;
    draft.summary.push((
        "signatures".into(),
        format!("{}, not verified here", envelope.signatures.len()),
    ));
    document
        .attached(draft, media_type)
        .or_else(|draft| document.referenced(*draft, media_type, TOO_LARGE))
}

fn fault_below(node: &Node<'_, '_>, path: &str, reason: String) -> DocumentError {
    DocumentError::Content {
        path: format!("{}.{path}", node.path()),
        reason,
    }
}

/// The claim that the statement makes. Builders still write v0.1 of it, which differs in nothing
/// that is used here.
fn read(statement: &Node<'_, '_>) -> Result<Draft, PredicateError> {
    statement
        .need("_type")?
        .one_of(&[STATEMENT_V1, STATEMENT_V0_1])?;
    let kind = statement.need("predicateType")?;
    let predicate_type = kind.text()?;
    let predicate = statement.need("predicate")?;
    let builder = if V1.uris.contains(&predicate_type) {
        check_v1(&predicate)?;
        "/runDetails/builder/id"
    } else if V0_2.uris.contains(&predicate_type) {
        check_v0_2(&predicate)?;
        "/builder/id"
    } else {
        return Err(kind.fault(format!(
            "is {}; SLSA provenance v1 and v0.2 are taken",
            quoted(predicate_type)
        )));
    };
    let subjects = subjects(statement)?;
    let builder = predicate
        .value()
        .pointer(builder)
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut summary = vec![("builder".to_owned(), builder.to_owned())];
    summary.push(("subjects".into(), subjects.list.len().to_string()));
    summary.extend(
        subjects
            .list
            .iter()
            .take(5)
            .filter_map(|s| Some(("subject".to_owned(), s.name()?.to_owned()))),
    );
    let predicate = predicate.value().clone();
    Ok(Draft {
        predicate_type: predicate_type.into(),
        predicate,
        subjects,
        summary,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{check, prepare};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"a","digest":
        {"sha256":"0000000000000000000000000000000000000000000000000000000000000000"}}],
        "predicateType":"https://slsa.dev/provenance/v0.2","predicate":{"builder":{"id":"b"},"buildType":"t","n":1.10}}"#;

    fn envelope(payload: &str, payload_type: &str) -> String {
        let payload = STANDARD.encode(payload);
        format!(
            r#"{{"payloadType":"{payload_type}","payload":"{payload}","signatures":[{{"sig":"AA==","cert":"-"}}]}}"#
        )
    }

    #[test]
    fn a_bare_statement_needs_no_attachment_and_a_signed_one_keeps_it() {
        let bare = prepare("provenance", "p.json", STATEMENT.as_bytes(), "")
            .unwrap()
            .remove(0);
        assert_eq!(bare.attachment, None);
        assert_eq!(
            bare.predicate.to_json(),
            r#"{"builder":{"id":"b"},"buildType":"t","n":1.10}"#
        );
        let signed = envelope(STATEMENT, "application/vnd.in-toto+json");
        let bundle = format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{signed}}}"#
        );
        for text in [signed, bundle] {
            let prepared = prepare("provenance", "p.json", text.as_bytes(), "")
                .unwrap()
                .remove(0);
            check(&prepared.predicate_type, &prepared.predicate).unwrap();
            assert_eq!(prepared.subjects, bare.subjects);
            assert_eq!(prepared.attachment.unwrap().bytes, text);
            assert!(
                prepared.predicate.to_json().starts_with(
                    r#"{"builder":{"id":"b"},"buildType":"t","n":1.10,"attachments":["#
                )
            );
        }
    }

    #[test]
    fn each_line_of_json_lines_becomes_a_claim() {
        let line = envelope(STATEMENT, "application/vnd.in-toto+json");
        assert_eq!(
            prepare(
                "provenance",
                "p",
                format!("{line}\n\n{line}\n").as_bytes(),
                ""
            )
            .unwrap()
            .len(),
            2
        );
        let error = prepare("provenance", "p", format!("{line}\n{{\n").as_bytes(), "").unwrap_err();
        assert_eq!(error.place(), "line 2", "{error}");
    }

    #[test]
    fn slsa_v1_is_checked() {
        let good = r#"{"buildDefinition":{"buildType":"t","externalParameters":{},"resolvedDependencies":[{"uri":"u"}]},
            "runDetails":{"builder":{"id":"b"},"metadata":{"startedOn":"2026-01-01T00:00:00Z"},"byproducts":[{"digest":{"sha1":"68bc59901773ab4c051dfcea0cc4201a1567ab32"}}]}}"#;
        let outcome = |text: &str| {
            check(
                "https://slsa.dev/provenance/v1",
                &crate::json::parse(text.as_bytes()).unwrap(),
            )
        };
        outcome(good).unwrap();
        for (from, to, path) in [
            (
                r#""buildType":"t","#,
                "",
                "$.predicate.buildDefinition.buildType",
            ),
            (
                r#""externalParameters":{}"#,
                r#""externalParameters":[]"#,
                "$.predicate.buildDefinition.externalParameters",
            ),
            (
                r#"{"uri":"u"}"#,
                r#"{"name":"u"}"#,
                "$.predicate.buildDefinition.resolvedDependencies[0]",
            ),
            (r#"{"id":"b"}"#, "{}", "$.predicate.runDetails.builder.id"),
            (
                r#""2026-01-01T00:00:00Z""#,
                r#""now""#,
                "$.predicate.runDetails.metadata.startedOn",
            ),
            (
                r#""68bc"#,
                r#""68BC"#,
                "$.predicate.runDetails.byproducts[0].digest.sha1",
            ),
        ] {
            assert!(good.contains(from), "{from}");
            assert_eq!(outcome(&good.replacen(from, to, 1)).unwrap_err().path, path);
        }
    }

    #[test]
    fn what_is_wrong_inside_is_named() {
        let inside = |from: &str, to: &str| {
            envelope(
                &STATEMENT.replacen(from, to, 1),
                "application/vnd.in-toto+json",
            )
        };
        for (text, place) in [
            (envelope(STATEMENT, "text/plain"), "$.payloadType"),
            (envelope("{", "application/vnd.in-toto+json"), "$.payload"),
            (
                envelope(STATEMENT, "application/vnd.in-toto+json").replacen("AA==", "A", 1),
                "$.signatures[0].sig",
            ),
            (
                inside(r#""buildType""#, r#""type""#),
                "$.payload:.predicate.buildType",
            ),
            (
                inside("provenance/v0.2", "provenance/v0.1"),
                "$.payload:.predicateType",
            ),
            (
                inside(r#""sha256":"0"#, r#""sha256":"g"#),
                "$.payload:.subject[0].digest.sha256",
            ),
            (inside("Statement/v0.1", "Statement/v2"), "$.payload:._type"),
        ] {
            let error = prepare("provenance", "p.json", text.as_bytes(), "").unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
    }
}

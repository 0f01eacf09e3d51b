//! SLSA provenance: an in-toto statement, bare or in the envelope that the builder signed: DSSE
//! JSON, DSSE JSON Lines, or a Sigstore bundle.
//!
//! The claim has the statement's subjects and predicate, and names the signed original as an
//! attachment, so that whoever trusts the builder can verify it. Nothing of the builder's signature
//! is verified here.

use super::advice::not_taken;
use super::document::{Document, parse};
use super::draft::{Draft, Prepared};
use super::error::DocumentError;
use super::in_toto::{PAYLOAD_TYPE, STATEMENT_V0_1, STATEMENT_V1, fault_below, signed, subjects};
use super::tool::{Source, Takes, Tool};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::provenance::Provenance;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Bytes(|_| true),
    prepare,
};

/// Most envelopes in one file of JSON Lines.
const LINES: usize = 1000;

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let document = source.document;
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
    let envelope = signed(node)?;
    let payload = parse(&envelope.payload)
        .map_err(|e| fault_below(node, "payload", format!("holds no JSON: {e}")))?;
    let mut draft = read(&Node::root("$.payload:", &payload))?;
    draft.summary.push((
        "signatures".into(),
        format!("{}, not verified here", envelope.signatures.len()),
    ));
    document.attached_or_referenced(draft, media_type)
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
    let Some(read) = Provenance::read(predicate_type, &predicate) else {
        return Err(kind.fault(format!(
            "is {}; SLSA provenance v1 and v0.2 are taken",
            quoted(predicate_type)
        )));
    };
    let builder = read?.builder;
    let subjects = subjects(statement)?;
    let mut summary = vec![("builder".to_owned(), builder)];
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
    use crate::documents::prepare;
    use assay_claims::kind::check;
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
    fn what_is_no_statement_is_refused_for_what_it_is() {
        for (text, place) in [
            ("{\n\"a\": }", "line 2, column 6"),
            ("{\"a\": }", "line 1, column 7"),
            ("{\"a\": }\n{}", "line 1, column 7"),
        ] {
            let error = prepare("provenance", "p.json", text.as_bytes(), "").unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
        let error = prepare("provenance", "p.json", b"{\"a\":1}", "").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("provenance takes SLSA provenance"),
            "{error}"
        );
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

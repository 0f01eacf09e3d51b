//! `assay publish`: from a tool's document to signed claims in the log.

use crate::{
    attested::Trusted,
    config::Settings,
    exit::Failure,
    input::{self, Document},
    publishing::{self, Item, Signing},
    subject, time,
};
use assay_claims::statement::{Statement, Subject};
use assay_client::{
    plain,
    publish::{Draft, DraftError},
};
use assay_intake::documents::{self, Prepared};
use assay_intake::limits;
use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};
use std::{path::PathBuf, time::SystemTime};

/// Make claims of a document, sign them, and publish them.
///
/// A document that is too large for a claim is stored beside the log, and the claim names its
/// SHA-256. Publishing the same document again changes nothing: times are taken from the document,
/// else from the file's last change, and only for stdin from the clock.
#[derive(Debug, Args)]
pub struct Command {
    /// What the document is
    #[arg(value_parser = kinds())]
    kind: String,
    /// The document; - is stdin
    file: PathBuf,
    /// What the claim is about: a package URL, a digest (sha256:HEX), or a file, whose SHA-256 is
    /// taken; may be given several times [default: what the document says it is about]
    #[arg(long, short, env = "ASSAY_SUBJECT", value_name = "SUBJECT")]
    subject: Vec<String>,
    #[command(flatten)]
    trusted: Trusted,
    #[command(flatten)]
    signing: Signing,
}

/// The kinds that documents are read as. The list is that of their readers.
fn kinds() -> PossibleValuesParser {
    let kinds = documents::kinds().map(|(name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(kinds)
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let mut subjects = Vec::new();
    for text in &command.subject {
        subjects.push(subject::read(text)?);
    }
    let document = input::read(&command.file, limits::DOCUMENT_BYTES)?;
    let items = match command.attested(&document, settings)? {
        Some(items) => items,
        None => items(&command.kind, &document, &subjects)?,
    };
    publishing::publish(items, &command.signing, settings).await
}

impl Command {
    /// The claims of a document of attestations, if there is a trusted root to verify them with;
    /// `None` for any other document.
    fn attested(
        &self,
        document: &Document,
        settings: &Settings,
    ) -> Result<Option<Vec<Item>>, Failure> {
        let Document { name, bytes, .. } = document;
        let attestations = documents::attestations(&self.kind, name, bytes);
        let attestations = attestations.map_err(|e| wrong(document, &e.to_string()))?;
        let (attestations, root) = match (attestations, self.trusted.root(settings)) {
            (Some(attestations), Some(root)) => (attestations, root),
            (Some(attestations), None) if attestations.are_only_verified() => {
                let reason = "it has to be verified: name a trusted root of Sigstore with \
                              --trusted-root";
                return Err(wrong(document, reason));
            }
            (None, _) if self.trusted.is_named() => {
                let reason = "it has no attestation that a trusted root could verify; leave \
                              --trusted-root out";
                return Err(wrong(document, reason));
            }
            _ => return Ok(None),
        };
        let trust = self.trusted.read(root)?;
        let mut named = Vec::new();
        for text in &self.subject {
            named.push(subject::read_twice(text)?);
        }
        let claims = trust.claims(&attestations, &named);
        let claims = claims.map_err(|failure| match failure {
            Failure::Failed(text) => Failure::Failed(format!("{name}: {text}")),
            Failure::Usage(text) => Failure::Usage(format!("{name}: {text}")),
            other => other,
        })?;
        let mut items = Vec::with_capacity(claims.len());
        for claim in claims {
            items.push(item(claim).map_err(|reason| wrong(document, &reason))?);
        }
        Ok(Some(items))
    }
}

/// The claims that a document holds, about `subjects`, or else about what the document says it is
/// about. Errors are the caller's, and name the document.
fn items(kind: &str, document: &Document, subjects: &[Subject]) -> Result<Vec<Item>, Failure> {
    let now = time::rfc3339(document.modified.unwrap_or_else(SystemTime::now));
    let Document { name, bytes, .. } = document;
    let prepared = documents::prepare_about(kind, name, bytes, subjects, &now)
        .map_err(|e| wrong(document, &e.to_string()))?;
    let mut items = Vec::with_capacity(prepared.len());
    for prepared in prepared {
        items.push(item(prepared).map_err(|reason| wrong(document, &reason))?);
    }
    Ok(items)
}

fn wrong(document: &Document, reason: &str) -> Failure {
    Failure::Usage(format!("{}: {}", document.name, plain(reason)))
}

fn item(prepared: Prepared) -> Result<Item, String> {
    if prepared.subjects.is_empty() {
        return Err(
            "it does not say what it is about; say it with --subject: a package URL \
             (pkg:cargo/serde@1.0.0), a digest (sha256:HEX), or the path of a file"
                .into(),
        );
    }
    let draft = Statement::new(
        prepared.subjects,
        &prepared.predicate_type,
        prepared.predicate,
    )
    .map_err(DraftError::from)
    .and_then(Draft::new)
    .map_err(|e| match e {
        DraftError::TooLong(_) => format!("{e}; publish fewer subjects in one claim"),
        _ => e.to_string(),
    })?;
    Ok(Item::new(draft, prepared.summary, prepared.attachment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(bytes: &'static [u8]) -> Document {
        Document {
            name: "doc.json".into(),
            bytes: bytes.into(),
            modified: None,
        }
    }

    fn refusal(kind: &str, document: &Document, subject: &str) -> String {
        let subjects = [subject::read(subject).unwrap()];
        match items(kind, document, &subjects) {
            Err(Failure::Usage(text)) => text,
            Err(error) => panic!("{error}"),
            Ok(items) => panic!("{} claims", items.len()),
        }
    }

    #[test]
    fn claims_about_many_are_not_made_about_one() {
        let audits = document(
            b"[[audits.a]]\nwho = \"A\"\ncriteria = \"safe-to-deploy\"\nversion = \"1.0.0\"\n",
        );
        assert_eq!(items("audit", &audits, &[]).unwrap().len(), 1);
        let error = refusal("audit", &audits, "pkg:cargo/b@1.0.0");
        assert!(error.contains("leave --subject out"), "{error}");

        let cycles = document(
            br#"{"schema_version":"1.0.0","generated_at":"2026-01-01T00:00:00Z",
            "result":{"name":"x","label":"X","category":"lang","releases":[
            {"name":"1","label":"1","releaseDate":"2020-01-01",
             "isEol":true,"eolFrom":"2021-01-01","isMaintained":false},
            {"name":"2","label":"2","releaseDate":"2021-01-01",
             "isEol":false,"eolFrom":"2030-01-01","isMaintained":true}]}}"#,
        );
        let subject = [subject::read("pkg:generic/x").unwrap()];
        let both = items("lifecycle", &cycles, &subject).unwrap();
        assert_eq!(both.len(), 2);
        let error = refusal("lifecycle", &cycles, "pkg:generic/x@1");
        assert!(error.contains("without a version"), "{error}");
    }

    #[test]
    fn a_vex_document_is_published_about_what_it_speaks_of() {
        let vex = br#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1",
            "author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
            {"vulnerability":"CVE-1","status":"fixed","products":[{"@id":"pkg:cargo/libc@0.2.1"}]},
            {"vulnerability":"CVE-1","status":"fixed","products":[{"@id":"pkg:cargo/b"}]}]}"#;
        let outcome = |subjects: &[&str]| {
            let subjects: Vec<Subject> = subjects
                .iter()
                .map(|text| subject::read(text).unwrap())
                .collect();
            items("vex", &document(vex), &subjects)
                .map(|items| items.len())
                .map_err(|e| e.to_string())
        };
        assert_eq!(
            (
                outcome(&[]),
                outcome(&["pkg:cargo/libc@0.2.1", "pkg:cargo/b@7"])
            ),
            (Ok(1), Ok(1))
        );
        let error = outcome(&["pkg:cargo/libc@0.2.1", "pkg:cargo/cfg-if@0.1.10"]).unwrap_err();
        for words in [
            "doc.json: ",
            "is about pkg:cargo/cfg-if@0.1.10",
            "pkg:cargo/b, pkg:cargo/libc@0.2.1",
            "Leave --subject out",
        ] {
            assert!(error.contains(words), "{error}");
        }
        // Of all versions it says nothing.
        assert!(outcome(&["pkg:cargo/libc"]).is_err());
    }

    #[test]
    fn a_malformed_document_is_the_callers_and_is_named() {
        for kind in documents::KINDS {
            let error = items(kind, &document(b"{\"a\":1,}"), &[]).err().unwrap();
            assert!(matches!(error, Failure::Usage(_)));
            assert!(error.to_string().starts_with("doc.json: "), "{error}");
        }
    }
}

//! `assay publish`: from a tool's document to signed claims in the log.

use crate::{
    config::Settings,
    exit::Failure,
    input::{self, Document},
    publishing::{self, Item, Signing},
    subject, time,
};
use assay_claims::kind::vex::{Product, Vex, VexStatement};
use assay_claims::kind::{self, Prepared};
use assay_claims::limits;
use assay_claims::statement::{Statement, Subject};
use assay_client::{
    plain,
    publish::{Draft, DraftError},
    report::words,
};
use clap::{Args, ValueEnum};
use std::{collections::BTreeSet, path::PathBuf, time::SystemTime};

/// Most products of a document that an error names.
const PRODUCTS: usize = 5;

/// Make claims of a document, sign them, and publish them.
///
/// A document that is too large for a claim is stored beside the log, and the claim names its
/// SHA-256. Publishing the same document again changes nothing: times are taken from the document,
/// else from the file's last change, and only for stdin from the clock.
#[derive(Debug, Args)]
pub struct Command {
    /// What the document is
    kind: Kind,
    /// The document; - is stdin
    file: PathBuf,
    /// What the claim is about: a package URL, a digest (sha256:HEX), or a file, whose SHA-256 is
    /// taken; may be given several times [default: what the document says it is about]
    #[arg(long, short, env = "ASSAY_SUBJECT", value_name = "SUBJECT")]
    subject: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

/// The kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Results of a scan: osv-scanner JSON, cargo-audit JSON, SARIF
    Scan,
    /// A software bill of materials: CycloneDX or SPDX
    Sbom,
    /// Whether vulnerabilities apply: OpenVEX
    Vex,
    /// Support dates: OpenEoX, or an answer of endoflife.date
    Lifecycle,
    /// How it was built: SLSA provenance
    Provenance,
    /// An OpenSSF Scorecard result
    Scorecard,
    /// Code reviews: audits.toml of cargo-vet
    Audit,
    /// How it is made, and which data it handles: SECURITY-INSIGHTS
    Practice,
    /// A finished in-toto statement
    Statement,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Scan => "scan",
            Kind::Sbom => "sbom",
            Kind::Vex => "vex",
            Kind::Lifecycle => "lifecycle",
            Kind::Provenance => "provenance",
            Kind::Scorecard => "scorecard",
            Kind::Audit => "audit",
            Kind::Practice => "practice",
            Kind::Statement => "statement",
        }
    }
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let mut subjects = Vec::new();
    for text in &command.subject {
        subjects.push(subject::read(text)?);
    }
    let document = input::read(&command.file, limits::DOCUMENT_BYTES)?;
    let items = items(command.kind, &document, &subjects)?;
    publishing::publish(items, &command.signing, settings).await
}

/// The claims that a document holds. Errors are the caller's, and name the document.
fn items(kind: Kind, document: &Document, subjects: &[Subject]) -> Result<Vec<Item>, Failure> {
    let wrong = |reason: String| Failure::Usage(format!("{}: {reason}", document.name));
    let now = time::rfc3339(document.modified.unwrap_or_else(SystemTime::now));
    let prepared = kind::prepare(kind.name(), &document.name, &document.bytes, &now)
        .map_err(|e| wrong(e.to_string()))?;
    check_subjects(kind, &prepared, subjects).map_err(wrong)?;
    if kind == Kind::Vex {
        check_products(document, subjects).map_err(wrong)?;
    }
    let mut items = Vec::with_capacity(prepared.len());
    for prepared in prepared {
        items.push(item(prepared, subjects).map_err(wrong)?);
    }
    Ok(items)
}

/// The claim about `subjects`, or else about what the document says it is about.
fn item(prepared: Prepared, subjects: &[Subject]) -> Result<Item, String> {
    let subjects = match subjects {
        [] => prepared.subjects,
        given => given.to_vec(),
    };
    if subjects.is_empty() {
        return Err(
            "it does not say what it is about; say it with --subject: a package URL \
             (pkg:cargo/serde@1.0.0), a digest (sha256:HEX), or the path of a file"
                .into(),
        );
    }
    let draft = Statement::new(subjects, &prepared.predicate_type, prepared.predicate)
        .map_err(DraftError::from)
        .and_then(Draft::new)
        .map_err(|e| match e {
            DraftError::TooLong(_) => format!("{e}; publish fewer subjects in one claim"),
            _ => e.to_string(),
        })?;
    Ok(Item {
        draft,
        summary: prepared.summary,
        attachment: prepared.attachment,
    })
}

/// Checks that the claims can be about the given subjects. A document of several claims says what
/// each of them is about. About one subject they would be false, forever and signed.
fn check_subjects(kind: Kind, prepared: &[Prepared], subjects: &[Subject]) -> Result<(), String> {
    if subjects.is_empty() {
        return Ok(());
    }
    if kind == Kind::Audit && prepared.iter().any(|one| !one.subjects.is_empty()) {
        return Err(
            "it says itself which version of which package each audit is of; leave --subject out"
                .into(),
        );
    }
    if kind == Kind::Lifecycle && prepared.len() > 1 && !subjects.iter().all(has_no_version) {
        return Err(format!(
            "it has dates of {} release cycles, but --subject names one version; name the package \
             without a version",
            prepared.len()
        ));
    }
    Ok(())
}

fn has_no_version(subject: &Subject) -> bool {
    let versioned = subject.purl().is_some_and(|purl| purl.version().is_some());
    subject.uri().is_some() && !versioned
}

/// Checks that a VEX document is about every subject. A lookup of any other subject would find a
/// claim that is not about it.
fn check_products(document: &Document, subjects: &[Subject]) -> Result<(), String> {
    let statements = Vex::of_document(&document.bytes)
        .map_err(|e| e.to_string())?
        .statements;
    for subject in subjects {
        let is_about = |one: &VexStatement| one.is_about(subject.purl(), subject.digests());
        if !statements.iter().any(is_about) {
            return Err(format!(
                "no statement in it is about {}; its products are {}. Leave --subject out to \
                 publish it about those, name one of them, or add the product to the document",
                words::short(subject),
                products(&statements)
            ));
        }
    }
    Ok(())
}

/// The first products of a document, for people.
fn products(statements: &[VexStatement]) -> String {
    let products = statements.iter().flat_map(|one| &one.products);
    let names: BTreeSet<String> = products.map(Product::name).collect();
    let shown: Vec<&str> = names.iter().take(PRODUCTS).map(String::as_str).collect();
    let more = if names.len() > PRODUCTS { ", …" } else { "" };
    format!("{}{more}", plain(&shown.join(", ")))
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

    #[test]
    fn every_kind_is_one_that_documents_are_prepared_as() {
        let names: Vec<_> = Kind::value_variants()
            .iter()
            .map(|kind| kind.name())
            .collect();
        assert_eq!(names, kind::KINDS);
    }

    fn refusal(kind: Kind, document: &Document, subject: &str) -> String {
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
        assert_eq!(items(Kind::Audit, &audits, &[]).unwrap().len(), 1);
        let error = refusal(Kind::Audit, &audits, "pkg:cargo/b@1.0.0");
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
        let both = items(Kind::Lifecycle, &cycles, &subject).unwrap();
        assert_eq!(both.len(), 2);
        let error = refusal(Kind::Lifecycle, &cycles, "pkg:generic/x@1");
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
            items(Kind::Vex, &document(vex), &subjects)
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
        for kind in Kind::value_variants() {
            let error = items(*kind, &document(b"{\"a\":1,}"), &[]).err().unwrap();
            assert!(matches!(error, Failure::Usage(_)));
            assert!(error.to_string().starts_with("doc.json: "), "{error}");
        }
    }
}

//! `assay publish`: from a tool's document to signed claims in the log.

use crate::{
    config::Settings,
    exit::Failure,
    input::{self, Document},
    output,
    publishing::{self, Draft, Signing},
    subject, time,
};
use assay_claims::kind::vex::Product;
use assay_claims::limits;
use assay_claims::statement::Subject;
use assay_intake::documents::{self, Prepared};
use clap::{Args, ValueEnum};
use std::{collections::BTreeSet, path::PathBuf, time::SystemTime};

/// Most products of a document that an error names.
const PRODUCTS: usize = 5;

/// Make a claim of a document, sign it, and publish it.
///
/// Documents that are too large for the log are stored beside it and named by their SHA-256.
/// Publishing the same document again changes nothing: times are taken from the document, else from
/// the file's last change, and only for stdin from the clock.
#[derive(Debug, Args)]
pub struct Command {
    /// What the document is
    kind: Kind,
    /// The document; - is stdin
    file: PathBuf,
    /// What the claim is about: a package URL, a digest (sha256:HEX), or a file whose SHA-256 is
    /// taken; may be given several times [default: what the document says it is about]
    #[arg(long, short, env = "ASSAY_SUBJECT", value_name = "SUBJECT")]
    subject: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

/// The kinds of documents.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A scan's result: osv-scanner JSON, cargo-audit JSON, SARIF
    Scan,
    /// A software bill of materials: CycloneDX or SPDX
    Sbom,
    /// Whether vulnerabilities apply: OpenVEX
    Vex,
    /// Support dates: OpenEoX, or what endoflife.date answers
    Lifecycle,
    /// How it was built: SLSA provenance
    Provenance,
    /// An OpenSSF Scorecard result
    Scorecard,
    /// Reviews of code: audits.toml of cargo-vet
    Audit,
    /// How it is made securely, and what data it handles: SECURITY-INSIGHTS
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
    let subjects = command
        .subject
        .iter()
        .map(|text| subject::read(text))
        .collect::<Result<Vec<_>, _>>()?;
    let document = input::read(&command.file, limits::DOCUMENT_BYTES)?;
    let drafts = drafts(command.kind, &document, &subjects)?;
    publishing::publish(drafts, &command.signing, settings).await
}

/// Makes the claims that a document holds.
fn drafts(kind: Kind, document: &Document, subjects: &[Subject]) -> Result<Vec<Draft>, Failure> {
    let now = time::rfc3339(document.modified.unwrap_or_else(SystemTime::now));
    let wrong = |reason: String| Failure::Usage(format!("{}: {reason}", document.name));
    let prepared = documents::prepare(kind.name(), &document.name, &document.bytes, &now)
        .map_err(|e| wrong(e.to_string()))?;
    check_subjects(kind, &prepared, subjects).map_err(wrong)?;
    if matches!(kind, Kind::Vex) {
        check_products(document, subjects).map_err(wrong)?;
    }
    prepared
        .into_iter()
        .map(|prepared| Draft::of_document(prepared, subjects).map_err(wrong))
        .collect()
}

/// Makes sure that what the person says the claims are about can be what they are about. A document
/// of several claims says of each what it is of: put to one subject they would say false things of
/// it, for ever and signed.
fn check_subjects(kind: Kind, prepared: &[Prepared], subjects: &[Subject]) -> Result<(), String> {
    let suggests = prepared.iter().any(|one| !one.subjects.is_empty());
    let versioned = |subject: &Subject| subject.purl().is_some_and(|purl| purl.version().is_some());
    match kind {
        Kind::Audit if !subjects.is_empty() && suggests => Err(
            "it says itself which version of which package each of its audits is of; leave \
                --subject away"
                .into(),
        ),
        Kind::Lifecycle
            if prepared.len() > 1
                && subjects
                    .iter()
                    .any(|one| one.uri().is_none() || versioned(one)) =>
        {
            Err(format!(
                "it has dates of {} release cycles, and --subject names one version; name the \
                 package without a version",
                prepared.len()
            ))
        }
        _ => Ok(()),
    }
}

/// Makes sure that a VEX document speaks of every subject: whoever looks up another would find a
/// claim that is not about it.
fn check_products(document: &Document, subjects: &[Subject]) -> Result<(), String> {
    let statements = documents::read_openvex(&document.bytes)
        .map_err(|e| e.to_string())?
        .statements;
    let spoken_of = |subject: &&Subject| {
        statements
            .iter()
            .any(|one| one.is_about(subject.purl(), subject.digests()))
    };
    let Some(other) = subjects.iter().find(|subject| !spoken_of(subject)) else {
        return Ok(());
    };
    let products: BTreeSet<String> = statements
        .iter()
        .flat_map(|one| &one.products)
        .map(Product::name)
        .collect();
    let shown: Vec<&str> = products.iter().take(PRODUCTS).map(String::as_str).collect();
    let more = if products.len() > PRODUCTS {
        ", …"
    } else {
        ""
    };
    Err(format!(
        "no statement in it is about {}; its products are {}{more}. Leave --subject out to \
         publish it about those, name one of them, or add the product to the document",
        subject::short(other),
        output::plain(&shown.join(", "))
    ))
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
        assert_eq!(names, documents::KINDS);
    }

    #[test]
    fn claims_of_many_are_not_put_to_one() {
        let audits =
            b"[[audits.a]]\nwho = \"A\"\ncriteria = \"safe-to-deploy\"\nversion = \"1.0.0\"\n";
        let subject = |text| [subject::read(text).unwrap()];
        assert_eq!(
            drafts(Kind::Audit, &document(audits), &[]).unwrap().len(),
            1
        );
        let error = drafts(
            Kind::Audit,
            &document(audits),
            &subject("pkg:cargo/b@1.0.0"),
        )
        .err()
        .unwrap();
        assert!(
            matches!(&error, Failure::Usage(text) if text.contains("leave --subject away")),
            "{error}"
        );

        let cycles = br#"{"schema_version":"1.0.0","generated_at":"2026-01-01T00:00:00Z","result":{"name":"x","label":"X","category":"lang","releases":[
            {"name":"1","label":"1","releaseDate":"2020-01-01","isEol":true,"eolFrom":"2021-01-01","isMaintained":false},
            {"name":"2","label":"2","releaseDate":"2021-01-01","isEol":false,"eolFrom":"2030-01-01","isMaintained":true}]}}"#;
        assert_eq!(
            drafts(
                Kind::Lifecycle,
                &document(cycles),
                &subject("pkg:generic/x")
            )
            .unwrap()
            .len(),
            2
        );
        let error = drafts(
            Kind::Lifecycle,
            &document(cycles),
            &subject("pkg:generic/x@1"),
        )
        .err()
        .unwrap();
        assert!(
            matches!(&error, Failure::Usage(text) if text.contains("without a version")),
            "{error}"
        );
    }

    #[test]
    fn a_vex_document_is_published_about_what_it_speaks_of() {
        let vex = br#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,
            "timestamp":"2026-01-01T00:00:00Z","statements":[
            {"vulnerability":"CVE-1","status":"fixed","products":[{"@id":"pkg:cargo/libc@0.2.1"}]},
            {"vulnerability":"CVE-1","status":"fixed","products":[{"@id":"pkg:cargo/b"}]}]}"#;
        let outcome = |subjects: &[&str]| {
            let subjects: Vec<Subject> = subjects
                .iter()
                .map(|text| subject::read(text).unwrap())
                .collect();
            drafts(Kind::Vex, &document(vex), &subjects)
                .map(|drafts| drafts.len())
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
            let error = drafts(*kind, &document(b"{\"a\":1,}"), &[]).err().unwrap();
            assert!(matches!(error, Failure::Usage(_)));
            assert!(error.to_string().starts_with("doc.json: "), "{error}");
        }
    }
}

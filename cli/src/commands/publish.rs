//! `assay publish`: from a tool's document to a signed claim in the log.

use crate::{
    config::{self, Settings},
    exit::Failure,
    input::{self, Document},
    keys::Key,
    output, session, subject, time, view,
};
use assay_client::{Client, Published, Wait};
use assay_core::{
    claim::{self, SigningKey},
    entry::wire,
    issuer::IssuerId,
    limits,
    predicate::{self, Attachment, Prepared},
    statement::{Statement, Subject},
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{path::PathBuf, time::SystemTime};

/// Make a claim of a document, sign it, and publish it.
///
/// Documents that are too large for the log are stored beside it and named by their SHA-256. Publishing the same document
/// again changes nothing: times are taken from the document, else from the file's last change, and only for stdin from the
/// clock.
#[derive(Debug, Args)]
pub struct Command {
    /// What the document is
    kind: Kind,
    /// The document; - is stdin
    file: PathBuf,
    /// What the claim is about: a package URL, a digest (sha256:HEX), or a file whose SHA-256 is taken; may be given
    /// several times [default: what the document says it is about]
    #[arg(long, short, env = "ASSAY_SUBJECT", value_name = "SUBJECT")]
    subject: Vec<String>,
    /// Signing key; several for several signers [default: ~/.config/assay/key.pem]
    #[arg(long, short, env = "ASSAY_KEY", value_delimiter = ',', value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Issuer to sign for, in hex [default: the one in KEY.issuer, else the one that the key alone makes]
    #[arg(long, env = "ASSAY_ISSUER", value_name = "ID", value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
    /// Show the statements that would be signed, and publish nothing
    #[arg(long, env = "ASSAY_DRY_RUN", value_parser = clap::builder::FalseyValueParser::new())]
    dry_run: bool,
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
    /// Support dates: OpenEoX
    Lifecycle,
    /// How it was built: SLSA provenance
    Provenance,
    /// An OpenSSF Scorecard result
    Scorecard,
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
            Kind::Statement => "statement",
        }
    }
}

#[derive(Debug, Serialize)]
struct PublishView {
    claim_id: String,
    leaf_index: u64,
    logged_at: String,
    tree_size: Option<u64>,
    already_logged: bool,
    predicate_type: String,
    attachment: Option<AttachmentView>,
}

#[derive(Debug, Serialize)]
struct AttachmentView {
    sha256: String,
    size: usize,
    media_type: String,
    already_stored: bool,
}

/// A claim that is ready to be signed.
struct Draft {
    prepared: Prepared,
    statement: Statement,
    payload: String,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let subjects = command.subject.iter().map(|text| subject::read(text)).collect::<Result<Vec<_>, _>>()?;
    let document = input::read(&command.file, limits::DOCUMENT_BYTES)?;
    let drafts = drafts(command.kind, &document, &subjects)?;
    if command.dry_run {
        return drafts.iter().try_for_each(|draft| output::text(&draft.payload));
    }
    let keys = Key::read_all(&settings.keys(&command.key))?;
    let issuer = settings.issuer(command.issuer)?;
    let signers: Vec<(IssuerId, &SigningKey)> =
        keys.iter().map(|key| (issuer.unwrap_or_else(|| key.issuer()), &key.signing)).collect();
    let client = session::connect(settings).await?;
    let mut views = vec![];
    for draft in drafts {
        summarize(&draft, settings);
        let claim = claim::sign(draft.payload.as_bytes(), &signers);
        views.push(publish(&client, claim, &draft, settings).await?);
    }
    output::data(settings, || views.iter().map(text).collect::<Vec<_>>().join("\n"), &views)?;
    let ids: Vec<_> = views.iter().map(|view| view.claim_id.as_str()).collect();
    output::say(settings, &format!("next: assay receipt {} --out receipts", ids.join(" ")));
    Ok(())
}

/// Makes the claims that a document holds.
fn drafts(kind: Kind, document: &Document, subjects: &[Subject]) -> Result<Vec<Draft>, Failure> {
    let now = time::rfc3339(document.modified.unwrap_or_else(SystemTime::now));
    let wrong = |reason: String| Failure::Usage(format!("{}: {reason}", document.name));
    let prepared =
        predicate::prepare(kind.name(), &document.name, &document.bytes, &now).map_err(|e| wrong(e.to_string()))?;
    prepared.into_iter().map(|prepared| draft(prepared, subjects).map_err(wrong)).collect()
}

fn draft(prepared: Prepared, subjects: &[Subject]) -> Result<Draft, String> {
    let subjects = match subjects {
        [] => prepared.subjects.clone(),
        given => given.to_vec(),
    };
    if subjects.is_empty() {
        return Err(
            "it does not say what it is about; say it with --subject: a package URL (pkg:cargo/serde@1.0.0), a \
                    digest (sha256:HEX), or the path of a file"
                .into(),
        );
    }
    let statement = Statement::new(subjects, &prepared.predicate_type, prepared.predicate.clone());
    let statement = statement.map_err(|e| format!("it cannot be made into a claim: {e}"))?;
    let payload = statement.to_json();
    if payload.len() > limits::PAYLOAD_BYTES {
        return Err(format!(
            "the claim would have {} bytes, and a log takes {}; publish fewer subjects in one claim",
            payload.len(),
            limits::PAYLOAD_BYTES
        ));
    }
    Ok(Draft { prepared, statement, payload })
}

async fn publish(
    client: &Client,
    claim: wire::Claim,
    draft: &Draft,
    settings: &Settings,
) -> Result<PublishView, Failure> {
    let published = client.publish(claim, Wait::Integrated).await?;
    let attachment = match &draft.prepared.attachment {
        Some(attachment) => Some(upload(client, attachment, &published, settings).await?),
        None => None,
    };
    Ok(PublishView {
        claim_id: published.claim_id.to_string(),
        leaf_index: published.index.get(),
        logged_at: time::rfc3339_of_ms(published.logged_at_ms),
        tree_size: published.proven.map(|entry| entry.checkpoint().size().get()),
        already_logged: published.already_logged,
        predicate_type: draft.prepared.predicate_type.clone(),
        attachment,
    })
}

async fn upload(
    client: &Client,
    attachment: &Attachment,
    published: &Published,
    settings: &Settings,
) -> Result<AttachmentView, Failure> {
    let bar = output::progress(settings, "attachment", attachment.bytes.len() as u64, output::Unit::Bytes);
    let moving = bar.clone();
    let uploaded = client.put_attachment(attachment.bytes.clone(), move |n| moving.inc(n)).await;
    bar.finish_and_clear();
    let already_stored = uploaded.inspect_err(|_| {
        let id = published.claim_id;
        output::say(settings, &format!("claim {id} is logged, its document is not stored: run the same command again"));
    })?;
    Ok(AttachmentView {
        sha256: assay_core::Hash::of(&attachment.bytes).to_hex(),
        size: attachment.bytes.len(),
        media_type: attachment.media_type.clone(),
        already_stored,
    })
}

/// Tells the person what is about to be signed.
fn summarize(draft: &Draft, settings: &Settings) {
    let about = subject::short_list(draft.statement.subjects());
    output::say(settings, &format!("claim: {} about {about}", view::kind(&draft.statement)));
    for (label, value) in &draft.prepared.summary {
        output::say(settings, &format!("  {}: {}", output::plain(label), output::plain(value)));
    }
}

fn text(view: &PublishView) -> String {
    let logged = match view.already_logged {
        true => "was logged before, at",
        false => "logged at",
    };
    let mut text = format!(
        "claim     {}\nleaf      {}, {logged} {}\nproven    in the log of size {}",
        view.claim_id,
        view.leaf_index,
        view.logged_at,
        view.tree_size.unwrap_or_default()
    );
    if let Some(attachment) = &view.attachment {
        text.push_str(&format!("\nattached  sha256:{} ({} bytes)", attachment.sha256, attachment.size));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(bytes: &'static [u8]) -> Document {
        Document { name: "doc.json".into(), bytes: bytes.into(), modified: None }
    }

    #[test]
    fn every_kind_is_one_that_documents_are_prepared_as() {
        let names: Vec<_> = Kind::value_variants().iter().map(|kind| kind.name()).collect();
        assert_eq!(names, predicate::KINDS);
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

//! `assay receipt`: a claim's receipt and those of its issuers' records, as files.

use crate::config::{Settings, parse_issuer};
use crate::{exit::Failure, output, session};
use assay_claims::issuer::IssuerId;
use assay_client::{
    Client, LeafRef,
    receipt::{ENVELOPE_SUFFIX, PROOF_SUFFIX, ReceiptFiles},
    replace_public,
};
use clap::Args;
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Fetch receipts of claims, with those of their issuers' records: CLAIM.intoto.jsonl and
/// CLAIM.tlog-proof of each.
///
/// With these files and the log's key, anyone can verify the claims offline, forever.
#[derive(Debug, Args)]
pub struct Command {
    /// The claims: ids (64 hex digits), leaf numbers, or leaf:LEAFHASH
    #[arg(value_parser = session::leaf, required = true)]
    leaves: Vec<LeafRef>,
    /// Of claims that are named by their ids, those that this issuer signed: whoever signs the same
    /// statement makes a claim of the same id. Without it, whoever signed first
    #[arg(long, env = "ASSAY_BY", value_name = "ID", value_parser = parse_issuer)]
    by: Option<IssuerId>,
    /// Folder for the files
    #[arg(
        long,
        short = 'd',
        env = "ASSAY_OUT",
        value_name = "DIR",
        default_value = "."
    )]
    out: PathBuf,
}

#[derive(Debug, Serialize)]
struct ReceiptView {
    claim_id: String,
    leaf_index: u64,
    tree_size: u64,
    files: [PathBuf; 2],
    issuer_files: Vec<[PathBuf; 2]>,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let (folder, shown) = (&command.out, command.out.display());
    fs::create_dir_all(folder)
        .map_err(|e| Failure::io(format!("cannot make the folder {shown}"), e))?;
    let read = async |client: &Client| {
        let mut receipts = vec![];
        for leaf in &command.leaves {
            let leaf = match (&command.by, *leaf) {
                (Some(issuer), LeafRef::Claim(id)) => client.leaf_by(id, issuer).await?,
                (_, leaf) => leaf,
            };
            receipts.push(client.receipt(leaf).await?);
        }
        Ok(receipts)
    };
    let mut views = vec![];
    for receipt in session::read(settings, read).await? {
        let inclusion = receipt.verified.inclusion();
        let files = write(folder, &receipt.files)?;
        let mut issuer_files = vec![];
        for (files, _) in &receipt.issuers {
            issuer_files.push(write(folder, files)?);
        }
        views.push(ReceiptView {
            claim_id: receipt.files.stem.clone(),
            leaf_index: inclusion.index().get(),
            tree_size: inclusion.checkpoint().size().get(),
            files,
            issuer_files,
        });
    }
    output::data(settings, || text(&views), &views)?;
    output::say(settings, &format!("next: assay verify {shown}"));
    Ok(())
}

/// The files, each once: claims of one issuer share the receipts of its records.
fn text(views: &[ReceiptView]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for view in views {
        for file in view.issuer_files.iter().chain([&view.files]).flatten() {
            let line = file.display().to_string();
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.join("\n")
}

/// Writes both files.
fn write(folder: &Path, files: &ReceiptFiles) -> Result<[PathBuf; 2], Failure> {
    let envelope = folder.join(format!("{}{ENVELOPE_SUFFIX}", files.stem));
    let proof = folder.join(format!("{}{PROOF_SUFFIX}", files.stem));
    for (path, content) in [(&envelope, &files.envelope), (&proof, &files.proof)] {
        replace_public(path, content.as_bytes())
            .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e))?;
    }
    Ok([envelope, proof])
}

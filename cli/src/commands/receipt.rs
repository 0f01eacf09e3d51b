//! `assay receipt`: a claim's receipt and those of its issuers' records, as files.

use crate::{config::Settings, exit::Failure, output, pairing, session};
use assay_client::{LeafRef, ReceiptFiles};
use clap::Args;
use serde::Serialize;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Fetch a claim's receipt: CLAIM.intoto.jsonl and CLAIM.tlog-proof, and the same of its issuers'
/// records.
///
/// With them and the log's key, anyone can verify the claim offline, for ever.
#[derive(Debug, Args)]
pub struct Command {
    /// Claim ids (64 hex digits), leaves' numbers, or leaf:LEAFHASH
    #[arg(value_parser = session::leaf, required = true)]
    leaves: Vec<LeafRef>,
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
    let client = session::connect(settings).await?;
    fs::create_dir_all(&command.out).map_err(|e| {
        Failure::io(
            format!("cannot make the folder {}", command.out.display()),
            e,
        )
    })?;
    let mut views = vec![];
    for leaf in command.leaves {
        let receipt = client.receipt(leaf).await?;
        let inclusion = receipt.verified.inclusion();
        views.push(ReceiptView {
            claim_id: receipt.files.stem.clone(),
            leaf_index: inclusion.index().get(),
            tree_size: inclusion.checkpoint().size().get(),
            files: write(&command.out, &receipt.files)?,
            issuer_files: receipt
                .issuers
                .iter()
                .map(|(files, _)| write(&command.out, files))
                .collect::<Result<_, _>>()?,
        });
    }
    output::data(settings, || text(&views), &views)?;
    output::say(
        settings,
        &format!("next: assay verify {}", command.out.display()),
    );
    Ok(())
}

/// The files, each once: of one issuer's claims the records are the same.
fn text(views: &[ReceiptView]) -> String {
    let mut files: Vec<&PathBuf> = Vec::new();
    for file in views
        .iter()
        .flat_map(|view| view.issuer_files.iter().chain([&view.files]).flatten())
    {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Writes both files so that whoever reads them sees the old or the new one, whole.
fn write(folder: &Path, files: &ReceiptFiles) -> Result<[PathBuf; 2], Failure> {
    let envelope = folder.join(format!("{}{}", files.stem, pairing::ENVELOPE));
    let proof = folder.join(format!("{}{}", files.stem, pairing::PROOF));
    for (path, content) in [(&envelope, &files.envelope), (&proof, &files.proof)] {
        let temporary = path.with_extension("tmp");
        fs::File::create(&temporary)
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e))?;
    }
    Ok([envelope, proof])
}

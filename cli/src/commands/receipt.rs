//! `assay receipt`: a claim's receipt and those of its issuers' records, as files.

use crate::config::{Settings, parse_issuer};
use crate::{exit::Failure, output, session};
use assay_claims::dsse::Envelope;
use assay_claims::issuer::IssuerId;
use assay_client::{
    Client, LeafRef,
    receipt::{ENVELOPE_SUFFIX, PROOF_SUFFIX, ReceiptFiles},
    replace_public,
};
use clap::Args;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Fetch receipts of claims, with those of their issuers' records: CLAIM.intoto.jsonl and
/// CLAIM.tlog-proof of each.
///
/// Where the folder holds a receipt of the same claim that others signed, they are CLAIM-LEAF.*.
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
        let leaf_index = inclusion.index().get();
        let files = write(folder, &receipt.files, leaf_index)?;
        let mut issuer_files = vec![];
        for (files, verified) in &receipt.issuers {
            let leaf = verified.inclusion().index().get();
            issuer_files.push(write(folder, files, leaf)?);
        }
        views.push(ReceiptView {
            claim_id: receipt.files.stem.clone(),
            leaf_index,
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

/// Writes both files. What others signed may have the same id: their receipt stays, and this one's
/// files have the number of the leaf in their names, too.
fn write(folder: &Path, files: &ReceiptFiles, leaf: u64) -> Result<[PathBuf; 2], Failure> {
    let names = [files.stem.clone(), format!("{}-{leaf}", files.stem)];
    for name in names {
        let envelope = folder.join(format!("{name}{ENVELOPE_SUFFIX}"));
        if is_of_others(&envelope, &files.envelope)? {
            continue;
        }
        let proof = folder.join(format!("{name}{PROOF_SUFFIX}"));
        for (path, content) in [(&envelope, &files.envelope), (&proof, &files.proof)] {
            replace_public(path, content.as_bytes())
                .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e))?;
        }
        return Ok([envelope, proof]);
    }
    Err(Failure::Usage(format!(
        "{} has receipts of the claim {} by others, and would lose one; name another folder with \
         --out",
        folder.display(),
        files.stem
    )))
}

/// Whether an envelope is at the path that other keys signed.
fn is_of_others(path: &Path, envelope: &str) -> Result<bool, Failure> {
    match assay_host::files::read(path) {
        Ok(there) => {
            let there = signers(&there);
            Ok(there.is_some() && there != signers(envelope.as_bytes()))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Failure::io(format!("cannot read {}", path.display()), e)),
    }
}

/// The keys that an envelope names, if it is one.
fn signers(envelope: &[u8]) -> Option<BTreeSet<String>> {
    let signatures = Envelope::parse(envelope).ok()?.signatures.into_iter();
    signatures.map(|signature| signature.keyid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(key: &str, proof: &str) -> ReceiptFiles {
        ReceiptFiles {
            stem: "abab".to_owned(),
            envelope: format!(
                "{{\"payload\":\"\",\"payloadType\":\"\",\
                 \"signatures\":[{{\"keyid\":\"{key}\",\"sig\":\"\"}}]}}\n"
            ),
            proof: proof.to_owned(),
        }
    }

    #[test]
    fn a_receipt_takes_the_place_of_its_own_and_of_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let write = |key: &str, proof: &str, leaf| {
            let [envelope, _] = write(folder, &files(key, proof), leaf)?;
            let name = envelope.file_name().unwrap_or_default();
            Ok::<_, Failure>(name.to_string_lossy().into_owned())
        };
        let first = format!("abab{ENVELOPE_SUFFIX}");
        let second = format!("abab-7{ENVELOPE_SUFFIX}");
        for proof in ["old", "new"] {
            assert_eq!(write("a", proof, 5).unwrap(), first);
            assert_eq!(write("b", proof, 7).unwrap(), second);
        }
        // The same number in another log.
        let refused = write("c", "new", 7).unwrap_err().to_string();
        assert!(refused.contains("name another folder"), "{refused}");
        for (name, key) in [("abab", "a"), ("abab-7", "b")] {
            let read = |end| fs::read_to_string(folder.join(format!("{name}{end}"))).unwrap();
            assert_eq!(read(ENVELOPE_SUFFIX), files(key, "").envelope);
            assert_eq!(read(PROOF_SUFFIX), "new");
        }
        // What a crash left is no receipt.
        fs::write(folder.join(&first), "{").unwrap();
        assert_eq!(write("c", "new", 9).unwrap(), first);
    }
}

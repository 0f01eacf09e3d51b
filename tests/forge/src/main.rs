//! What a log's operator could do who wants to show two histories, or whoever has the log's key:
//! signs another tree of the size that a witness holds, and asks the witness to cosign it. For the
//! demo and for tests. It has no other use.

use anyhow::{Context, ensure};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::SignerKey;
use clap::Parser;
use std::{fs, path::PathBuf};

/// Signs another tree than the one that a witness holds, and asks the witness to cosign it.
#[derive(Parser)]
struct Arguments {
    /// The log's key file.
    #[arg(long)]
    key: PathBuf,
    /// The witness's address.
    #[arg(long)]
    witness: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let text = fs::read_to_string(&arguments.key);
    let text = text.with_context(|| format!("cannot read {}", arguments.key.display()))?;
    let key = SignerKey::parse(text.trim_end())?;

    let origin = key.name();
    let held = reqwest::get(format!(
        "{}/witness/{}/checkpoint",
        arguments.witness,
        Hash::of(origin.as_bytes())
    ));
    let held = held.await?.error_for_status()?.text().await?;
    let head = LogVerifier::new(origin, vec![key.verifier()])?.verify(&held)?;
    ensure!(head.size().get() > 0, "the witness holds an empty tree");

    let other = Checkpoint {
        origin: origin.to_owned(),
        size: head.size(),
        root: Hash::of(b"another history"),
    };
    let body = format!("old {}\n\n{}", head.size().get(), other.sign(&key));
    let url = format!("{}/add-checkpoint", arguments.witness);
    let answer = reqwest::Client::new().post(url).body(body).send().await?;
    println!("size      {}", head.size().get());
    println!("held      {}", head.root());
    println!("forged    {}", other.root);
    println!("answer    {}", answer.status().as_u16());
    print!("          {}", answer.text().await?);
    Ok(())
}

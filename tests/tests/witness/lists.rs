//! Logs from lists: of the configuration, and by the command that operators type.

use super::size;
use anyhow::ensure;
use assay_tests::{
    process::{binaries, poll},
    witness::{History, Witness},
};
use assay_tlog::note::SignerKey;
use std::{
    fs,
    process::{Command, Output, Stdio},
};

const LISTED: &str = "listed.example/log";
const LATER: &str = "later.example/log";

/// A list with these keys.
fn list(keys: &[String]) -> String {
    let logs = keys.iter();
    let logs = logs.map(|key| format!("vkey {key}\nqpd 86400\ncontact somebody\n"));
    format!("logs/v0\n{}", logs.collect::<String>())
}

/// `assay-node log-list import FILE`, of a file in the witness's folder.
fn import(witness: &Witness, file: &str) -> anyhow::Result<Output> {
    let mut run = Command::new(binaries().join("assay-node"));
    run.args(["log-list", "import", "--config"])
        .arg(witness.folder().join("witness.toml"))
        .arg(witness.folder().join(file))
        .stdin(Stdio::null());
    Ok(run.output()?)
}

fn said(output: &Output) -> anyhow::Result<String> {
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout.clone())?)
}

#[tokio::test]
async fn a_list_adds_logs_and_changes_none() -> anyhow::Result<()> {
    let mut witness = Witness::init()?;
    let (listed, later) = (History::new(LISTED, 9)?, History::new(LATER, 9)?);
    let folder = witness.folder().to_owned();
    let write = |name: &str, keys: &[String]| fs::write(folder.join(name), list(keys));
    write("logs.v0", &[listed.vkey()])?;
    write("later.v0", &[later.vkey()])?;
    let other = SignerKey::from_seed(LISTED, &[7; 32])?;
    write("other.v0", &[other.verifier().to_string()])?;
    let config = witness.folder().join("witness.toml");
    let table = "\n[[log_list]]\nsource = \"file:logs.v0\"\nrole = \"witness\"\n";
    fs::write(&config, fs::read_to_string(&config)? + table)?;

    // The list of the configuration is read soon after the start.
    witness.run()?;
    let taken = witness.folder().join("listed.toml");
    poll(|| Ok(taken.exists().then_some(())))?;
    while witness.add(listed.request(0, 3)?).await?.status == 404 {
        tokio::task::yield_now().await;
    }
    assert_eq!(witness.add(listed.request(0, 4)?).await?, size(3));

    // By the command, while the witness runs.
    assert_eq!(witness.add(later.request(0, 3)?).await?.status, 404);
    assert_eq!(
        said(&import(&witness, "later.v0")?)?,
        format!("added {LATER}\n")
    );
    assert_eq!(witness.add(later.request(0, 3)?).await?.status, 200);

    // Another key of a known log is said aloud, and not taken.
    let told = said(&import(&witness, "other.v0")?)?;
    ensure!(
        told.starts_with(&format!("NOT CHANGED {LISTED}: ")),
        "{told}"
    );
    let forged = listed.checkpoint(4).sign(&other);
    let forged = assay_tests::witness::request(3, &listed.proof(3, 4)?, &forged);
    assert_eq!(witness.add(forged).await?.status, 403);
    assert_eq!(witness.add(listed.request(3, 4)?).await?.status, 200);

    // What was taken stays, also without the list, and after a kill.
    write("logs.v0", &[])?;
    witness.kill()?;
    let nothing = import(&witness, "logs.v0")?;
    ensure!(said(&nothing)?.is_empty());
    let broken = witness.folder().join("broken.v0");
    fs::write(&broken, list(&[later.vkey()]) + "vkey")?;
    assert_eq!(import(&witness, "broken.v0")?.status.code(), Some(3));
    witness.run()?;
    assert_eq!(witness.add(listed.request(0, 5)?).await?, size(4));
    assert_eq!(witness.add(later.request(3, 5)?).await?.status, 200);
    let page = witness.get("/federation.json").await?;
    ensure!(page.body.contains("\"logs\":2"), "{}", page.body);
    Ok(())
}

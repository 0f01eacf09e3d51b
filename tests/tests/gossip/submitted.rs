//! What a client passes on of what logs showed it, and what it keeps to itself.

use super::world::{World, until};
use anyhow::ensure;
use assay_tests::process::{Node, assay};
use assay_tests::witness::Witness;
use std::fs;

const LOG: &str = "shown.example/log";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_submits_heads_that_a_quorum_cosigned_and_no_others() -> anyhow::Result<()> {
    let mut witness = Witness::named("w.example/w")?;
    let mut node = Node::init_as(LOG)?;
    let (vkey, cosigner) = (node.vkey()?, witness.vkeys[0].clone());
    witness.add_log(LOG, &vkey)?;
    witness.run()?;
    let url = &witness.ready()?.url;
    let quorum = format!("witness w {cosigner} {url}\nquorum w\n");
    fs::write(node.folder().join("quorum.policy"), quorum)?;
    node.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
    node.run()?;
    let url = node.ready().url.clone();
    until("a checkpoint", async || {
        let answer = reqwest::get(format!("{url}/checkpoint")).await?;
        Ok(answer.status().is_success().then_some(()))
    })
    .await?;

    // Another node knows the log, and is not shown it. To the client it is where the witness is.
    let card = format!("[[peer]]\nname = \"shown\"\nurl = {url:?}\nlog = [{vkey:?}]\nroles = []\n");
    let mut other = World::new(&["o"], &card, &[])?;
    other.run()?;
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    let policy = |quorum: &str| {
        format!(
            "version = 1\nunknown = \"allow\"\ntlog_policy = \"\"\"\nlog {vkey}\nwitness w \
             {cosigner} {}\n{quorum}\n\"\"\"\n[[log]]\norigin = {LOG:?}\nurl = {url:?}\n",
            other.url(0)
        )
    };
    write("policy.toml", &policy("quorum w"))?;
    write("none.toml", &policy("quorum none"))?;
    write("off.toml", "submit_heads = false\n")?;
    let heads = format!("{}/heads", other.url(0));
    let knows = async || anyhow::Ok(other.get(&heads).await?.contains(LOG));
    let look_up = |options: &[&str]| {
        let lookup = ["lookup", "pkg:cargo/serde@1.0.0"];
        let ended = assay(folder.path(), &[&lookup, options].concat())?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        ensure!(matches!(ended.status.code(), Some(0 | 1)), "{said}");
        anyhow::Ok(())
    };
    for options in [
        &["--policy", "policy.toml", "--config", "off.toml"][..],
        &["--policy", "policy.toml", "--private"],
        &["--policy", "none.toml"],
    ] {
        look_up(options)?;
        ensure!(!knows().await?, "{options:?}");
    }
    look_up(&["--policy", "policy.toml"])?;
    ensure!(knows().await?);
    Ok(())
}

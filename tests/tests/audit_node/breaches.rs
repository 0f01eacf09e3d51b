//! Breaches, from node to node: told by gossip and by hand, and what follows from them.

use super::site::Made;
use super::{Auditor, PATIENCE};
use anyhow::{Context, ensure};
use assay_claims::entry;
use assay_claims::misbehavior::breach::{Accuser, EntryReader};
use assay_tests::{
    issuer::Actor,
    ports::free_address,
    process::{Node, assay, binaries},
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::LogVerifier;
use assay_tlog::tree::{Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize};
use bytes::Bytes;
use std::{
    convert::Infallible,
    fs,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

/// A log of one tile.
struct OneTile(Arc<Tile>, Vec<Bytes>);

impl EntryReader for OneTile {
    type Error = Infallible;

    fn entry(&self, leaf: LeafIndex) -> Result<Bytes, Infallible> {
        Ok(self.1[leaf.get() as usize].clone())
    }
}

impl TileReader for OneTile {
    type Error = Infallible;

    fn tiles(&self, _: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(vec![self.0.clone()])
    }
}

/// What a log shows that signs one claim more than it serves, and no commitment behind it.
fn secret(log: &Made, issuer: &Actor) -> anyhow::Result<String> {
    let mut entries = log.entries.clone();
    entries.push(entry::encode(log.at + 1, issuer.claim(9_999))?);
    let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut tree = Frontier::new();
    tree.append(&hashes);
    let checkpoint = Checkpoint {
        origin: log.key.name().to_owned(),
        size: tree.size(),
        root: tree.root(),
    };
    let verifier = LogVerifier::new(log.key.name(), vec![log.key.verifier()])?;
    let head = verifier.verify(&checkpoint.sign(&log.key))?;
    let log = OneTile(Arc::new(Tile::from_hashes(hashes)?), entries);
    let accuser = Accuser::of_log(&head, &log, &log);
    Ok(accuser.last_leaf()?.text().to_owned())
}

/// An honest log of one tile.
fn log(origin: &str, issuer: &Actor) -> anyhow::Result<Made> {
    let mut log = Made::new(origin)?;
    log.push(issuer.registration()?)?;
    for number in 0..50 {
        log.push(issuer.claim(number))?;
    }
    log.commit()?;
    log.publish()?;
    Ok(log)
}

/// A node without a mirror, which exchanges heads with another one and with a log.
fn teller(auditor: &Auditor, log: &Made) -> anyhow::Result<Node> {
    let node = Node::init_as("teller.example/log")?;
    node.configure("federation.gossip_interval_ms = 500")?;
    let cards = format!(
        "[[peer]]\nname = \"auditor.example\"\nurl = {:?}\n[[peer]]\nname = \"log.example\"\nurl = \
         \"http://{}\"\nlog = [{:?}]\n",
        auditor.node.ready().url,
        free_address()?,
        log.key.verifier().to_string()
    );
    let path = node.folder().join("cards");
    fs::write(&path, cards)?;
    let output = Command::new(binaries().join("assay-node"))
        .args(["peer", "add", "--config"])
        .arg(node.folder().join("node.toml"))
        .arg(&path)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}");
    Ok(node)
}

async fn listed(node: &Node) -> anyhow::Result<String> {
    let answer = reqwest::get(format!("{}/misbehavior", node.ready().url)).await?;
    Ok(answer.error_for_status()?.text().await?)
}

/// Waits until a node lists something.
async fn told(node: &Node) -> anyhow::Result<String> {
    let started = Instant::now();
    loop {
        let lines = listed(node).await?;
        if !lines.is_empty() {
            return Ok(lines);
        }
        ensure!(started.elapsed() < PATIENCE, "{}", node.stderr());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Hands a text to a node. Returns the exit code and what was said.
fn report(folder: &Path, node: &Node, text: &str) -> anyhow::Result<(i32, String)> {
    fs::write(folder.join("breach"), text)?;
    let url = node.ready().url.clone();
    let output = assay(folder, &["misbehavior", "report", "breach", "--node", &url])?;
    let said = [output.stdout, output.stderr].concat();
    let code = output.status.code().context("no exit code")?;
    Ok((code, String::from_utf8(said)?))
}

/// What the node says of its copy, and what consumers see of that.
async fn on_the_page(auditor: &Auditor, good: u64, id: &str) -> anyhow::Result<()> {
    let page = auditor.get("/federation.json").await?.context("a page")?;
    let page: serde_json::Value = serde_json::from_str(&page)?;
    let copy = &page["copies"][0];
    assert_eq!(
        (&copy["audit"], &copy["audited"]),
        (&"broken".into(), &good.into())
    );
    assert_eq!(copy["breach"], id, "{page}");
    let folder = tempfile::tempdir()?;
    let own = auditor.node.ready().url.clone();
    let said = assay(folder.path(), &["peers", "--node", &own])?.stdout;
    let words = format!("repeats.example/log  broken; audited to {good}; breach {id}, as assay-");
    assert!(
        String::from_utf8(said.clone())?.contains(&words),
        "{said:?}"
    );
    // Whoever reads the record is not told of a conviction.
    let record = auditor.get("/log").await?.context("a page")?;
    let rule = "<strong>A rule was broken:</strong>";
    assert!(record.contains(rule), "{record}");
    assert!(!record.contains("CONVICTED"), "{record}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breach_that_an_auditor_finds_is_told_to_other_nodes() -> anyhow::Result<()> {
    let issuer = Actor::new(&[1], 1);
    let mut log = log("repeats.example/log", &issuer)?;
    let good = log.size();
    let mut auditor = Auditor::new(&[&log])?;
    auditor.node.run()?;
    auditor.until(&log, "audited").await?;
    let mut teller = teller(&auditor, &log)?;
    teller.run()?;
    log.push(issuer.claim(3))?;
    log.commit()?;
    log.publish()?;
    let status = auditor.until(&log, "broken").await?;
    let line = told(&teller).await?;
    // Both say the same, and who judged.
    assert_eq!(line, listed(&auditor.node).await?);
    let (id, rest) = line.split_once(' ').context("an id")?;
    assert!(
        rest.starts_with("entry log repeats.example/log assay-claims "),
        "{line}"
    );
    let status = match status["breach"]["id"].as_str() {
        Some(_) => status,
        None => auditor.status(&log).await?,
    };
    assert_eq!(status["breach"]["id"], id, "{status}");
    let text = reqwest::get(format!("{}/misbehavior/{id}", teller.ready().url)).await?;
    let served = format!("{}/audit/breach", log.path());
    assert_eq!(Some(text.text().await?), auditor.get(&served).await?);
    // The mirror cosigns as before.
    let expected = [Some((log.size(), true, false)), Some((good, false, true))];
    auditor.until_heads(&log, expected).await?;

    on_the_page(&auditor, good, id).await?;

    let (folder, key) = (tempfile::tempdir()?, log.key.verifier().to_string());
    let url = teller.ready().url.clone();
    let list = ["misbehavior", "list", "--node", &url, "--log-key", &key];
    let said = String::from_utf8(assay(folder.path(), &list)?.stdout)?;
    assert!(
        said.contains(id) && said.contains("convicts nobody for good"),
        "{said}"
    );
    // It is kept, and told again.
    teller.kill()?;
    teller.run()?;
    assert_eq!(listed(&teller).await?, line);
    teller.stop()?;
    auditor.node.stop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breach_that_somebody_reports_ends_audit_cosignatures_only() -> anyhow::Result<()> {
    let issuer = Actor::new(&[1], 1);
    let mut logs = ["honest.example/log", "secret.example/log"]
        .iter()
        .map(|origin| log(origin, &issuer))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let stranger = log("stranger.example/log", &issuer)?;
    let mut auditor = Auditor::new(&logs.iter().collect::<Vec<_>>())?;
    auditor.node.run()?;
    for log in &logs {
        auditor.until(log, "audited").await?;
    }
    let good = logs[1].size();
    let folder = tempfile::tempdir()?;
    let text = secret(&logs[1], &issuer)?;
    let changed = text.replacen("entry 5", "entry 4", 1);
    let (code, said) = report(folder.path(), &auditor.node, &changed)?;
    assert!(code != 0 && said.contains("not in the log"), "{said}");
    let (code, said) = report(folder.path(), &auditor.node, &secret(&stranger, &issuer)?)?;
    let unknown = "does not know the log stranger.example/log as an Assay log";
    assert!(code != 0 && said.contains(unknown), "{said}");
    assert_eq!(listed(&auditor.node).await?, "");

    let (code, said) = report(folder.path(), &auditor.node, &text)?;
    assert!(code == 0 && said.contains("new"), "{said}");
    let id = Hash::of(text.as_bytes()).to_hex();
    for restarted in [false, true] {
        if restarted {
            auditor.node.kill()?;
            auditor.node.run()?;
        }
        for log in &mut logs {
            for number in 100..110 {
                log.push(issuer.claim(number + 10 * u64::from(restarted)))?;
            }
            log.commit()?;
            log.publish()?;
        }
        let size = logs[1].size();
        let expected = [Some((size, true, false)), Some((good, false, true))];
        auditor.until_heads(&logs[1], expected).await?;
        let status = auditor.until(&logs[1], "broken").await?;
        assert_eq!(
            (&status["breach"]["id"], &status["finding"]),
            (&id.clone().into(), &().into())
        );
        auditor.until(&logs[0], "audited").await?;
    }
    let (code, said) = report(folder.path(), &auditor.node, &text)?;
    assert!(code == 0 && said.contains("known"), "{said}");
    cleared(auditor, &logs, &text).await
}

/// An operator clears the breach; it comes back when it is reported.
async fn cleared(mut auditor: Auditor, logs: &[Made], text: &str) -> anyhow::Result<()> {
    let clear = |name: &str| {
        let mut command = Command::new(binaries().join("assay-node"));
        let config = auditor.node.folder().join("node.toml");
        command
            .args(["audit", "clear", name, "--config"])
            .arg(config);
        command.output()
    };
    let nothing = clear(logs[0].key.name())?;
    let said = String::from_utf8(nothing.stderr)?;
    assert!(
        !nothing.status.success() && said.contains("nothing is held against"),
        "{said}"
    );
    let done = clear(logs[1].key.name())?;
    let said = String::from_utf8([done.stdout, done.stderr].concat())?;
    let id = Hash::of(text.as_bytes()).to_hex();
    assert!(done.status.success() && said.contains(&id), "{said}");
    assert!(
        said.contains("assay-claims ") && said.contains("comes back"),
        "{said}"
    );
    auditor.until(&logs[1], "audited").await?;
    let whole = Some((logs[1].size(), true, true));
    auditor
        .until_heads(&logs[1], [whole, Some((logs[1].size(), false, true))])
        .await?;
    assert_eq!(listed(&auditor.node).await?, "");
    let folder = tempfile::tempdir()?;
    let (code, said) = report(folder.path(), &auditor.node, text)?;
    assert!(code == 0 && said.contains("new"), "{said}");
    auditor.until(&logs[1], "broken").await?;
    auditor.node.stop()
}

//! Peers that come and go while nodes run, by the commands that operators type.

use super::{ORIGIN, size};
use anyhow::{Context, ensure};
use assay_tests::{
    log::Log,
    ports::free_address,
    process::{self, Node, binaries},
    static_http::StaticHttp,
    witness::{History, Witness},
};
use assay_tlog::{Hash, tlog_policy::TlogPolicy};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

/// Runs `assay-node peer COMMAND --config CONFIG …`.
fn peer(config: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    let (command, rest) = arguments.split_first().context("no command")?;
    let mut run = Command::new(binaries().join("assay-node"));
    run.args(["peer", command, "--config"])
        .arg(config)
        .args(rest)
        .stdin(Stdio::null());
    Ok(run.output()?)
}

/// The same, which has to succeed; returns what it printed.
fn done(config: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = peer(config, arguments)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The same, which has to fail; returns why.
fn refused(config: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = peer(config, arguments)?;
    ensure!(output.status.code() == Some(3), "{:?}", output.status);
    Ok(String::from_utf8(output.stderr)?)
}

fn node_config(node: &Node) -> PathBuf {
    node.folder().join("node.toml")
}

/// Writes what a command printed to a file of this folder.
fn kept(folder: &Path, name: &str, text: &str) -> anyhow::Result<String> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(path.to_str().context("no text")?.to_owned())
}

/// A log is cosigned as soon as it is a peer, not any more when it was removed, and again, from
/// where it was, when it comes back; also by a witness that was killed.
#[tokio::test]
async fn a_log_is_witnessed_while_it_is_a_peer() -> anyhow::Result<()> {
    let mut witness = Witness::init()?;
    witness.run()?;
    let config = witness.folder().join("witness.toml");
    let log = History::new(ORIGIN, 9)?;
    let table = "[[peer]]\nname = \"a\"\nurl = \"https://a.example\"\nlog = [";
    let card = format!("{table}{:?}]\n", log.vkey());
    let card = kept(witness.folder(), "a.peer", &card)?;

    assert_eq!(witness.add(log.request(0, 3)?).await?.status, 404);
    done(&config, &["add", &card])?;
    assert_eq!(witness.add(log.request(0, 3)?).await?.status, 200);
    let twice = refused(&config, &["add", &card])?;
    assert!(twice.contains("a stands there twice"), "{twice}");

    done(&config, &["remove", "a"])?;
    assert_eq!(witness.add(log.request(3, 5)?).await?.status, 404);
    assert_eq!(witness.monitored(ORIGIN).await?.status, 404);
    done(&config, &["add", &card])?;
    // It forgot nothing, of what it cosigned or would have.
    assert_eq!(witness.add(log.fork(2).request(0, 4)?).await?, size(3));
    assert_eq!(witness.add(log.request(3, 5)?).await?.status, 200);

    // Killed, it still knows its peers, and the socket that is left does no harm.
    witness.kill()?;
    assert!(witness.folder().join("admin.sock").exists());
    assert!(done(&config, &["list"])?.contains("name = \"a\""));
    witness.run()?;
    assert_eq!(witness.add(log.request(0, 4)?).await?, size(5));
    done(&config, &["remove", "a"])?;
    assert_eq!(witness.add(log.request(5, 7)?).await?.status, 404);
    Ok(())
}

/// What two operators type to join a log and a witness, and what each is told of the other.
#[tokio::test]
async fn a_log_takes_the_witnesses_of_its_peers() -> anyhow::Result<()> {
    let mut witness = Witness::named("w.example/w")?;
    witness.run()?;
    let witnessing = witness.folder().join("witness.toml");
    let url = witness.ready()?.url.clone();
    let card = done(&witnessing, &["card", "--name", "w.example", "--url", &url])?;
    let card = kept(witness.folder(), "w.peer", &card)?;

    let mut node = Node::init()?;
    let config = node_config(&node);
    let address = free_address()?;
    node.configure(&format!("server.listen = \"{address}\""))?;
    let own_url = format!("http://{address}");
    done(&config, &["add", &card])?;
    let status = done(&config, &["status"])?;
    assert!(
        status.contains("has not cosigned this log: it answered 404"),
        "{status}"
    );
    let own = done(&config, &["card", "--name", "n.example", "--url", &own_url])?;
    let own = kept(node.folder(), "n.peer", &own)?;
    done(&witnessing, &["add", &own])?;
    let policy = done(&config, &["policy"])?;
    assert_eq!(TlogPolicy::parse(&policy)?.witnesses().len(), 2);
    fs::write(node.folder().join("quorum.policy"), &policy)?;
    node.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;

    node.run()?;
    shown(&node).await?;
    let status = done(&config, &["status"])?;
    assert!(status.contains("cosigned size 1 of this log"), "{status}");
    let status = done(&witnessing, &["status"])?;
    assert!(status.contains("its log has size 1"), "{status}");
    node.stop()?;
    let status = done(&witnessing, &["status"])?;
    assert!(status.contains("its log cannot be seen"), "{status}");
    Ok(())
}

/// A node's own witness takes the logs of the node's peers, and what cannot be meant is refused by
/// the node that runs as it is by the command.
#[tokio::test]
async fn the_running_node_refuses_what_the_command_refuses() -> anyhow::Result<()> {
    let mut node = Node::init()?;
    let config = node_config(&node);
    let own = done(
        &config,
        &["card", "--name", "n", "--url", "https://n.example"],
    )?;
    let own = kept(node.folder(), "own.peer", &own)?;
    let bad = kept(
        node.folder(),
        "bad.peer",
        "[[peer]]\nname = \"x y\"\nurl = \"https://x\"\n",
    )?;
    let good = "[[peer]]\nname = \"x\"\nurl = \"https://x.example\"\n";
    let good = kept(node.folder(), "good.peer", good)?;
    let by_hand = [
        refused(&config, &["add", &own])?,
        refused(&config, &["add", &bad])?,
        refused(&config, &["add", &good, &good])?,
        refused(&config, &["remove", "y"])?,
        refused(&config, &["card", "--name", "n", "--url", "n.example"])?,
    ];
    node.run()?;
    assert_eq!(
        by_hand,
        [
            refused(&config, &["add", &own])?,
            refused(&config, &["add", &bad])?,
            refused(&config, &["add", &good, &good])?,
            refused(&config, &["remove", "y"])?,
            refused(&config, &["card", "--name", "n", "--url", "n.example"])?,
        ]
    );
    assert!(by_hand[0].contains("this node's own log"), "{}", by_hand[0]);
    assert_eq!(done(&config, &["list"])?, "");
    done(&config, &["add", &good])?;
    node.stop()?;
    assert!(!node.folder().join("admin.sock").exists());
    done(&config, &["remove", "x"])?;
    Ok(())
}

/// Waits until a node shows a checkpoint.
async fn shown(node: &Node) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let log = Log::connect(node.ready()).await?;
    while log.size().await.is_err() {
        ensure!(tokio::time::Instant::now() < deadline, "{}", node.stderr());
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// What another node says is shown on a line of its own, whatever it is, and an error is one.
#[tokio::test]
async fn an_auditor_of_a_peer_says_why_it_cosigns_nothing() -> anyhow::Result<()> {
    let node = Node::init()?;
    let (config, folder) = (node_config(&node), tempfile::tempdir()?);
    let page = StaticHttp::serve(folder.path())?;
    let digest = Hash::of(process::ORIGIN.as_bytes());
    let at = folder.path().join(format!("mirror/{digest}"));
    fs::create_dir_all(&at)?;
    let auditor = Witness::named("x.example/x")?;
    let card = done(
        &auditor.folder().join("witness.toml"),
        &["card", "--name", "x", "--url", &page.url()],
    )?;
    let card = card.replace("witness = ", "audit = ");
    done(&config, &["add", &kept(node.folder(), "x.peer", &card)?])?;
    let status = done(&config, &["status"])?;
    assert!(status.contains("it answered 404"), "{status}");
    let reason = "\u{202e}gnorw\u{1b}[2J\nall is well".to_owned() + &"x".repeat(10_000);
    let finding = json!({"finding": {"leaf": "\u{202e}7", "reason": reason}});
    fs::write(at.join("audit"), finding.to_string())?;
    let status = done(&config, &["status"])?;
    assert!(
        status.contains("\\u{202e}gnorw\\u{1b}[2J\\nall is well"),
        "{status}"
    );
    assert!(
        !status.contains(['\u{202e}', '\u{1b}']) && status.len() < 1_000,
        "{status}"
    );
    Ok(())
}

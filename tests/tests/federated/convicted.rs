//! A log that signed two histories: who knows says so, and whoever asks believes the proof.

use super::world::{World, cargo_lock, introduce};
use anyhow::Context;
use assay_claims::misbehavior::VerifiedMisbehavior;
use assay_tests::process::Node;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::SignerKey;
use assay_tlog::tree::TreeSize;
use serde_json::{Value, json};
use std::fs;

/// Two trees of one size that a node's key signed.
fn two_histories(node: &Node) -> anyhow::Result<VerifiedMisbehavior> {
    let key = fs::read_to_string(node.folder().join("log.key"))?;
    let key = SignerKey::parse(key.trim_end())?;
    let log = LogVerifier::new(key.name(), vec![key.verifier()])?;
    let head = |root: &str| -> anyhow::Result<VerifiedHead> {
        let checkpoint = Checkpoint {
            origin: key.name().to_owned(),
            size: TreeSize::new(1000),
            root: Hash::of(root.as_bytes()),
        };
        Ok(log.verify(&checkpoint.sign(&key))?)
    };
    Ok(VerifiedMisbehavior::of_log(
        &head("one")?,
        &head("another")?,
        None,
    )?)
}

fn states(world: &World, more: &[&str]) -> anyhow::Result<(Option<i32>, Vec<Value>)> {
    let check = ["check", "Cargo.lock", "--policy", "policy.toml"];
    let ended = world.run(&[&check[..], &["--output", "json"], more].concat())?;
    let report = ended.json()?;
    let logs = report["logs"].as_array().context("no logs")?;
    let states = logs.iter().map(|log| log["state"].clone()).collect();
    Ok((ended.code, states))
}

/// One other node that knows is enough; then this machine remembers, whoever is gone.
#[test]
fn a_log_that_is_proven_to_lie_is_refused() -> anyhow::Result<()> {
    let mut nodes = Vec::new();
    for origin in ["a.example/log", "b.example/log"] {
        let mut node = Node::init_as(origin)?;
        node.configure("log.publish_interval_ms = 1")?;
        node.run()?;
        nodes.push(node);
    }
    let mut world = World::new(nodes)?;
    world.write("Cargo.lock", &cargo_lock(&["fine"]))?;
    world.policy("policy.toml", "", "")?;
    let answered = (Some(0), vec![json!("answered"), json!("answered")]);
    assert_eq!(states(&world, &[])?, answered);

    let proof = two_histories(&world.nodes[0])?;
    world.write("proof", proof.text())?;
    let url = world.ready(1).url.clone();
    let report = ["misbehavior", "report", "proof", "--node", &url];
    let stranger = world.run(&report)?;
    assert_eq!(stranger.code, Some(2), "{}", stranger.stderr);
    assert_eq!(states(&world, &[])?, answered);

    introduce(&world.nodes[0], &world.nodes[1], "gossip")?;
    let reported = world.run(&report)?;
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    let convicted = (Some(4), vec![json!("convicted"), json!("answered")]);
    assert_eq!(states(&world, &[])?, convicted);
    let check = ["check", "Cargo.lock", "--policy", "policy.toml"];
    let ended = world.run(&check)?;
    let said = ended.stdout + &ended.stderr;
    assert!(said.contains("a.example/log"), "{said}");
    assert!(said.contains("it signed two histories"), "{said}");
    assert_eq!(states(&world, &["--offline"])?, convicted);
    let verify = ["misbehavior", "verify", "proof", "--policy", "policy.toml"];
    assert_eq!(world.run(&verify)?.code, Some(0));

    world.nodes[1].stop()?;
    let alone = (Some(4), vec![json!("convicted"), json!("unreachable")]);
    assert_eq!(states(&world, &[])?, alone);
    Ok(())
}

//! A log or a witness that signed two histories: who knows says so, and whoever asks believes the
//! proof.

use super::{
    witnesses,
    world::{Ended, World, cargo_lock, introduce},
};
use anyhow::Context;
use assay_claims::misbehavior::{Role, VerifiedMisbehavior};
use assay_tests::process::{Node, ORIGIN, Ready};
use assay_tests::witness::Witness;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::{CosignedHead, CosignerVerifier};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::{CosignerKey, SignerKey};
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

/// What commands make of the first log that read a receipt of it or ask it alone. Each says why it
/// does not rely on the log, if it does not.
fn relies(world: &World, claim: &str) -> anyhow::Result<[Option<i32>; 6]> {
    let Ready { vkey, url, .. } = world.ready(0);
    let key = ["--log-key", vkey.as_str()];
    let at = [&key[..], &["--log", url.as_str()]].concat();
    let commands = [
        [&["verify", "receipts"][..], &key].concat(),
        ["verify", "receipts", "--policy", "policy.toml"].to_vec(),
        [&["log"][..], &at].concat(),
        [&["get", claim], &at[..]].concat(),
        [&["receipt", claim, "--out", "again"], &at[..]].concat(),
        [&["audit"], &at[..]].concat(),
    ];
    let mut codes = [None; 6];
    for (code, command) in codes.iter_mut().zip(commands) {
        let ended = world.run(&command)?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let says = "it is proven that it signed two histories";
        assert_eq!(
            said.contains(says),
            ended.code == Some(4),
            "{command:?}: {said}"
        );
        *code = ended.code;
    }
    Ok(codes)
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

    let claim = world.affected(0, "pkg:cargo/bad@1.0.0")?;
    world.at(0, &["receipt", &claim, "--out", "receipts"])?;
    assert_eq!(relies(&world, &claim)?, [Some(0); 6]);

    let proof = two_histories(&world.nodes[0])?;
    world.write("proof", proof.text())?;
    let url = world.ready(1).url.clone();
    let report = ["misbehavior", "report", "proof", "--node", &url];
    let stranger = world.run(&report)?;
    assert_eq!(stranger.code, Some(2), "{}", stranger.stderr);
    assert_eq!(states(&world, &[])?, answered);

    let watch = "watch pkg:cargo/fine --policy policy.toml --once";
    let watch: Vec<&str> = watch.split(' ').collect();
    let watched = world.run(&watch)?;
    assert_eq!(watched.code, Some(0), "{}", watched.stderr);

    introduce(&world.nodes[0], &world.nodes[1], "gossip")?;
    let reported = world.run(&report)?;
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    // Also where nothing is new.
    let watched = world.run(&watch)?;
    assert_eq!(watched.code, Some(4), "{}", watched.stderr);
    let says = "a.example/log: it is proven that it signed two histories";
    assert!(watched.stderr.contains(says), "{}", watched.stderr);
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
    assert_eq!(relies(&world, &claim)?, [Some(4); 6]);

    world.nodes[1].stop()?;
    let alone = (Some(4), vec![json!("convicted"), json!("unreachable")]);
    assert_eq!(states(&world, &[])?, alone);
    Ok(())
}

/// Two trees of one size that a witness cosigned, one with each of its keys.
fn two_cosigned(witness: &Witness) -> anyhow::Result<VerifiedMisbehavior> {
    let mut keys = Vec::new();
    for name in ["witness.key", "witness-ml-dsa-44.key"] {
        let text = fs::read_to_string(witness.folder().join(name))?;
        keys.push(CosignerKey::parse(text.trim_end())?);
    }
    let cosigner = CosignerVerifier::new(keys.iter().map(CosignerKey::verifier).collect())?;
    let head = |key: &CosignerKey, root: &str| -> anyhow::Result<CosignedHead> {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: TreeSize::new(1000),
            root: Hash::of(root.as_bytes()),
        };
        let line = key.cosign(&checkpoint, 1_700_000_000)?;
        Ok(cosigner.verify(&format!("{}\n{line}", checkpoint.body()))?)
    };
    let heads = (head(&keys[0], "one")?, head(&keys[1], "another")?);
    Ok(VerifiedMisbehavior::of_cosigner(
        Role::Witness,
        &heads.0,
        &heads.1,
        None,
    )?)
}

const NOT_COUNTED: &str = "itness w0.example is convicted of misbehavior: it does not count";

/// Asks under a policy, for people and for programs.
fn asked(world: &World, policy: &str, more: &[&str]) -> anyhow::Result<(Ended, Value)> {
    let check = [&["check", "Cargo.lock", "--policy", policy], more].concat();
    let report = world.run(&[&check[..], &["--output", "json"]].concat())?;
    Ok((world.run(&check)?, report.json()?["logs"][0].clone()))
}

/// What this machine remembers is there to be seen.
fn is_listed(world: &World) -> anyhow::Result<()> {
    let list = ["misbehavior", "list", "--here", "--policy", "two.toml"];
    let list = world.run(&list)?.stdout;
    assert!(list.contains("witness w0.example"), "{list}");
    assert!(list.contains("convicted for good"), "{list}");
    Ok(())
}

/// Who lied once may have lied before: it does not count, whenever it cosigned, for whoever knows.
#[test]
fn a_witness_that_is_proven_to_lie_counts_no_more() -> anyhow::Result<()> {
    let (mut world, witnesses) = witnesses::world(2, "all")?;
    let tables = witnesses::tables(&witnesses);
    world.policy("one.toml", "quorum = 1", &tables)?;
    world.policy("two.toml", "quorum = 2", &tables)?;
    world.write("Cargo.lock", &cargo_lock(&["fine"]))?;
    let claim = world.affected(0, "pkg:cargo/bad@1.0.0")?;
    world.at(0, &["receipt", &claim, "--out", "receipts"])?;
    let verify = |world: &World, policy| world.run(&["verify", "receipts", "--policy", policy]);
    for policy in ["one.toml", "two.toml"] {
        let (ended, log) = asked(&world, policy, &[])?;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        assert_eq!(log["stood_behind"].as_array().map(Vec::len), Some(2));
        assert_eq!(log["convicted"], json!([]));
    }

    world.write("proof", two_cosigned(&witnesses[0])?.text())?;
    let url = world.ready(0).url.clone();
    let reported = world.run(&["misbehavior", "report", "proof", "--node", &url])?;
    assert_eq!(reported.code, Some(0), "{}", reported.stderr);
    // The receipt is verified offline, and this machine does not know yet.
    assert_eq!(verify(&world, "two.toml")?.code, Some(0));

    let ways: [&[&str]; 2] = [&[], &["--offline"]];
    for more in ways {
        let (ended, log) = asked(&world, "two.toml", more)?;
        assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(NOT_COUNTED), "{}", ended.stdout);
        assert_eq!(log["state"], "unconfirmed");
        assert_eq!(log["convicted"], json!(["w0.example"]));
        // The others are a quorum where that is enough.
        let (ended, log) = asked(&world, "one.toml", more)?;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains(NOT_COUNTED), "{}", ended.stdout);
        assert_eq!(log["state"], "answered");
        assert_eq!(log["stood_behind"][0]["name"], "w1.example");
        assert_eq!(log["convicted"], json!(["w0.example"]));
        if more.is_empty() {
            world.nodes[0].stop()?;
        }
    }

    // Offline, and of a receipt from before.
    let few = verify(&world, "two.toml")?;
    assert_eq!(few.code, Some(1), "{}{}", few.stdout, few.stderr);
    let needed = "1 of 2 needed: w1.example; convicted: w0.example";
    assert!(few.stdout.contains(needed), "{}", few.stdout);
    assert!(few.stdout.contains(NOT_COUNTED), "{}", few.stdout);
    let enough = verify(&world, "one.toml")?;
    assert_eq!(enough.code, Some(0), "{}{}", enough.stdout, enough.stderr);
    assert!(enough.stdout.contains(NOT_COUNTED), "{}", enough.stdout);

    let lint = world.run(&["policy", "lint", "two.toml"])?;
    assert_eq!(lint.code, Some(1), "{}{}", lint.stdout, lint.stderr);
    assert!(lint.stdout.contains(NOT_COUNTED), "{}", lint.stdout);
    is_listed(&world)
}

//! Who stood behind an answer, and behind a receipt.

use super::world::{World, cargo_lock};
use assay_tests::{process::Node, witness::Witness};
use serde_json::json;
use std::fs;

/// A log that asks two witnesses, of whom it takes `threshold`, and of whom the first `knowing`
/// know it.
pub fn world(knowing: usize, threshold: &str) -> anyhow::Result<(World, [Witness; 2])> {
    let mut node = Node::init()?;
    node.configure("log.publish_interval_ms = 1")?;
    let mut witnesses = [Witness::named("w0.example")?, Witness::named("w1.example")?];
    let mut text = String::new();
    for witness in &witnesses[..knowing] {
        witness.add_log(assay_tests::process::ORIGIN, &node.vkey()?)?;
    }
    for (i, witness) in witnesses.iter_mut().enumerate() {
        witness.run()?;
        let ready = witness.ready()?;
        for (key, kind) in ready.vkeys.iter().zip(["ed25519", "ml-dsa"]) {
            text += &format!("witness {i}-{kind} {key} {}\n", ready.url);
        }
        text += &format!("group {i} any {i}-ed25519 {i}-ml-dsa\n");
    }
    fs::write(
        node.folder().join("quorum.policy"),
        text + &format!("group both {threshold} 0 1\nquorum both\n"),
    )?;
    node.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
    node.run()?;
    Ok((World::new(vec![node])?, witnesses))
}

/// The tables of witnesses in a policy.
pub fn tables(witnesses: &[Witness]) -> String {
    let mut tables = String::new();
    for witness in witnesses {
        for (key, kind) in witness.vkeys.iter().zip(["one", "other"]) {
            let name = format!("{kind}-{}", &key[..2]);
            tables += &format!("[[witness]]\nname = {name:?}\nkey = {key:?}\n");
        }
    }
    tables
}

#[test]
fn two_keys_of_a_witness_are_one_voice_and_answers_say_who_stood_behind_them() -> anyhow::Result<()>
{
    // The second is there, and does not know the log.
    let (world, witnesses) = world(1, "any")?;
    let tables = tables(&witnesses);
    world.policy("one.toml", "quorum = 1", &tables)?;
    world.policy("two.toml", "quorum = 2", &tables)?;
    world.write("Cargo.lock", &cargo_lock(&["fine"]))?;
    let claim = world.affected(0, "pkg:cargo/bad@1.0.0")?;

    let check = ["check", "Cargo.lock", "--policy", "one.toml"];
    let ended = world.run(&check)?;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let says = "1 of 2 witnesses saw the same log, the last at ";
    assert!(ended.stdout.contains(says), "{}", ended.stdout);
    let report = world
        .run(&[&check[..], &["--output", "json"]].concat())?
        .json()?;
    let log = &report["logs"][0];
    assert_eq!(log["stood_behind"][0]["operator"], "w0.example");
    assert_eq!(log["stood_behind"].as_array().map(Vec::len), Some(1));
    assert_eq!(log["stood_behind"][0]["cosigned_at"], log["cosigned_at"]);
    assert_eq!(
        log["quorum"],
        json!({"needed": 1, "of": 2, "missing": ["w1.example"]})
    );

    // Both keys of the first are under every head, and are no quorum of two.
    let needed = "1 of 2 needed: w0.example; missing: w1.example";
    let check = ["check", "Cargo.lock", "--policy", "two.toml"];
    let ended = world.run(&check)?;
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains(needed), "{}", ended.stdout);
    let report = world
        .run(&[&check[..], &["--output", "json"]].concat())?
        .json()?;
    assert_eq!(report["logs"][0]["state"], "unconfirmed");

    world.at(0, &["receipt", &claim, "--out", "receipts"])?;
    let verify = |policy: &str| world.run(&["verify", "receipts", "--policy", policy]);
    let good = verify("one.toml")?;
    assert_eq!(good.code, Some(0), "{}{}", good.stdout, good.stderr);
    assert!(good.stdout.contains(says), "{}", good.stdout);
    let few = verify("two.toml")?;
    assert_eq!(few.code, Some(1), "{}{}", few.stdout, few.stderr);
    assert!(few.stdout.contains(needed), "{}", few.stdout);
    Ok(())
}

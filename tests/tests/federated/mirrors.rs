//! A log that does not answer, and nodes that mirror it: some well, some badly.

use super::witnesses;
use super::world::{Ended, World, cargo_lock, introduce};
use anyhow::ensure;
use assay_tests::{
    lying::Proxy,
    process::{Node, binaries, poll},
    witness::Witness,
};
use assay_tlog::Hash;
use serde_json::{Value, json};
use std::{fs, process::Command};

const ORIGIN: &str = "a.example/log";

/// A log, and a node that mirrors and replays it.
fn world() -> anyhow::Result<World> {
    let mut log = Node::init_as(ORIGIN)?;
    log.configure("log.publish_interval_ms = 1")?;
    log.run()?;
    mirrored(log)
}

/// A log that runs, and a node that mirrors and replays it.
fn mirrored(log: Node) -> anyhow::Result<World> {
    let mut mirror = Node::init_as("m.example/log")?;
    for kind in ["mirror", "audit"] {
        let name = format!("m.example/{kind}");
        let made = Command::new(binaries().join("assay-node"))
            .args([kind, "init", "--name", &name, "--dir"])
            .arg(mirror.folder())
            .output()?;
        ensure!(made.status.success(), "{:?}", made.stderr);
        mirror.append_configuration(&format!(
            "[{kind}]\nname = {name:?}\nml_dsa_44_key = \"{kind}-ml-dsa-44.key\""
        ))?;
    }
    mirror.run()?;
    introduce(&log, &mirror, "mirror")?;
    let world = World::new(vec![log, mirror])?;
    world.write("Cargo.lock", &cargo_lock(&["bad", "fine"]))?;
    world.trusting("alone.toml", &policy(&world, &[]), "")?;
    let mirror = &world.ready(1).url;
    world.trusting("mirrored.toml", &policy(&world, &[mirror]), "")?;
    world.affected(0, "pkg:cargo/bad@1.0.0")?;
    Ok(world)
}

/// What a policy says of the log, with these mirrors.
fn policy(world: &World, mirrors: &[&str]) -> String {
    let head = "version = 1\nunknown = \"allow\"\n";
    format!("{head}{}", world.log(0, mirrors))
}

/// Where the node's copy of the log is.
fn copy(world: &World) -> String {
    let digest = Hash::of(ORIGIN.as_bytes());
    format!("{}/mirror/{digest}", world.ready(1).url)
}

/// Runs a command for the log at an address, with JSON.
fn of_log(world: &World, url: &str, arguments: &[&str]) -> anyhow::Result<Ended> {
    let vkey = &world.ready(0).vkey;
    let log = ["--log", url, "--log-key", vkey, "--output", "json"];
    world.run(&[arguments, &log].concat())
}

fn size(world: &World, url: &str) -> anyhow::Result<Option<u64>> {
    let ended = of_log(world, url, &["log", "--limit", "1"])?;
    if ended.code != Some(0) {
        return Ok(None);
    }
    Ok(ended.json()?["tree_size"].as_u64())
}

/// Waits until the node has replayed all that is in the log.
fn until_copied(world: &World) -> anyhow::Result<()> {
    let all = size(world, &world.ready(0).url)?;
    ensure!(all.is_some(), "the log does not answer");
    poll(|| Ok((size(world, &copy(world))? >= all).then_some(())))
}

fn check(world: &World, policy: &str) -> anyhow::Result<(Ended, Value)> {
    let check = ["check", "Cargo.lock", "--policy", policy];
    let ended = world.run(&check)?;
    let json = world.run(&[&check[..], &["--output", "json"]].concat())?;
    assert_eq!(ended.code, json.code);
    let report = json.json()?;
    Ok((ended, report))
}

#[test]
fn a_log_that_is_gone_answers_through_its_mirror() -> anyhow::Result<()> {
    let mut world = world()?;
    until_copied(&world)?;
    let (ended, report) = check(&world, "mirrored.toml")?;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(report["logs"][0]["mirror"], Value::Null);
    let (log, mirror) = (world.ready(0).url.clone(), world.ready(1).url.clone());
    world.nodes[0].stop()?;

    let (ended, _) = check(&world, "alone.toml")?;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let (ended, through) = check(&world, "mirrored.toml")?;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(through["complete"], true);
    assert_eq!(through["logs"][0]["state"], "answered");
    assert_eq!(through["logs"][0]["mirror"], json!(mirror));
    assert_eq!(
        through["logs"][0]["head"]["size"],
        report["logs"][0]["head"]["size"]
    );
    assert_eq!(through["components"], report["components"]);
    let says = format!("its own node does not answer, and its mirror {mirror} did");
    let text = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(text.contains(&says), "{text}");

    let lookup = ["lookup", "pkg:cargo/bad@1.0.0", "--policy", "mirrored.toml"];
    let ended = world.run(&[&lookup[..], &["--output", "json"]].concat())?;
    let report = ended.json()?;
    assert_eq!(
        (&report["complete"], &report["logs"][0]["mirror"]),
        (&json!(true), &json!(mirror))
    );

    // Single things, too; and nothing is published there.
    let id = report["questions"].as_array().unwrap().iter();
    let mut lines = id.flat_map(|one| one["lines"].as_array().unwrap());
    let claim = lines.next().unwrap()["claim_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_single_things(&world, &log, &mirror, &claim)
}

/// A claim is had from the mirror, which takes none.
fn assert_single_things(world: &World, log: &str, mirror: &str, claim: &str) -> anyhow::Result<()> {
    let ended = of_log(world, log, &["get", claim, "--mirror", mirror])?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("is asked"), "{}", ended.stderr);
    let publish = [
        "publish",
        "statement",
        "statement.json",
        "--key",
        "makers.pem",
    ];
    let ended = of_log(world, log, &[&publish[..], &["--mirror", mirror]].concat())?;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let ended = of_log(world, &copy(world), &publish)?;
    assert_ne!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("publish at the log itself"),
        "{}",
        ended.stderr
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_mirror_says_falsely_is_not_held_against_the_log() -> anyhow::Result<()> {
    let mut world = world()?;
    until_copied(&world)?;
    let liar = Proxy::before(&copy(&world)).await?;
    liar.rewrite(|_, mut answer| {
        answer.lists.clear();
        answer.entries.clear();
        answer
    });
    let (other, mirror) = (
        world.ready(1).url.clone() + "/nowhere",
        world.ready(1).url.clone(),
    );
    world.trusting("liar.toml", &policy(&world, &[&liar.url, &other]), "")?;
    world.trusting(
        "both.toml",
        &policy(&world, &[&liar.url, &other, &mirror]),
        "",
    )?;
    // The log itself is believed, or found out; no mirror is asked.
    let (ended, report) = check(&world, "both.toml")?;
    assert_eq!(
        (ended.code, &report["logs"][0]["mirror"]),
        (Some(1), &Value::Null)
    );
    world.nodes[0].stop()?;

    let (ended, report) = check(&world, "liar.toml")?;
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(report["logs"][0]["state"], "unreachable");
    let why = report["logs"][0]["missing"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for part in [
        format!("its mirror {}: ", liar.url),
        format!("its mirror {other}: "),
    ] {
        assert!(why.contains(&part), "{why}");
    }
    let (ended, report) = check(&world, "both.toml")?;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(report["complete"], true);
    assert_eq!(report["logs"][0]["mirror"], json!(mirror));
    Ok(())
}

#[test]
fn a_mirror_that_is_behind_what_was_seen_hides_nothing() -> anyhow::Result<()> {
    let mut world = world()?;
    until_copied(&world)?;
    world.nodes[1].stop()?;
    world.affected(0, "pkg:cargo/fine@1.0.0")?;
    let (_, report) = check(&world, "alone.toml")?;
    let seen = report["logs"][0]["head"]["size"].clone();
    world.nodes[0].stop()?;
    world.nodes[1].run()?;
    world.trusting("mirrored.toml", &policy(&world, &[&world.ready(1).url]), "")?;
    let (ended, report) = check(&world, "mirrored.toml")?;
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(report["logs"][0]["state"], "unreachable");
    let why = report["logs"][0]["missing"].as_str().unwrap_or_default();
    assert!(
        why.contains(&format!("of size {seen}: what was logged since")),
        "{why}"
    );
    Ok(())
}

/// Single things were held against the log, and nobody else was asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_shows_another_entry_is_named_and_the_next_is_asked() -> anyhow::Result<()> {
    let mut world = world()?;
    let claim = world.affected(0, "pkg:cargo/fine@1.0.0")?;
    until_copied(&world)?;
    let liar = Proxy::before(&copy(&world)).await?;
    liar.lies().entry = Some(assay_proto::v1::GetEntryAndProofResponse::default());
    let (log, mirror) = (world.ready(0).url.clone(), world.ready(1).url.clone());
    world.trusting("liar.toml", &policy(&world, &[&liar.url]), "")?;
    world.trusting("both.toml", &policy(&world, &[&liar.url, &mirror]), "")?;
    world.nodes[0].stop()?;
    let named = format!("its mirror {}: ", liar.url);
    for command in ["get", "receipt"] {
        let ask = [command, &claim, "--mirror", &liar.url];
        let ended = of_log(&world, &log, &ask)?;
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(ended.stderr.contains(&named), "{}", ended.stderr);
        let ended = of_log(&world, &log, &[&ask[..], &["--mirror", &mirror]].concat())?;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    let lookup = format!("claim:{claim}");
    let lookup = |policy| world.run(&["lookup", &lookup, "--policy", policy]);
    let ended = lookup("liar.toml")?;
    assert_ne!(ended.code, Some(4), "{}", ended.stderr);
    let ended = lookup("both.toml")?;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    Ok(())
}

/// Its heads are the log's, and nobody can tell whether witnesses ever saw them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_strips_cosignatures_is_left_for_the_next_one() -> anyhow::Result<()> {
    let mut log = Node::init_as(ORIGIN)?;
    log.configure("log.publish_interval_ms = 1")?;
    let mut witness = Witness::named("w.example")?;
    witness.add_log(ORIGIN, &log.vkey()?)?;
    witness.run()?;
    let (url, key) = (witness.ready()?.url.clone(), witness.vkeys[0].clone());
    let quorum = format!("witness w {key} {url}\nquorum w\n");
    fs::write(log.folder().join("quorum.policy"), quorum)?;
    log.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
    log.run()?;
    let mut world = mirrored(log)?;
    until_copied(&world)?;
    let liar = Proxy::before(&copy(&world)).await?;
    liar.rewrite(|_, mut answer| {
        let own = format!("\u{2014} {ORIGIN} ");
        let lines = answer.checkpoint.lines();
        let kept = lines.filter(|line| !line.starts_with('\u{2014}') || line.starts_with(&own));
        answer.checkpoint = kept.map(|line| format!("{line}\n")).collect();
        answer
    });
    let mirror = world.ready(1).url.clone();
    let tables = witnesses::tables(std::slice::from_ref(&witness));
    for (name, mirrors) in [
        ("liar.toml", vec![liar.url.as_str()]),
        ("both.toml", vec![liar.url.as_str(), &mirror]),
    ] {
        let head = "version = 1\nunknown = \"allow\"\nquorum = 1\n";
        let logs = format!("{head}{}", world.log(0, &mirrors));
        world.trusting(name, &logs, &tables)?;
    }
    world.nodes[0].stop()?;
    let (ended, report) = check(&world, "liar.toml")?;
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    let why = report["logs"][0]["missing"].as_str().unwrap_or_default();
    let named = format!("its mirror {}: its head cannot be relied on", liar.url);
    assert!(why.contains(&named), "{why}");
    let (ended, report) = check(&world, "both.toml")?;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(report["logs"][0]["mirror"], json!(mirror));

    // What is watched, too.
    let watch = |policy| {
        let watch = ["watch", "pkg:cargo/bad", "--once", "--from-start"];
        world.run(&[&watch[..], &["--policy", policy]].concat())
    };
    let ended = watch("both.toml")?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ended = watch("liar.toml")?;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let named = format!("its mirror {}: its head of ", liar.url);
    assert!(ended.stderr.contains(&named), "{}", ended.stderr);
    Ok(())
}

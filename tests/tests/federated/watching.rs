//! Watching several logs: what another log has bears on what is new in one.

use super::witnesses;
use super::world::World;
use anyhow::{Context, bail, ensure};
use assay_tests::ports::free_address;
use assay_tests::process::Node;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
};

const ALPHA: &str = "pkg:cargo/alpha@1.0.0";

/// Two logs, in both of which one issuer is registered.
fn world() -> anyhow::Result<World> {
    let mut nodes = Vec::new();
    for origin in ["a.example/log", "b.example/log"] {
        let mut node = Node::init_as(origin)?;
        let address = free_address()?;
        node.configure(&format!(
            "log.publish_interval_ms = 1\nserver.listen = \"{address}\""
        ))?;
        node.run()?;
        nodes.push(node);
    }
    let world = World::new(nodes)?;
    world.policy("policy.toml", "", "")?;
    Ok(world)
}

/// What a watch of all shows, and whether each claim has an effect.
fn watched(world: &World) -> anyhow::Result<Vec<(Value, Value)>> {
    let watch = ["watch", ALPHA, "--once", "--from-start", "--policy"];
    let more = ["policy.toml", "--output", "json"];
    let ended = world.run(&[&watch[..], &more].concat())?;
    ensure!(ended.code == Some(0), "{}", ended.stderr);
    let lines = ended.stdout.lines().map(serde_json::from_str::<Value>);
    let mut shown = Vec::new();
    for line in lines {
        let line = line?;
        shown.push((line["log"].clone(), line["lines"][0]["effect"].clone()));
    }
    Ok(shown)
}

/// The issuer says something for a package in a log.
fn passed(world: &World, place: usize) -> anyhow::Result<()> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{
            "uri": ALPHA,
            "digest": {"purl": assay_tlog::Hash::of(ALPHA.as_bytes()).to_hex()},
        }],
        "predicateType": "urn:assay:audit:v1",
        "predicate": {"criteria": ["safe-to-run"], "verdict": "pass", "scope": "version"},
    });
    world.write("audit.json", &statement.to_string())?;
    let publish = ["publish", "statement", "audit.json", "--key", "makers.pem"];
    world.at(place, &publish)?;
    Ok(())
}

/// Only the log with the news was asked what they are worth.
#[test]
fn a_key_that_is_compromised_in_another_log_gives_no_good_word() -> anyhow::Result<()> {
    let world = world()?;
    let records = world.at(0, &["issuer", "show", &world.issuer])?;
    let key = records[0]["keys"][0].as_str().context("no key")?.to_owned();
    let size = world.at(1, &["log", "--limit", "1"])?["tree_size"].to_string();
    // Before the thief signs.
    let lost = [
        "issuer",
        "compromised",
        "--compromised-key",
        &key,
        "--from",
        &size,
        "--key",
        "makers.pem",
    ];
    world.at(1, &lost)?;
    passed(&world, 0)?;
    let shown = watched(&world)?;
    assert_eq!(shown, [(json!("a.example/log"), json!(false))]);
    Ok(())
}

/// A log that showed this reader a branch of its own passed for one without news.
#[test]
fn nothing_is_new_only_where_enough_witnesses_confirm_it() -> anyhow::Result<()> {
    let (world, witnesses) = witnesses::world(1, "any")?;
    let tables = witnesses::tables(&witnesses);
    for (name, quorum, code) in [("one.toml", 1, 0), ("two.toml", 2, 3)] {
        world.policy(name, &format!("quorum = {quorum}"), &tables)?;
        // The first begins, and the second goes on.
        for _ in 0..2 {
            let ended = world.run(&["watch", ALPHA, "--once", "--policy", name])?;
            assert_eq!(ended.code, Some(code), "{}", ended.stderr);
            let says = ended
                .stderr
                .contains("not enough of the policy's witnesses confirm");
            assert_eq!(says, code == 3, "{}", ended.stderr);
        }
    }
    Ok(())
}

/// A watch that runs.
struct Watch {
    process: Child,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn wait_for(said: &mut impl BufRead, words: &str) -> anyhow::Result<()> {
    let mut all = String::new();
    while said.read_line(&mut all)? > 0 {
        if all.lines().last().is_some_and(|line| line.contains(words)) {
            return Ok(());
        }
    }
    bail!("it ended without saying {words:?}: {all}")
}

/// What another log does not say ended the watch of all.
#[test]
fn news_wait_for_a_log_that_does_not_answer_and_no_watch_ends() -> anyhow::Result<()> {
    let mut world = world()?;
    let watch = [
        "watch",
        ALPHA,
        "--output",
        "json",
        "--policy",
        "policy.toml",
    ];
    let mut command = world.command(&watch);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut watch = Watch {
        process: command.spawn()?,
    };
    let out = watch.process.stdout.take().context("no stdout")?;
    let mut said = BufReader::new(watch.process.stderr.take().context("no stderr")?);
    for _ in 0..2 {
        wait_for(&mut said, "watching")?;
    }
    world.nodes[1].stop()?;
    wait_for(&mut said, "b.example/log does not answer")?;
    passed(&world, 0)?;
    wait_for(&mut said, "what is new in a.example/log cannot be judged")?;
    // With --once it is the same: what can be shown is, and the exit code says that more may be.
    let once = [
        "watch",
        "pkg:cargo/beta",
        "--once",
        "--policy",
        "policy.toml",
    ];
    let ended = world.run(&once)?;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("watching a.example/log"),
        "{}",
        ended.stderr
    );
    world.nodes[1].run()?;
    let mut line = String::new();
    let mut out = BufReader::new(out);
    out.read_line(&mut line)?;
    let shown: Value = serde_json::from_str(&line)?;
    assert_eq!(shown["log"], "a.example/log");
    assert_eq!(shown["whole"], true);
    // It was told to go on until it is stopped.
    watch.process.kill()?;
    let mut rest = String::new();
    out.read_to_string(&mut rest)?;
    assert_eq!(rest, "");
    Ok(())
}

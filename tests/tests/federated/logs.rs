//! Three logs of which one is gone.

use super::world::{World, cargo_lock};
use assay_tests::process::Node;
use serde_json::{Value, json};

const JSON: [&str; 2] = ["--output", "json"];
const ORIGINS: [&str; 3] = ["a.example/log", "b.example/log", "c.example/log"];

/// Three logs: the first two have one claim in common, the second one of its own.
fn world() -> anyhow::Result<(World, String)> {
    let mut nodes = Vec::new();
    for origin in ORIGINS {
        let mut node = Node::init_as(origin)?;
        node.configure("log.publish_interval_ms = 1")?;
        node.run()?;
        nodes.push(node);
    }
    let world = World::new(nodes)?;
    world.write("Cargo.lock", &cargo_lock(&["bad", "fine", "worse"]))?;
    world.policy("policy.toml", "", "")?;
    for (name, least) in [("two.toml", 2), ("three.toml", 3)] {
        let enough = format!("required_logs = {{ least = {least}, of = {ORIGINS:?} }}");
        world.policy(name, &enough, "")?;
    }
    let claim = world.affected(0, "pkg:cargo/bad@1.0.0")?;
    let same = world.affected(1, "pkg:cargo/bad@1.0.0")?;
    assert_eq!(claim, same, "one claim in two logs");
    world.affected(1, "pkg:cargo/worse@1.0.0")?;
    Ok((world, claim))
}

fn of_logs(report: &Value, field: &str) -> Vec<Value> {
    let logs = report["logs"].as_array().cloned().unwrap_or_default();
    logs.iter().map(|log| log[field].clone()).collect()
}

fn outcomes(report: &Value) -> Vec<Value> {
    let components = report["components"].as_array().cloned().unwrap_or_default();
    components
        .iter()
        .map(|one| one["outcome"].clone())
        .collect()
}

#[test]
fn three_logs_give_one_answer_in_which_a_claim_stands_once() -> anyhow::Result<()> {
    let (world, claim) = world()?;
    let check = [
        "check",
        "Cargo.lock",
        "--policy",
        "policy.toml",
        "--output",
        "json",
    ];
    let ended = world.run(&check)?;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let report = ended.json()?;
    assert_eq!(
        (&report["complete"], &report["missing"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(of_logs(&report, "state"), ["answered"; 3]);
    assert_eq!(of_logs(&report, "coverage"), ["complete"; 3]);
    assert_eq!(outcomes(&report), ["denied", "fine", "denied"]);

    let lookup = ["lookup", "pkg:cargo/bad@1.0.0", "--policy", "policy.toml"];
    let report = world
        .run(&[&lookup[..], &["--output", "json"]].concat())?
        .json()?;
    let questions = report["questions"].as_array().cloned().unwrap_or_default();
    let lines = questions
        .iter()
        .flat_map(|one| one["lines"].as_array().cloned().unwrap());
    let lines: Vec<Value> = lines
        .filter(|line| line["claim_id"] == json!(claim))
        .collect();
    let [line] = &lines[..] else {
        panic!("{lines:#?}");
    };
    let in_logs = line["logs"].as_array().cloned().unwrap_or_default();
    let mut origins: Vec<&str> = in_logs
        .iter()
        .filter_map(|one| one["log"].as_str())
        .collect();
    origins.sort_unstable();
    assert_eq!(origins, ORIGINS[..2]);
    let text = world.run(&lookup)?.stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for origin in &ORIGINS[..2] {
        assert!(text.contains(&format!(" of {origin}")), "{text}");
    }
    Ok(())
}

#[test]
fn a_log_that_is_gone_is_named_first() -> anyhow::Result<()> {
    let (mut world, _) = world()?;
    world.nodes[1].stop()?;
    for policy in ["policy.toml", "three.toml"] {
        let check = ["check", "Cargo.lock", "--policy", policy];
        let ended = world.run(&check)?;
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let first = "No answer from the log b.example/log: ";
        assert!(ended.stdout.starts_with(first), "{}", ended.stdout);
        assert!(ended.stderr.contains("b.example/log"), "{}", ended.stderr);
        let report = world.run(&[&check[..], &JSON].concat())?.json()?;
        assert_eq!(report["complete"], false);
        assert_eq!(report["missing"], json!(["b.example/log"]));
        let states = ["answered", "unreachable", "answered"];
        assert_eq!(of_logs(&report, "state"), states);
        // What is known to be bad stays so; nothing is fine.
        assert_eq!(outcomes(&report), ["denied", "incomplete", "incomplete"]);
    }
    let lookup = ["lookup", "pkg:cargo/fine@1.0.0", "--policy", "policy.toml"];
    let ended = world.run(&[&lookup[..], &JSON].concat())?;
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let report = ended.json()?;
    let answer = report["answer"].as_str().unwrap_or_default();
    let first = "No whole and recent answer came from the log b.example/log";
    assert!(answer.starts_with(first), "{answer}");
    Ok(())
}

/// What only the third knew is not seen, and that is said.
#[test]
fn two_of_three_logs_are_enough_where_the_policy_says_so() -> anyhow::Result<()> {
    let (mut world, _) = world()?;
    world.nodes[1].stop()?;
    let two = ["check", "Cargo.lock", "--policy", "two.toml"];
    let ended = world.run(&two)?;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let warning = "warning: your policy takes the answers of 2 of 3 logs";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    let without = "Your policy does without it";
    assert!(ended.stdout.contains(without), "{}", ended.stdout);
    let report = world.run(&[&two[..], &JSON].concat())?.json()?;
    assert_eq!(report["complete"], false);
    assert_eq!(of_logs(&report, "spare"), [false, true, false]);
    assert_eq!(outcomes(&report), ["denied", "fine", "fine"]);

    world.nodes[2].stop()?;
    let ended = world.run(&two)?;
    assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
    Ok(())
}

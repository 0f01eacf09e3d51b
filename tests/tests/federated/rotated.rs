//! A log whose key changed, and whoever was not there in between.

use super::world::{Ended, World, cargo_lock};
use assay_tests::process::{Node, Ready, poll};

/// What a policy says of the log with these keys, the one of now last.
fn policy(world: &World, name: &str, keys: &[&str]) -> anyhow::Result<()> {
    let mut logs = "version = 1\nunknown = \"allow\"\ntlog_policy = \"\"\"\n".to_owned();
    for key in keys {
        logs += &format!("log {key}\n");
    }
    let Ready { url, .. } = world.ready(0);
    logs += "quorum none\n\"\"\"\n";
    logs += &format!("[[log]]\norigin = \"a.example/log\"\nurl = {url:?}\n");
    world.trusting(name, &logs, "")
}

/// What commands that remember heads make of a policy: their exit codes, and what they say.
fn remembering(world: &World, policy: &str) -> anyhow::Result<Vec<(Option<i32>, String)>> {
    let mut ended = Vec::new();
    for command in [
        ["check", "Cargo.lock", "--policy", policy].as_slice(),
        &["watch", "pkg:cargo/fine", "--once", "--policy", policy],
        &["lookup", "pkg:cargo/fine", "--policy", policy],
        &["monitor", policy, "--once"],
    ] {
        let Ended {
            code,
            stdout,
            stderr,
        } = world.run(command)?;
        ended.push((code, stdout + &stderr));
    }
    Ok(ended)
}

/// Each command that remembers heads goes on from the one that the old key signed, and finds it in
/// the tree that the new one signs.
#[test]
fn whoever_was_away_while_a_key_changed_goes_on_by_a_policy_with_both() -> anyhow::Result<()> {
    let mut node = Node::init_as("a.example/log")?;
    node.configure("log.publish_interval_ms = 1")?;
    node.run()?;
    let world = World::new(vec![node])?;
    world.write("Cargo.lock", &cargo_lock(&["fine"]))?;
    let old = world.ready(0).vkey.clone();
    policy(&world, "before.toml", &[&old])?;
    let run = |policy: &str| remembering(&world, policy);
    for (code, said) in run("before.toml")? {
        assert_eq!(code, Some(0), "{said}");
    }

    let rotate = |more: &[&str]| {
        let words = [&["key", "rotate", "log"], more].concat();
        let output = world.nodes[0].assay_node(&words, &[])?;
        assert!(output.status.success(), "{output:?}");
        anyhow::Ok(String::from_utf8(output.stdout)?)
    };
    // Nothing of this is remembered.
    let url = &world.ready(0).url;
    let runtime = tokio::runtime::Runtime::new()?;
    let shows = |key: &str, purl: &str, signatures: usize| {
        world.says_affected(purl)?;
        let publish = "publish statement statement.json --key makers.pem --state-dir none --log";
        let publish: Vec<&str> = publish.split(' ').chain([url.as_str()]).collect();
        let published = world.run(&[&publish[..], &["--log-key", key]].concat())?;
        assert_eq!(published.code, Some(0), "{}", published.stderr);
        poll(|| {
            let head = runtime.block_on(async {
                let head = reqwest::get(format!("{url}/checkpoint")).await?;
                head.text().await
            })?;
            let found = head.matches("\n\u{2014} a.example/log ").count();
            Ok((found == signatures).then_some(()))
        })
    };
    let new = rotate(&[])?.trim().to_owned();
    shows(&old, "pkg:cargo/other@1.0.0", 2)?;
    rotate(&["--finish"])?;
    shows(&new, "pkg:cargo/other@2.0.0", 1)?;

    policy(&world, "new.toml", &[&new])?;
    for (code, said) in run("new.toml")? {
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("name the old one before it"), "{said}");
        assert!(!said.contains("--state-dir none"), "{said}");
    }
    policy(&world, "both.toml", &[&old, &new])?;
    for (code, said) in run("both.toml")? {
        assert_eq!(code, Some(0), "{said}");
    }
    // It is the head of now that is kept.
    for (code, said) in run("new.toml")? {
        assert_eq!(code, Some(0), "{said}");
    }
    Ok(())
}

//! The runbooks of docs/operations.md, typed as they stand, against real processes.
//!
//! Each test makes the trouble, and then does what the section says, block by block: `sh` on the
//! own machine, `sh peers` on each of the others, `sh peers with a log` on those that have one, `sh
//! fails` where the command has to fail. What the `text` block below says must be seen, line by
//! line and in that order; `…` stands for anything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod section;

use anyhow::{Context, ensure};
use assay_tests::{
    clock,
    federation::{Host, Kind, World},
    process::poll,
};
use section::{Step, Who, section};
use std::fs;

/// Does what a section says, for the host `own`, with further variables.
fn follow(world: &World, own: &str, title: &str, more: &[(&str, &str)]) -> anyhow::Result<()> {
    let own = world.of(own)?;
    for step in section(title)? {
        for host in whom(world, own, step.who) {
            let mut host = host.clone();
            for (name, value) in [("FROM", own.name.as_str())].iter().chain(more) {
                host.environment.push(((*name).into(), (*value).into()));
            }
            one(world, &host, &step).with_context(|| format!("{title}, on {}", host.name))?;
        }
    }
    Ok(())
}

fn whom<'a>(world: &'a World, own: &'a Host, who: Who) -> Vec<&'a Host> {
    let others = world.hosts.iter().filter(|host| host.name != own.name);
    match who {
        Who::Own => vec![own],
        Who::Peers => others.collect(),
        Who::PeersWithLog => others.filter(|host| host.kind == Kind::Node).collect(),
    }
}

fn one(world: &World, host: &Host, step: &Step) -> anyhow::Result<()> {
    // What is printed and what is said, as a terminal shows both.
    let output = world.run(host, &format!("exec 2>&1\n{}", step.script))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let told = || format!("{}\n{said}\n{}", step.script, world.journal(host));
    ensure!(
        output.status.success() != step.fails,
        "{}: {}",
        output.status,
        told()
    );
    let mut lines = said.lines();
    for wanted in &step.seen {
        let wanted = section::expanded(wanted, &variables(host));
        ensure!(
            lines.any(|line| section::matches(&wanted, line)),
            "{wanted:?} was not seen: {}",
            told()
        );
    }
    Ok(())
}

fn variables(host: &Host) -> Vec<(String, String)> {
    let mut all = host.environment.clone();
    all.push(("NAME".into(), host.name.clone()));
    all.push(("ORIGIN".into(), format!("{}/log", host.name)));
    all
}

/// Two nodes and three witnesses: each log has four witnesses, of whom three must cosign.
fn five() -> anyhow::Result<World> {
    let world = World::start(&["a", "b"], &["w1", "w2", "w3"])?;
    for name in ["a", "b"] {
        world.grown(name, 1)?;
    }
    Ok(world)
}

/// The key with which the others know the log of a host.
fn known_keys(world: &World, at: &str, of: &str) -> anyhow::Result<usize> {
    let list = world.done(world.of(at)?, "assay-node peer list --config $NODE")?;
    Ok(list.matches(&format!("\"{of}/log+")).count())
}

#[test]
fn key_rotation() -> anyhow::Result<()> {
    let world = five()?;
    let size = world.grown("a", 1)?;
    follow(&world, "a", "Key rotation", &[])?;
    // Everybody goes on, with the new keys alone, also after a start.
    world.grown("a", size + 1)?;
    for at in ["b", "w1"] {
        assert_eq!(known_keys(&world, at, "a")?, 1, "{at}");
    }
    let host = world.of("a")?;
    world.systemctl(host, "restart")?;
    let size = world.grown("a", 1)?;
    world.grown("a", size + 2)?;
    let old = fs::read_dir(&host.dir)?.filter_map(Result::ok);
    let kept = old.filter(|file| file.file_name().to_string_lossy().contains(".retired-"));
    assert_eq!(
        kept.count(),
        5,
        "log.key and both of the mirror and of the auditor"
    );
    Ok(())
}

#[test]
fn leaked_key() -> anyhow::Result<()> {
    let world = five()?;
    follow(&world, "a", "Leaked key", &[])?;
    let size = world.grown("b", 1)?;
    world.grown("b", size + 1)?;
    assert_eq!(known_keys(&world, "b", "a")?, 1);
    let policy = fs::read_to_string(world.of("b")?.dir.join("quorum.policy"))?;
    assert!(policy.contains(" a/witness2+") && !policy.contains(" a/witness+"));
    Ok(())
}

/// Changes a bit of what is stored of a log, so that entries are damaged which mirrors have.
fn damage(world: &World, host: &Host) -> anyhow::Result<()> {
    for file in fs::read_dir(host.dir.join("data/tables"))? {
        let path = file?.path();
        if path.extension().is_none_or(|end| end != "sst") {
            continue;
        }
        let right = fs::read(&path)?;
        let mut wrong = right.clone();
        wrong[10] ^= 1;
        fs::write(&path, wrong)?;
        let checked = world.run(host, "assay-node check --config $NODE")?;
        if String::from_utf8_lossy(&checked.stdout).contains("damaged: entries") {
            return Ok(());
        }
        fs::write(&path, right)?;
    }
    anyhow::bail!("no file has entries")
}

#[test]
fn damaged_disk() -> anyhow::Result<()> {
    let world = five()?;
    let own = world.of("a")?;
    let size = world.grown("a", 1)?;
    // The log may sign more before it stops: it goes on until its peer has all of that.
    let copy = "curl -fsS $URL/mirror/$(printf %s a/log | sha256sum | cut -c -64)/checkpoint";
    let head = |host, what: &str| {
        let head = world.run(host, &format!("{what} | sed -n 2p"))?;
        anyhow::Ok(String::from_utf8_lossy(&head.stdout).trim().to_owned())
    };
    poll(|| {
        let copied = head(world.of("b")?, copy)?;
        if copied.is_empty() || head(own, "curl -fsS $URL/checkpoint")? != copied {
            return Ok(None);
        }
        world.systemctl(own, "stop")?;
        let sound = world.done(own, "assay-node check --config $NODE 2>&1")?;
        if sound.contains(&format!("up to the {copied} entries")) {
            return Ok(Some(()));
        }
        world.systemctl(own, "start")?;
        Ok(None)
    })?;
    damage(&world, own)?;
    follow(&world, "a", "Damaged disk", &[])?;
    world.grown("a", size)?;
    assert!(own.dir.join("data/damaged/tables").exists());
    Ok(())
}

#[test]
fn dead_peer() -> anyhow::Result<()> {
    let world = World::start(&["a"], &["w1", "w2", "w3", "w4"])?;
    world.grown("a", 1)?;
    world.systemctl(world.of("w4")?, "kill")?;
    // Nobody is dead before somebody has asked.
    let own = world.of("a")?;
    poll(|| {
        let said = world.run(own, "assay peers --node $URL")?;
        Ok(String::from_utf8_lossy(&said.stdout)
            .contains("FAILS")
            .then_some(()))
    })?;
    follow(&world, "a", "Dead peer", &[("DEAD", "w4")])?;
    let size = world.grown("a", 1)?;
    world.grown("a", size + 1)?;
    Ok(())
}

#[test]
fn clock_trouble() -> anyhow::Result<()> {
    let mut world = World::new(&[], &["w1"])?;
    // As after three days without the witness.
    let later = clock::off_by(world.folder(), 3 * 86_400)?;
    world.hosts[0].environment.push(later);
    world.systemctl(world.of("w1")?, "start")?;
    follow(&world, "w1", "Clock trouble", &[])?;
    Ok(())
}

/// Waits until b has a copy of the log of a.
fn mirrored(world: &World) -> anyhow::Result<()> {
    let digest = "$(printf a/log | sha256sum | cut -c -64)";
    let copied = format!("curl -fsS $URL/mirror/{digest}/checkpoint");
    poll(|| {
        let asked = world.run(world.of("b")?, &copied)?;
        Ok(asked.status.success().then_some(()))
    })
}

#[test]
fn lost_disk() -> anyhow::Result<()> {
    let world = five()?;
    mirrored(&world)?;
    let own = world.of("a")?;
    world.systemctl(own, "kill")?;
    for part in ["data", "witness/data", "mirror"] {
        fs::remove_dir_all(own.dir.join(part))?;
    }
    follow(&world, "a", "Lost disk", &[])?;
    // The new log, which has the heartbeat of a new one, and the old peers with it.
    world.grown("a", 1)?;
    let size = world.grown("b", 1)?;
    world.grown("b", size + 1)?;
    Ok(())
}

#[test]
fn restored_backup() -> anyhow::Result<()> {
    let world = World::start(&["a"], &["w1", "w2", "w3", "w4"])?;
    world.grown("a", 1)?;
    let own = world.of("a")?;
    let copy = |name: &str| {
        let to = format!("mkdir ../{name} && cp -a $DIR/data $DIR/checkpoints");
        world.done(own, &format!("{to} $DIR/checkpoints.cosigned ../{name}/"))
    };
    world.systemctl(own, "stop")?;
    copy("older")?;
    world.systemctl(own, "start")?;
    let size = world.grown("a", 1)?;
    world.grown("a", size + 2)?;
    world.systemctl(own, "stop")?;
    copy("newest")?;
    world.done(
        own,
        "rm -r $DIR/data $DIR/checkpoints $DIR/checkpoints.cosigned; cp -a ../older/* $DIR/",
    )?;
    world.systemctl(own, "start")?;
    let newest = world.folder().join("newest").display().to_string();
    follow(&world, "a", "Restored backup", &[("NEWEST", &newest)])?;
    let size = world.grown("a", size + 2)?;
    world.grown("a", size + 1)?;
    Ok(())
}

#[test]
fn retired_log() -> anyhow::Result<()> {
    let world = five()?;
    mirrored(&world)?;
    follow(&world, "a", "Retired log", &[])?;
    world.grown("a", 1)?;
    let size = world.grown("b", 1)?;
    world.grown("b", size + 1)?;
    Ok(())
}

/// A section that no test follows would be believed and never tried.
#[test]
fn every_runbook_has_its_test() -> anyhow::Result<()> {
    let source = include_str!("main.rs");
    for title in section::titles()? {
        let name = title.to_lowercase().replace(' ', "_");
        ensure!(
            source.contains(&format!("fn {name}()")),
            "{title} has no test"
        );
    }
    Ok(())
}

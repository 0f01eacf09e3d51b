//! A peer whose clock is ten years wrong: its log, its witness and its mirror. Nobody else is
//! harmed by it, and it goes on once its clock is right.

use anyhow::Context as _;
use assay_tests::{clock, federation::World, process::poll};

const TEN_YEARS_S: i64 = 10 * 365 * 86_400;

#[test]
fn a_peer_ten_years_ahead_harms_nobody() -> anyhow::Result<()> {
    off_by(TEN_YEARS_S)
}

#[test]
fn a_peer_ten_years_behind_harms_nobody() -> anyhow::Result<()> {
    off_by(-TEN_YEARS_S)
}

/// What `assay peers` says of a witness of a node's log.
fn told(world: &World, at: &str, witness: &str) -> anyhow::Result<String> {
    let said = world.done(world.of(at)?, "assay peers --node $URL")?;
    let mut lines = said.lines().map(str::trim);
    let line = lines.find(|line| line.starts_with(&format!("{witness}  ")));
    Ok(line
        .with_context(|| format!("{witness}: {said}"))?
        .to_owned())
}

fn until_told(world: &World, at: &str, witness: &str, words: &str) -> anyhow::Result<()> {
    poll(|| Ok(told(world, at, witness)?.contains(words).then_some(())))
        .with_context(|| format!("{words}: {:?}", told(world, at, witness)))
}

/// Waits until a command of a host succeeds.
fn until(world: &World, at: &str, script: &str) -> anyhow::Result<()> {
    let host = world.of(at)?;
    poll(|| Ok(world.run(host, script)?.status.success().then_some(())))
        .with_context(|| format!("{script}: {}", world.journal(host)))
}

/// Whether c, as a mirror, serves a copy of the log of a that it cosigned.
const COPY: &str = "curl -fsS $URL/mirror/$(printf a/log | sha256sum | cut -c -64)/checkpoint";

/// An audit says whether times fall from one leaf to the next, and whether the last is ahead.
const AUDIT: &str = "key=$(sed -n 's/^log = \\[\"\\([^\"]*\\)\".*/\\1/p' $NAME.peer)
    assay audit $URL --log-key \"$key\" --state-dir $HOME/audited";

/// The log of a asks c and three others, of whom three have to cosign. That of c asks all but c.
fn off_by(seconds: i64) -> anyhow::Result<()> {
    let mut world = World::new(&["a", "c"], &["w1", "w2", "w3"])?;
    let wrong = clock::off_by(world.folder(), seconds)?;
    world.hosts[1].environment.push(wrong);
    for host in world.hosts.iter().rev() {
        world.systemctl(host, "start")?;
    }
    let size = world.grown("a", 1)?;
    world.grown("a", size + 2)?;
    until_told(&world, "a", "c/witness", "FAILS")?;
    // It believes nobody, states nothing, and says so.
    for witness in ["a/witness", "w1/witness", "w2/witness", "w3/witness"] {
        until_told(
            &world,
            "c",
            witness,
            "which is not now; its clock or this one",
        )?;
    }
    let metrics = "curl -fsS $ADMIN/metrics";
    until(
        &world,
        "c",
        &format!("{metrics} | grep '^assay_witness_clock_wrong 1'"),
    )?;
    let failed = "grep '^assay_mirror_failures_total.*kind=\"clock\"'";
    until(&world, "c", &format!("{metrics} | {failed}"))?;
    let own = world.of("c")?;
    assert!(
        !world.run(own, COPY)?.status.success(),
        "it cosigned a copy"
    );
    let shown = world.run(own, "curl -fsS $URL/checkpoint")?;
    assert!(!shown.status.success(), "its log shows something");
    let size = world.grown("a", size + 3)?;

    // The clock is set right, and that is all.
    world.hosts[1].environment.clear();
    world.systemctl(world.of("c")?, "restart")?;
    let of_c = world.grown("c", 1)?;
    world.grown("c", of_c + 2)?;
    until_told(&world, "a", "c/witness", "cosigns,")?;
    until(&world, "c", COPY)?;
    world.grown("a", size + 1)?;
    world.done(world.of("c")?, AUDIT)?;
    Ok(())
}

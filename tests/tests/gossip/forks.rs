//! A log shows two histories, each to another node.

use super::world::{ORIGIN, World, card, until};
use anyhow::ensure;
use assay_tests::ports::free_address;
use assay_tests::process::assay;
use assay_tests::site;
use assay_tests::static_http::StaticHttp;
use assay_tests::witness::{History, request};
use assay_tlog::Hash;
use std::fs;

/// Rounds within which all nodes must have evidence: it takes two or three.
const ROUNDS: f64 = 8.0;

/// Demands that all three nodes keep evidence, which verifies offline, that none of them cosigns
/// the log any more, and that this outlives a kill.
async fn all_convict(world: &mut World, log: &History, next: &str) -> anyhow::Result<()> {
    let before = [
        world.rounds(0).await?,
        world.rounds(1).await?,
        world.rounds(2).await?,
    ];
    let mut files = Vec::new();
    for (at, before) in before.iter().enumerate() {
        files.push(world.evidence(at).await?);
        let rounds = world.rounds(at).await? - before;
        ensure!(rounds <= ROUNDS, "it took {rounds} rounds");
    }
    for (at, file) in files.iter().enumerate() {
        let path = world.path().join("found.assay-misbehavior");
        fs::write(&path, file)?;
        let name = path.to_str().unwrap();
        let verify = ["misbehavior", "verify", name, "--log-key", &log.vkey()];
        let verified = assay(world.path(), &verify)?;
        ensure!(verified.status.success(), "{verified:?}");
        ensure!(world.add(at, next.to_owned()).await? == 403);
    }
    // One that only heard of it still knows after a kill, without anybody's help.
    for node in &mut world.nodes {
        node.kill()?;
    }
    world.nodes[2].run()?;
    ensure!(world.add(2, next.to_owned()).await? == 403);
    world.evidence(2).await?;
    Ok(())
}

/// Two heads of one size need nobody's answer.
#[tokio::test]
async fn two_heads_of_one_size_convict_their_log_everywhere() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let url = format!("http://{}", free_address()?);
    let known = card("f.example", &url, Some(&log), "\"witness\"");
    let mut world = World::new(&["a", "b", "c"], &known, &[])?;
    world.run()?;
    ensure!(world.add(0, log.request(0, 9)?).await? == 200);
    ensure!(world.add(1, log.fork(3).request(0, 9)?).await? == 200);
    all_convict(&mut world, &log, &log.request(9, 12)?).await
}

/// Of two heads of different sizes the log itself has to say which the larger tree begins with,
/// and does, since it serves the tiles of that.
#[tokio::test]
async fn the_logs_own_tiles_convict_it() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    for (older, newer) in [(9, 14), (8, 14)] {
        let folder = tempfile::tempdir()?;
        log.write_tiles(folder.path(), newer)?;
        let site = StaticHttp::serve(folder.path())?;
        let known = card("f.example", &site.url(), Some(&log), "\"witness\"");
        let mut world = World::new(&["a", "b", "c"], &known, &[])?;
        world.run()?;
        ensure!(world.add(0, log.fork(3).request(0, older)?).await? == 200);
        ensure!(world.add(1, log.request(0, newer)?).await? == 200);
        let next = log.request(newer, 20)?;
        all_convict(&mut world, &log, &next).await?;
        let found = world.evidence(2).await?;
        ensure!(found.contains("\nkind rewrite\n"), "{found}");
    }
    Ok(())
}

/// An honest log that nobody can reach is suspect, until it can be reached. Nobody blames it.
#[tokio::test]
async fn an_honest_log_that_is_gone_is_suspect_and_not_convicted() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let (folder, away) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let site = StaticHttp::serve(folder.path())?;
    let known = card("f.example", &site.url(), Some(&log), "\"witness\"");
    let mut world = World::new(&["a", "b"], &known, &[])?;
    for node in &world.nodes {
        node.configure("federation.alarm_after_ms = 1000")?;
    }
    world.run()?;
    ensure!(world.add(0, log.request(0, 9)?).await? == 200);
    ensure!(world.add(1, log.request(0, 14)?).await? == 200);
    for at in 0..2 {
        let suspects = until("an alarm", async || {
            let suspects = world.metric(at, "assay_gossip_suspects", "").await?;
            Ok((suspects > 0.0).then_some(suspects))
        });
        ensure!(suspects.await? == 1.0);
        let said = world.nodes[at].stderr();
        ensure!(said.contains("nobody links to its other heads"), "{said}");
        ensure!(world.metric(at, "assay_gossip_unlinked_heads", "").await? == 1.0);
    }
    log.write_tiles(away.path(), 14)?;
    fs::rename(away.path().join("tile"), folder.path().join("tile"))?;
    for at in 0..2 {
        until("the end of the alarm", async || {
            let suspects = world.metric(at, "assay_gossip_suspects", "").await?;
            Ok((suspects == 0.0).then_some(()))
        })
        .await?;
        let listed = world.get(&format!("{}/misbehavior", world.url(at))).await?;
        ensure!(listed.is_empty(), "{listed}");
        // It was cosigned all the time.
        let head = world.get(&format!("{}/heads", world.url(at))).await?;
        ensure!(head.contains(&log.note(14)), "{head}");
    }
    ensure!(world.add(0, log.request(9, 14)?).await? == 200);
    Ok(())
}

/// A witness that refuses a head, and cannot tell whether it is another history, passes it on to
/// those who can: here a mirror, for the log is gone.
#[tokio::test]
async fn what_a_witness_refuses_is_judged_by_the_tiles_of_a_mirror() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let folder = tempfile::tempdir()?;
    site::write(folder.path(), &log.entries(14), log.key())?;
    let site = StaticHttp::serve(folder.path())?;
    let known = card("f.example", &site.url(), Some(&log), "\"witness\"");
    let mut world = World::new(&["a", "b", "c"], &known, &["c"])?;
    world.run()?;
    let digest = Hash::of(ORIGIN.as_bytes());
    let copied = format!("{}/mirror/{digest}/checkpoint", world.url(2));
    until("a copy", async || Ok(world.get(&copied).await.ok())).await?;
    drop(site);
    ensure!(world.add(0, log.request(0, 14)?).await? == 200);
    // It asks for the size first, as every log does.
    let refused = request(0, &[], &log.fork(3).note(9));
    ensure!(world.add(0, refused).await? == 409);
    all_convict(&mut world, &log, &log.request(14, 20)?).await
}

/// A mirror that saw one history alone cosigns nothing more once it heard of the other.
#[tokio::test]
async fn a_mirror_that_heard_of_it_copies_on_and_cosigns_no_more() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let folder = tempfile::tempdir()?;
    site::write(folder.path(), &log.entries(14), log.key())?;
    let site = StaticHttp::serve(folder.path())?;
    let known = card(
        "f.example",
        &site.url(),
        Some(&log),
        "\"witness\", \"mirror\"",
    );
    let mut world = World::new(&["a", "b"], &known, &["b"])?;
    world.run()?;
    let digest = Hash::of(ORIGIN.as_bytes());
    let copied = format!("{}/mirror/{digest}/checkpoint", world.url(1));
    let cosigned = until("a copy", async || Ok(world.get(&copied).await.ok())).await?;
    ensure!(cosigned.contains("b.example/mirror"), "{cosigned}");
    ensure!(world.add(0, log.request(0, 14)?).await? == 200);
    let other = log.fork(3).note(14);
    ensure!(world.submit(0, other).await?.0 == 200);
    world.evidence(1).await?;
    site::write(folder.path(), &log.entries(20), log.key())?;
    until("more entries", async || {
        let label = format!("log=\"{ORIGIN}\"");
        let entries = world.metric(1, "assay_mirror_entries", &label).await?;
        Ok((entries == 20.0).then_some(()))
    })
    .await?;
    ensure!(world.get(&copied).await? == cosigned);
    Ok(())
}

/// Whoever has heads can submit them, and is told what is known against their logs.
#[tokio::test]
async fn submitted_heads_are_looked_at() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 20)?;
    let url = format!("http://{}", free_address()?);
    let known = card("f.example", &url, Some(&log), "\"witness\"");
    let mut world = World::new(&["a"], &known, &[])?;
    world.run()?;
    let stranger = History::new("log.example/stranger", 5)?;
    let notes = format!("{}\n{}", log.note(9), stranger.note(5));
    ensure!(world.submit(0, notes.clone()).await? == (200, "new 1\n".into()));
    ensure!(world.submit(0, notes).await? == (200, "new 0\n".into()));
    let shown = world.get(&format!("{}/heads", world.url(0))).await?;
    ensure!(
        shown.contains(&log.note(9)) && !shown.contains("stranger"),
        "{shown}"
    );

    let (status, said) = world.submit(0, log.fork(3).note(9)).await?;
    ensure!(status == 200, "{said}");
    let found = world.get(&format!("{}/misbehavior", world.url(0))).await?;
    let id = found.split(' ').next().unwrap();
    ensure!(said == format!("new 1\nmisbehavior {id}\n"), "{said}");

    let many: Vec<String> = (1..=17).map(|size| log.note(size)).collect();
    ensure!(world.submit(0, many.join("\n")).await?.0 == 400);
    ensure!(world.submit(0, "x".repeat(64 * 1024 + 1)).await?.0 == 413);
    Ok(())
}

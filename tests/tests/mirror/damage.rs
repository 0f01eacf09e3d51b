//! A disk that damages a copy: what it damaged is brought back from the log, and without the log
//! from another mirror; and nothing of it is served meanwhile.

use crate::{Mirror, PATIENCE, Pair, make, publish};
use anyhow::{Context as _, ensure};
use assay_node::storage::{
    Batch, Reads as _, Table, Tables as _,
    rocks::{Options, Rocks},
};
use assay_proto::v1::Wait;
use assay_tests::{
    issuer::Actor,
    log::Log,
    process::{Node, ORIGIN},
};
use assay_tlog::Hash;
use assay_tlog::head::VerifiedHead;
use assay_tlog::tree::{Resource, TileIndex, TilePath};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Changes a bit in each stored bundle and tile of a mirror that is stopped, or removes the row of
/// every third one. Returns how many there were.
fn damage(folder: &Path) -> anyhow::Result<usize> {
    let store = Rocks::open(&folder.join("mirror"), Options::default())?;
    let digest = Hash::of(ORIGIN.as_bytes());
    let end = [&digest.as_bytes()[..], &[0xff; 10]].concat();
    let mut batch = Batch::new();
    let mut rows = 0;
    for table in [Table::Segments, Table::Tiles] {
        for (key, value) in store.range(table, digest.as_bytes(), &end, 1000)? {
            if rows % 3 == 2 {
                batch.delete(table, key);
            } else {
                let mut wrong = value.to_vec();
                let middle = wrong.len() / 2;
                wrong[middle] ^= 0x20;
                batch.put(table, key, wrong);
            }
            rows += 1;
        }
    }
    store.commit(batch)?;
    Ok(rows)
}

/// Reads all that a mirror serves of a head: how many bundles and tiles are refused. What is not
/// refused is what the log has.
async fn refused(base: &str, head: &VerifiedHead, right: &[Vec<u8>]) -> anyhow::Result<usize> {
    let mut right = right.iter();
    let mut refused = 0;
    for level in 0..3 {
        for index in 0.. {
            let tile = TileIndex { level, index };
            let width = tile.width_at(head.size());
            if width == 0 {
                break;
            }
            let mut paths = vec![TilePath::new(Resource::Tile(tile), width)?];
            if level == 0 {
                paths.push(TilePath::new(Resource::Entries(index), width)?);
            }
            for path in paths {
                let right = right.next().context("more than the log has")?;
                let answer = reqwest::get(format!("{base}/{path}")).await?;
                match answer.status().as_u16() {
                    200 => ensure!(answer.bytes().await? == right, "{path} is wrong"),
                    500 => refused += 1,
                    other => anyhow::bail!("{path}: {other}"),
                }
            }
        }
    }
    Ok(refused)
}

/// Waits until a mirror serves all of a head again.
async fn until_whole(pair: &Pair, head: &VerifiedHead, right: &[Vec<u8>]) -> anyhow::Result<()> {
    let started = Instant::now();
    while refused(&pair.url(), head, right).await? > 0 {
        let said = pair.mirror.node.stderr();
        ensure!(started.elapsed() < PATIENCE, "it is not repaired: {said}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Starts another node that mirrors the same log, and makes it a peer.
pub async fn peer(pair: &Pair) -> anyhow::Result<Node> {
    let theirs = pair.log.ready().url.clone();
    let Mirror {
        node: mut other,
        vkeys,
        ..
    } = make("other.example/m", &pair.log.vkey()?, &theirs, "")?;
    other.run()?;
    let digest = Hash::of(ORIGIN.as_bytes());
    let copy = format!("{}/mirror/{digest}/checkpoint", other.ready().url);
    let started = Instant::now();
    while reqwest::get(&copy).await?.status() != 200 {
        ensure!(started.elapsed() < PATIENCE, "{}", other.stderr());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let peer = format!(
        "[[peer]]\nname = \"other\"\nurl = {:?}\nmirror = {vkeys:?}\nroles = [\"gossip\"]\n",
        other.ready().url,
    );
    std::fs::write(pair.mirror.node.folder().join("peers.toml"), peer)?;
    Ok(other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_repaired_from_the_log_and_then_from_another_mirror() -> anyhow::Result<()> {
    let mut pair = Pair::with("scrub_ms = 20").await?;
    let log = Log::connect(pair.log.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Sequenced).await?;
    let size = publish(&log, &issuer, 0..1200).await?;
    let theirs = pair.log.ready().url.clone();
    pair.proxy.conduct().target = Some(theirs.clone());
    pair.mirror.node.run()?;
    let head = pair.until_shown(size).await?;
    let right = pair.read(&theirs, &head).await?;

    let other = peer(&pair).await?;
    for from in ["log", "mirror"] {
        pair.mirror.node.stop()?;
        assert_eq!(damage(pair.mirror.node.folder())?, right.len());
        if from == "mirror" {
            pair.proxy.conduct().target = None;
            pair.log.kill()?;
        }
        pair.mirror.node.run()?;
        assert_eq!(pair.until_shown(size).await?, head);
        until_whole(&pair, &head, &right).await?;
        let (_, metrics) = Log::connect(pair.mirror.node.ready())
            .await?
            .admin("/metrics")
            .await?;
        let repaired = format!("from=\"{from}\"");
        for name in [
            "assay_mirror_scrubbed_total",
            "assay_mirror_scrub_repaired_total",
            &repaired,
        ] {
            assert!(metrics.contains(name), "{name}: {metrics}");
        }
    }

    drop(other);
    lost(&mut pair, &head, &right).await
}

/// Nobody has what is damaged: it is an alarm, and stays refused; what is not damaged is served.
async fn lost(pair: &mut Pair, head: &VerifiedHead, right: &[Vec<u8>]) -> anyhow::Result<()> {
    pair.mirror.node.stop()?;
    damage_one(pair.mirror.node.folder())?;
    pair.mirror.node.run()?;
    pair.until_shown(head.size().get()).await?;
    let lost = "neither the log nor another mirror has it";
    let started = Instant::now();
    while !pair.mirror.node.stderr().contains(lost) {
        ensure!(
            started.elapsed() < PATIENCE,
            "{}",
            pair.mirror.node.stderr()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(refused(&pair.url(), head, right).await?, 1);
    let (_, metrics) = Log::connect(pair.mirror.node.ready())
        .await?
        .admin("/metrics")
        .await?;
    let lost = metrics
        .lines()
        .find(|line| line.starts_with("assay_mirror_scrub_unrepaired"));
    assert!(lost.is_some_and(|line| line.ends_with(" 1")), "{lost:?}");
    Ok(())
}

/// Changes a bit of the first bundle of a mirror that is stopped.
fn damage_one(folder: &Path) -> anyhow::Result<()> {
    let store = Rocks::open(&folder.join("mirror"), Options::default())?;
    let digest = Hash::of(ORIGIN.as_bytes());
    let key = [&digest.as_bytes()[..], &[0; 8]].concat();
    let mut wrong = store
        .get(Table::Segments, &key)?
        .context("no bundle")?
        .to_vec();
    wrong[9] ^= 1;
    let mut batch = Batch::new();
    batch.put(Table::Segments, key, wrong);
    Ok(store.commit(batch)?)
}

//! A node that mirrors another one: real processes, with a server between them that lies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod damage;
mod elsewhere;
mod proxy;
mod uploads;

use anyhow::{Context, ensure};
use assay_proto::v1::Wait;
use assay_tests::{
    interop::{checked_size, fsck, require_go},
    issuer::Actor,
    log::Log,
    process::{self, Node, binaries},
};
use assay_tlog::Hash;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{Resource, TileIndex, TilePath};
use proxy::Proxy;
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Longest time that a mirror may take for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A log, a node that mirrors it, and what is between them.
struct Pair {
    log: Node,
    mirror: Node,
    proxy: Proxy,
    verifier: LogVerifier,
    /// The mirror's keys.
    own: CosignerVerifier,
}

/// Makes a node that mirrors the test log from an address; it does not run. Returns it with its
/// mirror's keys. `more` are lines of `[mirror]`.
fn make(name: &str, vkey: &str, url: &str, more: &str) -> anyhow::Result<(Node, Vec<String>)> {
    let mirror = Node::init_as("mirror.example/log")?;
    let output = Command::new(binaries().join("assay-node"))
        .args(["mirror", "init", "--name", name, "--dir"])
        .arg(mirror.folder())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "mirror init: {said}");
    let vkeys = String::from_utf8(output.stdout)?;
    mirror.append_configuration(&format!(
        "[mirror]\nname = {name:?}\nml_dsa_44_key = \"mirror-ml-dsa-44.key\"\n\
         poll_ms = 100\n{more}\n[[mirror.log]]\norigin = {:?}\nkeys = [{vkey:?}]\nurl = {url:?}",
        process::ORIGIN,
    ))?;
    Ok((mirror, vkeys.lines().map(str::to_owned).collect()))
}

impl Pair {
    /// Both nodes; only the log runs, and cannot be reached.
    async fn new() -> anyhow::Result<Self> {
        Pair::with("").await
    }

    /// The same, with more lines of `[mirror]`.
    async fn with(more: &str) -> anyhow::Result<Self> {
        let log = Node::start()?;
        let proxy = Proxy::start().await?;
        let vkey = log.vkey()?;
        let (mirror, vkeys) = make("mirror.example/m", &vkey, &proxy.url, more)?;
        let own: Result<Vec<_>, _> = vkeys.iter().map(|vkey| VerifierKey::parse(vkey)).collect();
        Ok(Pair {
            verifier: LogVerifier::new(process::ORIGIN, vec![VerifierKey::parse(&vkey)?])?,
            own: CosignerVerifier::new(own?)?,
            log,
            mirror,
            proxy,
        })
    }

    fn url(&self) -> String {
        let digest = Hash::of(process::ORIGIN.as_bytes());
        format!("{}/mirror/{digest}", self.mirror.ready().url)
    }

    /// What the mirror shows, with its cosignatures verified; none if it shows nothing.
    async fn shown(&self) -> anyhow::Result<Option<VerifiedHead>> {
        let answer = reqwest::get(format!("{}/checkpoint", self.url())).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        let note = answer.error_for_status()?.text().await?;
        let cosigned = self.own.verify(&note)?;
        ensure!(cosigned.statements().len() == 2, "one line for each key");
        Ok(Some(self.verifier.verify(&note)?))
    }

    /// Waits until the mirror shows a head of this size.
    async fn until_shown(&self, size: u64) -> anyhow::Result<VerifiedHead> {
        let started = Instant::now();
        loop {
            let shown = self.shown().await?;
            match shown {
                Some(head) if head.size().get() == size => return Ok(head),
                other => ensure!(
                    started.elapsed() < PATIENCE,
                    "{:?}, not {size}: {}",
                    other.map(|head| head.size()),
                    self.mirror.stderr()
                ),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the mirror has fetched so many things whose paths have this in them.
    async fn until_served(&self, part: &str, count: usize) -> anyhow::Result<()> {
        let served = self.proxy.until_served(part, count);
        let served = tokio::time::timeout(PATIENCE, served).await;
        served.with_context(|| format!("{part}: {}", self.mirror.stderr()))
    }

    /// Every tile and bundle of a head, as a server has it.
    async fn read(&self, base: &str, head: &VerifiedHead) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
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
                    let answer = reqwest::get(format!("{base}/{path}")).await?;
                    let answer = answer.error_for_status().context(path.to_path())?;
                    all.push(answer.bytes().await?.to_vec());
                }
            }
        }
        Ok(all)
    }
}

/// Publishes claims, and returns the size of the log.
async fn publish(log: &Log, issuer: &Actor, numbers: std::ops::Range<u64>) -> anyhow::Result<u64> {
    log.publish_many(issuer, numbers.clone()).await?;
    let last = log.publish(issuer.claim(numbers.end), Wait::Integrated);
    last.await?;
    log.size().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_is_killed_goes_on_and_outlives_its_log() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let log = Log::connect(pair.log.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Sequenced).await?;
    publish(&log, &issuer, 0..1500).await?;

    // It gets no further than to a bundle that is wrong, and is killed there: what was stored is
    // not fetched again.
    pair.proxy.conduct().target = Some(pair.log.ready().url.clone());
    pair.proxy.conduct().flip = Some("entries/004");
    pair.mirror.run()?;
    pair.until_served("entries/004", 2).await?;
    assert_eq!(pair.shown().await?, None);
    pair.mirror.kill()?;
    pair.proxy.conduct().served.clear();
    pair.proxy.conduct().flip = None;
    pair.mirror.run()?;
    // The log grows meanwhile.
    let size = publish(&log, &issuer, 1501..1700).await?;
    let head = pair.until_shown(size).await?;
    for (bundle, is_fetched) in [("003", false), ("004", true), ("005", true)] {
        let served = pair.proxy.served(&format!("entries/{bundle}"));
        assert_eq!(served > 0, is_fetched, "bundle {bundle}");
    }
    let (theirs, ours) = (pair.log.ready().url.clone(), pair.url());
    assert_eq!(
        pair.read(&theirs, &head).await?,
        pair.read(&ours, &head).await?
    );

    // The log is gone; the mirror is not, nor after it was started again.
    pair.log.kill()?;
    pair.mirror.stop()?;
    pair.mirror.run()?;
    assert_eq!(pair.until_shown(size).await?, head);
    let copied = pair.read(&pair.url(), &head).await?;
    assert_eq!(copied.len(), 2 * size.div_ceil(256) as usize + 1);
    let beyond = reqwest::get(format!("{}/tile/entries/900", pair.url())).await?;
    assert_eq!(beyond.status(), 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_damaged_on_its_way_is_refused_until_it_is_right() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let log = Log::connect(pair.log.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Sequenced).await?;
    let mut size = publish(&log, &issuer, 0..300).await?;
    pair.proxy.conduct().target = Some(pair.log.ready().url.clone());
    pair.mirror.run()?;
    pair.until_shown(size).await?;
    let mut next = 301;
    for part in ["tile/entries", "tile/0", "tile/1", "checkpoint"] {
        pair.proxy.conduct().flip = Some(part);
        let before = size;
        size = publish(&log, &issuer, next..next + 20).await?;
        next += 21;
        // What was damaged has been fetched, and was fetched again: so it was refused.
        let asked = pair.proxy.served(part);
        pair.until_served(part, asked + 2).await?;
        let shown = pair.shown().await?.context("it was shown before")?;
        assert_eq!(shown.size().get(), before, "{part}");
        pair.proxy.conduct().flip = None;
        let head = pair.until_shown(size).await?;
        let theirs = pair.read(&pair.log.ready().url, &head).await?;
        assert_eq!(pair.read(&pair.url(), &head).await?, theirs, "{part}");
    }
    let said = pair.mirror.stderr();
    assert!(said.contains("a log cannot be mirrored"), "{said}");
    assert!(said.contains("a log is mirrored again"), "{said}");
    let log = Log::connect(pair.mirror.ready()).await?;
    let (status, metrics) = log.admin("/metrics").await?;
    assert_eq!(status, 200);
    for name in ["assay_mirror_failures_total", "assay_mirror_entries"] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    Ok(())
}

mod needs_go {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn fsck_passes_a_mirror() -> anyhow::Result<()> {
        if !require_go("fsck of a mirror") {
            return Ok(());
        }
        let mut pair = Pair::new().await?;
        let log = Log::connect(pair.log.ready()).await?;
        let issuer = Actor::new(&[1], 1);
        log.publish(issuer.registration()?, Wait::Sequenced).await?;
        let size = publish(&log, &issuer, 0..700).await?;
        pair.proxy.conduct().target = Some(pair.log.ready().url.clone());
        pair.mirror.run()?;
        pair.until_shown(size).await?;
        pair.log.kill()?;
        let (url, vkey) = (pair.url(), pair.log.vkey()?);
        let success = tokio::task::spawn_blocking(move || fsck(&url, &vkey)).await?;
        let success = success.map_err(anyhow::Error::msg)?;
        assert_eq!(checked_size(&success), Some(size), "{success}");
        Ok(())
    }
}

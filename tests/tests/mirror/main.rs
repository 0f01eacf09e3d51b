//! A node that mirrors another one: real processes, with a server between them that lies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod damage;
mod elsewhere;
mod held;
mod needs_go;
mod proxy;
mod python;
mod uploads;

use anyhow::Context;
use assay_proto::v1::Wait;
use assay_tests::{
    issuer::Actor,
    log::Log,
    mirror::{Mirror, PATIENCE, published},
    process::{self, Node},
};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::VerifierKey;
use proxy::Proxy;

/// A log, a node that mirrors it, and what is between them.
struct Pair {
    log: Node,
    mirror: Mirror,
    proxy: Proxy,
    verifier: LogVerifier,
}

/// Makes a node that mirrors the test log from an address; it does not run. `more` are lines of
/// `[mirror]`.
fn make(name: &str, vkey: &str, url: &str, more: &str) -> anyhow::Result<Mirror> {
    let mirror = Mirror::init(name, &format!("poll_ms = 100\n{more}"))?;
    mirror.add_log(process::ORIGIN, vkey, url)?;
    Ok(mirror)
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
        Ok(Pair {
            verifier: LogVerifier::new(process::ORIGIN, vec![VerifierKey::parse(&vkey)?])?,
            mirror: make("mirror.example/m", &vkey, &proxy.url, more)?,
            log,
            proxy,
        })
    }

    fn url(&self) -> String {
        self.mirror.copy_of(process::ORIGIN)
    }

    /// What the mirror shows, with its cosignatures verified; none if it shows nothing.
    async fn shown(&self) -> anyhow::Result<Option<VerifiedHead>> {
        self.mirror.shown(&self.verifier).await
    }

    /// Waits until the mirror shows a head of this size.
    async fn until_shown(&self, size: u64) -> anyhow::Result<VerifiedHead> {
        self.mirror.until_shown(&self.verifier, size).await
    }

    /// Waits until the mirror has fetched so many things whose paths have this in them.
    async fn until_served(&self, part: &str, count: usize) -> anyhow::Result<()> {
        let served = self.proxy.until_served(part, count);
        let served = tokio::time::timeout(PATIENCE, served).await;
        served.with_context(|| format!("{part}: {}", self.mirror.node.stderr()))
    }

    /// Every tile and bundle of a head, as a server has it.
    async fn read(&self, base: &str, head: &VerifiedHead) -> anyhow::Result<Vec<Vec<u8>>> {
        published(base, head.size()).await
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
    pair.mirror.node.run()?;
    pair.until_served("entries/004", 2).await?;
    assert_eq!(pair.shown().await?, None);
    pair.mirror.node.kill()?;
    pair.proxy.conduct().served.clear();
    pair.proxy.conduct().flip = None;
    pair.mirror.node.run()?;
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
    pair.mirror.node.stop()?;
    pair.mirror.node.run()?;
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
    pair.mirror.node.run()?;
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
    let said = pair.mirror.node.stderr();
    assert!(said.contains("a log cannot be mirrored"), "{said}");
    assert!(said.contains("a log is mirrored again"), "{said}");
    let log = Log::connect(pair.mirror.node.ready()).await?;
    let (status, metrics) = log.admin("/metrics").await?;
    assert_eq!(status, 200);
    for name in ["assay_mirror_failures_total", "assay_mirror_entries"] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    Ok(())
}

//! What strangers may cost: memory, disk and other callers' time.
//!
//! Strangers come from addresses of their own (127.0.0.2 and so on), as they do on the network. The
//! honest caller beside them comes from 127.0.0.1.

mod many;
mod passed_on;
mod places;
mod proxied;
mod quotas;
mod unread;
mod uploads;

use crate::Fixture;
use anyhow::Context;
use assay_proto::v1::Wait;
use assay_tests::{
    log::Leaf,
    process::Node,
    stranger::{Stranger, framed, grpc_status},
};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Resident memory of the node, in MiB.
fn resident_mib(node: &Node) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", node.pid()?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no VmRSS")?.parse::<u64>()? / 1024)
}

/// What an honest caller saw.
#[derive(Debug, Default)]
struct Seen {
    calls: Vec<Duration>,
    most_mib: u64,
}

impl Seen {
    /// The time that so many of 100 calls stayed below.
    fn percentile(&self, percent: usize) -> Duration {
        let mut calls = self.calls.clone();
        calls.sort_unstable();
        let at = calls.len() * percent / 100;
        calls.get(at).copied().unwrap_or_default()
    }
}

impl Seen {
    /// Publishes a claim, and reads an entry with its proof. Fails if one of the calls fails.
    async fn turn(&mut self, fixture: &Fixture, number: u64) -> anyhow::Result<()> {
        let started = Instant::now();
        let claim = fixture.issuer.claim(number);
        let published = fixture.log.publish(claim, Wait::Sequenced).await?;
        self.calls.push(started.elapsed());
        let started = Instant::now();
        let leaf = Leaf::Index(published.leaf_index % 3);
        fixture.log.entry(leaf).await?;
        self.calls.push(started.elapsed());
        self.most_mib = self.most_mib.max(resident_mib(&fixture.node)?);
        Ok(())
    }
}

/// What an honest caller sees when there is nobody else, in a turn for each number.
async fn alone(fixture: &Fixture, numbers: std::ops::Range<u64>) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    for number in numbers {
        seen.turn(fixture, number).await?;
    }
    Ok(seen)
}

/// Publishes, proves and reads until `until` ends, and notes how long each call took and how much
/// memory the node had. Fails if one call fails.
async fn honest<T>(
    fixture: &Fixture,
    mut numbers: std::ops::RangeFrom<u64>,
    until: impl Future<Output = T>,
) -> anyhow::Result<(Seen, T)> {
    tokio::pin!(until);
    let mut seen = Seen::default();
    loop {
        let number = numbers.next().context("no number")?;
        seen.turn(fixture, number).await?;
        let now = tokio::time::timeout(Duration::from_millis(5), until.as_mut());
        if let Ok(ended) = now.await {
            return Ok((seen, ended));
        }
    }
}

/// What other programs on this machine may add to the slowest calls of an honest caller, and to
/// half of them.
const NOISE_P99: Duration = Duration::from_secs(2);
const NOISE_P50: Duration = Duration::from_millis(100);

/// The honest caller was answered about as fast as when there is nobody else: within twice the
/// time.
fn assert_undisturbed(idle: &Seen, busy: &Seen, what: &str) {
    for (percent, noise) in [(50, NOISE_P50), (99, NOISE_P99)] {
        let (before, now) = (idle.percentile(percent), busy.percentile(percent));
        assert!(
            now <= 2 * before + noise,
            "{what}: the p{percent} of an honest caller went from {before:?} to {now:?}"
        );
    }
}

/// The number after a metric's name and labels.
pub async fn metric(fixture: &Fixture, name: &str) -> anyhow::Result<f64> {
    let (_, metrics) = fixture.log.admin("/metrics").await?;
    let value = metrics.lines().find_map(|line| {
        let (found, value) = line.rsplit_once(' ')?;
        (found == name).then_some(value)
    });
    Ok(value.unwrap_or("0").parse()?)
}

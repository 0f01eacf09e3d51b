//! What is seen of a node from outside: its memory, its CPU time, its metrics, its head.

use anyhow::Context;
use assay_proto::v1::{GetCheckpointRequest, log_service_client::LogServiceClient};
pub use assay_tests::memory::{peak_mib, resident_mib};
use assay_tests::process::{Node, poll};
use std::time::{Duration, Instant};

/// Limits that would make the benchmark measure the limits.
pub const UNLIMITED: &str = "admission.issuer_claims_per_second = 0\n\
    admission.registrations_per_hour = 0\ntrace.filter = \"warn\"";

/// The size of the log's published tree.
pub async fn published_size(url: &str) -> anyhow::Result<u64> {
    let mut client = LogServiceClient::connect(url.to_owned()).await?;
    let note = client
        .get_checkpoint(GetCheckpointRequest {})
        .await?
        .into_inner()
        .checkpoint;
    Ok(note
        .lines()
        .nth(1)
        .context("the checkpoint has no size")?
        .parse()?)
}

pub fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// What is resident at rest: what a load needed is given back within seconds, and this waits until
/// nothing more is.
pub fn at_rest_mib(pid: u32) -> anyhow::Result<f64> {
    let (mut least, mut since) = (resident_mib(pid)?, Instant::now());
    let begun = since;
    poll(|| {
        let now = resident_mib(pid)?;
        if now < least {
            (least, since) = (now, Instant::now());
        }
        let settled =
            since.elapsed() >= Duration::from_secs(3) || begun.elapsed() >= Duration::from_secs(30);
        Ok(settled.then_some(least))
    })
}

/// CPU time of the node and of this process, which a busy machine does not change as it changes
/// rates.
pub struct Spent {
    node: u32,
    before: (f64, f64),
}

impl Spent {
    pub fn start(node: &Node) -> anyhow::Result<Self> {
        let node = node.pid()?;
        Ok(Spent {
            node,
            before: (cpu_us(node)?, cpu_us(std::process::id())?),
        })
    }

    /// The node's microseconds of each of so many claims.
    pub fn node(self, claims: u64) -> anyhow::Result<f64> {
        Ok((cpu_us(self.node)? - self.before.0) / claims as f64)
    }

    pub fn per(self, claims: u64) -> anyhow::Result<String> {
        let per = |before: f64, pid: u32| anyhow::Ok((cpu_us(pid)? - before) / claims as f64);
        let (node, client) = (
            per(self.before.0, self.node)?,
            per(self.before.1, std::process::id())?,
        );
        Ok(format!(
            "node {node:.1} µs, client {client:.1} µs (signing included)"
        ))
    }
}

/// User and system time of a process, in microseconds. Linux counts in hundredths of a second.
pub fn cpu_us(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold spaces; what follows it does not.
    let fields = stat
        .rsplit(')')
        .next()
        .context("no fields")?
        .split_whitespace();
    let ticks: Vec<f64> = fields
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() * 10_000.0)
}

/// A number of the node's own metrics.
pub fn metric(node: &Node, name: &str) -> anyhow::Result<f64> {
    let url = format!("{}/metrics", node.ready().admin);
    let metrics = tokio::runtime::Runtime::new()?
        .block_on(async { reqwest::get(url).await?.text().await })?;
    let value = metrics.lines().find_map(|line| {
        let (found, value) = line.split_once(' ')?;
        (found == name).then_some(value)
    });
    let value = value.with_context(|| format!("no {name}"))?;
    Ok(value.parse()?)
}

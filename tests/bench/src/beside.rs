//! What an honest caller waits for look-ups while strangers do what once held a node up.

use crate::{connection::connect_index, material::Material, observed::metric, report::Report};
use anyhow::ensure;
use assay_proto::v1::{LookupRequest, StreamEntriesRequest};
use assay_tests::{
    log::everything,
    process::{Node, poll},
    stranger::{Stranger, begin, grpc_status},
};
use assay_tlog::Hash;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{runtime, time::interval};

/// How long the honest caller asks, alone and beside strangers.
const LASTING: Duration = Duration::from_secs(3);

/// Connections of strangers with a hundred streams each that nobody reads.
const UNREAD: usize = 5;

/// How often a stranger asks for the whole index, and begins an upload that no claim names. Each
/// would have been a second of the node's time, or 64 MiB of its disk.
const ASKED: Duration = Duration::from_millis(5);
const UPLOADED: Duration = Duration::from_millis(10);
const UPLOAD_BYTES: u64 = 64 << 20;

/// The strangers, as long as they are not dropped.
struct Strangers {
    refused: Arc<AtomicU64>,
    _unread: Vec<(Stranger, Vec<reqwest::Result<reqwest::Response>>)>,
    _runtime: runtime::Runtime,
}

/// Measures the time that 99 of 100 look-ups stay below, one caller's, one after the other: beside
/// strangers, by that without them.
pub fn beside(
    material: &Material,
    node: &Node,
    leaves: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("looking up beside strangers…");
    // Once, so that neither side is measured cold.
    asking(material, node, leaves)?;
    let idle = asking(material, node, leaves)?;
    let strangers = Strangers::start(node)?;
    let busy = asking(material, node, leaves)?;
    let refused = strangers.refused.load(Ordering::Relaxed);
    ensure!(refused > 0, "nobody was refused");
    drop(strangers);
    // What they held is nobody else's to measure.
    poll(|| Ok((metric(node, "assay_held_bytes")? == 0.0).then_some(())))?;
    let detail = format!(
        "p99 {:.0} µs, {:.0} alone; p50 {:.0}, {:.0} alone; {} streams that nobody read, {refused} \
         refusals",
        percentile(&busy, 99),
        percentile(&idle, 99),
        percentile(&busy, 50),
        percentile(&idle, 50),
        100 * UNREAD,
    );
    let ratio = percentile(&busy, 99) / percentile(&idle, 99);
    report.less("beside_strangers", ratio, 2.0, detail);
    Ok(())
}

/// What each look-up of one caller took, in microseconds, ascending.
fn asking(material: &Material, node: &Node, leaves: u64) -> anyhow::Result<Vec<f64>> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut times = Vec::new();
    runtime.block_on(async {
        let mut client = connect_index(&node.ready().url).await?;
        let deadline = Instant::now() + LASTING;
        while Instant::now() < deadline {
            let turn = times.len() as u64;
            let request = LookupRequest {
                label: material.label(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % leaves),
                from: 0,
                limit: 0,
            };
            let started = Instant::now();
            client.lookup(request).await?;
            times.push(started.elapsed().as_secs_f64() * 1e6);
        }
        anyhow::Ok(())
    })?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn percentile(ascending: &[f64], percent: usize) -> f64 {
    let at = ascending.len() * percent / 100;
    ascending.get(at).copied().unwrap_or_default()
}

impl Strangers {
    fn start(node: &Node) -> anyhow::Result<Self> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let refused = Arc::new(AtomicU64::new(0));
        let unread = runtime.block_on(begin(node, UNREAD, async |stranger: &Stranger| {
            let all = StreamEntriesRequest::default();
            stranger.call("LogService/StreamEntries", all).await
        }))?;
        let (asks, uploads) = (
            Stranger::new(node, 3, 1 << 16)?,
            Stranger::new(node, 4, 1 << 16)?,
        );
        let count = refused.clone();
        runtime.spawn(async move {
            let mut turns = interval(ASKED);
            loop {
                turns.tick().await;
                let asked = asks.call("IndexService/LookupPrefix", everything());
                count_refused(asked.await, &count);
            }
        });
        let (count, unnamed) = (refused.clone(), Hash::of(b"a document that nobody names"));
        runtime.spawn(async move {
            let mut turns = interval(UPLOADED);
            loop {
                turns.tick().await;
                let chunks = futures::stream::pending();
                let answer = uploads.upload(&unnamed, UPLOAD_BYTES, chunks).await;
                count_refused(answer, &count);
            }
        });
        Ok(Strangers {
            refused,
            _unread: unread,
            _runtime: runtime,
        })
    }
}

fn count_refused(answer: reqwest::Result<reqwest::Response>, count: &AtomicU64) {
    if answer.is_ok_and(|answer| grpc_status(&answer).is_some_and(|status| status != 0)) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

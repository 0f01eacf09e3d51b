//! What the index costs and what its answers cost.

use crate::{
    beside, canned, checks,
    connection::connect_index,
    load::{Asked, lookups, publish_stream},
    material::{LEAVES, Material, take},
    observed::{
        Spent, UNLIMITED, at_rest_mib, median, metric, peak_mib, published_size, resident_mib,
    },
    report::Report,
};
use anyhow::{Context, ensure};
use assay_proto::v1::LookupRequest;
use assay_tests::process::{Node, binaries, poll};
use bytes::Bytes;
use prost::Message;
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Claims of one timed publishing run, of which there are three: some publish intervals' worth.
const PUBLISHED: u64 = 150_000;

/// Claims of one measurement of CPU.
const GROWN: u64 = 200_000;

/// How a node is set for all of this: a checkpoint a second, so that each has much to index.
pub fn settings() -> String {
    format!("{UNLIMITED}\nlog.publish_interval_ms = 1000")
}

/// A node with so many claims.
pub fn filled(material: &Material, claims: u64) -> anyhow::Result<Node> {
    let mut node = Node::init()?;
    node.configure(&settings())?;
    node.run()?;
    let url = node.ready().url.clone();
    tokio::runtime::Runtime::new()?.block_on(material.register(&url))?;
    publish_stream(&url, material, 0..claims)?;
    Ok(node)
}

/// Everything that a log of `leaves` claims is measured for. Returns the node.
pub fn bench(material: &Material, leaves: u64, report: &mut Report) -> anyhow::Result<()> {
    let labels = material.labels_rate()?;
    report.note(
        "labels of one claim, one core (not in index_share)",
        format!("{:.2} µs", 1e6 / labels),
    );
    eprintln!("filling a log to {leaves} claims about 300,000 packages…");
    let early = leaves / 2;
    let mut node = filled(material, early)?;
    let url = node.ready().url.clone();
    let measured = GROWN.min(early);
    let before = cpu(&node, measured, || {
        publish_stream(&url, material, early..early + measured)
    })?;
    publish_stream(&url, material, early + measured..leaves)?;
    let peak = peak_mib(node.pid()?)?;
    let rest = at_rest_mib(node.pid()?)?;
    let detail = format!("at most while the node took {leaves} claims; {rest:.0} MiB at rest");
    report.less("memory_indexed_mib", peak, 384.0, detail);
    publishing(material, &node, leaves, report)?;
    node.stop()?;
    node.run()?;

    proof_bytes(material, &node, leaves, report)?;
    looking_up(material, &node, leaves, report)?;
    checks::refusing(&node, report)?;
    checks::checking(material, &node, report)?;
    let size = tokio::runtime::Runtime::new()?.block_on(published_size(&node.ready().url))?;
    let resident = resident_mib(node.pid()?)?;
    report.note(
        "resident after a restart and these answers",
        format!("{resident:.0} MiB at {size} entries"),
    );
    replaying(&node, size, material, report)?;
    beside::beside(material, &node, leaves, report)?;
    growth(&mut node, material, leaves, before, report)
}

/// What the index costs while claims are published, and nothing else.
pub fn only_publishing(
    material: &Material,
    leaves: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let node = filled(material, leaves)?;
    publishing(material, &node, leaves, report)
}

/// What an answer costs, and nothing else.
pub fn only_lookup(material: &Material, leaves: u64, report: &mut Report) -> anyhow::Result<()> {
    let mut node = filled(material, leaves)?;
    // The last checkpoint has them all.
    node.stop()?;
    node.run()?;
    proof_bytes(material, &node, leaves, report)?;
    looking_up(material, &node, leaves, report)
}

/// What a decision costs, and nothing else.
pub fn only_checks(material: &Material, leaves: u64, report: &mut Report) -> anyhow::Result<()> {
    let mut node = filled(material, leaves)?;
    node.stop()?;
    node.run()?;
    checks::refusing(&node, report)?;
    checks::checking(material, &node, report)
}

/// What an honest caller waits beside strangers, and nothing else.
pub fn only_beside(material: &Material, leaves: u64, report: &mut Report) -> anyhow::Result<()> {
    let mut node = filled(material, leaves)?;
    node.stop()?;
    node.run()?;
    beside::beside(material, &node, leaves, report)
}

/// The memory and the start of a log of so many claims, about a third as many packages, by 200
/// issuers.
pub fn large(_: &Material, claims: u64, report: &mut Report) -> anyhow::Result<()> {
    eprintln!(
        "filling a log to {claims} claims about {} packages…",
        claims / 3
    );
    let material = Material::new(200, claims / 3)?;
    let mut node = filled(&material, claims)?;
    let peak = peak_mib(node.pid()?)?;
    let rest = at_rest_mib(node.pid()?)?;
    let detail = format!("at most while the node took {claims} claims; {rest:.0} MiB at rest");
    report.less("memory_10m_mib", peak, 512.0, detail);
    node.stop()?;
    let started = Instant::now();
    node.run()?;
    let seconds = started.elapsed().as_secs_f64();
    let resident = resident_mib(node.pid()?)?;
    let detail = format!("until the first call is answered; {resident:.0} MiB then");
    report.less("startup_10m_s", seconds, 1.0, detail);
    recovering(&mut node, &material, claims, report)
}

/// How long a start takes after kill -9 while claims are published.
fn recovering(
    node: &mut Node,
    material: &Material,
    claims: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut times = Vec::new();
    let mut next = claims;
    for _ in 0..3 {
        let url = node.ready().url.clone();
        let published = take(&mut next, GROWN);
        let runtime = tokio::runtime::Runtime::new()?;
        let half = runtime.block_on(published_size(&url))? + GROWN / 2;
        std::thread::scope(|threads| {
            let publishing = threads.spawn(|| publish_stream(&url, material, published));
            // In the middle of it.
            poll(|| Ok((runtime.block_on(published_size(&url))? > half).then_some(())))?;
            node.kill()?;
            // It fails, because the node was killed under it.
            let ended = publishing.join();
            ensure!(
                ended.is_ok_and(|it| it.is_err()),
                "the node was killed too late"
            );
            anyhow::Ok(())
        })?;
        let started = Instant::now();
        node.run()?;
        times.push(started.elapsed().as_secs_f64());
    }
    let all: Vec<_> = times.iter().map(|time| format!("{time:.2}")).collect();
    let detail = format!(
        "until the first call is answered, after kill -9; {}",
        all.join(", ")
    );
    report.less("recover_s", median(times), 5.0, detail);
    node.stop()
}

/// CPU that the node spends on a claim, in microseconds, while `run` publishes so many of them.
fn cpu(node: &Node, claims: u64, run: impl FnOnce() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    let spent = Spent::start(node)?;
    run()?;
    spent.node(claims)
}

/// How much of the time of publishing the node's sequencer spends in steps of the index, by the
/// node's own metrics.
fn publishing(
    material: &Material,
    node: &Node,
    leaves: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("publishing with the index…");
    let (mut rates, mut shares, mut spent) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = leaves;
    for _ in 0..3 {
        let claims = take(&mut next, PUBLISHED);
        let (cpu, before) = (Spent::start(node)?, index_seconds(node)?);
        let rate = publish_stream(&node.ready().url, material, claims)?;
        shares.push((index_seconds(node)? - before) / (PUBLISHED as f64 / rate));
        spent.push(cpu.node(PUBLISHED)?);
        rates.push(rate);
    }
    let detail = format!(
        "{:.0} claims/s; {:.1} µs of the node's CPU a claim",
        median(rates),
        median(spent)
    );
    report.less("index_share", median(shares), 0.15, detail);
    Ok(())
}

/// The seconds that a node has spent in steps of the index since it started.
fn index_seconds(node: &Node) -> anyhow::Result<f64> {
    metric(node, "assay_index_seconds_sum")
}

fn proof_bytes(
    material: &Material,
    node: &Node,
    leaves: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut total, mut largest) = (0, 0);
    const ASKED: u64 = 500;
    runtime.block_on(async {
        let mut client = connect_index(&node.ready().url).await?;
        for turn in 0..ASKED {
            let label = material.label(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % leaves);
            let answer = client
                .lookup(LookupRequest {
                    label,
                    from: 0,
                    limit: 0,
                })
                .await?
                .into_inner();
            let claim: usize = answer
                .answer
                .as_ref()
                .context("no answer")?
                .entries
                .iter()
                .map(Bytes::len)
                .sum();
            let bytes = answer.encoded_len() - claim;
            total += bytes;
            largest = largest.max(bytes);
        }
        anyhow::Ok(())
    })?;
    let mean = total as f64 / ASKED as f64;
    let detail = format!(
        "KiB, {mean:.0} bytes on average of {ASKED}, at most {largest}; checkpoint and commitment \
         included"
    );
    report.less("proof_bytes", mean / 1024.0, 3.5, detail);
    Ok(())
}

fn looking_up(
    material: &Material,
    node: &Node,
    leaves: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("looking up…");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let bytes = runtime.block_on(async {
        let mut client = connect_index(&node.ready().url).await?;
        let request = LookupRequest {
            label: material.label(7),
            from: 0,
            limit: 0,
        };
        anyhow::Ok(client.lookup(request).await?.into_inner().encoded_len() as u64)
    })?;
    let canned = canned::Process::start()?;
    let duration = Duration::from_secs(3);
    let (real, bytes) = (Asked::Versions(material, leaves), Asked::Bytes(bytes));
    lookups(&node.ready().url, &real, duration)?;
    lookups(&canned.url, &bytes, duration)?;
    let (mut rates, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        rates.push(lookups(&node.ready().url, &real, duration)?);
        baseline.push(lookups(&canned.url, &bytes, duration)?);
    }
    let (rate, baseline) = (median(rates), median(baseline));
    report.ratio(
        "lookup",
        rate / baseline,
        0.65,
        format!("{rate:.0} answers/s; {baseline:.0} canned ones/s"),
    );
    Ok(())
}

fn replaying(
    node: &Node,
    size: u64,
    material: &Material,
    report: &mut Report,
) -> anyhow::Result<()> {
    eprintln!("replaying…");
    let batch = material.batch_rate()?;
    report.note(
        "batch-verified signatures, one core",
        format!("{batch:.0}/s"),
    );
    let mut rates = Vec::new();
    for round in 0..3 {
        let started = Instant::now();
        let output = Command::new(binaries().join("assay"))
            .args([
                "audit",
                &node.ready().url,
                "--log-key",
                &node.ready().vkey,
                "--state-dir",
            ])
            .arg(node.folder().join(format!("replay-state-{round}")))
            .output()?;
        ensure!(
            output.status.success(),
            "assay audit failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        rates.push(size as f64 / started.elapsed().as_secs_f64());
    }
    let rate = median(rates);
    report.ratio(
        "replay",
        rate / batch,
        0.6,
        format!("{rate:.0} entries/s, the whole process"),
    );
    Ok(())
}

/// CPU of a claim at five times the size over that at half of it.
fn growth(
    node: &mut Node,
    material: &Material,
    leaves: u64,
    before: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let large = (leaves * 5).max(leaves + 3 * PUBLISHED);
    eprintln!("growing the log to {large} claims…");
    let url = node.ready().url.clone();
    publish_stream(&url, material, leaves + 3 * PUBLISHED..large)?;
    let after = cpu(node, GROWN, || {
        publish_stream(&url, material, large..large + GROWN)
    })?;
    let detail = format!(
        "{after:.1} µs a claim at {large} claims; {before:.1} µs at {}",
        leaves / 2
    );
    report.less("growth", after / before, 1.4, detail);
    report.note(
        "resident at that size",
        format!("{:.0} MiB", resident_mib(node.pid()?)?),
    );
    node.stop()?;
    let quick = if leaves == LEAVES {
        ""
    } else {
        " (a smaller log)"
    };
    report.note(
        "growth",
        format!("measured on the node's own CPU time{quick}"),
    );
    Ok(())
}

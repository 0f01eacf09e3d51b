//! A node that copies a log and replays all of it, beside what one core verifies.

use crate::{
    load::publish_stream,
    material::Material,
    observed::{UNLIMITED, peak_mib, published_size},
    report::Report,
};
use anyhow::{Context, ensure};
use assay_tests::process::{Node, binaries, poll};
use assay_tlog::Hash;
use std::{process::Command, time::Instant};

/// Claims that are copied, at most.
pub const CLAIMS: u64 = 1_000_000;

/// A log of so many claims is copied by a node that starts with nothing. The clock stops when all
/// of it was replayed and cosigned. Then the node is killed, and started on what it has.
pub fn bench(material: &Material, claims: u64, report: &mut Report) -> anyhow::Result<()> {
    let claims = claims.min(CLAIMS);
    eprintln!("mirroring and replaying {claims} claims…");
    let batch = material.batch_rate()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut log = Node::init_as("mirrored.bench.example/log")?;
    log.configure(UNLIMITED)?;
    log.run()?;
    let url = log.ready().url.clone();
    runtime.block_on(material.register(&url))?;
    publish_stream(&url, material, 0..claims)?;
    poll(|| Ok((runtime.block_on(published_size(&url))? > claims).then_some(())))?;

    let mut mirror = auditor(&log)?;
    let started = Instant::now();
    mirror.run()?;
    let size = until_audited(&mirror, &log, claims)?;
    let rate = size as f64 / started.elapsed().as_secs_f64();
    let detail = format!("{rate:.0} entries/s; {batch:.0} signatures/s in batches, one core");
    report.ratio("mirror_catch_up", rate / batch, 0.6, detail);
    let peak = peak_mib(mirror.pid()?)?;
    let detail = format!("most resident, of {size} entries");
    report.less("mirror_catch_up_mib", peak, 384.0, detail);

    mirror.kill()?;
    let started = Instant::now();
    mirror.run()?;
    until_audited(&mirror, &log, claims)?;
    let elapsed = started.elapsed().as_secs_f64();
    let detail = "from the start after kill -9 until all is shown as audited".to_owned();
    report.less("mirror_resume_s", elapsed, 2.0, detail);
    mirror.stop()?;
    log.stop()
}

/// A node that mirrors and audits a log, and does not run yet.
fn auditor(log: &Node) -> anyhow::Result<Node> {
    let node = Node::init_as("auditor.bench.example/log")?;
    node.configure(UNLIMITED)?;
    for what in ["mirror", "audit"] {
        let name = format!("auditor.bench.example/{what}");
        let output = Command::new(binaries().join("assay-node"))
            .args([what, "init", "--name", &name, "--dir"])
            .arg(node.folder())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{what} init: {said}");
    }
    let (origin, vkey, url) = (&log.ready().origin, &log.ready().vkey, &log.ready().url);
    node.append_configuration(&format!(
        "[mirror]\nname = \"auditor.bench.example/mirror\"\nml_dsa_44_key = \
         \"mirror-ml-dsa-44.key\"\npoll_ms = 100\n[[mirror.log]]\norigin = {origin:?}\nkeys = \
         [{vkey:?}]\nurl = {url:?}\n[audit]\nname = \"auditor.bench.example/audit\"\n\
         ml_dsa_44_key = \"audit-ml-dsa-44.key\""
    ))?;
    Ok(node)
}

/// Waits until the node says that it audited more leaves of a log than it has claims. Returns how
/// many.
fn until_audited(mirror: &Node, log: &Node, claims: u64) -> anyhow::Result<u64> {
    let digest = Hash::of(log.ready().origin.as_bytes());
    let url = format!("{}/mirror/{digest}/audit", mirror.ready().url);
    let runtime = tokio::runtime::Runtime::new()?;
    poll(|| {
        let text = runtime.block_on(async { reqwest::get(&url).await?.text().await })?;
        let Ok(status) = serde_json::from_str::<serde_json::Value>(&text) else {
            return Ok(None);
        };
        ensure!(status["finding"].is_null(), "{status}");
        let audited = status["audited"].as_u64().context("a number")?;
        Ok((audited > claims).then_some(audited))
    })
}

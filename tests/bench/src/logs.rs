//! What a decision costs that several logs are asked for.

use crate::{
    load::publish_stream,
    material::Material,
    observed::{UNLIMITED, median},
    report::{Better, Report},
};
use anyhow::{Context, ensure};
use assay_tests::process::{Node, binaries, poll};
use std::{fs, path::Path, process::Command, time::Instant};

/// Packages of the lock file that is checked.
const COMPONENTS: u64 = 500;

/// Claims of each log at most.
const CLAIMS: u64 = 100_000;

/// Runs of each.
const RUNS: usize = 7;

/// A Cargo.lock, checked by the program over one log and over three that hold the same claims.
pub fn bench(material: &Material, leaves: u64, report: &mut Report) -> anyhow::Result<()> {
    let claims = leaves.min(CLAIMS);
    eprintln!("checking over three logs of {claims} claims…");
    let runtime = tokio::runtime::Runtime::new()?;
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"] {
        let mut node = Node::init_as(&format!("{name}.bench.example/log"))?;
        node.configure(UNLIMITED)?;
        node.run()?;
        let url = node.ready().url.clone();
        runtime.block_on(material.register(&url))?;
        publish_stream(&url, material, 0..claims)?;
        poll(|| Ok((runtime.block_on(size(&url))? > claims).then_some(())))?;
        nodes.push(node);
    }
    let folder = tempfile::tempdir()?;
    let mut lock = String::from("version = 4\n");
    for number in 0..COMPONENTS {
        lock += &format!(
            "\n[[package]]\nname = \"bench-{number}\"\nversion = \"1.0.0\"\nsource = \
             \"registry+https://github.com/rust-lang/crates.io-index\"\n"
        );
    }
    fs::write(folder.path().join("Cargo.lock"), lock)?;
    for (name, logs) in [("1.toml", &nodes[..1]), ("3.toml", &nodes[..])] {
        let mut policy = material.policy();
        for node in logs {
            let (key, url) = (&node.ready().vkey, &node.ready().url);
            policy += &format!("\n[[log]]\nkey = {key:?}\nurl = {url:?}\n");
        }
        fs::write(folder.path().join(name), policy)?;
    }
    let (mut one, mut three) = (Vec::new(), Vec::new());
    // In turns, so that both see the same machine.
    for _ in 0..RUNS {
        one.push(check(folder.path(), "1.toml", 1)?);
        three.push(check(folder.path(), "3.toml", 3)?);
    }
    let (one, three) = (median(one), median(three));
    let detail = format!("the whole process: {three:.3} s over three, {one:.3} s over one");
    report.add("check_logs", three / one, 2.0, Better::Lower, detail);
    Ok(())
}

/// Entries of the published checkpoint.
async fn size(url: &str) -> anyhow::Result<u64> {
    let note = reqwest::get(format!("{url}/checkpoint")).await?;
    let note = note.error_for_status()?.text().await?;
    Ok(note.lines().nth(1).context("no size")?.parse()?)
}

/// Seconds of one run.
fn check(folder: &Path, policy: &str, logs: usize) -> anyhow::Result<f64> {
    let started = Instant::now();
    let output = Command::new(binaries().join("assay"))
        .args([
            "check",
            "Cargo.lock",
            "--output",
            "json",
            "--policy",
            policy,
        ])
        .args(["--state-dir", &format!("state-{logs}")])
        .env("ASSAY_CONFIG", "/dev/null")
        .current_dir(folder)
        .output()?;
    let seconds = started.elapsed().as_secs_f64();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let answered = report["logs"].as_array().map_or(0, Vec::len);
    ensure!(
        report["complete"] == true && answered == logs,
        "{}",
        report["logs"]
    );
    Ok(seconds)
}

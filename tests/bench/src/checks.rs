//! What a decision costs whoever takes it, with a spammer beside and without; and what it costs a
//! node to refuse.

use crate::{
    connection::connect_index,
    load::publish_claims,
    material::Material,
    observed::{cpu_us, median, peak_mib, published_size},
    report::Report,
};
use anyhow::{Context, bail, ensure};
use assay_proto::v1::LookupPrefixRequest;
use assay_tests::process::{Node, binaries, poll};
use bytes::Bytes;
use std::{
    fs,
    io::Read,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tonic::Code;

/// Packages of the lock file that is checked.
const COMPONENTS: u64 = 500;

/// Packages of one that is as large as an image.
const IMAGE: u64 = 5_000;

/// Packages of these that a spammer speaks about, and how often it speaks about each.
const SPAMMED: u64 = 10;
const SPAM: u64 = 10_000;

/// Runs that are timed, and of which the median counts.
const RUNS: usize = 7;

/// Refusals that are timed.
const REFUSED: usize = 500;

/// Questions by a prefix that every name has, one after the other: each is refused.
pub fn refusing(node: &Node, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("refusing…");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut times = Vec::with_capacity(REFUSED);
    runtime.block_on(async {
        let mut client = connect_index(&node.ready().url).await?;
        for _ in 0..REFUSED {
            let request = LookupPrefixRequest {
                prefix: Bytes::new(),
                bits: 0,
                by: Vec::new(),
            };
            let started = Instant::now();
            match client.lookup_prefix(request).await {
                Err(refused) if refused.code() == Code::OutOfRange => {}
                Err(other) => bail!("not refused as too short: {other}"),
                Ok(_) => bail!("a prefix of no bits was not refused"),
            }
            times.push(started.elapsed().as_secs_f64() * 1e6);
        }
        Ok(())
    })?;
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let detail = format!("µs, the whole call; the slowest of {REFUSED} took {slowest:.0}");
    report.less("prefix_refusal_us", median(times), 100.0, detail);
    Ok(())
}

/// A Cargo.lock of so many packages that the log knows.
fn lock_file(node: &Node, components: u64) -> anyhow::Result<PathBuf> {
    let mut lock = String::from("version = 4\n");
    for number in 0..components {
        lock += &format!(
            "\n[[package]]\nname = \"bench-{number}\"\nversion = \"1.0.0\"\nsource = \
             \"registry+https://github.com/rust-lang/crates.io-index\"\n"
        );
    }
    let folder = node.folder().join(format!("lock-{components}"));
    fs::create_dir(&folder)?;
    let file = folder.join("Cargo.lock");
    fs::write(&file, lock)?;
    Ok(file)
}

/// A Cargo.lock of packages that the log knows, checked by the program with a policy that trusts
/// everybody who spoke of them; one of as many as an image has; then the first beside a spammer.
pub fn checking(material: &Material, node: &Node, report: &mut Report) -> anyhow::Result<()> {
    let policy = node.folder().join("policy.toml");
    fs::write(&policy, material.policy())?;
    let check = |components| {
        eprintln!("checking a Cargo.lock of {components} packages…");
        let (file, policy) = (lock_file(node, components)?, policy.clone());
        settled(node)?;
        anyhow::Ok(Check { node, file, policy })
    };
    let image = check(IMAGE)?.runs()?;
    report.less("check_image_s", image.seconds(), 1.0, image.detail());
    let check = check(COMPONENTS)?;
    let without = check.runs()?;
    let seconds = without.seconds();
    report.less("check_s", seconds, 0.15, without.detail());

    eprintln!("checking it beside a spammer…");
    let runtime = tokio::runtime::Runtime::new()?;
    let url = &node.ready().url;
    let before = runtime.block_on(published_size(url))?;
    let spam = material.spam(SPAMMED, SPAM)?;
    // The spammer is registered before it speaks.
    runtime.block_on(publish_claims(url, &spam[..1]))?;
    runtime.block_on(publish_claims(url, &spam[1..]))?;
    let size = before + spam.len() as u64;
    poll(|| Ok((runtime.block_on(published_size(url))? > size).then_some(())))?;
    settled(node)?;
    let beside = check.runs()?;
    ensure!(
        beside.decision == without.decision,
        "the spammer changed what was decided"
    );
    let detail = format!(
        "with {} claims of a spammer ÷ without; {}",
        SPAMMED * SPAM,
        beside.detail()
    );
    report.less("check_spam", beside.seconds() / seconds, 1.1, detail);
    let (peak, spammed) = (without.peak_mib, beside.peak_mib);
    let detail = format!("the program's peak: {peak:.0} without the spammer, {spammed:.0} with it");
    report.less("check_mib", peak.max(spammed), 64.0, detail);
    Ok(())
}

/// Waits until the node has done what follows from claims that were published, and all of it is on
/// the disk: tables that are written and merged in the background take a core, and whoever syncs a
/// file meanwhile waits for them. Both would count as the spammer's.
fn settled(node: &Node) -> anyhow::Result<()> {
    const WHILE: Duration = Duration::from_millis(500);
    const MOST_US: f64 = 10_000.0;
    let pid = node.pid()?;
    let mut before = (Instant::now(), cpu_us(pid)?);
    poll(|| {
        if before.0.elapsed() < WHILE {
            return Ok(None);
        }
        let synced = Command::new("sync").status()?;
        ensure!(synced.success(), "sync failed: {synced}");
        let now = (Instant::now(), cpu_us(pid)?);
        let used = now.1 - std::mem::replace(&mut before, now).1;
        Ok((used <= MOST_US).then_some(()))
    })
}

/// The program, asked to check a file.
struct Check<'n> {
    node: &'n Node,
    file: PathBuf,
    policy: PathBuf,
}

/// Some runs of it.
struct Runs {
    seconds: Vec<f64>,
    /// The node's CPU time of one run, in milliseconds.
    node_ms: f64,
    peak_mib: f64,
    /// The outcomes and the exit code, which all runs had.
    decision: String,
}

impl Runs {
    fn seconds(&self) -> f64 {
        median(self.seconds.clone())
    }

    fn detail(&self) -> String {
        let all: Vec<_> = self.seconds.iter().map(|one| format!("{one:.3}")).collect();
        let (all, node_ms) = (all.join(", "), self.node_ms);
        format!("the whole process; runs: {all}; {node_ms:.0} ms of the node's CPU each")
    }
}

impl Check<'_> {
    fn runs(&self) -> anyhow::Result<Runs> {
        let mut runs = Runs {
            seconds: Vec::new(),
            node_ms: 0.0,
            peak_mib: 0.0,
            decision: String::new(),
        };
        let before = cpu_us(self.node.pid()?)?;
        for _ in 0..RUNS {
            let started = Instant::now();
            runs.decision = self.run(false)?.1;
            runs.seconds.push(started.elapsed().as_secs_f64());
        }
        let spent = cpu_us(self.node.pid()?)? - before;
        runs.node_ms = spent / RUNS as f64 / 1000.0;
        // Watching it takes some of the cores, so that this is not timed.
        for _ in 0..3 {
            runs.peak_mib = runs.peak_mib.max(self.run(true)?.0);
        }
        Ok(runs)
    }

    /// Runs it once. Returns its peak memory, if that is watched, and what was decided.
    fn run(&self, watched: bool) -> anyhow::Result<(f64, String)> {
        let mut child = Command::new(binaries().join("assay"))
            .arg("--policy")
            .arg(&self.policy)
            .args([
                "check",
                "--log",
                &self.node.ready().url,
                "--log-key",
                &self.node.ready().vkey,
                "--output",
                "json",
                "--state-dir",
            ])
            .arg(self.node.folder().join("check-state"))
            .arg(&self.file)
            .env("ASSAY_CONFIG", "/dev/null")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pid = child.id();
        let mut stdout = child.stdout.take().context("no output")?;
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).map(|_| text)
        });
        let mut peak: f64 = 0.0;
        // Linux keeps the peak until the process has ended, so that the last look counts.
        while watched && child.try_wait()?.is_none() {
            peak = peak.max(peak_mib(pid).unwrap_or(0.0));
            std::thread::sleep(Duration::from_micros(500));
        }
        let status = child.wait()?;
        let text = reader.join().map_err(|_| anyhow::anyhow!("no reader"))??;
        ensure!(
            matches!(status.code(), Some(0 | 1)),
            "assay check failed: {status}"
        );
        let report: serde_json::Value = serde_json::from_str(&text)?;
        ensure!(
            report["logs"][0]["answer"] == "complete",
            "{}",
            report["logs"]
        );
        Ok((peak, format!("{status} {}", report["counts"])))
    }
}

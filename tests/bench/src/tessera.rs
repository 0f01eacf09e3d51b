//! The same load on Tessera's log on POSIX files: its own conformance server, loaded by its own
//! `hammer`, as tests/interop/load/go.mod pins both.
//!
//! Each is written to as its project writes to it: Tessera's by single `POST /add` calls of 2,000
//! writers over HTTP/2, ours by `PublishStream`. Tessera's looks at no signature and keeps no
//! index; ours does both. Both sync, and publish a checkpoint a second.

use crate::{
    index,
    load::publish_stream,
    material::Material,
    observed::{Spent, cpu_us},
    report::Report,
};
use anyhow::{Context, ensure};
use assay_tests::{interop, ports::free_address, process::poll};
use assay_tlog::note::SignerKey;
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

/// Entries that each log takes.
pub const ENTRIES: u64 = 300_000;

const ORIGIN: &str = "bench.example/tessera";

/// Writers of `hammer`.
const WRITERS: u32 = 2_000;

/// A process that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Entries a second and CPU an entry, ours by Tessera's, of so many entries.
pub fn bench(material: &Material, entries: u64, report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let build = |package, name| {
        let program = interop::Foreign {
            module: "load",
            package,
        };
        interop::build(program, &folder.path().join(name))
    };
    let built = build(
        "github.com/transparency-dev/tessera/cmd/conformance/posix",
        "posix",
    )
    .and_then(|posix| {
        Ok((
            posix,
            build(
                "github.com/transparency-dev/tessera/internal/hammer",
                "hammer",
            )?,
        ))
    });
    let (posix, hammer) = match built {
        Ok(built) => built,
        Err(why) => {
            report.note("tessera", format!("skipped: {why}"));
            return Ok(());
        }
    };
    eprintln!("loading a Tessera log with {entries} entries…");
    let theirs = run(folder.path(), &posix, &hammer, entries)?;
    eprintln!("the same on a log of ours…");
    let node = index::filled(material, 0)?;
    let spent = Spent::start(&node)?;
    let rate = publish_stream(&node.ready().url, material, 0..entries)?;
    let ours = Load {
        rate,
        cpu_us: spent.node(entries)?,
    };
    let detail = format!("{:.0} entries/s; Tessera {:.0}", ours.rate, theirs.rate);
    report.ratio("tessera", ours.rate / theirs.rate, 3.0, detail);
    let detail = format!(
        "{:.1} µs of the node's CPU an entry; Tessera {:.1}",
        ours.cpu_us, theirs.cpu_us
    );
    report.less("tessera_cpu", ours.cpu_us / theirs.cpu_us, 0.5, detail);
    Ok(())
}

/// What a log did while it was loaded.
struct Load {
    /// Entries a second.
    rate: f64,
    /// The server's microseconds of CPU an entry.
    cpu_us: f64,
}

/// What is seen of a log at a moment.
struct Seen {
    at: Instant,
    size: u64,
    cpu_us: f64,
}

/// Loads Tessera's log, and measures between two of its checkpoints: one after the first tenth, and
/// one near the end.
fn run(folder: &Path, posix: &Path, hammer: &Path, entries: u64) -> anyhow::Result<Load> {
    let key = SignerKey::from_seed(ORIGIN, &[7; 32])?;
    let private = folder.join("key");
    fs::write(&private, key.to_private_string().as_bytes())?;
    // The server cannot say which port it took.
    let address = free_address()?;
    let server = quiet(posix)
        .arg(format!("--listen={address}"))
        .arg(format!("--storage_dir={}", folder.join("log").display()))
        .arg(format!("--private_key={}", private.display()))
        .spawn()?;
    let mut server = Killed(server);
    let url = format!("http://{address}/");
    let runtime = tokio::runtime::Runtime::new()?;
    let size = || runtime.block_on(size(&url));
    poll(|| {
        ensure!(server.0.try_wait()?.is_none(), "the Tessera log ended");
        Ok(size().ok())
    })?;
    let load = Killed(hammering(hammer, &url, &key, 2 * entries).spawn()?);
    measured(load, server.0.id(), entries, size)
}

/// `hammer`, for a log and so many entries; not run yet.
fn hammering(program: &Path, url: &str, key: &SignerKey, entries: u64) -> Command {
    let mut command = quiet(program);
    command
        .arg(format!("--log_url={url}"))
        .arg(format!("--log_public_key={}", key.verifier()))
        .arg(format!("--num_writers={WRITERS}"))
        .arg(format!("--leaf_write_goal={entries}"))
        .args([
            "--max_write_ops=1000000",
            "--leaf_min_size=1024",
            "--dup_chance=0",
            "--num_readers_random=0",
            "--num_readers_full=0",
            "--force_http2",
            "--show_ui=false",
        ]);
    command
}

/// What the log does between two checkpoints while it is loaded.
fn measured(
    mut load: Killed,
    server: u32,
    entries: u64,
    size: impl Fn() -> anyhow::Result<u64>,
) -> anyhow::Result<Load> {
    let mut last = size()?;
    let mut reach = |least: u64| {
        poll(|| {
            ensure!(load.0.try_wait()?.is_none(), "hammer ended");
            let (now, at) = (size()?, Instant::now());
            // A new checkpoint has just been published: else it would be older than the moment.
            let new = std::mem::replace(&mut last, now) < now;
            if now < least || !new {
                return Ok(None);
            }
            let cpu_us = cpu_us(server)?;
            Ok(Some(Seen {
                at,
                size: now,
                cpu_us,
            }))
        })
    };
    let first = reach(entries / 10)?;
    let second = reach(entries)?;
    let taken = (second.size - first.size) as f64;
    Ok(Load {
        rate: taken / second.at.duration_since(first.at).as_secs_f64(),
        cpu_us: (second.cpu_us - first.cpu_us) / taken,
    })
}

/// A program that says nothing.
fn quiet(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

async fn size(url: &str) -> anyhow::Result<u64> {
    let note = reqwest::get(format!("{url}checkpoint"))
        .await?
        .error_for_status()?
        .text()
        .await?;
    Ok(note.lines().nth(1).context("no size")?.parse()?)
}

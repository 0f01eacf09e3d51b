//! `make bench`: how fast a node is, as ratios within one run, so that machines can be compared.
//!
//! Everything runs as it does in use: a node process over TCP on loopback, RocksDB with every
//! commit synced, and this process as the client on the same cores. A ratio compares what the node
//! does with what the machine could do at most, measured in the same build just before.

mod beside;
mod canned;
mod checks;
mod connection;
mod documents;
mod endorsed;
mod evidence;
mod gossip;
mod index;
mod load;
mod logs;
mod material;
mod mirrored;
mod observed;
mod pages;
mod report;
mod scrubbed;
mod tessera;
mod witnessed;
mod witnesses;

use anyhow::{Context, ensure};
use assay_tests::process::{Node, binaries};
use load::{Shape, proofs, publish_stream, publish_unary};
use material::{CLAIM_BYTES, LEAVES, Material, take};
use observed::{Spent, UNLIMITED, median, published_size, resident_mib};
use report::Report;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Who speaks, and the distinct packages that they speak about.
const ISSUERS: u8 = 64;
const PACKAGES: u64 = 300_000;

/// Claims of one timed publishing run, of which there are three. At the targets' rates it takes two
/// to three seconds.
const STREAMED: u64 = 100_000;
const UNARY: u64 = 60_000;

/// What is measured of a log of so many claims.
type Part = fn(&Material, u64, &mut Report) -> anyhow::Result<()>;

/// What can be measured alone.
const PARTS: [(&str, Part); 14] = [
    ("index", index::bench),
    ("publishing", index::only_publishing),
    ("lookup", index::only_lookup),
    ("check", index::only_checks),
    ("beside", index::only_beside),
    ("documents", documents::bench),
    ("endorsed", endorsed::bench),
    ("large", index::large),
    ("logs", logs::bench),
    ("mirror", mirrored::bench),
    ("pages", pages::bench),
    ("publish_witnessed", witnessed::bench),
    ("scrub", scrubbed::bench),
    ("tessera", tessera::bench),
];

/// The same, of what needs no claims.
type WithoutClaims = fn(&mut Report) -> anyhow::Result<()>;

/// What of that can be measured alone.
const WITHOUT_CLAIMS: [(&str, WithoutClaims); 3] = [
    ("witness", witnesses::bench),
    ("gossip", gossip::bench),
    ("evidence", evidence::bench),
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(what) = arguments.first() else {
        return bench(LEAVES);
    };
    if what == "canned" {
        return canned::serve();
    }
    if what == "read" {
        let path = arguments.get(1).context("a file must follow")?;
        return documents::read(Path::new(path));
    }
    if let Some((_, part)) = WITHOUT_CLAIMS.iter().find(|(name, _)| name == what) {
        let mut report = Report::new(false);
        part(&mut report)?;
        return report.finish(&bench_json()?);
    }
    let leaves = arguments.get(1).context("a number of claims must follow")?;
    let leaves = leaves.parse()?;
    if what == "--leaves" {
        return bench(leaves);
    }
    match PARTS.iter().find(|(name, _)| name == what) {
        Some((_, part)) => only(*part, leaves),
        None => {
            let parts: Vec<_> = PARTS.iter().map(|(name, _)| *name).collect();
            let parts = parts.join(", ");
            anyhow::bail!(
                "{what}: there are --leaves, for a quick look, and for a part alone {parts}"
            )
        }
    }
}

fn bench(leaves: u64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut report = Report::new(leaves == LEAVES);
    let material = Material::new(ISSUERS, PACKAGES)?;

    eprintln!("what one core does…");
    let verify = material.verify_rate()?;
    let hash = material.leaf_hash_rate()?;
    report.note("verify_strict, one core", format!("{verify:.0}/s"));
    report.note(
        "leaf hash of one claim's entry, one core",
        format!("{hash:.0}/s"),
    );

    let mut node = Node::start_with(UNLIMITED)?;
    runtime.block_on(material.register(&node.ready().url))?;
    let published = publishing(&node, &material, leaves, verify, &mut report)?;

    eprintln!("filling the log to {leaves} claims of {CLAIM_BYTES} bytes…");
    publish_stream(&node.ready().url, &material, published..leaves)?;
    node.stop()?;

    eprintln!("starting on it…");
    let started = Instant::now();
    node.run()?;
    report.less(
        "startup_s",
        started.elapsed().as_secs_f64(),
        1.0,
        "until the first call is answered".into(),
    );
    let size = runtime.block_on(published_size(&node.ready().url))?;
    ensure!(
        size >= leaves,
        "the log holds {size} leaves instead of {leaves}"
    );
    reading(node, size, hash, &mut report)?;
    endorsed::bench(&material, leaves, &mut report)?;
    index::bench(&material, leaves, &mut report)?;
    logs::bench(&material, leaves, &mut report)?;
    mirrored::bench(&material, leaves, &mut report)?;
    pages::bench(&material, leaves, &mut report)?;
    documents::bench(&material, documents::RECORDS.min(leaves), &mut report)?;
    scrubbed::bench(&material, leaves, &mut report)?;
    tessera::bench(&material, tessera::ENTRIES.min(leaves), &mut report)?;
    witnessed::bench(&material, witnessed::CLAIMS, &mut report)?;
    for (_, part) in WITHOUT_CLAIMS {
        part(&mut report)?;
    }
    index::large(&material, 10 * leaves, &mut report)?;
    report.finish(&bench_json()?)
}

/// What a node takes that was just started, and what reading it costs.
fn reading(mut node: Node, size: u64, hash: f64, report: &mut Report) -> anyhow::Result<()> {
    let memory = resident_mib(node.pid()?)?;
    report.less("memory_mib", memory, 256.0, "resident, after start".into());

    eprintln!("proving…");
    inclusion(&node, size, report)?;
    report.note(
        "resident after proofs",
        format!("{:.0} MiB", resident_mib(node.pid()?)?),
    );

    eprintln!("auditing…");
    audit(&node, size, hash, report)?;
    node.stop()
}

/// Both ways to publish, against `verify` signature checks a second. Returns how many claims were
/// published.
fn publishing(
    node: &Node,
    material: &Material,
    leaves: u64,
    verify: f64,
    report: &mut Report,
) -> anyhow::Result<u64> {
    eprintln!("publishing…");
    let url = node.ready().url.clone();
    let (streamed, unary) = (STREAMED.min(leaves / 8), UNARY.min(leaves / 16));
    let mut next = 0;
    let (stream, all) = three(node, streamed, |n| {
        publish_stream(&url, material, take(&mut next, n))
    })?;
    report.ratio(
        "publish_stream",
        stream / verify,
        1.1,
        format!("{stream:.0} claims/s"),
    );
    report.note("publish_stream, each run", all);
    let (calls, all) = three(node, unary, |n| {
        publish_unary(&url, material, take(&mut next, n))
    })?;
    report.ratio(
        "publish_unary",
        calls / verify,
        0.6,
        format!("{calls:.0} claims/s"),
    );
    report.note("publish_unary, each run", all);
    Ok(next)
}

fn only(part: Part, leaves: u64) -> anyhow::Result<()> {
    let mut report = Report::new(false);
    part(&Material::new(ISSUERS, PACKAGES)?, leaves, &mut report)?;
    report.finish(&bench_json()?)
}

/// The median of three runs of `count` claims, and what each of them was: the store flushes and
/// merges in the background when it likes, and a run that met it says little about the next one.
fn three(
    node: &Node,
    count: u64,
    mut run: impl FnMut(u64) -> anyhow::Result<f64>,
) -> anyhow::Result<(f64, String)> {
    let (mut rates, mut all) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let spent = Spent::start(node)?;
        let rate = run(count)?;
        all.push(format!(
            "{rate:.0}/s (CPU of a claim: {})",
            spent.per(count)?
        ));
        rates.push(rate);
    }
    Ok((median(rates), all.join("; ")))
}

/// Alternates between the node and the canned server, so that both see the same machine, and
/// compares medians.
fn inclusion(node: &Node, size: u64, report: &mut Report) -> anyhow::Result<()> {
    let canned = canned::Process::start()?;
    let shape = Shape {
        size,
        duration: Duration::from_secs(3),
    };
    // Once through the log, so that neither side is measured cold.
    proofs(&node.ready().url, &shape)?;
    proofs(&canned.url, &shape)?;
    let (mut real, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        real.push(proofs(&node.ready().url, &shape)?);
        baseline.push(proofs(&canned.url, &shape)?);
    }
    let (real, baseline) = (median(real), median(baseline));
    let detail = format!("{real:.0} proofs/s; {baseline:.0} canned answers/s");
    report.ratio("inclusion_proof", real / baseline, 0.85, detail);
    Ok(())
}

/// The median of three audits, each the whole process, none knowing of another.
fn audit(node: &Node, size: u64, hash: f64, report: &mut Report) -> anyhow::Result<()> {
    let mut rates = Vec::new();
    for round in 0..3 {
        let started = Instant::now();
        let output = Command::new(binaries().join("assay"))
            .args([
                "audit",
                &node.ready().url,
                "--hashes-only",
                "--log-key",
                &node.ready().vkey,
                "--state-dir",
            ])
            .arg(node.folder().join(format!("audit-state-{round}")))
            .output()?;
        let elapsed = started.elapsed().as_secs_f64();
        ensure!(
            output.status.success(),
            "assay audit failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        rates.push(size as f64 / elapsed);
    }
    let all: Vec<_> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    report.note("audits, leaves/s", all.join(", "));
    let rate = median(rates);
    report.ratio(
        "audit",
        rate / hash,
        0.6,
        format!("{rate:.0} leaves/s, the whole process"),
    );
    Ok(())
}

fn bench_json() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?;
    let folder = root.join("target");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join("bench.json"))
}

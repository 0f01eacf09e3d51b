//! What gossip costs: bytes when nothing happens, and memory when logs are hostile.

use super::{observed::resident_mib, report::Report};
use anyhow::ensure;
use assay_tests::gossip::quiet;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::gossip::{Pool, Settings};
use assay_tlog::head::LogVerifier;
use assay_tlog::limits;
use assay_tlog::note::{Algorithm, CosignerKey};
use assay_tlog::tree::TreeSize;

/// Logs that both processes know.
const LOGS: usize = 1000;

/// Heads that each hostile log signs: as many as are kept, and some more.
const HEADS: u64 = 4 + limits::GOSSIP_WAITING as u64;

/// Signatures under each, of which one fits into what is kept.
const SIGNATURES: usize = 2;

const SETTINGS: Settings = Settings {
    alarm_after_ms: 60_000,
};

/// Measures all of it.
pub fn bench(report: &mut Report) -> anyhow::Result<()> {
    hostile(report)?;
    idle(report)
}

/// Bytes of messages that a node says and hears in a round without news.
fn idle(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("gossiping about nothing…");
    let runtime = tokio::runtime::Runtime::new()?;
    let bytes = runtime.block_on(quiet(LOGS))?;
    report.less(
        "gossip_idle_kib",
        bytes / 1024.0,
        16.0,
        format!("a round, {LOGS} logs, six exchanges, both directions"),
    );
    Ok(())
}

/// Memory of this process that a log takes whose heads are as large as they can be, and more than
/// are kept. The node has the same allocator.
fn hostile(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("taking the heads of {LOGS} hostile logs…");
    let (mut logs, mut pool) = (Vec::new(), Pool::new(SETTINGS));
    for number in 0..LOGS {
        let log = Hostile::new(number)?;
        pool.add_log(log.verifier.clone())?;
        logs.push(log);
    }
    // Once before, so that what verifying needs for itself is there already.
    let mut warm = Pool::new(SETTINGS);
    warm.add_log(logs[0].verifier.clone())?;
    logs[0].say(&mut warm)?;
    let before = resident_mib(std::process::id())?;
    for log in &logs {
        log.say(&mut pool)?;
    }
    let grown = (resident_mib(std::process::id())? - before) * 1024.0;
    let kept = logs
        .iter()
        .map(|log| pool.heads(log.verifier.origin()).count());
    let kept: usize = kept.sum();
    ensure!(kept == LOGS * (1 + limits::GOSSIP_WAITING), "{kept} heads");
    report.less(
        "gossip_hostile_kib",
        grown / LOGS as f64,
        40.0,
        format!("a log, of {LOGS} logs with {kept} heads"),
    );
    Ok(())
}

/// A log that signs whatever takes most room.
struct Hostile {
    verifier: LogVerifier,
    notes: Vec<String>,
}

impl Hostile {
    fn new(number: usize) -> anyhow::Result<Self> {
        let origin = format!("{number:o>width$}", width = 255);
        let name = "n".repeat(limits::GOSSIP_KEY_NAME_BYTES);
        let seeds = 0..u8::try_from(SIGNATURES)?;
        let keys = seeds.map(|seed| CosignerKey::from_seed(&name, Algorithm::MlDsa44, &[seed; 32]));
        let keys: Vec<CosignerKey> = keys.collect::<Result<_, _>>()?;
        let verifier = LogVerifier::new(&origin, keys.iter().map(CosignerKey::verifier).collect())?;
        let mut notes = Vec::new();
        for at in 0..HEADS {
            let checkpoint = Checkpoint {
                origin: origin.clone(),
                size: TreeSize::new(u64::MAX - at),
                root: Hash::of(&at.to_be_bytes()),
            };
            let mut note = format!("{}\n", checkpoint.body());
            for key in &keys {
                note += &key.cosign(&checkpoint, 1)?;
            }
            notes.push(note);
        }
        Ok(Hostile { verifier, notes })
    }

    /// Has a pool take all of its heads.
    fn say(&self, pool: &mut Pool) -> anyhow::Result<()> {
        for (at, note) in (0_u64..).zip(&self.notes) {
            let _ = pool.take(&self.verifier.verify(note)?, 0, at << 60);
        }
        Ok(())
    }
}

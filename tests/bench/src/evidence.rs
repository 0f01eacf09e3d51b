//! What it costs to check that a log or a witness misbehaved.

use super::{observed::median, report::Report};
use anyhow::ensure;
use assay_claims::misbehavior::{KnownKeys, Rewrite, Role, VerifiedMisbehavior};
use assay_tests::witness::History;
use assay_tlog::cosigner::{CosignedHead, CosignerVerifier};
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::limits;
use assay_tlog::note::{Algorithm, CosignerKey};
use std::time::Instant;

/// How often each text is verified.
const TIMES: usize = 300;

/// The sizes of the heads that contradict each other.
const OLD: usize = 3000;
const NEW: usize = 5000;

/// A log or a witness with as many keys as may be, all of them ML-DSA-44, the slower and larger of
/// the two algorithms.
fn keys(name: &str) -> anyhow::Result<Vec<CosignerKey>> {
    let seeds = 0..u8::try_from(limits::LOG_KEYS)?;
    let keys = seeds.map(|seed| CosignerKey::from_seed(name, Algorithm::MlDsa44, &[seed; 32]));
    Ok(keys.collect::<Result<_, _>>()?)
}

/// A head of a history, signed by all of these keys.
fn note(history: &History, size: usize, keys: &[CosignerKey], at: u64) -> anyhow::Result<String> {
    let checkpoint = history.checkpoint(size);
    let mut note = format!("{}\n", checkpoint.body());
    for key in keys {
        note += &key.cosign(&checkpoint, at)?;
    }
    Ok(note)
}

/// The largest text of each kind of misbehavior that convicts, with its name, and the keys that
/// verify all of them.
fn texts() -> anyhow::Result<(Vec<(&'static str, VerifiedMisbehavior)>, KnownKeys)> {
    let tree = History::new("evidence.bench.example/log", NEW as u64)?;
    let fork = tree.fork(OLD / 2);
    let of_log = keys(&tree.origin)?;
    let of_witness = keys("evidence.bench.example/witness")?;
    let verifiers = |keys: &[CosignerKey]| keys.iter().map(CosignerKey::verifier).collect();
    let log = LogVerifier::new(&tree.origin, verifiers(&of_log))?;
    let witness = CosignerVerifier::new(verifiers(&of_witness))?;
    let head = |history: &History, size| -> anyhow::Result<VerifiedHead> {
        Ok(log.verify(&note(history, size, &of_log, 1)?)?)
    };
    let cosigned = |size, at| -> anyhow::Result<CosignedHead> {
        Ok(witness.verify(&note(&tree, size, &of_witness, at)?)?)
    };
    let path = fork.proof(OLD, NEW)?;
    let rewrite = Rewrite {
        actual: fork.checkpoint(OLD).root,
        path: &path,
    };
    let (old, new) = (head(&tree, OLD)?, head(&fork, NEW)?);
    let split = VerifiedMisbehavior::of_log(&old, &head(&fork, OLD)?, None)?;
    let rewritten = VerifiedMisbehavior::of_log(&old, &new, Some(rewrite))?;
    let (larger, later) = (cosigned(NEW, 1)?, cosigned(OLD, 2)?);
    let rolled = VerifiedMisbehavior::of_cosigner(Role::Witness, &larger, &later, None)?;
    let known = KnownKeys {
        logs: vec![log],
        witnesses: vec![witness],
        mirrors: Vec::new(),
    };
    let texts = vec![
        ("split", split),
        ("rewrite", rewritten),
        ("witness", rolled),
    ];
    Ok((texts, known))
}

/// Milliseconds to verify a text, from its bytes and the keys that are known: the slowest kind.
pub fn bench(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("verifying evidence…");
    let (texts, known) = texts()?;
    let (mut slowest, mut all) = (0.0, Vec::new());
    for (kind, found) in texts {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let started = Instant::now();
            let verified = VerifiedMisbehavior::verify(found.text().as_bytes(), &known)?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(verified == found, "{kind}: another text");
        }
        let time = median(times);
        let kib = found.text().len() / 1024;
        all.push(format!("{kind} of {kib} KiB {time:.2}"));
        slowest = f64::max(slowest, time);
    }
    let detail = format!("16 signatures of ML-DSA-44; {}", all.join(", "));
    report.less("evidence_ms", slowest, 5.0, detail);
    Ok(())
}

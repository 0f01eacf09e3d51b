//! Whether as many witnesses as a policy asks for confirm what an answer rests on.

use assay_policy::rules::Policy;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::QuorumError;
use std::collections::BTreeSet;

/// By whom, and when.
#[derive(Debug, Default)]
pub(super) struct Confirmed {
    /// The policy's names of the witnesses that confirmed every checkpoint.
    pub witnesses: Vec<String>,
    /// When a quorum had confirmed the oldest one, in milliseconds since 1970; nothing if the
    /// policy asks for no quorum.
    pub at_ms: Option<u64>,
}

/// A checkpoint that fewer confirm.
#[derive(Debug)]
pub(super) struct Unconfirmed<'c> {
    pub checkpoint: &'c VerifiedCheckpoint,
    pub error: QuorumError,
}

/// Who confirmed all of these checkpoints of the log with this key. Under a policy without a quorum
/// nobody has to.
pub(super) fn confirmed<'c>(
    policy: &Policy,
    log: &VerifierKey,
    checkpoints: &'c [VerifiedCheckpoint],
) -> Result<Confirmed, Unconfirmed<'c>> {
    let Some(tlog) = policy.tlog().filter(|tlog| tlog.quorum().is_some()) else {
        return Ok(Confirmed::default());
    };
    let tlog = tlog.with_log(log);
    let mut witnesses: Option<BTreeSet<String>> = None;
    let mut at_s: Option<u64> = None;
    for checkpoint in checkpoints {
        let quorum = tlog
            .verify(checkpoint.note())
            .map_err(|error| Unconfirmed { checkpoint, error })?;
        let now: BTreeSet<String> = quorum.witnesses().iter().cloned().collect();
        witnesses = Some(match witnesses {
            Some(before) => &before & &now,
            None => now,
        });
        at_s = at_s.min(quorum.cosigned_at()).or(quorum.cosigned_at());
    }
    Ok(Confirmed {
        witnesses: witnesses.unwrap_or_default().into_iter().collect(),
        at_ms: at_s.map(|seconds| seconds.saturating_mul(1000)),
    })
}

//! Whether the heads that an answer rests on can be relied on: as many witnesses as a policy asks
//! for confirm each of them, and the times of each fit.

use crate::{Head, HeadTimes, TimeError};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::{QuorumError, TlogPolicy, VerifiedQuorum, Voices};

/// By whom heads are confirmed, and how fresh they are.
#[derive(Debug, Default)]
pub(super) struct Confirmed {
    /// The policy's witnesses that confirmed every head, and those that did not.
    pub voices: Voices,
    /// When a quorum had confirmed all of them, in milliseconds since 1970; `None` if none has to.
    pub quorum_at_ms: Option<u64>,
    /// Since when all of them are fresh, in milliseconds since 1970.
    pub fresh_at_ms: u64,
}

/// A head that cannot be relied on.
#[derive(Debug)]
pub(super) struct Unconfirmed<'c> {
    pub checkpoint: &'c VerifiedCheckpoint,
    pub error: HeadError,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeadError {
    /// Too few witnesses confirm it.
    #[error("not enough of the policy's witnesses confirm what it shows ({})", shortfall(.0))]
    Quorum(QuorumError),
    /// Its times do not fit.
    #[error("the times of its head do not fit: {0}")]
    Times(TimeError),
}

impl HeadError {
    /// The witnesses that do not count, because they are convicted, if that may be why.
    pub fn convicted(self) -> Vec<String> {
        match self {
            HeadError::Quorum(QuorumError::Quorum(voices)) => voices.convicted,
            HeadError::Quorum(_) | HeadError::Times(_) => Vec::new(),
        }
    }
}

/// Who is missing, or what else is wrong.
fn shortfall(error: &QuorumError) -> String {
    match error {
        QuorumError::Quorum(voices) => voices.to_string(),
        error => error.to_string(),
    }
}

/// Who confirmed all of these heads of the log with this key. Under a policy without a quorum
/// nobody has to, and a head has no time but the log's.
pub(super) fn confirmed<'c>(
    tlog: Option<&TlogPolicy>,
    log: &VerifierKey,
    heads: &'c [Head],
) -> Result<Confirmed, Unconfirmed<'c>> {
    let tlog = tlog.filter(|tlog| tlog.quorum().is_some());
    let tlog = tlog.map(|tlog| tlog.with_log(log));
    let mut all: Option<Confirmed> = None;
    for head in heads {
        let checkpoint = &head.checkpoint;
        let (voices, times) =
            of_head(tlog.as_ref(), head).map_err(|error| Unconfirmed { checkpoint, error })?;
        let one = Confirmed {
            voices,
            quorum_at_ms: times.quorum_at_ms,
            fresh_at_ms: times.fresh_at_ms(),
        };
        all = Some(match all {
            Some(before) => before.and(&one),
            None => one,
        });
    }
    Ok(all.unwrap_or_default())
}

impl Confirmed {
    fn and(&self, other: &Self) -> Self {
        Confirmed {
            voices: self.voices.both(&other.voices),
            quorum_at_ms: self.quorum_at_ms.min(other.quorum_at_ms),
            fresh_at_ms: self.fresh_at_ms.min(other.fresh_at_ms),
        }
    }
}

/// Who confirmed a head, and its times, which fit.
fn of_head(tlog: Option<&TlogPolicy>, head: &Head) -> Result<(Voices, HeadTimes), HeadError> {
    let quorum = tlog.map(|tlog| tlog.verify(head.checkpoint.note()));
    let quorum = quorum.transpose().map_err(HeadError::Quorum)?;
    let cosigned_at = quorum.as_ref().and_then(VerifiedQuorum::cosigned_at);
    let times = HeadTimes {
        committed_at_ms: head.made_at_ms,
        quorum_at_ms: cosigned_at.map(|seconds| seconds.saturating_mul(1000)),
    };
    times.check().map_err(HeadError::Times)?;
    let voices = quorum.map(|quorum| quorum.voices().clone());
    Ok((voices.unwrap_or_default(), times))
}

//! `[quorum]`: the witnesses of a log.

use serde::Deserialize;
use std::path::PathBuf;

/// The witnesses that must have cosigned what is shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumConfig {
    /// File with the witnesses and the quorum: a C2SP tlog-policy, each witness with its URL.
    pub policy: PathBuf,
    /// How long to wait for more cosignatures once there is a quorum, in milliseconds.
    #[serde(default = "default_extra_wait")]
    pub extra_wait_ms: u64,
    /// After how long an idle log has the same head cosigned again, in milliseconds.
    #[serde(default = "default_refresh")]
    pub refresh_ms: u64,
    /// How long one witness has to answer, in milliseconds.
    #[serde(default = "default_candidate_timeout")]
    pub candidate_timeout_ms: u64,
}

fn default_extra_wait() -> u64 {
    20
}

fn default_refresh() -> u64 {
    600_000
}

fn default_candidate_timeout() -> u64 {
    2_000
}

impl QuorumConfig {
    /// Says which value is out of range, if one is.
    pub(super) fn check(&self) -> Result<(), String> {
        for (value, range, name) in [
            (self.extra_wait_ms, 0..=10_000, "extra_wait_ms"),
            (self.refresh_ms, 1_000..=86_400_000, "refresh_ms"),
            (
                self.candidate_timeout_ms,
                10..=60_000,
                "candidate_timeout_ms",
            ),
        ] {
            if !range.contains(&value) {
                let (from, to) = (range.start(), range.end());
                return Err(format!("quorum.{name} must be from {from} to {to}"));
            }
        }
        Ok(())
    }
}

//! `[federation]`: the peers of a node.

use serde::Deserialize;
use std::path::PathBuf;

/// The peers, and how they are changed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FederationConfig {
    /// File with the peers. It need not be there.
    pub peers: PathBuf,
    /// Socket over which commands change the peers of a running node.
    pub admin_socket: PathBuf,
    /// Time between two rounds of gossip, in milliseconds.
    pub gossip_interval_ms: u64,
    /// How long a head may wait until it is linked to the others of its log before the log is
    /// suspect, in milliseconds.
    pub alarm_after_ms: u64,
}

impl Default for FederationConfig {
    fn default() -> Self {
        FederationConfig {
            peers: "peers.toml".into(),
            admin_socket: "admin.sock".into(),
            gossip_interval_ms: 1_000,
            alarm_after_ms: 60_000,
        }
    }
}

impl FederationConfig {
    /// Says which value is out of range, if one is.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (value, range, name) in [
            (self.gossip_interval_ms, 50..=600_000, "gossip_interval_ms"),
            (self.alarm_after_ms, 1_000..=86_400_000, "alarm_after_ms"),
        ] {
            if !range.contains(&value) {
                let (from, to) = (range.start(), range.end());
                return Err(format!("federation.{name} must be from {from} to {to}"));
            }
        }
        Ok(())
    }
}

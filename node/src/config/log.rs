//! The table `[log]`: the log's name, key and checkpoints.

use super::{AgentConfig, within::within};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Longest time between two checkpoints, in milliseconds: an hour.
const INTERVAL_MS: u64 = 3_600_000;

/// The log's name, key and checkpoints.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// The log's origin: its name in every checkpoint.
    pub origin: String,
    /// File with the log's signing key.
    #[serde(default = "default_key")]
    pub key: PathBuf,
    /// The ssh-agent that holds the key in place of the file.
    pub agent: Option<AgentConfig>,
    /// The checkpoint file.
    #[serde(alias = "anchor", default = "default_checkpoint_file")]
    pub checkpoint_file: PathBuf,
    /// Whether the checkpoint file may end before what the store knows to be signed. The operator
    /// says so, once.
    #[serde(skip)]
    pub lost_end: bool,
    /// Shortest time between two checkpoints, in milliseconds.
    #[serde(default = "default_publish_interval")]
    pub publish_interval_ms: u64,
    /// Longest time between two commitments to the index, in seconds, from 1 to 3,600: an idle log
    /// commits again, so that readers can tell how fresh it is.
    #[serde(default = "default_heartbeat", deserialize_with = "read_heartbeat")]
    pub heartbeat_s: u64,
}

fn default_key() -> PathBuf {
    "log.key".into()
}

fn default_checkpoint_file() -> PathBuf {
    "checkpoints".into()
}

/// Longest heartbeat: readers refuse a head whose commitment is older than this and ten minutes
/// (docs/design.md 3.5).
const HEARTBEAT_S: u64 = 3600;

fn default_heartbeat() -> u64 {
    HEARTBEAT_S
}

fn read_heartbeat<'de, D: serde::Deserializer<'de>>(value: D) -> Result<u64, D::Error> {
    let seconds = u64::deserialize(value)?;
    if (1..=HEARTBEAT_S).contains(&seconds) {
        return Ok(seconds);
    }
    Err(serde::de::Error::custom(format!(
        "heartbeat_s is {seconds}; it must be from 1 to {HEARTBEAT_S}"
    )))
}

fn default_publish_interval() -> u64 {
    200
}

impl LogConfig {
    /// The key file, unless an agent holds the key.
    pub fn key_file(&self) -> Option<&Path> {
        self.agent.is_none().then_some(&self.key)
    }

    /// Says which value is out of range, if one is.
    pub(super) fn check(&self) -> Result<(), String> {
        within(
            "log.publish_interval_ms",
            self.publish_interval_ms,
            0..=INTERVAL_MS,
        )?;
        self.agent
            .as_ref()
            .map_or(Ok(()), |agent| agent.check(&self.origin))
    }

    /// Its paths, which are relative to the file's folder.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let agent = self.agent.as_mut();
        let socket = agent.and_then(|agent| agent.socket.as_mut());
        [&mut self.key, &mut self.checkpoint_file]
            .into_iter()
            .chain(socket)
    }
}

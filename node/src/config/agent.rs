//! The table `[log.agent]`: the log's key is in an ssh-agent.

use assay_tlog::note::{Algorithm, VerifierKey};
use serde::Deserialize;
use std::path::PathBuf;

/// A key of a log that an ssh-agent holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The log's verifier key, of Ed25519: which key of the agent signs.
    #[serde(deserialize_with = "read_vkey")]
    pub vkey: VerifierKey,
    /// The agent's socket. Without one, it is what `SSH_AUTH_SOCK` says.
    pub socket: Option<PathBuf>,
}

impl AgentConfig {
    /// Says what is wrong, if the key is not that of the log with this origin.
    pub(super) fn check(&self, origin: &str) -> Result<(), String> {
        let name = self.vkey.name();
        if name == origin {
            return Ok(());
        }
        Err(format!(
            "log.agent.vkey is a key of {name:?}, and log.origin is {origin:?}"
        ))
    }
}

fn read_vkey<'de, D: serde::Deserializer<'de>>(value: D) -> Result<VerifierKey, D::Error> {
    let text = String::deserialize(value)?;
    let key = VerifierKey::parse_log(&text);
    let key = key.map_err(|e| serde::de::Error::custom(format!("log.agent.vkey: {e}")))?;
    if key.algorithm() == Algorithm::Ed25519 {
        return Ok(key);
    }
    Err(serde::de::Error::custom(
        "log.agent.vkey is no Ed25519 key (type 0x01), which ssh-agents sign with",
    ))
}

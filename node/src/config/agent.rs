//! The table `agent`: a key is in an ssh-agent.

use super::vkey::read_vkey;
use assay_tlog::note::VerifierKey;
use serde::Deserialize;
use std::path::PathBuf;

/// A key that an ssh-agent holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The verifier key, of Ed25519: which key of the agent signs.
    #[serde(deserialize_with = "read_vkey")]
    pub vkey: VerifierKey,
    /// The agent's socket. Without one, it is what `SSH_AUTH_SOCK` says.
    pub socket: Option<PathBuf>,
}

impl AgentConfig {
    /// The path in the table, which is relative to the file's folder.
    pub(crate) fn path(table: &mut Option<Self>) -> Option<&mut PathBuf> {
        table.as_mut()?.socket.as_mut()
    }
}

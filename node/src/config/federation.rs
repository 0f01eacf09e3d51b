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
}

impl Default for FederationConfig {
    fn default() -> Self {
        FederationConfig {
            peers: "peers.toml".into(),
            admin_socket: "admin.sock".into(),
        }
    }
}

//! `[audit]`: replaying what the mirror copies.

use super::holder::cosigner_tables;
use super::{AgentConfig, TokenConfig};
use serde::Deserialize;
use std::path::PathBuf;

/// Most memory for the pages of one log's index, in MiB.
const CACHE_MIB: usize = 4096;

/// The auditor that a node is, beside its mirror.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// The name that it signs under.
    pub name: String,
    /// File with the Ed25519 key (type 0x04).
    #[serde(default = "default_key")]
    pub key: PathBuf,
    /// File with the ML-DSA-44 key (type 0x06), if it signs with one, too.
    pub ml_dsa_44_key: Option<PathBuf>,
    /// The ssh-agent that holds the Ed25519 key in place of the file.
    pub agent: Option<AgentConfig>,
    /// The PKCS#11 token that does.
    pub token: Option<TokenConfig>,
    /// Memory for the pages of the index of each mirrored log, in MiB.
    #[serde(default = "default_cache")]
    pub index_cache_mib: usize,
}

fn default_key() -> PathBuf {
    "audit.key".into()
}

fn default_cache() -> usize {
    32
}

cosigner_tables!(AuditConfig);

impl AuditConfig {
    /// Says which value is out of range, if one is.
    pub(super) fn check(&self, is_mirror: bool) -> Result<(), String> {
        self.tables().check("audit", "audit.name")?;
        if !is_mirror {
            return Err("[audit] replays what is mirrored, and there is no [mirror]".into());
        }
        if self.index_cache_mib > CACHE_MIB {
            return Err(format!("audit.index_cache_mib must be at most {CACHE_MIB}"));
        }
        Ok(())
    }

    /// The paths in it.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths = vec![&mut self.key];
        paths.extend(&mut self.ml_dsa_44_key);
        paths.extend(AgentConfig::path(&mut self.agent));
        paths
    }
}

//! Which node a command is about, and how it is changed: by hand, or by the node if it runs.

use super::run_until::runtime;
use anyhow::bail;
use assay_node::{
    config::{AuditConfig, Config, ConfigError, ConfigFile as _, FederationConfig, MirrorConfig},
    peers::{KnownPeer, PeerFile, PeersError, file, socket},
    rotation::LogKeys,
    witness::config::WitnessConfig,
};
use assay_tlog::note::VerifierKey;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Node {
    /// The configuration file of this node, or of a witness that runs by itself.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    pub config: PathBuf,
}

/// A node, or a witness that runs by itself, as its configuration says.
pub struct Own {
    /// Where its peers and its socket are.
    pub federation: FederationConfig,
    /// The configuration of a node with a log.
    pub node: Option<Config>,
    /// The keys of its log.
    pub log: Vec<VerifierKey>,
    /// The configuration of its witness.
    pub witness: Option<PathBuf>,
    /// Its mirror.
    pub mirror: Option<MirrorConfig>,
    /// Its auditor.
    pub audit: Option<AuditConfig>,
}

impl Own {
    /// Reads the configuration of a node, or of a witness that runs by itself, and the log's keys.
    pub fn load(node: &Node) -> anyhow::Result<Self> {
        let own = Own::configured(node)?;
        let log = own.node.as_ref().map(|config| &config.log);
        let log = log.map(LogKeys::configured).transpose()?;
        let log = log.map(|keys| keys.verifiers()).unwrap_or_default();
        Ok(Own { log, ..own })
    }

    /// The same without the log's keys, which are not read.
    pub fn configured(node: &Node) -> anyhow::Result<Self> {
        let config = match Config::load(&node.config) {
            Ok(config) => config,
            Err(error @ ConfigError::Malformed { .. }) => {
                return match WitnessConfig::load(&node.config) {
                    Ok(witness) => Ok(Own {
                        federation: witness.federation,
                        node: None,
                        log: Vec::new(),
                        witness: Some(node.config.clone()),
                        mirror: None,
                        audit: None,
                    }),
                    Err(_) => Err(error.into()),
                };
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Own {
            log: Vec::new(),
            witness: config.witness.as_ref().map(|own| own.config.clone()),
            mirror: config.mirror.clone(),
            audit: config.audit.clone(),
            federation: config.federation.clone(),
            node: Some(config),
        })
    }

    /// The origin of its log, if it has one.
    pub fn origin(&self) -> Option<&str> {
        self.log.first().map(VerifierKey::name)
    }

    /// Its peers.
    pub fn peers(&self) -> Result<Vec<KnownPeer>, PeersError> {
        file::read(&self.federation.peers)
    }
}

/// Changes something by hand, which nobody else can meanwhile, or has the node change it that runs:
/// it is sent `body` at the path `what` of its admin socket.
pub fn change(
    node: &Node,
    what: &str,
    body: String,
    by_hand: impl FnOnce(&mut PeerFile, &str) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let own = Own::load(node)?;
    match PeerFile::open(&own.federation.peers, own.origin()) {
        Ok(mut file) => by_hand(&mut file, &body),
        Err(PeersError::Taken(_)) => {
            let asked = socket::ask(&own.federation.admin_socket, what, body);
            match runtime()?.block_on(asked) {
                Ok(said) => Ok(said),
                Err(reason) => bail!(reason),
            }
        }
        Err(error) => Err(error.into()),
    }
}

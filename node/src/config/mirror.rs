//! `[mirror]`: the logs that a node copies.

use super::holder::cosigner_tables;
use super::{AgentConfig, TokenConfig, demand_apart};
use crate::storage::backend::Backend;
use assay_client::wrong_port;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use serde::Deserialize;
use std::{collections::HashSet, path::PathBuf};

/// Most logs that are copied.
pub const LOGS: usize = 1000;

/// The least memory in which a mirror can copy, in MiB: one bundle of the greatest length, packed
/// and unpacked, two packages of the greatest length, and a few bundles of the usual one.
const MEMORY_MIB: u32 = 96;

/// The mirror that a node is, beside its log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorConfig {
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
    /// The folder for the copies.
    #[serde(default = "default_path")]
    pub path: PathBuf,
    /// The store. RocksDB, unless a test sets another one.
    #[serde(skip)]
    pub backend: Backend,
    /// The floor file, outside the folder for the copies. Without it, an older copy of that folder
    /// is not noticed.
    #[serde(default = "default_floor_file")]
    pub floor_file: Option<PathBuf>,
    /// How often a log is asked for its checkpoint, in milliseconds.
    #[serde(default = "default_poll")]
    pub poll_ms: u64,
    /// Most GiB of entries and hashes of one log. 0 is no limit.
    #[serde(default = "default_gib")]
    pub max_gib: u64,
    /// Most entries of one log. 0 is no limit.
    #[serde(default = "default_entries")]
    pub max_entries: u64,
    /// What is left free on the disk of the copies, in MiB.
    #[serde(default = "default_reserve")]
    pub reserve_mib: u64,
    /// Memory for entries that were fetched or uploaded and are not stored yet, of all logs
    /// together, in MiB.
    #[serde(default = "default_memory")]
    pub memory_mib: u32,
    /// How often a stored bundle is read again and checked, in milliseconds. 0 is never.
    #[serde(default = "default_scrub")]
    pub scrub_ms: u64,
    /// What holds for some logs in place of `max_gib` and `max_entries`, wherever they are named.
    #[serde(default)]
    pub limit: Vec<LogLimit>,
    /// The logs.
    #[serde(default)]
    pub log: Vec<MirroredLog>,
}

/// A log that is copied.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirroredLog {
    /// Its origin.
    pub origin: String,
    /// Its verifier keys, 1 to 8. All of them are trusted.
    pub keys: Vec<String>,
    /// Where its checkpoint and tiles are published.
    pub url: String,
}

/// How much of one log is copied.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLimit {
    /// Its origin.
    pub origin: String,
    /// In place of `mirror.max_gib`.
    pub max_gib: Option<u64>,
    /// In place of `mirror.max_entries`.
    pub max_entries: Option<u64>,
}

fn default_key() -> PathBuf {
    "mirror.key".into()
}

fn default_path() -> PathBuf {
    "mirror".into()
}

fn default_floor_file() -> Option<PathBuf> {
    Some("mirror.floor".into())
}

fn default_poll() -> u64 {
    1_000
}

fn default_gib() -> u64 {
    64
}

fn default_entries() -> u64 {
    100_000_000
}

fn default_reserve() -> u64 {
    1_024
}

fn default_memory() -> u32 {
    128
}

fn default_scrub() -> u64 {
    1_000
}

cosigner_tables!(MirrorConfig);

impl MirrorConfig {
    /// Says which file is where it must not be.
    pub(super) fn check_places(&self) -> Result<(), String> {
        self.floor_file.as_ref().map_or(Ok(()), |file| {
            demand_apart(("mirror.floor_file", file), ("mirror.path", &self.path))
        })
    }

    /// Says which value is out of range, if one is.
    pub(super) fn check(&self) -> Result<(), String> {
        self.tables().check("mirror", "mirror.name")?;
        if !(100..=3_600_000).contains(&self.poll_ms) {
            return Err("mirror.poll_ms must be from 100 to 3600000".into());
        }
        if self.memory_mib < MEMORY_MIB {
            return Err(format!("mirror.memory_mib must be at least {MEMORY_MIB}"));
        }
        if self.scrub_ms > 3_600_000 {
            return Err("mirror.scrub_ms must be at most 3600000".into());
        }
        let mut limited = HashSet::new();
        for limit in &self.limit {
            if !limited.insert(limit.origin.as_str()) {
                let origin = &limit.origin;
                return Err(format!("the log {origin:?} has two [[mirror.limit]]"));
            }
        }
        if self.log.len() > LOGS {
            return Err(format!("there are more than {LOGS} logs under [mirror]"));
        }
        let mut origins = HashSet::new();
        for log in &self.log {
            log.verifier()?;
            if !(log.url.starts_with("http://") || log.url.starts_with("https://")) {
                return Err(format!(
                    "the log {:?} under [mirror]: {:?} is no http:// or https:// address",
                    log.origin, log.url
                ));
            }
            if let Some(wrong) = wrong_port(&log.url) {
                return Err(format!("the log {:?} under [mirror]: {wrong}", log.origin));
            }
            if !origins.insert(log.origin.as_str()) {
                return Err(format!(
                    "the log {:?} stands under [mirror] twice; give all its keys in one \
                     [[mirror.log]]",
                    log.origin
                ));
            }
        }
        Ok(())
    }

    /// The paths in it.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths = vec![&mut self.key, &mut self.path];
        paths.extend(&mut self.ml_dsa_44_key);
        paths.extend(AgentConfig::path(&mut self.agent));
        paths.extend(&mut self.floor_file);
        paths
    }
}

impl MirroredLog {
    /// The log's origin and keys. Fails with what is wrong with them.
    pub fn verifier(&self) -> Result<LogVerifier, String> {
        let wrong = |reason: String| format!("the log {:?} under [mirror]: {reason}", self.origin);
        let mut keys = Vec::new();
        for text in &self.keys {
            let key = VerifierKey::parse_log(text).map_err(|e| wrong(format!("{text:?}: {e}")))?;
            keys.push(key);
        }
        LogVerifier::new(&self.origin, keys).map_err(|e| wrong(e.to_string()))
    }
}

//! The node's configuration: one TOML file. The file that `assay-node init` writes explains every
//! key.
//!
//! Unknown keys are refused, so that a misspelled limit is not ignored.

mod agent;
mod apart;
mod audit;
mod federation;
mod file;
pub(crate) mod holder;
mod log;
mod mirror;
mod page;
mod quorum;
mod server;
mod token;
mod vkey;
mod within;
mod witness;

pub use self::agent::AgentConfig;
pub(crate) use self::apart::demand_apart;
pub use self::audit::AuditConfig;
pub use self::federation::FederationConfig;
pub use self::file::{ConfigError, ConfigFile};
pub use self::holder::{CosignerKeys, KeyHolder};
pub use self::log::LogConfig;
pub use self::mirror::{LOGS as MIRRORED_LOGS, LogLimit, MirrorConfig, MirroredLog};
pub use self::page::PageConfig;
pub use self::quorum::QuorumConfig;
pub use self::server::{ServerConfig, TlsConfig, listen_address};
pub use self::token::{TokenConfig, TokenUri};
pub use self::witness::OwnWitnessConfig;

use crate::storage::backend::{Backend, Opening};
use assay_claims::issuer::IssuerId;
use assay_tlog::Hash;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use within::within;

/// The file that `init` writes, once `{origin}`, `{listen}` and `{admin}` are filled in.
pub const TEMPLATE: &str = include_str!("../node.toml.template");

/// Most claims that wait for a leaf.
const QUEUE: usize = 1 << 20;

/// Most hours of a round through a store: a year.
const SCRUB_HOURS: u64 = 24 * 365;

/// Largest cache, in MiB: a TiB.
const CACHE_MIB: usize = 1 << 20;

/// Most attachments, in MiB: what a count of bytes can count.
const ATTACHMENTS_MIB: u64 = 1 << 40;

/// Most issuers who endorse others here. Each is asked about each claim.
const ANCHORS: usize = 64;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The log's name, key and checkpoints.
    pub log: LogConfig,
    /// Where the node listens.
    #[serde(default)]
    pub server: ServerConfig,
    /// Where it keeps its data, and in how much memory.
    #[serde(default)]
    pub storage: StorageConfig,
    /// Who may publish, and how much.
    #[serde(default)]
    pub admission: AdmissionConfig,
    /// How much is kept beside the log.
    #[serde(default)]
    pub attachments: AttachmentConfig,
    /// What it writes to standard error.
    #[serde(default)]
    pub trace: TraceConfig,
    /// The witnesses that must have cosigned what it shows. Without it, it asks none.
    pub quorum: Option<QuorumConfig>,
    /// The witness that this node is, beside its log.
    pub witness: Option<OwnWitnessConfig>,
    /// The mirror that this node is, beside its log.
    pub mirror: Option<MirrorConfig>,
    /// The auditor of what it mirrors.
    pub audit: Option<AuditConfig>,
    /// Its peers.
    #[serde(default)]
    pub federation: FederationConfig,
    /// Its pages for people.
    #[serde(default)]
    pub page: PageConfig,
}

/// Where the node keeps its data, and in how much memory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// The store.
    pub backend: Backend,
    /// The data folder.
    pub path: PathBuf,
    /// Cache of stored blocks, in MiB.
    pub block_cache_mib: usize,
    /// Cache of expanded tiles that proofs are made from, in MiB.
    pub tile_cache_mib: usize,
    /// Parts and pages of the index in memory, written or not, in MiB. A million labels take about
    /// 50.
    pub index_cache_mib: usize,
    /// In how many hours all that is stored is read once, to find what a disk damaged. 0 is never.
    pub scrub_hours: u64,
}

/// The rule of who may publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admission {
    /// Any issuer that is registered in this log.
    Registered,
    /// Registered issuers that `anchors` endorse, by claims in this log, for what they say.
    Endorsed,
    /// Anybody, with a valid signature.
    Open,
}

/// Who may publish, and how much.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionConfig {
    /// Who may publish.
    pub mode: Admission,
    /// With `endorsed`: the issuers who say who else may publish.
    #[serde(deserialize_with = "read_anchors")]
    pub anchors: Vec<IssuerId>,
    /// Claims a second by one issuer. 0 is no limit.
    pub issuer_claims_per_second: u32,
    /// KiB a second by one issuer. 0 is no limit; none is four for each claim a second.
    pub issuer_kib_per_second: Option<u32>,
    /// Claims a second from one address (IPv6: one /64). 0 is no limit.
    pub address_claims_per_second: u32,
    /// KiB a second from one address. 0 is no limit; none is four for each claim a second.
    pub address_kib_per_second: Option<u32>,
    /// Claims a second by all issuers together. 0 is no limit.
    pub claims_per_second: u32,
    /// KiB a second by all issuers together. 0 is no limit; none is four for each claim a second.
    pub kib_per_second: Option<u32>,
    /// New issuers an hour from one address. 0 is no limit.
    pub registrations_per_hour: u32,
    /// How many claims may wait for a leaf. More are refused, with advice to try later.
    pub queue: usize,
    /// SHA-256 of the tokens that invite new issuers. If there are any, no issuer is registered
    /// without one of these tokens, and one with each.
    #[serde(deserialize_with = "read_invitations")]
    pub invitations: Vec<Hash>,
}

/// How much is kept beside the log. 0 is no limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttachmentConfig {
    /// Where, if not in the data folder. The folder must be there.
    pub path: Option<PathBuf>,
    /// All attachments together, in MiB.
    pub total_mib: u64,
    /// Those of the claims of one issuer.
    pub issuer_mib: u64,
    /// Those of one claim.
    pub claim_mib: u64,
    /// What one address (IPv6: one /64) uploads in an hour.
    pub address_mib_per_hour: u32,
    /// What is left free on their disk, for the log.
    pub reserve_mib: u64,
}

/// What the node writes to standard error.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraceConfig {
    /// The shape of a line.
    pub format: TraceFormat,
    /// Filter in the syntax of `RUST_LOG`, which overrides it.
    pub filter: String,
    /// Where a collector of OpenTelemetry takes spans (OTLP over gRPC).
    pub otlp: Option<String>,
    /// The share of calls, commits and signatures of which it gets spans: above 0, at most 1.
    pub otlp_share: f64,
}

/// The shape of a line of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceFormat {
    /// Text, for people.
    Text,
    /// JSON, for collectors.
    Json,
}

fn read_invitations<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Vec<Hash>, D::Error> {
    let digests = Vec::<String>::deserialize(value)?;
    let read = digests.iter().map(|digest| {
        Hash::from_hex(digest).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{digest:?} in invitations is no SHA-256 in lower-case hex; `assay-node invite` \
                 makes a token and its digest"
            ))
        })
    });
    read.collect()
}

fn read_anchors<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Vec<IssuerId>, D::Error> {
    let ids = Vec::<String>::deserialize(value)?;
    let read = ids.iter().map(|id| {
        IssuerId::from_hex(id).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{id:?} in anchors is no issuer id: 64 lower-case hex digits, as `assay key show` \
                 prints it"
            ))
        })
    });
    read.collect()
}

impl Default for StorageConfig {
    fn default() -> Self {
        StorageConfig {
            backend: Backend::default(),
            path: "data".into(),
            block_cache_mib: 32,
            tile_cache_mib: 80,
            index_cache_mib: 128,
            scrub_hours: 24,
        }
    }
}

impl StorageConfig {
    /// Says which value is out of range, if one is.
    fn check(&self) -> Result<(), String> {
        within(
            "storage.block_cache_mib",
            self.block_cache_mib,
            1..=CACHE_MIB,
        )?;
        within("storage.tile_cache_mib", self.tile_cache_mib, 0..=CACHE_MIB)?;
        within(
            "storage.index_cache_mib",
            self.index_cache_mib,
            0..=CACHE_MIB,
        )?;
        within("storage.scrub_hours", self.scrub_hours, 0..=SCRUB_HOURS)
    }
}

impl AttachmentConfig {
    /// Says which value is out of range, if one is.
    fn check(&self) -> Result<(), String> {
        for (name, mib) in [
            ("attachments.total_mib", self.total_mib),
            ("attachments.issuer_mib", self.issuer_mib),
            ("attachments.claim_mib", self.claim_mib),
            ("attachments.reserve_mib", self.reserve_mib),
        ] {
            within(name, mib, 0..=ATTACHMENTS_MIB)?;
        }
        Ok(())
    }
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        AdmissionConfig {
            mode: Admission::Registered,
            anchors: Vec::new(),
            issuer_claims_per_second: 1000,
            issuer_kib_per_second: None,
            address_claims_per_second: 5000,
            address_kib_per_second: None,
            claims_per_second: 0,
            kib_per_second: None,
            registrations_per_hour: 60,
            queue: 16_384,
            invitations: Vec::new(),
        }
    }
}

impl Default for AttachmentConfig {
    fn default() -> Self {
        AttachmentConfig {
            path: None,
            total_mib: 16_384,
            issuer_mib: 2048,
            claim_mib: 256,
            address_mib_per_hour: 1024,
            reserve_mib: 1024,
        }
    }
}

impl Default for TraceConfig {
    fn default() -> Self {
        TraceConfig {
            format: TraceFormat::Text,
            filter: "info".into(),
            otlp: None,
            otlp_share: 1.0,
        }
    }
}

impl Config {
    /// How the store of the log is opened, which is there.
    pub(crate) fn opening(&self) -> Opening<'_> {
        Opening {
            path: &self.storage.path,
            blobs: self.attachments.path.as_deref(),
            block_cache_mib: self.storage.block_cache_mib,
            create: false,
        }
    }
}

impl ConfigFile for Config {
    const WHAT: &'static str = "a node";
    const INIT: &'static str = "assay-node init";

    fn check(&self) -> Result<(), String> {
        self.log.check()?;
        within("admission.queue", self.admission.queue, 1..=QUEUE)?;
        self.storage.check()?;
        self.attachments.check()?;
        let endorsed = self.admission.mode == Admission::Endorsed;
        if endorsed == self.admission.anchors.is_empty() {
            return Err(
                "admission.anchors says who endorses, and belongs to admission.mode = \
                        \"endorsed\": give both or neither"
                    .into(),
            );
        }
        if self.admission.anchors.len() > ANCHORS {
            return Err(format!("admission.anchors has more than {ANCHORS} issuers"));
        }
        if let Some(quorum) = &self.quorum {
            quorum.check()?;
        }
        if let Some(mirror) = &self.mirror {
            mirror.check()?;
        }
        if let Some(audit) = &self.audit {
            audit.check(self.mirror.is_some())?;
        }
        self.federation.check()?;
        self.page.check()?;
        self.server.check()
    }

    fn check_places(&self) -> Result<(), String> {
        demand_apart(
            ("log.checkpoint_file", &self.log.checkpoint_file),
            ("storage.path", &self.storage.path),
        )?;
        self.mirror
            .as_ref()
            .map_or(Ok(()), MirrorConfig::check_places)
    }

    fn resolve(&mut self, folder: &Path) {
        let mut paths = vec![
            &mut self.storage.path,
            &mut self.federation.peers,
            &mut self.federation.admin_socket,
        ];
        paths.extend(self.log.paths());
        paths.extend(&mut self.attachments.path);
        paths.extend(self.quorum.as_mut().map(|quorum| &mut quorum.policy));
        paths.extend(self.witness.as_mut().map(|witness| &mut witness.config));
        paths.extend(self.mirror.iter_mut().flat_map(MirrorConfig::paths));
        paths.extend(self.audit.iter_mut().flat_map(AuditConfig::paths));
        paths.extend(self.server.paths());
        paths.extend(&mut self.page.policy);
        for path in paths {
            *path = folder.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests;

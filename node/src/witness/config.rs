//! A witness's configuration: one TOML file. The one that `assay-node witness init` writes explains
//! every key.
//!
//! Unknown keys are refused, so that a misspelled one is not ignored.

use crate::{
    config::{
        AgentConfig, ConfigFile, FederationConfig, ServerConfig, TokenConfig, TraceConfig,
        demand_apart, holder::cosigner_tables,
    },
    storage::backend::Backend,
    witness::source,
};
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use serde::Deserialize;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// The file that `init` writes, once `{name}`, `{listen}` and `{admin}` are filled in.
pub const TEMPLATE: &str = include_str!("witness.toml.template");

/// Most logs. The state of each is in memory.
pub const LOGS: usize = 100_000;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// Name, keys and quotas.
    pub witness: Identity,
    /// Where it listens.
    #[serde(default)]
    pub server: ServerConfig,
    /// Where it keeps what it cosigned.
    #[serde(default)]
    pub storage: WitnessStorage,
    /// What it writes to standard error.
    #[serde(default)]
    pub trace: TraceConfig,
    /// The logs that it cosigns, beside those of its peers.
    #[serde(default)]
    pub log: Vec<LogEntry>,
    /// Lists from which it takes logs.
    #[serde(default)]
    pub log_list: Vec<LogListConfig>,
    /// The file with the logs that were taken from lists. It need not be there.
    #[serde(default = "default_listed")]
    pub listed: PathBuf,
    /// Its peers, if it runs by itself. A node has its own.
    #[serde(default)]
    pub federation: FederationConfig,
}

/// Name, keys and quotas.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
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
    /// Larger heads an hour of one log. 0 is no limit.
    #[serde(default = "default_requests")]
    pub requests_per_hour: u32,
    /// Larger heads of one log at once, after it was silent.
    #[serde(default = "default_burst")]
    pub burst: u32,
}

cosigner_tables!(Identity);

impl Identity {
    /// Says what is wrong, if something is.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.burst == 0 {
            return Err("witness.burst must be at least 1".into());
        }
        self.tables().check("witness", "witness.name")
    }
}

/// Where the witness keeps what it cosigned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WitnessStorage {
    /// The store. RocksDB, unless a test sets another one.
    #[serde(skip)]
    pub backend: Backend,
    /// The data folder.
    pub path: PathBuf,
    /// The floor file, outside the data folder. Without it, an older copy of the folder is not
    /// noticed.
    pub floor_file: Option<PathBuf>,
}

/// A log that is cosigned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// Its origin.
    pub origin: String,
    /// Its verifier keys, 1 to 8. All of them are trusted.
    pub keys: Vec<String>,
    /// Larger heads an hour, if other than `witness.requests_per_hour`.
    pub requests_per_hour: Option<u32>,
}

/// A list of logs (C2SP tlog-list, `logs/v0`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogListConfig {
    /// Where it is: `file:PATH`, or an address. A path is relative to the configuration's folder.
    pub source: String,
    /// What is done with its logs: `witness`. A mirror takes none from lists, which do not say
    /// where a log is.
    #[serde(default)]
    pub role: ListRole,
}

/// What is done with the logs of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListRole {
    /// They are cosigned.
    #[default]
    Witness,
}

/// Most lists.
const LISTS: usize = 16;

impl LogListConfig {
    fn check(&self) -> Result<(), String> {
        source::demand_source(&self.source).map_err(|wrong| format!("log_list.source {wrong}"))
    }

    fn resolve(&mut self, folder: &Path) {
        if let Some(path) = self.source.strip_prefix("file:") {
            self.source = format!("file:{}", folder.join(path).display());
        }
    }
}

impl Default for WitnessStorage {
    fn default() -> Self {
        WitnessStorage {
            backend: Backend::default(),
            path: "data".into(),
            floor_file: Some("witness.floor".into()),
        }
    }
}

fn default_listed() -> PathBuf {
    "listed.toml".into()
}

fn default_key() -> PathBuf {
    "witness.key".into()
}

fn default_requests() -> u32 {
    36_000
}

fn default_burst() -> u32 {
    60
}

impl ConfigFile for WitnessConfig {
    const WHAT: &'static str = "a witness";
    const INIT: &'static str = "assay-node witness init";

    fn check(&self) -> Result<(), String> {
        if self.log.len() > LOGS {
            return Err(format!("there are more than {LOGS} logs"));
        }
        self.witness.check()?;
        if self.log_list.len() > LISTS {
            return Err(format!("there are more than {LISTS} log lists"));
        }
        self.log_list.iter().try_for_each(LogListConfig::check)?;
        let mut origins = HashSet::new();
        for log in &self.log {
            log.verifier()?;
            if !origins.insert(log.origin.as_str()) {
                return Err(format!(
                    "the log {:?} stands there twice; give all its keys in one [[log]]",
                    log.origin
                ));
            }
        }
        self.federation.check()?;
        self.server.check()
    }

    fn check_places(&self) -> Result<(), String> {
        self.storage.floor_file.as_ref().map_or(Ok(()), |file| {
            demand_apart(
                ("storage.floor_file", file),
                ("storage.path", &self.storage.path),
            )
        })
    }

    fn resolve(&mut self, folder: &Path) {
        let mut paths = vec![
            &mut self.witness.key,
            &mut self.storage.path,
            &mut self.listed,
            &mut self.federation.peers,
            &mut self.federation.admin_socket,
        ];
        paths.extend(&mut self.witness.ml_dsa_44_key);
        paths.extend(AgentConfig::path(&mut self.witness.agent));
        paths.extend(&mut self.storage.floor_file);
        paths.extend(self.server.paths());
        for path in paths {
            *path = folder.join(&*path);
        }
        for list in &mut self.log_list {
            list.resolve(folder);
        }
    }
}

impl LogEntry {
    /// The log's origin and keys. Fails with what is wrong with them.
    pub fn verifier(&self) -> Result<LogVerifier, String> {
        let wrong = |reason: String| format!("the log {:?}: {reason}", self.origin);
        let mut keys = Vec::new();
        for text in &self.keys {
            let key = VerifierKey::parse_log(text).map_err(|e| wrong(format!("{text:?}: {e}")))?;
            keys.push(key);
        }
        LogVerifier::new(&self.origin, keys).map_err(|e| wrong(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_tlog::note::SignerKey;

    #[test]
    fn the_template_is_complete_and_says_the_defaults() {
        let text = TEMPLATE
            .replace("{name}", "witness.example/w")
            .replace("{listen}", "127.0.0.1:7480")
            .replace("{admin}", "127.0.0.1:7481");
        let stated: WitnessConfig = toml::from_str(&text).unwrap();
        let least = "[witness]\nname = \"witness.example/w\"\n\
            ml_dsa_44_key = \"witness-ml-dsa-44.key\"";
        let default: WitnessConfig = toml::from_str(least).unwrap();
        assert_eq!(format!("{stated:?}"), format!("{default:?}"));
    }

    #[test]
    fn a_log_has_keys_that_parse_and_stands_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("witness.toml");
        let key = SignerKey::from_seed("a", &[1; 32]).unwrap().verifier();
        let log = format!("[[log]]\norigin = \"a\"\nkeys = [\"{key}\"]\n");
        let load = |logs: &str| {
            std::fs::write(&file, format!("[witness]\nname = \"w\"\n{logs}\n")).unwrap();
            WitnessConfig::load(&file)
        };
        assert_eq!(load(&log).unwrap().log.len(), 1);
        for (logs, said) in [
            ("[[log]]\norigin = \"a\"\nkeys = []", "1 to 8 keys"),
            ("[[log]]\norigin = \"a\"\nkeys = [\"b\"]", "\"b\""),
            (&(log.clone() + &log), "twice"),
        ] {
            let refused = load(logs).unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }
    #[test]
    fn what_is_too_much_or_nothing_is_refused_by_name() {
        let said = |witness: &str, tables: &str| {
            let text = format!("[witness]\nname = \"w\"\n{witness}\n{tables}");
            toml::from_str::<WitnessConfig>(&text)
                .unwrap()
                .check()
                .unwrap_err()
        };
        assert!(said("burst = 0", "").contains("witness.burst"));
        let list = |source: &str| format!("[[log_list]]\nsource = \"{source}\"\n");
        let lists = list("file:a").repeat(LISTS + 1);
        assert!(said("", &lists).contains("log lists"));
        for source in [
            "ftp://a.example",
            "file:a\\nb",
            "http://me:secret@a.example/l",
        ] {
            assert!(said("", &list(source)).contains("neither file:PATH nor"));
        }
        let logs = "[[log]]\norigin = \"a\"\nkeys = []\n".repeat(LOGS + 1);
        assert!(said("", &logs).contains("more than 100000 logs"));
    }
}

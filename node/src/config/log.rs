//! The table `[log]`: the log's name, key and checkpoints.

use super::holder::Held;
use super::{AgentConfig, KeyHolder, TokenConfig, within::within};
use assay_tlog::note::Algorithm;
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
    /// The PKCS#11 token that does.
    pub token: Option<TokenConfig>,
    /// Who holds the key that will take the place of the one of now, while the two are changed.
    pub next: Option<NextKey>,
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

/// The key that signs beside the one of now, and will take its place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextKey {
    /// The ssh-agent that holds it.
    pub agent: Option<AgentConfig>,
    /// The PKCS#11 token that does.
    pub token: Option<TokenConfig>,
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
    /// Who holds the key, if it is in no file.
    pub fn holder(&self) -> Option<KeyHolder> {
        KeyHolder::of(self.agent.as_ref(), self.token.as_ref())
    }

    /// Who holds the next key, if it is in no file.
    pub fn next_holder(&self) -> Option<KeyHolder> {
        let next = self.next.as_ref()?;
        KeyHolder::of(next.agent.as_ref(), next.token.as_ref())
    }

    /// The key file beside which the next key stands or will, or who holds the one or the other.
    pub fn rotated_file(&self) -> Result<&Path, Box<KeyHolder>> {
        match self.next_holder() {
            None => self.key_file(),
            Some(holder) => Err(Box::new(holder)),
        }
    }

    /// The key file, or who holds the key.
    pub fn key_file(&self) -> Result<&Path, Box<KeyHolder>> {
        match self.holder() {
            None => Ok(&self.key),
            Some(holder) => Err(Box::new(holder)),
        }
    }

    /// Says which value is out of range, if one is.
    pub(super) fn check(&self) -> Result<(), String> {
        within(
            "log.publish_interval_ms",
            self.publish_interval_ms,
            0..=INTERVAL_MS,
        )?;
        let held = Held {
            table: "log",
            named: "log.origin",
            name: &self.origin,
            algorithm: Algorithm::Ed25519,
        };
        held.check(self.agent.as_ref(), self.token.as_ref())?;
        let Some(next) = &self.next else {
            return Ok(());
        };
        let held = Held {
            table: "log.next",
            ..held
        };
        held.check(next.agent.as_ref(), next.token.as_ref())?;
        match (self.holder(), self.next_holder()) {
            (_, None) => Err(
                "[log.next] names no key: [log.next.agent] or [log.next.token] \
                              does; without one, take it out"
                    .into(),
            ),
            (Some(now), Some(next)) if now.vkey() == next.vkey() => {
                Err("[log.next] names the key of now, which cannot take its own place".into())
            }
            _ => Ok(()),
        }
    }

    /// Its paths, which are relative to the file's folder.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let next = self.next.as_mut();
        [&mut self.key, &mut self.checkpoint_file]
            .into_iter()
            .chain(AgentConfig::path(&mut self.agent))
            .chain(next.and_then(|next| AgentConfig::path(&mut next.agent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};

    /// What a configuration with these tables in `[log]` is refused for.
    fn refused(tables: &str) -> String {
        let text = format!("origin = \"log.example\"\n{tables}");
        let config: Result<LogConfig, _> = toml::from_str(&text);
        match config {
            Ok(config) => config.check().unwrap_err(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_next_key_is_another_one_of_this_log() {
        let key = |seed| SignerKey::from_seed("log.example", &[seed; 32]).unwrap();
        let table = |name: &str, seed| format!("[{name}]\nvkey = \"{}\"\n", key(seed).verifier());
        let now = table("agent", 1);
        let text = |tables: &str| format!("origin = \"log.example\"\n{tables}");
        let next = format!("{}socket = \"s\"\n", table("next.agent", 2));
        let mut config: LogConfig = toml::from_str(&text(&format!("{now}{next}"))).unwrap();
        config.check().unwrap();
        assert_eq!(config.next_holder().unwrap().vkey(), &key(2).verifier());
        assert!(config.rotated_file().is_err());
        assert_eq!(config.paths().count(), 3);
        // From a file to a holder.
        let config: LogConfig = toml::from_str(&text(&next)).unwrap();
        config.check().unwrap();
        assert!(config.key_file().is_ok() && config.rotated_file().is_err());
        let other = SignerKey::from_seed("other.example", &[2; 32]).unwrap();
        let other = format!("[next.agent]\nvkey = \"{}\"\n", other.verifier());
        for (tables, words) in [
            (format!("{now}{}", table("next.agent", 1)), "the key of now"),
            ("[next]\n".to_owned(), "names no key"),
            (other, "log.next.agent.vkey"),
            ("[next]\nkey = \"f\"\n".to_owned(), "unknown field"),
        ] {
            assert!(refused(&tables).contains(words), "{}", refused(&tables));
        }
    }

    #[test]
    fn one_holder_has_the_key_of_this_log() {
        let key = |name| SignerKey::from_seed(name, &[1; 32]).unwrap().verifier();
        let uri = "uri = \"pkcs11:token=a;object=b?module-path=/m\"";
        let [own, other] = [key("log.example"), key("other.example")];
        let agent = format!("[agent]\nvkey = \"{own}\"\n");
        let token = format!("[token]\nvkey = \"{own}\"\n{uri}\n");
        for (tables, table) in [(&agent, "agent"), (&token, "token")] {
            let text = format!("origin = \"log.example\"\n{tables}");
            let config: LogConfig = toml::from_str(&text).unwrap();
            config.check().unwrap();
            let holder = config.key_file().unwrap_err();
            assert_eq!((holder.table(), holder.vkey()), (table, &own));
            let error = refused(&tables.replace(&own.to_string(), &other.to_string()));
            assert!(error.contains(&format!("log.{table}.vkey")), "{error}");
        }
        let other = CosignerKey::from_seed("log.example", Algorithm::MlDsa44, &[1; 32]).unwrap();
        let other = agent.replace(&own.to_string(), &other.verifier().to_string());
        assert!(refused(&other).contains("no Ed25519 key"));
        assert!(refused(&(agent + &token)).contains("give one"));
        let shown = token.replace("module-path=/m", "module-path=/m&pin-value=1");
        assert!(refused(&shown).contains("holds a PIN"));
    }
}

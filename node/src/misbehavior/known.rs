//! Whose keys a node has: only with these is misbehavior verified.

use crate::config::MirrorConfig;
use crate::peers::KnownPeer;
use crate::witness::config::WitnessConfig;
use assay_claims::misbehavior::KnownKeys;
use assay_tlog::cosigner::{CosignerVerifier, CosignerVerifierError};
use assay_tlog::head::{LogVerifier, LogVerifierError};
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::TlogPolicy;
use std::collections::BTreeMap;

/// Why the keys of a configuration cannot be used together.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// Those of a log.
    #[error("the keys that the configuration has of the log {origin}")]
    Log {
        /// The log.
        origin: String,
        /// What is wrong with them.
        source: LogVerifierError,
    },
    /// Those of a witness.
    #[error("the keys that the policy has of the witness {name}")]
    Witness {
        /// The witness.
        name: String,
        /// What is wrong with them.
        source: CosignerVerifierError,
    },
}

/// The keys that several parts of a configuration name. All keys of one name are one culprit's.
#[derive(Debug, Clone, Default)]
pub struct Known {
    logs: BTreeMap<String, Vec<VerifierKey>>,
    witnesses: BTreeMap<String, Vec<VerifierKey>>,
    mirrors: BTreeMap<String, Vec<VerifierKey>>,
}

impl Known {
    /// Adds a key of a log whose origin is the name of its key.
    pub fn log(&mut self, key: &VerifierKey) {
        add(self.logs.entry(key.name().to_owned()).or_default(), key);
    }

    /// Adds the logs that a witness cosigns. Its configuration was checked when it was read.
    pub fn logs_of(&mut self, witness: &WitnessConfig) {
        for log in &witness.log {
            let keys = self.logs.entry(log.origin.clone()).or_default();
            for key in log.keys.iter().flat_map(|key| VerifierKey::parse_log(key)) {
                add(keys, &key);
            }
        }
    }

    /// Adds the logs that a mirror copies. Its configuration was checked when it was read.
    pub fn logs_copied(&mut self, mirror: &MirrorConfig) {
        for log in &mirror.log {
            let keys = self.logs.entry(log.origin.clone()).or_default();
            for key in log.keys.iter().flat_map(|key| VerifierKey::parse_log(key)) {
                add(keys, &key);
            }
        }
    }

    /// Adds the logs and witnesses of a policy.
    pub fn policy(&mut self, policy: &TlogPolicy) {
        policy.logs().iter().for_each(|log| self.log(&log.key));
        for witness in policy.witnesses() {
            let name = witness.key.name().to_owned();
            add(self.witnesses.entry(name).or_default(), &witness.key);
        }
    }

    /// Adds the logs, witnesses, mirrors and auditors of peers. Keys of a name that the
    /// configuration has keys of are left out: a peer could have somebody else convicted with them.
    pub fn peers(&mut self, peers: &[KnownPeer]) {
        for peer in peers {
            let log = peer.log().map(LogVerifier::keys).unwrap_or_default();
            peers_keys(&mut self.logs, log);
            peers_keys(&mut self.witnesses, peer.witness());
            peers_keys(&mut self.mirrors, peer.mirror());
            peers_keys(&mut self.mirrors, peer.audit());
        }
    }

    /// Adds logs from lists. Whatever else has keys of a log goes before a list.
    pub fn listed(&mut self, logs: &[LogVerifier]) {
        for log in logs {
            let keys = self.logs.entry(log.origin().to_owned());
            keys.or_insert_with(|| log.keys().to_vec());
        }
    }

    /// All of them. Fails with [`KnownError`].
    pub fn keys(&self) -> Result<KnownKeys, KnownError> {
        let mut known = KnownKeys::default();
        for (origin, keys) in self.logs.clone() {
            match LogVerifier::new(&origin, keys) {
                Ok(log) => known.logs.push(log),
                Err(source) => return Err(KnownError::Log { origin, source }),
            }
        }
        for (name, keys) in self.witnesses.clone() {
            match CosignerVerifier::new(keys) {
                Ok(witness) => known.witnesses.push(witness),
                Err(source) => return Err(KnownError::Witness { name, source }),
            }
        }
        for (name, keys) in self.mirrors.clone() {
            match CosignerVerifier::new(keys) {
                Ok(mirror) => known.mirrors.push(mirror),
                Err(source) => return Err(KnownError::Witness { name, source }),
            }
        }
        Ok(known)
    }
}

/// Adds the keys of one name, unless there are keys of that name.
fn peers_keys(all: &mut BTreeMap<String, Vec<VerifierKey>>, keys: &[VerifierKey]) {
    let Some(name) = keys.first().map(VerifierKey::name) else {
        return;
    };
    match all.get(name) {
        None => _ = all.insert(name.to_owned(), keys.to_vec()),
        Some(configured) if keys.iter().all(|key| configured.contains(key)) => {}
        Some(_) => tracing::warn!(
            name,
            "a peer has other keys of this name than the configuration, whose keys hold when \
             misbehavior is verified"
        ),
    }
}

fn add(keys: &mut Vec<VerifierKey>, key: &VerifierKey) {
    if !keys.contains(key) {
        keys.push(key.clone());
    }
}

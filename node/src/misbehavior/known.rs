//! Whose keys a node has: only with these is misbehavior verified.

use crate::config::MirrorConfig;
use crate::peers::{KnownPeer, Role};
use crate::witness::config::WitnessConfig;
use assay_claims::misbehavior::{AssayKeys, KnownKeys};
use assay_tlog::cosigner::{CosignerVerifier, CosignerVerifierError};
use assay_tlog::head::{LogVerifier, LogVerifierError};
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::{self, TlogPolicy};
use std::collections::{BTreeMap, BTreeSet};

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
    /// The logs that are Assay logs for sure. Those that are cosigned or copied may hold anything.
    assay: BTreeSet<String>,
    /// The mirrors that say what they replayed.
    auditors: BTreeSet<String>,
}

impl Known {
    /// Adds a key of this node's own log.
    pub fn own_log(&mut self, key: &VerifierKey) {
        self.assay.insert(key.name().to_owned());
        self.log(key);
    }

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
            let is_own = peers_keys(&mut self.logs, log);
            // Only nodes of Assay exchange heads, and the log of such a node is an Assay log.
            if let (true, Some(key)) = (is_own && peer.has(Role::Gossip), log.first()) {
                self.assay.insert(key.name().to_owned());
            }
            peers_keys(&mut self.witnesses, peer.witness());
            peers_keys(&mut self.mirrors, peer.mirror());
            let is_own = peers_keys(&mut self.mirrors, peer.audit());
            if let (true, Some(key)) = (is_own, peer.audit().first()) {
                self.auditors.insert(key.name().to_owned());
            }
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
        known.witnesses = cosigners(self.witnesses.iter())?;
        known.mirrors = cosigners(self.mirrors.iter())?;
        Ok(known)
    }

    /// Who is held to the rules of Assay: this node's own log, those of the nodes with which it
    /// exchanges heads, those of `audited`, and whoever is named as an auditor. Fails with
    /// [`KnownError`].
    pub fn assay(&self, audited: &BTreeSet<String>) -> Result<AssayKeys, KnownError> {
        let mut assay = AssayKeys::default();
        for (origin, keys) in &self.logs {
            if !self.assay.contains(origin) && !audited.contains(origin) {
                continue;
            }
            let log = LogVerifier::new(origin, keys.clone());
            let origin = origin.clone();
            assay
                .logs
                .push(log.map_err(|source| KnownError::Log { origin, source })?);
        }
        let of_policy = self.witnesses.iter();
        let of_policy =
            of_policy.filter(|(name, _)| tlog_policy::Role::of(name) == tlog_policy::Role::Audit);
        let of_peers = self.mirrors.iter();
        let of_peers = of_peers.filter(|(name, _)| self.auditors.contains(*name));
        assay.auditors = cosigners(of_peers.chain(of_policy))?;
        Ok(assay)
    }
}

fn cosigners<'k>(
    keys: impl Iterator<Item = (&'k String, &'k Vec<VerifierKey>)>,
) -> Result<Vec<CosignerVerifier>, KnownError> {
    let verifiers = keys.map(|(name, keys)| {
        let name = name.clone();
        let verifier = CosignerVerifier::new(keys.clone());
        verifier.map_err(|source| KnownError::Witness { name, source })
    });
    verifiers.collect()
}

/// Adds the keys of one name, unless there are keys of that name. Returns whether they count.
fn peers_keys(all: &mut BTreeMap<String, Vec<VerifierKey>>, keys: &[VerifierKey]) -> bool {
    let Some(name) = keys.first().map(VerifierKey::name) else {
        return false;
    };
    match all.get(name) {
        None => _ = all.insert(name.to_owned(), keys.to_vec()),
        Some(configured) if keys.iter().all(|key| configured.contains(key)) => {}
        Some(_) => {
            tracing::warn!(
                name,
                "a peer has other keys of this name than the configuration, whose keys hold when \
                 misbehavior is verified"
            );
            return false;
        }
    }
    true
}

fn add(keys: &mut Vec<VerifierKey>, key: &VerifierKey) {
    if !keys.contains(key) {
        keys.push(key.clone());
    }
}

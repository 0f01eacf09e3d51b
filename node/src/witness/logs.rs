//! Which logs a witness cosigns: those of its configuration, those of the node's peers, which come
//! and go while it runs, and those that were taken from lists, which only grow.
//!
//! What is held of a log is read once and kept until the process ends, whoever names the log and by
//! which keys. Two memories of one log could cosign two histories.

use super::config::{Identity, LogEntry};
use super::known::{Held, KnownLog};
use super::listed::Listed;
use super::service::Witness;
use super::store::StoredError;
use crate::peers::{KnownPeer, Peers, Role};
use arc_swap::ArcSwap;
use assay_tlog::Hash;
use assay_tlog::head::LogVerifier;
use assay_tlog::witness::{WitnessKeys, WitnessKeysError, WitnessedLog};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Reads what is stored of a log.
pub type ReadHeld = Box<dyn Fn(&LogVerifier) -> Result<Held, StoredError> + Send + Sync>;

/// Why a log cannot be cosigned.
#[derive(Debug, thiserror::Error)]
pub enum UnusableLog {
    /// Its keys, or its name.
    #[error("{0}")]
    Keys(String),
    /// It is this witness.
    #[error(transparent)]
    Itself(#[from] WitnessKeysError),
    /// What is stored of it cannot be read.
    #[error(transparent)]
    Stored(#[from] StoredError),
}

/// The logs of a witness.
pub struct Logs {
    keys: WitnessKeys,
    identity: Identity,
    read: ReadHeld,
    held: Mutex<HashMap<String, Arc<Held>>>,
    configured: Vec<Arc<KnownLog>>,
    listed: Mutex<Listed>,
    now: ArcSwap<ByName>,
}

/// The logs of now.
#[derive(Default)]
struct ByName {
    by_origin: HashMap<String, Arc<KnownLog>>,
    /// By the SHA-256 of their origins, in lower-case hex, as monitors ask.
    by_digest: HashMap<String, Arc<KnownLog>>,
}

impl ByName {
    fn new(logs: impl Iterator<Item = Arc<KnownLog>>) -> Self {
        let mut all = ByName::default();
        for log in logs {
            let origin = log.log.verifier().origin();
            let digest = Hash::of(origin.as_bytes()).to_string();
            all.by_digest.insert(digest, log.clone());
            all.by_origin.insert(origin.to_owned(), log.clone());
        }
        all
    }
}

impl Logs {
    /// No logs yet. `read` is asked once for each origin.
    pub fn new(keys: WitnessKeys, identity: Identity, read: ReadHeld) -> Self {
        Logs {
            keys,
            identity,
            read,
            held: Mutex::default(),
            configured: Vec::new(),
            listed: Mutex::default(),
            now: ArcSwap::default(),
        }
    }

    /// Adds a log of the configuration.
    pub fn configure(&mut self, entry: &LogEntry) -> Result<(), UnusableLog> {
        let verifier = entry.verifier().map_err(UnusableLog::Keys)?;
        let hourly = entry.requests_per_hour;
        self.configured.push(self.known(&verifier, hourly)?);
        let all = ByName::new(self.configured.iter().cloned());
        self.now.store(Arc::new(all));
        Ok(())
    }

    /// Takes the logs that were taken from lists. They are cosigned once the peers are followed.
    pub fn take_listed(&mut self, listed: Listed) {
        self.listed = Mutex::new(listed);
    }

    /// What was taken from lists.
    pub fn listed(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The logs that are cosigned and were not taken from lists, by what the configuration and the
    /// peers say.
    pub fn chosen(&self, peers: &[KnownPeer]) -> Vec<LogVerifier> {
        let configured = self.configured.iter().map(|log| log.log.verifier());
        let of_peers = peers.iter().filter_map(KnownPeer::log);
        configured.chain(of_peers).cloned().collect()
    }

    /// Cosigns the logs of these peers and of lists from now on, beside those of the configuration,
    /// and no other peer's. What cannot be cosigned is reported and left out, and so is what is new
    /// unless `may_add`.
    pub fn follow(&self, peers: &[KnownPeer], may_add: bool) {
        let before = self.now.load_full();
        let mut logs: Vec<Arc<KnownLog>> = self.configured.clone();
        for peer in peers.iter().filter(|peer| peer.has(Role::Witness)) {
            let Some(verifier) = peer.log() else { continue };
            let origin = verifier.origin();
            if let Some(own) = self.configured.iter().find(|it| it.origin() == origin) {
                if own.log.verifier() != verifier {
                    tracing::warn!(
                        peer = peer.name(),
                        origin,
                        "the witness's configuration has other keys of this log, which hold"
                    );
                }
                continue;
            }
            let same = before.by_origin.get(origin);
            if let Some(known) = same.filter(|known| known.log.verifier() == verifier) {
                logs.push(known.clone());
                continue;
            }
            if !may_add {
                tracing::error!(peer = peer.name(), origin, "this log is not cosigned yet");
                continue;
            }
            match self.known(verifier, None) {
                Ok(known) => logs.push(known),
                Err(error) => tracing::error!(
                    peer = peer.name(),
                    origin,
                    %error,
                    "this log is not cosigned"
                ),
            }
        }
        self.add_listed(&mut logs, &before, may_add);
        self.now.store(Arc::new(ByName::new(logs.into_iter())));
    }

    /// Adds the logs of lists that nothing else has: configuration and peers go before lists.
    fn add_listed(&self, logs: &mut Vec<Arc<KnownLog>>, before: &ByName, may_add: bool) {
        let chosen: HashSet<String> = logs.iter().map(|log| log.origin().to_owned()).collect();
        for (entry, verifier) in self.listed().logs() {
            if chosen.contains(verifier.origin()) {
                continue;
            }
            let same = before.by_origin.get(verifier.origin());
            if let Some(known) = same.filter(|known| known.log.verifier() == verifier) {
                logs.push(known.clone());
                continue;
            }
            // A list cannot have this witness do more than its own configuration allows.
            let most = self.identity.requests_per_hour;
            let hourly = if most == 0 {
                entry.hourly()
            } else {
                entry.hourly().min(most)
            };
            let known = may_add.then(|| self.known(verifier, Some(hourly)));
            match known {
                Some(Ok(known)) => logs.push(known),
                Some(Err(error)) => {
                    let origin = verifier.origin();
                    tracing::error!(origin, %error, "this log of a list is not cosigned");
                }
                None => {}
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.now.load().by_origin.len()
    }

    /// The log of an origin.
    pub fn of(&self, origin: &str) -> Option<Arc<KnownLog>> {
        self.now.load().by_origin.get(origin).cloned()
    }

    /// All of them, in any order.
    pub fn all(&self) -> Vec<Arc<KnownLog>> {
        self.now.load().by_origin.values().cloned().collect()
    }

    /// The log whose origin has this SHA-256, in lower-case hex.
    pub fn by_digest(&self, digest: &str) -> Option<Arc<KnownLog>> {
        self.now.load().by_digest.get(digest).cloned()
    }

    fn known(
        &self,
        verifier: &LogVerifier,
        hourly: Option<u32>,
    ) -> Result<Arc<KnownLog>, UnusableLog> {
        let log = WitnessedLog::new(verifier.clone(), &self.keys)?;
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = match all.entry(verifier.origin().to_owned()) {
            Entry::Occupied(held) => held.get().clone(),
            Entry::Vacant(place) => place.insert(Arc::new((self.read)(verifier)?)).clone(),
        };
        Ok(Arc::new(KnownLog::new(log, held, hourly, &self.identity)))
    }
}

/// Cosigns the logs of the peers, and convicts with their keys: those of now before this returns,
/// and whoever they are later.
pub fn follow(witness: &Arc<Witness>, peers: Peers) {
    let witness = Arc::downgrade(witness);
    // What is stored of new logs is read.
    peers.follow(move |peers| {
        witness.upgrade()?.take_peers(peers);
        Some(())
    });
}

//! Whether what a file says of peers can be meant.

use super::{KnownPeer, PEERS, Peer, Role};
use assay_client::wrong_port;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::{KeyError, VerifierKey};
use std::collections::{HashMap, HashSet};

/// Longest name of a peer, in bytes.
const NAME_BYTES: usize = 128;

/// Longest address of a peer, in bytes.
const URL_BYTES: usize = 512;

/// Most keys of one kind of one peer.
const KEYS: usize = 8;

/// What is wrong with a peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// There are too many.
    #[error("there are more than {PEERS} peers")]
    TooMany,
    /// The name cannot be one.
    #[error(
        "the name {0:?} is empty, longer than {NAME_BYTES} bytes, or has other characters than \
         letters, digits and -._:/"
    )]
    Name(String),
    /// Two peers have one name.
    #[error("{0} stands there twice; `assay-node peer remove {0}` takes the old one out")]
    SameName(String),
    /// The address cannot be one.
    #[error(
        "the url of {name} has to be like https://{name}, without a user, a query or a fragment, \
         and with a port from 1 to 65535 or none; it is {url:?}"
    )]
    Url {
        /// Whose.
        name: String,
        /// The address.
        url: String,
    },
    /// A key is none, or of another kind.
    #[error("{kind} of {name}: {key:?}: {reason}")]
    Key {
        /// Whose.
        name: String,
        /// Which list of keys.
        kind: &'static str,
        /// The key.
        key: String,
        /// Why not.
        reason: KeyError,
    },
    /// A key for logs where a witness's belongs.
    #[error("{kind} of {name}: {key:?} is the key of a log, of type 0x01")]
    OfLog {
        /// Whose.
        name: String,
        /// Which list of keys.
        kind: &'static str,
        /// The key.
        key: String,
    },
    /// The keys of one list have several names, or there are too many.
    #[error("{kind} of {name}: at most {KEYS} keys, which all have one name")]
    Keys {
        /// Whose.
        name: String,
        /// Which list of keys.
        kind: &'static str,
    },
    /// One key stands there twice.
    #[error("{kind} of {name}: the key {key:?} stands elsewhere, too; each needs a key of its own")]
    SameKey {
        /// Whose.
        name: String,
        /// Which list of keys.
        kind: &'static str,
        /// The key.
        key: String,
    },
    /// Two peers have one log.
    #[error("{name}: the log {origin} is also that of {other}")]
    SameLog {
        /// Whose.
        name: String,
        /// The log.
        origin: String,
        /// Who has it, too.
        other: String,
    },
    /// The log's keys are not those of a log.
    #[error("log of {name}: {reason}")]
    Log {
        /// Whose.
        name: String,
        /// Why not.
        reason: String,
    },
    /// Two lists of keys have one name.
    #[error("{kind} of {name}: keys with the name {cosigner} stand elsewhere, too")]
    SameCosigner {
        /// Whose.
        name: String,
        /// Which list of keys.
        kind: &'static str,
        /// Their name.
        cosigner: String,
    },
    /// The keys of one list cannot be used together.
    #[error("{kind} of {name}: {reason}")]
    Cosigner {
        /// Whose.
        name: String,
        /// Which list of keys.
        kind: &'static str,
        /// Why not.
        reason: String,
    },
    /// Something is to be done with a log that is not there.
    #[error("{0} has no log to be witnessed or mirrored: give its keys, or other roles")]
    NoLog(String),
}

/// Checks all peers together.
pub(super) fn check(peers: Vec<Peer>) -> Result<Vec<KnownPeer>, PeerFault> {
    if peers.len() > PEERS {
        return Err(PeerFault::TooMany);
    }
    let mut seen = Seen::default();
    peers.into_iter().map(|peer| seen.check(peer)).collect()
}

/// What the peers before this one have.
#[derive(Default)]
struct Seen {
    names: HashSet<String>,
    logs: HashMap<String, String>,
    keys: HashSet<Vec<u8>>,
    cosigners: HashSet<String>,
}

impl Seen {
    fn check(&mut self, peer: Peer) -> Result<KnownPeer, PeerFault> {
        let name = peer.name.clone();
        if !is_name(&name) {
            return Err(PeerFault::Name(name));
        }
        if !self.names.insert(name.clone()) {
            return Err(PeerFault::SameName(name));
        }
        if !is_base(&peer.url) {
            let url = peer.url;
            return Err(PeerFault::Url { name, url });
        }
        let log = self.log(&peer)?;
        if log.is_none() && names_log(peer.roles.as_deref()) {
            return Err(PeerFault::NoLog(name));
        }
        Ok(KnownPeer {
            log,
            witness: self.cosigner(&peer, "witness", &peer.witness)?,
            mirror: self.cosigner(&peer, "mirror", &peer.mirror)?,
            audit: self.cosigner(&peer, "auditor", &peer.audit)?,
            peer,
        })
    }

    fn log(&mut self, peer: &Peer) -> Result<Option<LogVerifier>, PeerFault> {
        let keys = self.keys(peer, "log", &peer.log, VerifierKey::parse_log)?;
        let Some(origin) = keys.first().map(|key| key.name().to_owned()) else {
            return Ok(None);
        };
        let name = peer.name.clone();
        if let Some(other) = self.logs.insert(origin.clone(), name.clone()) {
            return Err(PeerFault::SameLog {
                name,
                origin,
                other,
            });
        }
        match LogVerifier::new(&origin, keys) {
            Ok(log) => Ok(Some(log)),
            Err(error) => Err(PeerFault::Log {
                name,
                reason: error.to_string(),
            }),
        }
    }

    fn cosigner(
        &mut self,
        peer: &Peer,
        kind: &'static str,
        texts: &[String],
    ) -> Result<Vec<VerifierKey>, PeerFault> {
        let keys = self.keys(peer, kind, texts, VerifierKey::parse)?;
        for (key, text) in keys.iter().zip(texts) {
            if key.algorithm() == assay_tlog::note::Algorithm::Ed25519 {
                return Err(PeerFault::OfLog {
                    name: peer.name.clone(),
                    kind,
                    key: short(text),
                });
            }
        }
        let Some(first) = keys.first() else {
            return Ok(keys);
        };
        // Whoever has a name of somebody else's could be convicted in their place.
        if !self.cosigners.insert(first.name().to_owned()) {
            return Err(PeerFault::SameCosigner {
                name: peer.name.clone(),
                kind,
                cosigner: first.name().to_owned(),
            });
        }
        match CosignerVerifier::new(keys.clone()) {
            Ok(_) => Ok(keys),
            Err(error) => Err(PeerFault::Cosigner {
                name: peer.name.clone(),
                kind,
                reason: error.to_string(),
            }),
        }
    }

    /// The keys of one list: of one name, and each in this place only.
    fn keys(
        &mut self,
        peer: &Peer,
        kind: &'static str,
        texts: &[String],
        parse: fn(&str) -> Result<VerifierKey, KeyError>,
    ) -> Result<Vec<VerifierKey>, PeerFault> {
        let name = || peer.name.clone();
        let mut keys: Vec<VerifierKey> = Vec::new();
        for text in texts {
            let key = parse(text).map_err(|reason| PeerFault::Key {
                name: name(),
                kind,
                key: short(text),
                reason,
            })?;
            if keys.len() == KEYS || keys.iter().any(|other| other.name() != key.name()) {
                return Err(PeerFault::Keys { name: name(), kind });
            }
            // By the key itself: another name does not make it another one.
            if !self.keys.insert(key.public_key().to_vec()) {
                return Err(PeerFault::SameKey {
                    name: name(),
                    kind,
                    key: short(text),
                });
            }
            keys.push(key);
        }
        Ok(keys)
    }
}

fn names_log(roles: Option<&[Role]>) -> bool {
    roles.is_some_and(|roles| roles.iter().any(|role| *role != Role::Gossip))
}

/// A key as it stands in errors: one of ML-DSA-44 has 1,800 characters.
fn short(key: &str) -> String {
    match key.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}

/// Whether a text can be a peer's name.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
    (1..=NAME_BYTES).contains(&text.len()) && text.chars().all(fits)
}

/// Whether a text is the address of a server, to which paths can be added.
pub(crate) fn is_base(url: &str) -> bool {
    let Ok(parsed) = reqwest::Url::parse(url) else {
        return false;
    };
    url.len() <= URL_BYTES
        && matches!(parsed.scheme(), "http" | "https")
        && parsed.has_host()
        && parsed.username().is_empty()
        && parsed.password().is_none()
        && parsed.query().is_none()
        && parsed.fragment().is_none()
        && wrong_port(url).is_none()
}

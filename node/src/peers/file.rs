//! The file of the peers, and the right to change it.

use super::check::{PeerFault, check};
use super::{FILE_BYTES, Followers, KnownPeer, Peer, PeerTables, Peers, Role};
use crate::{
    files,
    storage::{StorageError, disk::Lock},
};
use assay_tlog::note::{VerifierKey, refuse_private_key};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// What stands above the peers in the file.
const HEADER: &str = "\
# Peers of this node. `assay-node peer` adds and removes them, and writes this file again. While no
# node runs it can be changed by hand, too.
";

/// Why peers cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum PeersError {
    /// A file cannot be read or written.
    #[error("cannot {doing} {path}", path = path.display())]
    Io {
        /// Read or write.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The text is not one of peers.
    #[error("{whose} does not describe peers: {reason}")]
    Malformed {
        /// A file, or what came.
        whose: String,
        /// Where and why.
        reason: String,
    },
    /// A peer in it cannot be meant.
    #[error("{whose}: {fault}")]
    Fault {
        /// A file, or what came.
        whose: String,
        /// Which, and why.
        fault: PeerFault,
    },
    /// It is this node itself.
    #[error("{0} is this node's own log")]
    Own(String),
    /// There is no such peer.
    #[error("there is no peer {0:?}; `assay-node peer list` shows them")]
    Unknown(String),
    /// Another log than it had.
    #[error(
        "{0} has another log than before; if that is meant, `assay-node peer remove {0}` and add \
         it again"
    )]
    OtherLog(String),
    /// The admin socket cannot be made.
    #[error(
        "cannot listen on {path}; federation.admin_socket in the configuration sets it, and a path \
         of at most 107 bytes can be one",
        path = path.display()
    )]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else may change the file.
    #[error(
        "another node or command has the peers in {path}; a node needs its own: federation.peers \
         and federation.admin_socket in the configuration set them",
        path = .0.display()
    )]
    Taken(PathBuf),
    /// The right to change the file cannot be taken.
    #[error(transparent)]
    Lock(#[from] StorageError),
}

/// The file, for whoever may change it: nobody else can meanwhile.
#[derive(Debug)]
pub struct PeerFile {
    path: PathBuf,
    /// The node's own log, which is no peer.
    origin: Option<String>,
    peers: watch::Sender<Arc<[KnownPeer]>>,
    followers: Arc<Followers>,
    _lock: Lock,
}

impl PeerFile {
    /// Takes the right to change the file, which need not be there, and reads it.
    ///
    /// Fails with [`PeersError::Taken`] if a node or another command has it.
    pub fn open(path: &Path, origin: Option<&str>) -> Result<Self, PeersError> {
        let lock = match Lock::take(&path.with_extension("lock")) {
            Ok(lock) => lock,
            Err(StorageError::Locked(_)) => return Err(PeersError::Taken(path.to_owned())),
            Err(error) => return Err(error.into()),
        };
        let peers = read(path)?;
        refuse_own(&peers, origin)?;
        Ok(PeerFile {
            path: path.to_owned(),
            origin: origin.map(str::to_owned),
            peers: watch::Sender::new(peers.into()),
            followers: Arc::default(),
            _lock: lock,
        })
    }

    /// What a node has of it.
    pub fn peers(&self) -> Peers {
        Peers {
            now: self.peers.subscribe(),
            followers: self.followers.clone(),
        }
    }

    /// Adds what a text describes, all of it or nothing, durably, and returns the names.
    pub fn add(&mut self, text: &str) -> Result<Vec<String>, PeersError> {
        let whose = "what was given";
        let new = tables(text, whose)?;
        if new.is_empty() {
            return Err(PeersError::Malformed {
                whose: whose.to_owned(),
                reason: "it has no [[peer]]".into(),
            });
        }
        let names: Vec<String> = new.iter().map(|peer| peer.name.clone()).collect();
        let mut all = self.as_written();
        all.extend(new);
        self.set(all, whose)?;
        Ok(names)
    }

    /// Replaces what stands of peers by what a text describes, all of it or nothing, durably, and
    /// returns the names. A peer keeps its roles, unless the text says others, and its log: another
    /// origin is another peer's. Fails if there is no such peer.
    pub fn update(&mut self, text: &str) -> Result<Vec<String>, PeersError> {
        let whose = "what was given";
        let mut all = self.as_written();
        let mut names = Vec::new();
        for mut new in tables(text, whose)? {
            let Some(old) = all.iter_mut().find(|old| old.name == new.name) else {
                return Err(PeersError::Unknown(new.name));
            };
            let origins = [&*old, &new].map(|peer| peer.log.first().and_then(|key| origin(key)));
            if origins[0] != origins[1] {
                return Err(PeersError::OtherLog(new.name));
            }
            names.push(new.name.clone());
            new.roles = new.roles.or(old.roles.take());
            *old = new;
        }
        self.set(all, whose)?;
        Ok(names)
    }

    /// Removes a peer, durably. Fails if there is none of that name.
    pub fn remove(&mut self, name: &str) -> Result<(), PeersError> {
        let mut rest = self.as_written();
        let before = rest.len();
        rest.retain(|peer| peer.name != name);
        if rest.len() == before {
            return Err(PeersError::Unknown(name.to_owned()));
        }
        self.set(rest, "what is left")
    }

    fn as_written(&self) -> Vec<Peer> {
        let peers = self.peers.borrow();
        peers.iter().map(|known| known.peer().clone()).collect()
    }

    fn set(&mut self, peers: Vec<Peer>, whose: &str) -> Result<(), PeersError> {
        let known = checked(peers, whose)?;
        refuse_own(&known, self.origin.as_deref())?;
        self.write(&known)?;
        let known: Arc<[KnownPeer]> = known.into();
        self.peers.send_replace(known.clone());
        self.followers.tell(&known);
        Ok(())
    }

    /// Writes the file, whole or not at all. It is durable on return.
    fn write(&self, peers: &[KnownPeer]) -> Result<(), PeersError> {
        let text = HEADER.to_owned() + &to_text(peers.iter().map(KnownPeer::peer));
        files::replace_durably(&self.path, text.as_bytes()).map_err(|source| PeersError::Io {
            doing: "write",
            path: self.path.clone(),
            source,
        })
    }
}

/// The origin of a log, by a key of it.
fn origin(key: &str) -> Option<String> {
    let key = VerifierKey::parse_log(key).ok()?;
    Some(key.name().to_owned())
}

/// Peers as text: what [`PeerFile::add`] takes.
pub fn to_text<'a>(peers: impl Iterator<Item = &'a Peer>) -> String {
    let mut text = String::new();
    for peer in peers {
        let tables = PeerTables {
            peer: vec![peer.clone()],
        };
        // A struct of texts can be written as TOML.
        let table = toml::to_string_pretty(&tables).unwrap_or_default();
        text.push('\n');
        text.push_str(&table);
    }
    text
}

/// The same peers, with their logs to be copied, too.
pub fn mirrored(text: &str) -> Result<String, PeersError> {
    let mut peers = tables(text, "what was given")?;
    for peer in &mut peers {
        if !peer.log.is_empty() {
            peer.roles = Some(vec![Role::Witness, Role::Mirror, Role::Gossip]);
        }
    }
    Ok(to_text(peers.iter()))
}

/// Reads the peers of a file. None if there is no file.
pub fn read(path: &Path) -> Result<Vec<KnownPeer>, PeersError> {
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(PeersError::Io {
                doing: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    let whose = path.display().to_string();
    parse(&text, &whose)
}

/// Reads peers from a text, and checks them among themselves.
pub fn parse(text: &str, whose: &str) -> Result<Vec<KnownPeer>, PeersError> {
    checked(tables(text, whose)?, whose)
}

fn tables(text: &str, whose: &str) -> Result<Vec<Peer>, PeersError> {
    let malformed = |reason: String| PeersError::Malformed {
        whose: whose.to_owned(),
        reason,
    };
    if text.len() > FILE_BYTES {
        return Err(malformed(format!("it has more than {FILE_BYTES} bytes")));
    }
    refuse_private_key(text).map_err(|held| malformed(held.to_string()))?;
    let tables: PeerTables = toml::from_str(text).map_err(|e| malformed(e.to_string()))?;
    Ok(tables.peer)
}

fn checked(peers: Vec<Peer>, whose: &str) -> Result<Vec<KnownPeer>, PeersError> {
    check(peers).map_err(|fault| PeersError::Fault {
        whose: whose.to_owned(),
        fault,
    })
}

fn refuse_own(peers: &[KnownPeer], origin: Option<&str>) -> Result<(), PeersError> {
    let mut logs = peers.iter().filter_map(KnownPeer::log);
    match logs.find(|log| Some(log.origin()) == origin) {
        Some(log) => Err(PeersError::Own(log.origin().to_owned())),
        None => Ok(()),
    }
}

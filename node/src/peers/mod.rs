//! The peers of a node: other logs and witnesses, where they are, by which keys they are known, and
//! what this node does for them.
//!
//! They stand in a file of their own, which `assay-node peer` changes: on the disk if no node runs,
//! else through the running node, over its admin socket. A node takes what changed at once.
//!
//! [`Peers`] is what a node has of them. [`PeerFile`] is the file, and the right to change it.

mod check;
pub mod file;
pub mod page;
pub mod policy;
pub mod socket;
pub mod status;

pub use check::PeerFault;
pub(crate) use check::is_base;
pub use file::{PeerFile, PeersError};

use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Most peers of a node.
pub const PEERS: usize = 1000;

/// Longest file of peers, in bytes.
pub const FILE_BYTES: usize = 4 << 20;

/// What a node does for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Its log is cosigned by this node's witness.
    Witness,
    /// Its log is copied here.
    Mirror,
    /// Heads of logs are exchanged with it.
    Gossip,
}

/// A peer, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// What people call it.
    pub name: String,
    /// Its public address, for gRPC and HTTP.
    pub url: String,
    /// The keys of its log, if it has one. Several while it rotates them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// The keys of its witness, if it is one: those of one name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witness: Vec<String>,
    /// The keys of its mirror, as of its witness.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirror: Vec<String>,
    /// The keys with which it says that it replayed a log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audit: Vec<String>,
    /// What this node does for it. Left out: all but copying its log, which takes room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
}

/// The file, as text.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerTables {
    /// Each peer.
    #[serde(default)]
    pub peer: Vec<Peer>,
}

/// A peer whose keys and address were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPeer {
    peer: Peer,
    log: Option<LogVerifier>,
    witness: Vec<VerifierKey>,
    mirror: Vec<VerifierKey>,
    audit: Vec<VerifierKey>,
}

impl KnownPeer {
    /// The peer as it stands in the file.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.peer.name
    }

    /// Its public address, without a slash at its end.
    pub fn url(&self) -> &str {
        self.peer.url.trim_end_matches('/')
    }

    /// Its log, if it has one.
    pub fn log(&self) -> Option<&LogVerifier> {
        self.log.as_ref()
    }

    /// The keys of its witness, of one name.
    pub fn witness(&self) -> &[VerifierKey] {
        &self.witness
    }

    /// The keys of its mirror, of one name.
    pub fn mirror(&self) -> &[VerifierKey] {
        &self.mirror
    }

    /// The keys of its auditor, of one name.
    pub fn audit(&self) -> &[VerifierKey] {
        &self.audit
    }

    /// Whether this node does that for it.
    pub fn has(&self, role: Role) -> bool {
        match &self.peer.roles {
            Some(roles) => roles.contains(&role),
            None => match role {
                Role::Gossip => true,
                Role::Witness => self.log.is_some(),
                Role::Mirror => false,
            },
        }
    }
}

/// What is called when the peers change. It may block, and goes when it returns `None`.
type Follower = Box<dyn Fn(&[KnownPeer]) -> Option<()> + Send>;

/// Who is told of a change before it is called done.
#[derive(Default)]
struct Followers(Mutex<Vec<Follower>>);

impl fmt::Debug for Followers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Followers")
    }
}

impl Followers {
    fn lock(&self) -> MutexGuard<'_, Vec<Follower>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody, one after the other.
    fn tell(&self, peers: &[KnownPeer]) {
        self.lock().retain(|follower| follower(peers).is_some());
    }
}

/// The peers of a running node. Clones share them.
#[derive(Debug, Clone)]
pub struct Peers {
    now: watch::Receiver<Arc<[KnownPeer]>>,
    followers: Arc<Followers>,
}

impl Peers {
    /// Those of now.
    pub fn now(&self) -> Arc<[KnownPeer]> {
        self.now.borrow().clone()
    }

    /// Calls `take` with those of now before this returns, and again whenever they change, until it
    /// returns `None`. It may block. A command that changes the peers ends after that.
    pub fn follow(&self, take: impl Fn(&[KnownPeer]) -> Option<()> + Send + 'static) {
        let mut followers = self.followers.lock();
        if take(&self.now()).is_some() {
            followers.push(Box::new(take));
        }
    }

    /// Waits until they change. `None` if they never will any more. Safe to be cancelled.
    pub async fn changed(&mut self) -> Option<Arc<[KnownPeer]>> {
        self.now.changed().await.ok()?;
        Some(self.now.borrow_and_update().clone())
    }
}

#[cfg(test)]
mod tests;

//! Which logs are gossiped about, and where they, their mirrors and the peers are.

use crate::config::MirrorConfig;
use crate::peers::{KnownPeer, Role};
use std::collections::BTreeMap;

/// Somebody who can be asked over the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What people call it.
    pub name: String,
    /// Its public address, without a slash at its end.
    pub url: String,
}

/// Where everybody is.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Where logs publish their tiles, by origin.
    pub logs: BTreeMap<String, String>,
    /// Peers that are mirrors.
    pub mirrors: Vec<Place>,
    /// Peers to exchange heads with.
    pub gossips: Vec<Place>,
}

impl Places {
    /// The logs of a mirror's configuration.
    pub fn configured(mirror: Option<&MirrorConfig>) -> Self {
        let logs = mirror.into_iter().flat_map(|mirror| &mirror.log);
        let logs = logs.map(|log| (log.origin.clone(), log.url.clone()));
        Places {
            logs: logs.collect(),
            ..Places::default()
        }
    }

    /// The same, with these peers. A log is where its operator, who is the peer, says.
    pub fn with(&self, peers: &[KnownPeer]) -> Self {
        let mut places = self.clone();
        for peer in peers {
            let place = Place {
                name: peer.name().to_owned(),
                url: peer.url().to_owned(),
            };
            if let Some(log) = peer.log() {
                let origin = log.origin().to_owned();
                places.logs.insert(origin, place.url.clone());
            }
            if !peer.mirror().is_empty() {
                places.mirrors.push(place.clone());
            }
            if peer.has(Role::Gossip) {
                places.gossips.push(place);
            }
        }
        places
    }
}

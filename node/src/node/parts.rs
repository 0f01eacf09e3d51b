//! What a node is beside its log, and what is public of it.

use super::StartError;
use crate::{
    config::Config,
    gossip,
    misbehavior::Evidence,
    peers::{Peers, page::Part},
    rotation::{SharedLogKeys, socket::LogRotation},
    routes::{LogPage, Plain, routes},
    storage::Store,
    view::View,
    witness::run::Opened,
};
use assay_proto::federation_page::{LogPart, QuorumPart};
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

/// What a node is beside its log.
pub(super) struct Parts {
    pub keys: SharedLogKeys,
    pub quorum: Option<Part<QuorumPart>>,
    pub witness: Option<Opened>,
    pub evidence: Arc<Evidence>,
    /// How many connections there is room for.
    pub connections: usize,
}

impl Parts {
    /// The routes of plain HTTP and of the admin socket.
    pub fn routes<S: Store + 'static>(
        self,
        view: Arc<View<S>>,
        config: &Config,
        peers: &Peers,
        stop: &watch::Receiver<bool>,
    ) -> Result<Plain, StartError> {
        let own = LogPage {
            page: page(&view, &self.keys),
            quorum: self.quorum,
        };
        let rotation = rotation(&view, self.keys, config);
        let plain = routes(view, self.witness, config, &self.evidence, peers, own, stop);
        let mut plain = plain.map_err(Box::new)?;
        plain.rotations.log = Some(rotation);
        let rotations = std::mem::take(&mut plain.rotations);
        let standing = gossip::http::admin(plain.gossip.desk.clone());
        plain.admin = rotations.routes().merge(plain.admin).merge(standing);
        Ok(plain)
    }
}

/// How the log's key is rotated.
fn rotation<S: Store + 'static>(
    view: &Arc<View<S>>,
    keys: SharedLogKeys,
    config: &Config,
) -> LogRotation {
    let view = view.clone();
    LogRotation {
        file: config.log.rotated_file().map(Path::to_owned),
        keys,
        shown: Box::new(move || Some(view.published().ok()?.note().to_owned())),
    }
}

/// What is public of the log.
fn page<S: Store + 'static>(view: &Arc<View<S>>, keys: &SharedLogKeys) -> Part<LogPart> {
    let (view, keys) = (view.clone(), keys.clone());
    Arc::new(move || {
        let keys = keys.load();
        LogPart {
            origin: keys.origin().to_owned(),
            vkeys: keys.verifiers().iter().map(ToString::to_string).collect(),
            size: view.published().ok().map(|shown| shown.size().get()),
        }
    })
}

//! What is on a node's public port beside gRPC.

use crate::{
    api::tiles,
    config::Config,
    mirror::run::{self as mirror, MirrorStartError},
    misbehavior::{self, Evidence},
    peers::Peers,
    storage::Store,
    view::View,
    witness::{self, logs, run::Opened},
};
use axum::Router;
use std::{sync::Arc, thread::JoinHandle};
use tokio::sync::watch;

/// The witness of a node that is one.
pub struct OwnWitness {
    /// Its verifier keys.
    pub vkeys: Vec<String>,
    /// Its thread, which ends when nobody can ask it any more.
    pub writer: JoinHandle<()>,
}

/// What is on the public port beside gRPC.
pub struct Plain {
    /// All of it.
    pub router: Router,
    /// The node's own witness.
    pub witness: Option<OwnWitness>,
    /// The node's own mirror.
    pub mirror: Option<mirror::Opened>,
}

/// The routes of plain HTTP: the log's tiles, misbehavior, and the node's own witness and mirror,
/// which start to follow the peers.
pub fn routes<S: Store + 'static>(
    view: Arc<View<S>>,
    witness: Option<Opened>,
    config: &Config,
    evidence: &Arc<Evidence>,
    peers: &Peers,
    stop: &watch::Receiver<bool>,
) -> Result<Plain, MirrorStartError> {
    let mut router = tiles::router(view).merge(misbehavior::http::router(evidence.clone()));
    let mut own = None;
    if let Some(opened) = witness {
        own = Some(OwnWitness {
            vkeys: opened.vkeys,
            writer: opened.writer,
        });
        let witness = Arc::new(opened.witness);
        logs::follow(&witness, peers.clone());
        router = router.merge(witness::http::router(witness));
    } else {
        misbehavior::follow(evidence, peers.clone());
    }
    let beside = mirror::Beside {
        log: &config.log.origin,
        witness: own.as_ref().map_or(&[], |own| &own.vkeys),
        evidence: evidence.clone(),
        peers: peers.clone(),
        audit: config.audit.as_ref(),
    };
    let mirror = config.mirror.as_ref();
    let mirror = mirror.map(|mirror| mirror::open(mirror, beside, stop.clone()));
    let mirror = mirror.transpose()?;
    if let Some(opened) = &mirror {
        router = router.merge(opened.router.clone());
    }
    Ok(Plain {
        router,
        witness: own,
        mirror,
    })
}

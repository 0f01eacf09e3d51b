//! What is on a node's public port beside gRPC.

use crate::quota::{Reports, Senders};
use crate::{
    api::federation::submissions,
    api::tiles,
    audit,
    config::Config,
    gossip::{
        self,
        holding::{Holding, OwnLog, Witnessed},
        known::Places,
        rounds,
    },
    leaving::Leaving,
    mirror::run::{self as mirror, MirrorStartError},
    misbehavior::{self, Evidence},
    page::Federation,
    peers::{
        Peers,
        page::{self, Page, Part},
    },
    rotation::socket::Rotations,
    storage::Store,
    view::View,
    witness::{self, lists, run::Opened, service::Witness},
};
use assay_proto::federation_page::{LogPart, QuorumPart};
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
    /// What is public of the federation.
    pub page: Arc<Page>,
    /// Gossip with the peers.
    pub gossip: rounds::Running,
    /// How often one network may submit heads.
    pub submissions: Arc<Reports>,
    /// How the keys of witness and mirror are rotated.
    pub rotations: Rotations,
    /// What else is on the admin socket.
    pub admin: Router,
}

impl Plain {
    /// What its pages for people tell of the federation.
    pub fn federation(&self, evidence: &Arc<Evidence>) -> Federation {
        Federation {
            page: self.page.clone(),
            desk: self.gossip.desk.clone(),
            evidence: evidence.clone(),
        }
    }
}

/// What a node says of its own log.
pub struct LogPage {
    /// Its keys, its size.
    pub page: Part<LogPart>,
    /// Its witnesses.
    pub quorum: Option<Part<QuorumPart>>,
}

/// The routes of plain HTTP: the log's tiles, misbehavior, heads, what is public of the federation,
/// and the node's own witness and mirror. These and gossip start to follow the peers.
pub fn routes<S: Store + 'static>(
    view: Arc<View<S>>,
    witness: Option<Opened>,
    config: &Config,
    evidence: &Arc<Evidence>,
    peers: &Peers,
    log: LogPage,
    stop: &watch::Receiver<bool>,
) -> Result<Plain, MirrorStartError> {
    let own_log = OwnLog::new(view.clone(), &config.log.origin);
    let router = tiles::router(view).merge(misbehavior::http::router(evidence.clone()));
    let shared = &config.server.shared_addresses;
    let (senders, submissions) = (Senders::new(shared), submissions(shared));
    let mut made = Made::new(router, own_log, log, peers);
    let (mut own, mut witnessing) = (None, None);
    if let Some(opened) = witness {
        let (it, witness) = made.add_witness(opened, &senders, peers, stop);
        (own, witnessing) = (Some(it), Some(witness));
    } else {
        misbehavior::follow(evidence, peers.clone());
    }
    let beside = mirror::Beside {
        log: &config.log.origin,
        witness: own.as_ref().map_or(&[], |own| &own.vkeys),
        evidence: evidence.clone(),
        peers: peers.clone(),
        audit: config.audit.as_ref(),
        senders,
    };
    let mirror = match &config.mirror {
        None => None,
        Some(mirror) => Some(made.mirror(mirror::open(mirror, beside, stop.clone())?)),
    };
    let clearing = audit::clear::admin(evidence.clone(), copies_of(mirror.as_ref()));
    let gossip = rounds::start(rounds::Setup {
        evidence: evidence.clone(),
        holdings: made.holdings,
        places: Places::configured(config.mirror.as_ref()),
        config: &config.federation,
        peers,
        stop: stop.clone(),
    })?;
    if let Some(witness) = witnessing {
        witness.tell(gossip.desk.seen());
        witness.leaves(Leaving::new(stop, &config.server));
    }
    tell(mirror.as_ref(), &gossip);
    let page = Arc::new(made.page);
    let heads = gossip::http::router(gossip.desk.clone(), submissions.clone(), shared);
    Ok(Plain {
        router: made.router.merge(heads).merge(page::router(page.clone())),
        page,
        witness: own,
        mirror,
        gossip,
        submissions,
        rotations: made.rotations,
        admin: made.admin.merge(clearing),
    })
}

/// Lets gossip know what a mirror sees.
fn tell(mirror: Option<&mirror::Opened>, gossip: &rounds::Running) {
    if let Some(opened) = mirror {
        opened.seen.tell(gossip.desk.seen());
    }
}

/// The copies that are replayed, if any are.
fn copies_of(mirror: Option<&mirror::Opened>) -> audit::Copies {
    mirror.map(|it| it.copies.clone()).unwrap_or_default()
}

/// What is put together.
struct Made {
    router: Router,
    admin: Router,
    page: Page,
    holdings: Vec<Box<dyn Holding>>,
    rotations: Rotations,
}

impl Made {
    /// What there is of the log itself.
    fn new(
        router: Router,
        own_log: OwnLog<impl Store + 'static>,
        log: LogPage,
        peers: &Peers,
    ) -> Self {
        let page = Page {
            log: Some(log.page),
            witness: None,
            mirror: None,
            quorum: log.quorum,
            peers: peers.clone(),
        };
        Made {
            router,
            admin: Router::new(),
            page,
            holdings: vec![Box::new(own_log)],
            rotations: Rotations::default(),
        }
    }

    /// Adds the node's own witness, which starts to follow the peers.
    fn add_witness(
        &mut self,
        opened: Opened,
        senders: &Arc<Senders>,
        peers: &Peers,
        stop: &watch::Receiver<bool>,
    ) -> (OwnWitness, Arc<Witness>) {
        let own = OwnWitness {
            vkeys: opened.vkeys,
            writer: opened.writer,
        };
        let witness = Arc::new(opened.witness);
        self.rotations.witness = Some(opened.rotation);
        self.holdings.push(Box::new(Witnessed::new(&witness)));
        self.page.witness = Some(witness::service::part(witness.clone()));
        self.admin = lists::begin(&witness, opened.lists, peers, stop);
        self.merge(witness::http::router(witness.clone(), senders.clone()));
        (own, witness)
    }

    /// Adds the node's own mirror.
    fn mirror(&mut self, mut opened: mirror::Opened) -> mirror::Opened {
        self.rotations.mirror = opened.rotation.take();
        self.rotations.audit = opened.audit_rotation.take();
        self.page.mirror = Some(opened.page.clone());
        self.admin = std::mem::take(&mut self.admin).merge(page::admin(opened.page.clone()));
        self.holdings.extend(opened.held.take());
        self.merge(opened.router.clone());
        opened
    }

    fn merge(&mut self, more: Router) {
        self.router = std::mem::take(&mut self.router).merge(more);
    }
}

//! Opening a mirror, and following the logs that it copies: those of its configuration, and those
//! of the node's peers, which come and go.

use super::clock::{MirrorClock, now};
use super::copied::{Copied, Shared};
use super::follower::Follower;
use super::http;
use super::limits::{LogLimits, Memory};
use super::scrub::Scrubber;
use super::shelf::Shelf;
use super::site::{self, Site};
use super::store::{self, Rows};
use super::ticket::Tickets;
use crate::{
    audit::{self, Copies, keys::AuditKeysError, task::Audits},
    config::{AuditConfig, MirrorConfig},
    gossip::{
        holding::{self, Holding},
        seen::Seen,
    },
    misbehavior::Evidence,
    peers::{Peers, Role, page::Part},
    quota::Senders,
    rotation::socket::CosignerRotation,
    signer::{
        floor_file::{FloorFile, FloorFileError},
        floors::Floors,
        keys::{self, LoadKeysError},
        own::OwnError,
    },
    storage::{
        StorageError, Store, Tables,
        backend::{Job, Opening},
    },
};
use arc_swap::ArcSwap;
use assay_proto::federation_page::{CopyPart, CosignerPart};
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use assay_tlog::witness::{ClockFloor, WitnessKeys, WitnessKeysError, WitnessedLog};
use axum::Router;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// Memory for stored blocks, in MiB: what is copied is written once, and read by few.
pub(super) const BLOCK_CACHE_MIB: usize = 16;

/// How often the floor of the clock is raised, whether anything is cosigned or not.
const FLOOR_EVERY: Duration = Duration::from_secs(60);

/// Why a mirror does not start.
#[derive(Debug, thiserror::Error)]
pub enum MirrorStartError {
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] LoadKeysError),
    /// A log has the name or a key of this mirror.
    #[error(transparent)]
    Itself(#[from] WitnessKeysError),
    /// The store cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not this mirror's store.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// The store is an older copy, or the floor file cannot be used.
    #[error(transparent)]
    FloorFile(#[from] FloorFileError),
    /// The system has no random bytes.
    #[error("the system has no random bytes: {0}")]
    Random(String),
    /// The system's TLS cannot be used.
    #[error("cannot make connections to logs")]
    Client(#[from] reqwest::Error),
    /// The node's witness has the same name or key.
    #[error(
        "the mirror {0} has the name or a key of this node's witness. They state different things: \
         make other keys, under another name, with `assay-node mirror init`"
    )]
    SharedKey(String),
    /// A log cannot be copied.
    #[error("{0}")]
    Log(String),
    /// The auditor's keys cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditKeysError),
    /// The auditor's threads cannot be started.
    #[error("cannot start threads to replay logs")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// A log to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    log: LogVerifier,
    url: String,
}

/// A mirror that is open and follows its logs.
pub struct Opened {
    /// What it serves.
    pub router: Router,
    /// What it has, for gossip, until that was taken.
    pub held: Option<Box<dyn Holding>>,
    /// What it tells of heads that it does not follow.
    pub seen: Seen,
    /// Its verifier keys, as they are at its start.
    pub vkeys: Vec<String>,
    /// The verifier keys of its auditor; none if it has none.
    pub audit_vkeys: Vec<String>,
    /// How the auditor's keys are rotated, if it is one.
    pub audit_rotation: Option<CosignerRotation>,
    /// What its auditor shows; nothing if it has none.
    pub copies: Copies,
    /// How its keys are rotated. Whoever starts the node takes it.
    pub rotation: Option<CosignerRotation>,
    /// What is public of it.
    pub page: Part<(CosignerPart, Vec<CopyPart>)>,
    /// Ends once `stop` says so and nothing is written any more.
    pub task: JoinHandle<()>,
}

/// What else the node is.
pub struct Beside<'a> {
    /// The origin of its own log, which is not copied.
    pub log: &'a str,
    /// The verifier keys of its own witness, of which none may be the mirror's.
    pub witness: &'a [String],
    /// What is told of logs that sign two histories.
    pub evidence: Arc<Evidence>,
    /// Its peers, of which some are copied.
    pub peers: Peers,
    /// The auditor that replays what is copied.
    pub audit: Option<&'a AuditConfig>,
    /// Counts what networks send.
    pub senders: Arc<Senders>,
}

/// Opens the mirror of a configuration and starts to follow its logs, and those of the peers that
/// are to be mirrored, until `stop` says so.
///
/// Must be called on a tokio runtime.
pub fn open(
    config: &MirrorConfig,
    beside: Beside<'_>,
    stop: watch::Receiver<bool>,
) -> Result<Opened, MirrorStartError> {
    let keys = load_keys(config)?;
    refuse_shared_keys(&keys, beside.witness)?;
    let audit = beside.audit.map(audit::keys::load).transpose()?;
    let job = Open {
        config,
        keys,
        audit,
        beside,
        stop,
    };
    config.backend.run(opening(config), job)?
}

/// How the store is opened.
pub(super) fn opening(config: &MirrorConfig) -> Opening<'_> {
    Opening {
        path: &config.path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: false,
    }
}

struct Open<'a> {
    config: &'a MirrorConfig,
    keys: WitnessKeys,
    audit: Option<WitnessKeys>,
    beside: Beside<'a>,
    stop: watch::Receiver<bool>,
}

impl Job for Open<'_> {
    type Output = Result<Opened, MirrorStartError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let floor = store::OWN.open(&*store, &self.config.name)?;
        let configured = configured(self.config, &self.keys)?;
        let vkeys = texts(self.keys.verifiers());
        let (shelf, disk) = (Arc::new(Shelf::default()), store.clone());
        let http = site::client()?;
        look_at_clock(&floor);
        keys::look_for(&self.keys, &self.stop);
        let own_keys = Arc::new(ArcSwap::from_pointee(self.keys));
        let (shown, seen) = (shelf.clone(), Seen::default());
        let shared = Arc::new(Shared {
            store: store.clone(),
            keys: own_keys.clone(),
            floors: Floors::default(),
            clock: clock(self.config, floor)?,
            evidence: Some(self.beside.evidence.clone()),
            seen: seen.clone(),
            memory: Memory::new(self.config.memory_mib),
            tickets: tickets()?,
            mirrors: mirrors(self.beside.peers.clone(), http.clone()),
            free: Box::new(move || disk.free()),
            reserve: self.config.reserve_mib << 20,
        });
        let audit_vkeys = texts(self.audit.iter().flat_map(WitnessKeys::verifiers));
        let (mut audits, mut audit_rotation) = (None, None);
        if let (Some(keys), Some(config)) = (self.audit, self.beside.audit) {
            audit::keys::refuse_shared(&keys, vkeys.iter().chain(self.beside.witness))?;
            keys::look_for(&keys, &self.stop);
            let keys = Arc::new(ArcSwap::from_pointee(keys));
            audit_rotation = Some(audit::keys::rotation(config, keys.clone()));
            audits = Some(auditor(&shared, keys, config, self.beside.evidence)?);
        }
        let copies = audits.as_ref().map(|it| it.copies().clone());
        let copies = copies.unwrap_or_default();
        let holding = holding::Copies::new(store.clone(), shelf.clone());
        let router = http::router(store, shelf.clone(), self.beside.senders)
            .merge(audit::http::router(copies.clone()));
        let followed = Followed {
            shared,
            audits,
            shelf,
            http,
            config: self.config.clone(),
            own: self.beside.log.to_owned(),
            configured,
            running: HashMap::new(),
        };
        Ok(Opened {
            router,
            held: Some(Box::new(holding)),
            seen,
            vkeys,
            audit_vkeys,
            audit_rotation,
            copies: copies.clone(),
            rotation: Some(rotation(self.config, own_keys.clone())),
            page: super::page::of(own_keys, shown, copies),
            task: tokio::spawn(followed.run(self.beside.peers, self.stop)),
        })
    }
}

/// Says so if the clock is not where it was left.
fn look_at_clock(floor: &ClockFloor) {
    if let Err(fault) = floor.advanced(now()) {
        tracing::error!(%fault, "nothing is cosigned as a mirror; see `assay-node mirror`");
    }
}

/// Keys as policies name them.
fn texts(keys: impl IntoIterator<Item = VerifierKey>) -> Vec<String> {
    keys.into_iter().map(|key| key.to_string()).collect()
}

/// The logs of the configuration.
fn configured(config: &MirrorConfig, keys: &WitnessKeys) -> Result<Vec<Source>, MirrorStartError> {
    let mut configured = Vec::new();
    for entry in &config.log {
        let log = entry.verifier().map_err(MirrorStartError::Log)?;
        // A mirror has keys of its own, of which none is a log's.
        WitnessedLog::new(log.clone(), keys)?;
        let url = entry.url.clone();
        configured.push(Source { log, url });
    }
    Ok(configured)
}

/// The clock of a mirror, and the file that knows its floor, too.
fn clock(config: &MirrorConfig, floor: ClockFloor) -> Result<MirrorClock, FloorFileError> {
    let file = config.floor_file.as_ref();
    let file = file.map(|path| FloorFile::open(path, floor)).transpose()?;
    Ok(MirrorClock::new(floor, file, now))
}

/// Tickets of a key that nobody else has.
fn tickets() -> Result<Tickets, MirrorStartError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|e| MirrorStartError::Random(e.to_string()))?;
    Ok(Tickets::new(&key))
}

/// The auditor of what a mirror copies.
fn auditor<S: Tables + 'static>(
    shared: &Arc<Shared<S>>,
    keys: Arc<ArcSwap<WitnessKeys>>,
    config: &AuditConfig,
    evidence: Arc<Evidence>,
) -> Result<Audits, rayon::ThreadPoolBuildError> {
    let shared = audit::Shared::new(
        shared.store.clone(),
        keys,
        shared.clone(),
        evidence,
        config.index_cache_mib,
    );
    Ok(Audits::new(shared?))
}

/// Where the peers publish their copies of a log.
fn mirrors(peers: Peers, http: reqwest::Client) -> Box<dyn Fn(&str) -> Vec<Site> + Send + Sync> {
    Box::new(move |digest| {
        let peers = peers.now();
        let mirrors = peers.iter().filter(|peer| !peer.mirror().is_empty());
        let urls = mirrors.map(|peer| format!("{}/mirror/{digest}", peer.url()));
        urls.map(|url| Site::new(http.clone(), &url)).collect()
    })
}

/// The logs that are followed.
struct Followed<S> {
    shared: Arc<Shared<S>>,
    audits: Option<Audits>,
    shelf: Arc<Shelf<S>>,
    http: reqwest::Client,
    config: MirrorConfig,
    own: String,
    configured: Vec<Source>,
    /// By origin.
    running: HashMap<String, Running>,
}

/// A log that is being followed.
struct Running {
    source: Source,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    audit: Option<JoinHandle<()>>,
}

impl<S: Tables + 'static> Followed<S> {
    async fn run(mut self, mut peers: Peers, mut stop: watch::Receiver<bool>) {
        let scrubbing = self.scrub(stop.clone());
        let mut minute = tokio::time::interval(FLOOR_EVERY);
        let mut may_change = true;
        self.follow(&peers).await;
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                changed = peers.changed(), if may_change => {
                    may_change = changed.is_some();
                    self.follow(&peers).await;
                }
                _ = minute.tick() => self.keep_clock().await,
            }
        }
        if let Some(audits) = &self.audits {
            audits.end();
        }
        for (_, running) in self.running.drain() {
            running.end().await;
        }
        if let Some(scrubbing) = scrubbing {
            let _ = scrubbing.await;
        }
    }

    /// Starts to scrub all logs, if that is configured.
    fn scrub(&self, stop: watch::Receiver<bool>) -> Option<JoinHandle<()>> {
        let every = Duration::from_millis(self.config.scrub_ms);
        let scrubber = Scrubber::new(self.shelf.clone(), every);
        (!every.is_zero()).then(|| tokio::spawn(scrubber.run(stop)))
    }

    /// Follows the logs of now, and no others.
    async fn follow(&mut self, peers: &Peers) {
        let wanted = self.wanted(peers);
        let running = std::mem::take(&mut self.running);
        for (origin, running) in running {
            if wanted.get(&origin) == Some(&running.source) {
                self.running.insert(origin, running);
            } else {
                self.shelf.remove(Rows::of(&origin));
                running.end().await;
            }
        }
        for (origin, source) in wanted {
            if !self.running.contains_key(&origin) {
                let running = self.start(source);
                self.running.insert(origin, running);
            }
        }
    }

    /// The logs of now, by origin. What the configuration says of a log goes before a peer.
    fn wanted(&self, peers: &Peers) -> HashMap<String, Source> {
        let mut wanted = HashMap::new();
        let peers = peers.now();
        let mirrored = peers.iter().filter(|peer| peer.has(Role::Mirror));
        let of_peers = mirrored.filter_map(|peer| {
            let log = peer.log()?.clone();
            let url = peer.url().to_owned();
            Some(Source { log, url })
        });
        for source in self.configured.iter().cloned().chain(of_peers) {
            let origin = source.log.origin().to_owned();
            let is_own = origin == self.own;
            let is_usable = WitnessedLog::new(source.log.clone(), &self.shared.keys.load()).is_ok();
            if !is_own && is_usable {
                wanted.entry(origin).or_insert(source);
            }
        }
        wanted
    }

    fn start(&self, source: Source) -> Running {
        let copied = Copied::new(
            self.shared.clone(),
            source.log.clone(),
            Site::new(self.http.clone(), &source.url),
            LogLimits::of(&self.config, source.log.origin()),
        );
        self.shelf.put(copied.clone());
        let (stop, stopped) = watch::channel(false);
        let audits = self.audits.clone();
        let audits = audits.filter(|audits| audits.takes(&source.log));
        let audit = audits.map(|audits| {
            let (log, shown) = (source.log.clone(), copied.shown.clone());
            tokio::spawn(audits.run(log, shown, stopped.clone()))
        });
        let poll = Duration::from_millis(self.config.poll_ms);
        let follower = Follower::new(copied, poll);
        Running {
            source,
            stop,
            task: tokio::spawn(follower.run(stopped)),
            audit,
        }
    }

    async fn keep_clock(&self) {
        let shared = self.shared.clone();
        let kept = tokio::task::spawn_blocking(move || shared.clock.keep(&*shared.store)).await;
        if let Ok(Err(error)) = kept {
            tracing::error!(%error, "the floor of the mirror's clock cannot be stored");
        }
    }
}

/// Waits until `stop` says so, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Running {
    /// Ends once nothing is written of the log any more.
    async fn end(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
        if let Some(audit) = self.audit {
            let _ = audit.await;
        }
    }
}

/// Fails with [`MirrorStartError::SharedKey`] if one of these verifier keys, which are the
/// witness's, is the mirror's, too, or has its name (C2SP tlog-mirror).
fn refuse_shared_keys(keys: &WitnessKeys, witness: &[String]) -> Result<(), MirrorStartError> {
    let own = keys.verifiers();
    for other in witness.iter().flat_map(|text| VerifierKey::parse(text)) {
        let is_shared = own.iter().any(|key| key.public_key() == other.public_key());
        if is_shared || other.name() == keys.name() {
            return Err(MirrorStartError::SharedKey(keys.name().to_owned()));
        }
    }
    Ok(())
}

/// Reads the keys of a mirror.
pub fn load_keys(config: &MirrorConfig) -> Result<WitnessKeys, LoadKeysError> {
    keys::load(&config.keys())
}

/// How the keys of a mirror are rotated.
fn rotation(config: &MirrorConfig, keys: Arc<ArcSwap<WitnessKeys>>) -> CosignerRotation {
    CosignerRotation::new(config.keys(), keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_shares_no_key_and_no_name_with_a_witness() {
        let own = crate::signer::keys::tests::cosigner("m.example", 1);
        let refused = |name, seed| {
            let witness = crate::signer::keys::tests::cosigner(name, seed).verifiers();
            let witness: Vec<_> = witness.iter().map(ToString::to_string).collect();
            refuse_shared_keys(&own, &witness).is_err()
        };
        assert!(!refused("w.example", 2));
        assert!(refused("m.example", 2) && refused("w.example", 1));
    }
}

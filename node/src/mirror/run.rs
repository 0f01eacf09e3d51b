//! Opening a mirror, and following the logs that it copies: those of its configuration, and those
//! of the node's peers, which come and go.

use super::clock::{MirrorClock, now};
use super::copy::Shared;
use super::follower::Follower;
use super::http;
use super::shelf::{Shelf, ShownLog};
use super::site::{self, Site};
use super::store::{self, Rows, StoredError};
use crate::{
    config::{MIRRORED_LOGS as LOGS, MirrorConfig},
    keyfile::{self, KeyFileError},
    misbehavior::Evidence,
    peers::{PEERS, Peers, Role},
    reason::with_causes,
    rotation::{files, socket::CosignerRotation},
    storage::{
        StorageError, Store, Tables,
        backend::{Job, Opening},
    },
};
use arc_swap::ArcSwap;
use assay_proto::federation_page::CosignerPart;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::{CosignerKey, VerifierKey};
use assay_tlog::witness::{WitnessKeys, WitnessKeysError, WitnessedLog};
use axum::Router;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};

/// Memory for stored blocks, in MiB: what is copied is written once, and read by few.
pub(super) const BLOCK_CACHE_MIB: usize = 16;

/// How often the floor of the clock is raised, whether anything is cosigned or not.
const FLOOR_EVERY: Duration = Duration::from_secs(60);

/// Why a mirror does not start.
#[derive(Debug, thiserror::Error)]
pub enum MirrorStartError {
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key is another mirror's.
    #[error(
        "the key in {path} is for the name {key}, but mirror.name in the configuration is {name}",
        path = path.display()
    )]
    OtherKey {
        /// The key file.
        path: PathBuf,
        /// The name in the key.
        key: String,
        /// The name in the configuration.
        name: String,
    },
    /// The keys are no mirror's.
    #[error(transparent)]
    Keys(#[from] WitnessKeysError),
    /// The store cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is stored cannot be relied on.
    #[error(transparent)]
    Stored(#[from] StoredError),
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
    /// Its verifier keys, as they are at its start.
    pub vkeys: Vec<String>,
    /// How its keys are rotated. Whoever starts the node takes it.
    pub rotation: Option<CosignerRotation>,
    /// What is public of it.
    pub page: Arc<dyn Fn() -> CosignerPart + Send + Sync>,
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
    let opening = Opening {
        path: &config.path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: false,
    };
    let keys = load_keys(config)?;
    refuse_shared_keys(&keys, beside.witness)?;
    let job = Open {
        config,
        keys,
        beside,
        stop,
    };
    config.backend.run(opening, job)?
}

struct Open<'a> {
    config: &'a MirrorConfig,
    keys: WitnessKeys,
    beside: Beside<'a>,
    stop: watch::Receiver<bool>,
}

impl Job for Open<'_> {
    type Output = Result<Opened, MirrorStartError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let floor = store::open(&*store, &self.config.name)?;
        let mut configured = Vec::new();
        for entry in &self.config.log {
            let log = entry.verifier().map_err(MirrorStartError::Log)?;
            // A mirror has keys of its own, of which none is a log's.
            WitnessedLog::new(log.clone(), &self.keys)?;
            let url = entry.url.clone();
            configured.push(Source { log, url });
        }
        let verifiers = self.keys.verifiers();
        let vkeys = verifiers.iter().map(ToString::to_string).collect();
        let shelf = Arc::new(Shelf::default());
        let clock = MirrorClock::new(floor, now);
        if let Err(fault) = floor.advanced(now()) {
            tracing::error!(%fault, "nothing is cosigned as a mirror; see `assay-node mirror`");
        }
        let keys = Arc::new(ArcSwap::from_pointee(self.keys));
        let followed = Followed {
            shared: Arc::new(Shared {
                store: store.clone(),
                keys: keys.clone(),
                clock,
                evidence: Some(self.beside.evidence),
            }),
            shelf: shelf.clone(),
            http: site::client()?,
            poll: Duration::from_millis(self.config.poll_ms),
            own: self.beside.log.to_owned(),
            configured,
            running: HashMap::new(),
        };
        Ok(Opened {
            router: http::router(store, shelf.clone()),
            vkeys,
            rotation: Some(rotation(self.config, keys.clone())),
            page: Arc::new(move || page(&keys.load(), &shelf)),
            task: tokio::spawn(followed.run(self.beside.peers, self.stop)),
        })
    }
}

/// The logs that are followed.
struct Followed<S> {
    shared: Arc<Shared<S>>,
    shelf: Arc<Shelf>,
    http: reqwest::Client,
    poll: Duration,
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
}

impl<S: Tables + 'static> Followed<S> {
    async fn run(mut self, mut peers: Peers, mut stop: watch::Receiver<bool>) {
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
        for (_, running) in self.running.drain() {
            running.end().await;
        }
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
        let shown = ShownLog::new(Rows::of(source.log.origin()));
        self.shelf.put(shown.clone());
        let (stop, stopped) = watch::channel(false);
        let follower = Follower::new(
            self.shared.clone(),
            source.log.clone(),
            Site::new(self.http.clone(), &source.url),
            shown,
            self.poll,
        );
        Running {
            source,
            stop,
            task: tokio::spawn(follower.run(stopped)),
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
pub fn load_keys(config: &MirrorConfig) -> Result<WitnessKeys, MirrorStartError> {
    let ed25519 = load_key(config, &config.key)?;
    let second = config.ml_dsa_44_key.as_ref();
    let ml_dsa_44 = second.map(|path| load_key(config, path)).transpose()?;
    let next = files::load_next(key_files(config).iter())?;
    Ok(WitnessKeys::new(ed25519, ml_dsa_44)?.with_next(next)?)
}

/// The key files of a mirror.
pub fn key_files(config: &MirrorConfig) -> Vec<PathBuf> {
    let first = std::iter::once(&config.key);
    first.chain(&config.ml_dsa_44_key).cloned().collect()
}

/// How the keys of a mirror are rotated.
fn rotation(config: &MirrorConfig, keys: Arc<ArcSwap<WitnessKeys>>) -> CosignerRotation {
    let files = key_files(config);
    let config = config.clone();
    CosignerRotation {
        files,
        keys,
        read: Box::new(move || load_keys(&config).map_err(|error| with_causes(&error))),
    }
}

/// What is public of a mirror.
fn page(keys: &WitnessKeys, shelf: &Shelf) -> CosignerPart {
    CosignerPart {
        name: keys.name().to_owned(),
        vkeys: keys.verifiers().iter().map(ToString::to_string).collect(),
        submission: None,
        monitoring: "/mirror".to_owned(),
        logs: shelf.count() as u64,
        capacity: (LOGS + PEERS) as u64,
    }
}

fn load_key(config: &MirrorConfig, path: &Path) -> Result<CosignerKey, MirrorStartError> {
    let key = keyfile::load_cosigner(path)?;
    if key.name() != config.name {
        return Err(MirrorStartError::OtherKey {
            path: path.to_owned(),
            key: key.name().to_owned(),
            name: config.name.clone(),
        });
    }
    Ok(key)
}

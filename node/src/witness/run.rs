//! A running witness: what `assay-node witness run` starts, in the order in which it can fail.
//!
//! Nothing listens before the state of every log was read.

use super::config::{LogListConfig, WitnessConfig};
use super::http::Api;
use super::init::BLOCK_CACHE_MIB;
use super::known::{Held as HeldLog, Latest};
use super::listed::{Listed, ListedError};
use super::lists;
use super::logs::{Logs, UnusableLog};
use super::service::{self, QUEUE, Witness};
use super::signing::Signing;
use super::store::{self, StoredError};
use super::writer::{Writer, report_clock};
use crate::{
    api::{
        admin,
        serve::Server,
        tls::{Tls, TlsError},
    },
    config::{ConfigError, FederationConfig},
    descriptors::{self, TooFew},
    files,
    gossip::{self, holding::Witnessed, known::Places, rounds},
    held::Held,
    leaving::Leaving,
    listen::{self, ListenError},
    misbehavior::{Evidence, EvidenceError, known::Known},
    peers::{PeerFile, Peers, PeersError, page},
    rotation::socket::{CosignerRotation, Rotations},
    sequencer::Halt,
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
    telemetry,
};
use arc_swap::ArcSwap;
use assay_tlog::head::LogVerifier;
use assay_tlog::witness::{LogState, Persisted, WitnessKeys};
use futures::{FutureExt, future::LocalBoxFuture};
use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// Why a witness does not start.
#[derive(Debug, thiserror::Error)]
pub enum WitnessStartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] LoadKeysError),
    /// A log cannot be witnessed.
    #[error("the log {origin:?} in the configuration: {reason}")]
    Log {
        /// The log.
        origin: String,
        /// Why not.
        reason: UnusableLog,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It is not this witness's store.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// What is stored cannot be relied on.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// The store is an older copy, or the floor file cannot be used.
    #[error(transparent)]
    FloorFile(#[from] FloorFileError),
    /// What was taken from lists cannot be used.
    #[error(transparent)]
    Listed(#[from] ListedError),
    /// The peers cannot be used.
    #[error(transparent)]
    Peers(#[from] PeersError),
    /// What was kept of misbehavior cannot be read.
    #[error(transparent)]
    Misbehavior(#[from] EvidenceError),
    /// The TLS files cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Too few files may be open.
    #[error(transparent)]
    Descriptors(#[from] TooFew),
    /// The system's TLS cannot be used.
    #[error("cannot make connections to peers")]
    Client(#[from] reqwest::Error),
    /// The system refused a thread or a socket.
    #[error("cannot start")]
    System(#[from] io::Error),
}

/// A witness that is running.
pub struct Running {
    /// The public address.
    pub address: SocketAddr,
    /// The admin address.
    pub admin: SocketAddr,
    /// Its name.
    pub name: String,
    /// Its verifier keys.
    pub vkeys: Vec<String>,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<io::Result<()>>,
    admin_server: tokio::task::JoinHandle<io::Result<()>>,
    admin_socket: tokio::task::JoinHandle<io::Result<()>>,
    gossip: tokio::task::JoinHandle<()>,
    writer: JoinHandle<()>,
}

/// A witness that is open: what the serving threads need, and the thread that decides. That ends
/// when `witness` is gone.
pub struct Opened {
    /// What answers.
    pub witness: Witness,
    /// The thread that decides and stores.
    pub writer: JoinHandle<()>,
    /// Why it stopped cosigning, if it did.
    pub halt: Arc<Halt>,
    /// Its verifier keys, as they are at its start.
    pub vkeys: Vec<String>,
    /// How its keys are rotated.
    pub rotation: CosignerRotation,
    /// The lists from which it takes logs.
    pub lists: Vec<LogListConfig>,
}

/// Reads what is stored and starts the writer.
pub(super) struct Open<'a> {
    pub(super) config: &'a WitnessConfig,
    pub(super) evidence: Arc<Evidence>,
    pub(super) keys: WitnessKeys,
    pub(super) floors: Arc<Floors>,
    pub(super) clock: fn() -> u64,
}

impl Job for Open<'_> {
    type Output = Result<Opened, WitnessStartError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        let Open {
            config,
            evidence,
            keys,
            floors,
            ..
        } = self;
        let floor = store::OWN.open(&*store, &config.witness.name)?;
        let floor_file = match &config.storage.floor_file {
            Some(path) => Some(FloorFile::open(path, floor)?),
            None => None,
        };
        report_clock(floor, (self.clock)());
        let (reading, known) = (store.clone(), floors.clone());
        let read = move |verifier: &LogVerifier| read(&*reading, &known, verifier);
        let mut logs = Logs::new(keys.clone(), config.witness.clone(), Box::new(read));
        for entry in &config.log {
            logs.configure(entry)
                .map_err(|reason| WitnessStartError::Log {
                    origin: entry.origin.clone(),
                    reason,
                })?;
        }
        logs.take_listed(Listed::read(&config.listed)?);
        let halt = Arc::new(Halt::default());
        let (queue, asked) = mpsc::sync_channel(QUEUE);
        let writer = Writer {
            store,
            evidence: evidence.clone(),
            floor,
            floor_file,
            floors,
            clock: self.clock,
            clock_is_right: floor.advanced((self.clock)()).is_ok(),
            halt: halt.clone(),
        };
        let vkeys = keys.verifiers().iter().map(ToString::to_string).collect();
        let keys = Arc::new(ArcSwap::from_pointee(keys));
        let (signing, thread) = Signing::start(keys.clone())?;
        Ok(Opened {
            writer: writer.start(asked, thread)?,
            vkeys,
            rotation: rotation(config, keys),
            lists: config.log_list.clone(),
            witness: Witness::new(signing, logs, evidence, queue, halt.clone(), self.clock),
            halt,
        })
    }
}

/// Opens the witness of a configuration, and starts its writer. It answers nobody yet. What
/// `evidence` convicts is not cosigned.
pub fn open(config: &WitnessConfig, evidence: Arc<Evidence>) -> Result<Opened, WitnessStartError> {
    let open = Open {
        config,
        evidence,
        keys: load_keys(config)?,
        floors: Arc::default(),
        clock: now,
    };
    let opening = Opening {
        path: &config.storage.path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: false,
    };
    config.storage.backend.run(opening, open)?
}

/// Seconds since 1970 (UTC). 0, which no cosignature can state, if the clock is before that.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Reads what is stored of a log: its state, and what monitors are served. `None` if the state is
/// damaged, which stops this log and no other.
fn read(
    store: &impl Tables,
    floors: &Floors,
    verifier: &LogVerifier,
) -> Result<HeldLog, StoredError> {
    let state = match store::state(store, verifier.origin()) {
        Ok(state) => state,
        Err(error @ StoredError::Damaged { .. }) => {
            tracing::error!("{error}");
            return Ok(HeldLog::new(None, None));
        }
        Err(error) => return Err(error),
    };
    let latest = latest(store, floors, &state, verifier)?;
    Ok(HeldLog::new(Some(state), latest))
}

/// What monitors are served, as far as the log's keys of now verify it.
fn latest(
    store: &impl Tables,
    floors: &Floors,
    state: &LogState,
    verifier: &LogVerifier,
) -> Result<Option<Arc<Latest>>, StoredError> {
    let LogState::Held { .. } = state else {
        return Ok(None);
    };
    let note = store::note(store, verifier.origin())?.unwrap_or_default();
    let unserved = |error: &dyn std::error::Error| {
        tracing::warn!(
            origin = verifier.origin(),
            %error,
            "monitors are served nothing of this log until it is cosigned again"
        );
    };
    let persisted = Persisted::reload(state, &note, verifier).inspect_err(|e| unserved(e));
    let admitted = persisted.ok().map(|persisted| floors.admit(persisted));
    let admitted = admitted.transpose().inspect_err(|e| unserved(e));
    Ok(admitted.ok().flatten().map(Latest::new))
}

impl Running {
    /// Starts everything. When it returns, calls are answered.
    ///
    /// Must be called on a tokio runtime, which accepts connections and keeps the time. Boxed, as a
    /// node's start is.
    pub fn start(
        config: WitnessConfig,
    ) -> LocalBoxFuture<'static, Result<Self, WitnessStartError>> {
        Self::started(config).boxed_local()
    }

    async fn started(config: WitnessConfig) -> Result<Self, WitnessStartError> {
        // Before any file is opened that may be one too many.
        let connections = descriptors::connections(config.server.connections, 1)?;
        let tls = listen::load_tls(&config.server)?;
        let metrics = telemetry::metrics();
        let mut known = Known::default();
        known.logs_of(&config);
        let evidence = Arc::new(Evidence::open(&[&config.storage.path], known)?);
        let opened = open(&config, evidence.clone())?;
        let peers = PeerFile::open(&config.federation.peers, None)?;
        let [listener, admin_listener] = listen::listeners(&config.server)?;
        let (address, admin) = (listener.local_addr()?, admin_listener.local_addr()?);

        let (stop, stopped) = watch::channel(false);
        let witness = Arc::new(opened.witness);
        let all = peers.peers();
        let importing = lists::begin(&witness, opened.lists, &all, &stopped);
        let gossip = gossip(&witness, &evidence, &config.federation, &all, &stopped)?;
        witness.leaves(Leaving::new(&stopped, &config.server));
        let standing = gossip::http::admin(gossip.desk.clone());
        let page = page::Page::of_witness(service::part(witness.clone()), all);
        let page = page::router(Arc::new(page));
        let rotations = Rotations {
            witness: Some(opened.rotation),
            ..Rotations::default()
        };
        let more = rotations.routes().merge(importing).merge(standing);
        let socket = &config.federation.admin_socket;
        let admin_socket = peers.serve(socket, more, stopped.clone())?;
        let held = Held::new(listen::limits(&config.server, connections));
        let shared = &config.server.shared_addresses;
        let server = Server {
            app: Api::new(witness, evidence, gossip.desk, page, shared),
            tls: tls.clone(),
            threads: config.server.threads,
            connections,
            held: held.clone(),
            proxies: config.server.proxies(),
            drain: Duration::from_secs(config.server.drain_s),
        };
        let server = tokio::spawn(server.run(listener, None, stopped.clone()));
        let admin_api = admin::router(opened.halt, Arc::default(), held, metrics);
        let admin_server = tokio::spawn(admin::serve(admin_listener, admin_api, stopped));
        tracing::info!(%address, %admin, logs = config.log.len(), "witnessing");
        Ok(Running {
            address,
            admin,
            name: config.witness.name.clone(),
            vkeys: opened.vkeys,
            tls,
            stop,
            server,
            admin_server,
            admin_socket,
            gossip: gossip.task,
            writer: opened.writer,
        })
    }

    /// Reads the TLS files again. If one cannot be used, that is reported and the old ones stay in
    /// force.
    pub fn reload(&self) {
        listen::reload_tls(self.tls.as_deref());
    }

    /// Stops: accepts no more connections, and lets calls in flight end.
    pub async fn stop(self) -> io::Result<()> {
        self.stop.send_replace(true);
        let served = self.server.await.map_err(io::Error::other)?;
        let _ = self.admin_server.await;
        let _ = self.admin_socket.await;
        let _ = self.gossip.await;
        // The last sender of the queue went with the server.
        let writer = self.writer;
        let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        served
    }

    /// Writes addresses, name and keys to a file, as JSON, whole or not at all.
    pub fn write_ready_file(&self, path: &Path) -> io::Result<()> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", self.address);
        let text = serde_json::json!({
            "url": url,
            "monitoring": format!("{url}/witness"),
            "admin": format!("http://{}", self.admin),
            "name": self.name,
            "vkeys": self.vkeys,
        });
        files::replace_json(path, &text)
    }
}

/// Reads the keys of a witness.
pub fn load_keys(config: &WitnessConfig) -> Result<WitnessKeys, LoadKeysError> {
    keys::load(&config.witness.keys())
}

/// How the keys of a witness are rotated.
fn rotation(config: &WitnessConfig, keys: Arc<ArcSwap<WitnessKeys>>) -> CosignerRotation {
    CosignerRotation::new(config.witness.keys(), keys)
}

/// Starts to compare with the peers what the witness cosigns.
fn gossip(
    witness: &Arc<Witness>,
    evidence: &Arc<Evidence>,
    config: &FederationConfig,
    peers: &Peers,
    stop: &watch::Receiver<bool>,
) -> Result<rounds::Running, WitnessStartError> {
    let running = rounds::start(rounds::Setup {
        evidence: evidence.clone(),
        holdings: vec![Box::new(Witnessed::new(witness))],
        places: Places::default(),
        config,
        peers,
        stop: stop.clone(),
    })?;
    witness.tell(running.desk.seen());
    Ok(running)
}

//! A running node: what `assay-node run` starts, in the order in which it can fail.
//!
//! Nothing listens before the log is open. A node that must not sign does not start.

mod error;
mod parts;

pub use error::StartError;

use parts::Parts;

use crate::{
    admission::Admission,
    api::{
        admin,
        app::Api,
        attachments::{self, AttachmentApi, ledger::Ledger},
        copies::CopyApis,
        federation::FederationApi,
        index::IndexApi,
        log::{LogApi, Publisher},
        look_ups::LookUps,
        read,
        serve::Server,
        tls::Tls,
    },
    config::{Config, ConfigFile as _, LogConfig},
    cosigner::{Asking, Witnesses},
    damage::scrub,
    descriptors::{self, TooFew},
    files,
    held::Held,
    leaving::Leaving,
    listen,
    log::{Caches, Log, Shown, Signed},
    mirror::run as mirror,
    misbehavior::{Evidence, known::Known},
    page,
    peers::PeerFile,
    quota::Uploads,
    rotation::{LogKeys, SharedLogKeys},
    routes::OwnWitness,
    sequencer::{Driver, Halt, Submission, fair},
    storage::{
        Store,
        backend::{Job, Opening},
    },
    telemetry, threads,
    view::View,
    witness::{self, config::WitnessConfig, run::Opened},
};
use assay_proto::v1::{
    attachment_service_server::AttachmentServiceServer,
    federation_service_server::FederationServiceServer,
};
use axum::Router;
use futures::{FutureExt, future::LocalBoxFuture};
use std::{io, net::SocketAddr, path::Path, sync::Arc, thread::JoinHandle, time::Duration};
use tokio::{runtime::Handle, sync::watch};
use tonic::service::Routes;

/// A node that is running.
pub struct Node {
    /// The public address.
    pub address: SocketAddr,
    /// The admin address.
    pub admin: SocketAddr,
    /// The log's verifier key, in the text form of C2SP signed-note.
    pub vkey: String,
    /// The log's origin.
    pub origin: String,
    tls: Option<Arc<Tls>>,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<io::Result<()>>,
    admin_server: tokio::task::JoinHandle<io::Result<()>>,
    admin_socket: tokio::task::JoinHandle<io::Result<()>>,
    sequencer: JoinHandle<()>,
    halt: Arc<Halt>,
    witness: Option<OwnWitness>,
    mirror: Option<mirror::Opened>,
    gossip: tokio::task::JoinHandle<()>,
}

/// Opens the log on a store that was opened, and serves it.
struct Serve {
    signed: Signed,
    keys: SharedLogKeys,
    witnesses: Option<Witnesses>,
    witness: Option<Opened>,
    evidence: Arc<Evidence>,
    connections: usize,
    config: Config,
}

impl Job for Serve {
    type Output = LocalBoxFuture<'static, Result<Node, StartError>>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        async move {
            let caches = Caches {
                tiles_mib: self.config.storage.tile_cache_mib,
                index_mib: self.config.storage.index_cache_mib,
            };
            let shown = match &self.witnesses {
                None => Shown::LastSigned,
                Some(witnesses) => Shown::Witnessed(witnesses.last_witnessed()),
            };
            let mut log = Log::open(store, self.signed, caches, shown)?;
            log.look_at_clock();
            let Serve {
                keys,
                witnesses,
                witness,
                evidence,
                connections,
                config,
                ..
            } = self;
            let parts = Parts {
                keys,
                quorum: witnesses.as_ref().map(Witnesses::states),
                witness,
                evidence: evidence.clone(),
                connections,
            };
            let store = log.store().clone();
            let ask = |it: Witnesses| it.start(store, evidence, &Handle::current());
            let witnesses = witnesses.map(ask);
            serve(log, witnesses, parts, &config).await
        }
        .boxed_local()
    }
}

impl Node {
    /// Starts everything. When it returns, calls are answered.
    ///
    /// Must be called on a tokio runtime, which accepts connections and keeps the time.
    ///
    /// Boxed, so that all of it is compiled with this library, and not once more with each program
    /// that starts a node.
    pub fn start(config: Config) -> LocalBoxFuture<'static, Result<Self, StartError>> {
        Self::started(config).boxed_local()
    }

    async fn started(config: Config) -> Result<Self, StartError> {
        // Installed before anything is counted.
        let _ = telemetry::metrics();
        // Before any file is opened that may be one too many.
        let connections = connections(&config)?;
        threads::start_computing()?;
        let keys = load_keys(&config.log)?.shared();
        let witnesses = config.quorum.as_ref();
        let witnesses = witnesses
            .map(|quorum| Witnesses::load(quorum, &config.log, keys.clone()))
            .transpose()?;
        let own = config.witness.as_ref();
        let own = own.map(|own| WitnessConfig::load(&own.config));
        let own = own.transpose()?;
        let evidence = evidence(&config, &keys.load(), witnesses.as_ref(), own.as_ref())?;
        let witness = own.map(|own| witness::run::open(&own, evidence.clone()));
        let witness = witness.transpose().map_err(Box::new)?;
        let mut signed = Signed::open(&config.log.checkpoint_file, keys.clone())?;
        if config.log.lost_end {
            signed = signed.forgive_lost_end();
        }
        let (storage, blobs) = (config.storage.clone(), config.attachments.path.clone());
        let opening = Opening {
            path: &storage.path,
            blobs: blobs.as_deref(),
            block_cache_mib: storage.block_cache_mib,
            create: false,
        };
        storage
            .backend
            .run(
                opening,
                Serve {
                    signed,
                    keys,
                    witnesses,
                    witness,
                    evidence,
                    connections,
                    config,
                },
            )?
            .await
    }

    /// Reads the TLS files again. If one cannot be used, that is reported and the old ones stay.
    pub fn reload(&self) {
        listen::reload_tls(self.tls.as_deref());
    }

    /// Stops: accepts no more connections, lets calls in flight end, publishes what was sequenced.
    pub async fn stop(self) -> io::Result<()> {
        self.stop.send_replace(true);
        let served = self.server.await.map_err(io::Error::other)?;
        let _ = self.admin_server.await;
        let _ = self.admin_socket.await;
        if let Some(mirror::Opened { task, .. }) = self.mirror {
            let _ = task.await;
        }
        let _ = self.gossip.await;
        // The last sender of the queue went with the server, so the sequencer ends once it has
        // published.
        let sequencer = self.sequencer;
        let _ = tokio::task::spawn_blocking(move || sequencer.join()).await;
        // As the last sender of the witness's queue did.
        if let Some(OwnWitness { writer, .. }) = self.witness {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
        if self.halt.reason().is_none() {
            tracing::info!("stopped");
        }
        served
    }
}

/// Loads the log's keys and checks that they are for the configured origin.
fn load_keys(config: &LogConfig) -> Result<LogKeys, StartError> {
    let keys = LogKeys::configured(config)?;
    if keys.origin() != config.origin {
        return Err(StartError::OtherKey {
            path: config.key.clone(),
            key: keys.origin().to_owned(),
            origin: config.origin.clone(),
        });
    }
    Ok(keys)
}

/// Serves an open log: starts its sequencer and listens.
async fn serve<S: Store + 'static>(
    log: Log<S>,
    witnesses: Option<Asking>,
    parts: Parts,
    config: &Config,
) -> Result<Node, StartError> {
    let (connections, tls) = (parts.connections, listen::load_tls(&config.server)?);
    let peers = PeerFile::open(&config.federation.peers, Some(&config.log.origin))?;
    let [listener, admin_listener] = listen::listeners(&config.server)?;
    let (address, admin) = (listener.local_addr()?, admin_listener.local_addr()?);
    let (store, view, vkey) = (log.store().clone(), log.view().clone(), log.vkey());
    let (evidence, witnessed) = (parts.evidence.clone(), witnesses.is_some());
    let (keys, halt) = (parts.keys.clone(), Arc::new(Halt::default()));
    let (queue, submissions) = fair::queue::<Submission>(config.admission.queue);
    let (stop, stopped) = watch::channel(false);
    let (admission, halted) = (admission(&log, config, &halt), halt.clone());
    let leaving = Leaving::new(&stopped, &config.server);
    let publisher = Publisher::new(view.clone(), admission, queue, halted, leaving, witnessed);
    let plain = parts.routes(view.clone(), config, &peers.peers(), &stopped)?;
    let (pages, own) = page::of_node(config, keys, address, plain.federation(&evidence)).await?;
    let logs = logs(publisher, view, plain.mirror.as_ref(), &stopped)?;
    let socket = &config.federation.admin_socket;
    let admin_socket = peers.serve(socket, plain.admin, stopped.clone())?;
    let held = Held::new(listen::limits(&config.server, connections));
    let shared = &config.server.shared_addresses;
    let federation = FederationApi::server(evidence, plain.gossip.desk, plain.submissions, shared);
    let routes = plain.router.merge(pages);
    let app = api(store, routes, logs, federation, config, &stopped)?;
    let server = Server {
        app: app.with_halt(halt.clone()),
        tls: tls.clone(),
        threads: config.server.threads,
        connections,
        held: held.clone(),
        proxies: config.server.proxies(),
        drain: Duration::from_secs(config.server.drain_s),
    };
    let scrub = scrub::start(&log, &config.storage, stopped.clone())?;
    let routes = admin::router(halt.clone(), scrub, held, telemetry::metrics());
    let sequencer = sequencer(log, witnesses, config, halt.clone(), submissions)?;
    let server = tokio::spawn(server.run(listener, own, stopped.clone()));
    let admin_server = tokio::spawn(admin::serve(admin_listener, routes, stopped));
    tracing::info!(%address, %admin, tls = tls.is_some(), "listening");
    Ok(Node {
        address,
        admin,
        vkey,
        origin: config.log.origin.clone(),
        tls,
        stop,
        server,
        admin_server,
        admin_socket,
        sequencer,
        halt,
        witness: plain.witness,
        mirror: plain.mirror,
        gossip: plain.gossip.task,
    })
}

/// Who may write what to the log.
fn admission<S: Store + 'static>(log: &Log<S>, config: &Config, halt: &Arc<Halt>) -> Admission<S> {
    let (rules, shared) = (&config.admission, &config.server.shared_addresses);
    let (store, directory) = (log.store().clone(), log.directory().clone());
    Admission::new(rules, shared, store, directory, halt.clone())
}

/// Starts the log's sequencer.
fn sequencer<S: Store + 'static>(
    log: Log<S>,
    witnesses: Option<Asking>,
    config: &Config,
    halt: Arc<Halt>,
    queue: fair::Receiver<Submission>,
) -> io::Result<JoinHandle<()>> {
    let driver = Driver {
        log,
        witnesses,
        interval: Duration::from_millis(config.log.publish_interval_ms),
        heartbeat: Duration::from_secs(config.log.heartbeat_s),
        halt,
    };
    driver.start(queue, Handle::current())
}

/// The node's own log, its index, and the logs that it has copies of.
type Logs<S> = (Arc<LogApi<S>>, Arc<IndexApi<S>>, CopyApis);

/// The services of all logs, which share the threads for look-ups.
fn logs<S: Store + 'static>(
    publisher: Publisher<S>,
    view: Arc<View<S>>,
    mirror: Option<&mirror::Opened>,
    stopped: &watch::Receiver<bool>,
) -> io::Result<Logs<S>> {
    let look_ups = LookUps::new().map_err(io::Error::other)?;
    let log = LogApi::new(publisher, look_ups.clone(), stopped.clone());
    let index = IndexApi::new(view, look_ups.clone());
    let copies = mirror.map(|mirror| mirror.copies.clone());
    let copies = CopyApis::new(copies.unwrap_or_default(), look_ups, stopped.clone());
    Ok((Arc::new(log), Arc::new(index), copies))
}

/// How many connections there is room for.
fn connections(config: &Config) -> Result<usize, TooFew> {
    let others = [config.witness.is_some(), config.mirror.is_some()];
    let stores = 1 + others.into_iter().filter(|is_there| *is_there).count();
    descriptors::connections(config.server.connections, stores)
}

/// Joins everything on the public port.
fn api<S: Store + 'static>(
    store: Arc<S>,
    plain: Router,
    (log, index, copies): Logs<S>,
    federation: FederationServiceServer<FederationApi>,
    config: &Config,
    stopped: &watch::Receiver<bool>,
) -> io::Result<Api<LogApi<S>, IndexApi<S>>> {
    let ledger = Ledger::new(config.attachments.clone());
    count(store.clone(), ledger.clone(), stopped.clone())?;
    let uploads = Uploads::new(
        config.attachments.address_mib_per_hour,
        &config.server.shared_addresses,
    );
    let uploads = AttachmentServiceServer::new(AttachmentApi::new(store, ledger, uploads))
        .max_decoding_message_size(attachments::MESSAGE_BYTES);
    let services = Routes::new(uploads).add_service(federation);
    let plain = plain.merge(read::router(log.clone(), index.clone()));
    Ok(Api::new(log, index, services, plain).with_copies(copies))
}

/// What is kept of misbehavior, in the node's data folder and in that of its own witness.
fn evidence(
    config: &Config,
    keys: &LogKeys,
    witnesses: Option<&Witnesses>,
    own: Option<&WitnessConfig>,
) -> Result<Arc<Evidence>, StartError> {
    let mut known = Known::default();
    keys.verifiers().iter().for_each(|key| known.own_log(key));
    let mut folders = vec![config.storage.path.as_path()];
    if let Some(witnesses) = witnesses {
        known.policy(witnesses.policy());
    }
    if let Some(own) = own {
        known.logs_of(own);
        folders.push(&own.storage.path);
    }
    if let Some(mirror) = &config.mirror {
        known.logs_copied(mirror);
    }
    Ok(Arc::new(Evidence::open(&folders, known)?))
}

/// Counts the attachments on a thread of its own, which ends early if the node stops.
fn count<S: Store + 'static>(
    store: Arc<S>,
    ledger: Arc<Ledger>,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let ends = move || *stopped.borrow() || stopped.has_changed().is_err();
    let count = move || {
        if let Err(error) = ledger.count(&*store, ends) {
            tracing::error!(%error, "attachments cannot be counted; none are taken");
        }
    };
    std::thread::Builder::new()
        .name("count".into())
        .spawn(count)
        .map(drop)
}

/// Writes the addresses and the key of a node to a file, as JSON, whole or not at all.
pub fn write_ready_file(path: &Path, node: &Node) -> io::Result<()> {
    let scheme = if node.tls.is_some() { "https" } else { "http" };
    let mut text = serde_json::json!({
        "url": format!("{scheme}://{}", node.address),
        "admin": format!("http://{}", node.admin),
        "origin": node.origin,
        "vkey": node.vkey,
    });
    if let Some(witness) = &node.witness {
        text["witness"] = serde_json::json!(witness.vkeys);
    }
    if let Some(mirror) = &node.mirror {
        text["mirror"] = serde_json::json!(mirror.vkeys);
        if !mirror.audit_vkeys.is_empty() {
            text["auditor"] = serde_json::json!(mirror.audit_vkeys);
        }
    }
    files::replace_json(path, &text)
}

//! A running node: what `assay-node run` starts, in the order in which it can fail.
//!
//! Nothing listens before the log is open. A node that must not sign does not start.

mod error;

pub use error::StartError;

use crate::{
    admission::Admission,
    api::{
        admin,
        app::Api,
        attachments::{self, AttachmentApi, ledger::Ledger},
        federation::FederationApi,
        index::IndexApi,
        log::{LogApi, Publisher},
        look_ups::LookUps,
        serve::Server,
        tls::Tls,
    },
    config::{Config, ConfigFile as _, LogConfig, ServerConfig},
    cosigner::{Asking, Witnesses},
    files,
    held::{self, Held},
    keyfile,
    log::{Caches, Log, Shown, Signed},
    mirror::run as mirror,
    misbehavior::{Evidence, known::Known},
    peers::PeerFile,
    quota::Uploads,
    routes::{OwnWitness, routes},
    sequencer::{Driver, Halt, Submission},
    storage::{
        Store,
        backend::{Job, Opening},
    },
    telemetry,
    witness::{self, config::WitnessConfig, run::Opened},
};
use assay_proto::v1::attachment_service_server::AttachmentServiceServer;
use assay_tlog::note::SignerKey;
use axum::Router;
use futures::{FutureExt, future::LocalBoxFuture};
use std::{io, net::SocketAddr, path::Path, sync::Arc, thread::JoinHandle, time::Duration};
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::{mpsc, watch},
};
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
}

/// Opens the log on a store that was opened, and serves it.
struct Serve {
    signed: Signed,
    witnesses: Option<Witnesses>,
    witness: Option<Opened>,
    evidence: Arc<Evidence>,
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
            let log = Log::open(store, self.signed, caches, shown)?;
            let Serve {
                witnesses,
                witness,
                evidence,
                config,
                ..
            } = self;
            let store = log.store().clone();
            let ask = |it: Witnesses| it.start(store, evidence.clone(), &Handle::current());
            let witnesses = witnesses.map(ask);
            serve(log, witnesses, witness, evidence, &config).await
        }
        .boxed_local()
    }
}

impl Node {
    /// Starts everything. When it returns, calls are answered.
    ///
    /// Must be called on a tokio runtime, which accepts connections and keeps the time.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        // Installed before anything is counted.
        let _ = telemetry::metrics();
        let key = load_key(&config.log)?;
        let witnesses = config.quorum.as_ref();
        let witnesses = witnesses
            .map(|quorum| Witnesses::load(quorum, &config.log, &key.verifier()))
            .transpose()?;
        let own = config.witness.as_ref();
        let own = own.map(|own| WitnessConfig::load(&own.config));
        let own = own.transpose()?;
        let evidence = evidence(&config, &key, witnesses.as_ref(), own.as_ref())?;
        let witness = own.map(|own| witness::run::open(&own, evidence.clone()));
        let witness = witness.transpose().map_err(Box::new)?;
        let signed = Signed::open(&config.log.checkpoint_file, key)?;
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
                    witnesses,
                    witness,
                    evidence,
                    config,
                },
            )?
            .await
    }

    /// Reads the TLS files again. If one cannot be used, that is reported and the old ones stay in
    /// force.
    pub fn reload(&self) {
        reload_tls(self.tls.as_deref());
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
        // The last sender of the queue went with the server, so the sequencer ends once it has
        // published.
        let sequencer = self.sequencer;
        let _ = tokio::task::spawn_blocking(move || sequencer.join()).await;
        // As the last sender of the witness's queue did.
        if let Some(OwnWitness { writer, .. }) = self.witness {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
        if self.halt.reason().is_none() {
            tracing::info!("stopped; everything acknowledged is published");
        }
        served
    }
}

/// Reads the TLS files again, and reports what came of it.
pub(crate) fn reload_tls(tls: Option<&Tls>) {
    match tls.map(Tls::reload) {
        None => tracing::info!("SIGHUP: no TLS is configured; nothing to read again"),
        Some(Ok(())) => tracing::info!("SIGHUP: TLS files read again"),
        Some(Err(error)) => {
            tracing::error!(%error, "SIGHUP: the TLS files cannot be used; the old ones stay");
        }
    }
}

/// Loads the log's key and checks that it is for the configured origin.
fn load_key(config: &LogConfig) -> Result<SignerKey, StartError> {
    let key = keyfile::load(&config.key)?;
    if key.name() != config.origin {
        return Err(StartError::OtherKey {
            path: config.key.clone(),
            key: key.name().to_owned(),
            origin: config.origin.clone(),
        });
    }
    Ok(key)
}

/// Serves an open log: starts its sequencer and listens.
async fn serve<S: Store + 'static>(
    log: Log<S>,
    witnesses: Option<Asking>,
    witness: Option<Opened>,
    evidence: Arc<Evidence>,
    config: &Config,
) -> Result<Node, StartError> {
    let peers = PeerFile::open(&config.federation.peers, Some(&config.log.origin))?;
    let tls = config.server.tls.clone();
    let tls = tls.map(Tls::load).transpose()?.map(Arc::new);
    let listener = listen(config.server.listen, "server.listen").await?;
    let admin_listener = listen(config.server.admin, "server.admin").await?;
    let (address, admin) = (listener.local_addr()?, admin_listener.local_addr()?);

    let (store, view, vkey) = (log.store().clone(), log.view().clone(), log.vkey());
    let directory = log.directory().clone();
    let halt = Arc::new(Halt::default());
    let (queue, submissions) = mpsc::channel::<Submission>(config.admission.queue);
    let witnessed = witnesses.is_some();
    let sequencer = sequencer(log, witnesses, config, halt.clone(), submissions)?;

    let (stop, stopped) = watch::channel(false);
    let (rules, shared) = (&config.admission, &config.server.shared_addresses);
    let admission = Admission::new(rules, shared, store.clone(), directory, halt.clone());
    let look_ups = LookUps::new().map_err(io::Error::other)?;
    let publisher = Publisher::new(view.clone(), admission, queue, halt.clone(), witnessed);
    let log = LogApi::new(publisher, look_ups.clone(), stopped.clone());
    let index = IndexApi::new(view.clone(), look_ups);
    let plain = routes(view, witness, config, &evidence, &peers.peers(), &stopped);
    let plain = plain.map_err(Box::new)?;
    let admin_socket = peers.serve(&config.federation.admin_socket, stopped.clone())?;
    let held = Held::new(limits(&config.server));
    let server = Server {
        app: api(store, plain.router, log, index, evidence, config)?,
        tls: tls.clone(),
        threads: config.server.threads,
        connections: config.server.connections,
        held: held.clone(),
        drain: Duration::from_secs(config.server.drain_s),
    };
    let server = tokio::spawn(server.run(listener, stopped.clone()));
    let admin_api = admin::router(halt.clone(), held, telemetry::metrics());
    let admin_server = tokio::spawn(serve_admin(admin_listener, admin_api, stopped));
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
    })
}

/// Starts the log's sequencer.
fn sequencer<S: Store + 'static>(
    log: Log<S>,
    witnesses: Option<Asking>,
    config: &Config,
    halt: Arc<Halt>,
    queue: mpsc::Receiver<Submission>,
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

pub(crate) async fn listen(
    address: SocketAddr,
    key: &'static str,
) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen {
            address,
            key,
            source,
        })
}

pub(crate) async fn serve_admin(
    listener: TcpListener,
    app: Router,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(stopped)
        .await
}

/// Joins everything on the public port.
fn api<S: Store + 'static>(
    store: Arc<S>,
    plain: Router,
    log: LogApi<S>,
    index: IndexApi<S>,
    evidence: Arc<Evidence>,
    config: &Config,
) -> io::Result<Api<LogApi<S>, IndexApi<S>>> {
    let ledger = Ledger::new(config.attachments.clone());
    count(store.clone(), ledger.clone())?;
    let uploads = Uploads::new(
        config.attachments.address_mib_per_hour,
        &config.server.shared_addresses,
    );
    let uploads = AttachmentServiceServer::new(AttachmentApi::new(store, ledger, uploads))
        .max_decoding_message_size(attachments::MESSAGE_BYTES);
    let federation = FederationApi::server(evidence, &config.server.shared_addresses);
    let services = Routes::new(uploads).add_service(federation);
    Ok(Api::new(log, index, services, plain))
}

/// What is kept of misbehavior, in the node's data folder and in that of its own witness.
fn evidence(
    config: &Config,
    key: &SignerKey,
    witnesses: Option<&Witnesses>,
    own: Option<&WitnessConfig>,
) -> Result<Arc<Evidence>, StartError> {
    let mut known = Known::default();
    known.log(&key.verifier());
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

/// Counts the attachments on a thread of its own.
fn count<S: Store + 'static>(store: Arc<S>, ledger: Arc<Ledger>) -> io::Result<()> {
    let count = move || {
        if let Err(error) = ledger.count(&*store) {
            tracing::error!(%error, "attachments cannot be counted; none are taken");
        }
    };
    std::thread::Builder::new()
        .name("count".into())
        .spawn(count)
        .map(drop)
}

/// How much may be held in memory for callers.
pub(crate) fn limits(config: &ServerConfig) -> held::Limits {
    held::Limits {
        bytes: config.held_mib << 20,
        connections: config.connections,
        stall: Duration::from_secs(config.stall_s),
        shared: config.shared_addresses.clone(),
    }
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
    write_whole(path, &text)
}

/// Writes a file as JSON, whole or not at all.
pub(crate) fn write_whole(path: &Path, text: &serde_json::Value) -> io::Result<()> {
    files::replace(path, format!("{text:#}\n").as_bytes())
}

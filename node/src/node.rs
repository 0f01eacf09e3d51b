//! A node, put together: what `assay-node run` starts, in the order in which it may go wrong.
//!
//! Nothing listens before the store has been held against the anchor. A node that may not sign does
//! not start.

use crate::{
    admission::Admission,
    api::{
        admin,
        app::{Api, MESSAGE_BYTES},
        attachments::AttachmentApi,
        index::IndexApi,
        log::LogApi,
        serve::Server,
        tiles,
        tls::{Tls, TlsError},
    },
    checkpoint_file::{CheckpointFile, CheckpointFileError},
    config::{Config, ConfigError},
    index::{self, Index, IndexError},
    keyfile::{self, KeyFileError},
    records::RecordError,
    registry::Directory,
    sequencer::{Driver, Halt, Submission},
    storage::{
        Head as _, Reads, StorageError,
        rocks::{Options, Rocks},
    },
    view::{StoredTiles, View, stored_root},
};
use assay_claims::sequencer::{Head, HeadError, Refusal, Sequencer, resume};
use assay_proto::v1::attachment_service_server::AttachmentServiceServer;
use assay_tlog::note::{CheckpointError, SignerKey, VerifiedCheckpoint};
use assay_tlog::tree::Edge;
use axum::Router;
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tonic::service::Routes;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key is another log's.
    #[error("the key in {path} is for the origin {key}, but the configuration says {origin}", path = path.display())]
    OtherKey {
        /// Key file.
        path: PathBuf,
        /// Name in the key.
        key: String,
        /// Name in the configuration.
        origin: String,
    },
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The store's rows.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The store's head record.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The store has no head: it was never initialized, or the folder is empty.
    #[error("{path} holds no log. `assay-node init` makes a new one; to go on with an old one, \
        restore its data folder", path = path.display())]
    NoLog {
        /// Data folder.
        path: PathBuf,
    },
    /// The anchor.
    #[error(transparent)]
    CheckpointFile(#[from] CheckpointFileError),
    /// The anchor holds nothing.
    #[error("the checkpoint file {path} holds no checkpoint; init was cut off, so there is no log yet. \
        Remove the folder and run init again", path = path.display())]
    EmptyCheckpointFile {
        /// Anchor file.
        path: PathBuf,
    },
    /// The anchor's checkpoint is not this log's.
    #[error("the checkpoint file {path} does not hold a checkpoint of this log", path = path.display())]
    OtherCheckpointFile {
        /// Anchor file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// The index and the log contradict each other, or the index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The store and the anchor contradict each other.
    #[error("refusing to sign: {0}")]
    Refusal(#[from] Refusal),
    /// TLS files.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address}; is another node running? {key} in the configuration sets the \
         address"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The configuration key.
        key: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The system refused something that a process normally gets.
    #[error("cannot start")]
    System(#[from] io::Error),
}

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
    sequencer: JoinHandle<()>,
    halt: Arc<Halt>,
}

/// A log that was opened and may be signed.
pub struct Opened {
    store: Arc<Rocks>,
    anchor: CheckpointFile,
    checkpoint: VerifiedCheckpoint,
    state: Sequencer,
    key: SignerKey,
}

/// Opens a log and holds its store against its anchor.
pub fn open(config: &Config) -> Result<Opened, StartError> {
    let key = keyfile::load(&config.log.key)?;
    let verifier = key.verifier();
    if verifier.name() != config.log.origin {
        return Err(StartError::OtherKey {
            path: config.log.key.clone(),
            key: verifier.name().to_owned(),
            origin: config.log.origin.clone(),
        });
    }
    let (anchor, note) = CheckpointFile::open(&config.log.anchor)?;
    let note = note.ok_or_else(|| StartError::EmptyCheckpointFile {
        path: config.log.anchor.clone(),
    })?;
    let checkpoint = VerifiedCheckpoint::verify(&note, &verifier).map_err(|source| {
        StartError::OtherCheckpointFile {
            path: config.log.anchor.clone(),
            source,
        }
    })?;
    let options = Options {
        create: false,
        block_cache_mib: config.storage.block_cache_mib,
        ..Options::default()
    };
    let store = Arc::new(Rocks::open(&config.storage.path, options)?);
    let head = store.head()?.ok_or_else(|| StartError::NoLog {
        path: config.storage.path.clone(),
    })?;
    let state = settle(&*store, Head::parse(&head)?, &checkpoint)?;
    Ok(Opened {
        store,
        anchor,
        checkpoint,
        state,
        key,
    })
}

/// Computes both roots from the stored tiles and asks core whether the log may go on. Returns the
/// state to go on from.
pub fn settle(
    store: &impl Reads,
    head: Head,
    anchor: &VerifiedCheckpoint,
) -> Result<Sequencer, StartError> {
    let at_anchor = (head.size >= anchor.size())
        .then(|| stored_root(store, anchor.size()))
        .transpose()?;
    resume(head, anchor, at_anchor, stored_root(store, head.size)?)?;

    let edge = Edge::load(&StoredTiles(store), head.size)
        .map_err(|e| RecordError::Damaged(e.to_string()))?;
    Ok(Sequencer::new(head, edge)
        .ok_or_else(|| RecordError::Damaged("its right edge does not belong to its head".into()))?)
}

impl Node {
    /// Starts everything. When it returns, calls are answered.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_with(config, index::recover).await
    }

    /// As [`Node::start`], with an index of the caller's making: a benchmark measures what keeping
    /// it costs.
    pub async fn start_with(
        config: Config,
        index: impl FnOnce(&Rocks, Head, usize) -> Result<Index, IndexError>,
    ) -> Result<Self, StartError> {
        let Opened {
            store,
            anchor,
            checkpoint,
            state,
            key,
        } = open(&config)?;
        let tls = config
            .server
            .tls
            .clone()
            .map(Tls::load)
            .transpose()?
            .map(Arc::new);
        let listener = listen(config.server.listen, "server.listen").await?;
        let admin_listener = listen(config.server.admin, "server.admin").await?;
        let (address, admin) = (listener.local_addr()?, admin_listener.local_addr()?);

        let halt = Arc::new(Halt::default());
        let directory = Arc::new(Directory::load(&*store)?);
        let (vkey, origin) = (key.verifier().to_string(), config.log.origin.clone());
        tracing::info!(
            %origin,
            size = %state.head().size,
            published = %checkpoint.size(),
            issuers = directory.len(),
            "log opened"
        );
        let index = index(&store, state.head(), config.storage.index_cache_mib)?;
        // After a crash between commit and signature the index is that of a checkpoint which is
        // about to be signed.
        let shown = (state.head().committed == checkpoint.size()).then(|| index.map().clone());
        let view = Arc::new(View::new(
            store.clone(),
            checkpoint,
            shown,
            config.storage.tile_cache_mib,
        )?);
        let (pool, submissions) = mpsc::channel(config.admission.queue);
        let metrics = crate::telemetry::metrics();
        let sequencer = Driver {
            store: store.clone(),
            view: view.clone(),
            directory: directory.clone(),
            anchor,
            key,
            state,
            index,
            interval: Duration::from_millis(config.log.publish_interval_ms),
            halt: halt.clone(),
        }
        .start(submissions, tokio::runtime::Handle::current())?;

        let admission = Admission::new(&config.admission, store.clone(), directory, halt.clone());
        let (stop, stopped) = watch::channel(false);
        let app = app(store, view, admission, pool, halt.clone(), stopped.clone());
        let server = Server {
            app,
            tls: tls.clone(),
            threads: config.server.threads,
            connections: config.server.connections,
            drain: Duration::from_secs(config.server.drain_s),
        };
        let server = tokio::spawn(server.run(listener, stopped.clone()));
        let admin_server = tokio::spawn(serve_admin(
            admin_listener,
            admin::router(halt.clone(), metrics),
            stopped,
        ));
        tracing::info!(%address, %admin, tls = tls.is_some(), "listening");
        Ok(Node {
            address,
            admin,
            vkey,
            origin,
            tls,
            stop,
            server,
            admin_server,
            sequencer,
            halt,
        })
    }

    /// Reads the TLS files again. A file that cannot be used is reported and the old ones stay in
    /// force.
    pub fn reload(&self) {
        match self.tls.as_ref().map(|tls| tls.reload()) {
            None => tracing::info!("SIGHUP: no TLS is configured; nothing to read again"),
            Some(Ok(())) => tracing::info!("SIGHUP: TLS files read again"),
            Some(Err(error)) => {
                tracing::error!(%error, "SIGHUP: the TLS files cannot be used; the old ones stay")
            }
        }
    }

    /// Stops: takes no more connections, lets calls in flight end, publishes what was sequenced.
    pub async fn stop(self) -> io::Result<()> {
        self.stop.send_replace(true);
        let served = self.server.await.map_err(io::Error::other)?;
        let _ = self.admin_server.await;
        // The last sender of the pool went with the server, so the sequencer ends once it has
        // published.
        let sequencer = self.sequencer;
        let _ = tokio::task::spawn_blocking(move || sequencer.join()).await;
        if self.halt.reason().is_none() {
            tracing::info!("stopped; everything acknowledged is published");
        }
        served
    }
}

async fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen {
            address,
            key,
            source,
        })
}

async fn serve_admin(
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

fn app(
    store: Arc<Rocks>,
    view: Arc<View<Rocks>>,
    admission: Admission<Rocks>,
    pool: mpsc::Sender<Submission>,
    halt: Arc<Halt>,
    stopping: watch::Receiver<bool>,
) -> Api<LogApi<Rocks>, IndexApi<Rocks>> {
    let log = LogApi::new(view.clone(), admission, pool, halt, stopping);
    let attachments = AttachmentServiceServer::new(AttachmentApi::new(store))
        .max_decoding_message_size(MESSAGE_BYTES);
    Api::new(
        log,
        IndexApi::new(view.clone()),
        Routes::new(attachments),
        tiles::router(view),
    )
}

/// Writes what a script needs to reach the node, whole or not at all.
pub fn write_ready_file(path: &Path, node: &Node) -> io::Result<()> {
    let scheme = if node.tls.is_some() { "https" } else { "http" };
    let text = serde_json::json!({
        "url": format!("{scheme}://{}", node.address),
        "admin": format!("http://{}", node.admin),
        "origin": node.origin,
        "vkey": node.vkey,
    });
    let draft = path.with_extension("tmp");
    std::fs::write(&draft, format!("{text:#}\n"))?;
    std::fs::rename(&draft, path)
}

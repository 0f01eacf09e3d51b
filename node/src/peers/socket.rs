//! The admin socket: how `assay-node peer` changes the peers of a node that runs.
//!
//! HTTP over a unix socket. Only the user that the node runs as, and root, are answered: the system
//! says who connects. A command that finds no node changes the file itself.

use super::{FILE_BYTES, PeerFile, PeersError};
use crate::reason::with_causes;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::post,
    serve::Listener,
};
use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{UnixListener, UnixStream, unix::SocketAddr},
    sync::watch,
    task::JoinHandle,
};

/// How long a command waits for the node.
const PATIENCE: Duration = Duration::from_secs(30);

impl PeerFile {
    /// Lets commands change the file at the socket `path`, and use `more` routes, until `stop` says
    /// so. Must be called on a tokio runtime. Fails with [`PeersError::Socket`].
    pub fn serve(
        self,
        path: &Path,
        more: Router,
        mut stop: watch::Receiver<bool>,
    ) -> Result<JoinHandle<io::Result<()>>, PeersError> {
        let listener = bind(path).map_err(|source| PeersError::Socket {
            path: path.to_owned(),
            source,
        })?;
        let listener = Own(listener, rustix::process::geteuid().as_raw());
        let routes = Router::new()
            .route("/peers/add", post(add))
            .route("/peers/remove", post(remove))
            .route("/peers/update", post(update))
            .with_state(Arc::new(Mutex::new(self)))
            .merge(more)
            .layer(DefaultBodyLimit::max(FILE_BYTES));
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let path = path.to_owned();
        Ok(tokio::spawn(async move {
            let served = axum::serve(listener, routes).with_graceful_shutdown(stopped);
            let served = served.await;
            let _ = fs::remove_file(path);
            served
        }))
    }
}

/// Binds the socket. What a node that was killed left there is removed; anything else stays.
fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Ok(left) = fs::symlink_metadata(path)
        && left.file_type().is_socket()
    {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A listener that hears one user, and root.
struct Own(UnixListener, u32);

impl Listener for Own {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.0).await;
            match stream.peer_cred() {
                Ok(who) if who.uid() == self.1 || who.uid() == 0 => return (stream, address),
                Ok(who) => tracing::warn!(uid = who.uid(), "the admin socket refused a user"),
                Err(error) => tracing::warn!(%error, "the admin socket cannot tell who connects"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

type Shared = State<Arc<Mutex<PeerFile>>>;

async fn add(State(file): Shared, text: String) -> (StatusCode, String) {
    change(file, move |file| Ok(file.add(&text)?.join("\n"))).await
}

async fn update(State(file): Shared, text: String) -> (StatusCode, String) {
    change(file, move |file| Ok(file.update(&text)?.join("\n"))).await
}

async fn remove(State(file): Shared, name: String) -> (StatusCode, String) {
    change(file, move |file| file.remove(&name).map(|()| name)).await
}

/// Changes the file on a thread that may wait for the disk.
async fn change(
    file: Arc<Mutex<PeerFile>>,
    change: impl FnOnce(&mut PeerFile) -> Result<String, PeersError> + Send + 'static,
) -> (StatusCode, String) {
    let changing = tokio::task::spawn_blocking(move || {
        // A panic in the middle leaves the file whole, and the peers as they are in it.
        change(&mut file.lock().unwrap_or_else(PoisonError::into_inner))
    });
    match changing.await {
        Ok(Ok(what)) => {
            tracing::info!(peers = what.replace('\n', " "), "peers changed");
            (StatusCode::OK, what)
        }
        Ok(Err(error @ PeersError::Io { .. })) => {
            (StatusCode::INTERNAL_SERVER_ERROR, with_causes(&error))
        }
        Ok(Err(error)) => (StatusCode::CONFLICT, with_causes(&error)),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// Returns what the node at the socket says of logs: `what` is `standing`, for what it has against
/// them, or `copies`, for how their audits are. `None` if no node answers, or it copies none.
pub async fn told(socket: &Path, what: &str) -> Option<String> {
    let client = reqwest::Client::builder().unix_socket(socket);
    let client = client.timeout(PATIENCE).build().ok()?;
    let answer = client
        .get(format!("http://node/{what}"))
        .send()
        .await
        .ok()?;
    answer.error_for_status().ok()?.text().await.ok()
}

/// Asks the node at the socket for a change: `what` is the path, below `/`. Fails with its words.
pub async fn ask(socket: &Path, what: &str, body: String) -> Result<String, String> {
    let unreachable = |error: reqwest::Error| {
        format!(
            "a node or another command has the peers, and does not answer at {}: {}",
            socket.display(),
            with_causes(&error)
        )
    };
    let client = reqwest::Client::builder()
        .unix_socket(socket)
        .timeout(PATIENCE)
        .build()
        .map_err(unreachable)?;
    let url = format!("http://node/{what}");
    let answer = client.post(url).body(body).send().await;
    let answer = answer.map_err(unreachable)?;
    let status = answer.status();
    let said = answer.text().await.map_err(unreachable)?;
    if status.is_success() {
        Ok(said)
    } else {
        Err(said)
    }
}

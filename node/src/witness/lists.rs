//! The lists of the configuration, checked at the start and each day after, and what the admin
//! socket brings. Both add to the same file ([`super::listed`]).

use super::config::LogListConfig;
use super::listed::{Imported, ListedError};
use super::logs;
use super::service::Witness;
use super::source::demand_source;
use crate::http_client;
use crate::peers::Peers;
use crate::reason::with_causes;
use assay_host::files;
use assay_tlog::limits::LIST_BYTES;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::post,
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// How often lists are read.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How soon a list is read again that could not be had.
const SOON: Duration = Duration::from_secs(3600);

/// How long a list may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a list: `file:PATH`, `http://…` or `https://…`. Fails with why there is none.
pub async fn fetch(source: &str) -> Result<Vec<u8>, String> {
    if let Some(path) = source.strip_prefix("file:") {
        return read(Path::new(path)).map_err(|error| format!("cannot read {path}: {error}"));
    }
    let failed = |error: reqwest::Error| with_causes(&error);
    let client = http_client::builder().timeout(PATIENCE).build();
    let answer = client.map_err(failed)?.get(source).send().await;
    let answer = answer.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(format!("{source} answered {}", answer.status()));
    }
    let bytes = http_client::body(answer, LIST_BYTES)
        .await
        .map_err(failed)?;
    bytes.ok_or_else(|| format!("{source} has more than {LIST_BYTES} bytes"))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    // One byte more than may be says that it is too long.
    let file = files::open(path)?;
    file.take(LIST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Has the witness take the logs of the peers, and those of its lists, now and each day, until
/// `stop` says so. Returns the route of the admin socket by which lists are brought.
pub fn begin(
    witness: &Arc<Witness>,
    lists: Vec<LogListConfig>,
    peers: &Peers,
    stop: &watch::Receiver<bool>,
) -> Router {
    logs::follow(witness, peers.clone());
    let following = follow(witness.clone(), lists, peers.clone(), stop.clone());
    tokio::spawn(following);
    routes(witness.clone(), peers.clone())
}

/// Reads the lists now, and each day, until `stop` says so. What goes wrong is reported; what was
/// taken before stays.
async fn follow(
    witness: Arc<Witness>,
    lists: Vec<LogListConfig>,
    peers: Peers,
    mut stop: watch::Receiver<bool>,
) {
    let mut due: Vec<Instant> = vec![Instant::now(); lists.len()];
    while let Some(first) = due.iter().min().copied() {
        tokio::select! {
            () = tokio::time::sleep_until(first) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        for (list, due) in lists.iter().zip(&mut due) {
            if *due > Instant::now() {
                continue;
            }
            let source = &list.source;
            let taken = match fetch(source).await {
                Ok(bytes) => take(&witness, bytes, source.clone(), &peers).await,
                Err(why) => Err(why),
            };
            *due = Instant::now() + if taken.is_ok() { DAY } else { SOON };
            match taken {
                Ok(imported) => report(source, &imported),
                Err(why) => {
                    tracing::error!(
                        source,
                        why,
                        "a list of logs cannot be read; nothing changed"
                    );
                }
            }
        }
    }
}

fn report(source: &str, imported: &Imported) {
    metrics::gauge!("assay_log_list_differing", "source" => source.to_owned())
        .set(imported.differing.len() as f64);
    tracing::info!(
        source,
        added = imported.added.len(),
        "a list of logs was read"
    );
    for line in imported.lines() {
        if line.starts_with("NOT CHANGED") {
            tracing::error!(source, "{line}");
        } else {
            tracing::info!(source, "{line}");
        }
    }
}

/// Takes a list on a thread that may wait for the disk.
async fn take(
    witness: &Arc<Witness>,
    bytes: Vec<u8>,
    source: String,
    peers: &Peers,
) -> Result<Imported, String> {
    let (witness, peers) = (witness.clone(), peers.clone());
    let taking = tokio::task::spawn_blocking(move || -> Result<Imported, ListedError> {
        witness.take_list(&bytes, &source, &peers.now())
    });
    match taking.await {
        Ok(taken) => taken.map_err(|error| with_causes(&error)),
        Err(error) => Err(error.to_string()),
    }
}

/// The route of the admin socket, `POST /log-lists/import`: the first line of the body says where
/// the list is from, the rest is the list.
fn routes(witness: Arc<Witness>, peers: Peers) -> Router {
    Router::new()
        .route("/log-lists/import", post(import))
        .layer(DefaultBodyLimit::max(LIST_BYTES + 4096))
        .with_state((witness, peers))
}

async fn import(
    State((witness, peers)): State<(Arc<Witness>, Peers)>,
    body: Bytes,
) -> (StatusCode, String) {
    let Some(at) = body.iter().position(|byte| *byte == b'\n') else {
        return (StatusCode::BAD_REQUEST, "no list came".to_owned());
    };
    let source = String::from_utf8_lossy(&body[..at]).into_owned();
    if let Err(wrong) = demand_source(&source) {
        return (
            StatusCode::BAD_REQUEST,
            format!("the list's source {wrong}"),
        );
    }
    match take(&witness, body[at + 1..].to_vec(), source.clone(), &peers).await {
        Ok(imported) => {
            report(&source, &imported);
            (StatusCode::OK, imported.lines().join("\n"))
        }
        Err(why) => (StatusCode::CONFLICT, why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{http::header, routing::get};

    /// Where a list is from stands in the configuration, and nobody else says so.
    #[tokio::test]
    async fn a_list_is_not_looked_for_elsewhere() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let moved = (StatusCode::FOUND, [(header::LOCATION, "/list")]);
        let routes = Router::new()
            .route("/list", get(async || "logs/v0\n"))
            .route("/moved", get(async move || moved));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        assert_eq!(fetch(&format!("{url}/list")).await.unwrap(), b"logs/v0\n");
        let refused = fetch(&format!("{url}/moved")).await.unwrap_err();
        assert!(refused.contains("answered 302"), "{refused}");
    }
}

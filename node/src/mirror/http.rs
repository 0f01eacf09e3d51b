//! The routes of a mirror: `GET /mirror/<digest>/checkpoint` and `/mirror/<digest>/tile/…`, where
//! the digest is the SHA-256 of the log's origin, in lower-case hex (C2SP tlog-mirror).

use super::shelf::Shelf;
use super::upload;
use crate::api::{peer::Peer, tiles};
use crate::quota::Senders;
use crate::storage::Tables;
use axum::{
    Extension, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

/// What the routes need.
struct Copies<S> {
    store: Arc<S>,
    shelf: Arc<Shelf<S>>,
}

/// Returns the routes. `senders` counts what networks send.
pub fn router<S: Tables + 'static>(
    store: Arc<S>,
    shelf: Arc<Shelf<S>>,
    senders: Arc<Senders>,
) -> Router {
    Router::new()
        .route("/mirror/{digest}/checkpoint", get(checkpoint::<S>))
        .route("/mirror/{digest}/tile/{*path}", get(tile::<S>))
        .with_state(Arc::new(Copies {
            store,
            shelf: shelf.clone(),
        }))
        .merge(upload::router(shelf, senders))
}

async fn checkpoint<S: Tables + 'static>(
    State(copies): State<Arc<Copies<S>>>,
    Path(digest): Path<String>,
) -> Response {
    let log = copies.shelf.log(&digest);
    match log.and_then(|log| log.shown.note()) {
        Some(note) => tiles::checkpoint_answer(note),
        None => (
            StatusCode::NOT_FOUND,
            "no checkpoint of this log is mirrored here\n",
        )
            .into_response(),
    }
}

async fn tile<S: Tables + 'static>(
    State(copies): State<Arc<Copies<S>>>,
    Extension(peer): Extension<Peer>,
    Path((digest, path)): Path<(String, String)>,
) -> Response {
    let Some(log) = copies.shelf.log(&digest) else {
        return (StatusCode::NOT_FOUND, "this log is not mirrored here\n").into_response();
    };
    tiles::tile_answer(&peer, &path, |path| log.shown.read(&*copies.store, path)).await
}

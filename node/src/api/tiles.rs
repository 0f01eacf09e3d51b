//! C2SP tlog-tiles over HTTP: `/checkpoint`, `/tile/<level>/<index>[.p/<width>]` and
//! `/tile/entries/…`.
//!
//! Tiles are served of what is signed, also before a quorum has cosigned it, so that witnesses and
//! mirrors can read them. A tile of an unsigned tree proves nothing.

use super::{metered::Paid, peer::Peer};
use crate::{
    held::NoRoom,
    records::{self, RecordError, WIDTH},
    storage::Tables,
    view::{Published, View, read_tile_bytes},
};
use assay_tlog::Hash;
use assay_tlog::tree::{Resource, TilePath};
use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use std::sync::Arc;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Returns the routes of the public port.
pub fn router<S: Tables + 'static>(view: Arc<View<S>>) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint::<S>))
        .route("/tile/{*path}", get(tile::<S>))
        .with_state(view)
}

async fn checkpoint<S: Tables>(State(view): State<Arc<View<S>>>) -> Response {
    match view.published() {
        Ok(published) => checkpoint_answer(Bytes::from_owner(Note(published))),
        Err(error) => {
            let retry = [(header::RETRY_AFTER, "5")];
            (StatusCode::SERVICE_UNAVAILABLE, retry, format!("{error}\n")).into_response()
        }
    }
}

/// The note of what is published, which its readers share.
struct Note(Arc<Published>);

impl AsRef<[u8]> for Note {
    fn as_ref(&self) -> &[u8] {
        self.0.note().as_bytes()
    }
}

/// The answer that is a note. No room is taken for it: it is to be one that everybody who is sent
/// it shares.
pub(crate) fn checkpoint_answer(note: Bytes) -> Response {
    answer("text/plain; charset=utf-8", "no-cache", note)
}

async fn tile<S: Tables>(
    State(view): State<Arc<View<S>>>,
    Extension(peer): Extension<Peer>,
    Path(path): Path<String>,
) -> Response {
    tile_answer(&peer, &path, |path| read(&view, path)).await
}

/// The answer that is what `read` finds at a path below `tile/`. Room is taken for it.
pub(crate) async fn tile_answer(
    peer: &Peer,
    path: &str,
    read: impl Fn(TilePath) -> Result<Option<Bytes>, RecordError>,
) -> Response {
    let Ok(path) = TilePath::parse(&format!("tile/{path}")) else {
        return (
            StatusCode::NOT_FOUND,
            "this is not a tile path; see c2sp.org/tlog-tiles\n",
        )
            .into_response();
    };
    let made = || {
        let bytes = read(path)?;
        let size = bytes.as_ref().map_or(0, Bytes::len);
        Ok::<_, Unread>((bytes, size))
    };
    match peer.account.made(made).await {
        Ok((Some(bytes), hold)) => {
            let mut response = answer("application/octet-stream", IMMUTABLE, bytes);
            response
                .extensions_mut()
                .insert(Paid::Whole(Arc::new(hold)));
            response
        }
        Ok((None, _)) => (StatusCode::NOT_FOUND, "the log has no such tile yet\n").into_response(),
        Err(Unread::NoRoom(error)) => {
            metrics::counter!("assay_refused_total", "limit" => "memory").increment(1);
            let retry = [(header::RETRY_AFTER, "5")];
            (StatusCode::SERVICE_UNAVAILABLE, retry, format!("{error}\n")).into_response()
        }
        Err(Unread::Record(error)) => {
            tracing::error!(%error, "a tile cannot be read");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "this node cannot read its own store; its operator was told\n",
            )
                .into_response()
        }
    }
}

/// Why a tile was not read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    #[error(transparent)]
    Record(#[from] RecordError),
}

fn read<S: Tables>(view: &View<S>, path: TilePath) -> Result<Option<Bytes>, RecordError> {
    let size = view.signed();
    let width = u64::from(path.width());
    match path.resource() {
        Resource::Tile(tile) => {
            if width > u64::from(tile.width_at(size)) {
                return Ok(None);
            }
            let bytes = read_tile_bytes(view.store(), tile, size)?;
            let wanted = width as usize * Hash::LEN;
            Ok((wanted <= bytes.len()).then(|| bytes.slice(..wanted)))
        }
        Resource::Entries(bundle) => {
            let end = bundle
                .checked_mul(WIDTH)
                .and_then(|start| start.checked_add(width));
            if end.is_none_or(|end| end > size.get()) {
                return Ok(None);
            }
            records::read_bundle(view.store(), bundle, width).map(Some)
        }
    }
}

fn answer(kind: &'static str, caching: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

//! `GET /misbehavior`, a line for each file: id, kind, culprit, and of a breach who judged it; and
//! `GET /misbehavior/<id>`, the file.

use super::{Evidence, FolderError};
use crate::{
    api::{metered::Paid, peer::Peer},
    held::NoRoom,
};
use assay_tlog::Hash;
use axum::{
    Extension, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{fmt::Write as _, sync::Arc};

const TEXT: &str = "text/plain; charset=utf-8";

/// Returns the routes.
pub fn router(evidence: Arc<Evidence>) -> Router {
    Router::new()
        .route("/misbehavior", get(list))
        .route("/misbehavior/{id}", get(file))
        .with_state(evidence)
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

async fn list(State(evidence): State<Arc<Evidence>>, Extension(peer): Extension<Peer>) -> Response {
    let lines = || {
        let mut lines = String::new();
        for listed in evidence.list(None) {
            // Writing to a string does not fail.
            let _ = write!(lines, "{} {} {}", listed.id, listed.kind, listed.culprit);
            let _ = match listed.verifier {
                Some(verifier) => writeln!(lines, " {verifier}"),
                None => writeln!(lines),
            };
        }
        let bytes = lines.len();
        Ok((Some(lines.into_bytes()), bytes))
    };
    respond(peer.account.made(lines).await, "no-cache")
}

async fn file(
    State(evidence): State<Arc<Evidence>>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
) -> Response {
    let id = Hash::from_hex(&id);
    let file = || {
        let text = id.map_or(Ok(None), |id| evidence.read(&id))?;
        let bytes = text.as_ref().map_or(0, Vec::len);
        Ok((text, bytes))
    };
    let caching = "public, max-age=31536000, immutable";
    respond(peer.account.made(file).await, caching)
}

fn respond(
    made: Result<(Option<Vec<u8>>, crate::held::Hold), Unread>,
    caching: &'static str,
) -> Response {
    let plain = (header::CONTENT_TYPE, TEXT);
    match made {
        Ok((Some(text), hold)) => {
            let headers = [plain, (header::CACHE_CONTROL, caching)];
            let mut response = (headers, text).into_response();
            let paid = Paid::Whole(Arc::new(hold));
            response.extensions_mut().insert(paid);
            response
        }
        Ok((None, _)) => {
            let nothing = "no such misbehavior is known here; see /misbehavior\n";
            (StatusCode::NOT_FOUND, [plain], nothing).into_response()
        }
        Err(Unread::NoRoom(error)) => {
            metrics::counter!("assay_refused_total", "limit" => "memory").increment(1);
            let headers = [plain, (header::RETRY_AFTER, "5")];
            (
                StatusCode::SERVICE_UNAVAILABLE,
                headers,
                format!("{error}\n"),
            )
                .into_response()
        }
        Err(Unread::Folder(error)) => {
            tracing::error!(%error, "misbehavior cannot be read");
            let failed = "this node cannot read it; its operator was told\n";
            (StatusCode::INTERNAL_SERVER_ERROR, [plain], failed).into_response()
        }
    }
}

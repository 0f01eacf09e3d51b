//! The routes of an auditor, beside those of the mirror; the digest is the SHA-256 of the log's
//! origin, in lower-case hex:
//!
//! | route | what |
//! | --- | --- |
//! | `GET /mirror/<digest>/audit` | how the log is, as JSON |
//! | `GET /mirror/<digest>/audit/checkpoint` | the head that was cosigned last |
//! | `GET /mirror/<digest>/audit/dispute` | the signed note on an index that is another |
//! | `GET /mirror/<digest>/audit/breach` | what shows anybody that the log did not keep a rule |

use super::shown::{CopiedLog, Copies};
use super::store::finding_json;
use crate::api::tiles;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

/// Returns the routes.
pub fn router(copies: Copies) -> Router {
    Router::new()
        .route("/mirror/{digest}/audit", get(status))
        .route("/mirror/{digest}/audit/checkpoint", get(audited))
        .route("/mirror/{digest}/audit/dispute", get(dispute))
        .route("/mirror/{digest}/audit/breach", get(breach))
        .with_state(copies)
}

async fn status(State(copies): State<Copies>, Path(digest): Path<String>) -> Response {
    let Some(log) = copies.log(&digest) else {
        return unknown();
    };
    let status = log.status.load();
    Json(json!({
        "origin": log.origin,
        "state": status.state.name(),
        "replayed": status.replayed,
        "audited": status.audited,
        "finding": status.finding.as_ref().map(finding_json),
        "breach": status.breach.as_ref().map(|breach| json!({
            "id": breach.id.to_hex(),
            "kind": breach.kind,
            "verifier": breach.verifier,
        })),
    }))
    .into_response()
}

async fn audited(State(copies): State<Copies>, Path(digest): Path<String>) -> Response {
    let nothing = "no checkpoint of this log was audited here\n";
    note(&copies, &digest, nothing, |log| log.audited.load_full())
}

async fn dispute(State(copies): State<Copies>, Path(digest): Path<String>) -> Response {
    let nothing = "the index of this log is not disputed here\n";
    note(&copies, &digest, nothing, |log| log.dispute.load_full())
}

async fn breach(State(copies): State<Copies>, Path(digest): Path<String>) -> Response {
    let nothing = "nothing here shows that this log did not keep a rule\n";
    note(&copies, &digest, nothing, |log| log.breach.load_full())
}

/// A text that its readers share.
struct Text(Arc<String>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn note(
    copies: &Copies,
    digest: &str,
    nothing: &'static str,
    read: impl Fn(&CopiedLog) -> Option<Arc<String>>,
) -> Response {
    let Some(log) = copies.log(digest) else {
        return unknown();
    };
    match read(&log) {
        Some(note) => tiles::checkpoint_answer(Bytes::from_owner(Text(note))),
        None => (StatusCode::NOT_FOUND, nothing).into_response(),
    }
}

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, "this log is not audited here\n").into_response()
}

//! `GET /heads`, the largest known head of each log, and `POST /heads`, which takes some.
//!
//! Notes stand one after the other, with an empty line between.

use super::serve::Desk;
use crate::api::{
    body::{self, Unread},
    metered::Paid,
    peer::Peer,
};
use crate::held::NoRoom;
use crate::quota::{Exceeded, Reports};
use assay_proto::gossip::SUBMITTED_BYTES;
use assay_tlog::gossip::Standing;
use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    fmt::{Display, Write as _},
    net::IpAddr,
    sync::Arc,
};
use tonic::Code;

const TEXT: (header::HeaderName, &str) = (header::CONTENT_TYPE, "text/plain; charset=utf-8");

struct Route {
    desk: Desk,
    quota: Arc<Reports>,
    shown: Reports,
}

/// How often a second one network address is shown all heads.
const SHOWN: u32 = 16;

/// Returns the routes. `quota` says how often one network may submit heads. `shared` are addresses
/// that stand for many callers, who are not limited by them.
pub fn router(desk: Desk, quota: Arc<Reports>, shared: &[IpAddr]) -> Router {
    let shown = Reports::of("address_shown_heads", "asks for heads", SHOWN, shared);
    Router::new()
        .route("/heads", get(show).post(submit))
        .with_state(Arc::new(Route { desk, quota, shown }))
}

/// The route of the admin socket: `GET /standing`, a line for each log that is suspect or
/// convicted.
pub fn admin(desk: Desk) -> Router {
    Router::new()
        .route("/standing", get(standing))
        .with_state(desk)
}

async fn standing(State(desk): State<Desk>) -> String {
    let mut lines = String::new();
    for origin in desk.gossip().origins().iter() {
        let what = match desk.gossip().standing(origin) {
            Standing::Clear => continue,
            Standing::Suspect { size, .. } => format!("suspect, for its head of size {size}"),
            Standing::Convicted => "convicted of misbehavior".to_owned(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{what}\t{origin}");
    }
    lines
}

async fn show(State(route): State<Arc<Route>>, Extension(peer): Extension<Peer>) -> Response {
    if let Err(exceeded) = route.shown.charge(peer.address.ip()) {
        return too_often(exceeded);
    }
    let made = peer.account.made(|| {
        let text = route.desk.gossip().tips().join("\n");
        let bytes = text.len();
        Ok::<_, NoRoom>((text, bytes))
    });
    match made.await {
        Ok((text, hold)) => {
            let caching = (header::CACHE_CONTROL, "no-cache");
            let mut response = ([TEXT, caching], text).into_response();
            let paid = Paid::Whole(Arc::new(hold));
            response.extensions_mut().insert(paid);
            response
        }
        Err(error) => no_room(&error),
    }
}

async fn submit(
    State(route): State<Arc<Route>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    if let Err(exceeded) = route.quota.charge(peer.address.ip()) {
        return too_often(exceeded);
    }
    let body = match body::read(body, SUBMITTED_BYTES, &peer.account).await {
        Ok(body) => body,
        Err(unread) => return not_read(unread),
    };
    let Ok(text) = std::str::from_utf8(&body.bytes) else {
        return said(StatusCode::BAD_REQUEST, "notes are text\n".into());
    };
    match route.desk.submit(notes(text)).await {
        Ok(submitted) => {
            let mut lines = format!("new {}\n", submitted.new);
            for line in submitted.evidence {
                // Writing to a string does not fail.
                let _ = writeln!(lines, "misbehavior {}", line.id);
            }
            said(StatusCode::OK, lines)
        }
        Err(status) if status.code() == Code::InvalidArgument => {
            said(StatusCode::BAD_REQUEST, format!("{}\n", status.message()))
        }
        Err(status) => said(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("{}\n", status.message()),
        ),
    }
}

/// The notes of a text. A note ends with its signature lines.
pub fn notes(text: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = String::new();
    let mut is_signed = false;
    for line in text.split_inclusive('\n') {
        let is_signature = line.starts_with('\u{2014}');
        if is_signed && !is_signature {
            notes.push(std::mem::take(&mut note));
            is_signed = false;
        }
        if note.is_empty() && line == "\n" {
            continue;
        }
        is_signed = is_signature;
        note.push_str(line);
    }
    if !note.is_empty() {
        notes.push(note);
    }
    notes
}

fn too_often(exceeded: Exceeded) -> Response {
    metrics::counter!("assay_refused_total", "limit" => exceeded.limit).increment(1);
    let retry = (header::RETRY_AFTER, exceeded.retry_s.to_string());
    let plain = (TEXT.0, TEXT.1.to_owned());
    let why = format!("{}\n", exceeded.what);
    (StatusCode::TOO_MANY_REQUESTS, [plain, retry], why).into_response()
}

/// The answer to a body that was not read.
fn not_read(unread: Unread) -> Response {
    match unread {
        Unread::TooLong => said(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("at most {SUBMITTED_BYTES} bytes are read\n"),
        ),
        Unread::CutOff => said(StatusCode::BAD_REQUEST, "the body was cut off\n".into()),
        Unread::Late(why) => no_room(&why),
    }
}

fn no_room(why: &impl Display) -> Response {
    metrics::counter!("assay_refused_total", "limit" => "memory").increment(1);
    let retry = (header::RETRY_AFTER, "5");
    let why = format!("{why}\n");
    (StatusCode::SERVICE_UNAVAILABLE, [TEXT, retry], why).into_response()
}

fn said(status: StatusCode, text: String) -> Response {
    (status, [TEXT], text).into_response()
}

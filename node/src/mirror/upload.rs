//! `POST /mirror/add-checkpoint` and `POST /mirror/add-entries`, by which a log brings its entries
//! itself (C2SP tlog-mirror).
//!
//! `core/tlog/src/mirror/` decides and has the statuses. Here is what a stranger may cost: a body
//! is read as it comes, a package at a time, and each package is stored before the next one is
//! read.

use super::copied::Copied;
use super::fault::RoundError;
use super::incoming::{Incoming, Packing};
use super::shelf::Shelf;
use crate::api::app::ADD_ENTRIES;
use crate::api::serve::Peer;
use crate::misbehavior;
use crate::reason::with_causes;
use crate::storage::Tables;
use crate::witness::http::{read, respond};
use crate::witness::service::unavailable;
use assay_tlog::Hash;
use assay_tlog::mirror::{Ended, Package, UPLOAD_PACKAGES, Upload, UploadHeader, UploadRefusal};
use assay_tlog::witness::{Answer, Refusal, Request, SignedRequest, WitnessedLog};
use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
    routing::post,
};
use std::sync::Arc;

/// Returns the routes.
pub fn router<S: Tables + 'static>(shelf: Arc<Shelf<S>>) -> Router {
    Router::new()
        .route("/mirror/add-checkpoint", post(add_checkpoint::<S>))
        .route(ADD_ENTRIES, post(add_entries::<S>))
        .with_state(shelf)
}

async fn add_checkpoint<S: Tables + 'static>(
    State(shelf): State<Arc<Shelf<S>>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    let answer = match read(body, &peer).await {
        Ok(body) => match signed(&shelf, &body) {
            Ok((log, request)) => push(&log, request).await,
            Err(refusal) => refusal.answer(),
        },
        Err(answer) => answer,
    };
    count("add-checkpoint", &answer);
    respond(answer)
}

/// Reads a request, and verifies that a log that is mirrored signed it.
fn signed<S: Tables + 'static>(
    shelf: &Shelf<S>,
    body: &[u8],
) -> Result<(Arc<Copied<S>>, SignedRequest), Refusal> {
    let request = Request::parse(body)?;
    let log = of_origin(shelf, request.origin()).ok_or(Refusal::UnknownOrigin)?;
    let known = WitnessedLog::new((*log.log).clone(), &log.shared.keys.load());
    let known = known.map_err(|_| Refusal::UnknownOrigin)?;
    let request = if log.is_convicted() {
        request.verify(&known.convicted())?
    } else {
        request.verify(&known)?
    };
    log.charge().map_err(|retry_after_s| {
        log.shared.seen.saw(request.head());
        Refusal::OverQuota { retry_after_s }
    })?;
    Ok((log, request))
}

/// Makes a head pending.
async fn push<S: Tables + 'static>(log: &Arc<Copied<S>>, request: SignedRequest) -> Answer {
    let head = request.head().clone();
    let answer = pushed(log, request).await;
    if answer.status != 200 {
        log.shared.seen.saw(&head);
    }
    answer
}

async fn pushed<S: Tables + 'static>(log: &Arc<Copied<S>>, request: SignedRequest) -> Answer {
    if let Err(reason) = log.limits.check_size(request.head().size()) {
        return unavailable(&format!("there is no room for this log: {reason}"), None);
    }
    let pushed = log.with(move |copy| {
        let held = copy.mirror.held().cloned();
        let pushed = copy.add_checkpoint(&request)?;
        let found = pushed.as_ref().err().and_then(|refused| {
            refused.contradiction.as_ref()?;
            misbehavior::against(held.as_ref(), request.head())
        });
        Ok((pushed, found))
    });
    let (pushed, found) = match pushed.await {
        Ok(pushed) => pushed,
        Err(error) => return failed(log, &error),
    };
    if let (Some(found), Some(evidence)) = (found, log.shared.evidence.clone()) {
        // It reports what it keeps, and what it cannot.
        let _ = tokio::task::spawn_blocking(move || evidence.keep(&found)).await;
    }
    match pushed {
        Ok(()) => Answer {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            retry_after_s: None,
            body: String::new(),
        },
        Err(refused) => refused.refusal.answer(),
    }
}

async fn add_entries<S: Tables + 'static>(
    State(shelf): State<Arc<Shelf<S>>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = match Packing::of(&headers) {
        Ok(packing) => take(&shelf, body, packing).await,
        Err(refusal) => refusal.answer(None),
    };
    count("add-entries", &answer);
    let mut response = respond(answer);
    let accepted = HeaderValue::from_static("gzip");
    response
        .headers_mut()
        .insert(header::ACCEPT_ENCODING, accepted);
    response
}

/// Reads the header of an upload, and decides whether it is taken.
async fn take<S: Tables + 'static>(shelf: &Shelf<S>, body: Body, packing: Packing) -> Answer {
    let mut incoming = Incoming::new(body, packing);
    let header = loop {
        match UploadHeader::read(incoming.bytes()) {
            Ok(Some((header, length))) => {
                incoming.consume(length);
                break header;
            }
            Ok(None) if incoming.more().await => {}
            Ok(None) => return Ended::Nothing(None).answer(),
            Err(malformed) => return Ended::Nothing(Some(malformed)).answer(),
        }
    };
    let log = header.origin().and_then(|origin| of_origin(shelf, origin));
    let Some(log) = log else {
        return UploadRefusal::UnknownOrigin.answer(None);
    };
    if log.is_convicted() {
        return UploadRefusal::Convicted.answer(None);
    }
    let Ok(_place) = log.uploads.clone().try_acquire_owned() else {
        let mut answer = unavailable(
            "as many uploads of this log as may be are going on",
            Some(5),
        );
        answer.status = 429;
        return answer;
    };
    let Some(room) = log.shared.memory.upload_room().await else {
        return unavailable("there is no memory for another upload now", Some(5));
    };
    incoming.give_room(room);
    let recalled = log.shared.tickets.open(header.ticket());
    // A note that this process accepted, so that the log's keys verify it still.
    let recalled = recalled.and_then(|note| log.log.verify(note).ok());
    match log
        .with(move |copy| Ok(copy.accept(header, recalled)))
        .await
    {
        Ok(Ok(upload)) => match packages(&log, incoming, Arc::new(upload)).await {
            Ok(answer) => answer,
            Err(error) => failed(&log, &error),
        },
        Ok(Err(answer)) => answer,
        Err(error) => failed(&log, &error),
    }
}

/// Stores one package after the other, until there is no further one.
async fn packages<S: Tables + 'static>(
    log: &Arc<Copied<S>>,
    mut incoming: Incoming,
    upload: Arc<Upload>,
) -> Result<Answer, RoundError> {
    let mut saved = 0;
    while let Some(range) = upload.package(saved) {
        if saved == UPLOAD_PACKAGES {
            return prefix(log, upload).await;
        }
        let count = range.end - range.start;
        let package = loop {
            match Package::read(incoming.bytes(), count) {
                Ok(Some((package, length))) => {
                    incoming.consume(length);
                    break Ok(package);
                }
                Ok(None) if incoming.more().await => {}
                Ok(None) => break Err(None),
                Err(malformed) => break Err(Some(malformed)),
            }
        };
        let package = match package {
            Ok(package) => package,
            Err(_) if saved > 0 => return prefix(log, upload).await,
            Err(None) if incoming.found_no_room() => {
                let why = "there is no memory for a package of this size now";
                return Ok(unavailable(why, Some(5)));
            }
            Err(malformed) => return Ok(Ended::Nothing(malformed).answer()),
        };
        let whole = upload.clone();
        let stored = log.with(move |copy| copy.append_package(&whole, range, package));
        if let Err(fault) = stored.await? {
            return Ok(Ended::Wrong(fault).answer());
        }
        saved += 1;
        incoming.package_stored();
    }
    log.with(move |copy| copy.complete_upload(&upload)).await
}

/// The answer to an upload that goes on in another request.
async fn prefix<S: Tables + 'static>(
    log: &Arc<Copied<S>>,
    upload: Arc<Upload>,
) -> Result<Answer, RoundError> {
    let info = log.with(move |copy| Ok(copy.info(upload.head())));
    Ok(Ended::Prefix(info.await?).answer())
}

fn of_origin<S: Tables + 'static>(shelf: &Shelf<S>, origin: &str) -> Option<Arc<Copied<S>>> {
    shelf.log(&Hash::of(origin.as_bytes()).to_hex())
}

/// The answer of a mirror that cannot, through no fault of who asked. The operator reads why.
fn failed<S: Tables + 'static>(log: &Copied<S>, error: &RoundError) -> Answer {
    let (origin, reason) = (log.log.origin(), with_causes(error));
    match error {
        RoundError::Stopped => unavailable("this log is not mirrored here any more", Some(5)),
        RoundError::NoRoom(_) => {
            tracing::warn!(origin, reason, "an upload finds no room");
            unavailable("there is no room for more of this log", None)
        }
        _ => {
            tracing::error!(origin, reason, "an upload cannot be stored");
            unavailable(
                "this mirror cannot store or cosign; its operator has to look",
                None,
            )
        }
    }
}

fn count(path: &'static str, answer: &Answer) {
    let status = answer.status.to_string();
    metrics::counter!("assay_mirror_requests_total", "path" => path, "status" => status)
        .increment(1);
}

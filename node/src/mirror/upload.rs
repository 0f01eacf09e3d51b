//! `POST /mirror/add-checkpoint` and `POST /mirror/add-entries`, by which a log brings its entries
//! itself (C2SP tlog-mirror).
//!
//! `core/tlog/src/mirror/` decides and has the statuses. Here is what a stranger may cost: a body
//! is read as it comes, a package at a time, and each package is stored before the next one is
//! read.

use super::copied::Copied;
use super::fault::RoundError;
use super::incoming::{HEADER_ROOM, Incoming, Packing, SMALL};
use super::shelf::Shelf;
use crate::api::app::ADD_ENTRIES;
use crate::api::gate::late;
use crate::api::peer::Peer;
use crate::held::{Hold, Kind};
use crate::misbehavior;
use crate::quota::Senders;
use crate::reason::with_causes;
use crate::storage::Tables;
use crate::witness::http::{read, respond};
use crate::witness::service::{too_often, unavailable};
use assay_claims::misbehavior::VerifiedMisbehavior;
use assay_tlog::Hash;
use assay_tlog::mirror::{
    Ended, MalformedUpload, Package, PackageFault, UPLOAD_PACKAGES, Upload, UploadHeader,
    UploadRefusal,
};
use assay_tlog::tree::tile::TILE_WIDTH;
use assay_tlog::witness::{Answer, LogState, Refusal, Request, SignedRequest, WitnessedLog};
use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use std::{ops::Range, sync::Arc};

/// What the routes need.
struct Desk<S> {
    shelf: Arc<Shelf<S>>,
    senders: Arc<Senders>,
}

/// Returns the routes. `senders` counts what networks send.
pub fn router<S: Tables + 'static>(shelf: Arc<Shelf<S>>, senders: Arc<Senders>) -> Router {
    Router::new()
        .route("/mirror/add-checkpoint", post(add_checkpoint::<S>))
        .route(ADD_ENTRIES, post(add_entries::<S>))
        .with_state(Arc::new(Desk { shelf, senders }))
}

async fn add_checkpoint<S: Tables + 'static>(
    State(desk): State<Arc<Desk<S>>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    let answer = match read(body, &peer, &desk.senders).await {
        Ok(body) => {
            let _place = desk.senders.deciding(peer.address.ip()).await;
            match signed(&desk.shelf, &body.bytes) {
                Ok((log, request)) => decided(&log, request).await,
                Err(refusal) => refusal.answer(),
            }
        }
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
    Ok((log, request))
}

/// Answers what changes nothing, which anybody may ask, without the copy; and has the copy decide
/// the rest.
async fn decided<S: Tables + 'static>(log: &Arc<Copied<S>>, request: SignedRequest) -> Answer {
    let Some(held) = log.shown.held.load_full() else {
        return push(log, request).await;
    };
    let (size, root) = (held.size(), held.root());
    let state = LogState::Held { size, root, at: 0 };
    if request.head().size() <= size {
        match request.refusal(&state) {
            None => return accepted(),
            Some(refusal @ Refusal::OtherSize(_)) => {
                if let Some(found) = misbehavior::against(Some(&held), request.head()) {
                    convict(log, found).await;
                }
                log.shared.seen.saw(request.head());
                return refusal.answer();
            }
            Some(_) => {}
        }
    }
    if let Err(retry_after_s) = log.quota.charge(&request, &state) {
        log.shared.seen.saw(request.head());
        return Refusal::OverQuota { retry_after_s }.answer();
    }
    push(log, request).await
}

/// A head is pending, or was before.
fn accepted() -> Answer {
    Answer {
        status: 200,
        content_type: "text/plain; charset=utf-8",
        retry_after_s: None,
        body: String::new(),
    }
}

/// Keeps what convicts the log.
async fn convict<S: Tables + 'static>(log: &Copied<S>, found: VerifiedMisbehavior) {
    if let Some(evidence) = log.shared.evidence.clone() {
        // It reports what it keeps, and what it cannot.
        let _ = tokio::task::spawn_blocking(move || evidence.keep(&found)).await;
    }
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
    if let Some(found) = found {
        convict(log, found).await;
    }
    match pushed {
        Ok(()) => accepted(),
        Err(refused) => refused.refusal.answer(),
    }
}

async fn add_entries<S: Tables + 'static>(
    State(desk): State<Arc<Desk<S>>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = match Packing::of(&headers) {
        Ok(packing) => counted(&desk, &peer, body, packing).await,
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

/// Takes an upload, and charges it to the network that it comes from: much until it is known that
/// the entries are the log's. Who goes away before that has paid.
async fn counted<S: Tables + 'static>(
    desk: &Desk<S>,
    peer: &Peer,
    body: Body,
    packing: Packing,
) -> Answer {
    let from = peer.address.ip();
    if let Err(exceeded) = desk.senders.upload(from) {
        return too_often(&exceeded);
    }
    let answer = take(desk, peer, body, packing).await;
    if answer.status != 422 {
        desk.senders.was_right(from);
    }
    answer
}

/// The header of an upload, the log that it is of, and room for what was kept of it.
struct Begun<S> {
    log: Arc<Copied<S>>,
    header: UploadHeader,
    incoming: Incoming,
    hold: Option<Hold>,
}

/// Reads the header of an upload. It is refused as soon as its log is known not to be mirrored.
async fn begin<S: Tables + 'static>(
    shelf: &Shelf<S>,
    peer: &Peer,
    body: Body,
    packing: Packing,
) -> Result<Begun<S>, Answer> {
    // What unpacks takes memory, too.
    let hold = match packing {
        Packing::Plain => return read_header(shelf, peer, body, packing, None).await,
        Packing::Gzip => header_room(peer).await?,
    };
    tokio::select! {
        begun = read_header(shelf, peer, body, packing, Some(hold)) => begun,
        late = late(peer.account.clone(), HEADER_ROOM) => Err(unavailable(late.message(), Some(5))),
    }
}

/// The same, with the room that it has already.
async fn read_header<S: Tables + 'static>(
    shelf: &Shelf<S>,
    peer: &Peer,
    body: Body,
    packing: Packing,
    mut hold: Option<Hold>,
) -> Result<Begun<S>, Answer> {
    let mut incoming = Incoming::new(body, packing);
    let mut log = None;
    loop {
        if log.is_none()
            && let Some(origin) = UploadHeader::read_origin(incoming.bytes())
        {
            let found = origin.and_then(|origin| of_origin(shelf, origin));
            let found = found.ok_or_else(|| UploadRefusal::UnknownOrigin.answer(None))?;
            if found.is_convicted() {
                return Err(UploadRefusal::Convicted.answer(None));
            }
            log = Some(found);
        }
        let ended = |why: Option<MalformedUpload>| Ended::Nothing(why).answer();
        let read = UploadHeader::read(incoming.bytes()).map_err(|why| ended(Some(why)))?;
        if let (Some((header, length)), Some(log)) = (read, log.clone()) {
            incoming.consume(length);
            return Ok(Begun {
                log,
                header,
                incoming,
                hold,
            });
        }
        if incoming.bytes().len() > SMALL && hold.is_none() {
            hold = Some(header_room(peer).await?);
        }
        if !incoming.more().await {
            return Err(ended(None));
        }
    }
}

async fn header_room(peer: &Peer) -> Result<Hold, Answer> {
    let hold = peer.account.hold(Kind::Coming, HEADER_ROOM).await;
    hold.map_err(|error| unavailable(&error.to_string(), Some(5)))
}

/// That an upload has to wait for others.
fn busy(why: &str) -> Answer {
    Answer {
        status: 429,
        ..unavailable(why, Some(5))
    }
}

/// Reads the header of an upload, decides whether it is taken, and takes it.
async fn take<S: Tables + 'static>(
    desk: &Desk<S>,
    peer: &Peer,
    body: Body,
    packing: Packing,
) -> Answer {
    let begun = begin(&desk.shelf, peer, body, packing).await;
    let Begun {
        log,
        header,
        mut incoming,
        hold,
    } = match begun {
        Ok(begun) => begun,
        Err(answer) => return answer,
    };
    let own = desk.senders.uploading(peer.address.ip(), log.log.origin());
    let Some(_own) = own else {
        return busy("an upload of this log from your network address is going on");
    };
    let Ok(_place) = log.uploads.clone().try_acquire_owned() else {
        return busy("as many uploads of this log as may be are going on");
    };
    let Some(room) = log.shared.memory.upload_room().await else {
        return unavailable("there is no memory for another upload now", Some(5));
    };
    incoming.give_room(room);
    drop(hold);
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
        if let Err(fault) = store(log, &upload, range, package).await? {
            return Ok(Ended::Wrong(fault).answer());
        }
        saved += 1;
        incoming.package_stored();
    }
    log.with(move |copy| copy.complete_upload(&upload)).await
}

/// Checks a package, and stores what is missing of it. Returns what is wrong with it otherwise.
/// Nobody waits for the copy while it is hashed: up to 16 MiB are unpacked from 17 KB.
async fn store<S: Tables + 'static>(
    log: &Arc<Copied<S>>,
    upload: &Arc<Upload>,
    range: Range<u64>,
    package: Package,
) -> Result<Result<(), PackageFault>, RoundError> {
    let left = if range.start.is_multiple_of(TILE_WIDTH as u64) {
        Bytes::new()
    } else {
        let start = range.start;
        log.with(move |copy| copy.before(start)).await?
    };
    let whole = upload.clone();
    let verified = tokio::task::spawn_blocking(move || whole.verify(range, &left, package));
    let bundle = match verified.await.map_err(|_| RoundError::Stopped)? {
        Ok(bundle) => bundle,
        Err(fault) => return Ok(Err(fault)),
    };
    let whole = upload.clone();
    let stored = log.with(move |copy| copy.append_package(&whole, bundle));
    stored.await.map(Ok)
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

//! The routes: `POST /add-checkpoint`, and `GET /witness/<digest>/checkpoint` for monitors.
//!
//! A body is bounded before it is kept: by its announced length, then byte by byte. It takes room
//! as every message that comes does.

use super::service::{TEXT, Witness, too_often, unavailable};
use crate::api::{
    app,
    body::{self, Unread, Whole},
    federation::{FederationApi, submissions},
    peer::Peer,
    rest_of_body::RequestBody,
};
use crate::gossip;
use crate::misbehavior::{self, Evidence};
use crate::quota::Senders;
use crate::telemetry;
use assay_tlog::limits;
use assay_tlog::witness::{Answer, Refusal, RequestError};
use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::future::BoxFuture;
use http::Request;
use std::{
    convert::Infallible,
    net::IpAddr,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{body::Body as AnswerBody, service::Routes};
use tower::Service;

/// Returns the routes of a witness. `senders` counts what networks send.
pub fn router(witness: Arc<Witness>, senders: Arc<Senders>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/witness/{digest}/checkpoint", get(checkpoint))
        .with_state(Arc::new(Desk { witness, senders }))
}

/// What the routes need.
struct Desk {
    witness: Arc<Witness>,
    senders: Arc<Senders>,
}

async fn add_checkpoint(
    State(desk): State<Arc<Desk>>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    let answer = match read(body, &peer, &desk.senders).await {
        Ok(body) => {
            let _place = desk.senders.deciding(peer.address.ip()).await;
            desk.witness.add_checkpoint(&body.bytes).await
        }
        Err(answer) => answer,
    };
    respond(answer)
}

/// The whole body, or the answer to one that is too long, is cut off, or finds no room, or whose
/// network sends too many.
pub(crate) async fn read(body: Body, peer: &Peer, senders: &Senders) -> Result<Whole, Answer> {
    let charged = senders.checkpoint(peer.address.ip());
    charged.map_err(|exceeded| too_often(&exceeded))?;
    let read = body::read(body, limits::WITNESS_REQUEST_BYTES, &peer.account).await;
    read.map_err(|unread| match unread {
        Unread::TooLong => Refusal::Malformed(RequestError::TooLong).answer(),
        Unread::CutOff => Refusal::Malformed(RequestError::NoCheckpoint).answer(),
        Unread::Late(why) => unavailable(&why, Some(5)),
    })
}

async fn checkpoint(State(desk): State<Arc<Desk>>, Path(digest): Path<String>) -> Response {
    match desk.witness.monitored(&digest).await {
        Ok(Some(note)) => {
            let headers = [
                (header::CONTENT_TYPE, TEXT),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, note).into_response()
        }
        Err(answer) => respond(answer),
        Ok(None) => (
            StatusCode::NOT_FOUND,
            [(header::CONTENT_TYPE, TEXT)],
            "no checkpoint of this log was cosigned here\n",
        )
            .into_response(),
    }
}

/// An answer over HTTP.
pub(crate) fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(answer.content_type),
    );
    if let Some(seconds) = answer.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The public port of a witness that is nothing else.
#[derive(Clone)]
pub struct Api(Router);

impl Api {
    /// Serves the witness's routes, what it knows of misbehavior and by gossip, its `page`, and
    /// nothing else. `shared` are addresses that stand for many callers.
    pub fn new(
        witness: Arc<Witness>,
        evidence: Arc<Evidence>,
        gossip: gossip::serve::Desk,
        page: Router,
        shared: &[IpAddr],
    ) -> Self {
        let quota = submissions(shared);
        let heads = gossip::http::router(gossip.clone(), quota.clone(), shared);
        let federation = FederationApi::server(evidence.clone(), gossip, quota, shared);
        let federation = Routes::new(federation);
        let plain = router(witness, Senders::new(shared));
        let plain = plain.merge(misbehavior::http::router(evidence));
        let plain = plain.merge(heads).merge(page);
        let all = federation.prepare().into_axum_router().merge(plain);
        Api(all.fallback(nothing_here))
    }
}

impl Service<Request<RequestBody>> for Api {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<AnswerBody>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let span = telemetry::call(&request);
        telemetry::within(span, app::call_rest(&mut self.0, request))
    }
}

async fn nothing_here() -> Response {
    (
        StatusCode::NOT_FOUND,
        [(header::CONTENT_TYPE, TEXT)],
        "nothing here; this is a witness, see c2sp.org/tlog-witness\n",
    )
        .into_response()
}

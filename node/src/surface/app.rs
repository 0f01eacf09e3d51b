//! Everything on the public port as one service: `LogService` first and directly, then the other gRPC services, health and
//! reflection, then plain HTTP.
//!
//! `LogService` does not go through the router: its calls are short and many, and the router's layers would take a fifth
//! of the time of each.

use assay_proto::v1::log_service_server::{LogService, LogServiceServer, SERVICE_NAME};
use axum::{Router, response::Response as AxumResponse};
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::body::Incoming;
use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};
use tonic::{Status, body::Body, service::Routes};
use tower::Service;

/// Largest gRPC message. More goes by streams.
pub const MESSAGE_BYTES: usize = 1 << 20;

/// Longest time until a call must begin to answer.
const REQUEST: Duration = Duration::from_secs(15);

/// The public port's service.
pub struct Surface<L> {
    log: LogServiceServer<L>,
    rest: Router,
}

// By hand: the derived one would ask that the service itself can be cloned, which is shared.
impl<L> Clone for Surface<L> {
    fn clone(&self) -> Self {
        Surface { log: self.log.clone(), rest: self.rest.clone() }
    }
}

impl<L: LogService> Surface<L> {
    /// Joins `log` with other gRPC services and plain HTTP routes; adds health and reflection.
    pub fn new(log: L, services: Routes, plain: Router) -> Self {
        let log = LogServiceServer::new(log)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let rest = with_health_and_reflection(services).prepare().into_axum_router();
        Surface { log, rest: rest.merge(plain).fallback(nothing_here) }
    }
}

fn with_health_and_reflection(services: Routes) -> Routes {
    let (health, health_service) = tonic_health::server::health_reporter();
    // The reporter's only await is a lock that nobody else holds yet.
    futures::executor::block_on(health.set_service_status("", tonic_health::ServingStatus::Serving));
    futures::executor::block_on(health.set_service_status(SERVICE_NAME, tonic_health::ServingStatus::Serving));
    let services = services.add_service(health_service);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(assay_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    match reflection {
        Ok(reflection) => services.add_service(reflection),
        Err(error) => {
            tracing::error!(%error, "no reflection: the compiled descriptors are damaged");
            services
        }
    }
}

impl<L: LogService> Service<Request<Incoming>> for Surface<L> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let grpc = is_grpc(&request);
        if grpc && is_log(request.uri().path()) {
            let answer = self.log.call(request);
            return in_time(answer, || late(true)).boxed();
        }
        let answer = self.rest.call(request).map(|answer| answer.map(|response| response.map(Body::new)));
        in_time(answer, move || late(grpc)).boxed()
    }
}

fn is_log(path: &str) -> bool {
    path.strip_prefix('/').and_then(|path| path.strip_prefix(SERVICE_NAME)).is_some_and(|rest| rest.starts_with('/'))
}

fn is_grpc<B>(request: &Request<B>) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

async fn in_time(
    answer: impl Future<Output = Result<Response<Body>, Infallible>>,
    late: impl FnOnce() -> Response<Body>,
) -> Result<Response<Body>, Infallible> {
    tokio::time::timeout(REQUEST, answer).await.unwrap_or_else(|_| Ok(late()))
}

fn late(grpc: bool) -> Response<Body> {
    if grpc {
        return Status::deadline_exceeded("the node took too long; try again").into_http();
    }
    let mut response = Response::new(Body::new("the node took too long; try again\n".to_owned()));
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    response
}

async fn nothing_here(request: axum::extract::Request) -> AxumResponse {
    if is_grpc(&request) {
        return Status::unimplemented("this node has no such method").into_http();
    }
    let mut response = AxumResponse::new("nothing here; try /checkpoint\n".into());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

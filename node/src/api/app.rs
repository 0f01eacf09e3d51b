//! Everything on the public port as one service.
//!
//! `LogService` and `IndexService` are called directly. Their calls are short and many, and the
//! layers of the router would take a fifth of the time of each. The other gRPC services, health,
//! reflection and plain HTTP are behind the router.

use super::{
    attachments::First,
    copies::{CopyApis, take_prefix, take_read_prefix},
    gate::{Gate, MESSAGE_BYTES},
    metered::{Paid, Pieces, encoded, metered},
    peer::Peer,
    read,
    rest_of_body::RequestBody,
    status::LATE,
};
use crate::held::{Account, Kind};
use crate::sequencer::Halt;
use crate::telemetry::{self, Answer};
use assay_proto::v1::{
    federation_service_server,
    index_service_server::{self, IndexService, IndexServiceServer},
    log_service_server::{self, LogService, LogServiceServer},
};
use axum::{Router, response::Response as AxumResponse};
use futures::{FutureExt, future::ready};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tonic::{Status, body::Body, service::Routes};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::Service;

/// Largest message of those services that are only asked about names.
const NAME_BYTES: usize = 4 << 10;

/// What an answer about a name has, as of reflection: a file of descriptors.
const NAMED_BYTES: usize = 16 << 10;

/// Time in which a call must begin to answer.
const REQUEST: Duration = Duration::from_secs(15);

/// The method that uploads an attachment.
const UPLOAD: &str = "/assay.v1.AttachmentService/Put";

/// What callers of methods are told that there are not.
const NO_METHOD: &str = "this node has no such method";

/// What callers are told of logs that are not copied.
const NO_COPY: &str = "this node has no copy of that log which it replayed";

/// Where a log brings its entries itself, to a mirror: an upload, too (C2SP tlog-mirror).
pub const ADD_ENTRIES: &str = "/mirror/add-entries";

/// The public port's service.
pub struct Api<L, I> {
    log: LogServiceServer<L>,
    index: IndexServiceServer<I>,
    copies: Option<Arc<CopyApis>>,
    rest: Router,
    health: HealthReporter,
}

// Not derived: that would demand `L: Clone` and `I: Clone`, which the servers share in an `Arc`.
impl<L, I> Clone for Api<L, I> {
    fn clone(&self) -> Self {
        Api {
            log: self.log.clone(),
            index: self.index.clone(),
            copies: self.copies.clone(),
            rest: self.rest.clone(),
            health: self.health.clone(),
        }
    }
}

impl<L: LogService, I: IndexService> Api<L, I> {
    /// Joins `log` and `index` with other gRPC services and plain HTTP routes; adds health and
    /// reflection.
    pub fn new(log: Arc<L>, index: Arc<I>, services: Routes, plain: Router) -> Self {
        let (services, health) = with_health_and_reflection(services);
        let rest = services.prepare().into_axum_router();
        Api {
            log: log_server(log),
            index: index_server(index),
            copies: None,
            rest: rest.merge(plain).fallback(nothing_here),
            health,
        }
    }

    /// The same; once nothing is written any more, health says `NOT_SERVING` of the whole node, as
    /// `/readyz` does, and of the service that takes claims. Reads go on, and so do the others.
    ///
    /// Must be called on a tokio runtime.
    pub fn with_halt(self, halt: Arc<Halt>) -> Self {
        let health = self.health.clone();
        tokio::spawn(async move {
            halt.happened().await;
            for name in ["", log_service_server::SERVICE_NAME] {
                health
                    .set_service_status(name, ServingStatus::NotServing)
                    .await;
            }
        });
        self
    }

    /// The same, with copies of other logs.
    pub fn with_copies(self, copies: CopyApis) -> Self {
        Api {
            copies: Some(Arc::new(copies)),
            ..self
        }
    }
}

fn log_server<L: LogService>(log: Arc<L>) -> LogServiceServer<L> {
    LogServiceServer::from_arc(log)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES)
}

fn index_server<I: IndexService>(index: Arc<I>) -> IndexServiceServer<I> {
    IndexServiceServer::from_arc(index)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES)
}

fn with_health_and_reflection(services: Routes) -> (Routes, HealthReporter) {
    let (health, health_service) = tonic_health::server::health_reporter();
    // The only thing awaited is a lock that nobody else holds yet.
    for name in [
        "",
        log_service_server::SERVICE_NAME,
        index_service_server::SERVICE_NAME,
        federation_service_server::SERVICE_NAME,
    ] {
        futures::executor::block_on(health.set_service_status(name, ServingStatus::Serving));
    }
    let services = services.add_service(health_service.max_decoding_message_size(NAME_BYTES));
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(assay_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    let services = match reflection {
        Ok(reflection) => services.add_service(reflection.max_decoding_message_size(NAME_BYTES)),
        Err(error) => {
            tracing::error!(%error, "no reflection: the compiled descriptors are damaged");
            services
        }
    };
    (services, health)
}

impl<L: LogService, I: IndexService> Service<Request<RequestBody>> for Api<L, I> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let span = telemetry::call(&request);
        telemetry::within(span, self.answer(request))
    }
}

impl<L: LogService, I: IndexService> Api<L, I> {
    /// Answers one call.
    fn answer(&mut self, mut request: Request<RequestBody>) -> Answer {
        let grpc = is_grpc(&request);
        if !grpc && let Some(digest) = take_read_prefix(&mut request) {
            let copy = self.copies.as_ref().and_then(|copies| copies.of(&digest));
            return match copy {
                Some(copy) => call_rest(&mut copy.read.clone(), request),
                None => {
                    let (head, _) = request.into_parts();
                    ready(Ok(whole(read::no_log(&head, NO_COPY)))).boxed()
                }
            };
        }
        if grpc && let Some(digest) = take_prefix(&mut request) {
            return match self.copies.as_ref().and_then(|copies| copies.of(&digest)) {
                Some(copy) if is_of_a_log(&request) => call_a_log(
                    &mut log_server(copy.log.clone()),
                    &mut index_server(copy.index.clone()),
                    request,
                ),
                Some(_) => refused(Status::unimplemented(NO_METHOD)),
                None => refused(Status::not_found(NO_COPY)),
            };
        }
        if grpc && is_of_a_log(&request) {
            return call_a_log(&mut self.log, &mut self.index, request);
        }
        // An upload ends by itself if it makes no progress, and may take longer.
        let upload = grpc && request.uri().path() == UPLOAD;
        if upload || request.uri().path() == ADD_ENTRIES {
            let answer = if upload {
                self.rest.call(request.map(First::new))
            } else {
                self.rest.call(request)
            };
            return answer.map(|answer| answer.map(whole)).boxed();
        }
        call_rest(&mut self.rest, request)
    }
}

fn refused(status: Status) -> Answer {
    ready(Ok(status.into_http())).boxed()
}

/// Whether a call is of one of the two services that a log has.
fn is_of_a_log<B>(request: &Request<B>) -> bool {
    is_of(log_service_server::SERVICE_NAME, request)
        || is_of(index_service_server::SERVICE_NAME, request)
}

/// Calls a method of a log.
fn call_a_log<L: LogService, I: IndexService>(
    log: &mut LogServiceServer<L>,
    index: &mut IndexServiceServer<I>,
    request: Request<RequestBody>,
) -> Answer {
    let of_log = is_of(log_service_server::SERVICE_NAME, &request);
    match gated(request) {
        Ok(request) if of_log => in_time(log.call(request), Late::Grpc).boxed(),
        Ok(request) => in_time(index.call(request), Late::Grpc).boxed(),
        Err(status) => refused(status),
    }
}

/// Calls a service of gRPC or a route that is behind the router. Messages of `FederationService`
/// are counted before they are decoded.
pub(crate) fn call_rest(rest: &mut Router, request: Request<RequestBody>) -> Answer {
    let grpc = is_grpc(&request);
    if !(grpc && is_of(federation_service_server::SERVICE_NAME, &request)) {
        let read = matches!(*request.method(), Method::GET | Method::HEAD);
        let late = match grpc {
            true => Late::Grpc,
            false if read::is_of(request.uri().path()) => Late::Read(request.method().clone()),
            false => Late::Plain,
        };
        let peer = request.extensions().get::<Peer>().filter(|_| grpc);
        let account = peer.map(|peer| peer.account.clone());
        let answer = rest.call(request);
        let answer = answer.map(|answer| answer.map(|answer| whole(paid(answer, account))));
        let answer = in_time(answer, late);
        return answer
            .map(move |answer| answer.map(|answer| if read { unkept(answer) } else { answer }))
            .boxed();
    }
    match gated(request) {
        Ok(request) => {
            let answer = rest.call(request);
            in_time(answer.map(|answer| answer.map(whole)), Late::Grpc).boxed()
        }
        Err(status) => ready(Ok(status.into_http())).boxed(),
    }
}

/// An answer of gRPC that says nothing of how it is paid for, as those of reflection and health:
/// its messages are counted like others.
fn paid(mut answer: AxumResponse, account: Option<Arc<Account>>) -> AxumResponse {
    if let Some(account) = account {
        answer.extensions_mut().get_or_insert_with(|| {
            Paid::Pieces(Pieces {
                account,
                kind: Kind::Short,
                bytes: encoded(NAMED_BYTES),
                idle: true,
            })
        });
    }
    answer
}

/// The answer to a reader; if it is an error, no cache may keep it. A tile that is not there yet
/// will be, and a cache that went on saying otherwise would make the log look broken.
fn unkept(mut answer: Response<Body>) -> Response<Body> {
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        let headers = answer.headers_mut().entry(CACHE_CONTROL);
        headers.or_insert(HeaderValue::from_static("no-store"));
    }
    answer
}

fn whole(answer: AxumResponse) -> Response<Body> {
    answer.map(Body::new)
}

/// The call with its messages counted.
fn gated(request: Request<RequestBody>) -> Result<Request<Gate<RequestBody>>, Status> {
    let (head, body) = request.into_parts();
    let peer = head.extensions.get::<Peer>();
    let peer = peer.ok_or_else(|| Status::internal("this call came over no connection"))?;
    let gate = Gate::new(body, head.uri.path(), peer.account.clone());
    Ok(Request::from_parts(head, gate))
}

/// Whether a call is of the service with this name.
fn is_of<B>(service: &str, request: &Request<B>) -> bool {
    let path = request.uri().path();
    path.strip_prefix('/')
        .and_then(|path| path.strip_prefix(service))
        .is_some_and(|rest| rest.starts_with('/'))
}

pub(super) fn is_grpc<B>(request: &Request<B>) -> bool {
    request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Whom an answer is late for, who is told as is usual there.
enum Late {
    Grpc,
    /// The read API, asked with this method.
    Read(Method),
    Plain,
}

/// The answer, or an error if it does not begin within [`REQUEST`].
async fn in_time(
    answer: impl Future<Output = Result<Response<Body>, Infallible>>,
    late: Late,
) -> Result<Response<Body>, Infallible> {
    let answer = tokio::time::timeout(REQUEST, answer).await;
    answer.unwrap_or_else(|_| Ok(late.response())).map(metered)
}

impl Late {
    fn response(self) -> Response<Body> {
        match self {
            Late::Grpc => Status::deadline_exceeded(LATE).into_http(),
            Late::Read(method) => whole(read::late(&method)),
            Late::Plain => {
                let mut response = Response::new(Body::new(format!("{LATE}\n")));
                *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
                response
            }
        }
    }
}

async fn nothing_here(request: axum::extract::Request) -> AxumResponse {
    if is_grpc(&request) {
        return Status::unimplemented(NO_METHOD).into_http();
    }
    let mut response = AxumResponse::new("nothing here; try /checkpoint\n".into());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

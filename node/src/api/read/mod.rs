//! The read API: what `IndexService` and `LogService` answer, for callers who have no gRPC, such as
//! browsers. `GET` only; docs/api.md is for its users, and `openapi.json` beside this file is for
//! their programs.
//!
//! The services themselves answer, with their limits: here a question is only read, and its answer
//! written, in JSON or as the serialized message. Answers have a strong tag, and so are made whole
//! before they are sent, which is why they have a limit of their own
//! ([`WHOLE_BYTES`](super::index::WHOLE_BYTES)).

mod asked;
mod form;
mod problem;
mod receipt;
pub mod sent;

use super::{index::IndexApi, log::LogApi, metered::Paid, peer::Peer};
use crate::held::Hold;
use crate::storage::Tables;
use asked::{Asked, LookUp, NAMES, SPEAKERS};
use assay_claims::claim::ClaimId;
use assay_claims::index::Query;
use assay_proto::json::ToJson;
use assay_proto::v1::{
    Answer, GetCheckpointRequest, GetEntryAndProofRequest, get_entry_and_proof_request::Leaf,
    index_service_server::IndexService, log_service_server::LogService,
};
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use form::Form;
use problem::Problem;
use sent::Sent;
use std::sync::Arc;
use tonic::{Code, Status};

/// What the path of every route begins with.
const VERSION: &str = "/api/v1/";

/// Longest path with its query, in bytes. All questions that one answer can be given to fit.
pub const PATH_BYTES: usize = 8 << 10;

/// The forms of a message.
const MESSAGE: [Form; 2] = [Form::Json, Form::Protobuf];

/// The document that describes this API to programs (OpenAPI 3.1).
const DOCUMENT: &str = include_str!("openapi.json");

/// A route.
struct Route {
    /// Its name: the first part of the path behind [`VERSION`].
    name: &'static str,
    /// Whether another part follows, which is an id.
    has_id: bool,
    /// The parameters that its query may have.
    query: &'static [&'static [&'static str]],
}

const fn by_query(name: &'static str, query: &'static [&'static [&'static str]]) -> Route {
    Route {
        name,
        has_id: false,
        query,
    }
}

const fn by_id(name: &'static str) -> Route {
    Route {
        name,
        has_id: true,
        query: &[],
    }
}

/// All routes.
static ROUTES: [Route; 7] = [
    by_query("lookup", &[&NAMES, &SPEAKERS, &["label", "from", "limit"]]),
    by_query("batch", &[&NAMES, &SPEAKERS]),
    by_query("prefix", &[&SPEAKERS, &["prefix", "bits"]]),
    by_query("checkpoint", &[]),
    Route {
        query: &[&["leaf"]],
        ..by_id("receipt")
    },
    by_id("claim"),
    by_id("issuer"),
];

/// The services that answer.
struct Reads<S> {
    log: Arc<LogApi<S>>,
    index: Arc<IndexApi<S>>,
}

/// Returns the routes, which answer from these services.
pub fn router<S: Tables + 'static>(log: Arc<LogApi<S>>, index: Arc<IndexApi<S>>) -> Router {
    let reads = Arc::new(Reads { log, index });
    Router::new()
        .route("/api/{*path}", any(serve::<S>))
        .route("/openapi.json", any(document))
        .with_state(reads)
}

/// Whether a path is one of these routes'.
pub fn is_of(path: &str) -> bool {
    path.starts_with("/api/") || path == "/openapi.json"
}

async fn serve<S: Tables + 'static>(
    State(reads): State<Arc<Reads<S>>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    // A caller's body is none of ours: it is not read.
    let (head, _) = request.into_parts();
    let made = match refused(&head) {
        Some(response) => response,
        None => match reads.answer(&head, &peer).await {
            Ok(sent) => sent.response(&head.headers),
            Err(problem) => problem.into_response(),
        },
    };
    sent::finished(&head.method, made)
}

/// The response to a question about a log that this node does not know.
pub fn no_log(head: &Parts, detail: &'static str) -> Response {
    let made = refused(head).unwrap_or_else(|| {
        let problem = Problem::new(StatusCode::NOT_FOUND, detail);
        problem.into_response()
    });
    sent::finished(&head.method, made)
}

/// What a question gets that was not answered in time.
pub fn late(method: &Method) -> Response {
    let problem = Problem::from(Status::deadline_exceeded(super::status::LATE));
    sent::finished(method, problem.into_response())
}

async fn document(request: Request) -> Response {
    let (head, _) = request.into_parts();
    let made = refused(&head).unwrap_or_else(|| {
        let document = Bytes::from_static(DOCUMENT.as_bytes());
        Sent::free("application/json", document).response(&head.headers)
    });
    sent::finished(&head.method, made)
}

/// The response to what is no question.
fn refused(head: &Parts) -> Option<Response> {
    let length = head.uri.path_and_query().map_or(0, |it| it.as_str().len());
    if length > PATH_BYTES {
        let detail = format!("a path and its query have at most {PATH_BYTES} bytes");
        return Some(Problem::new(StatusCode::URI_TOO_LONG, detail).into_response());
    }
    match head.method {
        Method::GET | Method::HEAD => None,
        Method::OPTIONS => Some(sent::preflight()),
        _ => Some(sent::not_allowed()),
    }
}

/// A message, and the room that it takes.
struct Fetched<T> {
    message: T,
    room: Room,
}

enum Room {
    /// For the message, and to send it.
    Paid(Option<Paid>),
    /// For the message.
    Made(Hold),
}

/// The route of a path, and the id behind it.
fn route(path: &str) -> Option<(&'static Route, &str)> {
    let path = path.strip_prefix(VERSION)?;
    let (name, id) = match path.split_once('/') {
        None => (path, None),
        Some((name, id)) => (name, Some(id)),
    };
    let route = ROUTES.iter().find(|it| it.name == name)?;
    (route.has_id == id.is_some()).then_some((route, id.unwrap_or_default()))
}

impl<S: Tables + 'static> Reads<S> {
    async fn answer(&self, head: &Parts, peer: &Peer) -> Result<Sent, Problem> {
        let (route, id) = route(head.uri.path()).ok_or_else(|| {
            let detail = "this API has no such route; /openapi.json lists all";
            Problem::new(StatusCode::NOT_FOUND, detail)
        })?;
        let asked = Asked::read(head.uri.query().unwrap_or_default(), route.query)?;
        let offered: &[Form] = match route.name {
            "checkpoint" => &[Form::Json, Form::Protobuf, Form::Note],
            "receipt" if receipt::is_file(id) => {
                return Ok(self.receipt_file(id, asked.leaf()?, peer).await?);
            }
            "receipt" => &[Form::Json],
            _ => &MESSAGE,
        };
        let form = Form::wanted(&head.headers, offered).ok_or_else(|| {
            let types = offered.iter().flat_map(|form| form.types());
            let types: Vec<&str> = types.copied().collect();
            let detail = format!("this is answered as {}", types.join(", "));
            Problem::new(StatusCode::NOT_ACCEPTABLE, detail)
        })?;
        Ok(match route.name {
            "lookup" => sent(form, self.look_up(asked.look_up()?, peer).await?, peer).await?,
            "batch" => sent(form, self.whole(asked.batch()?, peer).await?, peer).await?,
            "prefix" => sent(form, self.whole(asked.prefix()?, peer).await?, peer).await?,
            "claim" => sent(form, self.entry(asked::claim(id)?, peer).await?, peer).await?,
            "receipt" => self.receipt(id, asked.leaf()?, peer).await?,
            "checkpoint" => self.checkpoint(form, peer).await?,
            _ => {
                let records = asked::records(&asked::issuer(id, route.name)?);
                sent(form, self.whole(records, peer).await?, peer).await?
            }
        })
    }

    async fn look_up(&self, asked: LookUp, peer: &Peer) -> Result<Fetched<Answer>, Status> {
        let request = match asked {
            LookUp::Who(query) => return self.whole(query, peer).await,
            LookUp::Page(request) => request,
        };
        let mut response = self.index.lookup(call(request, peer)).await?;
        let room = Room::Paid(response.extensions_mut().remove());
        let message = response.into_inner().answer.unwrap_or_default();
        Ok(Fetched { message, room })
    }

    async fn whole(&self, query: Query, peer: &Peer) -> Result<Fetched<Answer>, Status> {
        let (message, hold) = self.index.whole(query, &peer.account).await?;
        let room = Room::Made(hold);
        Ok(Fetched { message, room })
    }

    async fn entry(
        &self,
        id: ClaimId,
        peer: &Peer,
    ) -> Result<Fetched<assay_proto::v1::GetEntryAndProofResponse>, Status> {
        let request = GetEntryAndProofRequest {
            leaf: Some(Leaf::ClaimId(Bytes::copy_from_slice(id.as_bytes()))),
            tree_size: 0,
        };
        let response = self.log.get_entry_and_proof(call(request, peer)).await;
        let mut response = response.map_err(not_yet)?;
        let room = Room::Paid(response.extensions_mut().remove());
        let message = response.into_inner();
        Ok(Fetched { message, room })
    }

    async fn checkpoint(&self, form: Form, peer: &Peer) -> Result<Sent, Status> {
        let response = self.log.get_checkpoint(call(GetCheckpointRequest {}, peer));
        let message = response.await?.into_inner();
        let body = match form {
            Form::Note => message.checkpoint.into(),
            form => written(form, &message)?,
        };
        // A checkpoint is short, and not counted elsewhere either.
        Ok(Sent::free(form.content_type(), body))
    }
}

/// A claim that is beyond what is published will be published.
fn not_yet(error: Status) -> Status {
    match error.code() {
        Code::OutOfRange => Status::unavailable(
            "this log has that claim, and proves it from its next checkpoint on: ask again",
        ),
        _ => error,
    }
}

/// A call as the services take it.
fn call<T>(message: T, peer: &Peer) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.extensions_mut().insert(peer.clone());
    request
}

/// Writes a message, and takes room to send it.
async fn sent<T: ToJson>(form: Form, fetched: Fetched<T>, peer: &Peer) -> Result<Sent, Status> {
    let body = written(form, &fetched.message)?;
    let kind = form.content_type();
    match fetched.room {
        Room::Paid(Some(paid)) => Ok(Sent::paid(kind, body, paid)),
        Room::Paid(None) => Ok(Sent::free(kind, body)),
        Room::Made(_room) => Sent::held(kind, body, peer).await,
    }
}

fn written(form: Form, message: &impl ToJson) -> Result<Bytes, Status> {
    match form {
        Form::Protobuf => Ok(message.encode_to_vec().into()),
        Form::Json | Form::Note => match message.to_json() {
            Ok(json) => Ok(json.into()),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written");
                Err(Status::internal("this node cannot write its answer"))
            }
        },
    }
}

#[cfg(test)]
mod tests;

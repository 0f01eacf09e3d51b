//! A node's address at which somebody lies: a gRPC server that passes everything on to a real node
//! and hands what it answers to a test to be rewritten.

use crate::process::Ready;
use anyhow::Context;
use assay_claims::index::{By, Label, Name, Prefix, Query};
use assay_proto::{
    answer::Joined,
    v1::{
        self, index_service_client::IndexServiceClient, index_service_server::*,
        log_service_client::LogServiceClient, log_service_server::*, *,
    },
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tonic::{
    Code, Request, Response, Status, Streaming,
    transport::{Channel, server::TcpIncoming},
};

/// What a test makes of the node's answer to a question to the index.
pub type Rewrite = Box<dyn FnMut(&Query, v1::Answer) -> v1::Answer + Send>;

/// Takes the path of a copy off a request.
fn without_prefix<B>(mut request: http::Request<B>) -> http::Request<B> {
    let path = request.uri().path();
    let method = path.find("/assay.v1.").map(|at| path[at..].to_owned());
    if let Some(Ok(uri)) = method.map(|method| method.parse()) {
        *request.uri_mut() = uri;
    }
    request
}

/// What is told in place of the truth.
#[derive(Default)]
pub struct Lies {
    /// Answers of the index.
    pub answer: Option<Rewrite>,
    /// Every entry that is asked for alone: a private question begins with the last one.
    pub entry: Option<GetEntryAndProofResponse>,
    /// Every checkpoint that is not part of an answer of the index.
    pub checkpoint: Option<String>,
    /// Answers of the index end before they begin, as if that were all.
    pub silent: bool,
    /// What the index answered, as the node said it.
    pub heard: Vec<(Query, v1::Answer)>,
    /// What becomes of the streams of claims that come next, one each.
    pub streams: VecDeque<Streamed>,
}

/// What becomes of a stream of claims.
#[derive(Debug)]
pub enum Streamed {
    /// The node takes them, and its answers are lost: the stream ends with this status instead.
    Lost(Status),
    /// The node takes them, and each is said to be refused with this code.
    Denied(Code),
    /// The node is not asked, and each is refused with this code.
    Refused(Code),
}

/// The address of a node that does as a test says.
pub struct Proxy {
    /// Where it listens, as a URL.
    pub url: String,
    lies: Arc<Mutex<Lies>>,
}

impl Proxy {
    /// Listens, and passes everything on to the node, until a test says otherwise.
    pub async fn start(node: &Ready) -> anyhow::Result<Self> {
        Proxy::before(&node.url).await
    }

    /// The same before a log at this address, which may have a path, such as a mirror's copy. What
    /// is asked below the path of any copy is passed on.
    pub async fn before(url: &str) -> anyhow::Result<Self> {
        let lies = Arc::<Mutex<Lies>>::default();
        let origin: http::Uri = url.parse()?;
        let channel = Channel::from_shared(url.to_owned())?.connect().await?;
        let service = Service {
            log: LogServiceClient::with_origin(channel.clone(), origin.clone()),
            index: IndexServiceClient::with_origin(channel, origin),
            lies: lies.clone(),
        };
        // Without delay, as a node listens.
        let listener = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
        let url = format!("http://{}", listener.local_addr()?);
        let server = tonic::transport::Server::builder()
            .layer(tower::util::MapRequestLayer::new(without_prefix))
            .add_service(LogServiceServer::new(service.clone()))
            .add_service(IndexServiceServer::new(service));
        tokio::spawn(server.serve_with_incoming(listener));
        Ok(Proxy { url, lies })
    }

    /// What is told.
    pub fn lies(&self) -> MutexGuard<'_, Lies> {
        lock(&self.lies)
    }

    /// Rewrites the answers of the index from now on.
    pub fn rewrite(&self, rewrite: impl FnMut(&Query, v1::Answer) -> v1::Answer + Send + 'static) {
        self.lies().answer = Some(Box::new(rewrite));
    }
}

fn lock(lies: &Mutex<Lies>) -> MutexGuard<'_, Lies> {
    lies.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer that each of these claims is refused.
fn refusals(ids: impl Iterator<Item = u64>, code: Code) -> PublishStreamResponse {
    let refused = ids.map(|id| PublishResult {
        id,
        result: Some(publish_result::Result::Refused(Refusal {
            code: code.into(),
            message: "so says the test".to_owned(),
        })),
    });
    PublishStreamResponse {
        results: refused.collect(),
    }
}

/// Listens, and passes bytes on to and from `url`, but for those of the answers after the first
/// `most`: then it hangs up.
pub async fn hanging_up(url: &str, most: usize) -> anyhow::Result<String> {
    let to = url
        .strip_prefix("http://")
        .context("a URL of HTTP")?
        .to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            if let Ok(node) = TcpStream::connect(&to).await {
                tokio::spawn(pass_on(caller, node, most));
            }
        }
    });
    Ok(address)
}

/// Passes bytes on until one side or the limit ends it.
async fn pass_on(mut caller: TcpStream, mut node: TcpStream, most: usize) -> std::io::Result<()> {
    let (mut from_caller, mut to_caller) = caller.split();
    let (mut from_node, mut to_node) = node.split();
    let mut answers = tokio::io::AsyncReadExt::take(&mut from_node, most as u64);
    tokio::select! {
        ended = tokio::io::copy(&mut from_caller, &mut to_node) => ended,
        ended = tokio::io::copy(&mut answers, &mut to_caller) => ended,
    }?;
    to_caller.shutdown().await
}

#[derive(Clone)]
struct Service {
    log: LogServiceClient<Channel>,
    index: IndexServiceClient<Channel>,
    lies: Arc<Mutex<Lies>>,
}

impl Service {
    fn answer(&self, query: &Query, answer: v1::Answer) -> v1::Answer {
        let mut lies = lock(&self.lies);
        lies.heard.push((query.clone(), answer.clone()));
        match &mut lies.answer {
            Some(rewrite) => rewrite(query, answer),
            None => answer,
        }
    }

    /// A stream with the answer, or with nothing.
    fn pieces<T: Send + 'static>(&self, answer: T) -> Response<Stream<T>> {
        let silent = lock(&self.lies).silent;
        stream(futures::stream::iter((!silent).then_some(Ok(answer))))
    }
}

/// The messages of an answer as one. Tests' answers are small.
async fn whole<T>(
    messages: Streaming<T>,
    answer: fn(T) -> Option<v1::Answer>,
) -> Result<v1::Answer, Status> {
    let mut messages = messages;
    let mut joined = Joined::default();
    while let Some(message) = messages.message().await? {
        joined
            .push(answer(message).unwrap_or_default())
            .map_err(|e: assay_proto::answer::AnswerFault| Status::internal(e.to_string()))?;
    }
    joined.finish().map_err(|e| Status::internal(e.to_string()))
}

fn label(bytes: &[u8]) -> Result<Label, Status> {
    Label::from_slice(bytes).ok_or_else(|| Status::invalid_argument("a label has 32 bytes"))
}

/// Reads halves of labels.
fn halves<'w, T>(
    wire: impl IntoIterator<Item = &'w Bytes>,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, Status> {
    let halves = wire.into_iter().map(|bytes| read(bytes));
    let halves: Option<Vec<T>> = halves.collect();
    halves.ok_or_else(|| Status::invalid_argument("half a label has 16 bytes"))
}

type Stream<T> = BoxStream<'static, Result<T, Status>>;

fn stream<T: Send + 'static>(
    messages: impl futures::Stream<Item = Result<T, Status>> + Send + 'static,
) -> Response<Stream<T>> {
    Response::new(messages.boxed())
}

#[tonic::async_trait]
impl IndexService for Service {
    type BatchLookupStream = Stream<BatchLookupResponse>;
    type LookupPrefixStream = Stream<LookupPrefixResponse>;

    async fn lookup(
        &self,
        request: Request<LookupRequest>,
    ) -> Result<Response<LookupResponse>, Status> {
        let request = request.into_inner();
        let query = Query::Page {
            label: label(&request.label)?,
            from: request.from,
        };
        let answer = self
            .index
            .clone()
            .lookup(request)
            .await?
            .into_inner()
            .answer
            .unwrap_or_default();
        let answer = self.answer(&query, answer);
        Ok(Response::new(LookupResponse {
            answer: (!lock(&self.lies).silent).then_some(answer),
        }))
    }

    async fn batch_lookup(
        &self,
        request: Request<Streaming<BatchLookupRequest>>,
    ) -> Result<Response<Self::BatchLookupStream>, Status> {
        let messages: Vec<_> = request.into_inner().collect().await;
        let messages: Vec<BatchLookupRequest> = messages.into_iter().collect::<Result<_, _>>()?;
        let names = messages.iter().flat_map(|message| &message.names);
        let names: Vec<Name> = halves(names, Name::from_slice)?;
        let by = messages.iter().flat_map(|message| &message.by);
        let query = Query::names(names, halves(by, By::from_slice)?);
        let answers = self
            .index
            .clone()
            .batch_lookup(futures::stream::iter(messages))
            .await?
            .into_inner();
        let answer = self.answer(&query, whole(answers, |message| message.answer).await?);
        Ok(self.pieces(BatchLookupResponse {
            answer: Some(answer),
        }))
    }

    async fn lookup_prefix(
        &self,
        request: Request<LookupPrefixRequest>,
    ) -> Result<Response<Self::LookupPrefixStream>, Status> {
        let request = request.into_inner();
        let prefix = u16::try_from(request.bits)
            .ok()
            .and_then(|bits| Prefix::from_wire(&request.prefix, bits));
        let prefix = prefix.ok_or_else(|| Status::invalid_argument("no prefix"))?;
        let query = if request.by.is_empty() {
            Query::Census(prefix)
        } else {
            Query::crowd(prefix, halves(&request.by, By::from_slice)?)
        };
        let answers = self
            .index
            .clone()
            .lookup_prefix(request)
            .await?
            .into_inner();
        let answer = self.answer(&query, whole(answers, |message| message.answer).await?);
        Ok(self.pieces(LookupPrefixResponse {
            answer: Some(answer),
        }))
    }
}

#[tonic::async_trait]
impl LogService for Service {
    type PublishStreamStream = Stream<PublishStreamResponse>;
    type StreamEntriesStream = Stream<StreamEntriesResponse>;
    type WatchStream = Stream<WatchResponse>;

    async fn publish(
        &self,
        request: Request<PublishRequest>,
    ) -> Result<Response<PublishResponse>, Status> {
        self.log.clone().publish(request.into_inner()).await
    }

    async fn publish_stream(
        &self,
        request: Request<Streaming<PublishStreamRequest>>,
    ) -> Result<Response<Self::PublishStreamStream>, Status> {
        let messages = request
            .into_inner()
            .filter_map(|message| futures::future::ready(message.ok()));
        let streamed = lock(&self.lies).streams.pop_front();
        if let Some(Streamed::Refused(code)) = streamed {
            return Ok(stream(messages.map(move |message| {
                let ids = message.items.iter().map(|item| item.id);
                Ok(refusals(ids, code))
            })));
        }
        let mut log = self.log.clone();
        let answers = log.publish_stream(messages).await?.into_inner();
        match streamed {
            None => Ok(stream(answers)),
            Some(Streamed::Denied(code)) => Ok(stream(answers.map_ok(move |answer| {
                refusals(answer.results.iter().map(|result| result.id), code)
            }))),
            Some(Streamed::Lost(status)) => {
                // All of it is in the log before the caller is told nothing.
                let _: Vec<_> = answers.try_collect().await?;
                Err(status)
            }
            Some(Streamed::Refused(_)) => Err(Status::internal("answered above")),
        }
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let mut answer = self
            .log
            .clone()
            .get_checkpoint(request.into_inner())
            .await?;
        if let Some(other) = &lock(&self.lies).checkpoint {
            answer.get_mut().checkpoint.clone_from(other);
        }
        Ok(answer)
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        self.log
            .clone()
            .get_inclusion_proof(request.into_inner())
            .await
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        self.log
            .clone()
            .get_consistency_proof(request.into_inner())
            .await
    }

    async fn get_entry_and_proof(
        &self,
        request: Request<GetEntryAndProofRequest>,
    ) -> Result<Response<GetEntryAndProofResponse>, Status> {
        let told = lock(&self.lies).entry.clone();
        match told {
            Some(answer) => Ok(Response::new(answer)),
            None => {
                self.log
                    .clone()
                    .get_entry_and_proof(request.into_inner())
                    .await
            }
        }
    }

    async fn stream_entries(
        &self,
        request: Request<StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        Ok(stream(
            self.log
                .clone()
                .stream_entries(request.into_inner())
                .await?
                .into_inner(),
        ))
    }

    async fn get_issuer(
        &self,
        request: Request<GetIssuerRequest>,
    ) -> Result<Response<GetIssuerResponse>, Status> {
        self.log.clone().get_issuer(request.into_inner()).await
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Ok(stream(
            self.log
                .clone()
                .watch(request.into_inner())
                .await?
                .into_inner(),
        ))
    }
}

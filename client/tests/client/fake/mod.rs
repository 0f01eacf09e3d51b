//! A log in memory behind the real gRPC service and an HTTP server for its tiles. It is honest
//! until a test changes what it serves.

mod index;
mod log;
pub mod said;

pub use log::{Lie, State, claim, id, key, record, registration, withdrawal};

use assay_claims::claim;
use assay_claims::entry::{Entry, wire};
use assay_client::{Client, Config, Tls};
use assay_proto::v1::{self, index_service_server::IndexServiceServer, log_service_server::*, *};
use assay_tlog::hash;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{self, TreeSize};
use bytes::Bytes;
use log::join;
use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

/// A running log.
#[derive(Clone)]
pub struct Fake {
    state: Arc<Mutex<State>>,
    pub url: String,
    pub http_url: String,
}

impl Fake {
    /// A log of one leaf, which commits to the empty index.
    pub async fn start() -> Self {
        Fake::of(State::new()).await
    }

    /// The same, of another origin and with another key.
    pub async fn named(origin: &str) -> Self {
        Fake::of(State::named(origin)).await
    }

    async fn of(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(LogServiceServer::new(Service(state.clone())))
            .add_service(IndexServiceServer::new(Service(state.clone())));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_url = format!("http://{}", listener.local_addr().unwrap());
        let site = state.clone();
        let app = axum::Router::new().fallback(move |uri: axum::http::Uri| {
            let answer = site
                .lock()
                .unwrap()
                .http(uri.path().trim_start_matches('/'));
            async move { answer.ok_or(axum::http::StatusCode::NOT_FOUND) }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Fake {
            state,
            url,
            http_url,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn log_key(&self) -> VerifierKey {
        self.state().log_key()
    }

    pub async fn client(&self, state_dir: &Path) -> Client {
        let config = Config {
            url: self.url.clone(),
            log_key: self.log_key(),
            older: Vec::new(),
            state_dir: state_dir.into(),
            tls: Tls::default(),
        };
        Client::connect(config).await.unwrap()
    }
}

struct Service(Arc<Mutex<State>>);

impl Service {
    fn find(&self, leaf: Option<get_entry_and_proof_request::Leaf>) -> Result<u64, Status> {
        use get_entry_and_proof_request::Leaf;
        let state = self.0.lock().unwrap();
        if let (Some(index), Some(Leaf::ClaimId(_) | Leaf::LeafHash(_))) = (state.instead, &leaf) {
            return Ok(index);
        }
        let position = match leaf.unwrap() {
            Leaf::LeafIndex(index) => return Ok(index),
            Leaf::ClaimId(id) => state.entries.iter().position(|bytes| {
                let entry = Entry::parse(bytes.clone()).unwrap();
                entry.claim().is_ok_and(|logged| {
                    claim::verify(logged, &()).unwrap().id().as_bytes()[..] == id
                })
            }),
            Leaf::LeafHash(hash) => state
                .entries
                .iter()
                .position(|bytes| hash::leaf_hash(bytes).as_bytes()[..] == hash),
        };
        position
            .map(|at| at as u64)
            .ok_or_else(|| Status::not_found("no such leaf"))
    }

    fn append(&self, claim: wire::Claim) -> Result<PublishResponse, Status> {
        let verified =
            claim::verify(&claim, &()).map_err(|e| Status::invalid_argument(e.to_string()))?;
        let mut state = self.0.lock().unwrap();
        let leaf_index = state.publish(&claim);
        let leaf_index = state.instead.unwrap_or(leaf_index);
        let leaf_hash = match state.lie {
            Some(Lie::LeafHash) => hash::leaf_hash(b"another entry"),
            _ => hash::leaf_hash(&state.entries[leaf_index as usize]),
        };
        Ok(PublishResponse {
            leaf_index,
            leaf_hash: join(&[leaf_hash]),
            claim_id: Bytes::copy_from_slice(verified.id().as_bytes()),
            logged_at_ms: 1_000 + leaf_index,
            reached: v1::Wait::Integrated.into(),
            already_logged: false,
        })
    }
}

type Stream<T> = futures::stream::BoxStream<'static, Result<T, Status>>;

#[tonic::async_trait]
impl LogService for Service {
    async fn publish(
        &self,
        request: Request<PublishRequest>,
    ) -> Result<Response<PublishResponse>, Status> {
        self.append(request.into_inner().claim.unwrap())
            .map(Response::new)
    }

    type PublishStreamStream = Stream<PublishStreamResponse>;

    async fn publish_stream(
        &self,
        request: Request<Streaming<PublishStreamRequest>>,
    ) -> Result<Response<Self::PublishStreamStream>, Status> {
        let mut requests = request.into_inner();
        let mut results = vec![];
        while let Some(message) = requests.message().await? {
            for item in message.items {
                let result = match self.append(item.claim.unwrap()) {
                    Ok(published) => publish_result::Result::Published(published),
                    Err(status) => publish_result::Result::Refused(Refusal {
                        code: status.code() as i32,
                        message: status.message().into(),
                    }),
                };
                results.push(PublishResult {
                    id: item.id,
                    result: Some(result),
                });
            }
        }
        results.reverse();
        let messages = vec![Ok(PublishStreamResponse { results })];
        Ok(Response::new(Box::pin(futures::stream::iter(messages))))
    }

    async fn get_checkpoint(
        &self,
        _: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        Ok(Response::new(GetCheckpointResponse {
            checkpoint: self.0.lock().unwrap().latest(),
        }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        let request = request.into_inner();
        let Some(get_inclusion_proof_request::Leaf::LeafIndex(leaf_index)) = request.leaf else {
            return Err(Status::unimplemented("by index only"));
        };
        let state = self.0.lock().unwrap();
        let (size, checkpoint) = state.size_of(request.tree_size);
        let hashes = state.path(leaf_index, size)?;
        Ok(Response::new(GetInclusionProofResponse {
            leaf_index,
            tree_size: state.said(size.get()),
            hashes,
            checkpoint,
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        let GetConsistencyProofRequest { old_size, new_size } = request.into_inner();
        let state = self.0.lock().unwrap();
        let path = match &state.consistency {
            Some(answer) => answer.clone()?,
            None => {
                let (old, new) = (TreeSize::new(old_size), TreeSize::new(new_size));
                tree::prove_consistency(&*state, old, new)
                    .map_err(|e| Status::out_of_range(e.to_string()))?
            }
        };
        let answer = GetConsistencyProofResponse {
            old_size,
            new_size: state.said(new_size),
            hashes: join(&path),
            checkpoint: String::new(),
        };
        Ok(Response::new(answer))
    }

    async fn get_entry_and_proof(
        &self,
        request: Request<GetEntryAndProofRequest>,
    ) -> Result<Response<GetEntryAndProofResponse>, Status> {
        let request = request.into_inner();
        let leaf_index = self.find(request.leaf)?;
        let state = self.0.lock().unwrap();
        let (size, checkpoint) = state.size_of(request.tree_size);
        let entry = state
            .entries
            .get(leaf_index as usize)
            .cloned()
            .ok_or_else(|| Status::not_found("no such leaf"))?;
        let hashes = state.path(leaf_index, size)?;
        let answer = GetEntryAndProofResponse {
            entry,
            leaf_index,
            tree_size: state.said(size.get()),
            hashes,
            checkpoint,
        };
        Ok(Response::new(answer))
    }

    type StreamEntriesStream = Stream<StreamEntriesResponse>;

    async fn stream_entries(
        &self,
        request: Request<StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        let StreamEntriesRequest { start, end } = request.into_inner();
        let state = self.0.lock().unwrap();
        let entries = state.entries[start as usize..end as usize].to_vec();
        let start = start + u64::from(state.lie == Some(Lie::Start));
        let mut messages: Vec<_> = entries
            .chunks(3)
            .enumerate()
            .map(|(i, entries): (usize, &[Bytes])| {
                Ok(StreamEntriesResponse {
                    start: start + 3 * i as u64,
                    entries: entries.to_vec(),
                })
            })
            .collect();
        match state.lie {
            Some(Lie::Nothing) => {
                let entries = Vec::new();
                messages.insert(0, Ok(StreamEntriesResponse { start, entries }));
            }
            Some(Lie::End) => _ = messages.pop(),
            _ => {}
        }
        Ok(Response::new(Box::pin(futures::stream::iter(messages))))
    }

    async fn get_issuer(
        &self,
        request: Request<GetIssuerRequest>,
    ) -> Result<Response<GetIssuerResponse>, Status> {
        let id = request.into_inner().issuer_id;
        let state = self.0.lock().unwrap();
        let own = state
            .records
            .iter()
            .filter(|(issuer, ..)| issuer.as_bytes()[..] == id);
        let records = own.map(|(_, sequence, leaf_index)| IssuerRecordLeaf {
            sequence: *sequence,
            leaf_index: *leaf_index,
        });
        Ok(Response::new(GetIssuerResponse {
            records: records.collect(),
        }))
    }
    type WatchStream = Stream<WatchResponse>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nobody watches this log"))
    }
}

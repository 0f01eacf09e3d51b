//! A log in memory behind the real gRPC service and an HTTP server for its tiles. It is honest until a test changes what
//! it serves.

use assay_client::{Client, Config, Tls};
use assay_core::{
    Hash,
    claim::{self, PublicKey, SigningKey, VerifiedClaim},
    entry::{self, Entry, wire},
    hash,
    issuer::{self, IssuerId, IssuerRecord},
    note::{Checkpoint, SignerKey, VerifierKey},
    predicate::issuer::Issuer,
    purl::Purl,
    statement::{Statement, Subject},
    tree::{self, Edge, LeafIndex, Tile, TileIndex, TilePath, TileReader, TreeSize, bundle, tile::Resource},
};
use assay_proto::v1::{self, log_service_server::*, *};
use bytes::Bytes;
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

/// What the log serves. Tests change its fields to make it lie.
pub struct State {
    signer: SignerKey,
    /// Serialized entries.
    pub entries: Vec<Bytes>,
    tiles: HashMap<TileIndex, Arc<Tile>>,
    edge: Edge,
    /// Served in place of the honest checkpoint.
    pub checkpoint: Option<String>,
    /// Served in place of honest consistency proofs.
    pub consistency: Option<Result<Vec<Hash>, Status>>,
    /// Served over HTTP in place of the honest resource at a path; `None` is 404.
    pub http: HashMap<String, Option<Vec<u8>>>,
    /// Leaves that are records of issuers.
    records: Vec<(IssuerId, u32, u64)>,
}

/// A running log.
#[derive(Clone)]
pub struct Fake {
    state: Arc<Mutex<State>>,
    pub url: String,
    pub http_url: String,
}

impl Fake {
    pub async fn start() -> Self {
        let signer = SignerKey::from_seed("fake.example/log", &[7; 32]).unwrap();
        let state = Arc::new(Mutex::new(State {
            signer,
            entries: vec![],
            tiles: HashMap::new(),
            edge: Edge::new(),
            checkpoint: None,
            consistency: None,
            http: HashMap::new(),
            records: vec![],
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = LogServiceServer::new(Service(state.clone()));
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_url = format!("http://{}", listener.local_addr().unwrap());
        let site = state.clone();
        let app = axum::Router::new().fallback(move |uri: axum::http::Uri| {
            let answer = site.lock().unwrap().http(uri.path().trim_start_matches('/'));
            async move { answer.ok_or(axum::http::StatusCode::NOT_FOUND) }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Fake { state, url, http_url }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn log_key(&self) -> VerifierKey {
        self.state().signer.verifier()
    }

    pub async fn client(&self, state_dir: &Path) -> Client {
        let config =
            Config { url: self.url.clone(), log_key: self.log_key(), state_dir: state_dir.into(), tls: Tls::default() };
        Client::connect(config).await.unwrap()
    }
}

impl State {
    pub fn append(&mut self, claim: &wire::Claim) -> u64 {
        let index = self.entries.len() as u64;
        self.append_entry(entry::encode(1_000 + index, claim.clone()).unwrap());
        let verified: VerifiedClaim = claim::verify(claim, &()).unwrap();
        if let Ok(Some(record)) = IssuerRecord::from_claim(&verified) {
            self.records.push((record.id, record.body.sequence, index));
        }
        index
    }

    pub fn append_entry(&mut self, entry: Bytes) {
        for (index, hashes) in self.edge.append(&[hash::leaf_hash(&entry)]) {
            self.tiles.insert(index, Arc::new(Tile::from_hashes(hashes).unwrap()));
        }
        self.entries.push(entry);
    }

    /// A checkpoint of the first `size` entries.
    pub fn checkpoint_at(&self, size: u64) -> String {
        let size = TreeSize::new(size);
        self.sign(size, tree::root(&Tiles(&self.tiles), size).unwrap())
    }

    pub fn sign(&self, size: TreeSize, root: Hash) -> String {
        Checkpoint { origin: "fake.example/log".into(), size, root }.sign(&self.signer)
    }

    fn latest(&self) -> String {
        self.checkpoint.clone().unwrap_or_else(|| self.checkpoint_at(self.entries.len() as u64))
    }

    fn size_of(&self, asked: u64) -> (TreeSize, String) {
        match asked {
            0 => {
                let note = self.latest();
                (TreeSize::new(note.lines().nth(1).unwrap().parse().unwrap()), note)
            }
            size => (TreeSize::new(size), String::new()),
        }
    }

    fn path(&self, index: u64, size: TreeSize) -> Result<Bytes, Status> {
        let path = tree::prove_inclusion(&Tiles(&self.tiles), LeafIndex::new(index), size);
        path.map(|path| join(&path)).map_err(|e| Status::out_of_range(e.to_string()))
    }

    fn http(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(answer) = self.http.get(path) {
            return answer.clone();
        }
        if path == "checkpoint" {
            return Some(self.latest().into_bytes());
        }
        let path = TilePath::parse(path).ok()?;
        let width = usize::from(path.width());
        match path.resource() {
            Resource::Entries(index) => {
                let entries = self.entries.get(index as usize * 256..index as usize * 256 + width)?;
                let mut bytes = vec![];
                entries.iter().for_each(|entry| bundle::push(&mut bytes, entry).unwrap());
                Some(bytes)
            }
            Resource::Tile(index) => Some(join(self.tiles.get(&index)?.hashes().get(..width)?).to_vec()),
        }
    }
}

fn join(hashes: &[Hash]) -> Bytes {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

struct Tiles<'a>(&'a HashMap<TileIndex, Arc<Tile>>);

impl TileReader for Tiles<'_> {
    type Error = String;
    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, String> {
        wanted.iter().map(|index| self.0.get(index).cloned().ok_or_else(|| "no tile".into())).collect()
    }
}

struct Service(Arc<Mutex<State>>);

impl Service {
    fn find(&self, leaf: Option<get_entry_and_proof_request::Leaf>) -> Result<u64, Status> {
        use get_entry_and_proof_request::Leaf;
        let state = self.0.lock().unwrap();
        let position = match leaf.unwrap() {
            Leaf::LeafIndex(index) => return Ok(index),
            Leaf::ClaimId(id) => state.entries.iter().position(|bytes| {
                let entry = Entry::parse(bytes.clone()).unwrap();
                claim::verify(entry.claim(), &()).unwrap().id().as_bytes()[..] == id
            }),
            Leaf::LeafHash(hash) => {
                state.entries.iter().position(|bytes| hash::leaf_hash(bytes).as_bytes()[..] == hash)
            }
        };
        position.map(|at| at as u64).ok_or_else(|| Status::not_found("no such leaf"))
    }

    fn append(&self, claim: wire::Claim) -> Result<PublishResponse, Status> {
        let verified = claim::verify(&claim, &()).map_err(|e| Status::invalid_argument(e.to_string()))?;
        let mut state = self.0.lock().unwrap();
        let leaf_index = state.append(&claim);
        Ok(PublishResponse {
            leaf_index,
            leaf_hash: join(&[hash::leaf_hash(&state.entries[leaf_index as usize])]),
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
    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        self.append(request.into_inner().claim.unwrap()).map(Response::new)
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
                results.push(PublishResult { id: item.id, result: Some(result) });
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
        Ok(Response::new(GetCheckpointResponse { checkpoint: self.0.lock().unwrap().latest() }))
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
        Ok(Response::new(GetInclusionProofResponse { leaf_index, tree_size: size.get(), hashes, checkpoint }))
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
                tree::prove_consistency(&Tiles(&state.tiles), old, new)
                    .map_err(|e| Status::out_of_range(e.to_string()))?
            }
        };
        let answer = GetConsistencyProofResponse { old_size, new_size, hashes: join(&path), checkpoint: String::new() };
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
        let entry = state.entries.get(leaf_index as usize).cloned().ok_or_else(|| Status::not_found("no such leaf"))?;
        let hashes = state.path(leaf_index, size)?;
        let answer = GetEntryAndProofResponse { entry, leaf_index, tree_size: size.get(), hashes, checkpoint };
        Ok(Response::new(answer))
    }

    type StreamEntriesStream = Stream<StreamEntriesResponse>;

    async fn stream_entries(
        &self,
        request: Request<StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        let StreamEntriesRequest { start, end } = request.into_inner();
        let entries = self.0.lock().unwrap().entries[start as usize..end as usize].to_vec();
        let message = |(i, entries): (usize, &[Bytes])| {
            Ok(StreamEntriesResponse { start: start + 3 * i as u64, entries: entries.to_vec() })
        };
        let messages: Vec<_> = entries.chunks(3).enumerate().map(message).collect();
        Ok(Response::new(Box::pin(futures::stream::iter(messages))))
    }

    async fn get_issuer(&self, request: Request<GetIssuerRequest>) -> Result<Response<GetIssuerResponse>, Status> {
        let id = request.into_inner().issuer_id;
        let state = self.0.lock().unwrap();
        let own = state.records.iter().filter(|(issuer, ..)| issuer.as_bytes()[..] == id);
        let records =
            own.map(|(_, sequence, leaf_index)| IssuerRecordLeaf { sequence: *sequence, leaf_index: *leaf_index });
        Ok(Response::new(GetIssuerResponse { records: records.collect() }))
    }
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn id(seed: u8) -> IssuerId {
    IssuerId::derive(1, &[key(seed).verifying_key().to_bytes()])
}

/// The claim that registers the issuer of one key.
pub fn registration(seed: u8) -> wire::Claim {
    record(seed, seed, None)
}

/// The claim that gives issuer `seed` the key `next`, after the record `previous` with its sequence.
pub fn record(seed: u8, next: u8, previous: Option<(claim::ClaimId, u32)>) -> wire::Claim {
    let body = Issuer {
        name: format!("issuer {seed}"),
        contacts: vec![],
        keys: vec![PublicKey::from(&key(next))],
        threshold: 1,
        sequence: previous.map_or(0, |(_, sequence)| sequence + 1),
        previous: previous.map(|(id, _)| id),
        namespaces: vec![],
        roles: vec![],
    };
    let (old, new) = (key(seed), key(next));
    let mut signers = vec![(id(seed), &old)];
    if next != seed {
        signers.push((id(seed), &new));
    }
    claim::sign(issuer::statement(&id(seed), &body).unwrap().to_json().as_bytes(), &signers)
}

/// Some claim, another for every `number`, by the issuer of the key `seed`.
pub fn claim(seed: u8, number: u64) -> wire::Claim {
    let purl = Purl::parse_canonical(&format!("pkg:cargo/example@{number}.0.0")).unwrap();
    let predicate = assay_core::json::Value::Object(vec![]);
    let statement = Statement::new(vec![Subject::package(purl)], "https://example.com/p/v1", predicate).unwrap();
    claim::sign(statement.to_json().as_bytes(), &[(id(seed), &key(seed))])
}

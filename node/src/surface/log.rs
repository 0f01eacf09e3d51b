//! `assay.v1.LogService`: publishing, and everything that proves what is in the log.

use super::{status, watch};
use crate::{
    admission::{Admission, Admitted, Refusal},
    records,
    reply::Reply,
    sequencer::{Halt, Submission, Wait},
    storage::Tables,
    view::{Published, View, ViewError},
};
use assay_claims::claim::ClaimId;
use assay_claims::entry::Entry;
use assay_claims::limits;
use assay_claims::sequencer::Outcome;
use assay_proto::v1::{
    self, GetCheckpointRequest, GetCheckpointResponse, GetConsistencyProofRequest,
    GetConsistencyProofResponse, GetEntryAndProofRequest, GetEntryAndProofResponse,
    GetInclusionProofRequest, GetInclusionProofResponse, GetIssuerRequest, GetIssuerResponse,
    IssuerRecordLeaf, PublishItem, PublishRequest, PublishResponse, PublishResult,
    PublishStreamRequest, PublishStreamResponse, Refusal as WireRefusal, StreamEntriesRequest,
    StreamEntriesResponse, WatchRequest, WatchResponse, get_entry_and_proof_request as by_entry,
    get_inclusion_proof_request as by_leaf, log_service_server::LogService, publish_result,
};
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream, StreamExt, stream};
use std::{
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status, Streaming};

/// Messages of one publishing stream that are worked on at once. With items of 1 KiB and messages
/// of 64 items this is more than a commit holds, so the stream never waits for an answer before the
/// next commit can fill.
const STREAM_MESSAGES: usize = 64;

/// Most items in one message of a publishing stream.
const STREAM_ITEMS: usize = 1024;

/// Bytes of entries in one message of `StreamEntries`, about: well below the limit of 1 MiB a
/// message.
const ENTRIES_MESSAGE_BYTES: usize = 512 << 10;

/// The service.
pub struct Log<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    view: Arc<View<S>>,
    admission: Admission<S>,
    pool: mpsc::Sender<Submission>,
    halt: Arc<Halt>,
    stopping: tokio::sync::watch::Receiver<bool>,
}

impl<S: Tables + Send + Sync + 'static> Log<S> {
    /// Serves `view`, and sends what `admission` lets in to `pool`. Calls that go on for ever end
    /// when `stopping` says so.
    pub fn new(
        view: Arc<View<S>>,
        admission: Admission<S>,
        pool: mpsc::Sender<Submission>,
        halt: Arc<Halt>,
        stopping: tokio::sync::watch::Receiver<bool>,
    ) -> Self {
        Log {
            shared: Arc::new(Shared {
                view,
                admission,
                pool,
                halt,
                stopping,
            }),
        }
    }
}

impl<S: Tables + Send + Sync + 'static> Shared<S> {
    fn halted(&self) -> Refusal {
        Refusal::Halted(self.halt.reason().unwrap_or("it is stopping").to_owned())
    }

    /// Queues candidates without waiting for room.
    fn submit(
        &self,
        candidates: Vec<assay_claims::sequencer::Candidate>,
        wait: Wait,
    ) -> Result<Answer, Refusal> {
        let (reply, answer) = Reply::new();
        self.pool
            .try_send(Submission {
                candidates,
                wait,
                reply,
            })
            .map_err(|error| match error {
                TrySendError::Full(_) => Refusal::Busy {
                    what: "the queue of claims that wait for a leaf is full".into(),
                    retry_s: 1,
                },
                TrySendError::Closed(_) => self.halted(),
            })?;
        Ok(answer)
    }

    fn published(
        &self,
        id: ClaimId,
        outcome: Outcome,
        reached: Wait,
    ) -> Result<PublishResponse, Refusal> {
        let (leaf_index, leaf_hash, logged_at_ms, already_logged) = match outcome {
            Outcome::Sequenced {
                index,
                leaf_hash,
                logged_at_ms,
            } => (index, leaf_hash, logged_at_ms, false),
            Outcome::Existing(index) => {
                let bytes = records::read_entry(self.view.store(), index)?;
                let entry = Entry::parse(bytes)
                    .map_err(|e| records::RecordError::Damaged(format!("entry {index}: {e}")))?;
                (index, entry.leaf_hash(), entry.logged_at_ms(), true)
            }
            Outcome::Refused(refused) => return Err(refused.into()),
        };
        let covered = leaf_index.get() < self.view.published().size().get();
        let reached = match (covered, reached) {
            (true, _) | (_, Wait::Integrated) => v1::Wait::Integrated,
            (false, Wait::Sequenced) => v1::Wait::Sequenced,
        };
        Ok(PublishResponse {
            leaf_index: leaf_index.get(),
            leaf_hash: Bytes::copy_from_slice(leaf_hash.as_bytes()),
            claim_id: Bytes::copy_from_slice(id.as_bytes()),
            logged_at_ms,
            reached: reached.into(),
            already_logged,
        })
    }

    async fn publish(
        &self,
        request: PublishRequest,
        from: Option<IpAddr>,
    ) -> Result<PublishResponse, Status> {
        let wait = wait(request.wait)?;
        let claim = request
            .claim
            .ok_or_else(|| status::invalid("claim", "the request holds no claim".into()))?;
        let candidate = match self.admission.admit(&claim, from)? {
            Admitted::Candidate(candidate) => candidate,
            Admitted::Existing(id, index) => {
                return Ok(self.published(id, Outcome::Existing(index), wait)?);
            }
        };
        let id = candidate.id();
        let outcomes = self
            .submit(vec![*candidate], wait)?
            .await
            .map_err(|_| self.halted())?;
        let outcome = outcomes.into_iter().next().ok_or_else(|| self.halted())?;
        Ok(self.published(id, outcome, wait)?)
    }

    /// Admits the items of one message; refused ones are answered, the rest get their place in one
    /// submission.
    fn admit_items(&self, items: Vec<PublishItem>, from: Option<IpAddr>) -> Admittance {
        let mut admittance = Admittance::default();
        for item in items {
            let PublishItem { id, claim } = item;
            let claim = claim.unwrap_or_default();
            match self.admission.admit(&claim, from) {
                Ok(Admitted::Candidate(candidate)) => {
                    admittance.ids.push((id, candidate.id()));
                    admittance.candidates.push(*candidate);
                }
                Ok(Admitted::Existing(claim, index)) => {
                    admittance.settled.push(self.result(
                        id,
                        claim,
                        Outcome::Existing(index),
                        Wait::Sequenced,
                    ));
                }
                Err(refusal) => admittance.settled.push(refused(id, refusal)),
            }
        }
        admittance
    }

    fn result(&self, id: u64, claim: ClaimId, outcome: Outcome, wait: Wait) -> PublishResult {
        match self.published(claim, outcome, wait) {
            Ok(published) => PublishResult {
                id,
                result: Some(publish_result::Result::Published(published)),
            },
            Err(refusal) => refused(id, refusal),
        }
    }

    /// Admits the items of one message on the verifying threads, one a core: a message is a
    /// millisecond of pure computing, which must not hold up other calls, and more threads than
    /// cores would only take turns.
    async fn verify(
        self: Arc<Self>,
        items: Vec<PublishItem>,
        from: Option<IpAddr>,
    ) -> Result<Admittance, Status> {
        let (done, admitted) = oneshot::channel();
        rayon::spawn_fifo(move || {
            // An error means that the stream ended meanwhile; nothing was submitted.
            let _ = done.send(self.admit_items(items, from));
        });
        admitted
            .await
            .map_err(|_| Status::internal("verification failed to run; see the node's trace"))
    }

    /// One message of a publishing stream, to its answer.
    async fn publish_items(
        self: Arc<Self>,
        items: Vec<PublishItem>,
        wait: Wait,
        from: Option<IpAddr>,
    ) -> Result<PublishStreamResponse, Status> {
        if items.len() > STREAM_ITEMS {
            let message = format!(
                "a message holds {} items; at most {STREAM_ITEMS} are taken",
                items.len()
            );
            return Err(status::invalid("items", message));
        }
        let mut admittance = self.clone().verify(items, from).await?;
        if !admittance.candidates.is_empty() {
            let (reply, answer) = Reply::new();
            let submission = Submission {
                candidates: admittance.candidates,
                wait,
                reply,
            };
            // A stream waits for room; that is its flow control.
            self.pool
                .send(submission)
                .await
                .map_err(|_| self.halted())?;
            let outcomes = answer.await.map_err(|_| self.halted())?;
            let placed = admittance.ids.into_iter().zip(outcomes);
            admittance
                .settled
                .extend(placed.map(|((id, claim), outcome)| self.result(id, claim, outcome, wait)));
        }
        Ok(PublishStreamResponse {
            results: admittance.settled,
        })
    }

    fn resolve(&self, leaf: Leaf) -> Result<LeafIndex, Status> {
        let (what, found) = match leaf {
            Leaf::Index(index) => return Ok(LeafIndex::new(index)),
            Leaf::Claim(id) => (
                "claim id",
                records::find_claim(self.view.store(), &hash("claim_id", &id)?),
            ),
            Leaf::Hash(bytes) => (
                "leaf hash",
                records::find_leaf_hash(self.view.store(), &hash("leaf_hash", &bytes)?),
            ),
        };
        found
            .map_err(|e| status::store(&e))?
            .ok_or_else(|| Status::not_found(format!("this log has no leaf with that {what}")))
    }

    /// The published state and the size that a request means, taken together, so that they fit each
    /// other.
    fn at(&self, size: u64) -> Result<(Arc<Published>, TreeSize, bool), Status> {
        let published = self.view.published();
        match size {
            0 => Ok((published.clone(), published.size(), true)),
            n if n <= published.size().get() => Ok((published, TreeSize::new(n), false)),
            n => {
                let beyond = ViewError::Beyond {
                    asked: format!("tree size {n}"),
                    published: published.size(),
                };
                Err(beyond.into())
            }
        }
    }
}

type Answer = oneshot::Receiver<Vec<Outcome>>;

#[derive(Default)]
struct Admittance {
    ids: Vec<(u64, ClaimId)>,
    candidates: Vec<assay_claims::sequencer::Candidate>,
    settled: Vec<PublishResult>,
}

enum Leaf {
    Index(u64),
    Claim(Bytes),
    Hash(Bytes),
}

fn refused(id: u64, refusal: Refusal) -> PublishResult {
    let status = Status::from(refusal);
    let refused = WireRefusal {
        code: status.code().into(),
        message: status.message().to_owned(),
    };
    PublishResult {
        id,
        result: Some(publish_result::Result::Refused(refused)),
    }
}

fn hash(field: &str, bytes: &[u8]) -> Result<Hash, Status> {
    Hash::from_slice(bytes).ok_or_else(|| {
        status::invalid(
            field,
            format!("{field} has {} bytes; a SHA-256 has 32", bytes.len()),
        )
    })
}

fn wait(value: i32) -> Result<Wait, Status> {
    match v1::Wait::try_from(value) {
        Ok(v1::Wait::Unspecified | v1::Wait::Integrated) => Ok(Wait::Integrated),
        Ok(v1::Wait::Sequenced) => Ok(Wait::Sequenced),
        Err(_) => Err(status::invalid(
            "wait",
            format!("this node knows no wait {value}"),
        )),
    }
}

fn joined(path: &[Hash]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(path.len() * Hash::LEN);
    for hash in path {
        bytes.extend_from_slice(hash.as_bytes());
    }
    bytes.freeze()
}

fn peer<T>(request: &Request<T>) -> Option<IpAddr> {
    request
        .extensions()
        .get::<super::serve::Peer>()
        .map(|peer| SocketAddr::ip(&peer.0))
}

fn no_leaf() -> Status {
    status::invalid(
        "leaf",
        "say which leaf: leaf_index, claim_id or leaf_hash".into(),
    )
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl<S: Tables + Send + Sync + 'static> LogService for Log<S> {
    type PublishStreamStream = Answers<PublishStreamResponse>;
    type StreamEntriesStream = Answers<StreamEntriesResponse>;
    type WatchStream = Answers<WatchResponse>;

    async fn publish(
        &self,
        request: Request<PublishRequest>,
    ) -> Result<Response<PublishResponse>, Status> {
        let from = peer(&request);
        self.shared
            .publish(request.into_inner(), from)
            .await
            .map(Response::new)
    }

    async fn publish_stream(
        &self,
        request: Request<Streaming<PublishStreamRequest>>,
    ) -> Result<Response<Self::PublishStreamStream>, Status> {
        let from = peer(&request);
        let shared = self.shared.clone();
        let mut first = None;
        let answers = request
            .into_inner()
            .map(move |message| {
                let message = message?;
                let wait = *first.get_or_insert(wait(message.wait)?);
                Ok(shared.clone().publish_items(message.items, wait, from))
            })
            .map(|work: Result<_, Status>| async move { work?.await })
            .buffer_unordered(STREAM_MESSAGES);
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_checkpoint(
        &self,
        _: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let checkpoint = self.shared.view.published().note().to_owned();
        Ok(Response::new(GetCheckpointResponse { checkpoint }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        let request = request.into_inner();
        let index = self
            .shared
            .resolve(match request.leaf.ok_or_else(no_leaf)? {
                by_leaf::Leaf::LeafIndex(index) => Leaf::Index(index),
                by_leaf::Leaf::ClaimId(id) => Leaf::Claim(id),
                by_leaf::Leaf::LeafHash(hash) => Leaf::Hash(hash),
            })?;
        let (published, size, latest) = self.shared.at(request.tree_size)?;
        let path = self.shared.view.inclusion(index, size)?;
        Ok(Response::new(GetInclusionProofResponse {
            leaf_index: index.get(),
            tree_size: size.get(),
            hashes: joined(&path),
            checkpoint: if latest {
                published.note().to_owned()
            } else {
                String::new()
            },
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        let request = request.into_inner();
        let (published, new, latest) = self.shared.at(request.new_size)?;
        let old = TreeSize::new(request.old_size);
        let path = self.shared.view.consistency(old, new)?;
        Ok(Response::new(GetConsistencyProofResponse {
            old_size: old.get(),
            new_size: new.get(),
            hashes: joined(&path),
            checkpoint: if latest {
                published.note().to_owned()
            } else {
                String::new()
            },
        }))
    }

    async fn get_entry_and_proof(
        &self,
        request: Request<GetEntryAndProofRequest>,
    ) -> Result<Response<GetEntryAndProofResponse>, Status> {
        let request = request.into_inner();
        let index = self
            .shared
            .resolve(match request.leaf.ok_or_else(no_leaf)? {
                by_entry::Leaf::LeafIndex(index) => Leaf::Index(index),
                by_entry::Leaf::ClaimId(id) => Leaf::Claim(id),
                by_entry::Leaf::LeafHash(hash) => Leaf::Hash(hash),
            })?;
        let (published, size, latest) = self.shared.at(request.tree_size)?;
        let path = self.shared.view.inclusion(index, size)?;
        let entry = self.shared.view.entry(index, size)?;
        Ok(Response::new(GetEntryAndProofResponse {
            entry,
            leaf_index: index.get(),
            tree_size: size.get(),
            hashes: joined(&path),
            checkpoint: if latest {
                published.note().to_owned()
            } else {
                String::new()
            },
        }))
    }

    async fn stream_entries(
        &self,
        request: Request<StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        let request = request.into_inner();
        let (_, end, _) = self.shared.at(request.end)?;
        if request.start > end.get() {
            let message = format!("start {} is beyond the end, {end}", request.start);
            return Err(Status::out_of_range(message));
        }
        let shared = self.shared.clone();
        let pages = stream::try_unfold(request.start, move |start| {
            let shared = shared.clone();
            async move {
                if start >= end.get() {
                    return Ok(None);
                }
                let entries = page(&shared.view, start, end)?;
                let next = start + entries.len() as u64;
                Ok(Some((StreamEntriesResponse { start, entries }, next)))
            }
        });
        Ok(Response::new(Box::pin(pages)))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let mut known = watch::parse(request.into_inner())?;
        let shared = self.shared.clone();
        let sizes = WatchStream::new(self.shared.view.follow());
        let answers = sizes.filter_map(move |_| {
            let news = watch::news(&shared.view, &mut known);
            async move { news.transpose() }
        });
        // A node that stops ends the watches, too: their connections would not end by themselves.
        let stopping = self.shared.stopping.clone();
        let stopped = async move {
            let mut stopping = stopping;
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        Ok(Response::new(Box::pin(answers.take_until(stopped.boxed()))))
    }

    async fn get_issuer(
        &self,
        request: Request<GetIssuerRequest>,
    ) -> Result<Response<GetIssuerResponse>, Status> {
        let id = hash("issuer_id", &request.into_inner().issuer_id)?;
        let leaves = self.shared.view.issuer_leaves(&id)?;
        if leaves.is_empty() {
            return Err(Status::not_found(format!(
                "issuer {id} is not registered in this log"
            )));
        }

        Ok(Response::new(GetIssuerResponse {
            records: leaves
                .into_iter()
                .map(|(sequence, index): (u32, LeafIndex)| IssuerRecordLeaf {
                    sequence,
                    leaf_index: index.get(),
                })
                .collect(),
        }))
    }
}

/// Entries from `start` on, up to `end`, the end of a bundle, a page or a message, whichever comes
/// first.
fn page<S: Tables>(view: &View<S>, start: u64, end: TreeSize) -> Result<Vec<Bytes>, Status> {
    let number = start / records::WIDTH;
    let width = records::WIDTH.min(end.get() - number * records::WIDTH);
    let bundle =
        records::read_bundle(view.store(), number, width).map_err(|e| status::store(&e))?;
    let mut entries = Vec::new();
    let mut bytes = 0;
    for entry in
        assay_tlog::tree::bundle::entries(&bundle).skip((start - number * records::WIDTH) as usize)
    {
        let entry =
            entry.map_err(|e| status::store(&records::RecordError::Damaged(e.to_string())))?;
        if !entries.is_empty()
            && (bytes + entry.len() > ENTRIES_MESSAGE_BYTES || entries.len() == limits::PAGE)
        {
            break;
        }
        bytes += entry.len();
        entries.push(bundle.slice_ref(entry));
    }
    Ok(entries)
}

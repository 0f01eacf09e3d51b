//! `assay.v1.LogService`: publishing, and everything that proves what is in the log.

mod publish;
mod read;
mod room;
mod watch;

use super::{
    Answers, account, in_pieces, joined,
    look_ups::LookUps,
    metered::{Paid, Pieces, encoded},
    peer,
};
use crate::{
    admission::Caller,
    held::{Kind, NoRoom},
    storage::Tables,
    view::View,
};
use assay_proto::INVITATION;
use assay_proto::v1::{
    GetCheckpointRequest, GetCheckpointResponse, GetConsistencyProofRequest,
    GetConsistencyProofResponse, GetEntryAndProofRequest, GetEntryAndProofResponse,
    GetInclusionProofRequest, GetInclusionProofResponse, GetIssuerRequest, GetIssuerResponse,
    IssuerRecordLeaf, PublishRequest, PublishResponse, PublishStreamRequest, PublishStreamResponse,
    StreamEntriesRequest, StreamEntriesResponse, WatchRequest, WatchResponse,
    get_entry_and_proof_request as by_entry, get_inclusion_proof_request as by_leaf,
    log_service_server::LogService,
};
use assay_tlog::tree::TreeSize;
use futures::{FutureExt, StreamExt, stream};
pub use publish::Publisher;
use read::{At, Leaf};
use room::Received;
use std::sync::Arc;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataValue};
use watch::Watch;

/// Messages of one publishing stream that are worked on at once. With items of 1 KiB and messages
/// of 64 items this is more than a commit holds, so the stream never waits for an answer before the
/// next commit can fill.
const STREAM_MESSAGES: usize = 64;

/// Bytes of the answer to one message of a publishing stream, at most about: 1,024 results of 100
/// bytes each.
const RESULTS_BYTES: usize = 128 << 10;

/// Bytes of one message of news: 1,000 labels of 44 bytes each.
const NEWS_BYTES: usize = 48 << 10;

/// `assay.v1.LogService` on one log.
pub struct LogApi<S> {
    view: Arc<View<S>>,
    /// Who takes claims; nobody does for a copy of another log.
    publisher: Option<Arc<Publisher<S>>>,
    look_ups: LookUps,
    stopping: tokio::sync::watch::Receiver<bool>,
}

impl<S: Tables + 'static> LogApi<S> {
    /// Returns a service that publishes by `publisher` and reads from what it shows. Calls that
    /// never end by themselves end when `stopping` becomes true.
    pub fn new(
        publisher: Publisher<S>,
        look_ups: LookUps,
        stopping: tokio::sync::watch::Receiver<bool>,
    ) -> Self {
        LogApi {
            view: publisher.view.clone(),
            publisher: Some(Arc::new(publisher)),
            look_ups,
            stopping,
        }
    }

    /// The service of a copy of another log, in which nothing is published.
    pub fn copy(
        view: Arc<View<S>>,
        look_ups: LookUps,
        stopping: tokio::sync::watch::Receiver<bool>,
    ) -> Self {
        LogApi {
            view,
            publisher: None,
            look_ups,
            stopping,
        }
    }

    fn publisher(&self) -> Result<&Arc<Publisher<S>>, Status> {
        self.publisher.as_ref().ok_or_else(|| {
            Status::failed_precondition(
                "this is a mirror's copy of the log, which takes no claims: publish at the log \
                 itself",
            )
        })
    }
}

fn caller<S: Tables, T>(publisher: &Publisher<S>, request: &Request<T>) -> Caller {
    let token = request.metadata().get(INVITATION);
    let token = token.map(MetadataValue::as_bytes);
    publisher.admission.caller(peer(request), token)
}

#[tonic::async_trait]
impl<S: Tables + 'static> LogService for LogApi<S> {
    type PublishStreamStream = Answers<PublishStreamResponse>;
    type StreamEntriesStream = Answers<StreamEntriesResponse>;
    type WatchStream = Answers<WatchResponse>;

    async fn publish(
        &self,
        request: Request<PublishRequest>,
    ) -> Result<Response<PublishResponse>, Status> {
        let publisher = self.publisher()?;
        let (caller, account) = (caller(publisher, &request), account(&request)?);
        publisher
            .publish(request.into_inner(), caller, &account)
            .await
            .map(Response::new)
    }

    async fn publish_stream(
        &self,
        request: Request<Streaming<PublishStreamRequest>>,
    ) -> Result<Response<Self::PublishStreamStream>, Status> {
        let publisher = self.publisher()?.clone();
        let (caller, account) = (caller(&publisher, &request), account(&request)?);
        let pieces = Pieces {
            account: account.clone(),
            kind: Kind::Short,
            bytes: encoded(RESULTS_BYTES),
            idle: true,
        };
        let mut first = None;
        let reader = publisher.clone();
        let answers = request
            .into_inner()
            .map(move |message| {
                let message = message?;
                let wait = *first.get_or_insert(reader.wait(message.wait)?);
                Ok((message.items, wait))
            })
            .then(move |message: Result<_, Status>| {
                let account = account.clone();
                async move {
                    let (items, wait) = message?;
                    Ok((Received::take(items, account).await, wait))
                }
            })
            .map(move |message: Result<_, Status>| {
                let publisher = publisher.clone();
                async move {
                    let (received, wait) = message?;
                    publisher.publish_items(received, wait, caller).await
                }
            })
            .buffer_unordered(STREAM_MESSAGES);
        Ok(in_pieces(pieces, answers))
    }

    async fn get_checkpoint(
        &self,
        _: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let checkpoint = self.view.published()?.note().to_owned();
        Ok(Response::new(GetCheckpointResponse { checkpoint }))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        let request = request.into_inner();
        let leaf = match request.leaf.ok_or_else(read::no_leaf)? {
            by_leaf::Leaf::LeafIndex(index) => Leaf::Index(index),
            by_leaf::Leaf::ClaimId(id) => Leaf::Claim(id),
            by_leaf::Leaf::LeafHash(hash) => Leaf::Hash(hash),
        };
        let index = read::resolve(&self.view, leaf)?;
        let At { size, checkpoint } = read::at(&self.view, request.tree_size)?;
        let path = self.view.inclusion(index, size)?;
        Ok(Response::new(GetInclusionProofResponse {
            leaf_index: index.get(),
            tree_size: size.get(),
            hashes: joined(&path),
            checkpoint,
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        let request = request.into_inner();
        let At {
            size: new,
            checkpoint,
        } = read::at(&self.view, request.new_size)?;
        let old = TreeSize::new(request.old_size);
        let path = self.view.consistency(old, new)?;
        Ok(Response::new(GetConsistencyProofResponse {
            old_size: old.get(),
            new_size: new.get(),
            hashes: joined(&path),
            checkpoint,
        }))
    }

    async fn get_entry_and_proof(
        &self,
        request: Request<GetEntryAndProofRequest>,
    ) -> Result<Response<GetEntryAndProofResponse>, Status> {
        let account = account(&request)?;
        let request = request.into_inner();
        let leaf = match request.leaf.ok_or_else(read::no_leaf)? {
            by_entry::Leaf::LeafIndex(index) => Leaf::Index(index),
            by_entry::Leaf::ClaimId(id) => Leaf::Claim(id),
            by_entry::Leaf::LeafHash(hash) => Leaf::Hash(hash),
        };
        let index = read::resolve(&self.view, leaf)?;
        let At { size, checkpoint } = read::at(&self.view, request.tree_size)?;
        let path = self.view.inclusion(index, size)?;
        let read = || {
            let entry = self.view.entry(index, size)?;
            let bytes = encoded(entry.len());
            Ok::<_, Status>((entry, bytes))
        };
        let (entry, hold) = account.made(read).await?;
        let mut response = Response::new(GetEntryAndProofResponse {
            entry,
            leaf_index: index.get(),
            tree_size: size.get(),
            hashes: joined(&path),
            checkpoint,
        });
        response
            .extensions_mut()
            .insert(Paid::Whole(Arc::new(hold)));
        Ok(response)
    }

    async fn stream_entries(
        &self,
        request: Request<StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        let pieces = Pieces {
            account: account(&request)?,
            kind: Kind::Long,
            bytes: encoded(read::ENTRIES_MESSAGE_BYTES),
            idle: false,
        };
        let request = request.into_inner();
        let At { size: end, .. } = read::at(&self.view, request.end)?;
        if request.start > end.get() {
            let message = format!("start {} is beyond the end, {end}", request.start);
            return Err(Status::out_of_range(message));
        }
        let view = self.view.clone();
        let pages = stream::try_unfold(request.start, move |start| {
            let view = view.clone();
            async move {
                if start >= end.get() {
                    return Ok(None);
                }
                let entries = read::page(&view, start, end)?;
                let next = start + entries.len() as u64;
                Ok(Some((StreamEntriesResponse { start, entries }, next)))
            }
        });
        Ok(in_pieces(pieces, pages))
    }

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let account = account(&request)?;
        let place = account.try_hold(Kind::Watch, 1).ok_or(NoRoom)?;
        let pieces = Pieces {
            account: account.clone(),
            kind: Kind::Short,
            bytes: encoded(NEWS_BYTES),
            idle: true,
        };
        let known = watch::parse(request.into_inner())?;
        let watch = Watch::new(self.view.clone(), self.look_ups.clone(), known, place);
        let sizes = WatchStream::new(self.view.follow());
        let answers = stream::try_unfold((watch, sizes), move |(mut watch, mut sizes)| {
            let account = account.clone();
            async move {
                while sizes.next().await.is_some() {
                    if let Some(news) = watch.news(&account).await? {
                        return Ok(Some((news, (watch, sizes))));
                    }
                }
                Ok(None)
            }
        });
        // A node that stops ends the watches too. Their connections would not end by themselves.
        let mut stopping = self.stopping.clone();
        let stopped = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        Ok(in_pieces(pieces, answers.take_until(stopped.boxed())))
    }

    async fn get_issuer(
        &self,
        request: Request<GetIssuerRequest>,
    ) -> Result<Response<GetIssuerResponse>, Status> {
        let id = read::hash("issuer_id", &request.into_inner().issuer_id)?;
        let leaves = self.view.issuer_leaves(&id)?;
        if leaves.is_empty() {
            return Err(Status::not_found(format!(
                "issuer {id} is not registered in this log"
            )));
        }
        let mut answer = GetIssuerResponse::default();
        for (sequence, index) in leaves {
            answer.records.push(IssuerRecordLeaf {
                sequence,
                leaf_index: index.get(),
            });
        }
        Ok(Response::new(answer))
    }
}

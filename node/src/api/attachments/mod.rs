//! `assay.v1.AttachmentService`: documents that claims name by their SHA-256.
//!
//! Only what a logged claim names is taken, within the quotas of [`ledger`], so that nobody can
//! fill the disk.

mod first;
pub mod ledger;
mod upload;

use super::{
    Answers, account, in_pieces,
    metered::{Pieces, encoded},
    peer, status,
};
use crate::{
    admission::Refusal,
    held::{Kind, NoRoom},
    quota::Uploads,
    storage::{BlobReader, StorageError, Store},
};
use assay_claims::limits;
use assay_proto::v1::{
    GetRequest, GetResponse, PutHeader, PutRequest, PutResponse,
    attachment_service_server::AttachmentService,
};
use assay_tlog::Hash;
use bytes::Bytes;
use futures::stream;
use ledger::{Ledger, Place, Refused};
use std::{io::Read, sync::Arc, time::Duration};
use tonic::{Request, Response, Status, Streaming};
use upload::{Chunks, Paying};

pub(super) use first::First;

/// Bytes in one message of an attachment.
const CHUNK: usize = 256 << 10;

/// Largest message of an upload: a chunk and its field's head.
pub const MESSAGE_BYTES: usize = CHUNK + 16;

/// Chunks between a connection and the disk: while one is written, the next one comes.
const CHUNKS_AHEAD: usize = 1;

/// Memory that an upload of so many bytes takes: the chunks ahead, one that is written, and one
/// that comes, which may be as long as any.
fn upload_bytes(size: u64) -> usize {
    let ahead = (CHUNKS_AHEAD + 1) * CHUNK;
    CHUNK + usize::try_from(size).map_or(ahead, |size| size.min(ahead))
}

/// Longest wait for the count of what is stored, after a start.
const COUNT: Duration = Duration::from_secs(10);

/// `assay.v1.AttachmentService` on one store.
pub struct AttachmentApi<S> {
    store: Arc<S>,
    ledger: Arc<Ledger>,
    uploads: Arc<Uploads>,
}

impl<S: Store + 'static> AttachmentApi<S> {
    /// Returns a service of the attachments of `store`, which takes uploads once `ledger` has
    /// counted what is there.
    pub fn new(store: Arc<S>, ledger: Arc<Ledger>, uploads: Uploads) -> Self {
        AttachmentApi {
            store,
            ledger,
            uploads: Arc::new(uploads),
        }
    }

    /// Decides whether the attachment is to be written. It reads the store, so it runs on a thread
    /// that may wait.
    async fn place(&self, sha256: Hash, size: u64) -> Result<Place, Status> {
        let counted = tokio::time::timeout(COUNT, self.ledger.counted()).await;
        counted.map_err(|_| {
            Status::unavailable("the node counts its attachments after a start; try again later")
        })?;
        let (store, ledger) = (self.store.clone(), self.ledger.clone());
        let placed = tokio::task::spawn_blocking(move || ledger.place(&*store, &sha256, size));
        let placed = placed.await.map_err(|_| unwritable())?;
        Ok(placed?)
    }
}

fn check(header: &PutHeader) -> Result<Hash, Status> {
    let sha256 = digest(&header.sha256)?;
    if header.size > limits::ATTACHMENT_BYTES {
        let message = format!(
            "the attachment has {} bytes; at most {} are taken",
            header.size,
            limits::ATTACHMENT_BYTES
        );
        return Err(status::invalid("header.size", message));
    }
    Ok(sha256)
}

fn unwritable() -> Status {
    Status::internal("the attachment could not be written")
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::Unnamed(_) => Status::failed_precondition(message),
            Refused::OtherSize { .. } => status::invalid("header.size", message),
            Refused::Quota { name, .. } => full(name, message),
            Refused::Reserve => full("attachment_reserve", message),
            Refused::Record(error) => status::store(&error),
        }
    }
}

/// `RESOURCE_EXHAUSTED`. Space is free again when an operator makes some, not in seconds.
fn full(limit: &'static str, message: String) -> Status {
    metrics::counter!("assay_refused_total", "limit" => limit).increment(1);
    status::busy(message, 3600)
}

fn digest(bytes: &[u8]) -> Result<Hash, Status> {
    Hash::from_slice(bytes).ok_or_else(|| {
        status::invalid(
            "sha256",
            format!("sha256 has {} bytes; a SHA-256 has 32", bytes.len()),
        )
    })
}

fn failed(error: StorageError) -> Status {
    match error {
        StorageError::WrongDigest { .. }
        | StorageError::WrongSize { .. }
        | StorageError::Source(_) => status::invalid("chunk", error.to_string()),
        StorageError::DiskFull { .. } => {
            Status::unavailable("this node's disk is full; its operator was told")
        }
        error => status::store(&error.into()),
    }
}

#[tonic::async_trait]
impl<S: Store + 'static> AttachmentService for AttachmentApi<S> {
    type GetStream = Answers<GetResponse>;

    async fn put(
        &self,
        request: Request<Streaming<PutRequest>>,
    ) -> Result<Response<PutResponse>, Status> {
        let (account, from) = (account(&request)?, peer(&request));
        let mut parts = request.into_inner();
        // Whoever says nothing holds nothing.
        let header = upload::header(&mut parts).await?;
        let (sha256, size) = (check(&header)?, header.size);
        let _file = account.try_hold(Kind::File, 1).ok_or(NoRoom)?;
        let room = match self.place(sha256, size).await? {
            Place::Stored => {
                return Ok(Response::new(PutResponse {
                    already_stored: true,
                }));
            }
            Place::Free(room) => room,
        };
        let _memory = account.hold(Kind::Upload, upload_bytes(size)).await?;
        if let Some(from) = from {
            self.uploads.charge(from, size).map_err(Refusal::from)?;
        }
        let (ahead, chunks) = Chunks::new(CHUNKS_AHEAD);
        let paying = Paying::new(chunks, size, self.store.clone(), room);
        let writer = tokio::task::spawn_blocking(move || paying.write(&sha256, size));
        upload::feed(parts, ahead).await;
        let stored = writer.await.map_err(|_| unwritable())?;
        Ok(Response::new(PutResponse {
            already_stored: stored?,
        }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let account = account(&request)?;
        let sha256 = digest(&request.into_inner().sha256)?;
        let file = account.try_hold(Kind::File, 1).ok_or(NoRoom)?;
        let Some(blob) = self.store.open(&sha256).map_err(failed)? else {
            return Err(Status::not_found(format!(
                "this node has no attachment {sha256}; it was never uploaded, or it was \
                 withdrawn. The claim stands without it"
            )));
        };
        let pieces = Pieces {
            account,
            kind: Kind::Long,
            bytes: encoded(CHUNK),
            idle: false,
        };
        // A thread reads a chunk when it is asked for. Who does not read keeps none.
        let chunks = stream::try_unfold((blob, file), |(blob, file)| async move {
            let read = tokio::task::spawn_blocking(move || chunk(blob)).await;
            let (blob, chunk) = read.map_err(|_| unreadable())??;
            Ok((!chunk.is_empty()).then_some((GetResponse { chunk }, (blob, file))))
        });
        Ok(in_pieces(pieces, chunks))
    }
}

fn unreadable() -> Status {
    Status::internal("this node cannot read the attachment; its operator was told")
}

/// Reads the next chunk, which is empty at the end.
fn chunk(mut blob: BlobReader) -> Result<(BlobReader, Bytes), Status> {
    let mut chunk = Vec::with_capacity(CHUNK);
    match (&mut blob).take(CHUNK as u64).read_to_end(&mut chunk) {
        Ok(_) => Ok((blob, chunk.into())),
        Err(error) => {
            tracing::error!(%error, "an attachment cannot be read");
            Err(unreadable())
        }
    }
}

//! `assay.v1.AttachmentService`: documents that claims name by their SHA-256.
//!
//! Only what a logged claim names is taken, so that nobody who may not publish can fill the disk.

use super::status;
use crate::storage::{BlobReader, StorageError, Store, Table};
use assay_claims::limits;
use assay_proto::v1::{
    GetRequest, GetResponse, PutHeader, PutRequest, PutResponse,
    attachment_service_server::AttachmentService, put_request,
};
use assay_tlog::Hash;
use bytes::Bytes;
use futures::Stream;
use std::{
    io::{self, Read},
    pin::Pin,
    sync::Arc,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Bytes in one message of an attachment.
const CHUNK: usize = 256 << 10;

/// Chunks between a connection and the disk. Two keep both busy.
const CHUNKS_AHEAD: usize = 2;

/// `assay.v1.AttachmentService` on one store.
pub struct AttachmentApi<S> {
    store: Arc<S>,
}

impl<S> AttachmentApi<S> {
    /// Returns a service of the attachments of `store`.
    pub fn new(store: Arc<S>) -> Self {
        AttachmentApi { store }
    }
}

impl<S: Store + 'static> AttachmentApi<S> {
    fn check(&self, header: &PutHeader) -> Result<Hash, Status> {
        let sha256 = digest(&header.sha256)?;
        if header.size > limits::ATTACHMENT_BYTES {
            let message = format!(
                "the attachment has {} bytes; at most {} are taken",
                header.size,
                limits::ATTACHMENT_BYTES
            );
            return Err(status::invalid("header.size", message));
        }
        match self.store.get(Table::Attachments, sha256.as_bytes()) {
            Ok(Some(_)) => Ok(sha256),
            Ok(None) => Err(Status::failed_precondition(format!(
                "no logged claim names the attachment {sha256}; publish the claim that names it \
                 first"
            ))),
            Err(error) => Err(failed(error)),
        }
    }
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

/// The chunks of a call as a reader for the thread that writes the disk.
struct Chunks {
    ahead: mpsc::Receiver<Result<Bytes, Status>>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.ahead.blocking_recv() {
                None => return Ok(0),
                Some(Ok(chunk)) => self.current = chunk,
                Some(Err(status)) => return Err(io::Error::other(status.message().to_owned())),
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}

/// Sends the chunks of a call to the thread that writes them. Ends early if that thread stopped.
async fn feed(mut parts: Streaming<PutRequest>, ahead: mpsc::Sender<Result<Bytes, Status>>) {
    while let Some(part) = parts.message().await.transpose() {
        let chunk = part.and_then(|part| match part.part {
            Some(put_request::Part::Chunk(chunk)) => Ok(chunk),
            _ => Err(Status::invalid_argument(
                "after the header, every message holds a chunk",
            )),
        });
        let last = chunk.is_err();
        if ahead.send(chunk).await.is_err() || last {
            return;
        }
    }
}

#[tonic::async_trait]
impl<S: Store + 'static> AttachmentService for AttachmentApi<S> {
    type GetStream = Pin<Box<dyn Stream<Item = Result<GetResponse, Status>> + Send>>;

    async fn put(
        &self,
        request: Request<Streaming<PutRequest>>,
    ) -> Result<Response<PutResponse>, Status> {
        let mut parts = request.into_inner();
        let Some(PutRequest {
            part: Some(put_request::Part::Header(header)),
        }) = parts.message().await?
        else {
            return Err(status::invalid(
                "header",
                "the first message must hold the header".into(),
            ));
        };
        let sha256 = self.check(&header)?;
        let (ahead, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let store = self.store.clone();
        let writer = tokio::task::spawn_blocking(move || {
            let mut chunks = Chunks {
                ahead: chunks,
                current: Bytes::new(),
            };
            store.put(&sha256, &mut chunks, header.size)
        });
        feed(parts, ahead).await;
        let stored = writer
            .await
            .map_err(|_| Status::internal("the attachment could not be written"))?;
        Ok(Response::new(PutResponse {
            already_stored: stored.map_err(failed)?,
        }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let sha256 = digest(&request.into_inner().sha256)?;
        let Some(blob) = self.store.open(&sha256).map_err(failed)? else {
            return Err(Status::not_found(format!(
                "this node has no attachment {sha256}; it was never uploaded, or it was \
                 withdrawn. The claim stands without it"
            )));
        };
        let (ahead, chunks) = mpsc::channel(CHUNKS_AHEAD);
        tokio::task::spawn_blocking(move || send(blob, &ahead));
        Ok(Response::new(Box::pin(ReceiverStream::new(chunks))))
    }
}

fn send(mut blob: BlobReader, ahead: &mpsc::Sender<Result<GetResponse, Status>>) {
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let answer = match (&mut blob).take(CHUNK as u64).read_to_end(&mut chunk) {
            Ok(0) => return,
            Ok(_) => Ok(GetResponse {
                chunk: chunk.into(),
            }),
            Err(error) => {
                tracing::error!(%error, "an attachment cannot be read");
                Err(Status::internal(
                    "this node cannot read the attachment; its operator was told",
                ))
            }
        };
        let last = answer.is_err();
        if ahead.blocking_send(answer).is_err() || last {
            return;
        }
    }
}

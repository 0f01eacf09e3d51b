//! The chunks of an upload on their way to the thread that writes them.

use super::{
    failed,
    ledger::{Refused, Room},
};
use crate::api::status;
use crate::storage::Store;
use assay_proto::v1::{PutHeader, PutRequest, put_request};
use assay_tlog::Hash;
use bytes::Bytes;
use std::{
    io::{self, Read},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::timeout};
use tonic::{Status, Streaming};

/// The slowest upload, in bytes a second, after a time of grace. There is no limit on how long an
/// upload takes altogether, so that a large document gets through a slow line.
const SLOWEST: u64 = 16 << 10;
const GRACE: Duration = Duration::from_secs(30);

/// The chunks of a call as a reader for the thread that writes the disk.
pub(super) struct Chunks {
    ahead: mpsc::Receiver<Result<Bytes, Status>>,
    current: Bytes,
}

impl Chunks {
    /// Returns a reader, and the sender of what it reads. So many chunks wait between them.
    pub(super) fn new(ahead: usize) -> (mpsc::Sender<Result<Bytes, Status>>, Self) {
        let (sender, receiver) = mpsc::channel(ahead);
        let chunks = Chunks {
            ahead: receiver,
            current: Bytes::new(),
        };
        (sender, chunks)
    }
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

/// The chunks of an upload, which is paid for when the last one has come.
pub(super) struct Paying<S> {
    chunks: Chunks,
    /// How many bytes are still to come.
    left: u64,
    store: Arc<S>,
    room: Room,
    refused: Option<Refused>,
}

impl<S: Store> Paying<S> {
    /// The chunks of an upload of so many bytes.
    pub(super) fn new(chunks: Chunks, size: u64, store: Arc<S>, room: Room) -> Self {
        Paying {
            chunks,
            left: size,
            store,
            room,
            refused: None,
        }
    }

    /// Writes the attachment to the store. Returns whether it was there already.
    pub(super) fn write(mut self, sha256: &Hash, size: u64) -> Result<bool, Status> {
        let store = self.store.clone();
        let there = store.put(sha256, &mut self, size);
        if let Some(refused) = self.refused {
            return Err(refused.into());
        }
        let there = there.map_err(failed)?;
        self.room.stored();
        Ok(there)
    }
}

impl<S: Store> Read for Paying<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.chunks.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        if read == 0
            && self.left == 0
            && let Err(refused) = self.room.settle(&*self.store)
        {
            self.refused = Some(refused);
            return Err(io::Error::other("no quota is left"));
        }
        Ok(read)
    }
}

/// Longest wait for the header, which callers send with the call.
const HEADER: Duration = Duration::from_secs(5);

/// Returns the header, with which an upload begins.
pub(super) async fn header(parts: &mut Streaming<PutRequest>) -> Result<PutHeader, Status> {
    let first = timeout(HEADER, parts.message()).await;
    match first.map_err(|_| too_slow())?? {
        Some(PutRequest {
            part: Some(put_request::Part::Header(header)),
        }) => Ok(header),
        _ => Err(status::invalid(
            "header",
            "the first message must hold the header".into(),
        )),
    }
}

/// Returns the next message, or fails if it takes longer than any caller needs.
async fn next(parts: &mut Streaming<PutRequest>) -> Result<Option<PutRequest>, Status> {
    timeout(GRACE, parts.message())
        .await
        .map_err(|_| too_slow())?
}

fn too_slow() -> Status {
    Status::deadline_exceeded("the upload came too slowly; upload it again")
}

/// Sends the chunks of a call to the thread that writes them. Ends early if that thread stopped.
pub(super) async fn feed(
    mut parts: Streaming<PutRequest>,
    ahead: mpsc::Sender<Result<Bytes, Status>>,
) {
    let (start, mut bytes) = (Instant::now(), 0);
    while let Some(part) = next(&mut parts).await.transpose() {
        let chunk = part.and_then(|part| match part.part {
            Some(put_request::Part::Chunk(chunk)) => Ok(chunk),
            _ => Err(Status::invalid_argument(
                "after the header, every message holds a chunk",
            )),
        });
        bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        let due = start.elapsed().saturating_sub(GRACE).as_secs() * SLOWEST;
        let chunk = chunk.and_then(|chunk| (bytes >= due).then_some(chunk).ok_or_else(too_slow));
        let last = chunk.is_err();
        if ahead.send(chunk).await.is_err() || last {
            return;
        }
    }
}

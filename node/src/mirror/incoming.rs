//! The body of an upload, as it comes: unpacked, and bounded in bytes, memory and time.

use super::limits::UploadRoom;
use assay_tlog::mirror::{UPLOAD_BYTES, UploadRefusal};
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures::StreamExt;
use std::{
    io::{self, Write},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// Longest time for a whole body.
const WHOLE: Duration = Duration::from_secs(300);

/// Longest time for a header.
const HEADER: Duration = Duration::from_secs(5);

/// Longest time for a package.
const PACKAGE: Duration = Duration::from_secs(30);

/// Bytes that are unpacked at once: they become half a MiB at most.
const PIECE: usize = 512;

/// The same of a header, which become 64 KiB.
const HEADER_PIECE: usize = 64;

/// What an upload holds until it has room of its own: the longest header has 131 KiB, what is
/// behind it and unpacked with it 64, and what unpacks has 80.
pub const HEADER_ROOM: usize = 320 << 10;

/// A header up to so many bytes takes no room: a connection costs as much by itself. Those of
/// honest logs have some hundred.
pub const SMALL: usize = 4 << 10;

/// Bytes of a packed body: what cannot be made shorter gets a little longer.
const PACKED_BYTES: usize = UPLOAD_BYTES + (1 << 20);

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// It is not.
    Plain,
    /// With gzip.
    Gzip,
}

impl Packing {
    /// What the headers say. Fails if the body is of another type than an upload's, or is packed
    /// otherwise.
    pub fn of(headers: &HeaderMap) -> Result<Self, UploadRefusal> {
        let is_binary = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/octet-stream");
        if !is_binary {
            return Err(UploadRefusal::Type);
        }
        match headers.get(header::CONTENT_ENCODING) {
            None => Ok(Packing::Plain),
            Some(encoding) if encoding == "identity" => Ok(Packing::Plain),
            Some(encoding) if encoding == "gzip" => Ok(Packing::Gzip),
            Some(_) => Err(UploadRefusal::Encoding),
        }
    }
}

/// What came, and what comes.
pub struct Incoming {
    body: BodyDataStream,
    unpacked: Unpacked,
    /// What came and is not unpacked yet.
    waiting: Bytes,
    /// Bytes that came.
    received: usize,
    room: Option<UploadRoom>,
    no_room: bool,
    whole: Instant,
    package: Instant,
    ended: bool,
}

/// What unpacks.
enum Unpacked {
    Plain(Kept),
    Gzip(Box<MultiGzDecoder<Kept>>),
}

/// Bytes that nobody has taken yet.
#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// How many there were, in all.
    all: usize,
}

impl Write for Kept {
    /// Takes what a body may have, and fails for more.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(UPLOAD_BYTES - self.all);
        if fits == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(&bytes[..fits]);
        self.all += fits;
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Incoming {
    /// A body of which nothing was read.
    pub fn new(body: Body, packing: Packing) -> Self {
        let now = Instant::now();
        Incoming {
            body: body.into_data_stream(),
            unpacked: match packing {
                Packing::Plain => Unpacked::Plain(Kept::default()),
                Packing::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(Kept::default()))),
            },
            waiting: Bytes::new(),
            received: 0,
            room: None,
            no_room: false,
            whole: now + WHOLE,
            package: now + HEADER,
            ended: false,
        }
    }

    /// What came and was not consumed.
    pub fn bytes(&self) -> &[u8] {
        match &self.unpacked {
            Unpacked::Plain(kept) => &kept.bytes,
            Unpacked::Gzip(decoder) => &decoder.get_ref().bytes,
        }
    }

    /// Forgets the first bytes.
    pub fn consume(&mut self, bytes: usize) {
        match &mut self.unpacked {
            Unpacked::Plain(kept) => drop(kept.bytes.drain(..bytes)),
            Unpacked::Gzip(decoder) => drop(decoder.get_mut().bytes.drain(..bytes)),
        }
    }

    /// Takes room that grows with what is kept, for packages. Without any, a header is all that may
    /// come, for which there is less time.
    pub fn give_room(&mut self, room: UploadRoom) {
        self.room = Some(room);
        self.package_stored();
    }

    /// Whether the body ended because there was no room for it.
    pub fn found_no_room(&self) -> bool {
        self.no_room
    }

    /// A package was stored: there is as much time again for the next one.
    pub fn package_stored(&mut self) {
        self.package = Instant::now() + PACKAGE;
    }

    /// Waits for more bytes. Returns false at the end of the body, whether that was reached, or the
    /// body was cut off, cannot be unpacked, is too long, or took too long.
    pub async fn more(&mut self) -> bool {
        let before = self.bytes().len();
        while self.bytes().len() == before {
            if self.waiting.is_empty() && !self.receive().await {
                return false;
            }
            if !self.make_room().await || !self.unpack() {
                // What was unpacked before the fault counts.
                self.ended = true;
                return self.bytes().len() > before;
            }
        }
        true
    }

    async fn receive(&mut self) -> bool {
        let until = self.whole.min(self.package);
        while !self.ended && self.waiting.is_empty() {
            match timeout_at(until, self.body.next()).await {
                Ok(Some(Ok(piece))) if piece.len() <= PACKED_BYTES - self.received => {
                    self.received += piece.len();
                    self.waiting = piece;
                }
                _ => self.ended = true,
            }
        }
        !self.ended
    }

    async fn make_room(&mut self) -> bool {
        let bytes = self.bytes().len() + self.waiting.len();
        match &mut self.room {
            Some(room) => {
                self.no_room = !room.resize(bytes).await;
                !self.no_room
            }
            // What came with the header in one piece is unpacked with room.
            None => bytes <= 1 << 20,
        }
    }

    /// Unpacks a piece of what came. Fails if it cannot be, or is too long.
    fn unpack(&mut self) -> bool {
        let mut waiting = std::mem::take(&mut self.waiting);
        match &mut self.unpacked {
            Unpacked::Plain(kept) => kept.write_all(&waiting).is_ok(),
            Unpacked::Gzip(decoder) => {
                let most = if self.room.is_some() {
                    PIECE
                } else {
                    HEADER_PIECE
                };
                let piece = waiting.split_to(waiting.len().min(most));
                let unpacked = decoder.write_all(&piece).and_then(|()| decoder.flush());
                self.waiting = waiting;
                unpacked.is_ok()
            }
        }
    }
}

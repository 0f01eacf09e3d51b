//! Messages of callers, counted before they are decoded.
//!
//! A message of a few bytes can become many times as much memory: an empty signature takes two
//! bytes on the wire and a hundred when it is decoded. tonic collects a message as it comes,
//! however slowly, and prost decodes all of it before a handler can count. So the bodies of calls
//! pass a [`Gate`], which
//!
//! - takes room for a message, and for what honest ones become, when its length is known, before
//!   its bytes are read;
//! - ends a call whose message, once begun, does not come in time;
//! - adds up what the message takes when it is decoded, and refuses it if that is too much;
//! - and gives the room back when the call asks for its next message. By then the handler has
//!   counted what it keeps.

use super::app::MESSAGE_BYTES;
use crate::held::{Account, Hold, Kind, NoRoom};
use assay_claims::entry::wire::ClaimSignature;
use assay_proto::v1::{PublishItem, WatchedName};
use bytes::{Buf, Bytes, BytesMut};
use hyper::body::{Body, Frame};
use prost::encoding::{WireType, decode_key, decode_varint};
use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};
use tonic::Status;

/// The frame of a gRPC message: a flag, and its length in four bytes.
const HEADER: usize = 5;

/// Messages that take so much memory at most are not counted: a stream costs as much by itself.
const SMALL: usize = 16 << 10;

/// What an honest message takes when it is decoded, for each of its bytes: a name of 18 bytes takes
/// twice 32 in a list that doubles as it grows. What takes more is only taken if there is room at
/// once.
const HONEST: usize = 4;

/// Most memory that a message may become, beside its bytes. A thousand claims with sixteen
/// signatures each, and as many names as a question has, take nearly as much.
const DECODED: usize = 4 << 20;

/// Longest time from the first byte of a message to its last one, while the node reads.
const ARRIVAL: Duration = Duration::from_secs(15);

/// A field of a message that can be there many times: its number, the memory that one takes, and
/// what of this kind is in it.
#[derive(Debug)]
struct Field {
    number: u32,
    bytes: usize,
    inner: &'static [Field],
}

const fn field<T>(number: u32, inner: &'static [Field]) -> Field {
    Field {
        number,
        // A list doubles as it grows.
        bytes: 2 * mem::size_of::<T>(),
        inner,
    }
}

const CLAIM: &[Field] = &[field::<ClaimSignature>(3, &[])];
const PUBLISH: &[Field] = &[field::<()>(1, CLAIM)];
const PUBLISH_STREAM: &[Field] = &[field::<PublishItem>(2, &[field::<()>(2, CLAIM)])];
const BATCH_LOOKUP: &[Field] = &[field::<Bytes>(1, &[]), field::<Bytes>(2, &[])];
const LOOKUP_PREFIX: &[Field] = &[field::<Bytes>(3, &[])];
const WATCH: &[Field] = &[field::<WatchedName>(1, &[])];

/// What of the messages of a method can be there many times. Those of any other method are about as
/// large decoded as they are long.
fn fields(path: &str) -> &'static [Field] {
    match path.rsplit('/').next() {
        Some("Publish") => PUBLISH,
        Some("PublishStream") => PUBLISH_STREAM,
        Some("BatchLookup") => BATCH_LOOKUP,
        Some("LookupPrefix") => LOOKUP_PREFIX,
        Some("Watch") => WATCH,
        _ => &[],
    }
}

/// The memory that a message takes when prost decodes it, beside its bytes. Of a malformed one, as
/// far as prost decodes it.
fn decoded(mut message: &[u8], fields: &[Field]) -> usize {
    let mut bytes = 0;
    while !fields.is_empty()
        && let Ok((number, wire_type)) = decode_key(&mut message)
    {
        let length = match wire_type {
            WireType::Varint => decode_varint(&mut message).map(|_| 0).ok(),
            WireType::SixtyFourBit => Some(8),
            WireType::ThirtyTwoBit => Some(4),
            WireType::LengthDelimited => decode_varint(&mut message).ok(),
            // What is in a group counts as if it were not.
            WireType::StartGroup | WireType::EndGroup => Some(0),
        };
        let length = length.and_then(|length| usize::try_from(length).ok());
        let Some(value) = length.and_then(|length| message.get(..length)) else {
            break;
        };
        message.advance(value.len());
        if let Some(field) = fields.iter().find(|field| field.number == number) {
            bytes += field.bytes + decoded(value, field.inner);
        }
        if bytes > DECODED {
            break;
        }
    }
    bytes
}

/// Room for a message.
enum Room {
    None,
    Coming(Pin<Box<dyn Future<Output = Hold> + Send>>),
    Taken(Hold),
}

impl Room {
    /// Takes room for so many bytes, and waits for it as long as it takes.
    fn poll(&mut self, account: &Arc<Account>, bytes: usize, cx: &mut Context<'_>) -> Poll<()> {
        if bytes <= SMALL {
            return Poll::Ready(());
        }
        if let Room::None = self {
            *self = match account.try_hold(Kind::Message, bytes) {
                Some(hold) => Room::Taken(hold),
                None => Room::Coming(Box::pin(account.clone().wait(Kind::Message, bytes))),
            };
        }
        if let Room::Coming(coming) = self {
            *self = Room::Taken(ready!(coming.as_mut().poll(cx)));
        }
        Poll::Ready(())
    }

    /// Takes room for so many bytes in all, if there is some at once.
    fn try_grow(&mut self, account: &Arc<Account>, bytes: usize) -> bool {
        match self {
            _ if bytes <= SMALL => true,
            Room::Taken(hold) => hold.resize(bytes),
            Room::None | Room::Coming(_) => match account.try_hold(Kind::Message, bytes) {
                Some(hold) => {
                    *self = Room::Taken(hold);
                    true
                }
                None => false,
            },
        }
    }
}

/// The body of a call.
pub(super) struct Gate<B> {
    inner: B,
    account: Arc<Account>,
    fields: &'static [Field],
    /// What has come of the message that comes, and of those behind it.
    come: Come,
    room: Room,
    /// Whether the room is that of a message that was handed on.
    handed_on: bool,
    arrival: Duration,
    late: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

/// Bytes that have come.
enum Come {
    /// One message and nothing else, as most do.
    Whole(Bytes),
    /// Any.
    Some(BytesMut),
}

impl Come {
    fn as_slice(&self) -> &[u8] {
        match self {
            Come::Whole(whole) => whole,
            Come::Some(some) => some,
        }
    }

    fn push(&mut self, data: Bytes) {
        match self {
            Come::Some(some) if some.is_empty() && length(&data) == Some(data.len()) => {
                *self = Come::Whole(data);
            }
            Come::Some(some) => some.extend_from_slice(&data),
            Come::Whole(whole) => {
                let mut some = BytesMut::from(&whole[..]);
                some.extend_from_slice(&data);
                *self = Come::Some(some);
            }
        }
    }

    /// Takes the first bytes, of which there are so many.
    fn take(&mut self, length: usize) -> Bytes {
        match self {
            Come::Whole(_) => {
                let Come::Whole(whole) = mem::replace(self, Come::Some(BytesMut::new())) else {
                    return Bytes::new();
                };
                whole
            }
            Come::Some(some) => some.split_to(length).freeze(),
        }
    }
}

/// The length of the message that begins here, with its frame. `None` if that did not come yet, or
/// if tonic refuses it.
fn length(come: &[u8]) -> Option<usize> {
    let (_, length) = come.get(..HEADER)?.split_first_chunk::<1>()?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    (length <= MESSAGE_BYTES).then_some(HEADER + length)
}

impl<B> Gate<B> {
    /// A gate for the body of a call of the method with this path, by whose connection this is the
    /// account.
    pub(super) fn new(inner: B, path: &str, account: Arc<Account>) -> Self {
        Gate {
            inner,
            account,
            fields: fields(path),
            come: Come::Some(BytesMut::new()),
            room: Room::None,
            handed_on: false,
            arrival: ARRIVAL,
            late: None,
            ended: false,
        }
    }

    /// The memory that a message of so many bytes takes: here, where tonic collects it, and decoded
    /// if it is an honest one.
    fn taken(&self, length: usize) -> usize {
        let honest = if self.fields.is_empty() { 0 } else { HONEST };
        (2 + honest) * length
    }

    /// Returns the message that has come.
    fn message(&mut self, length: usize) -> Result<Bytes, Status> {
        let message = self.come.as_slice().get(HEADER..length);
        let decoded = decoded(message.unwrap_or_default(), self.fields);
        if decoded > DECODED {
            return Err(Status::resource_exhausted(
                "the message has too many parts: send them in several",
            ));
        }
        let all = 2 * length + decoded;
        if all > self.taken(length) && !self.room.try_grow(&self.account, all) {
            return Err(NoRoom.into());
        }
        self.handed_on = true;
        self.late = None;
        Ok(self.come.take(length))
    }

    /// Ends when the message that has begun to come takes too long.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        if self.come.as_slice().is_empty() {
            return Poll::Pending;
        }
        let arrival = self.arrival;
        let late = self.late.get_or_insert_with(|| Box::pin(sleep(arrival)));
        ready!(late.as_mut().poll(cx));
        let message = "the message came too slowly: send it again";
        Poll::Ready(Status::deadline_exceeded(message))
    }
}

impl<B> Body for Gate<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let gate = self.get_mut();
        if mem::take(&mut gate.handed_on) {
            gate.room = Room::None;
        }
        loop {
            let come = gate.come.as_slice().len();
            if let Some(length) = length(gate.come.as_slice()) {
                let taken = gate.taken(length);
                ready!(gate.room.poll(&gate.account, taken, cx));
                if come >= length {
                    return Poll::Ready(Some(gate.message(length).map(Frame::data)));
                }
            } else if come >= HEADER || (gate.ended && come > 0) {
                // tonic says what is wrong with it.
                return Poll::Ready(Some(Ok(Frame::data(gate.come.take(come)))));
            } else if gate.ended {
                return Poll::Ready(None);
            }
            if gate.ended {
                // The rest of the message does not come. tonic says so.
                return Poll::Ready(Some(Ok(Frame::data(gate.come.take(come)))));
            }
            let frame = match Pin::new(&mut gate.inner).poll_frame(cx) {
                Poll::Ready(Some(frame)) => frame.map_err(|e| Status::from_error(Box::new(e)))?,
                Poll::Ready(None) => {
                    gate.ended = true;
                    continue;
                }
                Poll::Pending => {
                    let late = ready!(gate.poll_late(cx));
                    return Poll::Ready(Some(Err(late)));
                }
            };
            match frame.into_data() {
                Ok(data) => gate.come.push(data),
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.come.as_slice().is_empty() && (self.ended || self.inner.is_end_stream())
    }
}

#[cfg(test)]
mod tests;

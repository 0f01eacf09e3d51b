//! Messages of callers, counted before they are decoded.
//!
//! A message of a few bytes can become many times as much memory: an empty signature takes two
//! bytes on the wire and a hundred when it is decoded. tonic collects a message as it comes,
//! however slowly, and prost decodes all of it before a handler can count. So the bodies of calls
//! pass a [`Gate`], which
//!
//! - takes room for the bytes of a message as they come, and never for bytes that only were
//!   announced;
//! - ends a call whose message, once begun, does not come in time, which is sooner while others
//!   wait for the room ([`Coming`]);
//! - adds up what a complete message takes when it is decoded, refuses it if that is too much, and
//!   takes room for it, which nobody can keep by being slow;
//! - gives the room back when the call asks for its next message. By then the handler has counted
//!   what it keeps;
//! - and ends the body of a call with one message after that message. tonic would wait for the
//!   caller to end it, with the decoded message in its hands.

mod coming;

pub(super) use self::coming::Coming;
pub(crate) use self::coming::late;
use crate::held::{Account, Hold, Kind, Wanted};
use assay_claims::entry::wire::ClaimSignature;
use assay_proto::v1::{EvidenceId, PublishItem, WatchedName};
use bytes::{Buf, Bytes, BytesMut};
use hyper::body::{Body, Frame};
use prost::encoding::{WireType, decode_key, decode_varint};
use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tonic::Status;

/// Largest gRPC message, in bytes. Larger answers come as streams.
pub(crate) const MESSAGE_BYTES: usize = 1 << 20;

/// The frame of a gRPC message: a flag, and its length in four bytes.
const HEADER: usize = 5;

/// Messages that take so much memory at most are not counted: a stream costs as much by itself.
const SMALL: usize = 16 << 10;

/// Most memory that a message may become, beside its bytes. A thousand claims with sixteen
/// signatures each, and as many names as a question has, take nearly as much.
const DECODED: usize = 4 << 20;

/// The same for one claim, which has sixteen signatures at most.
const DECODED_CLAIM: usize = 64 << 10;

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
const LIST_MISBEHAVIOR: &[Field] = &[field::<String>(2, &[])];
const SUBMIT_HEADS: &[Field] = &[field::<String>(1, &[])];
const TURN: &[Field] = &[
    field::<String>(6, &[]),
    field::<EvidenceId>(7, &[]),
    field::<Bytes>(8, &[]),
    field::<String>(9, &[]),
];
const EXCHANGE_HEADS: &[Field] = &[field::<()>(1, TURN)];
const WATCH: &[Field] = &[field::<WatchedName>(1, &[])];

/// What is known of a method's messages.
#[derive(Debug, Clone, Copy)]
struct Method {
    /// What can be there many times. Messages of other methods are about as large decoded as they
    /// are long.
    fields: &'static [Field],
    /// Most memory that one may become, beside its bytes.
    decoded: usize,
    /// Whether a call has many.
    stream: bool,
}

impl Method {
    /// The method with this path.
    fn of(path: &str) -> Self {
        let one = |fields, decoded| Method {
            fields,
            decoded,
            stream: false,
        };
        match path.rsplit('/').next() {
            Some("Publish") => one(PUBLISH, DECODED_CLAIM),
            Some("LookupPrefix") => one(LOOKUP_PREFIX, DECODED),
            Some("ListMisbehavior") => one(LIST_MISBEHAVIOR, DECODED_CLAIM),
            Some("SubmitHeads") => one(SUBMIT_HEADS, DECODED_CLAIM),
            Some("Watch") => one(WATCH, DECODED),
            Some("ExchangeHeads") => Method {
                stream: true,
                ..one(EXCHANGE_HEADS, DECODED_CLAIM)
            },
            Some("PublishStream") => Method {
                stream: true,
                ..one(PUBLISH_STREAM, DECODED)
            },
            Some("BatchLookup") => Method {
                stream: true,
                ..one(BATCH_LOOKUP, DECODED)
            },
            _ => one(&[], DECODED),
        }
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

/// The body of a call.
pub(super) struct Gate<B> {
    inner: B,
    account: Arc<Account>,
    method: Method,
    /// What has come of the message that comes, and of those behind it.
    come: Come,
    coming: Coming,
    /// What the message takes that has come, once that was added up.
    takes: Option<usize>,
    wanted: Wanted,
    room: Option<Hold>,
    /// Whether the room is that of a message that was handed on.
    handed_on: bool,
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
            coming: Coming::new(account.clone()),
            account,
            method: Method::of(path),
            come: Come::Some(BytesMut::new()),
            takes: None,
            wanted: Wanted::default(),
            room: None,
            handed_on: false,
            ended: false,
        }
    }

    /// The memory that a message takes that has come: here, where tonic collects it, and decoded.
    fn takes(&self, length: usize) -> Result<usize, Status> {
        let message = self.come.as_slice().get(HEADER..length);
        let Method {
            fields,
            decoded: most,
            ..
        } = self.method;
        let decoded = decoded(message.unwrap_or_default(), fields);
        if decoded > most {
            return Err(Status::resource_exhausted(
                "the message has too many parts: send them in several",
            ));
        }
        Ok(2 * length + decoded)
    }

    /// Returns the message that has come, once there is room for it.
    fn poll_message(&mut self, length: usize, cx: &mut Context<'_>) -> Poll<Result<Bytes, Status>> {
        let takes = match self.takes {
            Some(takes) => takes,
            None => *self.takes.insert(self.takes(length)?),
        };
        if takes > SMALL {
            let wanted = &mut self.wanted;
            let hold = ready!(wanted.poll(&self.account, Kind::Message, takes, cx));
            self.room = Some(hold);
        }
        self.takes = None;
        self.handed_on = true;
        self.coming.end();
        Poll::Ready(Ok(self.come.take(length)))
    }

    /// The message before was decoded, or there was none.
    fn go_on(&mut self) {
        if mem::take(&mut self.handed_on) {
            self.room = None;
            if !self.method.stream {
                self.come = Come::Some(BytesMut::new());
                self.ended = true;
            }
        }
    }
}

impl<B> Gate<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    /// The next message, or what is left to tonic.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            let come = self.come.as_slice().len();
            if let Some(length) = length(self.come.as_slice()) {
                if come >= length {
                    let message = ready!(self.poll_message(length, cx));
                    return Poll::Ready(Some(message.map(Frame::data)));
                }
                ready!(self.coming.poll_room(come, length, cx));
            } else if come >= HEADER || (self.ended && come > 0) {
                // tonic says what is wrong with it.
                return Poll::Ready(Some(Ok(Frame::data(self.come.take(come)))));
            } else if self.ended {
                return Poll::Ready(None);
            }
            if self.ended {
                // The rest of the message does not come. tonic says so.
                return Poll::Ready(Some(Ok(Frame::data(self.come.take(come)))));
            }
            let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)) else {
                self.ended = true;
                continue;
            };
            let frame = frame.map_err(|e| Status::from_error(Box::new(e)))?;
            match frame.into_data() {
                Ok(data) => self.come.push(data),
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
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
        gate.go_on();
        if let Poll::Ready(next) = gate.poll_next(cx) {
            return Poll::Ready(next);
        }
        // Between messages a stream may be silent for as long as it likes.
        if gate.come.as_slice().is_empty() {
            return Poll::Pending;
        }
        let late = ready!(gate.coming.poll_late(cx));
        Poll::Ready(Some(Err(late)))
    }

    fn is_end_stream(&self) -> bool {
        let over = self.handed_on && !self.method.stream;
        over || self.come.as_slice().is_empty() && (self.ended || self.inner.is_end_stream())
    }
}

#[cfg(test)]
mod tests;

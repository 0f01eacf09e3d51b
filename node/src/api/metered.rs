//! Answers whose bytes are counted until they are written to the connection.
//!
//! A handler says how its answer is paid for by an extension of its response ([`Paid`]). The body
//! then hands each piece on together with the room that was taken for it. hyper drops a piece when
//! its last byte was written, and so frees the room.

use crate::held::{Account, Hold, Kind, Wanted};
use axum::body::Bytes;
use http::Response;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tonic::{Status, body::Body};

/// How an answer is paid for.
#[derive(Debug, Clone)]
pub enum Paid {
    /// It is one piece, and room was taken for it before.
    Whole(Arc<Hold>),
    /// It is a stream. Room is taken for each piece before the piece is made.
    Pieces(Pieces),
}

/// The pieces of a stream.
#[derive(Debug, Clone)]
pub struct Pieces {
    /// Who holds them.
    pub account: Arc<Account>,
    /// As what they are counted.
    pub kind: Kind,
    /// Bytes that are taken for one while it is made.
    pub bytes: usize,
    /// Whether the next piece may be long in coming (news, answers to claims). Room is not kept
    /// meanwhile.
    pub idle: bool,
}

/// Returns the response with its body counted as its [`Paid`] says. Without one it is left alone.
pub fn metered(mut response: Response<Body>) -> Response<Body> {
    match response.extensions_mut().remove::<Paid>() {
        None => response,
        Some(paid) => response.map(|inner| {
            let payment = match paid {
                Paid::Whole(hold) => Payment::Whole(hold),
                Paid::Pieces(pieces) => Payment::Pieces {
                    pieces,
                    room: Room::default(),
                },
            };
            Body::new(Metered { inner, payment })
        }),
    }
}

/// What [`Paid`] becomes while the body is sent.
enum Payment {
    Whole(Arc<Hold>),
    Pieces { pieces: Pieces, room: Room },
}

/// Room for the next piece.
#[derive(Default)]
struct Room {
    wanted: Wanted,
    taken: Option<Hold>,
}

struct Metered {
    inner: Body,
    payment: Payment,
}

/// A piece and the room that it takes.
struct Piece {
    bytes: Bytes,
    _hold: Arc<Hold>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    fn poll(&mut self, pieces: &Pieces, cx: &mut Context<'_>) -> Poll<()> {
        if self.taken.is_none() {
            let Pieces {
                account,
                kind,
                bytes,
                ..
            } = pieces;
            self.taken = Some(ready!(self.wanted.poll(account, *kind, *bytes, cx)));
        }
        Poll::Ready(())
    }

    /// Takes the room, resized to a piece, if there is any. A piece that turned out larger than
    /// what was taken goes on with that: it exists already.
    fn fitted(&mut self, bytes: usize) -> Option<Hold> {
        let mut hold = self.taken.take()?;
        hold.resize(bytes);
        Some(hold)
    }
}

impl HttpBody for Metered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Metered { inner, payment } = self.get_mut();
        if let Payment::Pieces { pieces, room } = payment {
            ready!(room.poll(pieces, cx));
        }
        let frame = match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if let Payment::Pieces { pieces, room } = payment
                    && pieces.idle
                {
                    *room = Room::default();
                }
                return Poll::Pending;
            }
        };
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| {
                    let hold = match payment {
                        Payment::Whole(hold) => Some(hold.clone()),
                        Payment::Pieces { room, .. } => room.fitted(taken(&bytes)).map(Arc::new),
                    };
                    match hold {
                        Some(_hold) => Bytes::from_owner(Piece { bytes, _hold }),
                        None => bytes,
                    }
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The memory that a gRPC message takes whose encoding is so long: its buffer doubles as it grows.
pub fn encoded(bytes: usize) -> usize {
    bytes.saturating_mul(2)
}

fn taken(bytes: &Bytes) -> usize {
    encoded(bytes.len())
}

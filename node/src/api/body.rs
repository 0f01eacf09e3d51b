//! Bodies over plain HTTP, counted as they come.

use super::gate::Coming;
use crate::held::Account;
use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures::Stream;
use hyper::body::Body as _;
use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A whole body, and the room that it takes for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    _room: Coming,
}

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It has more bytes than may be.
    TooLong,
    /// It was cut off.
    CutOff,
    /// It came too slowly, or there was no room for it. This is what its caller is told.
    Late(String),
}

/// Reads a body of at most so many bytes. Room is taken for what has come, as for messages of gRPC,
/// and there is as much time.
pub(crate) async fn read(body: Body, most: usize, account: &Arc<Account>) -> Result<Whole, Unread> {
    if body.size_hint().lower() > most as u64 {
        return Err(Unread::TooLong);
    }
    let mut reading = Reading::new(body, most, account.clone());
    poll_fn(|cx| reading.poll(cx)).await?;
    Ok(Whole {
        bytes: reading.come.freeze(),
        _room: reading.coming,
    })
}

struct Reading {
    pieces: BodyDataStream,
    come: BytesMut,
    most: usize,
    coming: Coming,
}

impl Reading {
    fn new(body: Body, most: usize, account: Arc<Account>) -> Self {
        Reading {
            pieces: body.into_data_stream(),
            come: BytesMut::new(),
            most,
            coming: Coming::new(account),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unread>> {
        if let Poll::Ready(read) = self.poll_read(cx) {
            return Poll::Ready(read);
        }
        let late = ready!(self.coming.poll_late(cx));
        Poll::Ready(Err(Unread::Late(late.message().to_owned())))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unread>> {
        loop {
            ready!(self.coming.poll_room(self.come.len(), self.most, cx));
            let Some(piece) = ready!(Pin::new(&mut self.pieces).poll_next(cx)) else {
                return Poll::Ready(Ok(()));
            };
            let piece = piece.map_err(|_| Unread::CutOff)?;
            if piece.len() > self.most - self.come.len() {
                return Poll::Ready(Err(Unread::TooLong));
            }
            self.come.extend_from_slice(&piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Kind, tests::roomy};
    use futures::{FutureExt, channel::mpsc};
    use std::{io, time::Duration};

    const MOST: usize = 64 << 10;

    fn account() -> Arc<Account> {
        roomy().connection("192.0.2.1".parse().unwrap())
    }

    /// A body that goes on for as long as the sender is kept.
    fn body(pieces: &[usize]) -> (mpsc::UnboundedSender<io::Result<Vec<u8>>>, Body) {
        let (sender, come) = mpsc::unbounded();
        for length in pieces {
            sender.unbounded_send(Ok(vec![7; *length])).unwrap();
        }
        (sender, Body::from_stream(come))
    }

    #[tokio::test]
    async fn a_body_is_read_whole_or_not_at_all() {
        for pieces in [&[][..], &[1, 2, 3], &[MOST], &[MOST - 1, 1]] {
            let (sender, body) = body(pieces);
            drop(sender);
            let read = read(body, MOST, &account()).await.unwrap();
            assert_eq!(read.bytes.len(), pieces.iter().sum::<usize>());
        }
        for pieces in [&[MOST + 1][..], &[MOST, 1]] {
            let (_sender, body) = body(pieces);
            let refused = read(body, MOST, &account()).await.unwrap_err();
            assert!(matches!(refused, Unread::TooLong), "{refused:?}");
        }
        let announced = Body::from(vec![7; MOST + 1]);
        let refused = read(announced, MOST, &account()).await.unwrap_err();
        assert!(matches!(refused, Unread::TooLong), "{refused:?}");
        let (sender, body) = body(&[1]);
        sender
            .unbounded_send(Err(io::ErrorKind::Other.into()))
            .unwrap();
        let refused = read(body, MOST, &account()).await.unwrap_err();
        assert!(matches!(refused, Unread::CutOff), "{refused:?}");
    }

    #[tokio::test]
    async fn a_body_takes_room_for_what_has_come_and_gives_it_back() {
        let account = account();
        let all_is_free = || account.try_hold(Kind::Coming, 2 << 20).is_some();
        let (_silent, silent) = body(&[]);
        let mut silent = Box::pin(read(silent, MOST, &account));
        let (_small, small) = body(&[4 << 10]);
        let mut small = Box::pin(read(small, MOST, &account));
        assert!(silent.as_mut().now_or_never().is_none());
        assert!(small.as_mut().now_or_never().is_none());
        assert!(all_is_free());
        let (sender, large) = body(&[(4 << 10) + 1]);
        let mut large = Box::pin(read(large, MOST, &account));
        assert!(large.as_mut().now_or_never().is_none());
        assert!(!all_is_free());
        // It is held while somebody has the body.
        drop(sender);
        let large = large.await.unwrap();
        assert!(!all_is_free());
        drop(large);
        assert!(all_is_free());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_in_time_is_not_waited_for() {
        let (_sender, body) = body(&[10]);
        let mut reading = Reading::new(body, MOST, account());
        reading.coming.arrival = Duration::from_millis(20);
        let late = poll_fn(|cx| reading.poll(cx)).await.unwrap_err();
        assert!(matches!(late, Unread::Late(_)), "{late:?}");
    }
}

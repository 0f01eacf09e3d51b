//! The first message of an upload, of which nothing is known yet.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tonic::Status;

/// Largest first message, in bytes. It is the header: a digest and a size.
const HEADER_BYTES: u32 = 1 << 10;

/// The body of an upload. It ends with an error once its first message says that it is longer than
/// a header is, so that nobody has one of 256 KiB collected before there is room for an upload.
pub(in crate::api) struct First<B> {
    inner: B,
    /// What came of the first message's frame: a flag, and its length in four bytes.
    frame: Vec<u8>,
}

impl<B> First<B> {
    /// The body of an upload of which nothing was read.
    pub(in crate::api) fn new(inner: B) -> Self {
        let frame = Vec::with_capacity(5);
        First { inner, frame }
    }

    /// Looks at what came. Fails if the first message is too long.
    fn look(&mut self, data: &[u8]) -> Result<(), Status> {
        let lacks = 5 - self.frame.len();
        if lacks == 0 {
            return Ok(());
        }
        self.frame.extend(data.iter().take(lacks));
        match *self.frame.as_slice() {
            [_, a, b, c, d] if u32::from_be_bytes([a, b, c, d]) > HEADER_BYTES => Err(
                Status::invalid_argument("the first message must hold the header, and no more"),
            ),
            _ => Ok(()),
        }
    }
}

impl<B> Body for First<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(|e| Status::from_error(Box::new(e)));
        Poll::Ready(Some(frame.and_then(|frame| {
            self.look(frame.data_ref().map_or(&[], |data| data))?;
            Ok(frame)
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body as AnyBody;
    use futures::stream;
    use std::future::poll_fn;

    /// How many bytes are handed on of a body that comes in these pieces.
    async fn read(pieces: &[&[u8]]) -> Result<usize, Status> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok(piece.to_vec())).collect();
        let body = AnyBody::from_stream(stream::iter::<Vec<std::io::Result<_>>>(pieces));
        let mut body = First::new(body);
        let mut read = 0;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            read += frame?.data_ref().map_or(0, Bytes::len);
        }
        Ok(read)
    }

    #[tokio::test]
    async fn a_first_message_is_no_longer_than_a_header() {
        assert_eq!(read(&[&[0, 0, 0, 4, 0], &[7; 1024]]).await.unwrap(), 1029);
        // Later ones are, and what looks like one within the first.
        assert_eq!(
            read(&[&[0, 0, 0, 0, 1, 7], &[0, 0, 4, 0, 0]])
                .await
                .unwrap(),
            11
        );
        for pieces in [
            &[&[0, 0, 0, 4, 1, 7][..]][..],
            &[&[0, 0], &[0, 4], &[1]],
            &[&[0, 255, 255, 255, 255]],
        ] {
            let refused = read(pieces).await.unwrap_err();
            assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{pieces:?}");
        }
    }
}

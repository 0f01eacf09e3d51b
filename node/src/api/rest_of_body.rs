//! What a caller still sends when its answer is ready.
//!
//! A socket that is closed with unread bytes resets the connection, and the reset overtakes the
//! answer: a caller that sends too much would see a broken connection instead of the reason. So the
//! rest of an HTTP/1.1 body is read and forgotten, up to a limit (RFC 9112, section 9.6). HTTP/2
//! resets a stream by itself, behind its answer. What came of it until then is taken here, so that
//! it is no longer counted (`untaken.rs`).

use super::untaken::{Taking, Untaken};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};
use tokio::{runtime::Handle, time::timeout};

/// How much of a body is read behind the answer, in bytes.
const REST: usize = 1 << 20;

/// How long that takes at most.
const REST_TIME: Duration = Duration::from_secs(5);

/// The body of a request. Reads the rest of itself when it is dropped.
#[derive(Debug)]
pub struct RequestBody {
    body: Option<Incoming>,
    /// What is taken of an HTTP/2 connection. None if it is of HTTP/1.1.
    taking: Option<Taking>,
}

impl RequestBody {
    /// A body of HTTP/1.1, or of an HTTP/2 connection of which this is not taken yet.
    pub(super) fn new(body: Incoming, untaken: Option<&Untaken>) -> Self {
        RequestBody {
            body: Some(body),
            taking: untaken.map(Untaken::begin),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if let (Some(Ok(frame)), Some(taking)) = (&frame, &self.taking) {
            taking.took(frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.taking.is_some() {
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(Some(Ok(_))) = Pin::new(&mut *self).poll_frame(&mut cx) {}
            return;
        }
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        // Without a runtime the server has ended, and the connection with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(REST_TIME, forget(body, REST)));
        }
    }
}

/// Reads `body` to its end, or up to `limit` bytes.
async fn forget(body: impl Body<Data = Bytes>, limit: usize) {
    let mut body = pin!(body);
    let mut read = 0;
    while read < limit {
        let Some(Ok(frame)) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await else {
            return;
        };
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}

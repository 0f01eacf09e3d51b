//! What a caller still sends when its answer is ready.
//!
//! A socket that is closed with unread bytes resets the connection, and the reset overtakes the
//! answer: a caller that sends too much would see a broken connection instead of the reason. So the
//! rest of an HTTP/1.1 body is read and forgotten, up to a limit (RFC 9112, section 9.6). HTTP/2
//! resets a stream by itself, behind its answer.

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{runtime::Handle, time::timeout};

/// How much of a body is read behind the answer, in bytes.
const REST: usize = 1 << 20;

/// How long that takes at most.
const REST_TIME: Duration = Duration::from_secs(5);

/// The body of a request. Reads the rest of itself when it is dropped, if it is of HTTP/1.1.
#[derive(Debug)]
pub struct RequestBody {
    body: Option<Incoming>,
    http2: bool,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, http2: bool) -> Self {
        RequestBody {
            body: Some(body),
            http2,
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
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
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
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        // Without a runtime the server has ended, and the connection with it.
        if let (false, Ok(runtime)) = (self.http2, Handle::try_current()) {
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

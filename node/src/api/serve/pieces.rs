//! How answers are written to a connection.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// A connection that says whether it can write several pieces at once.
///
/// If it cannot, h2 copies small payloads beside their frame headers, and many answers leave in one
/// buffer, where it would otherwise chain two pieces for each of them: half as many short calls
/// again. HTTP/1.1 serves tiles of a quarter of a megabyte, which are better not copied.
pub(super) struct Pieces<T> {
    pub(super) io: T,
    pub(super) together: bool,
}

impl<T: hyper::rt::Read + Unpin> hyper::rt::Read for Pieces<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: hyper::rt::Write + Unpin> hyper::rt::Write for Pieces<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.together && self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, pieces)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

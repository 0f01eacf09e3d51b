//! A client's connection without tonic's channel: one HTTP/2 connection, no reconnecting, no queue
//! in between. On two cores whatever the client spends is missing to the node, and it is the node
//! that is measured.

use anyhow::Context as _;
use assay_proto::v1::{
    index_service_client::IndexServiceClient, log_service_client::LogServiceClient,
};
use http::{Request, Response, Uri};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tokio::net::TcpStream;
use tonic::body::Body;
use tower::Service;

/// A client of `IndexService` on one.
pub type IndexClient = IndexServiceClient<Connection>;

/// One connection; clones share it.
#[derive(Clone)]
pub struct Connection(http2::SendRequest<Body>);

/// Connects to `http://host:port`, for calls of `LogService`.
pub async fn connect(url: &str) -> anyhow::Result<LogServiceClient<Connection>> {
    let uri: Uri = url.parse()?;
    Ok(LogServiceClient::with_origin(open(&uri).await?, uri))
}

/// Connects to `http://host:port`, for calls of `IndexService`.
pub async fn connect_index(url: &str) -> anyhow::Result<IndexClient> {
    let uri: Uri = url.parse()?;
    Ok(IndexServiceClient::with_origin(open(&uri).await?, uri))
}

async fn open(uri: &Uri) -> anyhow::Result<Connection> {
    let stream =
        TcpStream::connect(uri.authority().context("the URL names no host")?.as_str()).await?;
    stream.set_nodelay(true)?;
    let (send, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    Ok(Connection(send))
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

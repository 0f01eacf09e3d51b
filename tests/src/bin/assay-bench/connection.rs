//! A client's connection without tonic's channel: one HTTP/2 connection, no reconnecting, no queue in between. On two cores
//! whatever the client spends is missing to the node, and it is the node that is measured.

use anyhow::Context as _;
use assay_proto::v1::log_service_client::LogServiceClient;
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

/// One connection; clones share it.
#[derive(Clone)]
pub struct Connection(http2::SendRequest<Body>);

/// Connects to `http://host:port`.
pub async fn connect(url: &str) -> anyhow::Result<LogServiceClient<Connection>> {
    let uri: Uri = url.parse()?;
    let stream = TcpStream::connect(uri.authority().context("the URL names no host")?.as_str()).await?;
    stream.set_nodelay(true)?;
    let (send, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    Ok(LogServiceClient::with_origin(Connection(send), uri))
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

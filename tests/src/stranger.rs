//! Strangers: callers from addresses of their own, who read as little as they like. The tests of
//! the node have them do what they can, and the benchmark measures an honest caller beside them.

use crate::process::Node;
use assay_proto::v1::{PutHeader, PutRequest, put_request::Part};
use assay_tlog::Hash;
use futures::{Stream, StreamExt, stream};
use prost::Message;
use std::net::{IpAddr, Ipv4Addr};

/// Streams of one connection.
const STREAMS: usize = 100;

/// A caller with one HTTP/2 connection, who reads as little as they like.
pub struct Stranger {
    http: reqwest::Client,
    url: String,
}

impl Stranger {
    /// A stranger from 127.0.0.`address`, who grants the node so many bytes at a time.
    pub fn new(node: &Node, address: u8, window: u32) -> anyhow::Result<Self> {
        let address = IpAddr::from(Ipv4Addr::new(127, 0, 0, address));
        Self::at(&node.ready().url, address, window)
    }

    /// The same from any address, of the node at a URL.
    pub fn at(url: &str, address: IpAddr, window: u32) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .http2_prior_knowledge()
            .http2_initial_stream_window_size(window)
            .http2_initial_connection_window_size(window * 256)
            .local_address(address)
            .build()?;
        let url = url.to_owned();
        Ok(Stranger { http, url })
    }

    /// Begins a call of a method with one message. What is returned has the head of the answer,
    /// and nothing of the rest was asked for.
    pub async fn call(
        &self,
        method: &str,
        message: impl Message,
    ) -> reqwest::Result<reqwest::Response> {
        self.grpc(method).body(framed(&message)).send().await
    }

    /// A call of a method, without its messages.
    pub fn grpc(&self, method: &str) -> reqwest::RequestBuilder {
        self.grpc_of(&format!("assay.v1.{method}"))
    }

    /// The same of a method of any service.
    pub fn grpc_of(&self, method: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}/{method}", self.url));
        let request = request.header("content-type", "application/grpc");
        request.header("te", "trailers")
    }

    /// Announces an upload of so many bytes, and sends `rest` after that.
    pub async fn upload(
        &self,
        digest: &Hash,
        size: u64,
        rest: impl Stream<Item = Vec<u8>> + Send + Sync + 'static,
    ) -> reqwest::Result<reqwest::Response> {
        let header = PutHeader {
            sha256: digest.as_bytes().to_vec().into(),
            size,
        };
        let header = PutRequest {
            part: Some(Part::Header(header)),
        };
        let parts = stream::iter([framed(&header)]).chain(rest);
        let body = reqwest::Body::wrap_stream(parts.map(Ok::<_, std::io::Error>));
        let put = self.grpc("AttachmentService/Put");
        put.body(body).send().await
    }

    /// A request that posts to a path over HTTP.
    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    /// Asks for the headers of a path over HTTP.
    pub async fn head(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.http.head(format!("{}{path}", self.url)).send().await
    }

    /// Begins to get a path over HTTP.
    pub async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.http.get(format!("{}{path}", self.url)).send().await
    }
}

/// A client from 127.0.0.`address`, which is no address that stands for many callers, unless it is
/// 1.
pub fn client_from(address: u8) -> reqwest::Result<reqwest::Client> {
    let address = IpAddr::from(Ipv4Addr::new(127, 0, 0, address));
    reqwest::Client::builder().local_address(address).build()
}

/// A message as gRPC frames it.
pub fn framed(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    // Nothing is cut: no test sends four gigabytes.
    let length = (message.len() as u32).to_be_bytes();
    [&[0], &length[..], &message].concat()
}

/// The `grpc-status` of an answer that has no messages.
pub fn grpc_status(answer: &reqwest::Response) -> Option<i32> {
    answer
        .headers()
        .get("grpc-status")?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Begins as many calls as a connection takes, on so many connections, and reads no answer.
pub async fn begin<T>(
    node: &Node,
    connections: usize,
    call: impl AsyncFn(&Stranger) -> reqwest::Result<T>,
) -> anyhow::Result<Vec<(Stranger, Vec<reqwest::Result<T>>)>> {
    let mut begun = Vec::new();
    for _ in 0..connections {
        let stranger = Stranger::new(node, 2, 1 << 10)?;
        let calls = (0..STREAMS).map(|_| call(&stranger));
        // All of them wait for room, or have begun.
        let answers = futures::future::join_all(calls).await;
        begun.push((stranger, answers));
    }
    Ok(begun)
}

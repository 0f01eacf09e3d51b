//! The connection to a node: through the proxy of the environment if it names one, and with words
//! for what answers in place of a node.

use crate::{
    BoxError, ClientError, Tls, call,
    http::{instead, proxy::Proxies, wrong_part},
};
use futures::future::BoxFuture;
use http::{Request, Response, Uri, header::CONTENT_TYPE};
use hyper_util::client::legacy::connect::{HttpConnector, proxy::Tunnel};
use hyper_util::client::proxy::matcher::Intercept;
use std::{
    error::Error,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tonic::{
    Status,
    body::Body,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tower::Service;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// HTTP/2 window of a stream and of a connection, in bytes: a full message and then some can be
/// under way.
const WINDOWS: (u32, u32) = (2 * 1024 * 1024, 8 * 1024 * 1024);

/// After so long without a word a node is asked whether it is there, and how long it has to say so.
/// On the slowest line that an upload may come over, what is under way takes a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(70);

/// The headers of gRPC that are looked at here, and a status.
const GRPC_STATUS: &str = "grpc-status";
const GRPC_ENCODING: &str = "grpc-encoding";
const UNIMPLEMENTED: &str = "12";

/// A connection to a node. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct NodeChannel {
    channel: Channel,
    /// The path of the node's address, without the slashes at its end.
    path: Arc<str>,
}

impl NodeChannel {
    /// Connects to the node at `url`.
    ///
    /// Fails with [`ClientError::Usage`] for an address, a proxy or a TLS file that cannot be used
    /// and with [`ClientError::Unavailable`] if nobody answers.
    pub async fn connect(url: &str, tls: &Tls) -> Result<Self, ClientError> {
        let endpoint = endpoint(url, tls)?.timeout(call::SILENCE);
        let path = path(&endpoint);
        let proxy = Tunneled::of(&endpoint)?;
        let channel = match &proxy {
            None => endpoint.connect().await,
            Some(proxy) => endpoint.connect_with_connector(proxy.connector()).await,
        };
        let channel = channel.map_err(|error| {
            let (through, asked) = match &proxy {
                None => (String::new(), "and is this its address"),
                Some(proxy) => (
                    format!(" through the proxy {}", proxy.name()),
                    "is this its address, and does the proxy reach it",
                ),
            };
            let what = format!("cannot connect to {url}{through}: is the node running, {asked}?");
            ClientError::unavailable(what, error)
        })?;
        Ok(NodeChannel { channel, path })
    }

    /// A connection to the node at `url` of its own, for calls that take as long as their caller's
    /// line: an answer may begin at any time. The first call connects.
    ///
    /// Fails with [`ClientError::Usage`] as [`NodeChannel::connect`] does.
    pub fn unhurried(url: &str, tls: &Tls) -> Result<Self, ClientError> {
        let endpoint = endpoint(url, tls)?;
        let channel = match Tunneled::of(&endpoint)? {
            None => endpoint.connect_lazy(),
            Some(proxy) => endpoint.connect_with_connector_lazy(proxy.connector()),
        };
        let path = path(&endpoint);
        Ok(NodeChannel { channel, path })
    }
}

impl Service<Request<Body>> for NodeChannel {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.channel.poll_ready(cx).map_err(BoxError::from)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (answer, path) = (self.channel.call(request), self.path.clone());
        Box::pin(async move {
            let answer = answer.await.map_err(|error| match not_http2(&error) {
                Some(words) => Status::unavailable(words).into(),
                None => BoxError::from(error),
            })?;
            if let Some(words) = instead_of_node(&answer) {
                return Err(Status::unavailable(words).into());
            }
            match below_no_node(&answer, &path) {
                Some(words) => Err(Status::unimplemented(words).into()),
                None => Ok(answer),
            }
        })
    }
}

/// What an answer says that comes from no node; `None` of one that does.
fn instead_of_node(answer: &Response<Body>) -> Option<String> {
    let kind = answer.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_grpc = kind.starts_with("application/grpc");
    // A status of HTTP is a proxy's, whatever it says of its kind.
    let is_proxied = !is_grpc || !answer.headers().contains_key(GRPC_STATUS);
    if !answer.status().is_success() && is_proxied {
        return Some(instead::of_status(answer.status(), answer.headers()));
    }
    if is_grpc {
        let encoding = answer.headers().get(GRPC_ENCODING);
        return encoding.is_some_and(|it| it != "identity").then(|| {
            "what the server answers is compressed, which nodes do not do; is this the address of \
             one?"
                .into()
        });
    }
    let what = instead::of_body(answer.headers(), b"-");
    Some(what.unwrap_or_else(|| {
        "what the server answers is of no node; is this the address of one?".into()
    }))
}

/// What an answer says that knows no such method, where the address has a path: that may be wrong.
fn below_no_node(answer: &Response<Body>, path: &str) -> Option<String> {
    let status = answer.headers().get(GRPC_STATUS)?;
    (status == UNIMPLEMENTED && !path.is_empty()).then(|| {
        format!("below {path} the server has no such method; is the path of the address right?")
    })
}

/// What a failure says of a server that speaks HTTP/1 only. How it fails depends on what is noticed
/// first: what it answers, or that it closes the connection.
fn not_http2(error: &(dyn Error + 'static)) -> Option<String> {
    const ASK: &str =
        "is this the address of a node, and does every proxy before it pass HTTP/2 on?";
    let mut cause = Some(error);
    let (mut is_answer, mut is_cut) = (false, false);
    while let Some(error) = cause {
        let text = error.to_string();
        // As a frame of HTTP/2, an answer in HTTP/1 has an impossible length.
        is_answer |= text.contains("frame with invalid size");
        is_cut |= text == "operation was canceled";
        cause = error.source();
    }
    if is_answer {
        return Some(format!(
            "what answers does not speak HTTP/2, as nodes do; {ASK}"
        ));
    }
    is_cut.then(|| {
        format!(
            "the connection was closed before an answer came. If that goes on, what is there does \
             not speak HTTP/2, as nodes do; {ASK}"
        )
    })
}

/// The path of an address, without the slashes at its end.
fn path(endpoint: &Endpoint) -> Arc<str> {
    endpoint.uri().path().trim_end_matches('/').into()
}

/// The proxy of the environment, through which a node is reached.
struct Tunneled(Intercept);

impl Tunneled {
    /// The proxy for a node, if there is one. Fails with [`ClientError::Usage`] if it cannot be
    /// used.
    fn of(endpoint: &Endpoint) -> Result<Option<Self>, ClientError> {
        let Some(proxy) = Proxies::of_environment().of(endpoint.uri()) else {
            return Ok(None);
        };
        let proxy = Tunneled(proxy);
        if proxy.0.uri().scheme_str() != Some("http") {
            return Err(ClientError::Usage(format!(
                "the proxy {} of the environment cannot be used: only http:// proxies are; or \
                 name the node in NO_PROXY",
                proxy.name()
            )));
        }
        Ok(Some(proxy))
    }

    fn name(&self) -> String {
        self.0.uri().to_string()
    }

    fn connector(&self) -> ToPort {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        let tunnel = Tunnel::new(self.0.uri().clone(), tcp);
        ToPort(match self.0.basic_auth() {
            Some(auth) => tunnel.with_auth(auth.clone()),
            None => tunnel,
        })
    }
}

/// A tunnel that is told the port of each address: it takes 443 for the port of any without one.
#[derive(Debug, Clone)]
struct ToPort(Tunnel<HttpConnector>);

impl Service<Uri> for ToPort {
    type Response = <Tunnel<HttpConnector> as Service<Uri>>::Response;
    type Error = <Tunnel<HttpConnector> as Service<Uri>>::Error;
    type Future = <Tunnel<HttpConnector> as Service<Uri>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        self.0.call(with_port(to))
    }
}

/// The address with its port, if it is `http://` and has none.
fn with_port(to: Uri) -> Uri {
    let host = to
        .host()
        .filter(|_| to.scheme_str() == Some("http") && to.port().is_none());
    let named = host.and_then(|host| format!("http://{host}:80").parse().ok());
    named.unwrap_or(to)
}

/// The address below which a node's methods are: proxies and mirrors have them below a path.
pub(crate) fn below(url: &str) -> Result<Uri, ClientError> {
    url.trim_end_matches('/')
        .parse()
        .map_err(|error| no_address(url, &error))
}

fn no_address(url: &str, why: &dyn std::fmt::Display) -> ClientError {
    ClientError::Usage(format!(
        "{url} is no address of a node ({why}); write http://HOST:PORT or https://HOST:PORT"
    ))
}

fn endpoint(url: &str, tls_files: &Tls) -> Result<Endpoint, ClientError> {
    let tls = match url.split_once("://") {
        Some(("http", _)) => false,
        Some(("https", _)) => true,
        _ => return Err(no_address(url, &"it has no http:// or https:// in front")),
    };
    if let Some(wrong) = wrong_part(url) {
        return Err(no_address(url, &wrong));
    }
    let mut endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(|e| no_address(url, &e))?
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1);
    if tls {
        let pems = tls_files.read()?;
        let mut settings = ClientTlsConfig::new();
        settings = match pems.ca {
            Some(ca) => settings.ca_certificate(Certificate::from_pem(ca)),
            None => settings.with_enabled_roots(),
        };
        if let Some((cert, key)) = pems.identity {
            settings = settings.identity(Identity::from_pem(cert, key));
        }
        endpoint = endpoint.tls_config(settings).map_err(|e| {
            ClientError::Usage(format!(
                "the TLS settings cannot be used: {e}; check the PEM files"
            ))
        })?;
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_proto::v1::{GetCheckpointRequest, log_service_client::LogServiceClient};

    /// What the client makes of an answer of HTTP, as tonic reads it.
    async fn made_of(answer: &[u8]) -> ClientError {
        let answer = answer.to_vec();
        let server = tower::service_fn(move |_: Request<Body>| {
            let body = Body::new(axum::body::Body::from(answer.clone()));
            let answer = Response::builder().header(CONTENT_TYPE, "application/grpc");
            futures::future::ready(answer.body(body))
        });
        let asked = LogServiceClient::new(server)
            .get_checkpoint(GetCheckpointRequest {})
            .await;
        ClientError::from_status("asking", asked.unwrap_err())
    }

    #[tokio::test]
    async fn junk_is_of_no_node_and_is_no_refusal() {
        for (junk, says) in [
            (
                &b"\x00\xff\xff\xff\xff"[..],
                "is this the address of a node?",
            ),
            (b"", "asking failed: "),
            (b"\x07", "asking failed: "),
        ] {
            let error = made_of(junk).await;
            assert!(
                matches!(&error, ClientError::Unavailable { .. }),
                "{error:?}"
            );
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Response<Body> {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        answer.body(Body::empty()).unwrap()
    }

    #[test]
    fn what_a_proxy_says_is_no_refusal() {
        let grpc = ("content-type", "application/grpc");
        for (status, headers, is_instead) in [
            (200, &[grpc][..], false),
            (200, &[grpc, ("grpc-encoding", "identity")], false),
            (200, &[grpc, ("grpc-encoding", "gzip")], true),
            (404, &[grpc], true),
            (403, &[grpc], true),
            (404, &[grpc, ("grpc-status", "5")], false),
            (200, &[("content-type", "text/html")], true),
        ] {
            let instead = instead_of_node(&answer(status, headers));
            assert_eq!(instead.is_some(), is_instead, "{status} {headers:?}");
        }
    }

    #[test]
    fn a_path_that_may_be_wrong_is_named() {
        let unknown = answer(200, &[("grpc-status", "12")]);
        let said = below_no_node(&unknown, "/x").unwrap_or_default();
        assert!(said.contains("/x") && said.contains("path"), "{said}");
        assert_eq!(below_no_node(&unknown, ""), None);
        assert_eq!(below_no_node(&answer(200, &[]), "/x"), None);
    }

    #[test]
    fn an_address_with_a_port_that_is_none_is_refused() {
        for wrong in [
            "http://127.0.0.1:99999",
            "http://a:0",
            "http://a/?q",
            "http://a:1#f",
        ] {
            let refused = endpoint(wrong, &Tls::default());
            assert!(matches!(refused, Err(ClientError::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn a_status_without_words_says_so() {
        for code in [tonic::Code::Unknown, tonic::Code::PermissionDenied] {
            let error = ClientError::from_status("asking", Status::new(code, ""));
            assert!(error.to_string().contains("no reason is given"), "{error}");
        }
    }
}

//! The public port: accepts connections and serves HTTP/1.1 and HTTP/2 on them, with TLS if it is
//! configured.
//!
//! One thread accepts and hands connections out. Each serving thread has a runtime of its own, so
//! that a connection never moves between cores. That answers half as many calls again as one
//! runtime over all cores does.

mod at_once;
mod caller;
mod kept;
mod pieces;
mod placed;
mod workers;

use self::{at_once::AtOnce, caller::Caller, pieces::Pieces, placed::Placed, workers::Workers};
use super::{
    frames,
    peer::Peer,
    places::{FEW, Place, Places},
    proxied::Proxies,
    proxy_protocol::{self, ProxyProtocolError},
    rest_of_body::RequestBody,
    tls::Tls,
};
use crate::held::{Account, Held, Hold, Kind};
use crate::quota::Reports;
use http::{Request, Response};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{
    convert::Infallible,
    future::pending,
    io,
    net::{SocketAddr, TcpStream as StdTcpStream},
    pin::pin,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tonic::body::Body;
use tower::Service;

/// Longest header list of a request, in bytes. Honest callers send less than 2 KiB of gRPC metadata
/// and HTTP headers.
const HEADER_LIST_BYTES: u32 = 16 << 10;

/// Most fields in it: in memory each takes a hundred bytes, however short it is. Honest callers,
/// and the proxies before them, send some thirty.
const HEADER_FIELDS: usize = 100;

/// How many streams one HTTP/2 connection has at once: as many as RFC 9113, section 6.5.2 asks for,
/// or fewer for a network with more than a few connections, which has 128 calls on all of them.
/// Memory for each stream, about 1 KiB, is kept as long as the connection.
const STREAMS: u32 = 100;
const STREAMS_OF_MANY: u32 = 8;

/// How many streams a caller may end by a mistake of theirs, in the life of an HTTP/2 connection.
/// What came of each can lie in memory, 400 bytes, and its place is kept as long as the connection.
const MALFORMED: usize = 128;

/// Longest time for a TLS handshake, and for the headers of an HTTP/1.1 request.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// HTTP/2 windows, in bytes. A publisher's messages of 64 KiB must not wait for window updates.
/// What comes of calls that wait is kept in the window, and counted (`untaken.rs`).
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// How long an HTTP/2 connection may be silent before it is pinged, and how long the answer may
/// take.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(20);

/// What a server serves: a service that is cloned for every connection and never fails.
pub trait App:
    Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<T> App for T where
    T: Service<Request<RequestBody>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// A server of the public port.
pub struct Server<A> {
    /// The service.
    pub app: A,
    /// TLS. Without it, connections are plain text.
    pub tls: Option<Arc<Tls>>,
    /// How many threads serve. 0 is one a core.
    pub threads: usize,
    /// How many connections are served at once.
    pub connections: usize,
    /// What all of them hold.
    pub held: Arc<Held>,
    /// How long open connections get at the end.
    pub drain: Duration,
    /// Who may say for whom it speaks.
    pub proxies: Arc<Proxies>,
}

struct Accepted {
    stream: StdTcpStream,
    peer: Peer,
    place: Arc<Place>,
    /// Its place among the connections of its network.
    of_network: Hold,
    /// What is believed of it, if it is a proxy.
    proxy: Option<Arc<Proxies>>,
}

impl<A: App> Server<A> {
    /// Serves `listener` until `stop` becomes true, then lets calls in flight end; so does it
    /// `own`, where the node asks itself, if it cannot there: nobody who comes to it is a proxy.
    pub async fn run(
        self,
        listener: TcpListener,
        own: Option<TcpListener>,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let threads = match self.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            n => n,
        };
        let places = Places::new(self.connections);
        let idle = frames::idle(self.held.shared());
        let (workers, ends) = Workers::start(&self, threads, &idle, &stop)?;
        let (held, nobody) = (&self.held, Arc::default());
        let itself = async {
            match &own {
                Some(own) => accepting(own, &places, held, &nobody, &workers).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = accepting(&listener, &places, held, &self.proxies, &workers) => {}
            () = itself => {}
            () = stopped(&mut stop) => {}
        }
        drop((listener, own, workers));
        for end in ends {
            let _ = tokio::task::spawn_blocking(move || end.join()).await;
        }
        Ok(())
    }
}

/// Ends when the server is to stop, or when the sender is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Accepts connections, and hands them out. It never ends.
async fn accepting(
    listener: &TcpListener,
    places: &Places,
    held: &Arc<Held>,
    proxies: &Arc<Proxies>,
    workers: &Workers,
) {
    loop {
        // Neither a lack of file descriptors nor a connection that was reset before it was accepted
        // ends the server.
        if let Ok(Some(accepted)) = accept(listener, places, held, proxies).await {
            workers.hand(accepted);
        }
    }
}

/// Accepts the next connection. Returns none, and closes it, if its network has too many, or as
/// many as any other while all places are taken.
async fn accept(
    listener: &TcpListener,
    places: &Places,
    held: &Arc<Held>,
    proxies: &Arc<Proxies>,
) -> io::Result<Option<Accepted>> {
    let (stream, address) = match listener.accept().await {
        Ok(accepted) => accepted,
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            // EMFILE stays until a connection closes. To try again at once would only burn a core.
            tokio::time::sleep(Duration::from_millis(10)).await;
            return Err(error);
        }
    };
    let account = held.connection(address.ip());
    let Some(of_network) = of_address(&account) else {
        return Ok(None);
    };
    let Some(place) = places.take(account.clone()).await else {
        metrics::counter!("assay_refused_total", "limit" => "connections").increment(1);
        return Ok(None);
    };
    stream.set_nodelay(true)?;
    Ok(Some(Accepted {
        stream: stream.into_std()?,
        peer: Peer { address, account },
        place: Arc::new(place),
        of_network,
        proxy: proxies.trusts(address.ip()).then(|| proxies.clone()),
    }))
}

/// Serves a connection until it ends or has to leave, which it may have to from its first byte on:
/// others have its place.
async fn connection(
    accepted: Accepted,
    counts: (Arc<Held>, Arc<Reports>),
    app: impl App,
    tls: Option<Arc<Tls>>,
    stop: watch::Receiver<bool>,
) {
    let place = accepted.place.clone();
    let served = Box::pin(served(accepted, counts, app, tls, stop));
    tokio::select! {
        () = served => {}
        () = place.leaves() => {
            tracing::debug!("a connection was closed: it asked for nothing, or was one too many");
        }
    }
}

async fn served(
    accepted: Accepted,
    (held, idle): (Arc<Held>, Arc<Reports>),
    app: impl App,
    tls: Option<Arc<Tls>>,
    stop: watch::Receiver<bool>,
) {
    let Accepted {
        stream,
        mut peer,
        place,
        of_network: mut _of_network,
        mut proxy,
    } = accepted;
    let Ok(mut stream) = TcpStream::from_std(stream) else {
        return;
    };
    if let Some(proxies) = proxy.take_if(|proxies| proxies.passes_on()) {
        let Some(source) = passed_on(&mut stream, &peer).await else {
            return;
        };
        // What it passes on is the callers' own, so that nothing in it is believed to be the
        // proxy's.
        if let Some(address) = source {
            let account = held.connection(address.ip());
            let Some(place_of_caller) = of_address(&account) else {
                return;
            };
            _of_network = place_of_caller;
            place.belongs_to(account.clone());
            peer = Peer { address, account };
            proxy = proxies.trusts(address.ip()).then_some(proxies);
        }
    }
    let with = Caller::new(peer, place, proxy);
    match tls {
        None => {
            // A connection that sends nothing is closed.
            let Ok(Ok(h2)) = timeout(HANDSHAKE, begins_http2(&stream)).await else {
                return;
            };
            // Boxed, as below, so that a connection takes the memory of the state that it is in,
            // not of the largest one.
            Box::pin(serve(with.counted(stream, idle), h2, with, app, stop)).await;
        }
        Some(tls) => match timeout(HANDSHAKE, Box::pin(tls.acceptor().accept(stream))).await {
            Ok(Ok(stream)) => {
                let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                Box::pin(serve(with.counted(stream, idle), h2, with, app, stop)).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        },
    }
}

/// Whose connection it is that a proxy passes on: the header says so, or that it is the proxy's
/// own. Returns none if it has to be closed.
async fn passed_on(stream: &mut TcpStream, peer: &Peer) -> Option<Option<SocketAddr>> {
    let proxy = peer.address.ip();
    match timeout(HANDSHAKE, proxy_protocol::read(stream)).await {
        Ok(Ok(source)) => return Some(source),
        Ok(Err(ProxyProtocolError::Nothing)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%proxy, %error, "a connection of a trusted proxy was closed");
        }
        Err(_) => tracing::debug!("a header of the PROXY protocol took too long"),
    }
    None
}

/// The place of a connection among those of its network, or none if there are too many.
fn of_address(account: &Arc<Account>) -> Option<Hold> {
    let place = account.try_hold(Kind::Connection, 1);
    if place.is_none() {
        metrics::counter!("assay_refused_total", "limit" => "address_connections").increment(1);
    }
    place
}

/// Whether the first bytes are those of HTTP/2's preface (RFC 9113, section 3.4). They are left to
/// be read.
async fn begins_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut start = [0; 3];
    let read = stream.peek(&mut start).await?;
    Ok(start[..read] == *b"PRI")
}

/// What is spoken with this caller, and how long and how much of it.
fn protocols(account: &Account, at_once: AtOnce) -> Builder<AtOnce> {
    let many = account.connections() > FEW;
    let streams = if many { STREAMS_OF_MANY } else { STREAMS };
    let mut builder = Builder::new(at_once);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE)
        .max_buf_size(HEADER_LIST_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .max_local_error_reset_streams(MALFORMED)
        .max_header_list_size(HEADER_LIST_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER);
    builder
}

async fn serve<T>(stream: T, h2: bool, with: Caller, app: impl App, mut stop: watch::Receiver<bool>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let account = with.peer.account.clone();
    let at_once = AtOnce::default();
    let refuses = at_once.clone();
    let service = hyper::service::service_fn(move |request| {
        let called = match with.call(request) {
            Ok((request, place)) => Ok((app.clone(), request, place)),
            Err(refused) => {
                refuses.next();
                Err(refused)
            }
        };
        async move {
            let (mut app, request, place) = match called {
                Ok(called) => called,
                Err(refused) => return Ok(*refused),
            };
            let answer = app.call(request).await?;
            Ok::<_, Infallible>(answer.map(|body| Body::new(Placed::new(body, place))))
        }
    });
    let builder = protocols(&account, at_once);
    let pieces = Pieces {
        io: TokioIo::new(stream),
        together: !h2,
    };
    let mut connection = pin!(builder.serve_connection(pieces, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
        () = account.stalled() => {
            // Dropping the connection frees everything that it holds.
            metrics::counter!("assay_stalled_connections_total").increment(1);
            tracing::debug!("a connection was closed: its answers lay unread");
            return;
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

#[cfg(test)]
mod tests;

//! What the software of every host has: a disk, a clock, random words, and the way to others.

use super::cast::Cast;
use super::chronicle::Chronicle;
use super::disk::{Disk, Written};
use super::plan::{Mutant, Plan};
use crate::words::Words;
use assay_tlog::cosigning::Moment;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::transport::{Channel, Endpoint};
use turmoil::net::{TcpListener, TcpStream};

const PORT: u16 = 80;

/// Seconds since 1970 when a run begins.
const BEGIN_S: i64 = 1_800_000_000;

/// Longest body that is read.
const BODY_BYTES: usize = 256 * 1024;

/// Who called, as far as the network knows.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) String);

/// One host. Its disk and its clock outlive its software.
pub(super) struct Host {
    pub(super) name: &'static str,
    pub(super) disk: Disk,
    /// Seconds by which its clock is wrong.
    pub(super) clock: AtomicI64,
    pub(super) cast: Arc<Cast>,
    pub(super) plan: Arc<Plan>,
    pub(super) chronicle: Arc<Mutex<Chronicle>>,
    pub(super) words: Mutex<Words>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    pub(super) fn word(&self) -> u64 {
        lock(&self.words).word()
    }

    pub(super) fn below(&self, end: usize) -> usize {
        lock(&self.words).below(end)
    }

    pub(super) fn percent(&self, of_hundred: usize) -> bool {
        lock(&self.words).percent(of_hundred)
    }

    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.plan.has(mutant)
    }

    pub(super) fn chronicle(&self) -> MutexGuard<'_, Chronicle> {
        lock(&self.chronicle)
    }

    /// Milliseconds that never fall, and what its clock shows.
    pub(super) fn now(&self) -> Moment {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        let seconds = BEGIN_S + elapsed.as_secs() as i64 + self.clock.load(Ordering::Relaxed);
        Moment {
            elapsed_ms: elapsed.as_millis() as u64,
            unix_s: seconds.max(1) as u64,
        }
    }

    /// Waits for something between half of a time and one and a half.
    pub(super) async fn pause(&self, about_ms: usize) {
        let wait = about_ms / 2 + self.below(about_ms);
        sleep(Duration::from_millis(wait as u64)).await;
    }

    /// Waits until the disk has what was written.
    pub(super) async fn sync(&self, written: Written) {
        let wait = 1 + self.below(60);
        sleep(Duration::from_millis(wait as u64)).await;
        self.disk.synced(written);
    }

    /// Lets the disk have what was written, some time later.
    pub(super) fn sync_later(self: &Arc<Self>, written: Written) {
        let host = self.clone();
        tokio::spawn(async move {
            host.pause(3_000).await;
            host.disk.synced(written);
        });
    }

    /// Sends a request, and returns the status and the body. `None` if there is no answer in time.
    pub(super) async fn http(
        &self,
        to: &str,
        path: &str,
        body: Option<String>,
    ) -> Option<(u16, Bytes)> {
        let method = if body.is_some() { "POST" } else { "GET" };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", to);
        let request = request.body(Body::from(body.unwrap_or_default())).ok()?;
        let answer = timeout(Duration::from_secs(2), exchange(to, request));
        answer.await.ok()?.ok()
    }
}

async fn exchange(to: &str, request: Request<Body>) -> io::Result<(u16, Bytes)> {
    let stream = TcpStream::connect((to, PORT)).await?;
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut send, connection) = connected.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let response = send.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    let body = to_bytes(Body::new(response.into_body()), BODY_BYTES).await;
    Ok((status, body.map_err(io::Error::other)?))
}

/// A connection for gRPC.
pub(super) async fn channel(to: &str) -> Option<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{to}")).ok()?;
    let to = to.to_owned();
    let connect = tower::service_fn(move |_| {
        let to = to.clone();
        async move {
            let stream = TcpStream::connect((to.as_str(), PORT)).await?;
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    });
    endpoint.connect_with_connector(connect).await.ok()
}

/// Serves until the host ends.
pub(super) async fn serve(router: Router) -> turmoil::Result {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    loop {
        let (stream, from) = listener.accept().await?;
        let caller = Caller(turmoil::reverse_lookup(from.ip()).unwrap_or_default());
        let service = TowerToHyperService::new(router.clone().layer(Extension(caller)));
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            // Whoever goes away has its reasons.
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

//! The admin port: `/healthz`, `/readyz`, `/metrics`. It changes nothing.

use crate::{
    damage::scrub::Damaged, held::Held, pace, sequencer::Halt, signer::cosigning, telemetry,
};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{collections::VecDeque, io, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// How many connections are served at once.
pub const CONNECTIONS: usize = 64;

/// Longest time for the headers of a request, and for a connection to wait for its next one.
const HEADERS: Duration = Duration::from_secs(5);

/// What is read of a request before its headers have ended, in bytes.
const BUFFER: usize = 16 << 10;

/// How long to wait after a connection could not be accepted, for want of files most likely.
const AGAIN: Duration = Duration::from_millis(10);

/// How long calls to the admin port get when the process stops.
const ADMIN_DRAIN: Duration = Duration::from_secs(2);

/// Returns the routes of the admin port.
pub fn router(
    halt: Arc<Halt>,
    damaged: Arc<Damaged>,
    held: Arc<Held>,
    metrics: PrometheusHandle,
) -> Router {
    let render = move || {
        metrics::gauge!("assay_held_bytes").set(held.bytes() as f64);
        metrics::gauge!("assay_sync_waiting_seconds").set(pace::oldest_waits());
        metrics::counter!("assay_log_lines_lost_total").absolute(telemetry::lost_lines());
        metrics.render()
    };
    Router::new()
        // Says only that the process answers.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state((halt, damaged))
        .route("/metrics", get(move || std::future::ready(render())))
}

/// A damaged store answers what it can, and so does a slow disk; an operator has to know all the
/// same.
async fn ready(State((halt, damaged)): State<(Arc<Halt>, Arc<Damaged>)>) -> (StatusCode, String) {
    let wrong = match halt.reason() {
        Some(reason) => Some(format!("reads only: {reason}\n")),
        None => unsigned(&halt)
            .or_else(|| damaged.text())
            .or_else(pace::slow)
            .map(|text| text + "\n"),
    };
    match wrong {
        None => (StatusCode::OK, "ready\n".into()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

/// Which keys do not sign.
fn unsigned(halt: &Halt) -> Option<String> {
    let why = halt.unsigned();
    let log = why.map(|why| format!("nothing is published, and claims are kept: {why}"));
    let all: Vec<String> = log.into_iter().chain(cosigning::unsigned()).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// Serves the admin port until `stop` says so, and then as long as calls in flight take, which is
/// two seconds at most.
///
/// Whoever comes is served: of [`CONNECTIONS`] the oldest one is closed for it. A call of an
/// operator takes milliseconds, so that what is oldest asks for nothing, or is not honest.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let (mut open, mut by_age) = (JoinSet::new(), VecDeque::new());
    loop {
        let stream = tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection of the admin port");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            },
        };
        make_room(&mut open, &mut by_age).await;
        by_age.push_back(open.spawn(connection(stream, app.clone(), stop.clone())));
    }
    drop(listener);
    // Requests that never come whole do not keep the process.
    let ended = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(ADMIN_DRAIN, ended).await;
    Ok(())
}

/// Closes the oldest connection if there are as many as there may be. On return its file is closed.
async fn make_room(open: &mut JoinSet<()>, by_age: &mut VecDeque<AbortHandle>) {
    by_age.retain(|connection| !connection.is_finished());
    while open.len() >= CONNECTIONS {
        if let Some(oldest) = by_age.pop_front() {
            oldest.abort();
        }
        open.join_next().await;
    }
}

/// Serves one connection, over HTTP/1.1.
async fn connection(stream: TcpStream, app: Router, mut stop: watch::Receiver<bool>) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of the admin port ended");
    }
}

/// Ends when the server is to stop, or when the sender is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

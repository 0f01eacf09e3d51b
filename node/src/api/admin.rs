//! The admin port: `/healthz`, `/readyz`, `/metrics`. It changes nothing.

use crate::{
    damage::scrub::Damaged, held::Held, pace, sequencer::Halt, signer::cosigning, telemetry,
};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

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
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut told = stop.clone();
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    // Requests that never come whole do not keep the process.
    let at_last = async move {
        let _ = told.wait_for(|stop| *stop).await;
        tokio::time::sleep(ADMIN_DRAIN).await;
    };
    let serving = axum::serve(listener, app).with_graceful_shutdown(stopped);
    tokio::select! {
        ended = serving.into_future() => ended,
        () = at_last => Ok(()),
    }
}

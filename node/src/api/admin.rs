//! The admin port: `/healthz`, `/readyz`, `/metrics`. It changes nothing.

use crate::{held::Held, sequencer::Halt, telemetry};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;

/// Returns the routes of the admin port.
pub fn router(halt: Arc<Halt>, held: Arc<Held>, metrics: PrometheusHandle) -> Router {
    let render = move || {
        metrics::gauge!("assay_held_bytes").set(held.bytes() as f64);
        metrics::counter!("assay_log_lines_lost_total").absolute(telemetry::lost_lines());
        metrics.render()
    };
    Router::new()
        // Says only that the process answers.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(halt)
        .route("/metrics", get(move || std::future::ready(render())))
}

async fn ready(State(halt): State<Arc<Halt>>) -> (StatusCode, String) {
    match halt.reason() {
        None => (StatusCode::OK, "ready\n".into()),
        Some(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("reads only: {reason}\n"),
        ),
    }
}

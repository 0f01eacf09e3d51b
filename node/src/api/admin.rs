//! The admin port: `/healthz`, `/readyz`, `/metrics`. It changes nothing.

use crate::sequencer::Halt;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;

/// Returns the routes of the admin port.
pub fn router(halt: Arc<Halt>, metrics: PrometheusHandle) -> Router {
    Router::new()
        // Says only that the process answers.
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(halt)
        .route(
            "/metrics",
            get(move || std::future::ready(metrics.render())),
        )
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

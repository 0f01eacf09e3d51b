//! The admin port: `/healthz`, `/readyz`, `/metrics`. It says nothing that an operator's network
//! should not see, and changes nothing.

use crate::sequencer::Halt;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;

/// The routes, for the admin port.
pub fn router(halt: Arc<Halt>, metrics: PrometheusHandle) -> Router {
    Router::new()
        // The process answers: nothing else is claimed.
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

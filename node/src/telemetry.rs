//! Traces on standard error, and metrics for Prometheus.

use crate::config::{TraceConfig, TraceFormat};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{io, sync::OnceLock};
use tracing_subscriber::{EnvFilter, filter::ParseError};

/// Starts traces. `RUST_LOG` overrides the configured filter. Fails if the filter is malformed.
pub fn traces(config: &TraceConfig) -> Result<(), ParseError> {
    let filter = match EnvFilter::try_from_default_env() {
        Ok(filter) => filter,
        Err(_) => EnvFilter::try_new(&config.filter)?,
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match config.format {
        TraceFormat::Text => lines
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .init(),
        TraceFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// Returns the metrics of this process. The first call installs their recorder.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(install).clone()
}

fn install() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("another metrics recorder is installed; /metrics stays empty");
    }
    metrics::describe_gauge!("assay_tree_size", "Entries that are durable");
    metrics::describe_gauge!(
        "assay_published_size",
        "Entries under the published checkpoint"
    );
    metrics::describe_gauge!("assay_halted", "1 if the node stopped writing and signing");
    metrics::describe_counter!("assay_entries_total", "Entries appended since the start");
    metrics::describe_histogram!(
        "assay_commit_seconds",
        metrics::Unit::Seconds,
        "Time of a synced commit"
    );
    metrics::describe_histogram!(
        "assay_publish_seconds",
        metrics::Unit::Seconds,
        "Time to sign and show a checkpoint"
    );
    describe_strangers();
    handle
}

/// What is counted so that strangers cost little.
fn describe_strangers() {
    metrics::describe_gauge!(
        "assay_held_bytes",
        "Memory for what callers have not read or not finished"
    );
    metrics::describe_gauge!(
        "assay_attachment_bytes",
        "Disk that attachments take, in blocks of 4 KiB"
    );
    metrics::describe_counter!(
        "assay_refused_total",
        "Calls that a limit refused, by the limit"
    );
    metrics::describe_counter!(
        "assay_stalled_connections_total",
        "Connections closed because their answers lay unread"
    );
}

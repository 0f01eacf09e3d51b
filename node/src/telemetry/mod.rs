//! Traces on standard error, and metrics for Prometheus.

mod lines;
mod often;

pub use lines::{Last, lost_lines};

use crate::config::{TraceConfig, TraceFormat};
use lines::Lines;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use often::Often;
use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};
use tracing_subscriber::{EnvFilter, Layer, filter::ParseError, prelude::*};

/// Why a process cannot say what it does.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The filter of the configuration is malformed.
    #[error("trace.filter in the configuration cannot be used")]
    Filter(#[from] ParseError),
    /// There is no thread for it.
    #[error("cannot start a thread")]
    Thread(#[from] io::Error),
}

/// Starts traces. `RUST_LOG` overrides the configured filter.
///
/// The last lines are written when what is returned is dropped.
pub fn traces(config: &TraceConfig) -> Result<Last, TraceError> {
    let filter = match EnvFilter::try_from_default_env() {
        Ok(filter) => filter,
        Err(_) => EnvFilter::try_new(&config.filter)?,
    };
    let writer = Lines::start(io::stderr())?;
    let last = Last(writer.clone());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || writer.clone())
        .log_internal_errors(false);
    let lines = match config.format {
        TraceFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        TraceFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines.with_filter(Often::default()))
        .init();
    Ok(last)
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
    metrics::describe_histogram!(
        "assay_sync_seconds",
        metrics::Unit::Seconds,
        "Time until what is written is durable, by file"
    );
    metrics::describe_gauge!(
        "assay_sync_waiting_seconds",
        "How long the oldest write has waited to be durable"
    );
    metrics::describe_counter!(
        "assay_log_lines_lost_total",
        "Lines of the log that standard error did not take in time"
    );
    metrics::describe_counter!(
        "assay_log_lines_left_out_total",
        "Lines of the log that came too often"
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

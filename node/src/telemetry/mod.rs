//! Traces on standard error, spans for a collector, and metrics for Prometheus.

mod collector;
mod lines;
mod often;
mod spans;

pub use lines::lost_lines;
pub use spans::{Answer, SPANS, call, within};

use crate::config::{TraceConfig, TraceFormat};
use assay_host::threads::demand_one;
use collector::Collector;
use lines::{Last, Lines};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use often::Often;
use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};
use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, ParseError, filter_fn},
    prelude::*,
};

/// Why a process cannot say what it does.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The filter of the configuration is malformed.
    #[error("trace.filter in the configuration cannot be used")]
    Filter(#[from] ParseError),
    /// There is no thread for it.
    #[error("cannot start a thread")]
    Thread(#[from] io::Error),
    /// What is said to be the address of a collector is none.
    // It is not shown: it may hold a password.
    #[error(
        "trace.otlp in the configuration must be the address of a collector that takes OTLP over \
         gRPC, such as http://127.0.0.1:4317, without a password"
    )]
    Collector,
    /// It is no share.
    #[error("trace.otlp_share in the configuration is {0}, and must be above 0 and at most 1")]
    Share(f64),
}

/// What a process says of itself while it has this. The last spans and lines go out when it is
/// dropped.
#[must_use = "the last lines of a process are written when this is dropped"]
pub struct Traces {
    // Before the lines, which say what became of it.
    _spans: Option<Collector>,
    _lines: Last,
}

/// Starts traces. `RUST_LOG` overrides the configured filter of lines.
pub fn traces(config: &TraceConfig) -> Result<Traces, TraceError> {
    let filter = match EnvFilter::try_from_default_env() {
        Ok(filter) => filter,
        Err(_) => EnvFilter::try_new(&config.filter)?,
    };
    demand_one()?;
    let collector = Collector::start(config)?;
    let writer = Lines::start(io::stderr())?;
    let last = Last(writer.clone());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || writer.clone())
        .log_internal_errors(false);
    let lines = match config.format {
        TraceFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        TraceFormat::Json => lines.json().boxed(),
    };
    let spans = collector.as_ref().map(|collector| {
        tracing_opentelemetry::layer()
            .with_tracer(collector.tracer())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(is_span))
    });
    tracing_subscriber::registry()
        .with(
            lines.with_filter(
                filter_fn(|it| !is_span(it))
                    .and(filter)
                    .and(Often::default()),
            ),
        )
        .with(spans)
        .init();
    Ok(Traces {
        _spans: collector,
        _lines: last,
    })
}

/// Whether it is for a collector, and for no line.
fn is_span(metadata: &Metadata<'_>) -> bool {
    metadata.target() == SPANS
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

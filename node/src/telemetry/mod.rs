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
use tracing::{Dispatch, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt as _, LevelFilter, ParseError, filter_fn},
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
    let filter = filter(std::env::var(EnvFilter::DEFAULT_ENV).ok(), &config.filter)?;
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
            .boxed()
    });
    subscriber(lines, filter, spans).init();
    Ok(Traces {
        _spans: collector,
        _lines: last,
    })
}

/// The filter of `RUST_LOG`, or else the configured one. An empty variable is as good as none: it
/// would be a filter that lets nothing but errors through.
fn filter(variable: Option<String>, configured: &str) -> Result<EnvFilter, ParseError> {
    let variable = variable.filter(|filter| !filter.trim().is_empty());
    match variable.map(EnvFilter::try_new) {
        Some(Ok(filter)) => Ok(filter),
        _ => EnvFilter::try_new(configured),
    }
}

type BoxLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// What passes the filter goes to lines, and spans to their collector if there is one. Nothing else
/// is made at all: each call passes dozens of places of HTTP/2 that could trace.
fn subscriber(
    lines: BoxLayer,
    filter: EnvFilter,
    spans: Option<BoxLayer>,
) -> impl Subscriber + Into<Dispatch> {
    // A filter without such a hint is one that may want everything.
    let no_span = filter_fn(|it| !is_span(it)).with_max_level_hint(LevelFilter::TRACE);
    let span = filter_fn(is_span).with_max_level_hint(LevelFilter::INFO);
    let lines = lines.with_filter(no_span.and(filter).and(Often::default()));
    // Not an `Option` beside them: its `None` has no filter, and so wants everything.
    let mut layers = vec![lines.boxed()];
    layers.extend(spans.map(|spans| spans.with_filter(span).boxed()));
    tracing_subscriber::registry().with(layers)
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

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{Span, info_span, level_filters, subscriber::with_default, trace_span};

    fn nobody() -> BoxLayer {
        tracing_subscriber::layer::Identity::new().boxed()
    }

    #[test]
    fn an_empty_variable_is_no_filter() {
        for (variable, used) in [
            (None, "info"),
            (Some(""), "info"),
            (Some(" "), "info"),
            (Some("a=nonsense"), "info"),
            (Some("warn"), "warn"),
        ] {
            let filter = filter(variable.map(str::to_owned), "info").unwrap();
            assert_eq!(filter.to_string(), used, "{variable:?}");
        }
        assert!(filter(None, "a=nonsense").is_err());
    }

    /// What calls pass in every frame, and the span of a call.
    fn spans() -> [Span; 2] {
        [
            trace_span!(target: "h2::proto", "poll"),
            info_span!(target: SPANS, "call"),
        ]
    }

    #[test]
    fn what_nobody_wants_is_not_made() {
        let filter = || EnvFilter::new("info");
        with_default(subscriber(nobody(), filter(), None), || {
            assert_eq!(level_filters::LevelFilter::current(), LevelFilter::INFO);
            assert!(spans().iter().all(Span::is_disabled));
        });
        with_default(subscriber(nobody(), filter(), Some(nobody())), || {
            assert_eq!(level_filters::LevelFilter::current(), LevelFilter::INFO);
            let [poll, call] = spans();
            assert!(poll.is_disabled() && !call.is_disabled());
        });
        let filter = EnvFilter::new("h2=trace");
        with_default(subscriber(nobody(), filter, None), || {
            let [poll, call] = spans();
            assert!(!poll.is_disabled() && call.is_disabled());
        });
    }
}

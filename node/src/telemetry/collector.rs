//! Spans of calls, commits and signatures, for a collector of OpenTelemetry (OTLP over gRPC).
//!
//! A span says what was done, how long it took and how it ended. It does not say who asked or what
//! was asked about. A collector that is away, slow or hangs costs spans and nothing else: they wait
//! in a queue of a fixed length, for a thread and a runtime of their own.

use super::TraceError;
use crate::config::TraceConfig;
use crate::threads;
use assay_client::wrong_port;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{
    ExporterBuildError, SpanExporter, WithExportConfig as _, WithTonicConfig as _,
    tonic_types::transport::ClientTlsConfig,
};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider},
};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Spans that wait to be sent. What comes beyond that is lost.
const WAITING: usize = 4096;

/// How long the collector has to take some of them.
const ANSWER: Duration = Duration::from_secs(5);

/// How long the end waits for those that wait.
const LAST: Duration = Duration::from_secs(1);

/// Sends spans to a collector, and the last ones when it is dropped.
pub(super) struct Collector {
    spans: SdkTracerProvider,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Collector {
    /// Starts to send spans where the configuration says, if it says where.
    pub fn start(config: &TraceConfig) -> Result<Option<Self>, TraceError> {
        let Some(address) = &config.otlp else {
            return Ok(None);
        };
        if !(config.otlp_share > 0.0 && config.otlp_share <= 1.0) {
            return Err(TraceError::Share(config.otlp_share));
        }
        if !is_address(address) {
            return Err(TraceError::Collector);
        }
        let mut builder = Builder::new_multi_thread();
        let runtime = threads::runtime(builder.worker_threads(1).thread_name("otlp"))?;
        let exporter = {
            let _entered = runtime.enter();
            exporter(address).map_err(|_| TraceError::Collector)?
        };
        let batches = BatchConfigBuilder::default().with_max_queue_size(WAITING);
        let batches = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build());
        let spans = SdkTracerProvider::builder()
            .with_span_processor(batches.build())
            .with_sampler(Sampler::TraceIdRatioBased(config.otlp_share))
            .with_resource(resource())
            .build();
        Ok(Some(Collector {
            spans,
            runtime: Some(runtime),
        }))
    }

    /// What makes spans of a layer's.
    pub fn tracer(&self) -> SdkTracer {
        self.spans.tracer("assay-node")
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // There is nobody left to tell if the collector does not take them.
        let _ = self.spans.shutdown_with_timeout(LAST);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Whether it says how a collector is reached, without a password, which lines would show.
fn is_address(address: &str) -> bool {
    let Ok(uri) = address.parse::<http::Uri>() else {
        return false;
    };
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    is_http
        && wrong_port(address).is_none()
        && uri.authority().is_some_and(|it| !it.as_str().contains('@'))
}

fn exporter(address: &str) -> Result<SpanExporter, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(address)
        .with_timeout(ANSWER);
    if address.starts_with("https:") {
        let roots = ClientTlsConfig::new().with_native_roots();
        return exporter.with_tls_config(roots).build();
    }
    exporter.build()
}

/// Who sends the spans: what OpenTelemetry's variables of the environment say, and the program's
/// name if they name no service.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    match std::env::var_os("OTEL_SERVICE_NAME").filter(|name| !name.is_empty()) {
        Some(_) => resource.build(),
        None => resource.with_service_name("assay-node").build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_has_an_address_without_a_password() {
        for good in [
            "http://127.0.0.1:4317",
            "https://otel.example.org",
            "http://[::1]:4317/",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "127.0.0.1:4317",
            "",
            "ftp://a",
            "http://",
            "http://127.0.0.1:99999",
            "http://u:p@a:4317",
            "/a b",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_share_is_above_nothing_and_at_most_all() {
        for share in [0.0, -1.0, 1.01, f64::NAN] {
            let config = TraceConfig {
                otlp: Some("http://127.0.0.1:1".to_owned()),
                otlp_share: share,
                ..TraceConfig::default()
            };
            assert!(matches!(
                Collector::start(&config),
                Err(TraceError::Share(_))
            ));
        }
    }
}

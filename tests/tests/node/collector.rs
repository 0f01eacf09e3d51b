//! A collector of OpenTelemetry gets spans of what a node does, and nothing about whom it did it
//! for. One that hangs costs nothing else.

use crate::Fixture;
use anyhow::{Context as _, ensure};
use assay_proto::v1::Wait;
use assay_tests::process::Node;
use futures::FutureExt as _;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::{Span, span::SpanKind},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::Server};

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts it at some address.
    async fn start(&self) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let connections = futures::stream::unfold(listener, async |listener| {
            Some((listener.accept().await.map(|it| it.0), listener))
        });
        let service = TraceServiceServer::new(self.clone());
        let server = Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(connections).map(drop));
        Ok(address)
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let resources = requests.iter().flat_map(|it| &it.resource_spans);
        let scopes = resources.flat_map(|it| &it.scope_spans);
        scopes.flat_map(|it| it.spans.clone()).collect()
    }
}

/// A node that sends spans there.
async fn start(collector: SocketAddr) -> anyhow::Result<Fixture> {
    let node = Node::init()?;
    node.append_configuration(&format!("otlp = \"http://{collector}\""))?;
    Fixture::of(node).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_spans_that_say_nothing_about_anybody() -> anyhow::Result<()> {
    let collector = Collector::default();
    let mut fixture = start(collector.start().await?).await?;
    fixture.publish(1..4, Wait::Integrated).await?;
    let page = format!("{}/p/pkg:npm/asked-about@1.0.0", fixture.node.ready().url);
    ensure!(reqwest::get(page).await?.status().is_success());
    let lost = format!("{}/tile/0/999", fixture.node.ready().url);
    ensure!(reqwest::get(lost).await?.status() == 404);
    // The last ones come when it ends.
    fixture.node.stop()?;

    let spans = collector.spans();
    let one = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        found.with_context(|| format!("no span {name}"))
    };
    let publish = one("assay.v1.LogService/Publish")?;
    ensure!(publish.kind == SpanKind::Server as i32, "{publish:?}");
    ensure!(publish.end_time_unix_nano > publish.start_time_unix_nano);
    let (append, commit) = (one("append")?, one("commit")?);
    ensure!(commit.trace_id == append.trace_id && commit.parent_span_id == append.span_id);
    one("sign")?;
    one("p")?;
    let said = format!("{:?}", collector.0.lock().unwrap());
    ensure!(said.contains("assay-node"), "{said}");
    ensure!(
        !said.contains("asked-about") && !said.contains("127.0.0.1"),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_costs_spans_and_nothing_else() -> anyhow::Result<()> {
    // It takes connections, since the system does so, and never reads.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let mut fixture = start(silent.local_addr()?).await?;
    // More than wait for it.
    for turn in 0..12 {
        fixture
            .publish(turn * 500..(turn + 1) * 500, Wait::Integrated)
            .await?;
    }
    let started = Instant::now();
    fixture.node.stop()?;
    ensure!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    Ok(())
}

#[test]
fn what_is_no_collector_is_refused_at_the_start() -> anyhow::Result<()> {
    let mut node = Node::init()?;
    node.append_configuration("otlp = \"http://user:secret@127.0.0.1:4317\"")?;
    let (_, said) = node.run_refused()?;
    ensure!(said.contains("trace.otlp"), "{said}");
    ensure!(!said.contains("secret"), "{said}");
    Ok(())
}

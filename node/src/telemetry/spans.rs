//! The spans of calls. They are made only if a collector wants them.

use assay_proto::v1::{
    attachment_service_server, federation_service_server, index_service_server, log_service_server,
};
use futures::{FutureExt as _, future::BoxFuture};
use http::{Method, Request, Response};
use std::convert::Infallible;
use tonic::body::Body;
use tonic_health::pb::health_server;
use tracing::{Instrument as _, Span, field::Empty, info_span};

/// The target of spans for a collector, all of which are of the level INFO. Lines on standard error
/// do not have them.
pub const SPANS: &str = "spans";

/// The first parts of the paths of plain HTTP that spans name. The rest of a path says what was
/// asked about, which is nobody's business.
const ROUTES: [&str; 32] = [
    ".well-known",
    "add-checkpoint",
    "api",
    "badge",
    "c",
    "calendar",
    "calendar.ics",
    "check.js",
    "checkpoint",
    "compare",
    "copies",
    "d",
    "federation.json",
    "feed.atom",
    "heads",
    "i",
    "log",
    "mirror",
    "misbehavior",
    "moved",
    "openapi.json",
    "p",
    "policy",
    "policy.toml",
    "standing",
    "style.css",
    "tile",
    "v",
    "verify.js",
    "vex-repository.tar.gz",
    "witness",
    "x",
];

/// The services of gRPC, and their methods. What else a stranger may call becomes no name.
const SERVICES: [&str; 6] = [
    attachment_service_server::SERVICE_NAME,
    federation_service_server::SERVICE_NAME,
    index_service_server::SERVICE_NAME,
    log_service_server::SERVICE_NAME,
    health_server::SERVICE_NAME,
    "grpc.reflection.v1.ServerReflection",
];
const METHODS: [&str; 20] = [
    "BatchLookup",
    "Check",
    "ExchangeHeads",
    "Get",
    "GetCheckpoint",
    "GetConsistencyProof",
    "GetEntryAndProof",
    "GetInclusionProof",
    "GetIssuer",
    "ListMisbehavior",
    "Lookup",
    "LookupPrefix",
    "Publish",
    "PublishStream",
    "Put",
    "ReportMisbehavior",
    "ServerReflectionInfo",
    "StreamEntries",
    "SubmitHeads",
    "Watch",
];

/// Codes of gRPC that are the server's fault: unknown, late, unimplemented, internal, unavailable,
/// lost.
const FAULTS: [i32; 6] = [2, 4, 12, 13, 14, 15];

/// An answer on its way.
pub type Answer = BoxFuture<'static, Result<Response<Body>, Infallible>>;

/// The span of a call on the public port, if a collector wants it: its method or route, and once
/// it is answered its status. Neither who called nor what about.
pub fn call<B>(request: &Request<B>) -> Option<Span> {
    let span = info_span!(
        target: SPANS,
        "call",
        otel.name = route(request.uri().path()),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method(request.method()),
        http.response.status_code = Empty,
        rpc.grpc.status_code = Empty,
    );
    (!span.is_disabled()).then_some(span)
}

/// The answer on its way, which tells its span how the call ended.
pub fn within(span: Option<Span>, answer: Answer) -> Answer {
    let Some(span) = span else {
        return answer;
    };
    let answer = answer.instrument(span.clone());
    async move {
        let Ok(answer) = answer.await;
        ended(&span, &answer);
        Ok(answer)
    }
    .boxed()
}

/// Says in a span how its call ended, as far as the head of the answer says it.
fn ended(span: &Span, answer: &Response<Body>) {
    let status = answer.status();
    span.record("http.response.status_code", status.as_u16());
    let code = answer.headers().get("grpc-status");
    let code = code.and_then(|code| code.to_str().ok()?.parse::<i32>().ok());
    if let Some(code) = code {
        span.record("rpc.grpc.status_code", code);
    }
    if status.is_server_error() || code.is_some_and(|code| FAULTS.contains(&code)) {
        span.record("otel.status_code", "ERROR");
    }
}

/// A method of HTTP that is known; any other has one name, as OpenTelemetry says.
fn method(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS | Method::POST | Method::PUT => {
            method.as_str()
        }
        _ => "_OTHER",
    }
}

/// The method of gRPC, or the first part of a path that is a route; for anything else "other".
fn route(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    if METHODS.contains(&rest) && SERVICES.contains(&first) {
        return path;
    }
    if ROUTES.contains(&first) {
        return first;
    }
    "other"
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    #[test]
    fn a_route_says_nothing_about_what_was_asked() {
        for (path, named) in [
            (
                "/assay.v1.LogService/Publish",
                "assay.v1.LogService/Publish",
            ),
            (
                "/grpc.health.v1.Health/Check",
                "grpc.health.v1.Health/Check",
            ),
            ("/assay.v1.LogService/Other", "other"),
            ("/assay.v1.LogService/pkg:npm/a", "other"),
            ("/p/pkg:npm/secret@1.0.0", "p"),
            ("/api/v1/lookup", "api"),
            ("/tile/0/000", "tile"),
            ("/checkpoint", "checkpoint"),
            ("/", "other"),
            ("/secret", "other"),
        ] {
            assert_eq!(route(path), named, "{path}");
        }
    }

    #[test]
    fn every_method_that_a_node_has_is_named() {
        for set in [
            assay_proto::DESCRIPTORS,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
        ] {
            let set = FileDescriptorSet::decode(set).unwrap();
            let mut methods = 0;
            for file in &set.file {
                for service in &file.service {
                    for method in &service.method {
                        let (package, service) = (file.package(), service.name());
                        let path = format!("{package}.{service}/{}", method.name());
                        assert_eq!(route(&format!("/{path}")), path);
                        methods += 1;
                    }
                }
            }
            assert!(methods > 1);
        }
    }
}

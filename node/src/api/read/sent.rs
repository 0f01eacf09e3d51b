//! An answer as HTTP has it: with a strong tag, and readable for pages of any origin.

use super::{form, problem::Problem};
use crate::api::{metered::Paid, peer::Peer};
use crate::held::Kind;
use assay_tlog::Hash;
use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use std::sync::Arc;
use tonic::Status;

/// What callers may do, as `Allow` says it.
const METHODS: &str = "GET, HEAD, OPTIONS";

/// Hex digits of a tag.
const TAG_DIGITS: usize = 32;

/// An answer on its way.
pub struct Sent {
    kind: &'static str,
    body: Bytes,
    paid: Option<Paid>,
}

impl Sent {
    /// An answer that is not counted.
    pub fn free(kind: &'static str, body: Bytes) -> Self {
        let paid = None;
        Sent { kind, body, paid }
    }

    /// An answer for which room was taken.
    pub fn paid(kind: &'static str, body: Bytes, paid: Paid) -> Self {
        let paid = Some(paid);
        Sent { kind, body, paid }
    }

    /// An answer for which room is taken now.
    pub async fn held(kind: &'static str, body: Bytes, peer: &Peer) -> Result<Self, Status> {
        let hold = peer.account.hold(Kind::of_answer(body.len()), body.len());
        let paid = Paid::Whole(Arc::new(hold.await?));
        Ok(Self::paid(kind, body, paid))
    }

    /// The response to a caller with these headers: without a body if it has that already.
    pub fn response(self, asked: &HeaderMap) -> Response {
        let digest = Hash::of(&self.body).to_hex();
        let tag = format!("\"{}\"", digest.get(..TAG_DIGITS).unwrap_or(&digest));
        let mut response = if form::has(asked, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(self.body));
            if let Some(paid) = self.paid {
                response.extensions_mut().insert(paid);
            }
            let kind = HeaderValue::from_static(self.kind);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// What a browser is told before it asks with headers of its own.
pub fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ALLOW, METHODS),
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "accept, if-none-match",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The answer to what would change something.
pub fn not_allowed() -> Response {
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this API is only read");
    let mut response = problem.into_response();
    let allow = HeaderValue::from_static(METHODS);
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

/// The response with what every one of them has; without its body if only the head was asked for.
pub fn finished(method: &Method, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "etag, retry-after"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let resource = header::HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(resource, HeaderValue::from_static("cross-origin"));
    if *method != Method::HEAD {
        return response;
    }
    let length = response.body().size_hint().exact();
    let (mut head, _) = response.into_parts();
    if let Some(length) = length {
        let length = HeaderValue::from(length);
        head.headers.insert(header::CONTENT_LENGTH, length);
    }
    Response::from_parts(head, Body::empty())
}

//! Calls that have a place, until their answers were sent; and those for which there is none.

use crate::{
    api::{app::is_grpc, status},
    held::Hold,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tonic::{Status, body::Body};

/// The body of an answer, with the place of its call.
pub(super) struct Placed {
    body: Body,
    _place: Hold,
}

impl Placed {
    pub(super) fn new(body: Body, place: Hold) -> Self {
        Placed {
            body,
            _place: place,
        }
    }
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The answer to a call for which there is no place.
pub(super) fn too_many<B>(request: &Request<B>) -> Response<Body> {
    metrics::counter!("assay_refused_total", "limit" => "calls").increment(1);
    let message = "too many calls are open, of yours or of everybody: end some, or try again";
    if is_grpc(request) {
        return status::busy(message.into(), 1).into_http();
    }
    let mut response = said(StatusCode::SERVICE_UNAVAILABLE, message);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The answer to a call with more header fields than are read.
pub(super) fn too_many_fields() -> Response<Body> {
    let message = "a request has at most 100 header fields here";
    said(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message)
}

fn said(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::new(format!("{message}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

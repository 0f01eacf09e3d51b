//! What goes wrong, as RFC 9457 has it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// After how many seconds to try again, if nothing else is known.
const RETRY_S: u64 = 5;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: Option<&'static str>,
    field: Option<String>,
    detail: String,
    retry_s: Option<u64>,
}

impl Problem {
    /// A problem of HTTP itself.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem {
            status,
            code: None,
            field: None,
            detail: detail.into(),
            retry_s: None,
        }
    }
}

impl From<Status> for Problem {
    fn from(error: Status) -> Self {
        let (status, code) = of_code(error.code());
        let violations = error.get_details_bad_request();
        let violations = violations.map(|it| it.field_violations).unwrap_or_default();
        let retry = error.get_details_retry_info().and_then(|it| it.retry_delay);
        let may_retry = matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        Problem {
            status,
            code: Some(code),
            field: violations.into_iter().next().map(|it| it.field),
            detail: error.message().to_owned(),
            retry_s: may_retry.then(|| retry.map_or(RETRY_S, |it| it.as_secs().max(1))),
        }
    }
}

/// The status that HTTP has for a code of gRPC, and the code's name.
fn of_code(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        Code::OutOfRange => (StatusCode::BAD_REQUEST, "OUT_OF_RANGE"),
        Code::FailedPrecondition => (StatusCode::BAD_REQUEST, "FAILED_PRECONDITION"),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        Code::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
    }
}

/// The body.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            // The status says what it is (RFC 9457, section 4.2.1).
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            field: self.field.as_deref(),
        };
        // It has nothing that cannot be written.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(retry_s) = self.retry_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_s));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::status;
    use crate::held::NoRoom;

    #[test]
    fn a_status_becomes_what_http_has_for_it() {
        let of = |status: Status| {
            let problem = Problem::from(status);
            (problem.status.as_u16(), problem.field, problem.retry_s)
        };
        let invalid = status::invalid("purl", "a reason".into());
        assert_eq!(of(invalid), (400, Some("purl".to_owned()), None));
        assert_eq!(of(Status::out_of_range("")), (400, None, None));
        assert_eq!(of(Status::not_found("")), (404, None, None));
        assert_eq!(of(NoRoom.into()), (429, None, Some(5)));
        assert_eq!(of(status::busy("".into(), 77)), (429, None, Some(77)));
        assert_eq!(of(Status::unavailable("")), (503, None, Some(5)));
        assert_eq!(of(Status::internal("")), (500, None, None));
        assert_eq!(of(Status::deadline_exceeded("")), (504, None, None));
    }

    #[test]
    fn a_problem_says_when_to_come_again() {
        let response = Problem::from(status::busy("full".into(), 77)).into_response();
        assert_eq!(response.headers()["retry-after"], "77");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}

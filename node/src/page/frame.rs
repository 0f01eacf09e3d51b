//! What every page has around what it shows, and how a page is sent.

use super::text::{base, seen};
use crate::api::{
    peer::Peer,
    read::{PATH_BYTES, sent::Sent},
};
use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

pub const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Nothing comes from anywhere else, and nothing runs but the two files that check a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
    style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// When to try again what was refused, in seconds.
const RETRY_S: &str = "5";

/// What a handler has of a request.
pub struct Asked {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub peer: Peer,
}

impl Asked {
    pub fn of(request: Request, peer: Peer) -> Self {
        let (head, _) = request.into_parts();
        Asked {
            uri: head.uri,
            headers: head.headers,
            peer,
        }
    }

    /// What its query says, decoded, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.uri.query().unwrap_or_default().as_bytes();
        form_urlencoded::parse(query).into_owned().collect()
    }

    /// Whether its address is longer than is read.
    pub fn is_long(&self) -> bool {
        let whole = self.uri.path_and_query();
        whole.is_some_and(|it| it.as_str().len() > PATH_BYTES)
    }

    /// Leads to another page.
    pub fn see(&self, status: StatusCode, to: &str) -> Response {
        let to = format!("{}{to}", base(self.uri.path()));
        dressed((status, [(header::LOCATION, to)]).into_response())
    }
}

/// What every page has around what it shows.
pub struct Frame {
    pub title: String,
    pub base: String,
    /// What was looked up, in full.
    pub asked: String,
    /// Whose policy weighs it; `None` if nobody's does.
    pub operator: Option<String>,
}

impl Frame {
    pub fn new(asked: &Asked, title: &str, operator: Option<&str>) -> Self {
        Frame {
            title: title.to_owned(),
            base: base(asked.uri.path()),
            asked: String::new(),
            operator: operator.map(str::to_owned),
        }
    }
}

/// A page of paragraphs.
#[derive(Template)]
#[template(path = "text.html")]
pub struct Plain {
    pub frame: Frame,
    pub paragraphs: Vec<String>,
    pub blocks: Vec<String>,
    pub links: Vec<(&'static str, &'static str)>,
}

/// Sends a page.
pub async fn answer(status: StatusCode, asked: &Asked, page: &impl Template) -> Response {
    match rendered(page) {
        Ok(html) => send(status, asked, HTML, html).await,
        Err(error) => unwritten(&error),
    }
}

/// A page as it is sent.
pub fn rendered(page: &impl Template) -> askama::Result<Bytes> {
    Ok(seen(&page.render()?).into())
}

/// Sends what was written, which is of this kind. Room is taken for it.
pub async fn send(status: StatusCode, asked: &Asked, kind: &'static str, body: Bytes) -> Response {
    let sent = match Sent::held(kind, body, &asked.peer).await {
        Ok(sent) => sent,
        Err(error) => {
            let kind = [(header::CONTENT_TYPE, TEXT), (header::RETRY_AFTER, RETRY_S)];
            let why = format!("{}\n", error.message());
            return dressed((StatusCode::SERVICE_UNAVAILABLE, kind, why).into_response());
        }
    };
    if status == StatusCode::OK {
        return dressed(sent.response(&asked.headers));
    }
    // Of what is no page, whether the caller has it already means nothing.
    let mut response = dressed(sent.response(&HeaderMap::new()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.remove(header::ETAG);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_S));
    }
    response
}

/// Sends a style or a text, which are the same for everybody.
pub fn fixed(asked: &Asked, kind: &'static str, body: Bytes) -> Response {
    dressed(Sent::free(kind, body).response(&asked.headers))
}

/// Sends what pages of any other site may show.
pub fn shared(asked: &Asked, kind: &'static str, body: Bytes) -> Response {
    let mut response = fixed(asked, kind, body);
    let headers = response.headers_mut();
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(resource, HeaderValue::from_static("cross-origin"));
    let everybody = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, everybody);
    response
}

pub fn unwritten(error: &askama::Error) -> Response {
    tracing::error!(%error, "a page cannot be written");
    let why = "this node cannot write its page; its operator was told\n";
    dressed((StatusCode::INTERNAL_SERVER_ERROR, why).into_response())
}

/// The response with what tells a browser to let nothing in.
fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let own = "same-origin";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), own),
        (HeaderName::from_static("cross-origin-resource-policy"), own),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Held, Limits};
    use std::{sync::Arc, time::Duration};

    /// A request whose caller says that it has everything, and what counts what it holds.
    fn asked() -> (Asked, Arc<Held>) {
        let held = Held::new(Limits {
            bytes: 1 << 20,
            connections: 16,
            stall: Duration::from_secs(20),
            shared: Vec::new(),
        });
        let address = "192.0.2.1:1".parse().unwrap();
        let account = held.connection("192.0.2.1".parse().unwrap());
        let has_all = (header::IF_NONE_MATCH, HeaderValue::from_static("*"));
        let asked = Asked {
            uri: Uri::from_static("/p/serde"),
            headers: HeaderMap::from_iter([has_all]),
            peer: Peer { address, account },
        };
        (asked, held)
    }

    #[tokio::test]
    async fn what_is_no_page_is_sent_whole_and_kept_by_nobody() {
        let (asked, _held) = asked();
        let known = send(StatusCode::OK, &asked, HTML, Bytes::from("a page")).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        for (status, retries) in [
            (StatusCode::NOT_FOUND, false),
            (StatusCode::URI_TOO_LONG, false),
            (StatusCode::TOO_MANY_REQUESTS, true),
            (StatusCode::SERVICE_UNAVAILABLE, true),
        ] {
            let response = send(status, &asked, HTML, Bytes::from("why not")).await;
            let headers = response.headers();
            assert_eq!(response.status(), status);
            assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{status}");
            assert!(!headers.contains_key(header::ETAG), "{status}");
            assert_eq!(
                headers.contains_key(header::RETRY_AFTER),
                retries,
                "{status}"
            );
            let body = axum::body::to_bytes(response.into_body(), 1 << 10).await;
            assert_eq!(body.unwrap(), "why not", "{status}");
        }
    }

    #[tokio::test]
    async fn room_is_taken_for_a_page_until_it_is_sent() {
        let (asked, held) = asked();
        let response = send(StatusCode::NOT_FOUND, &asked, HTML, Bytes::from("why not")).await;
        assert!(held.bytes() > 0);
        drop(response);
        assert_eq!(held.bytes(), 0);
    }
}

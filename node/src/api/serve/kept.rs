//! What is kept of a request while its call lasts.

use assay_proto::INVITATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};

/// The fields that something here reads. What names a caller behind a proxy is read before.
const READ: [HeaderName; 10] = [
    header::ACCEPT,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::IF_NONE_MATCH,
    header::TE,
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static(INVITATION),
];

/// The request with no field that nobody reads: one takes a hundred bytes in memory, and a call may
/// last. What stays is copied, because it was a part of what the connection read: of that, a call
/// would keep all, which is some thousand bytes.
pub(super) fn kept<B>(mut request: Request<B>) -> Request<B> {
    let headers = request.headers_mut();
    let mut read = HeaderMap::new();
    for name in READ {
        for value in headers.get_all(&name) {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                read.append(name.clone(), value);
            }
        }
    }
    *headers = read;
    if let Ok(uri) = request.uri().to_string().parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_nobody_reads_are_dropped_and_nothing_else() {
        let mut request = Request::get("http://log.example:7480/tile/0/x001?a=%20");
        for number in 0..90 {
            request = request.header(format!("x-{number}"), "something");
        }
        let request = request
            .header("grpc-timeout", "1S")
            .header("accept", "text/html")
            .header("accept", "application/json")
            .header(INVITATION, "a")
            .body(7)
            .unwrap();
        let uri = request.uri().clone();
        let kept = kept(request);
        assert_eq!((kept.uri(), kept.body()), (&uri, &7));
        let names: Vec<_> = kept
            .headers()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["accept", "accept", "grpc-timeout", INVITATION]);
        let accepted: Vec<_> = kept.headers().get_all("accept").iter().collect();
        assert_eq!(accepted, ["text/html", "application/json"]);
    }
}

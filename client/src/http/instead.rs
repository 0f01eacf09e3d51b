//! What answered in place of a log: a proxy, a page for people, a site that moved. None of it is
//! evidence against anybody, and a person needs to know what it was.

use crate::plain;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, SERVER};

/// Most characters that are shown of what others wrote.
const SHOWN: usize = 200;

/// Says what a status that is no success means, and who gave it.
pub(crate) fn of_status(status: StatusCode, headers: &HeaderMap) -> String {
    let who = header(headers, SERVER.as_str());
    let who = who.map_or_else(|| "the server".into(), |who| format!("the server ({who})"));
    if status.is_redirection()
        && let Some(to) = header(headers, LOCATION.as_str())
    {
        return format!(
            "{who} redirects to {to} ({status}), which is not followed; if that is where the log \
             is, give its address"
        );
    }
    let page = if is_page(headers, b"") {
        " with a web page"
    } else {
        ""
    };
    format!("{who} answered {status}{page}")
}

/// Says what a body is that no log has anywhere: nothing, or a page for people; `None` of any
/// other.
pub(crate) fn of_body(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let ask = "is this the address of a log?";
    if is_page(headers, body) {
        return Some(format!("what the server answers is a web page; {ask}"));
    }
    body.is_empty()
        .then(|| format!("what the server gives is an empty answer; {ask}"))
}

/// Whether a page for people is meant, by what it is said to be or by how it begins. What a log
/// serves begins with a length, a hash or its name.
fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let said = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let begins = |with: &str| {
        let body = body.trim_ascii_start();
        body.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
    };
    said.to_ascii_lowercase().starts_with("text/html")
        || begins("<!doctype html")
        || begins("<html")
}

/// A header's value, fit to be shown.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    let shown: String = value.chars().take(SHOWN).collect();
    Some(plain(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in of {
            headers.insert(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn who_answered_and_where_to_is_said() {
        let nginx = headers(&[("server", "nginx"), ("content-type", "text/html")]);
        assert_eq!(
            of_status(StatusCode::BAD_GATEWAY, &nginx),
            "the server (nginx) answered 502 Bad Gateway with a web page"
        );
        let moved = headers(&[("location", "https://new.example/log")]);
        let said = of_status(StatusCode::MOVED_PERMANENTLY, &moved);
        assert!(
            said.starts_with("the server redirects to https://new.example/log (301 Moved"),
            "{said}"
        );
        assert_eq!(
            of_status(StatusCode::NOT_MODIFIED, &headers(&[])),
            "the server answered 304 Not Modified"
        );
    }

    #[test]
    fn pages_are_told_from_what_logs_serve() {
        let none = headers(&[]);
        let html = headers(&[("content-type", "Text/HTML; charset=utf-8")]);
        for (headers, body) in [
            (&html, &b"anything"[..]),
            (&none, b"  <!DOCTYPE HTML>"),
            (&none, b"<html lang=en>"),
            (&none, b""),
        ] {
            assert!(of_body(headers, body).is_some(), "{body:?}");
        }
        for body in [&b"log.example\n5\n"[..], b"\x00\x05hello", b"<!"] {
            assert_eq!(of_body(&none, body), None, "{body:?}");
        }
    }
}

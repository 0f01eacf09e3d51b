//! Addresses of servers, to which paths are added. What reads them otherwise takes a port that is
//! none for no port at all, and asks whoever is at 80.

use crate::ClientError;

/// Fails with [`ClientError::Usage`] unless `url` is an http or https address, with a right port or
/// none, and without a query or a fragment.
pub(crate) fn demand_address(url: &str, whose: &str) -> Result<(), ClientError> {
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    let wrong = wrong_part(url);
    if is_http && wrong.is_none() {
        return Ok(());
    }
    let why = wrong.map(|wrong| format!(" ({wrong})")).unwrap_or_default();
    Err(ClientError::Usage(format!(
        "{url} is no address of {whose}{why}; write http://HOST:PORT or https://HOST:PORT"
    )))
}

/// What is wrong with an address to which paths are added; `None` if its port can be one, or is
/// left out, and it has neither a query nor a fragment.
pub(crate) fn wrong_part(url: &str) -> Option<String> {
    if let Some(mark) = url.chars().find(|c| matches!(c, '?' | '#')) {
        return Some(format!("take out the {mark} and what is behind it"));
    }
    wrong_port(url)
}

/// What is wrong with the port of an address; `None` if it has none, or one from 1 to 65535.
pub fn wrong_port(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    // The colons of an IPv6 address are in brackets.
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    let (_, port) = behind.split_once(':')?;
    let is_number = port.bytes().all(|digit| digit.is_ascii_digit());
    if is_number && port.parse::<u16>().is_ok_and(|port| port != 0) {
        return None;
    }
    Some(format!(
        "its port {port:?} is none: a port is a number from 1 to 65535"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_right_or_left_out() {
        for right in [
            "http://a.example",
            "http://127.0.0.1:1",
            "https://u:p@a.example:65535/x:0",
            "http://[::1]",
            "http://[::1]:7480/below",
            "http://a.example/?q=a:0",
        ] {
            assert_eq!(wrong_port(right), None, "{right}");
        }
        for wrong in [
            "http://127.0.0.1:99999",
            "http://127.0.0.1:65536/x",
            "http://127.0.0.1:0",
            "http://127.0.0.1:000",
            "http://127.0.0.1:",
            "http://127.0.0.1:+80",
            "https://a.example:x/",
            "http://[::1]:0",
            "http://u@a.example:0?q",
        ] {
            let error = demand_address(wrong, "a node").unwrap_err().to_string();
            assert!(error.contains("port") || error.contains('?'), "{wrong}");
            assert!(wrong_port(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn an_address_to_which_paths_are_added_has_no_query() {
        for wrong in ["http://a/?q", "http://a#f", "a.example", "ftp://a"] {
            assert!(demand_address(wrong, "a node").is_err(), "{wrong}");
        }
        assert!(demand_address("https://a:1/below/", "a node").is_ok());
    }
}

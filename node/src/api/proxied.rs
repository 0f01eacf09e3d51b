//! Who a proxy says that it speaks for. Only a proxy that the operator names is believed, and only
//! in the one header that the operator names: anybody can send the other one.

use http::{HeaderMap, HeaderName, header::FORWARDED};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};

/// The header in which proxies name whom they speak for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: addresses, the last caller's last.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Most hops that are looked at.
const HOPS: usize = 32;

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    trusted: Vec<IpAddr>,
    header: ProxyHeader,
    /// Whether they pass on connections, each with a header of the PROXY protocol.
    passes_on: bool,
}

impl Proxies {
    /// Believes these addresses what they say in this header.
    pub fn new(trusted: &[IpAddr], header: ProxyHeader) -> Self {
        Proxies {
            trusted: trusted.iter().map(IpAddr::to_canonical).collect(),
            header,
            passes_on: false,
        }
    }

    /// The same addresses, whose connections must begin with a header of the PROXY protocol if
    /// `passes_on`.
    #[must_use]
    pub fn with_protocol(self, passes_on: bool) -> Self {
        Proxies { passes_on, ..self }
    }

    /// Whether their connections must begin with a header of the PROXY protocol.
    pub fn passes_on(&self) -> bool {
        self.passes_on
    }

    /// Whether what comes from an address is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.contains(&address.to_canonical())
    }

    /// The caller for whom a proxy sent a request with these headers: the last address that is no
    /// proxy's. `None` if there is none, or a hop is not an address.
    pub fn caller(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let name = match self.header {
            ProxyHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ProxyHeader::Forwarded => FORWARDED,
        };
        // From the last one on: what stands before it is the caller's own, and may be anything. A
        // quoted comma stands in no address, and makes a hop that is none.
        let lines = headers.get_all(name).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops.take(HOPS) {
            let hop = std::str::from_utf8(hop.trim_ascii()).ok()?;
            let address = match self.header {
                ProxyHeader::XForwardedFor => address(hop)?,
                ProxyHeader::Forwarded => address(forwarded_for(hop)?)?,
            };
            if !self.trusts(address) {
                return Some(address);
            }
        }
        None
    }
}

/// The value of `for` in an element of `Forwarded`, without its quotation marks.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let value = value.trim();
    let bare = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    Some(bare.unwrap_or(value))
}

/// An address with or without a port, and with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>();
    let address = address.or_else(|_| text.parse().map(|it: SocketAddr| it.ip()));
    address.ok().map(|it| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn caller(header: ProxyHeader, name: &'static str, values: &[&str]) -> Option<String> {
        let trusted = ["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(name, value);
        }
        let caller = Proxies::new(&trusted, header).caller(&headers);
        caller.map(|it| it.to_string())
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_is_the_caller() {
        for (values, right) in [
            (&["192.0.2.7"][..], Some("192.0.2.7")),
            // What the caller made up stands before what the proxy saw.
            (&["203.0.113.9, 192.0.2.7"], Some("192.0.2.7")),
            (&["\u{e9}, 192.0.2.7"], Some("192.0.2.7")),
            (&["192.0.2.7, \u{e9}"], None),
            (&["203.0.113.9", "192.0.2.7, 10.0.0.1"], Some("192.0.2.7")),
            (&["2001:db8::7"], Some("2001:db8::7")),
            (&["[2001:db8::7]:80, ::1"], Some("2001:db8::7")),
            (&["192.0.2.7:4711"], Some("192.0.2.7")),
            (&["::ffff:192.0.2.7"], Some("192.0.2.7")),
            (&["192.0.2.7, ::ffff:10.0.0.1"], Some("192.0.2.7")),
            (&["192.0.2.7, somebody"], None),
            (&["192.0.2.7,"], None),
            (&["10.0.0.1"], None),
            (&[""], None),
            (&[], None),
        ] {
            let found = caller(ProxyHeader::XForwardedFor, "x-forwarded-for", values);
            assert_eq!(found.as_deref(), right, "{values:?}");
        }
    }

    #[test]
    fn an_address_of_a_proxy_is_the_same_in_ipv6_and_few_hops_are_looked_at() {
        let trusted = ["10.0.0.1".parse().unwrap()];
        let proxies = Proxies::new(&trusted, ProxyHeader::XForwardedFor);
        assert!(proxies.trusts("::ffff:10.0.0.1".parse().unwrap()));
        for (proxies, right) in [(HOPS - 1, Some("192.0.2.7")), (HOPS, None)] {
            let hops = format!("192.0.2.7{}", ", 10.0.0.1".repeat(proxies));
            let found = caller(ProxyHeader::XForwardedFor, "x-forwarded-for", &[&hops]);
            assert_eq!(found.as_deref(), right, "{proxies} proxies");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_says() {
        for (values, right) in [
            (&["for=192.0.2.7"][..], Some("192.0.2.7")),
            (
                &["For=\"[2001:db8::7]:4711\";proto=https"],
                Some("2001:db8::7"),
            ),
            (
                &["proto=http; for=\"192.0.2.7:80\", for=10.0.0.1"],
                Some("192.0.2.7"),
            ),
            (&["for=203.0.113.9", "for=192.0.2.7"], Some("192.0.2.7")),
            (&["for=192.0.2.7, for=unknown"], None),
            (&["for=_hidden"], None),
            (&["by=192.0.2.7"], None),
        ] {
            let found = caller(ProxyHeader::Forwarded, "forwarded", values);
            assert_eq!(found.as_deref(), right, "{values:?}");
        }
        let other = caller(ProxyHeader::Forwarded, "x-forwarded-for", &["192.0.2.7"]);
        assert_eq!(other, None, "anybody can send the other header");
    }
}

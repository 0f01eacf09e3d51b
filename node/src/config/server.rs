//! `[server]`: where the node listens, and what it takes from connections.

use super::within::within;
use crate::api::proxied::{Proxies, ProxyHeader};
use assay_host::address;
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
};

/// Bounds of `server.held_mib`: room for the longest message on one connection, and what a counter
/// of bytes can count.
const HELD_MIB: RangeInclusive<u64> = 64..=8192;

/// Most threads that serve: more than the cores of any machine.
const THREADS: usize = 1024;

/// Most connections: more than files that a process can open.
const CONNECTIONS: usize = 1 << 20;

/// A day, in seconds.
const DAY_S: u64 = 86_400;

/// Where the node listens, and what it takes from a connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Public address: gRPC and HTTP. A name is looked up at the start.
    #[serde(deserialize_with = "read_address")]
    pub listen: SocketAddr,
    /// Admin address: health, readiness, metrics.
    #[serde(deserialize_with = "read_address")]
    pub admin: SocketAddr,
    /// How many threads serve connections. 0 is one a core.
    pub threads: usize,
    /// How many connections are served at once. When all places are taken, networks share them
    /// alike.
    pub connections: usize,
    /// Memory for what callers have not read or not finished, in MiB.
    pub held_mib: u64,
    /// How long an answer may lie unread before its connection is closed, in seconds.
    pub stall_s: u64,
    /// Addresses that stand for many callers, as a proxy's does. Limits by address do not count
    /// them, except the one on new issuers.
    pub shared_addresses: Vec<IpAddr>,
    /// Addresses of proxies that are believed for whom they speak.
    pub trusted_proxies: Vec<IpAddr>,
    /// The header in which they say so.
    pub proxy_header: ProxyHeader,
    /// Whether their connections must begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// Longest time that calls in flight get when the node stops, in seconds.
    pub drain_s: u64,
    /// TLS. Without it, connections are plain text.
    pub tls: Option<TlsConfig>,
}

/// TLS by files, read again on SIGHUP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// PEM file with the private key, mode 0600.
    pub key: PathBuf,
    /// PEM file with the authorities whose client certificates are demanded (mTLS), if any.
    pub client_authorities: Option<PathBuf>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 7480)),
            admin: SocketAddr::from(([127, 0, 0, 1], 7481)),
            threads: 0,
            connections: 512,
            held_mib: 64,
            stall_s: 60,
            shared_addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::default(),
            proxy_protocol: false,
            drain_s: 10,
            tls: None,
        }
    }
}

impl ServerConfig {
    /// Says which value is out of range, if one is.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("server.threads", self.threads, 0..=THREADS)?;
        within("server.connections", self.connections, 1..=CONNECTIONS)?;
        within("server.held_mib", self.held_mib, HELD_MIB)?;
        within("server.stall_s", self.stall_s, 1..=DAY_S)?;
        within("server.drain_s", self.drain_s, 0..=DAY_S)?;
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            return Err(
                "server.proxy_protocol is for the connections of server.trusted_proxies, and there \
                 are none"
                    .into(),
            );
        }
        Ok(())
    }

    /// The proxies that are believed.
    pub fn proxies(&self) -> Arc<Proxies> {
        let proxies = Proxies::new(&self.trusted_proxies, self.proxy_header);
        Arc::new(proxies.with_protocol(self.proxy_protocol))
    }

    /// The paths in it.
    pub(crate) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let Some(tls) = &mut self.tls else {
            return Vec::new();
        };
        let mut paths = vec![&mut tls.certificate, &mut tls.key];
        paths.extend(&mut tls.client_authorities);
        paths
    }
}

/// Reads an address to listen on, as [`address::to_listen_on`]. Fails with a text for people.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let found = address::to_listen_on(text).map_err(|error| {
        format!("{text:?} is no address to listen on, such as 127.0.0.1:7480 or :7480: {error}")
    })?;
    found.ok_or_else(|| format!("{text:?} has no address on this machine"))
}

fn read_address<'de, D: serde::Deserializer<'de>>(value: D) -> Result<SocketAddr, D::Error> {
    listen_address(&String::deserialize(value)?).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers_names_or_all() {
        for (text, address) in [
            ("127.0.0.1:7480", "127.0.0.1:7480"),
            ("[::1]:7480", "[::1]:7480"),
            (":7480", "0.0.0.0:7480"),
            ("localhost:0", "127.0.0.1:0"),
        ] {
            assert_eq!(listen_address(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            ":",
            "7480",
            "127.0.0.1",
            "127.0.0.1:65536",
            "a b:1",
            "::1:x",
        ] {
            let error = listen_address(text).unwrap_err();
            assert!(error.contains("such as 127.0.0.1:7480"), "{error}");
        }
    }

    #[test]
    fn what_would_fail_later_is_refused_by_name() {
        for (line, name) in [
            ("threads = 100000", "server.threads"),
            ("connections = 0", "server.connections"),
            ("connections = 10000000", "server.connections"),
            ("held_mib = 1", "server.held_mib"),
            ("stall_s = 0", "server.stall_s"),
            ("drain_s = 18446744073709551", "server.drain_s"),
        ] {
            let config: ServerConfig = toml::from_str(line).unwrap();
            let error = config.check().unwrap_err();
            assert!(error.starts_with(&format!("{name} is ")), "{error}");
        }
        let lonely: ServerConfig = toml::from_str("proxy_protocol = true").unwrap();
        let error = lonely.check().unwrap_err();
        assert!(error.contains("server.trusted_proxies"), "{error}");
        assert_eq!(ServerConfig::default().check(), Ok(()));
    }
}

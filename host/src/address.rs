//! Addresses to listen on, as a person writes them.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, ToSocketAddrs},
};

/// Reads an address to listen on: `address:port`, `name:port`, which is looked up, or `:port`,
/// which is all addresses of this machine (IPv4). Returns none if the name has none.
pub fn to_listen_on(text: &str) -> io::Result<Option<SocketAddr>> {
    let whole = match text.strip_prefix(':') {
        Some(port) => format!("{}:{port}", Ipv4Addr::UNSPECIFIED),
        None => text.to_owned(),
    };
    // The one that everybody on this machine finds, if a name has several.
    Ok(whole.to_socket_addrs()?.min_by_key(SocketAddr::is_ipv6))
}

//! What the servers of a node and of a witness have in common: where they listen, what they may
//! hold, and their TLS files.

use crate::{
    api::tls::{Tls, TlsError},
    config::ServerConfig,
    held,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that the system keeps until they are accepted, if it lets us have so many. Of those
/// beyond, it drops the first packet, which is sent again after a second.
const BACKLOG: u32 = 4096;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}; is another node running? {key} in the configuration sets the \
     address"
)]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// The configuration key that sets it.
    pub key: &'static str,
    /// Why not.
    pub source: io::Error,
}

/// The sockets of the public port and of the operator's.
pub(crate) fn listeners(config: &ServerConfig) -> Result<[TcpListener; 2], ListenError> {
    Ok([
        listen(config.listen, "server.listen")?,
        listen(config.admin, "server.admin")?,
    ])
}

/// A socket that listens on an address, which `key` in the configuration sets.
fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, ListenError> {
    bound(address).map_err(|source| ListenError {
        address,
        key,
        source,
    })
}

fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A node that is started again listens where it did, though connections of before linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How much may be held in memory for callers.
pub(crate) fn limits(config: &ServerConfig, connections: usize) -> held::Limits {
    held::Limits {
        bytes: config.held_mib << 20,
        connections,
        stall: Duration::from_secs(config.stall_s),
        shared: [&config.shared_addresses[..], &config.trusted_proxies].concat(),
    }
}

/// Reads the TLS files, if there are any.
pub(crate) fn load_tls(config: &ServerConfig) -> Result<Option<Arc<Tls>>, TlsError> {
    let tls = config.tls.clone().map(Tls::load);
    Ok(tls.transpose()?.map(Arc::new))
}

/// Reads the TLS files again, and reports what came of it.
pub(crate) fn reload_tls(tls: Option<&Tls>) {
    match tls.map(Tls::reload) {
        None => tracing::info!("SIGHUP: no TLS is configured; nothing to read again"),
        Some(Ok(())) => tracing::info!("SIGHUP: TLS files read again"),
        Some(Err(error)) => {
            tracing::error!(%error, "SIGHUP: the TLS files cannot be used; the old ones stay");
        }
    }
}

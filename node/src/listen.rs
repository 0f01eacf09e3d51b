//! What the servers of a node and of a witness have in common: where they listen, what they may
//! hold, and their TLS files.

use crate::{
    api::tls::{Tls, TlsError},
    config::ServerConfig,
    held,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

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
pub(crate) async fn listeners(config: &ServerConfig) -> Result<[TcpListener; 2], ListenError> {
    Ok([
        listen(config.listen, "server.listen").await?,
        listen(config.admin, "server.admin").await?,
    ])
}

/// A socket that listens on an address, which `key` in the configuration sets.
async fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, ListenError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| ListenError {
        address,
        key,
        source,
    })
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

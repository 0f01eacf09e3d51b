//! Who calls.

use crate::held::Account;
use std::{net::SocketAddr, sync::Arc};

/// Who is at the other end, or for whom a trusted proxy there speaks, as an extension of every
/// request.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The address.
    pub address: SocketAddr,
    /// What this connection holds, or the caller for whom the proxy speaks.
    pub account: Arc<Account>,
}

//! What the node shows to the network: gRPC, C2SP tiles over HTTP, and the admin port.

pub mod admin;
pub mod app;
pub mod attachments;
pub mod index;
pub mod log;
pub mod serve;
pub mod status;
pub mod tiles;
pub mod tls;

use assay_tlog::Hash;
use bytes::{Bytes, BytesMut};

/// The hashes of a proof one after the other, 32 bytes each, as the wire has them.
fn joined(hashes: &[Hash]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(hashes.len() * Hash::LEN);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_bytes());
    }
    bytes.freeze()
}

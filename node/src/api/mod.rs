//! What the node shows to the network: gRPC, C2SP tiles over HTTP, and the admin port.

pub mod admin;
pub mod answer;
pub mod app;
pub mod attachments;
pub(crate) mod body;
pub mod copies;
pub mod federation;
mod frames;
pub(crate) mod gate;
pub mod index;
pub mod log;
pub mod look_ups;
pub mod metered;
pub mod page;
pub mod peer;
pub(crate) mod places;
pub mod proxied;
mod proxy_protocol;
pub mod read;
pub mod rest_of_body;
pub mod serve;
pub mod status;
pub mod tiles;
pub mod tls;
mod untaken;

use crate::held::Account;
use assay_tlog::Hash;
use bytes::{Bytes, BytesMut};
use futures::Stream;
use metered::{Paid, Pieces};
use std::{net::IpAddr, pin::Pin, sync::Arc};
use tonic::{Request, Response, Status};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Returns a stream of answers that are paid for one by one.
fn in_pieces<T>(
    pieces: Pieces,
    answers: impl Stream<Item = Result<T, Status>> + Send + 'static,
) -> Response<Answers<T>> {
    let mut response: Response<Answers<T>> = Response::new(Box::pin(answers));
    response.extensions_mut().insert(Paid::Pieces(pieces));
    response
}

/// The address of the caller, if the server that took the call put it there.
fn peer<T>(request: &Request<T>) -> Option<IpAddr> {
    request
        .extensions()
        .get::<peer::Peer>()
        .map(|peer: &peer::Peer| peer.address.ip())
}

/// What the connection of a call holds.
fn account<T>(request: &Request<T>) -> Result<Arc<Account>, Status> {
    let peer = request.extensions().get::<peer::Peer>();
    peer.map(|peer| peer.account.clone())
        .ok_or_else(|| Status::internal("this call came over no connection"))
}

/// The hashes of a proof one after the other, 32 bytes each, as the wire has them.
fn joined(hashes: &[Hash]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(hashes.len() * Hash::LEN);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_bytes());
    }
    bytes.freeze()
}

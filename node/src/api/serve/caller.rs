//! Who calls on a connection, and what is counted of it.

use super::{
    CONNECTION_WINDOW, HEADER_FIELDS,
    kept::kept,
    placed::{too_many, too_many_fields},
};
use crate::{
    api::{
        frames::{Calls, Counted, Meter},
        peer::Peer,
        places::Place,
        proxied::Proxies,
        rest_of_body::RequestBody,
        untaken::{Room, Untaken},
    },
    held::Hold,
    quota::Reports,
};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use std::sync::Arc;
use tonic::body::Body;

/// Who calls on a connection, and what is counted of it.
pub(super) struct Caller {
    pub(super) peer: Peer,
    place: Arc<Place>,
    /// What is believed of it, if it is a proxy.
    proxy: Option<Arc<Proxies>>,
    calls: Calls,
    untaken: Untaken,
}

impl Caller {
    /// Of a new connection.
    pub(super) fn new(peer: Peer, place: Arc<Place>, proxy: Option<Arc<Proxies>>) -> Self {
        Caller {
            peer,
            place,
            proxy,
            calls: Calls::default(),
            untaken: Untaken::new(CONNECTION_WINDOW),
        }
    }

    /// The connection, counted. Frames that ask for nothing are charged to its address, unless it
    /// is a trusted proxy, which passes on what many send, and answers for it.
    pub(super) fn counted<T>(&self, io: T, idle: Arc<Reports>) -> Counted<T> {
        let charged = self.proxy.is_none().then(|| (idle, self.peer.address.ip()));
        let meter = Meter::new(self.calls.clone(), self.untaken.clone(), charged);
        let room = Room::new(self.untaken.clone(), self.peer.account.clone());
        Counted::new(io, meter, room)
    }

    /// A call, with whom it is of and what is taken of its body, and its place among theirs. The
    /// connection has its place from now on. Fails with what is answered if there is no place for
    /// the call.
    pub(super) fn call(
        &self,
        mut request: Request<Incoming>,
    ) -> Result<(Request<RequestBody>, Hold), Box<Response<Body>>> {
        self.place.calls();
        self.calls.one_more();
        let mut peer = self.peer.clone();
        let proxy = self.proxy.as_ref();
        if let Some(caller) = proxy.and_then(|it| it.caller(request.headers())) {
            peer.address.set_ip(caller);
            peer.account = peer.account.of_caller(caller);
        }
        let place = peer.account.call();
        request.extensions_mut().insert(peer);
        // Before it is refused: what came of its body is no longer counted once this is dropped.
        // It is counted of HTTP/2 only: what hyper found, whatever the first bytes or ALPN had made
        // likely.
        let is_h2 = request.version() == Version::HTTP_2;
        let request = request.map(|body| RequestBody::new(body, is_h2.then_some(&self.untaken)));
        if request.headers().len() > HEADER_FIELDS {
            return Err(too_many_fields().into());
        }
        match place {
            Some(place) => Ok((kept(request), place)),
            None => Err(too_many(&request).into()),
        }
    }
}

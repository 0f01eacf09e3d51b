//! As many connections as strangers may have, with as much on each as it takes.

use super::{
    Target,
    frames::{DATA, END_HEADERS, HEADERS, call, flood, frame, head, literal},
    target::NETWORKS,
};
use futures::{FutureExt, future::LocalBoxFuture};

/// Connections of a network: about as many as it may have.
const CONNECTIONS: usize = 60;

/// Streams whose windows fill that of a connection, which is 1 MiB: as long as the node's settings
/// are not acknowledged, each has 64 KiB.
const STREAMS: u32 = 16;
const PIECES: usize = 4;
const PIECE: usize = 16_000;

/// Calls of a connection, and headers of each.
const CALLS: u32 = 100;
const FIELDS: usize = 90;

fn crowd(target: Target, opening: Vec<u8>) -> LocalBoxFuture<'static, ()> {
    async move {
        target
            .each(CONNECTIONS * NETWORKS, async |number: usize| {
                target.did(1);
                flood(&target, number % NETWORKS, &opening, |_| Vec::new()).await
            })
            .await;
    }
    .boxed_local()
}

/// Messages that never end, and that no call takes because there is no room: what comes of them
/// fills the window of each connection.
pub fn windows(target: Target) -> LocalBoxFuture<'static, ()> {
    let mut opening = Vec::new();
    for stream in (0..STREAMS).map(|stream| 2 * stream + 1) {
        opening.extend(call(stream, "LogService/PublishStream"));
        let mut piece = vec![0; PIECE];
        piece[..5].copy_from_slice(&[0, 0, 0x10, 0, 0]);
        for _ in 0..PIECES {
            opening.extend(frame(DATA, 0, stream, &piece));
        }
    }
    crowd(target, opening)
}

/// Calls that begin and say nothing, with as many headers as are read.
pub fn silent(target: Target) -> LocalBoxFuture<'static, ()> {
    const METHODS: [&str; 3] = ["PublishStream", "Publish", "Watch"];
    let mut opening = Vec::new();
    for (stream, method) in (0..CALLS).zip(METHODS.into_iter().cycle()) {
        let mut block = head(true, &format!("/assay.v1.LogService/{method}"));
        for _ in 0..FIELDS {
            block.extend(literal("x-y", "z"));
        }
        opening.extend(frame(HEADERS, END_HEADERS, 2 * stream + 1, &block));
    }
    crowd(target, opening)
}

//! Messages and uploads that never end.

use super::{Target, target::NETWORKS};
use crate::stranger::Stranger;
use futures::{FutureExt, StreamExt, future::LocalBoxFuture, stream};
use std::time::Duration;

/// A message that is as long as one may be, and how much of it comes.
const LENGTH: u32 = 1 << 20;
const COMES: usize = (1 << 20) - 1;

/// Bytes of an upload, how many come of it at a time, and how often.
const UPLOAD: u64 = 64 << 20;
const PART: usize = 64 << 10;
const EVERY: Duration = Duration::from_secs(1);

/// How long a stranger waits who was refused.
const PAUSE: Duration = Duration::from_millis(200);

async fn unfinished(target: Target, call: impl AsyncFn(&Stranger) -> reqwest::Result<()>) {
    target
        .streams(NETWORKS, 1 << 16, PAUSE, async |stranger: &Stranger| {
            let _ = call(stranger).await;
        })
        .await;
}

/// Each method that takes messages gets one of a megabyte, but for its last byte.
pub fn messages(target: Target) -> LocalBoxFuture<'static, ()> {
    const METHODS: [&str; 4] = [
        "LogService/PublishStream",
        "IndexService/BatchLookup",
        "LogService/Publish",
        "FederationService/ExchangeHeads",
    ];
    let turn = std::cell::Cell::new(0);
    unfinished(target, async move |stranger: &Stranger| {
        turn.set(turn.get() + 1);
        let head = [&[0], &LENGTH.to_be_bytes()[..]].concat();
        let pieces = stream::iter([head, vec![0; COMES]]).chain(stream::pending());
        let body = reqwest::Body::wrap_stream(pieces.map(Ok::<_, std::io::Error>));
        let method = METHODS[turn.get() % METHODS.len()];
        stranger.grpc(method).body(body).send().await?;
        Ok(())
    })
    .boxed_local()
}

/// Uploads of a document that is stored, and of one that nobody names, a part a second.
pub fn uploads(target: Target) -> LocalBoxFuture<'static, ()> {
    let named = [
        target.document,
        assay_tlog::Hash::of(b"a document that nobody names"),
    ];
    let turn = std::cell::Cell::new(0);
    unfinished(target, async move |stranger: &Stranger| {
        turn.set(turn.get() + 1);
        let digest = named[turn.get() % named.len()];
        let parts = stream::unfold((), |()| async {
            tokio::time::sleep(EVERY).await;
            Some((super::world::chunk(&[7; PART]), ()))
        });
        stranger.upload(&digest, UPLOAD, parts).await?;
        Ok(())
    })
    .boxed_local()
}

//! Who publishes and watches more than anybody may.

use super::{Target, target::NETWORKS};
use crate::{
    issuer::{Actor, artifact, payload, payload_about},
    stranger::{Stranger, framed},
};
use assay_claims::claim;
use assay_claims::entry::wire::Claim;
use assay_proto::v1::{
    PublishItem, PublishRequest, PublishStreamRequest, Wait, WatchRequest, WatchedName,
};
use futures::{
    FutureExt, StreamExt,
    future::{LocalBoxFuture, join},
    stream,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Claims of a message.
const ITEMS: u64 = 64;

/// Keys of the spammer, the number of the first one, and the networks from which they are
/// registered: an address may not register so many.
const KEYS: u8 = 100;
const FIRST_KEY: u8 = 100;
const REGISTER: usize = 2;

/// Keys that sign one claim, the number of the first one, and artifacts that it is about: as many
/// labels as an entry may have.
const SIGNERS: u8 = 16;
const FIRST_SIGNER: u8 = 80;
const ARTIFACTS: u64 = 127;

/// Watches of a connection, one more than are taken, and names of each.
const WATCHES: usize = 17;
const NAMES: u64 = 1000;

/// Numbers of claims that nobody else publishes.
static NEXT: AtomicU64 = AtomicU64::new(1 << 40);

/// Publishes on a stream, as fast as the node takes it, the claims that `claim` makes of numbers.
async fn publish(
    target: &Target,
    stranger: &Stranger,
    claim: impl Fn(u64) -> Claim + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let done = target.done.clone();
    let messages = stream::repeat_with(move || {
        let first = NEXT.fetch_add(ITEMS, Ordering::Relaxed);
        let items = (first..first + ITEMS).map(|id| PublishItem {
            id,
            claim: Some(claim(id)),
        });
        done.fetch_add(ITEMS, Ordering::Relaxed);
        Ok::<_, std::io::Error>(framed(&PublishStreamRequest {
            wait: Wait::Sequenced.into(),
            items: items.collect(),
        }))
    });
    let call = stranger.grpc("LogService/PublishStream");
    let body = reqwest::Body::wrap_stream(messages);
    let mut answers = call.body(body).send().await?.bytes_stream();
    while answers.next().await.is_some_and(|piece| piece.is_ok()) {}
    Ok(())
}

/// From every network, claims of an issuer as fast as they can be signed, and as many beside them
/// that are forged, which costs nothing.
pub fn overload(target: Target) -> LocalBoxFuture<'static, ()> {
    async move {
        let signed = target.each(NETWORKS, async |number: usize| {
            let stranger = target.stranger(number, 1 << 16)?;
            let issuer = target.issuer.clone();
            publish(&target, &stranger, move |number| issuer.claim(number)).await
        });
        let forged = target.each(NETWORKS, async |number: usize| {
            let stranger = target.stranger(number, 1 << 16)?;
            let good = target.issuer.claim(0);
            publish(&target, &stranger, move |number| Claim {
                payload: payload(number).into(),
                ..good.clone()
            })
            .await
        });
        join(signed, forged).await;
    }
    .boxed_local()
}

/// Registers keys from a few networks, again and again: they are answered and cost no quota.
async fn register(target: &Target, keys: &[Actor]) {
    target
        .each(REGISTER, async |number: usize| {
            let stranger = target.stranger(number, 1 << 16)?;
            for key in keys.iter().skip(number).step_by(REGISTER) {
                let claim = PublishRequest {
                    claim: Some(key.registration()?),
                    wait: Wait::Sequenced.into(),
                };
                stranger.call("LogService/Publish", claim).await?;
                target.did(1);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        })
        .await;
}

/// Registers keys, and publishes from every network the claims that `claim` makes of numbers and
/// them.
async fn spam(
    target: Target,
    (first, many): (u8, u8),
    claim: impl Fn(&[Actor], u64) -> Claim + Copy + Send + Sync + 'static,
) {
    let keys = (first..first + many).map(|key| Actor::new(&[key], 1));
    let keys: Arc<Vec<Actor>> = Arc::new(keys.collect());
    let publishing = target.each(NETWORKS, async |number: usize| {
        let stranger = target.stranger(number, 1 << 16)?;
        let keys = keys.clone();
        publish(&target, &stranger, move |number| claim(&keys, number)).await
    });
    join(register(&target, &keys), publishing).await;
}

/// Registers sixteen keys, and publishes claims that all of them sign about a hundred artifacts.
pub fn much(target: Target) -> LocalBoxFuture<'static, ()> {
    let claim = |keys: &[Actor], number: u64| {
        let first = number.wrapping_mul(ARTIFACTS);
        let signers = keys.iter().map(|one| (one.id, &one.keys[0]));
        let payload = payload_about(first..first + ARTIFACTS);
        claim::sign(&payload, &signers.collect::<Vec<_>>())
    };
    spam(target, (FIRST_SIGNER, SIGNERS), claim).boxed_local()
}

/// Registers a hundred keys, and publishes with each of them.
pub fn spammer(target: Target) -> LocalBoxFuture<'static, ()> {
    let claim =
        |keys: &[Actor], number: u64| keys[(number % u64::from(KEYS)) as usize].claim(number);
    spam(target, (FIRST_KEY, KEYS), claim).boxed_local()
}

/// Watches of a thousand names each, of claims that are published meanwhile.
pub fn watches(target: Target) -> LocalBoxFuture<'static, ()> {
    async move {
        target
            .each(4 * NETWORKS, async |number: usize| {
                let stranger = &target.stranger(number % NETWORKS, 1 << 16)?;
                let watches = (0..WATCHES).map(async |_| {
                    let names = (1..=NAMES).map(|number| WatchedName {
                        name: artifact(number).as_bytes().to_vec().into(),
                        known: 0,
                    });
                    let names = names.collect();
                    target.did(1);
                    let answer = stranger.call("LogService/Watch", WatchRequest { names });
                    if let Ok(answer) = answer.await {
                        let mut news = answer.bytes_stream();
                        while news.next().await.is_some_and(|piece| piece.is_ok()) {}
                    }
                });
                futures::future::join_all(watches).await;
                Ok(())
            })
            .await;
    }
    .boxed_local()
}

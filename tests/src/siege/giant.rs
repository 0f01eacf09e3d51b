//! Questions and claims that are as long, as wide or as deep as they can be sent, and whose answers
//! are read as fast as they come.

use super::{Target, target::NETWORKS};
use crate::{
    issuer::payload,
    log::everything,
    stranger::{Stranger, framed},
};
use assay_claims::limits;
use assay_proto::v1::{BatchLookupRequest, LookupPrefixRequest, PublishRequest};
use bytes::Bytes;
use futures::{FutureExt, future::LocalBoxFuture};

/// Calls that are open at once on a connection.
const CALLS: usize = 4;

async fn asks(
    target: Target,
    call: impl AsyncFn(&Stranger, usize) -> reqwest::Result<reqwest::Response>,
) {
    target
        .each(CALLS * NETWORKS, async |number: usize| {
            let stranger = target.stranger(number % NETWORKS, 1 << 20)?;
            for turn in 0.. {
                target.did(1);
                drop(call(&stranger, turn).await?.bytes().await?);
            }
            Ok(())
        })
        .await;
}

/// Half a label with a number.
fn half(number: usize) -> Bytes {
    let number = (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    number.to_be_bytes().to_vec().into()
}

/// All of the index, and as many names by as many speakers as are taken.
pub fn questions(target: Target) -> LocalBoxFuture<'static, ()> {
    let halves = |count| (0..count).map(half).collect::<Vec<_>>();
    let speakers = LookupPrefixRequest {
        by: halves(limits::LOOKUP_BY),
        ..everything()
    };
    let by = halves(limits::LOOKUP_BY);
    let names = halves(limits::LOOKUP_NAMES);
    let mut batch = Vec::new();
    for (number, names) in names.chunks(4096).enumerate() {
        batch.extend(framed(&BatchLookupRequest {
            names: names.to_vec(),
            by: if number == 0 { by.clone() } else { Vec::new() },
        }));
    }
    let questions = [
        ("IndexService/LookupPrefix", framed(&everything())),
        ("IndexService/LookupPrefix", framed(&speakers)),
        ("IndexService/BatchLookup", batch),
    ]
    .map(|(method, body)| (method, Bytes::from(body)));
    asks(target, async move |stranger: &Stranger, turn| {
        let (method, body) = &questions[turn % questions.len()];
        stranger.grpc(method).body(body.clone()).send().await
    })
    .boxed_local()
}

/// Questions of the read API: the longest query, one that is too long, the most names, and what is
/// no question.
pub fn over_http(target: Target) -> LocalBoxFuture<'static, ()> {
    let names: Vec<String> = (0..200)
        .map(|n| format!("name={}", hex::encode(half(n))))
        .collect();
    let by = hex::encode(half(1));
    let paths = [
        format!("/api/v1/batch?{}&by={by}", names.join("&")),
        format!("/api/v1/lookup?purl=pkg:cargo/{}", "a/".repeat(4000)),
        format!("/api/v1/lookup?{}", "a=b&".repeat(2000)),
        format!("/api/v1/lookup?purl={}", "%".repeat(8000)),
        format!("/api/v1/{}", "a".repeat(12_000)),
        "/api/v1/prefix?prefix=&bits=0".to_owned(),
        format!("/api/v1/receipt/{}", target.claim),
    ];
    asks(target, async move |stranger: &Stranger, turn| {
        stranger.get(&paths[turn % paths.len()]).await
    })
    .boxed_local()
}

/// A message with a claim whose payload is this, which its issuer signed.
fn claim(target: &Target, payload: &[u8]) -> Vec<u8> {
    framed(&PublishRequest {
        claim: Some(target.issuer.sign(payload)),
        wait: 0,
    })
}

/// Claims with payloads that are deep, wide or long, and messages that are no claims; JSON that is
/// deep where JSON is taken.
pub fn claims(target: Target) -> LocalBoxFuture<'static, ()> {
    let fill = |text: &str| text.repeat(limits::PAYLOAD_BYTES / text.len());
    let mut long = payload(1);
    long.resize(1000 << 10, b' ');
    let nested = {
        // A field of a field of a field, and so on.
        let mut message = Vec::new();
        for _ in 0..5000 {
            let mut outer = vec![0x0a];
            prost::encoding::encode_varint(message.len() as u64, &mut outer);
            outer.append(&mut message);
            message = outer;
        }
        framed(&Bytes::from(message))
    };
    let bodies = [
        claim(&target, fill("[").as_bytes()),
        claim(&target, fill(r#"{"a":"#).as_bytes()),
        claim(&target, format!("[{}0]", fill("0,")).as_bytes()),
        claim(&target, format!("\"{}\"", fill(r"\u0000")).as_bytes()),
        claim(&target, &long),
        nested,
    ]
    .map(Bytes::from);
    let deep = Bytes::from("[".repeat(1 << 20));
    asks(target, async move |stranger: &Stranger, turn| {
        if turn % 7 == 6 {
            let path = ["/api/v1/lookup", "/heads"][turn % 2];
            let post = stranger
                .post(path)
                .header("content-type", "application/json");
            return post.body(deep.clone()).send().await;
        }
        let body = bodies[turn % 7].clone();
        stranger.grpc("LogService/Publish").body(body).send().await
    })
    .boxed_local()
}

/// Headers as long as the system takes them.
pub fn headers(target: Target) -> LocalBoxFuture<'static, ()> {
    asks(target, async move |stranger: &Stranger, turn| {
        let request = stranger.post("/checkpoint");
        let length = [100, 15_000, 60_000][turn % 3];
        request.header("x-long", "y".repeat(length)).send().await
    })
    .boxed_local()
}

/// Long pages of a list and receipts, of which only the headers are asked for: whoever asks takes
/// nothing, and so waits for nothing.
pub fn headers_alone(target: Target) -> LocalBoxFuture<'static, ()> {
    let label = hex::encode(&target.label);
    let list = format!("/api/v1/lookup?label={label}&limit=1000");
    asks(target, async move |stranger: &Stranger, _| {
        stranger.head(&list).await
    })
    .boxed_local()
}

//! What a gate lets pass, and when.

use super::*;
use crate::held::{Held, Limits};
use assay_claims::entry::wire::Claim;
use assay_proto::v1::{BatchLookupRequest, PublishRequest, PublishStreamRequest};
use axum::body::Body as AnyBody;
use futures::{FutureExt, StreamExt, stream};
use prost::Message;
use std::{convert::Infallible, future::poll_fn};

fn account() -> Arc<Account> {
    let held = Held::new(Limits {
        bytes: 120 << 20,
        connections: 64,
        stall: Duration::from_secs(1),
        shared: Vec::new(),
    });
    held.connection("192.0.2.1".parse().unwrap())
}

fn framed(message: &impl Message) -> Vec<u8> {
    let length = u32::try_from(message.encoded_len()).unwrap();
    let header = [&[0][..], &length.to_be_bytes()].concat();
    [header, message.encode_to_vec()].concat()
}

/// The gate of a body that comes in these pieces.
fn gate(path: &str, pieces: Vec<Vec<u8>>) -> Gate<AnyBody> {
    Gate::new(
        AnyBody::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>))),
        path,
        account(),
    )
}

/// A body that begins with these bytes and does not go on.
fn begun(bytes: &[u8]) -> AnyBody {
    let begun = stream::iter([Ok::<_, Infallible>(bytes.to_vec())]);
    AnyBody::from_stream(begun.chain(stream::pending()))
}

/// What comes out next.
async fn next(gate: &mut Gate<AnyBody>) -> Option<Result<Bytes, Status>> {
    let frame = poll_fn(|cx| Pin::new(&mut *gate).poll_frame(cx)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap()))
}

fn claim(signatures: usize) -> Option<Claim> {
    Some(Claim {
        signatures: vec![ClaimSignature::default(); signatures],
        ..Claim::default()
    })
}

#[tokio::test]
async fn messages_come_out_one_by_one_as_they_went_in() {
    let messages: Vec<_> = [0, 3, 70_000, 1]
        .map(|bytes| {
            framed(&BatchLookupRequest {
                names: vec![vec![7; bytes].into()],
                by: Vec::new(),
            })
        })
        .to_vec();
    let all = messages.concat();
    for size in [1, 4, 5, 1000, 16_384, all.len()] {
        let pieces = all.chunks(size).map(<[u8]>::to_vec).collect();
        let mut gate = gate("/assay.v1.IndexService/BatchLookup", pieces);
        for message in &messages {
            assert_eq!(next(&mut gate).await.unwrap().unwrap(), message);
        }
        assert!(next(&mut gate).await.is_none());
    }
}

#[tokio::test]
async fn what_is_cut_off_or_too_long_is_left_to_tonic() {
    let cut_off = framed(&PublishRequest {
        claim: claim(3),
        wait: 0,
    });
    let cut_off = cut_off[..cut_off.len() - 1].to_vec();
    let too_long = [&[0][..], &u32::MAX.to_be_bytes()].concat();
    for bytes in [vec![0], cut_off, too_long] {
        let mut gate = gate("/assay.v1.LogService/Publish", vec![bytes.clone()]);
        assert_eq!(next(&mut gate).await.unwrap().unwrap(), bytes);
        assert!(next(&mut gate).await.is_none());
    }
}

#[tokio::test]
async fn a_message_of_empty_parts_is_refused_before_it_is_decoded() {
    let name = vec![Bytes::new(); 100_000];
    let item = PublishItem {
        id: 1,
        claim: claim(100_000),
    };
    let hostile = [
        (
            "Publish",
            framed(&PublishRequest {
                claim: claim(100_000),
                wait: 0,
            }),
        ),
        (
            "PublishStream",
            framed(&PublishStreamRequest {
                wait: 0,
                items: vec![item],
            }),
        ),
        (
            "BatchLookup",
            framed(&BatchLookupRequest {
                names: name.clone(),
                by: Vec::new(),
            }),
        ),
        (
            "BatchLookup",
            framed(&BatchLookupRequest {
                names: Vec::new(),
                by: name,
            }),
        ),
    ];
    for (method, message) in hostile {
        let mut gate = gate(method, vec![message]);
        let refused = next(&mut gate).await.unwrap().unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted, "{method}");
    }
}

#[tokio::test]
async fn the_largest_honest_messages_pass() {
    let item = |id| PublishItem {
        id,
        claim: claim(16),
    };
    let stream = PublishStreamRequest {
        wait: 0,
        items: (0..1024).map(item).collect(),
    };
    let names = BatchLookupRequest {
        names: vec![vec![7; 16].into(); 58_000],
        by: Vec::new(),
    };
    for (method, message) in [
        ("PublishStream", framed(&stream)),
        ("BatchLookup", framed(&names)),
    ] {
        let mut gate = gate(method, vec![message.clone()]);
        let passed = next(&mut gate).await.unwrap().unwrap();
        assert_eq!(passed, message, "{method}");
    }
}

#[tokio::test]
async fn a_message_that_does_not_come_in_time_ends_the_call() {
    let path = "/assay.v1.LogService/PublishStream";
    let mut late = Gate::new(begun(&[0; 3]), path, account());
    late.arrival = Duration::from_millis(20);
    let refused = next(&mut late).await.unwrap().unwrap_err();
    assert_eq!(refused.code(), tonic::Code::DeadlineExceeded);
    // Between messages a stream may be silent for as long as it likes.
    let mut silent = Gate::new(begun(&[]), path, account());
    silent.arrival = Duration::from_millis(20);
    let waited = tokio::time::timeout(10 * silent.arrival, next(&mut silent));
    assert!(waited.await.is_err());
}

#[tokio::test]
async fn room_is_taken_before_a_message_comes_and_given_back_with_the_next() {
    let account = account();
    let long = framed(&BatchLookupRequest {
        names: vec![vec![7; 900_000].into()],
        by: Vec::new(),
    });
    let mut first = Gate::new(begun(&long), "BatchLookup", account.clone());
    assert!(next(&mut first).await.unwrap().is_ok());
    // Its room is all that a connection has, until it asks for its next message.
    let mut second = Gate::new(begun(&long), "BatchLookup", account.clone());
    assert!(next(&mut second).now_or_never().is_none());
    assert!(next(&mut first).now_or_never().is_none());
    assert!(next(&mut second).await.unwrap().is_ok());
}

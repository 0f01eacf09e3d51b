//! What a gate lets pass, and when.

use super::*;
use crate::held::tests::roomy;
use assay_claims::entry::wire::Claim;
use assay_proto::v1::{BatchLookupRequest, PublishRequest, PublishStreamRequest};
use axum::body::Body as AnyBody;
use futures::{FutureExt, StreamExt, stream};
use prost::Message;
use std::{convert::Infallible, future::poll_fn, time::Duration};

fn account() -> Arc<Account> {
    roomy().connection("192.0.2.1".parse().unwrap())
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
    late.coming.arrival = Duration::from_millis(20);
    let refused = next(&mut late).await.unwrap().unwrap_err();
    assert_eq!(refused.code(), tonic::Code::DeadlineExceeded);
    // Between messages a stream may be silent for as long as it likes.
    let mut silent = Gate::new(begun(&[]), path, account());
    silent.coming.arrival = Duration::from_millis(20);
    let waited = tokio::time::timeout(10 * silent.coming.arrival, next(&mut silent));
    assert!(waited.await.is_err());
}

fn long() -> Vec<u8> {
    framed(&BatchLookupRequest {
        names: vec![vec![7; 900_000].into()],
        by: Vec::new(),
    })
}

#[tokio::test]
async fn a_message_holds_room_until_the_next_is_asked_for() {
    let account = account();
    let mut gates: Vec<_> = (0..3)
        .map(|_| Gate::new(begun(&long()), "BatchLookup", account.clone()))
        .collect();
    // Two of these are all that a connection has.
    assert!(next(&mut gates[0]).await.unwrap().is_ok());
    assert!(next(&mut gates[1]).await.unwrap().is_ok());
    assert!(next(&mut gates[2]).now_or_never().is_none());
    assert!(next(&mut gates[0]).now_or_never().is_none());
    assert!(next(&mut gates[2]).await.unwrap().is_ok());
}

#[tokio::test]
async fn what_was_only_announced_holds_no_room() {
    let account = account();
    let announced = &long()[..HEADER];
    let half = &long()[..450_000];
    let mut gates: Vec<_> = (0..1000)
        .map(|_| Gate::new(begun(announced), "BatchLookup", account.clone()))
        .collect();
    for gate in &mut gates {
        assert!(next(gate).now_or_never().is_none());
    }
    assert_eq!(account.try_hold(Kind::Coming, 4 << 20).map(drop), Some(()));
    // What came does, and keeps out others that come, but none that has come.
    let mut halves: Vec<_> = (0..100)
        .map(|_| Gate::new(begun(half), "BatchLookup", account.clone()))
        .collect();
    for gate in &mut halves {
        assert!(next(gate).now_or_never().is_none());
    }
    assert!(account.try_hold(Kind::Coming, 4 << 20).is_none());
    let mut whole = Gate::new(begun(&long()), "BatchLookup", account.clone());
    assert!(next(&mut whole).await.unwrap().is_ok());
    drop(halves);
    assert_eq!(account.try_hold(Kind::Coming, 4 << 20).map(drop), Some(()));
}

#[tokio::test]
async fn whoever_holds_room_that_others_wait_for_has_less_time() {
    let held = roomy();
    let [account, beside, other] = [(); 3].map(|()| held.connection("192.0.2.1".parse().unwrap()));
    let half = &long()[..450_000];
    let mut slow = Gate::new(begun(half), "BatchLookup", account);
    slow.coming.pressed = Duration::from_millis(20);
    slow.coming.arrival = Duration::from_secs(3600);
    assert!(next(&mut slow).now_or_never().is_none());
    // These and the slow one want more than a network has.
    let _beside = beside.try_hold(Kind::Coming, 2 << 20).unwrap();
    let waiting = tokio::spawn(other.wait(Kind::Coming, 2 << 20));
    let refused = next(&mut slow).await.unwrap().unwrap_err();
    assert_eq!(refused.code(), tonic::Code::DeadlineExceeded);
    drop(slow);
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_call_with_one_message_ends_after_it() {
    let request = PublishRequest {
        claim: claim(1),
        wait: 0,
    };
    let twice = [framed(&request), framed(&request)].concat();
    let mut gate = Gate::new(begun(&twice), "/assay.v1.LogService/Publish", account());
    assert!(!gate.is_end_stream());
    assert_eq!(next(&mut gate).await.unwrap().unwrap(), framed(&request));
    // The caller has not ended it, and does not need to.
    assert!(gate.is_end_stream());
    assert!(next(&mut gate).await.is_none());
    assert!(next(&mut gate).await.is_none());
}

//! Many of one thing: connections and watches of one address, messages of one question, parts of
//! one message.

use super::{
    Stranger, alone, assert_undisturbed, floods::SETTINGS, framed, grpc_status, honest, metric,
    resident_mib,
};
use crate::{AT_ONCE, Fixture};
use anyhow::Context;
use assay_claims::entry::wire::{Claim, ClaimSignature};
use assay_proto::v1::{
    BatchLookupRequest, GetInclusionProofRequest, PublishItem, PublishRequest,
    PublishStreamRequest, Wait, WatchRequest, WatchedName, get_inclusion_proof_request,
};
use assay_tests::{
    issuer::artifact,
    process::{poll, poll_async},
    siege::beginnings::PREFACE,
};
use futures::{StreamExt, channel::mpsc, stream};
use std::{
    io::{self, Read, Write},
    net::Ipv4Addr,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Handle,
    task::block_in_place,
};
use tonic::Code;

/// Opens a connection from 127.0.0.`address` and asks for the checkpoint. Returns the connection,
/// if it was answered.
async fn connect(fixture: &Fixture, address: u8) -> anyhow::Result<Option<std::net::TcpStream>> {
    let (node, from) = (super::address(fixture)?, Ipv4Addr::new(127, 0, 0, address));
    let mut stream = super::connect(node, from).await?.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let asked = stream.write_all(b"GET /checkpoint HTTP/1.1\r\nhost: log\r\n\r\n");
    let mut answer = [0; 15];
    let answered = asked.is_ok() && stream.read_exact(&mut answer).is_ok();
    Ok((answered && answer == *b"HTTP/1.1 200 OK").then_some(stream))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_a_sixteenth_of_all_connections() -> anyhow::Result<()> {
    let fixture = Fixture::start(&format!("{AT_ONCE}\nserver.connections = 64")).await?;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.extend(connect(&fixture, 2).await?);
    }
    assert_eq!(open.len(), 4);
    let refused = metric(
        &fixture,
        "assay_refused_total{limit=\"address_connections\"}",
    )
    .await?;
    assert_eq!(refused, 6.0);
    assert!(connect(&fixture, 3).await?.is_some());
    // Those behind a shared address are many.
    for _ in 0..10 {
        open.extend(connect(&fixture, 1).await?);
    }
    assert_eq!(open.len(), 14);
    // A connection that ends makes room for another one.
    open.clear();
    block_in_place(|| poll(|| Handle::current().block_on(connect(&fixture, 2))))?;
    Ok(())
}

/// Opens an HTTP/2 connection from 127.0.0.`address`. Returns it, and how many streams its first
/// SETTINGS say that it may have (RFC 9113, section 6.5.2).
async fn told_streams(fixture: &Fixture, address: u8) -> anyhow::Result<(TcpStream, u32)> {
    const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
    let (node, from) = (super::address(fixture)?, Ipv4Addr::new(127, 0, 0, address));
    let mut stream = super::connect(node, from).await?;
    stream.write_all(&[PREFACE, SETTINGS].concat()).await?;
    let mut head = [0; 9];
    stream.read_exact(&mut head).await?;
    assert_eq!(head[3], SETTINGS[3]);
    let mut all = vec![0; usize::from(u16::from_be_bytes([head[1], head[2]]))];
    stream.read_exact(&mut all).await?;
    let (all, _) = all.as_chunks::<6>();
    let mut all = all.iter().map(|[a, b, number @ ..]| ([*a, *b], number));
    let streams = all.find(|(what, _)| *what == MAX_CONCURRENT_STREAMS);
    let (_, number) = streams.context("no word on streams")?;
    Ok((stream, u32::from_be_bytes(*number)))
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_an_address_with_many_have_few_streams() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    for (address, streams) in [(2, [100, 8]), (1, [100, 100])] {
        let (mut open, mut told) = (Vec::new(), Vec::new());
        for _ in 0..12 {
            let (connection, streams) = told_streams(&fixture, address).await?;
            open.push(connection);
            told.push(streams);
        }
        let expected = [vec![streams[0]; 8], vec![streams[1]; 4]].concat();
        assert_eq!(told, expected, "127.0.0.{address}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_has_no_messages_without_names() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let stranger = Stranger::new(&fixture.node, 2, 1 << 16)?;
    let empty = framed(&BatchLookupRequest::default());
    // More may follow: the first one is refused.
    let messages = stream::iter([Ok::<_, std::io::Error>(empty)]).chain(stream::pending());
    let batch = stranger.grpc("IndexService/BatchLookup");
    let body = reqwest::Body::wrap_stream(messages);
    let answer = batch.body(body).send().await?;
    assert_eq!(grpc_status(&answer), Some(Code::InvalidArgument as i32));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_few_header_fields() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let stranger = Stranger::new(&fixture.node, 2, 1 << 16)?;
    for (fields, status) in [(80, 200), (101, 431)] {
        let mut call = stranger.post("/api/v1/lookup");
        let mut get = stranger.grpc("LogService/GetCheckpoint").body(framed(&()));
        for _ in 0..fields {
            call = call.header("x-y", "z");
            get = get.header("x-y", "z");
        }
        assert_eq!(call.send().await?.status() == 431, status == 431);
        assert_eq!(get.send().await?.status(), status);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_calls_open_at_once() -> anyhow::Result<()> {
    const MOST: usize = 128;
    let fixture = Fixture::start(AT_ONCE).await?;
    let two = [(); 2].map(|()| Stranger::new(&fixture.node, 2, 1 << 16));
    let (mut open, mut refused) = (Vec::new(), 0);
    for stranger in &two {
        let stranger = stranger
            .as_ref()
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        for _ in 0..80 {
            // A stream is answered before its first message came.
            let (call, answer) = begun(stranger).await?;
            match grpc_status(&answer) {
                None => open.push((call, answer)),
                status => {
                    assert_eq!(status, Some(Code::ResourceExhausted as i32));
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((open.len(), refused), (MOST, 160 - MOST));
    let limited = metric(&fixture, "assay_refused_total{limit=\"calls\"}").await?;
    assert_eq!(limited as usize, refused);
    let other = Stranger::new(&fixture.node, 3, 1 << 16)?;
    assert_eq!(grpc_status(&begun(&other).await?.1), None);
    drop(open);
    let again = Stranger::new(&fixture.node, 2, 1 << 16)?;
    poll_async(async || {
        let (_call, answer) = begun(&again).await?;
        Ok(grpc_status(&answer).is_none().then_some(()))
    })
    .await
}

/// A stream of claims that is silent until what is returned with its answer is dropped.
async fn begun(
    stranger: &Stranger,
) -> reqwest::Result<(
    mpsc::UnboundedSender<io::Result<Vec<u8>>>,
    reqwest::Response,
)> {
    let (claims, body) = mpsc::unbounded();
    let call = stranger.grpc("LogService/PublishStream");
    let answer = call.body(reqwest::Body::wrap_stream(body)).send().await?;
    Ok((claims, answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_do_not_end_keep_out_no_other_question() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let names = |from: u64| {
        framed(&BatchLookupRequest {
            names: (from..from + 20_000).map(half).collect(),
            by: vec![vec![7; 16].into()],
        })
    };
    // As much as all questions may take, from more networks than share it.
    let strangers: Vec<_> = (2..12)
        .map(|last| Stranger::new(&fixture.node, last, 1 << 16))
        .collect::<Result<_, _>>()?;
    let asked = strangers.iter().cycle().take(40).map(async |stranger| {
        loop {
            let batch = stranger.grpc("IndexService/BatchLookup");
            batch.body(open_end(names(0))).send().await?;
        }
    });
    let asked = futures::future::join_all(asked);
    let one = Stranger::new(&fixture.node, 20, 1 << 16)?;
    let honest = async {
        // Until it is as full as it gets.
        poll_async(async || {
            let held = metric(&fixture, "assay_held_bytes").await?;
            Ok((held >= 9.0 * f64::from(1 << 20)).then_some(()))
        })
        .await?;
        let two = [names(0), names(20_000)].concat();
        let batch = one.grpc("IndexService/BatchLookup").body(two).send();
        let answer = tokio::time::timeout(Duration::from_secs(10), batch).await??;
        anyhow::Ok(grpc_status(&answer))
    };
    tokio::select! {
        answered = honest => assert_eq!(answered?, None),
        ended = asked => {
            let ended: reqwest::Result<Vec<()>> = ended.into_iter().collect();
            anyhow::bail!("no stranger asks any more: {ended:?}");
        }
    }
    Ok(())
}

/// Half a label with a number.
fn half(number: u64) -> bytes::Bytes {
    [number.to_be_bytes(), number.to_le_bytes()].concat().into()
}

/// A message of half a megabyte that is a hundred times as large in memory.
fn of_empty_parts() -> Claim {
    Claim {
        signatures: vec![ClaimSignature::default(); 250_000],
        ..Claim::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_empty_parts_is_refused_and_takes_no_memory() -> anyhow::Result<()> {
    const MOST_MIB: f64 = 64.0;
    let fixture = Fixture::start(AT_ONCE).await?;
    let stranger = Stranger::new(&fixture.node, 2, 1 << 16)?;
    let before = resident_mib(fixture.node.pid()?)?;
    let item = PublishItem {
        id: 1,
        claim: Some(of_empty_parts()),
    };
    let stream = PublishStreamRequest {
        wait: 0,
        items: vec![item],
    };
    let one = PublishRequest {
        claim: Some(of_empty_parts()),
        wait: 0,
    };
    let refused = stranger.call("LogService/Publish", one).await?;
    assert_eq!(grpc_status(&refused), Some(Code::ResourceExhausted as i32));
    drop(refused);
    let streams = (0..20).map(|_| stranger.call("LogService/PublishStream", stream.clone()));
    let streams = futures::future::join_all(streams);
    let (seen, answers) = honest(&fixture, 0.., streams).await?;
    for answer in answers {
        // A stream is answered before its first message came.
        let answer = answer?;
        if let Some(status) = grpc_status(&answer) {
            assert_eq!(status, Code::ResourceExhausted as i32);
        }
        drop(answer.bytes().await?);
    }
    let most = seen.most_mib.max(resident_mib(fixture.node.pid()?)?);
    assert!(
        most < before + MOST_MIB,
        "{before:.0} MiB became {most:.0} MiB"
    );
    Ok(())
}

/// Messages, after which the caller does not say whether more will come.
fn open_end(bytes: Vec<u8>) -> reqwest::Body {
    let messages = stream::iter([Ok::<_, std::io::Error>(bytes)]).chain(stream::pending());
    reqwest::Body::wrap_stream(messages)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_one_message_is_answered_although_its_caller_does_not_end_it()
-> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let leaf = fixture.publish(1..2, Wait::Integrated).await?[0].leaf_index;
    let stranger = Stranger::new(&fixture.node, 2, 1 << 16)?;
    let publish = framed(&PublishRequest {
        claim: Some(fixture.issuer.claim(1)),
        wait: 0,
    });
    let proof = framed(&GetInclusionProofRequest {
        leaf: Some(get_inclusion_proof_request::Leaf::LeafIndex(leaf)),
        tree_size: 0,
    });
    let watch = framed(&WatchRequest {
        names: vec![WatchedName {
            name: name(1),
            known: 0,
        }],
    });
    for (method, message) in [
        ("LogService/Publish", publish),
        ("LogService/GetInclusionProof", proof),
        ("LogService/Watch", watch),
    ] {
        let call = stranger.grpc(method).body(open_end(message)).send();
        // Without the answer, a call ends with an error after 15 s.
        let answer = call.await?;
        assert_eq!(grpc_status(&answer).unwrap_or_default(), 0, "{method}");
        let mut pieces = answer.bytes_stream();
        assert!(pieces.next().await.is_some(), "{method}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_are_few_and_disturb_nobody() -> anyhow::Result<()> {
    let edits = "log.publish_interval_ms = 50\nadmission.issuer_claims_per_second = 0";
    let fixture = Fixture::start(edits).await?;
    fixture.log.publish_many(&fixture.issuer, 1..1001).await?;
    fixture.publish(1001..1002, Wait::Integrated).await?;
    let idle = alone(&fixture, 1_000_000..1_000_150).await?;
    let names = (1..1001).map(|number| WatchedName {
        name: name(number),
        known: 1 << 40,
    });
    let request = WatchRequest {
        names: names.collect(),
    };
    let (mut open, mut refused) = (Vec::new(), 0);
    let mut callers = Vec::new();
    for _ in 0..5 {
        let stranger = Stranger::new(&fixture.node, 2, 1 << 16)?;
        for _ in 0..17 {
            let answer = stranger.call("LogService/Watch", request.clone()).await?;
            match grpc_status(&answer) {
                None => open.push(answer),
                Some(status) => {
                    assert_eq!(status, Code::ResourceExhausted as i32);
                    refused += 1;
                }
            }
        }
        callers.push(stranger);
    }
    // Sixteen on a connection, and 64 from an address.
    assert_eq!((open.len(), refused), (64, 4 + 17));
    let while_watched = tokio::time::sleep(Duration::from_secs(5));
    let (busy, ()) = honest(&fixture, 2_000_000.., while_watched).await?;
    assert_undisturbed(&idle, &busy, "watches");
    drop((open, callers));
    Ok(())
}

/// The name of the artifact that the claim with this number is about.
fn name(number: u64) -> bytes::Bytes {
    artifact(number).as_bytes().to_vec().into()
}

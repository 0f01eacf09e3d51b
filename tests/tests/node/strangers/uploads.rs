//! Attachments beyond what a claim, an issuer, an address and the disk bear.

use super::{Stranger, alone, assert_undisturbed, grpc_status, honest, metric};
use crate::{AT_ONCE, Fixture, assert_refused, bad_input::attachments};
use assay_proto::v1::{
    BatchLookupRequest, PutHeader, PutResponse, Wait,
    attachment_service_client::AttachmentServiceClient,
};
use assay_tests::issuer::Actor;
use assay_tlog::Hash;
use futures::StreamExt;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

/// A client from an address with this last byte.
async fn client(
    fixture: &Fixture,
    address: u8,
) -> anyhow::Result<AttachmentServiceClient<Channel>> {
    let from = IpAddr::from(Ipv4Addr::new(127, 0, 0, address));
    let endpoint = Endpoint::from_shared(fixture.node.ready().url.clone())?;
    let channel = endpoint.local_address(Some(from)).connect().await?;
    Ok(AttachmentServiceClient::new(channel))
}

/// The document with a number: some bytes, of this size.
fn document(number: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![7; size];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

async fn put(
    client: &mut AttachmentServiceClient<Channel>,
    bytes: &[u8],
) -> Result<PutResponse, Status> {
    let header = PutHeader {
        sha256: Hash::of(bytes).as_bytes().to_vec().into(),
        size: bytes.len() as u64,
    };
    let chunks: Vec<_> = bytes.chunks(256 << 10).collect();
    attachments::put(client, Some(header), &chunks).await
}

/// Publishes a claim of an issuer that names documents.
async fn name(fixture: &Fixture, issuer: &Actor, documents: &[Vec<u8>]) -> anyhow::Result<()> {
    let digests: Vec<_> = documents.iter().map(|bytes| Hash::of(bytes)).collect();
    let claim = attachments::naming_all(issuer, &digests);
    fixture.log.publish(claim, Wait::Sequenced).await?;
    Ok(())
}

/// How many documents are taken until one is refused, and why that one was.
async fn fill(
    client: &mut AttachmentServiceClient<Channel>,
    documents: &[Vec<u8>],
) -> (usize, Option<Status>) {
    for (taken, bytes) in documents.iter().enumerate() {
        if let Err(status) = put(client, bytes).await {
            return (taken, Some(status));
        }
    }
    (documents.len(), None)
}

fn documents(numbers: std::ops::Range<u64>, size: usize) -> Vec<Vec<u8>> {
    numbers.map(|number| document(number, size)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_have_quotas_by_claim_issuer_and_address() -> anyhow::Result<()> {
    const MIB: usize = 1 << 20;
    let edits = "attachments.claim_mib = 2\nattachments.issuer_mib = 5\nattachments.total_mib = 9\n\
                 attachments.address_mib_per_hour = 7";
    let mut fixture = Fixture::start(&format!("{AT_ONCE}\n{edits}")).await?;
    let other = Actor::new(&[2], 1);
    fixture
        .log
        .publish(other.registration()?, Wait::Sequenced)
        .await?;
    let mut honest = client(&fixture, 1).await?;
    let mut limited = client(&fixture, 2).await?;
    let refused = |(taken, status): (usize, Option<Status>), expected: usize, words: &str| {
        assert_eq!(taken, expected, "{status:?}");
        let status = status.expect("one too many was taken");
        assert_refused(Err::<(), _>(status), Code::ResourceExhausted, &[words]);
    };
    // A claim, three times; then the issuer.
    for (numbers, taken, words) in [
        (0..3, 2, "a claim may have 2 MiB"),
        (3..6, 2, "a claim"),
        (6..9, 1, "issuer"),
    ] {
        let some = documents(numbers, MIB);
        name(&fixture, &fixture.issuer, &some).await?;
        refused(fill(&mut honest, &some).await, taken, words);
    }
    // Small ones count as the blocks that they take.
    let small = documents(10..13, 8);
    name(&fixture, &fixture.issuer, &small).await?;
    refused(fill(&mut honest, &small).await, 0, "issuer");
    // Another issuer that names a document pays for it. Then there is no more in all.
    let some = documents(8..9, MIB);
    name(&fixture, &other, &some).await?;
    assert_eq!(fill(&mut limited, &some).await.0, 1);
    for (numbers, taken) in [(20..22, 2), (22..24, 1)] {
        let some = documents(numbers, MIB);
        name(&fixture, &other, &some).await?;
        let (taken_now, _) = fill(&mut limited, &some).await;
        assert_eq!(taken_now, taken);
    }
    assert_eq!(
        metric(&fixture, "assay_attachment_bytes").await?,
        9.0 * MIB as f64
    );
    // What is stored is counted again after a restart, and what is there is free.
    fixture.node.stop()?;
    fixture.run().await?;
    let mut honest = client(&fixture, 1).await?;
    let late = documents(30..31, MIB);
    name(&fixture, &other, &late).await?;
    refused(
        fill(&mut honest, &late).await,
        0,
        "this node may have 9 MiB",
    );
    let there = put(&mut honest, &document(0, MIB)).await?;
    assert!(there.already_stored);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_uploads_its_share_of_an_hour() -> anyhow::Result<()> {
    let edits = format!("{AT_ONCE}\nattachments.address_mib_per_hour = 2");
    let fixture = Fixture::start(&edits).await?;
    let some = documents(0..4, 1 << 20);
    name(&fixture, &fixture.issuer, &some).await?;
    let (taken, status) = fill(&mut client(&fixture, 2).await?, &some).await;
    assert_eq!(taken, 2);
    let words = ["your network address", "try again in"];
    assert_refused(
        Err::<(), _>(status.unwrap()),
        Code::ResourceExhausted,
        &words,
    );
    let (taken, _) = fill(&mut client(&fixture, 3).await?, &some[2..]).await;
    assert_eq!(taken, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_keeps_a_reserve_for_the_log() -> anyhow::Result<()> {
    // No disk has so much left.
    let edits = format!("{AT_ONCE}\nattachments.reserve_mib = 1000000000");
    let fixture = Fixture::start(&edits).await?;
    let some = documents(0..1, 8);
    name(&fixture, &fixture.issuer, &some).await?;
    let refused = put(&mut client(&fixture, 1).await?, &some[0]).await;
    assert_refused(refused, Code::ResourceExhausted, &["kept for the log"]);
    let incoming = fixture.node.folder().join("data/blobs/incoming");
    assert_eq!(
        std::fs::read_dir(incoming)?.count(),
        0,
        "something was written"
    );
    fixture.publish(1..3, Wait::Integrated).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_states_a_size_names_no_other() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let bytes = document(0, 100);
    let claim = attachments::stating(&fixture.issuer, &Hash::of(&bytes), 99);
    fixture.log.publish(claim, Wait::Sequenced).await?;
    let refused = put(&mut client(&fixture, 1).await?, &bytes).await;
    assert_refused(refused, Code::InvalidArgument, &["99 bytes", "100"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_can_have_a_folder_of_their_own() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let folder = fixture.node.folder().join("elsewhere");
    fixture.node.stop()?;
    let config = fixture.node.folder().join("node.toml");
    let text = std::fs::read_to_string(&config)?;
    let commented = "# path = \"/srv/attachments\"";
    assert!(text.contains(commented));
    std::fs::write(&config, text.replace(commented, "path = \"elsewhere\""))?;
    let (status, said) = fixture.node.run_refused()?;
    assert_eq!(status.code(), Some(3));
    assert!(said.contains("elsewhere"), "{said}");
    std::fs::create_dir(&folder)?;
    fixture.run().await?;
    let some = documents(0..1, 100);
    name(&fixture, &fixture.issuer, &some).await?;
    assert!(
        !put(&mut client(&fixture, 1).await?, &some[0])
            .await?
            .already_stored
    );
    let hex = Hash::of(&some[0]).to_hex();
    assert!(folder.join(&hex[..2]).join(&hex[2..]).exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_never_end_hold_up_nobody() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let idle = alone(&fixture, 1_000_000..1_000_150).await?;
    let bytes = document(0, 100);
    name(&fixture, &fixture.issuer, std::slice::from_ref(&bytes)).await?;
    let mut calls = tokio::task::JoinSet::new();
    let mut open = Vec::new();
    for _ in 0..4 {
        let stranger = Arc::new(Stranger::new(&fixture.node, 2, 1 << 16)?);
        for _ in 0..100 {
            let (sender, body) = futures::channel::mpsc::unbounded();
            open.push(sender);
            let (stranger, digest) = (stranger.clone(), Hash::of(&bytes));
            calls.spawn(async move { stranger.upload(&digest, 100, body).await });
        }
    }
    // At most so many attachments of one network are open; all others are refused at once.
    let refused = async {
        for _ in 0..open.len() - 32 {
            let answer = calls.join_next().await.unwrap()??;
            assert_eq!(grpc_status(&answer), Some(Code::ResourceExhausted as i32));
        }
        anyhow::Ok(())
    };
    let (busy, refused) = honest(&fixture, 2_000_000.., refused).await?;
    refused?;
    assert_undisturbed(&idle, &busy, "unfinished uploads");
    let mut honest = client(&fixture, 1).await?;
    assert!(!put(&mut honest, &bytes).await?.already_stored);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_not_complete_takes_nothing_of_an_issuers_quota() -> anyhow::Result<()> {
    const MIB: usize = 1 << 20;
    let edits = format!("{AT_ONCE}\nattachments.issuer_mib = 3\nattachments.claim_mib = 3");
    let fixture = Fixture::start(&edits).await?;
    let some = documents(0..3, MIB);
    name(&fixture, &fixture.issuer, &some).await?;
    // A stranger uploads the same again and again, slowly, and calls it as large as it may be:
    // three are what a connection has room for.
    let stranger = Arc::new(Stranger::new(&fixture.node, 2, 1 << 16)?);
    let (mut calls, mut open) = (tokio::task::JoinSet::new(), Vec::new());
    for number in 0..3 {
        let (sender, body) = futures::channel::mpsc::unbounded();
        open.push(sender);
        let (stranger, digest) = (stranger.clone(), Hash::of(&some[number % 2]));
        calls.spawn(async move { stranger.upload(&digest, 3 << 20, body).await });
    }
    // The node has them all before the issuer comes.
    let answered = tokio::time::timeout(std::time::Duration::from_secs(1), calls.join_next());
    assert!(answered.await.is_err(), "an upload was answered");
    let mut honest = client(&fixture, 1).await?;
    let (taken, refused) = fill(&mut honest, &some).await;
    assert_eq!(taken, 3, "{refused:?}");
    // What came is not what the digest names, and has cost nothing.
    drop(open);
    while let Some(answer) = calls.join_next().await {
        assert_eq!(grpc_status(&answer??), Some(Code::InvalidArgument as i32));
    }
    let used = metric(&fixture, "assay_attachment_bytes").await?;
    assert_eq!(used, 3.0 * MIB as f64);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_never_end_keep_out_no_question() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let some = documents(0..1, 3 << 20);
    name(&fixture, &fixture.issuer, &some).await?;
    let mut calls = tokio::task::JoinSet::new();
    let mut open = Vec::new();
    // More than there is room for, from as many networks as share it.
    for last in 2..8 {
        let strangers = (0..5).map(|_| Stranger::new(&fixture.node, last, 1 << 16).map(Arc::new));
        let strangers: Vec<_> = strangers.collect::<Result<_, _>>()?;
        for turn in 0..40 {
            let stranger = strangers[turn % strangers.len()].clone();
            let (sender, body) = futures::channel::mpsc::unbounded();
            open.push(sender);
            let digest = Hash::of(&some[0]);
            calls.spawn(async move {
                let answer = if turn % 2 == 0 {
                    stranger.upload(&digest, 3 << 20, body).await?
                } else {
                    let body = body.map(Ok::<Vec<u8>, std::io::Error>);
                    let put = stranger.grpc("AttachmentService/Put");
                    put.body(reqwest::Body::wrap_stream(body)).send().await?
                };
                anyhow::Ok(grpc_status(&answer))
            });
        }
    }
    let one = Stranger::new(&fixture.node, 20, 1 << 16)?;
    let question = BatchLookupRequest {
        names: vec![vec![7; 16].into()],
        by: vec![vec![7; 16].into()],
    };
    // Those who say nothing are told so after 5 s. Until then there are questions.
    for _ in 0..6 * 20 {
        let asked = one.call("IndexService/BatchLookup", question.clone());
        let answer = tokio::time::timeout(Duration::from_secs(2), asked).await??;
        assert_eq!(grpc_status(&answer), None);
        let silent = calls.join_next().await.unwrap()??;
        assert_eq!(silent, Some(Code::DeadlineExceeded as i32));
    }
    Ok(())
}

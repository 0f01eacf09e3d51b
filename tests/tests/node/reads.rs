//! Reading: tiles over HTTP, streams of entries, and what a node says of itself.

use crate::{AT_ONCE, Fixture, assert_refused};
use assay_claims::entry::EntryError;
use assay_claims::index::Commitment;
use assay_proto::v1::{
    GetConsistencyProofRequest, GetEntryAndProofRequest, GetInclusionProofRequest,
    GetIssuerRequest, StreamEntriesRequest, get_entry_and_proof_request as by_entry,
    get_inclusion_proof_request as by_leaf, log_service_client::LogServiceClient,
};
use assay_tests::{
    log::{Leaf, Log},
    process::Node,
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{LeafIndex, bundle};
use tonic::{
    Code,
    codegen::tokio_stream,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[tokio::test(flavor = "multi_thread")]
async fn streamed_entries_are_those_of_the_published_bundles() -> anyhow::Result<()> {
    let fixture = Fixture::of_size(300).await?;
    let log = &fixture.log;
    let size = log.size().await?;
    assert_eq!(size, 300);
    let mut bundled = Vec::new();
    for path in ["/tile/entries/000", "/tile/entries/001.p/44"] {
        let bytes = log.get(path).await?.error_for_status()?.bytes().await?;
        for entry in bundle::entries(&bytes) {
            bundled.push(entry?.to_vec());
        }
    }
    assert_eq!(bundled.len(), 300);
    for (start, end) in [
        (0, 0),
        (0, 300),
        (0, 1),
        (255, 257),
        (256, 300),
        (299, 300),
        (17, 17),
        (300, 0),
    ] {
        let streamed = log.entries(start, end).await?;
        let end = if end == 0 { size } else { end };
        assert!(
            streamed.iter().eq(&bundled[start as usize..end as usize]),
            "{start}..{end}"
        );
    }
    let tile = log.get("/tile/0/000").await?.bytes().await?;
    let hashes: Vec<u8> = bundled[..256]
        .iter()
        .flat_map(|entry| *leaf_hash(entry).as_bytes())
        .collect();
    assert_eq!(tile, hashes);
    Ok(())
}

/// Paths that name nothing in a log of 260 leaves.
const NO_SUCH_TILE: [&str; 27] = [
    "/tile/0/001",
    "/tile/0/001.p/5",
    "/tile/entries/001",
    "/tile/entries/001.p/5",
    "/tile/1/000",
    "/tile/1/000.p/2",
    "/tile/2/000.p/1",
    "/tile/0/002.p/1",
    "/tile/0/000.p/0",
    "/tile/0/000.p/256",
    "/tile/0/000.p/01",
    "/tile/0/0",
    "/tile/0/1",
    "/tile/00/000",
    "/tile/0/x000/000",
    "/tile/64/000",
    "/tile/255/000.p/1",
    "/tile/-1/000",
    "/tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    "/tile/0/000.p/1/",
    "/tile/0",
    "/tile/",
    "/tile/data/000",
    "/tile/entries/%30%30%30%2f",
    "/checkpoint/",
    "/Checkpoint",
    "/..%2f..%2fetc%2fpasswd",
];

#[tokio::test(flavor = "multi_thread")]
async fn tiles_are_served_as_far_as_the_checkpoint_goes_and_nothing_else() -> anyhow::Result<()> {
    let fixture = Fixture::of_size(260).await?;
    let log = &fixture.log;
    let answer = log.get("/checkpoint").await?;
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(answer.headers()["cache-control"], "no-cache");
    let checkpoint = VerifiedCheckpoint::verify(&answer.text().await?, &log.key)?;
    assert_eq!(checkpoint.size().get(), 260);

    let full = log.get("/tile/0/000").await?;
    assert_eq!(full.headers()["content-type"], "application/octet-stream");
    assert!(
        full.headers()["cache-control"]
            .to_str()?
            .contains("immutable")
    );
    let full = full.bytes().await?;
    let bundle = log.get("/tile/entries/000").await?.bytes().await?;
    assert_eq!(full.len(), 256 * 32);
    // Partial tiles of every width that was ever published stay there, full ones included.
    for width in [1, 2, 100, 255] {
        let part = log
            .get(&format!("/tile/0/000.p/{width}"))
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        assert_eq!(part, full[..width * 32]);
        let part = log
            .get(&format!("/tile/entries/000.p/{width}"))
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        assert!(bundle.starts_with(&part) && bundle::entries(&part).count() == width);
    }
    for path in [
        "/tile/0/001.p/4",
        "/tile/1/000.p/1",
        "/tile/entries/001.p/4",
        "/tile/0/001.p/1",
    ] {
        assert_eq!(log.get(path).await?.status(), 200, "{path}");
    }
    for path in NO_SUCH_TILE {
        let answer = log.get(path).await?;
        assert_eq!(answer.status(), 404, "{path}");
        // A cache that kept it would hide the tile once it is there.
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_that_are_not_there_are_refused_by_kind() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    fixture.publish_each(1..2).await?;
    assert_eq!(fixture.log.size().await?, 5);
    let mut service = fixture.log.service.clone();
    let index = |index| Some(by_leaf::Leaf::LeafIndex(index));
    let hash = |length: usize| Some(by_leaf::Leaf::LeafHash(vec![7; length].into()));
    let claim = |length: usize| Some(by_leaf::Leaf::ClaimId(vec![7; length].into()));
    for (leaf, tree_size, code) in [
        (None, 0, Code::InvalidArgument),
        (hash(31), 0, Code::InvalidArgument),
        (claim(33), 0, Code::InvalidArgument),
        (hash(32), 0, Code::NotFound),
        (claim(32), 0, Code::NotFound),
        (index(5), 0, Code::OutOfRange),
        (index(0), 6, Code::OutOfRange),
        (index(0), u64::MAX, Code::OutOfRange),
        (index(u64::MAX), 0, Code::OutOfRange),
        (index(3), 3, Code::OutOfRange),
    ] {
        let request = GetInclusionProofRequest {
            leaf: leaf.clone(),
            tree_size,
        };
        assert_refused(service.get_inclusion_proof(request).await, code, &[]);
        let leaf = leaf.map(|leaf| match leaf {
            by_leaf::Leaf::LeafIndex(index) => by_entry::Leaf::LeafIndex(index),
            by_leaf::Leaf::ClaimId(id) => by_entry::Leaf::ClaimId(id),
            by_leaf::Leaf::LeafHash(hash) => by_entry::Leaf::LeafHash(hash),
        });
        let request = GetEntryAndProofRequest { leaf, tree_size };
        assert_refused(service.get_entry_and_proof(request).await, code, &[]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_have_no_answer_are_refused_by_kind() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    fixture.publish_each(1..2).await?;
    assert_eq!(fixture.log.size().await?, 5);
    let mut service = fixture.log.service.clone();
    let consistency = |old_size, new_size| GetConsistencyProofRequest { old_size, new_size };
    for (old, new, code) in [(6, 0, None), (4, 3, None), (1, 6, Some(Code::OutOfRange))] {
        let status = service
            .get_consistency_proof(consistency(old, new))
            .await
            .unwrap_err();
        let expected = code.map_or(vec![Code::OutOfRange, Code::InvalidArgument], |code| {
            vec![code]
        });
        assert!(
            expected.contains(&status.code()),
            "{old} to {new}: {status:?}"
        );
    }
    for (start, end) in [(6, 0), (0, 6), (4, 3)] {
        let request = StreamEntriesRequest { start, end };
        assert_refused(
            service.stream_entries(request).await.map(drop),
            Code::OutOfRange,
            &[],
        );
    }
    let issuer = |length: usize| GetIssuerRequest {
        issuer_id: vec![7; length].into(),
    };
    assert_refused(
        service.get_issuer(issuer(31)).await,
        Code::InvalidArgument,
        &["31 bytes"],
    );
    assert_refused(
        service.get_issuer(issuer(32)).await,
        Code::NotFound,
        &["not registered"],
    );
    Ok(())
}

/// The server lists its services and describes them.
async fn assert_reflects(channel: Channel) -> anyhow::Result<()> {
    let mut reflection = ServerReflectionClient::new(channel);
    let ask = |what: MessageRequest| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(what),
    };
    let questions = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "assay.v1.LogService".into(),
        )),
    ];
    let mut answers = reflection
        .server_reflection_info(tokio_stream::iter(questions))
        .await?
        .into_inner();
    let mut seen = 0;
    while let Some(answer) = answers.message().await? {
        seen += 1;
        match answer.message_response {
            Some(MessageResponse::ListServicesResponse(list)) => {
                let names: Vec<_> = list
                    .service
                    .iter()
                    .map(|service| service.name.as_str())
                    .collect();
                for name in [
                    "assay.v1.LogService",
                    "assay.v1.IndexService",
                    "assay.v1.AttachmentService",
                    "grpc.health.v1.Health",
                ] {
                    assert!(names.contains(&name), "{names:?}");
                }
            }
            Some(MessageResponse::FileDescriptorResponse(files)) => {
                assert!(
                    files
                        .file_descriptor_proto
                        .iter()
                        .any(|file| { String::from_utf8_lossy(file).contains("PublishStream") })
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_what_it_is() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    fixture.publish_each(1..8).await?;
    let channel = Endpoint::from_shared(fixture.node.ready().url.clone())?
        .connect()
        .await?;

    let mut health = HealthClient::new(channel.clone());
    let answer = health
        .check(HealthCheckRequest {
            service: String::new(),
        })
        .await?
        .into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);

    assert_reflects(channel).await?;

    let log = &fixture.log;
    assert_eq!(log.admin("/healthz").await?, (200, "ok\n".into()));
    assert_eq!(log.admin("/readyz").await?, (200, "ready\n".into()));
    let (status, metrics) = log.admin("/metrics").await?;
    assert_eq!(status, 200);
    // Leaf 0 was there before the node ran; a claim and a commitment followed eight times.
    let labels = format!(
        "assay_index_labels {}",
        log.rederive().await?.index.lists().len()
    );
    for line in [
        "assay_tree_size 17",
        "assay_published_size 17",
        "assay_entries_total 16",
        &labels,
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line} is not in {metrics}"
        );
    }
    // The public port does not serve what is the operator's.
    for path in ["/metrics", "/readyz"] {
        assert_eq!(log.get(path).await?.status(), 404, "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_log_holds_the_commitment_to_the_empty_index_and_nothing_else() -> anyhow::Result<()>
{
    let node = Node::start()?;
    let log = Log::connect(node.ready()).await?;
    let checkpoint = log.checkpoint().await?;
    let first = log.entry(Leaf::Index(0)).await?.entry;
    assert_eq!(
        (checkpoint.size().get(), checkpoint.root()),
        (1, first.leaf_hash())
    );
    assert_eq!(
        Commitment::of_entry(&first, LeafIndex::new(0))?,
        Commitment::empty()
    );
    assert_eq!(first.claim().unwrap_err(), EntryError::NoClaim);
    assert_eq!(log.entries(0, 0).await?, [first.bytes().clone()]);
    let whole = log.rederive().await?;
    assert_eq!(
        (whole.leaves, whole.index.commitments()),
        (vec![first.leaf_hash()], &[0][..])
    );
    assert_eq!(log.get("/tile/0/000.p/1").await?.status(), 200);
    assert_eq!(log.get("/tile/0/000.p/2").await?.status(), 404);
    assert_eq!(log.get("/tile/entries/000.p/2").await?.status(), 404);
    let mut service = LogServiceClient::connect(node.ready().url.clone()).await?;
    let request = GetInclusionProofRequest {
        leaf: Some(by_leaf::Leaf::LeafIndex(1)),
        tree_size: 0,
    };
    assert_refused(
        service.get_inclusion_proof(request).await,
        Code::OutOfRange,
        &[],
    );
    Ok(())
}

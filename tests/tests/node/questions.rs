//! Questions over their limits, and those that ask for nothing.

use crate::{AT_ONCE, Fixture, assert_refused};
use assay_proto::v1::{
    BatchLookupRequest, ListMisbehaviorRequest, PublishRequest, Wait, WatchRequest, WatchedName,
    federation_service_client::FederationServiceClient,
};
use bytes::Bytes;
use tonic::{Code, codegen::tokio_stream};

/// One answer comes of all messages, so that the limits are of all of them together.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_so_many_names_and_speakers_and_one_of_each() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let halves = |number: usize| vec![Bytes::from_static(&[7; 16]); number];
    let batch = |names, by| BatchLookupRequest {
        names: halves(names),
        by: halves(by),
    };
    for (messages, words) in [
        (
            vec![batch(40_000, 1), batch(25_537, 0)],
            "at most 65536 names",
        ),
        (vec![batch(1, 4_096), batch(0, 1)], "at most 4096 speakers"),
        (vec![batch(1, 1), batch(0, 0)], "a message of a batch"),
        (vec![batch(1, 0)], "one name and one speaker"),
        (vec![batch(0, 1)], "one name and one speaker"),
        (Vec::new(), "one name and one speaker"),
    ] {
        let mut index = fixture.log.index.clone();
        let asked = index.batch_lookup(tokio_stream::iter(messages)).await;
        assert_refused(asked.map(drop), Code::InvalidArgument, &[words]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_names_are_watched_and_culprits_asked_about() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let mut service = fixture.log.service.clone();
    for names in [0, 1_001] {
        let name = WatchedName {
            name: Bytes::from_static(&[7; 16]),
            known: 0,
        };
        let request = WatchRequest {
            names: vec![name; names],
        };
        let words = format!("{names} names to watch");
        let watched = service.watch(request).await.map(drop);
        assert_refused(watched, Code::InvalidArgument, &[&words]);
    }
    let unwitnessed = PublishRequest {
        claim: Some(fixture.issuer.claim(1)),
        wait: Wait::Witnessed.into(),
    };
    assert_refused(
        service.publish(unwitnessed).await,
        Code::FailedPrecondition,
        &["asks no witnesses"],
    );

    let url = fixture.node.ready().url.clone();
    let mut federation = FederationServiceClient::connect(url).await?;
    for (culprits, is_refused) in [(64, false), (65, true)] {
        let request = ListMisbehaviorRequest {
            culprits: vec!["log a".to_owned(); culprits],
            ..ListMisbehaviorRequest::default()
        };
        let listed = federation.list_misbehavior(request).await.map(drop);
        if is_refused {
            assert_refused(listed, Code::InvalidArgument, &["64 culprits"]);
        } else {
            listed?;
        }
    }
    Ok(())
}

//! Messages and requests over their limits, and garbage.

use crate::{AT_ONCE, Fixture, STARTED, assert_refused, stream_all};
use assay_claims::entry::wire;
use assay_proto::v1::{PublishItem, PublishRequest, PublishStreamRequest, Wait};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_requests_over_their_limits_are_refused() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    let huge = wire::Claim {
        payload: vec![b' '; 1 << 20].into(),
        ..issuer.claim(1)
    };
    let status = log.publish(huge, Wait::Sequenced).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted),
        "{status:?}"
    );
    let nothing = PublishRequest::default();
    assert_refused(
        log.service.clone().publish(nothing).await,
        Code::InvalidArgument,
        &["no claim"],
    );
    let unknown = PublishRequest {
        claim: Some(issuer.claim(1)),
        wait: 9,
    };
    assert_refused(
        log.service.clone().publish(unknown).await,
        Code::InvalidArgument,
        &["no wait 9"],
    );

    let items = |count| {
        let items = (0..count).map(|id| PublishItem { id, claim: None });
        vec![PublishStreamRequest {
            wait: 0,
            items: items.collect(),
        }]
    };
    assert_refused(
        stream_all(log, items(1025)).await,
        Code::InvalidArgument,
        &["1025 items", "at most 1024"],
    );
    assert_eq!(stream_all(log, items(1024)).await?.len(), 1024);
    let unknown = vec![PublishStreamRequest {
        wait: 9,
        items: Vec::new(),
    }];
    assert_refused(
        stream_all(log, unknown).await,
        Code::InvalidArgument,
        &["no wait 9"],
    );
    assert_eq!(log.size().await?, STARTED);

    assert_http_is_limited(&fixture).await?;
    log.publish(issuer.claim(1), Wait::Integrated).await?;
    Ok(())
}

/// Headers beyond 16 KiB, and garbage instead of a message.
async fn assert_http_is_limited(fixture: &Fixture) -> anyhow::Result<()> {
    let long = "x".repeat(20 << 10);
    let http = reqwest::Client::new();
    let url = format!("{}/checkpoint", fixture.node.ready().url);
    let answer = http.get(&url).header("x-long", &long).send().await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status().is_client_error()));
    let method = format!("{}/assay.v1.LogService/Publish", fixture.node.ready().url);
    let garbage = reqwest::Client::builder().http2_prior_knowledge().build()?;
    let answer = garbage
        .post(method)
        .header("content-type", "application/grpc")
        .body(vec![0, 0, 0, 0, 3, 0xff, 0xff, 0xff])
        .send()
        .await?;
    assert_ne!(
        answer
            .headers()
            .get("grpc-status")
            .map(|status| status.as_bytes()),
        Some(&b"0"[..])
    );
    Ok(())
}

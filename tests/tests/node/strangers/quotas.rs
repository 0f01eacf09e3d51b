//! Quotas of publishing, by network address and by bytes.

use super::{alone, assert_undisturbed, honest, metric};
use crate::{AT_ONCE, Fixture, assert_refused};
use assay_claims::claim;
use assay_claims::entry::wire;
use assay_proto::v1::{
    PublishItem, PublishRequest, PublishResponse, PublishStreamRequest, Wait,
    log_service_client::LogServiceClient,
};
use assay_tests::issuer::{Actor, payload, payload_about};
use futures::{TryStreamExt, stream};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt;

async fn client(fixture: &Fixture, address: u8) -> anyhow::Result<LogServiceClient<Channel>> {
    let from = IpAddr::from(Ipv4Addr::new(127, 0, 0, address));
    let endpoint = Endpoint::from_shared(fixture.node.ready().url.clone())?;
    let channel = endpoint.local_address(Some(from)).connect().await?;
    Ok(LogServiceClient::new(channel))
}

/// Publishes claims at once.
async fn publish_all(
    client: &LogServiceClient<Channel>,
    claims: &[wire::Claim],
) -> Vec<Result<PublishResponse, Status>> {
    let calls = claims.iter().map(|claim| {
        let mut client = client.clone();
        let request = PublishRequest {
            claim: Some(claim.clone()),
            wait: Wait::Sequenced.into(),
        };
        async move {
            client
                .publish(request)
                .await
                .map(tonic::Response::into_inner)
        }
    });
    futures::future::join_all(calls).await
}

/// Publishes payloads of an issuer at once. Returns how many were taken, and one refusal.
async fn publish(
    client: &LogServiceClient<Channel>,
    issuer: &Actor,
    payloads: impl Iterator<Item = Vec<u8>>,
) -> (usize, Option<Status>) {
    let claims: Vec<_> = payloads.map(|payload| issuer.sign(&payload)).collect();
    let answers = publish_all(client, &claims).await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    (taken, answers.into_iter().find_map(Result::err))
}

/// A statement of about 30 KiB.
fn large(number: u64) -> Vec<u8> {
    let text = String::from_utf8(payload(number)).unwrap();
    let filler = format!(r#""predicate":{{"x":"{}","#, "x".repeat(30 << 10));
    text.replacen(r#""predicate":{"#, &filler, 1).into_bytes()
}

fn assert_over(refusal: Option<Status>, words: &[&str]) {
    let status = refusal.expect("one too many was taken");
    let retry = status.get_details_retry_info();
    let delay = retry.and_then(|retry| retry.retry_delay);
    assert!(delay >= Some(Duration::from_secs(1)), "{status:?}");
    assert_refused(Err::<(), _>(status), Code::ResourceExhausted, words);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_bytes_have_quotas_by_address_and_issuer() -> anyhow::Result<()> {
    let edits = format!(
        "{AT_ONCE}\nadmission.address_claims_per_second = 2\n\
         admission.issuer_claims_per_second = 4"
    );
    let fixture = Fixture::start(&edits).await?;
    let other = Actor::new(&[2], 1);
    let registration = other.registration()?;
    fixture.log.publish(registration, Wait::Sequenced).await?;
    // Twenty at once are a burst. Time passes, so that a few more may be taken.
    let limited = client(&fixture, 2).await?;
    let (taken, refusal) = publish(&limited, &other, (0..60).map(payload)).await;
    assert!((20..40).contains(&taken), "{taken}");
    let words = ["your network address", "claims a second", "try again in"];
    assert_over(refusal, &words);
    // Whoever may not publish at all uses up the quota of their address, too: nothing is verified
    // beyond it.
    let nobody = Actor::new(&[9], 1);
    let elsewhere = client(&fixture, 3).await?;
    let (taken, refusal) = publish(&elsewhere, &nobody, (100..160).map(payload)).await;
    assert_eq!(taken, 0);
    assert!(refusal.is_some());
    let (taken, refusal) = publish(&elsewhere, &other, (200..230).map(payload)).await;
    assert!(taken < 20, "{taken}");
    assert_over(refusal, &["your network address"]);
    let refused = metric(&fixture, "assay_refused_total{limit=\"address_claims\"}").await?;
    assert!(refused > 20.0, "{refused}");

    // An issuer of four claims a second has sixteen KiB a second, and ten times as many at once.
    let shared = client(&fixture, 1).await?;
    let (taken, refusal) = publish(&shared, &fixture.issuer, (300..330).map(large)).await;
    assert!((5..25).contains(&taken), "{taken}");
    assert_over(refusal, &["issuer", "bytes a second"]);

    // Each name counts, however short the claim is: 128 are 32 KiB beside the 14 of the payload.
    let third = Actor::new(&[3], 1);
    let registration = third.registration()?;
    fixture.log.publish(registration, Wait::Sequenced).await?;
    let about_much = (4..24).map(|number| payload_about(number * 127..(number + 1) * 127));
    let (taken, refusal) = publish(&shared, &third, about_much).await;
    assert!((2..10).contains(&taken), "{taken}");
    assert_over(refusal, &["issuer", "bytes a second"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_over_a_quota_disturbs_nobody() -> anyhow::Result<()> {
    let edits = "log.publish_interval_ms = 100\nadmission.issuer_claims_per_second = 50";
    let fixture = Fixture::start(edits).await?;
    let spammer = Actor::new(&[2], 1);
    let registration = spammer.registration()?;
    fixture.log.publish(registration, Wait::Sequenced).await?;
    let idle = alone(&fixture, 1_000_000..1_000_150).await?;
    // Signed before: what is measured is the node.
    let claims: Vec<_> = (0..4000).map(|number| spammer.claim(number)).collect();
    let client = client(&fixture, 2).await?;
    let spam = async {
        let mut refused = 0;
        for some in claims.chunks(64) {
            let answers = publish_all(&client, some).await;
            refused += answers.iter().filter(|answer| answer.is_err()).count();
        }
        refused
    };
    let (busy, refused) = honest(&fixture, 2_000_000.., spam).await?;
    assert!(refused > 0, "five hundred at once are the most");
    assert_undisturbed(&idle, &busy, "a spammer");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_issuer_uses_up_its_quota() -> anyhow::Result<()> {
    let edits = format!("{AT_ONCE}\nadmission.issuer_claims_per_second = 1");
    let fixture = Fixture::start(&edits).await?;
    let (issuer, stranger) = (&fixture.issuer, &Actor::new(&[2], 1));
    let registration = stranger.registration()?;
    fixture.log.publish(registration, Wait::Sequenced).await?;
    fixture.publish(0..3, Wait::Sequenced).await?;
    let elsewhere = client(&fixture, 2).await?;

    // What the issuer said is public. It is sent again as it is,
    let again: Vec<_> = (0..60).map(|number| issuer.claim(number % 3)).collect();
    for answer in publish_all(&elsewhere, &again).await {
        assert!(answer?.already_logged);
    }
    // and with the stranger's signature beside the issuer's.
    let beside: Vec<_> = (0..60)
        .map(|number| beside(issuer, stranger, number % 3))
        .collect();
    for answer in publish_all(&elsewhere, &beside).await {
        assert!(answer.is_err());
    }
    // The stranger says it first, and then brings the issuer's signature, which is public from
    // another log: the log refuses that, because nothing about the stranger is new.
    let before: Vec<_> = (10..13).map(|number| stranger.claim(number)).collect();
    for answer in publish_all(&elsewhere, &before).await {
        assert!(!answer?.already_logged);
    }
    let beside: Vec<_> = (0..60)
        .map(|number| self::beside(issuer, stranger, 10 + number % 3))
        .collect();
    for answer in publish_all(&elsewhere, &beside).await {
        let words = ["at leaf", "publish it with the other signatures only"];
        assert_refused(answer, Code::AlreadyExists, &words);
    }
    // Both at once: whichever the sequencer takes last gets no leaf, and costs nothing.
    let together = (20..23).flat_map(|number| {
        let both = (0..20).map(move |_| self::beside(issuer, stranger, number));
        [stranger.claim(number)].into_iter().chain(both)
    });
    publish_together(&elsewhere, together).await?;

    // Ten at once are the issuer's quota, of which it has used four.
    let own: Vec<_> = (100..105).map(|number| issuer.claim(number)).collect();
    for answer in publish_all(&client(&fixture, 1).await?, &own).await {
        answer?;
    }
    Ok(())
}

/// Publishes claims in one message of a stream, and reads the answers.
async fn publish_together(
    client: &LogServiceClient<Channel>,
    claims: impl Iterator<Item = wire::Claim>,
) -> anyhow::Result<()> {
    let items = (0..).zip(claims).map(|(id, claim)| PublishItem {
        id,
        claim: Some(claim),
    });
    let message = PublishStreamRequest {
        wait: Wait::Sequenced.into(),
        items: items.collect(),
    };
    let mut client = client.clone();
    let answers = client.publish_stream(stream::iter([message])).await?;
    answers.into_inner().try_collect::<Vec<_>>().await?;
    Ok(())
}

/// The claim of an issuer with this number, signed by another one too.
fn beside(issuer: &Actor, other: &Actor, number: u64) -> wire::Claim {
    let signers = [issuer, other].map(|actor| (actor.id, &actor.keys[0]));
    claim::sign(&payload(number), &signers)
}

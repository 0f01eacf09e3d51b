//! Publishing: what is answered, and that it is so.

use crate::{AT_ONCE, Fixture, NEVER, STARTED, assert_all_there, assert_refused, hash, stream_all};
use assay_claims::claim::{self, ClaimId};
use assay_claims::entry::EntryError;
use assay_proto::v1::{
    GetIssuerRequest, PublishItem, PublishResponse, PublishStreamRequest, Wait,
    publish_result::Result as Outcome,
};
use assay_tests::{
    issuer::{Actor, payload},
    log::{Leaf, covering, stated},
};
use bytes::Bytes;
use std::time::{SystemTime, UNIX_EPOCH};
use tonic::Code;

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_claim_is_proven_by_index_by_claim_and_by_leaf() -> anyhow::Result<()> {
    let before = now_ms();
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    let claim = issuer.claim(1);
    let answer = log.publish(claim.clone(), Wait::Integrated).await?;
    let (id, index, leaf_hash) = stated(&answer)?;
    assert_eq!((id, index), (ClaimId::of_payload(&payload(1)), STARTED));
    assert_eq!(
        (answer.reached(), answer.already_logged),
        (Wait::Integrated, false)
    );

    for leaf in [Leaf::Index(index), Leaf::Claim(id), Leaf::Hash(leaf_hash)] {
        let found = log.entry(leaf).await?;
        assert_eq!(
            (found.index, found.entry.leaf_hash()),
            (index, leaf_hash),
            "{leaf:?}"
        );
        assert_eq!(
            found.entry.claim()?,
            &claim,
            "the claim is logged as it was signed"
        );
        assert_eq!(found.entry.logged_at_ms(), answer.logged_at_ms);
        assert_eq!(claim::verify(found.entry.claim()?, &())?.id(), id);
    }
    let first = log.entry(Leaf::Index(0)).await?.entry.logged_at_ms();
    assert!(before <= first && first <= answer.logged_at_ms && answer.logged_at_ms <= now_ms());
    // The commitment after it is an entry like others; no claim is in it.
    let last = log.entry(Leaf::Index(index + 1)).await?;
    assert_eq!(last.entry.claim().unwrap_err(), EntryError::NoClaim);
    assert!(
        answer.logged_at_ms <= last.entry.logged_at_ms()
            && last.checkpoint.size().get() == index + 2
    );

    let issuer_id = Bytes::copy_from_slice(issuer.id.as_bytes());
    let records = log
        .service
        .clone()
        .get_issuer(GetIssuerRequest { issuer_id })
        .await?
        .into_inner()
        .records;
    assert_eq!(
        records
            .iter()
            .map(|r| (r.sequence, r.leaf_index))
            .collect::<Vec<_>>(),
        [(0, 1)]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_again_returns_the_leaf_that_is_there() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    let first = log.publish(issuer.claim(1), Wait::Integrated).await?;
    for wait in [Wait::Integrated, Wait::Sequenced, Wait::Unspecified] {
        let again = log.publish(issuer.claim(1), wait).await?;
        assert!(again.already_logged);
        assert_eq!(stated(&again)?, stated(&first)?);
        assert_eq!(again.logged_at_ms, first.logged_at_ms);
        let registration = log.publish(issuer.registration()?, wait).await?;
        assert_eq!(
            (registration.already_logged, registration.leaf_index),
            (true, 1)
        );
    }
    // The same signature twice is the same signer once.
    let mut twice = issuer.claim(1);
    twice.signatures.push(twice.signatures[0].clone());
    assert_eq!(
        stated(&log.publish(twice, Wait::Integrated).await?)?,
        stated(&first)?
    );

    // One item twice in a message, and once in each of two messages.
    let item = |id, number| PublishItem {
        id,
        claim: Some(issuer.claim(number)),
    };
    let message = |items| PublishStreamRequest {
        wait: Wait::Integrated.into(),
        items,
    };
    let messages = vec![
        message(vec![item(1, 1), item(2, 2), item(3, 2)]),
        message(vec![item(4, 2)]),
    ];
    let answers = stream_all(log, messages).await?;
    let placed = |id: &u64| match &answers[id] {
        Outcome::Published(published) => (published.leaf_index, published.already_logged),
        Outcome::Refused(refused) => panic!("{}", refused.message),
    };
    assert_eq!(placed(&1), (first.leaf_index, true));
    assert_eq!([2, 3, 4].map(|id| placed(&id).0), [STARTED + 2; 3]);
    assert_eq!(
        [2, 3, 4].iter().filter(|id| !placed(id).1).count(),
        1,
        "one of them was the first"
    );
    assert_eq!(log.size().await?, STARTED + 4);
    assert_eq!(
        log.rederive().await?.index.claims_from(0),
        [1, STARTED, STARTED + 2]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_set_of_signers_makes_another_leaf_of_the_same_claim() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let log = &fixture.log;
    let other = Actor::new(&[2], 1);
    log.publish(other.registration()?, Wait::Integrated).await?;
    let one = log
        .publish(fixture.issuer.claim(1), Wait::Integrated)
        .await?;
    let two = log.publish(other.claim(1), Wait::Integrated).await?;
    let signers = [
        (fixture.issuer.id, &fixture.issuer.keys[0]),
        (other.id, &other.keys[0]),
    ];
    let both = log
        .publish(claim::sign(&payload(1), &signers), Wait::Integrated)
        .await?;
    assert_eq!([&one, &two].map(|answer| answer.leaf_index), [5, 7]);
    assert!(two.claim_id == one.claim_id && !two.already_logged);
    // Both signatures are in the log already: together they are nothing new.
    assert!(both.claim_id == one.claim_id && both.already_logged);
    assert!([5, 7].contains(&both.leaf_index));
    assert_eq!(
        log.entry(Leaf::Claim(stated(&one)?.0)).await?.index,
        5,
        "by claim id: the first leaf"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sequenced_is_not_published_and_not_shown() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(NEVER).await?;
    let log = &fixture.log;
    let answers = fixture.publish(1..4, Wait::Sequenced).await?;
    for answer in &answers {
        assert_eq!(
            (answer.reached(), answer.already_logged),
            (Wait::Sequenced, false)
        );
        let beyond = log.entry(Leaf::Index(answer.leaf_index)).await.unwrap_err();
        assert_eq!(beyond.downcast::<tonic::Status>()?.code(), Code::OutOfRange);
    }
    assert_eq!(log.size().await?, STARTED);
    assert_eq!(log.entries(0, 0).await?.len() as u64, STARTED);
    assert_eq!(log.get("/tile/0/000.p/3").await?.status(), 200);
    assert_eq!(log.get("/tile/0/000.p/4").await?.status(), 404);
    assert_eq!(log.get("/tile/entries/000.p/4").await?.status(), 404);
    // Asked again, it is known, and still not published.
    let again = log
        .publish(fixture.issuer.claim(1), Wait::Sequenced)
        .await?;
    assert_eq!(
        (again.reached(), again.already_logged),
        (Wait::Sequenced, true)
    );
    // What is in the pool when the node stops is published.
    fixture.node.stop()?;
    fixture.run().await?;
    // Three claims, and one commitment to all of them.
    assert_eq!(fixture.log.size().await?, STARTED + 4);
    assert_eq!(fixture.log.rederive().await?.index.commitments(), [0, 2, 6]);
    assert_all_there(&fixture.log, &answers).await
}

#[tokio::test(flavor = "multi_thread")]
async fn integrated_is_under_the_checkpoint_that_is_shown() -> anyhow::Result<()> {
    let fixture = Fixture::start("log.publish_interval_ms = 20").await?;
    for number in 1..10 {
        let wait = if number % 2 == 0 {
            Wait::Integrated
        } else {
            Wait::Unspecified
        };
        let answer = fixture
            .log
            .publish(fixture.issuer.claim(number), wait)
            .await?;
        assert_eq!(answer.reached(), Wait::Integrated);
        assert!(fixture.log.size().await? > answer.leaf_index);
        assert_all_there(&fixture.log, &[answer]).await?;
    }
    Ok(())
}

/// Eight messages of ten items, of which some are to be refused, and an empty one.
fn mixed(issuer: &Actor, base: u64, wait: Wait) -> Vec<PublishStreamRequest> {
    let stranger = Actor::new(&[9], 1);
    let mut forged = issuer.claim(1);
    forged.signatures[0].signature = vec![0; 64].into();
    let mut messages = Vec::new();
    for message in 0..8 {
        let items = (0..10).map(|at| {
            let id = base + message * 10 + at;
            let claim = match at {
                3 => Some(forged.clone()),
                5 => Some(stranger.claim(id)),
                7 => None,
                _ => Some(issuer.claim(id)),
            };
            PublishItem { id, claim }
        });
        // Only the first message says how long to wait.
        let wait = if message == 0 { wait.into() } else { 0 };
        messages.push(PublishStreamRequest {
            wait,
            items: items.collect(),
        });
    }
    messages.push(PublishStreamRequest {
        wait: 0,
        items: Vec::new(),
    });
    messages
}

/// The answer to item `id` of [`mixed`] is the right one. Returns the leaf, if it got one.
fn assert_answered(id: u64, answer: &Outcome, wait: Wait) -> Option<PublishResponse> {
    let code = |code: Code| i32::from(code);
    match (id % 10, answer) {
        (3, Outcome::Refused(refused)) => {
            assert_eq!(refused.code, code(Code::InvalidArgument));
            let message = &refused.message;
            assert!(message.contains("signature 1"), "{message}");
        }
        (5, Outcome::Refused(refused)) => {
            assert_eq!(refused.code, code(Code::PermissionDenied));
        }
        (7, Outcome::Refused(refused)) => {
            assert_eq!(refused.code, code(Code::InvalidArgument));
        }
        (_, Outcome::Published(published)) => {
            assert!(published.reached >= i32::from(wait) && !published.already_logged);
            assert_eq!(
                published.claim_id,
                ClaimId::of_payload(&payload(id)).as_bytes()[..]
            );
            return Some(published.clone());
        }
        (_, other) => panic!("item {id}: {other:?}"),
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_answers_every_item_once_whatever_the_others_are() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    for wait in [Wait::Sequenced, Wait::Integrated] {
        let base = 1000 * u64::try_from(i32::from(wait))?;
        let size = log.size().await?;
        let answers = stream_all(log, mixed(issuer, base, wait)).await?;
        assert_eq!(answers.len(), 80);
        let mut places = Vec::new();
        for (id, answer) in &answers {
            places.extend(assert_answered(*id, answer, wait));
        }
        log.published(covering(&places)).await?;
        assert_all_there(log, &places).await?;
        places.sort_by_key(|answer| answer.leaf_index);
        let indices: Vec<u64> = places.iter().map(|answer| answer.leaf_index).collect();
        assert_eq!(indices.len(), 56);
        let index = log.rederive().await?.index;
        assert_eq!(
            indices,
            index.claims_from(size),
            "every leaf went to one of them or is a commitment"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_cost_the_index_too_much_is_refused() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, other) = (&fixture.log, Actor::new(&[2], 1));
    log.publish(other.registration()?, Wait::Sequenced).await?;
    let signers = [&fixture.issuer, &other].map(|actor| (actor.id, &actor.keys[0]));
    let about = |packages: u32| {
        let subjects: Vec<String> = (0..packages)
            .map(|n: u32| format!(r#"{{"uri":"pkg:npm/a{n}@1","digest":{{"x":"1"}}}}"#))
            .collect();
        let payload = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],{}}}"#,
            subjects.join(","),
            r#""predicateType":"https://example.com/p","predicate":{}"#
        );
        claim::sign(payload.as_bytes(), &signers)
    };
    // Each package is two names for each signer, and each signer is one more.
    let refused = log.publish(about(512), Wait::Sequenced).await;
    assert_refused(
        refused,
        Code::InvalidArgument,
        &["2050 labels", "at most 2048", "Name fewer"],
    );
    log.publish(about(511), Wait::Integrated).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_proof_of_a_log_over_a_tile_verifies() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let (log, issuer) = (&fixture.log, &fixture.issuer);
    let items = (1..300).map(|id| PublishItem {
        id,
        claim: Some(issuer.claim(id)),
    });
    let messages = items.collect::<Vec<_>>();
    let messages = messages.chunks(37).map(|items| PublishStreamRequest {
        wait: 2,
        items: items.to_vec(),
    });
    let answers = stream_all(log, messages.collect()).await?;
    assert_eq!(answers.len(), 299);
    let whole = log.rederive().await?;
    assert_eq!(whole.index.claims(), 300);
    let all = whole.leaves.len() as u64;
    for (id, answer) in answers {
        let Outcome::Published(published) = answer else {
            panic!("item {id}: {answer:?}")
        };
        assert_eq!(
            whole.leaves[published.leaf_index as usize],
            hash(&published.leaf_hash)
        );
    }
    let sizes: Vec<u64> = (0..=all).collect();
    let roots = whole.roots(&sizes);
    assert_eq!(roots[&all], whole.checkpoint.root());
    for size in [1, 2, 3, 7, 8, 255, 256, 257, all - 1, all] {
        for index in (0..size).filter(|index| size == all || index % 13 == 0 || index + 2 >= size) {
            log.prove_inclusion(&whole.leaves[index as usize], index, size, &roots[&size])
                .await?;
        }
        for old in (1..=size).filter(|old| size == all || old % 13 == 0 || old + 2 >= size) {
            log.prove_consistency((old, &roots[&old]), (size, &roots[&size]))
                .await?;
        }
    }
    // A proof of something else does not verify: the checks above can fail.
    let other = &whole.leaves[5];
    assert!(
        log.prove_inclusion(other, 6, all, &roots[&all])
            .await
            .is_err()
    );
    assert!(
        log.prove_consistency((7, &roots[&8]), (all, &roots[&all]))
            .await
            .is_err()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_refuse_early_and_say_when_to_come_back() -> anyhow::Result<()> {
    let edits = format!(
        "{AT_ONCE}\nadmission.registrations_per_hour = 2\nadmission.issuer_claims_per_second = 1"
    );
    let fixture = Fixture::start(&edits).await?;
    let log = &fixture.log;
    log.publish(Actor::new(&[2], 1).registration()?, Wait::Sequenced)
        .await?;
    let third = log
        .publish(Actor::new(&[3], 1).registration()?, Wait::Sequenced)
        .await;
    assert_refused(
        third,
        Code::ResourceExhausted,
        &["too many new issuers", "try again in"],
    );
    // Ten at once are a burst; of thirty that come within a second or two, some are too many.
    let answers = futures::future::join_all(
        (0..30).map(|n| log.publish(fixture.issuer.claim(n), Wait::Sequenced)),
    )
    .await;
    let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(
        taken.len() >= 9 && !refused.is_empty(),
        "{} taken, {} refused",
        taken.len(),
        refused.len()
    );
    for answer in refused {
        assert_refused(
            answer,
            Code::ResourceExhausted,
            &["limit of claims a second", "try again in"],
        );
    }
    Ok(())
}

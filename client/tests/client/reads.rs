//! Publishing and reading: what comes back is proven, and what is not right does not come back.

use crate::fake::{Fake, claim, id, record, registration};
use assay_claims::claim as claims;
use assay_claims::claim::ClaimId;
use assay_claims::entry;
use assay_claims::entry::wire::Body;
use assay_claims::receipt::{self, Standing};
use assay_client::{ClientError, LeafRef, PageEntry, Wait};
use assay_tlog::hash;
use assay_tlog::tree::LeafIndex;
use futures::{StreamExt, stream};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_claim_is_published_found_in_three_ways_and_proven_offline() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    client
        .publish(registration(1), Wait::Integrated)
        .await
        .unwrap();
    client
        .publish(registration(2), Wait::Integrated)
        .await
        .unwrap();
    let published = client.publish(claim(1, 7), Wait::Integrated).await.unwrap();
    // Leaf 0 commits to the empty index, and each claim comes with the commitment that its
    // checkpoint ends in.
    assert_eq!(published.index, LeafIndex::new(5));
    assert_eq!(
        published.proven.unwrap().entry().leaf_hash(),
        published.leaf_hash
    );

    let names = [
        LeafRef::Index(published.index),
        LeafRef::Claim(published.claim_id),
        LeafRef::LeafHash(published.leaf_hash),
    ];
    for leaf in names {
        let entry = client.entry(leaf).await.unwrap();
        assert_eq!(
            (entry.index(), entry.claim().id()),
            (published.index, published.claim_id)
        );
    }
    let receipt = client.receipt(names[1]).await.unwrap();
    assert_eq!(receipt.files.stem, published.claim_id.to_hex());
    assert_eq!(
        receipt.issuers.len(),
        1,
        "the other issuer has no part in it"
    );
    let receipts = [receipt.issuers[0].1.clone(), receipt.verified];
    assert!(
        receipt::verify_issuers(&receipts)
            .iter()
            .all(|standing| matches!(standing, Standing::Proven(_)))
    );
}

#[tokio::test]
async fn a_receipt_holds_the_records_before_it_and_none_after() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let first = client
        .publish(registration(1), Wait::Integrated)
        .await
        .unwrap();
    let before = client.publish(claim(1, 1), Wait::Integrated).await.unwrap();
    let rotation = record(1, 2, Some((first.claim_id, 0)));
    client.publish(rotation, Wait::Integrated).await.unwrap();
    let receipt = client.receipt(LeafRef::Index(before.index)).await.unwrap();
    assert_eq!(receipt.issuers.len(), 1);
    let history = client.issuer(&id(1)).await.unwrap();
    assert_eq!(history.leaves.len(), 2);
    assert_eq!(history.current.body.sequence, 1);
    let error = client.issuer(&id(9)).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Refused {
                code: tonic::Code::NotFound,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn every_page_is_proven_and_a_changed_entry_is_not() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    fake.state().append(&registration(1));
    for number in 2..7 {
        fake.state().append(&claim(1, number));
    }
    fake.state().commit();
    fake.state().append(&claim(1, 8));
    fake.state().append(&claim(1, 9));
    fake.state().commit();
    assert_eq!(fake.state().size(), 11);
    let client = fake.client(folder.path()).await;
    for start in 0..13u64 {
        for end in 0..13u64 {
            let page = client
                .entries(LeafIndex::new(start), LeafIndex::new(end))
                .await
                .unwrap();
            let indices: Vec<_> = page.entries.iter().map(|entry| entry.index.get()).collect();
            assert_eq!(indices, (start..end.min(11)).collect::<Vec<_>>());
            for PageEntry {
                index,
                entry,
                claim,
            } in page.entries
            {
                assert_eq!(entry.bytes(), &fake.state().entries[index.get() as usize]);
                if [0, 7, 10].contains(&index.get()) {
                    assert!(claim.is_none() && matches!(entry.body(), Body::IndexCommitment(_)))
                } else {
                    assert!(claim.unwrap().is_ok())
                }
            }
        }
    }
    let honest = fake.state().entries[5].clone();
    fake.state().entries[5] = entry::encode(9_000, claim(1, 5)).unwrap();
    for (start, end) in [(0, 11), (5, 6), (4, 6)] {
        let error = client
            .entries(LeafIndex::new(start), LeafIndex::new(end))
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::Unverified { .. }), "{error:?}");
    }
    let error = client
        .entry(LeafRef::Index(LeafIndex::new(5)))
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Unverified { .. }), "{error:?}");
    fake.state().entries[5] = honest;
    assert!(
        client
            .entry(LeafRef::Index(LeafIndex::new(5)))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_entry_that_is_logged_but_was_not_asked_for_is_refused() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    client
        .publish(registration(1), Wait::Integrated)
        .await
        .unwrap();
    let error = client
        .entry(LeafRef::Claim(ClaimId::of_payload(b"{}")))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Refused {
                code: tonic::Code::NotFound,
                ..
            }
        ),
        "{error:?}"
    );
    // An index over the end is the caller's.
    let error = client
        .entry(LeafRef::Index(LeafIndex::new(9)))
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_stream_answers_every_claim_once_and_a_refusal_stops_no_other() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let mut sent: Vec<_> = (0..1000).map(|number| (number, claim(1, number))).collect();
    sent[500].1.signatures[0].signature = vec![0; 64].into();
    let expected: Vec<_> = sent
        .iter()
        .map(|(_, claim)| ClaimId::of_payload(&claim.payload))
        .collect();
    let answers = client
        .publish_stream(stream::iter(sent), Wait::Sequenced)
        .await
        .unwrap();
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer.id).collect();
    assert_eq!((ids.len(), answers.len()), (1000, 1000));
    for answer in answers {
        match answer.result {
            Ok(published) => assert_eq!(published.claim_id, expected[answer.id as usize]),
            Err(refused) => assert_eq!(
                (answer.id, refused.code),
                (500, tonic::Code::InvalidArgument)
            ),
        }
    }
}

#[tokio::test]
async fn a_refused_claim_carries_the_nodes_words() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let mut wrong = claim(1, 1);
    wrong.signatures[0].signature = vec![0; 64].into();
    let reason = claims::verify(&wrong, &()).unwrap_err().to_string();
    match client.publish(wrong, Wait::Integrated).await.unwrap_err() {
        ClientError::Refused {
            code: tonic::Code::InvalidArgument,
            message,
        } => assert_eq!(message, reason),
        other => panic!("{other:?}"),
    }
}

/// A commitment is in the log as a claim is. Who asked for that leaf hears so; whom the node sent
/// there does not get the blame.
#[tokio::test]
async fn a_commitment_is_no_claim_and_the_right_one_is_blamed() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let registered = client
        .publish(registration(1), Wait::Integrated)
        .await
        .unwrap();
    let commitment = hash::leaf_hash(&fake.state().entries[2]);
    for leaf in [
        LeafRef::Index(LeafIndex::new(2)),
        LeafRef::LeafHash(commitment),
    ] {
        let error = client.entry(leaf).await.unwrap_err();
        assert!(
            matches!(&error, ClientError::Usage(why) if why.contains("commitment to its index")),
            "{error:?}"
        );
    }
    assert!(matches!(
        client.receipt(LeafRef::Index(LeafIndex::new(0))).await,
        Err(ClientError::Usage(_))
    ));

    fake.state().records[0].2 = 2;
    assert!(matches!(
        client.issuer(&id(1)).await,
        Err(ClientError::Unverified { .. })
    ));
    let claimed = client.publish(claim(1, 1), Wait::Integrated).await.unwrap();
    let receipt = client.receipt(LeafRef::Index(claimed.index)).await;
    assert!(
        matches!(receipt, Err(ClientError::Unverified { .. })),
        "{receipt:?}"
    );
    fake.state().instead = Some(2);
    for leaf in [
        LeafRef::Claim(registered.claim_id),
        LeafRef::LeafHash(registered.leaf_hash),
    ] {
        assert!(matches!(
            client.entry(leaf).await,
            Err(ClientError::Unverified { .. })
        ));
    }
    assert!(matches!(
        client.publish(claim(1, 2), Wait::Integrated).await,
        Err(ClientError::Unverified { .. })
    ));
}

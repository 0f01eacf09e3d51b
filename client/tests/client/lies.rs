//! What a node says beside its proofs, which hold.

use crate::fake::{Fake, Lie, claim, id, registration};
use assay_client::{ClientError, LeafRef, Wait};
use assay_tlog::tree::LeafIndex;

/// A log of some claims.
async fn log() -> Fake {
    let fake = Fake::start().await;
    fake.state().publish(&registration(1));
    for number in 1..4 {
        fake.state().publish(&claim(1, number));
    }
    fake
}

fn unverified<T: std::fmt::Debug>(outcome: Result<T, ClientError>, says: &str) {
    let error = outcome.unwrap_err();
    assert!(matches!(error, ClientError::Unverified { .. }), "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
async fn a_proof_is_of_the_tree_that_was_asked_about() {
    let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let [first, end] = [1, 5].map(LeafIndex::new);
    client.entry(LeafRef::Index(first)).await.unwrap();
    client.entries(first, end).await.unwrap();
    fake.state().lie = Some(Lie::Size);
    let entry = client.entry(LeafRef::Index(first)).await;
    unverified(entry, "the checkpoint is an older head of the log");
    let page = client.entries(first, end).await;
    unverified(page, "the checkpoint is an older head of the log");
    fake.state().publish(&claim(1, 9));
    unverified(client.checkpoint().await, "for other sizes");
    fake.state().lie = None;
    client.checkpoint().await.unwrap();
}

#[tokio::test]
async fn entries_are_those_that_were_asked_for() {
    let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let [first, end] = [0, 9].map(LeafIndex::new);
    assert_eq!(client.entries(first, end).await.unwrap().entries.len(), 9);
    for lie in [Lie::Start, Lie::Nothing] {
        fake.state().lie = Some(lie);
        unverified(client.entries(first, end).await, "other entries");
    }
    // It may have been cut off on the way.
    fake.state().lie = Some(Lie::End);
    let few = client.entries(first, end).await.unwrap_err();
    assert!(matches!(few, ClientError::Unavailable { .. }), "{few:?}");
}

#[tokio::test]
async fn what_was_published_is_where_and_what_the_node_says() {
    let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    client
        .publish(claim(1, 10), Wait::Integrated)
        .await
        .unwrap();
    fake.state().lie = Some(Lie::LeafHash);
    let other = client.publish(claim(1, 11), Wait::Integrated).await;
    unverified(other, "has another hash");
    fake.state().lie = None;
    fake.state().instead = Some(1);
    let other = client.publish(claim(1, 12), Wait::Integrated).await;
    unverified(other, "holds another claim");
}

#[tokio::test]
async fn a_record_is_of_the_issuer_that_was_asked_for() {
    let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    client.issuer(&id(1)).await.unwrap();
    // The first leaf is a commitment, and the next one registers issuer 1.
    fake.state().records.push((id(2), 0, 1));
    let other = client.issuer(&id(2)).await;
    unverified(other, "it is no record of the issuer asked for");
}

/// How fresh a head is, its last leaf says.
#[tokio::test]
async fn a_head_that_ends_in_a_claim_has_no_time() {
    let (fake, folder) = (log().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    fake.state().append(&claim(1, 9));
    let head = client.checkpoint().await.unwrap();
    let time = client.committed_at_ms(&head).await;
    unverified(time, "does not commit to the index");
}

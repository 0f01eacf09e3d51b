//! Commits that are not persisted, persisted but reported failed, refused for want of room, or
//! acknowledged and lost: that of claims, and that of the commitment with which a checkpoint
//! begins.

use crate::harness::{Running, create, note, open, sequenced, verify_whole};
use assay_claims::entry::Entry;
use assay_claims::sequencer::Outcome;
use assay_node::{log::OpenError, records, sequencer::Wait, storage::memory::Fault};
use assay_tests::issuer::Actor;
use std::path::Path;

/// A log with one issuer: leaf 0 commits to the empty index, leaf 1 is the registration, leaf 2 the
/// commitment to it.
async fn started(checkpoints: &Path, issuer: &Actor) -> Running {
    let running = open(create(checkpoints), checkpoints).unwrap();
    assert_eq!(running.register(issuer).await.0.get(), 1);
    assert_eq!(running.view.size().get(), 3);
    running
}

/// Nothing more is written, and readers keep what they had.
async fn assert_stopped(running: &Running, issuer: &Actor, shown: &str) {
    assert_eq!(
        running.publish(note(issuer, 2), Wait::Sequenced).await,
        None
    );
    assert!(running.halt.reason().is_some());
    assert_eq!(running.view.published().unwrap().note(), shown);
}

/// A registration is acknowledged, the commit of the next claim fails by `fault`. Returns how many
/// claims there are after a restart.
async fn survives(fault: Fault) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let running = open(create(&checkpoints), &checkpoints).unwrap();
    let (index, hash) = running.register(&issuer).await;
    let shown = running.view.published().unwrap();

    running.store.fail_next_commit(fault);
    assert_eq!(
        running.publish(note(&issuer, 1), Wait::Sequenced).await,
        None,
        "a failed commit was acknowledged"
    );
    assert_stopped(&running, &issuer, shown.note()).await;

    let running = open(running.crash().await, &checkpoints).unwrap();
    let claims = verify_whole(&running).await.claims();
    let entry = Entry::parse(records::read_entry(&*running.store, index).unwrap()).unwrap();
    assert_eq!(entry.leaf_hash(), hash, "an acknowledged claim was lost");
    // It goes on as if nothing had been: the claim that was in doubt can be published again, and
    // has one leaf.
    let again = running
        .publish(note(&issuer, 1), Wait::Integrated)
        .await
        .unwrap();
    match again {
        Outcome::Existing(index) => assert_eq!((index.get(), claims), (3, 2)),
        Outcome::Sequenced { index, .. } => assert_eq!((index.get(), claims), (3, 1)),
        Outcome::Refused(refused) => panic!("{refused}"),
    }
    assert_eq!(verify_whole(&running).await.commitments(), [0, 2, 4]);
    assert_eq!(running.view.size().get(), 5);
    claims
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_not_persisted_leaves_nothing() {
    assert_eq!(survives(Fault::NotPersisted).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_persisted_but_reported_failed_stays() {
    assert_eq!(survives(Fault::PersistedButFailed).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_nothing() {
    assert_eq!(survives(Fault::DiskFull).await, 1);
}

/// The claim's commit is sound, that of the commitment after it fails: the claim stays, and is
/// published by the next start, under one commitment, whether or not the failed one is on the disk.
async fn survives_at_publish(fault: Fault, wait: Wait) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let running = started(&checkpoints, &issuer).await;
    let shown = running.view.published().unwrap();

    running.store.fail_commit_after(1, fault);
    let answer = running.publish(note(&issuer, 1), wait).await;
    let acknowledged = answer.as_ref().map(sequenced);
    assert_eq!(
        acknowledged.is_some(),
        wait == Wait::Sequenced,
        "it is durable, and never was published"
    );
    assert_stopped(&running, &issuer, shown.note()).await;

    let running = open(running.crash().await, &checkpoints).unwrap();
    let whole = verify_whole(&running).await;
    assert_eq!((whole.claims(), whole.commitments()), (2, &[0, 2, 4][..]));
    let again = running
        .publish(note(&issuer, 1), Wait::Integrated)
        .await
        .unwrap();
    assert!(
        matches!(again, Outcome::Existing(index) if index.get() == 3),
        "{again:?}"
    );
    if let Some((index, hash)) = acknowledged {
        let entry = Entry::parse(records::read_entry(&*running.store, index).unwrap()).unwrap();
        assert_eq!((index.get(), entry.leaf_hash()), (3, hash));
    }
    // The index goes on from there.
    running
        .publish(note(&issuer, 2), Wait::Integrated)
        .await
        .unwrap();
    assert_eq!(verify_whole(&running).await.commitments(), [0, 2, 4, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commitment_that_was_not_persisted_is_made_again() {
    for wait in [Wait::Sequenced, Wait::Integrated] {
        survives_at_publish(Fault::NotPersisted, wait).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commitment_that_was_persisted_but_reported_failed_is_signed_and_not_repeated() {
    for wait in [Wait::Sequenced, Wait::Integrated] {
        survives_at_publish(Fault::PersistedButFailed, wait).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_when_a_checkpoint_is_due_loses_no_claim() {
    for wait in [Wait::Sequenced, Wait::Integrated] {
        survives_at_publish(Fault::DiskFull, wait).await;
    }
}

/// A disk that lies about a sync makes the store forget what was signed. The checkpoint file does
/// not.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forgot_what_was_signed_is_not_signed_from() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let running = started(&checkpoints, &issuer).await;
    let before = folder.path().join("before");
    std::fs::copy(&checkpoints, &before).unwrap();

    running.store.fail_next_commit(Fault::AcknowledgedButLost);
    let lost = sequenced(
        &running
            .publish(note(&issuer, 1), Wait::Integrated)
            .await
            .unwrap(),
    );
    let after = running.crash().await;
    let refused = open(after.crash(), &checkpoints).err().unwrap();
    assert!(matches!(refused, OpenError::Refusal(_)), "{refused}");
    assert!(
        refused
            .to_string()
            .contains("holds 3 entries, but a checkpoint over 5 was signed"),
        "{refused}"
    );

    // The guard is the checkpoint file: with the one from before, the same store starts, and gives
    // the lost place to another claim.
    let running = open(after, &before).unwrap();
    let other = sequenced(
        &running
            .publish(note(&issuer, 2), Wait::Integrated)
            .await
            .unwrap(),
    );
    assert_eq!(other.0, lost.0);
    assert_ne!(
        other.1, lost.1,
        "two claims at one index, both under a signed checkpoint: this is the fork"
    );
}

/// The same if only the commitment is forgotten, and all claims are there: its leaf is part of what
/// was signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forgot_the_commitment_is_not_signed_from() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let running = started(&checkpoints, &issuer).await;
    running
        .store
        .fail_commit_after(1, Fault::AcknowledgedButLost);
    running
        .publish(note(&issuer, 1), Wait::Integrated)
        .await
        .unwrap();
    let refused = open(running.crash().await, &checkpoints).err().unwrap();
    assert!(matches!(refused, OpenError::Refusal(_)), "{refused}");
    assert!(
        refused
            .to_string()
            .contains("holds 4 entries, but a checkpoint over 5 was signed"),
        "{refused}"
    );
}

/// A crash between the commit of the commitment and the signature: the start signs the tree as it
/// stands.
#[tokio::test(flavor = "multi_thread")]
async fn a_commitment_without_a_signature_is_signed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let store = create(&checkpoints);
    let at_start = folder.path().join("at-start");
    std::fs::copy(&checkpoints, &at_start).unwrap();
    let running = open(store, &checkpoints).unwrap();
    running.register(&issuer).await;
    let signed = running.view.published().unwrap();
    // The checkpoint file as it was when the crash came.
    let running = open(running.crash().await, &at_start).unwrap();
    let whole = verify_whole(&running).await;
    assert_eq!((whole.claims(), whole.commitments()), (1, &[0, 2][..]));
    assert_eq!(
        running.view.published().unwrap().checkpoint().root(),
        signed.checkpoint().root(),
        "one root for one size"
    );
    running
        .publish(note(&issuer, 1), Wait::Integrated)
        .await
        .unwrap();
    assert_eq!(verify_whole(&running).await.commitments(), [0, 2, 4]);
}

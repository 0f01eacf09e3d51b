//! Audits of what a log says of its index, and of when it said so.

use super::{hashes_only, log, run};
use crate::fake::{Fake, State, claim, registration};
use assay_claims::entry;
use assay_client::audit::{AuditError, Options};

/// What a full audit says of the index of a log that is in order otherwise.
async fn index_error(fake: &Fake) -> (u64, String) {
    assert!(run(fake, hashes_only()).await.is_ok());
    match run(fake, Options::default()).await.unwrap_err() {
        AuditError::Index { index, reason } => (index, reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commitment_to_anything_but_the_index_is_found_where_it_stands() {
    let change: [(fn(&mut entry::wire::IndexCommitment), &str); 5] = [
        (|said| said.root = vec![7; 32].into(), "with the root 0707"),
        (|said| said.labels += 1, "an index of"),
        (|said| said.root = vec![7; 31].into(), "31 bytes"),
        (
            |said| said.mapping_version = 3,
            "unsupported mapping version 3",
        ),
        (
            |said| said.mapping_version = 1,
            "unsupported mapping version 1",
        ),
    ];
    for (change, words) in change {
        let fake = log(300).await;
        fake.state().append(&claim(1, 301));
        let mut said = fake.state().commitment().to_wire();
        change(&mut said);
        fake.state().commit_to(said);
        // What comes after is right again: one commitment is wrong, and not the last.
        fake.state().publish(&claim(2, 302));
        let (index, reason) = index_error(&fake).await;
        assert_eq!(index, 301);
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_dates_its_leaves_ahead_is_found() {
    let fake = log(4).await;
    let audited = run(&fake, Options::default()).await.unwrap();
    let last = audited.last_at_ms().unwrap();
    let at = |now_ms: u64| Options {
        now_ms: Some(now_ms),
        ..Options::default()
    };
    let said = fake.state().commitment().to_wire();
    fake.state()
        .append_entry(entry::encode(last + 600_001, said).unwrap());
    assert!(run(&fake, at(last + 1)).await.is_ok());
    let error = run(&fake, at(last)).await.unwrap_err();
    assert!(matches!(error, AuditError::Future(10)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_do_not_fall_and_newer_ones_blame_nobody() {
    let fake = log(300).await;
    let mut said = fake.state().commitment().to_wire();
    said.admission_version = 0;
    fake.state().commit_to(said.clone());
    let (_, reason) = index_error(&fake).await;
    assert!(reason.contains("falls from 1 to 0"), "{reason}");

    let fake = log(300).await;
    said.admission_version = 2;
    fake.state().commit_to(said);
    let error = run(&fake, Options::default()).await.unwrap_err();
    assert!(matches!(error, AuditError::Unsupported { .. }), "{error}");
    assert!(
        error.to_string().contains("version 2 of the rules"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_the_index_leaves_out_is_found() {
    let fake = log(300).await;
    fake.state().append(&claim(1, 301));
    fake.state().forget();
    fake.state().publish(&claim(1, 302));
    let (index, reason) = index_error(&fake).await;
    assert!(
        index == 302 && reason.contains("but its entries give"),
        "{index}: {reason}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_begins_and_ends_with_a_commitment() {
    let fake = log(50).await;
    fake.state().append(&claim(1, 60));
    assert!(run(&fake, hashes_only()).await.is_ok());
    let error = run(&fake, Options::default()).await.unwrap_err();
    assert!(
        matches!(error, AuditError::Uncommitted { size: 51 }),
        "{error:?}"
    );

    let fake = Fake::start().await;
    *fake.state() = State::without_leaves();
    fake.state().append(&registration(1));
    fake.state().commit();
    let (index, reason) = index_error(&fake).await;
    assert!(
        index == 0 && reason.contains("commits to the empty index"),
        "{index}: {reason}"
    );

    let fake = log(50).await;
    let empty = fake.state().checkpoint_at(0);
    fake.state().checkpoint = Some(empty);
    let error = run(&fake, Options::default()).await.unwrap_err();
    assert!(
        matches!(error, AuditError::Uncommitted { size: 0 }),
        "{error:?}"
    );
}

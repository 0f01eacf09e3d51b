//! Rows of a copy that do not belong together, or hold less than they should.

use super::*;
use crate::storage::{Batch, Tables as _};
use assay_tlog::Hash;

#[tokio::test]
async fn what_is_stored_of_a_log_is_of_one_head_and_whole() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 3, 3);
    let mut follower = follower(&store, &url, || NOW);
    follower.round().await.unwrap();
    let rows = follower.copied.shown.rows;
    let log = LogVerifier::new(ORIGIN, vec![log_key().verifier()]).unwrap();
    let stored = rows.load(&*store, &log).unwrap().stored;
    assert_eq!(stored.entries, TreeSize::new(3));

    let bundle = rows.read_bundle(&*store, 0, 3).unwrap();
    assert_eq!(bundle::entries(&bundle).count(), 3);
    let error = rows.read_bundle(&*store, 0, 4).unwrap_err().to_string();
    assert!(error.contains("3 entries of 4"), "{error}");
    let tile = TileIndex { level: 0, index: 0 };
    let error = rows.read_tile(&*store, tile, 4).unwrap_err().to_string();
    assert!(error.contains("too short"), "{error}");

    // What was cosigned is forgotten, and the note is not.
    let digest = Hash::of(ORIGIN.as_bytes());
    let mut forgets = Batch::new();
    let state = [b"m/", &digest.as_bytes()[..], b"/state"].concat();
    assert!(store.get(Table::Meta, &state).unwrap().is_some());
    forgets.delete(Table::Meta, state);
    store.commit(forgets).unwrap();
    let error = rows.load(&*store, &log).unwrap_err().to_string();
    assert!(error.contains("not of one head"), "{error}");
}

/// What comes with an error is not what was asked for.
#[tokio::test]
async fn an_answer_with_another_status_is_none() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    let error = follower(&store, &url, || NOW).round().await.unwrap_err();
    let RoundError::Fetch(error) = error else {
        panic!("{error:?}");
    };
    assert!(error.to_string().contains("404"), "{error}");
}

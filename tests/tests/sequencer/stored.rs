//! What is stored of the log itself is not what was written: nothing is signed over it, and nothing
//! is read from it as if it were.

use crate::harness::{ROOMY, Running, create, note, open, open_with, signed, verify_whole};
use assay_claims::{
    index::Commitment,
    sequencer::{Head, Sequencer},
};
use assay_node::{
    log::OpenError,
    records,
    sequencer::Wait,
    storage::{Batch, Reads, Table, Tables, memory::Memory},
    view::ViewError,
};
use assay_tests::issuer::Actor;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TileIndex, TreeSize};
use tempfile::TempDir;

fn tile(level: u8, index: u64) -> Vec<u8> {
    records::tile_key(TileIndex { level, index })
}

/// A log in which an issuer is registered, and the folder of its checkpoints.
async fn started() -> (TempDir, Actor, Running) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let running = open(create(&checkpoints), &checkpoints).unwrap();
    running.register(&issuer).await;
    (folder, issuer, running)
}

/// The root is computed again from what is stored before it is signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_is_stored_wrongly_is_not_signed() {
    let (_folder, issuer, running) = started().await;
    let claims = (0..300).map(|number| note(&issuer, number)).collect();
    running.submit(claims, Wait::Integrated).await.unwrap();
    let shown = running.view.published().unwrap();

    let mut damage = Batch::new();
    damage.put(Table::Tiles, tile(1, 0), vec![7; Hash::LEN]);
    running.store.commit(damage).unwrap();
    let answer = running.publish(note(&issuer, 300), Wait::Integrated).await;
    assert_eq!(answer, None);
    let reason = running.halt.reason().unwrap();
    assert!(reason.contains("was about to be signed"), "{reason}");
    assert_eq!(running.view.published().unwrap().note(), shown.note());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_short_or_not_published_is_not_read() {
    let (_folder, _, running) = started().await;
    let size = running.view.size();
    assert_eq!(size, TreeSize::new(3));
    running.view.entry(LeafIndex::new(2), size).unwrap();
    let beyond = running.view.entry(LeafIndex::new(2), TreeSize::new(2));
    assert!(
        matches!(beyond, Err(ViewError::Beyond { .. })),
        "{beyond:?}"
    );

    records::read_bundle(&*running.store, 0, 3).unwrap();
    let error = records::read_bundle(&*running.store, 0, 4).unwrap_err();
    assert!(error.to_string().contains("3 entries of 4"), "{error}");

    let row = running
        .store
        .get(Table::Tiles, &tile(0, 0))
        .unwrap()
        .unwrap();
    let mut short = Batch::new();
    short.put(Table::Tiles, tile(0, 0), row.slice(..2 * Hash::LEN));
    running.store.commit(short).unwrap();
    let error = assay_node::view::stored_root(&*running.store, size).unwrap_err();
    assert!(error.to_string().contains("too short"), "{error}");
}

/// A log that committed to another index than its entries give is found when its index is made
/// again, and is not written any further.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_committed_to_another_index_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let store = Memory::new();
    let mut nothing = Batch::new();
    nothing.with_head(None, Head::empty().to_bytes());
    store.commit(nothing).unwrap();
    let other = Commitment {
        root: Hash::of(b"another index"),
        labels: 1,
    };
    let step = Sequencer::empty().plan_commitment(1, &other).unwrap();
    store.commit(records::batch(&step).unwrap()).unwrap();
    signed(&checkpoints, step.next.head());

    let refused = open(store, &checkpoints).err().unwrap();
    assert!(matches!(refused, OpenError::Index(_)), "{refused}");
    let words = "but the commitment there says";
    assert!(refused.to_string().contains(words), "{refused}");

    // As a log that did not starts.
    let right = folder.path().join("right");
    let running = open_with(create(&right), &right, ROOMY).unwrap();
    verify_whole(&running).await;
}

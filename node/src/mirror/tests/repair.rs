//! What a disk damages is not served, and is brought back by its hash.

use super::super::repair::Scrubbed;
use super::super::store::Rows;
use super::*;
use crate::records::RecordError;
use crate::storage::{Batch, Tables};
use assay_tlog::Hash;

/// A log of 66,000 entries, so that there are full tiles above the leaves; a copy of it, and where
/// it is served.
struct Damaged {
    served: Served,
    store: Arc<Memory>,
    url: String,
    mirror: Follower<Memory>,
}

impl Damaged {
    async fn new(size: u64) -> Self {
        let (served, store) = (Served::default(), new_store());
        let url = serve(served.clone()).await;
        publish(&served, size, size);
        let mut mirror = follower(&store, &url, || NOW);
        mirror.round().await.unwrap();
        Damaged {
            served,
            store,
            url,
            mirror,
        }
    }

    /// The rows of the log: tiles and bundles.
    fn rows(&self) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
        let digest = Rows::of(ORIGIN).digest();
        let mut rows = Vec::new();
        for table in [Table::Tiles, Table::Segments] {
            let end = [&digest.as_bytes()[..], &[0xff; 10]].concat();
            let all = self.store.range(table, digest.as_bytes(), &end, 10_000);
            let all = all.unwrap().into_iter();
            rows.extend(all.map(|(key, value)| (table, key, value.to_vec())));
        }
        rows
    }

    fn put(&self, table: Table, key: &[u8], value: Option<Vec<u8>>) {
        let mut batch = Batch::new();
        match value {
            Some(value) => batch.put(table, key, value),
            None => batch.delete(table, key),
        };
        self.store.commit(batch).unwrap();
    }

    /// Reads all that is published, and returns what is refused. What is not refused is right.
    fn refused(&self) -> Vec<String> {
        let served = self.served.lock().unwrap();
        let mut refused = Vec::new();
        for (path, right) in &served.files {
            let Ok(tile) = TilePath::parse(path) else {
                continue;
            };
            match self.mirror.copied.shown.read(&*self.store, tile) {
                Ok(read) => assert_eq!(read.as_deref(), Some(&right[..]), "{path}"),
                Err(RecordError::Damaged(_)) => refused.push(path.clone()),
                Err(error) => panic!("{path}: {error}"),
            }
        }
        refused
    }

    async fn scrub_all(&self) -> Vec<Scrubbed> {
        let head = self.mirror.copied.shown.head.load_full().unwrap();
        let mut all = Vec::new();
        for index in 0..head.size().get().div_ceil(256) {
            all.push(self.mirror.copied.scrub(index).await.unwrap());
        }
        all
    }
}

/// Any bit of any row, one row at a time: it is found, nothing wrong is served, and scrubbing makes
/// the store what it was, byte for byte.
#[tokio::test]
async fn every_damaged_or_missing_row_is_brought_back() {
    let damaged = Damaged::new(700).await;
    assert!(damaged.refused().is_empty());
    assert!(
        damaged
            .scrub_all()
            .await
            .iter()
            .all(|it| *it == Scrubbed::Sound)
    );
    let before = damaged.rows();
    // Tiles of 256, 256 and 188 leaves, the one above them, and three bundles.
    assert_eq!(before.len(), 7);
    for (table, key, right) in &before {
        for bit in [0, 8 * right.len() / 2, 8 * right.len() - 1] {
            let mut wrong = right.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            damaged.put(*table, key, Some(wrong));
            damaged.refused();
            let scrubbed = damaged.scrub_all().await;
            assert!(scrubbed.contains(&Scrubbed::Repaired), "{table:?} {bit}");
            assert_eq!(damaged.rows(), before);
        }
        damaged.put(*table, key, None);
        damaged.refused();
        damaged.scrub_all().await;
        assert_eq!(damaged.rows(), before);
    }
    assert!(damaged.refused().is_empty());
}

/// A full tile above the leaves leads to all below it.
#[tokio::test]
async fn a_tile_above_the_leaves_is_brought_back() {
    let damaged = Damaged::new(66_000).await;
    let before = damaged.rows();
    let upper = before
        .iter()
        .find(|(table, key, _)| *table == Table::Tiles && key[32] == 1);
    let (table, key, right) = upper.unwrap();
    let mut wrong = right.clone();
    wrong[40] ^= 1;
    damaged.put(*table, key, Some(wrong));
    // The tile itself, and the tile and bundle whose hash it has.
    assert!(damaged.refused().contains(&"tile/1/000".to_owned()));
    let asked = damaged.mirror.copied.shown.take_damaged();
    assert!(asked.is_some(), "whoever read it told the scrubber");
    assert_eq!(
        damaged.mirror.copied.scrub(0).await.unwrap(),
        Scrubbed::Repaired
    );
    assert_eq!(damaged.rows(), before);
}

/// If the log has it not, or what it has is not the tree's, another mirror does.
#[tokio::test]
async fn another_mirror_has_what_the_log_has_lost() {
    let mut damaged = Damaged::new(700).await;
    let before = damaged.rows();
    let (table, key, right) = before.last().unwrap();
    let mut wrong = right.clone();
    wrong[5] ^= 1;
    damaged.put(*table, key, Some(wrong.clone()));
    // The log lies about the same bundle.
    damaged.served.lock().unwrap().flipped = Some("tile/entries/002.p/188".into());
    assert_eq!(
        damaged.mirror.copied.scrub(2).await.unwrap(),
        Scrubbed::Lost
    );
    assert_eq!(
        damaged.rows().last().unwrap().2,
        wrong,
        "nothing else takes its place"
    );
    assert_eq!(damaged.refused(), ["tile/entries/002.p/188"]);

    let other = Served::default();
    publish(&other, 700, 700);
    let url = serve(other).await;
    damaged.mirror = follower(&damaged.store, &damaged.url, || NOW);
    let copied = Arc::get_mut(&mut damaged.mirror.copied).unwrap();
    let shared = Arc::get_mut(&mut copied.shared).unwrap();
    let digest = Hash::of(ORIGIN.as_bytes()).to_hex();
    shared.mirrors = Box::new(move |asked| {
        assert_eq!(asked, digest);
        vec![Site::new(site::client().unwrap(), &url)]
    });
    damaged.mirror.copied.with(|_| Ok(())).await.unwrap();
    assert_eq!(
        damaged.mirror.copied.scrub(2).await.unwrap(),
        Scrubbed::Repaired
    );
    assert_eq!(damaged.rows(), before);
    assert!(damaged.refused().is_empty());
}

/// The tiles on the right edge are needed to load anything. A start finds that they are damaged,
/// brings them back, and goes on.
#[tokio::test]
async fn a_damaged_edge_is_brought_back_at_a_start() {
    let damaged = Damaged::new(700).await;
    let before = damaged.rows();
    for (table, key, right) in before.iter().filter(|(table, key, right)| {
        *table == Table::Tiles && (key[32] == 1 || right.len() < 256 * 32)
    }) {
        for wrong in [None, Some(vec![0; right.len()]), Some(right[32..].to_vec())] {
            damaged.put(*table, key, wrong);
            let mut later = follower(&damaged.store, &damaged.url, || NOW + 1);
            let error = later.round().await.unwrap_err();
            assert!(error.is_damage(), "{error:?}");
            assert_eq!(size_shown(&later), None);
            assert!(later.copied.rebuild().await.unwrap());
            later.round().await.unwrap();
            assert_eq!(size_shown(&later), Some(700));
            assert_eq!(damaged.rows(), before);
        }
    }
}

//! Stored pages of the index that are damaged, gone, older than they should be, or said to go
//! further than they do. A start finds out, or else whoever looks at all pages does, and the start
//! after that. The log itself says what the index is, so that it is made again: every look-up is
//! right afterward, what is published next is committed to rightly, and the start after that finds
//! what this one stored.

use crate::harness::{ROOMY, Running, create, note, open, open_with, verified, verify_whole};
use assay_claims::claim::VerifiedClaim;
use assay_node::{
    index::{self, SHARDS},
    records::{self, INDEX_DOUBTED, INDEX_THROUGH},
    sequencer::Wait,
    storage::{Batch, Reads, Table, Tables, memory::Memory},
};
use assay_tests::issuer::{Actor, payload};
use bytes::Bytes;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A claim with a number about an artifact with another.
fn about(issuer: &Actor, number: u64, artifact: u64) -> VerifiedClaim {
    let text = String::from_utf8(payload(artifact)).unwrap();
    let text = text.replace(
        &format!("artifact-{artifact}"),
        &format!("artifact-{artifact}-{number}"),
    );
    verified(&issuer.sign(text.as_bytes()))
}

/// Claims of which lists of every kind come: of one leaf, of a few that stand in their page, of
/// more than those, and one of all of them.
fn claims(issuer: &Actor, numbers: std::ops::Range<u64>) -> Vec<VerifiedClaim> {
    let artifact = |number: u64| match number % 3 {
        0 => number,
        1 => 1_000_000 + number % 5,
        _ => 2_000_000,
    };
    numbers
        .map(|number| about(issuer, number, artifact(number)))
        .collect()
}

/// A log that was grown in steps, as a start finds it.
struct Grown {
    folder: tempfile::TempDir,
    issuer: Actor,
    /// The store when half of the steps were taken, and at the end.
    before: Memory,
    store: Memory,
}

impl Grown {
    /// One step for each of `counts`, which are numbers of claims.
    async fn by(counts: &[u64]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = folder.path().join("checkpoints");
        let issuer = Actor::new(&[1], 1);
        let running = open(create(&checkpoints), &checkpoints).unwrap();
        running.register(&issuer).await;
        let (mut first, mut before) = (0, None);
        for (step, count) in counts.iter().enumerate() {
            if step == counts.len() / 2 {
                before = Some(running.store.crash());
            }
            running
                .submit(claims(&issuer, first..first + count), Wait::Integrated)
                .await
                .unwrap();
            first += count;
        }
        let store = running.crash().await;
        Grown {
            folder,
            issuer,
            before: before.unwrap(),
            store,
        }
    }

    /// A copy of the checkpoint file, for one start.
    fn checkpoints(&self) -> PathBuf {
        let copy = self.folder.path().join("checkpoints.copy");
        fs::copy(self.folder.path().join("checkpoints"), &copy).unwrap();
        copy
    }

    /// Starts from the store with rows changed, publishes, and starts once more. All is right each
    /// time.
    async fn survives(&self, changes: Batch, index_cache_mib: usize) {
        let (store, checkpoints) = (self.store.crash(), self.checkpoints());
        store.commit(changes).unwrap();
        let mut running = open_with(store, &checkpoints, index_cache_mib).unwrap();
        if is_wrong(&running.store) {
            index::doubt(&*running.store).unwrap();
            running = open_with(running.crash().await, &checkpoints, index_cache_mib).unwrap();
            let doubted = running.store.get(Table::Meta, INDEX_DOUBTED);
            assert_eq!(doubted.unwrap(), None);
        }
        verify_whole(&running).await;
        let again = self.goes_on(running, &checkpoints, index_cache_mib).await;
        drop(again.crash().await);
    }

    /// More is published, under labels that are there and under new ones, and the log is opened
    /// again.
    async fn goes_on(
        &self,
        running: Running,
        checkpoints: &Path,
        index_cache_mib: usize,
    ) -> Running {
        running
            .submit(claims(&self.issuer, 500_000..500_020), Wait::Integrated)
            .await
            .unwrap();
        verify_whole(&running).await;
        let again = open_with(running.crash().await, checkpoints, index_cache_mib).unwrap();
        verify_whole(&again).await;
        again
    }
}

/// Whether a look at all parts and pages finds anything.
fn is_wrong(store: &Memory) -> bool {
    let mut from = Some(Vec::new());
    while let Some(key) = from {
        let looked = index::look(store, &key).unwrap();
        if !looked.wrong.is_empty() {
            return true;
        }
        from = looked.next;
    }
    false
}

type Row = (Vec<u8>, Bytes);

fn rows(store: &Memory, table: Table) -> Vec<Row> {
    store.range(table, &[], &[0xff; 64], usize::MAX).unwrap()
}

/// The store's pages, with how far they go, are replaced by those of another moment.
fn pages_of(before: &Memory, now: &Memory) -> Batch {
    let mut batch = without(rows(now, Table::IndexPages));
    for (key, row) in rows(before, Table::IndexPages) {
        batch.put(Table::IndexPages, key, row);
    }
    batch
}

fn without(pages: impl IntoIterator<Item = Row>) -> Batch {
    let mut batch = Batch::new();
    for (key, _) in pages {
        batch.delete(Table::IndexPages, key);
    }
    batch
}

/// The row that says how far the pages go says this, with the digests that it has.
fn through(row: &[u8], numbers: &[u64; SHARDS]) -> Batch {
    let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
    let digests = row[8 * SHARDS..].iter().copied();
    let row: Vec<u8> = numbers.chain(digests).collect();
    let mut batch = Batch::new();
    batch.put(Table::Meta, INDEX_THROUGH, row);
    batch
}

/// So many that there are several parts, which are in different shards.
const STEPS: [u64; 8] = [1, 5, 420, 9, 30, 1, 360, 3];

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_gone_are_made_again() {
    let grown = Grown::by(&STEPS).await;
    let pages = rows(&grown.store, Table::IndexPages);
    assert!(pages.len() > 3, "{} pages", pages.len());
    for page in &pages {
        grown.survives(without([page.clone()]), ROOMY).await;
    }
    for cache in [0, ROOMY] {
        grown.survives(without(pages.clone()), cache).await;
        // With the lists that do not stand in pages.
        let mut all = without(pages.clone());
        for (key, _) in rows(&grown.store, Table::IndexLists) {
            all.delete(Table::IndexLists, key);
        }
        all.delete(Table::Meta, INDEX_THROUGH);
        grown.survives(all, cache).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_pages_are_brought_up_to_date_or_made_again() {
    let grown = Grown::by(&STEPS).await;
    let older = rows(&grown.before, Table::IndexPages);
    for cache in [0, ROOMY] {
        // They are said to go as far as they should.
        grown
            .survives(pages_of(&grown.before, &grown.store), cache)
            .await;
        // They are said to go as far as they do.
        let mut honest = pages_of(&grown.before, &grown.store);
        honest.put(
            Table::Meta,
            INDEX_THROUGH,
            grown
                .before
                .get(Table::Meta, INDEX_THROUGH)
                .unwrap()
                .unwrap(),
        );
        grown.survives(honest, cache).await;
    }
    // One among those of now.
    for (key, row) in older {
        let mut one = Batch::new();
        one.put(Table::IndexPages, key, row);
        grown.survives(one, ROOMY).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_the_wrong_place_are_made_again() {
    let grown = Grown::by(&STEPS).await;
    let pages = rows(&grown.store, Table::IndexPages);
    for (at, (key, row)) in pages.iter().enumerate() {
        let (_, other) = &pages[(at + 1) % pages.len()];
        let mut exchanged = Batch::new();
        exchanged.put(Table::IndexPages, key.clone(), other.clone());
        grown.survives(exchanged, ROOMY).await;
        for wrong in [
            &key[..20],
            &[&key[..], &[0]].concat(),
            &[&key[..32], &[0xff, 0xff]].concat(),
        ] {
            let mut moved = Batch::new();
            moved.put(Table::IndexPages, wrong, row.clone());
            grown.survives(moved, ROOMY).await;
        }
    }
}

/// Parts that are gone, or others, do not make labels look new: that would write their lists anew.
#[tokio::test(flavor = "multi_thread")]
async fn parts_that_are_gone_or_others_are_made_again() {
    let grown = Grown::by(&[1, 900, 9, 600, 3]).await;
    let parts = rows(&grown.store, Table::IndexParts);
    assert!(parts.len() > 3, "{} parts", parts.len());
    for (at, (key, row)) in parts.iter().enumerate() {
        let (_, other) = &parts[(at + 1) % parts.len()];
        let mut bytes = row.to_vec();
        let length = bytes.len();
        bytes[at % length] ^= 1;
        let mut changes = [Batch::new(), Batch::new(), Batch::new()];
        changes[0].delete(Table::IndexParts, key.clone());
        changes[1].put(Table::IndexParts, key.clone(), other.clone());
        changes[2].put(Table::IndexParts, key.clone(), bytes);
        for change in changes {
            grown.survives(change, ROOMY).await;
        }
    }
    let mut all = Batch::new();
    for (key, _) in parts {
        all.delete(Table::IndexParts, key);
    }
    grown.survives(all, ROOMY).await;
}

/// A page that is said to go less far than it does has leaves that are applied again.
#[tokio::test(flavor = "multi_thread")]
async fn pages_that_go_further_than_they_say_are_made_again() {
    let grown = Grown::by(&STEPS).await;
    for (key, row) in rows(&grown.store, Table::IndexPages).into_iter().step_by(3) {
        for through in [0, 1, 7, 400] {
            let mut changes = Batch::new();
            let page = records::page_value(through, &row[8..]);
            changes.put(Table::IndexPages, key.clone(), page);
            changes.put(Table::Meta, INDEX_DOUBTED, Bytes::new());
            changes.delete(Table::Meta, INDEX_THROUGH);
            grown.survives(changes, ROOMY).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_the_pages_go_may_be_unknown_or_wrong() {
    let grown = Grown::by(&STEPS).await;
    let row = grown
        .store
        .get(Table::Meta, INDEX_THROUGH)
        .unwrap()
        .unwrap();
    let (numbers, _) = row.as_chunks::<8>();
    let numbers: [u64; SHARDS] = std::array::from_fn(|at| u64::from_be_bytes(numbers[at]));
    assert_eq!(row.len(), SHARDS * (8 + 32));
    for cache in [0, ROOMY] {
        let mut unknown = Batch::new();
        unknown.delete(Table::Meta, INDEX_THROUGH);
        grown.survives(unknown, cache).await;
        for malformed in [
            &row[..0],
            &row[..7],
            &row[1..],
            &row[..8 * SHARDS],
            &[&row[..], &[0; 8]].concat(),
        ] {
            let mut damaged = Batch::new();
            damaged.put(Table::Meta, INDEX_THROUGH, malformed.to_vec());
            grown.survives(damaged, cache).await;
        }
        let end = numbers.iter().max().unwrap() + 1;
        for number in [0, 1, end - 1, end, end + 1, 1_000_000, u64::MAX] {
            let all = through(&row, &[number; SHARDS]);
            grown.survives(all, cache).await;
            for shard in [0, 7, 15] {
                let mut one = numbers;
                one[shard] = number;
                grown.survives(through(&row, &one), cache).await;
            }
        }
    }
}

/// RocksDB's checksums find this first; what gets past them is found here.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_a_wrong_bit_is_made_again() {
    let grown = Grown::by(&[3, 12, 6]).await;
    let pages = rows(&grown.store, Table::IndexPages);
    let mut at = 0;
    for (key, row) in pages {
        while at < row.len() {
            let mut bytes = row.to_vec();
            bytes[at] ^= 1 << (at % 8);
            let mut damaged = Batch::new();
            damaged.put(Table::IndexPages, key.clone(), bytes);
            grown.survives(damaged, ROOMY).await;
            at += 1;
        }
        at -= row.len();
        let mut cut_off = Batch::new();
        cut_off.put(Table::IndexPages, key.clone(), row.slice(..row.len() / 2));
        grown.survives(cut_off, ROOMY).await;
    }
}

/// Nothing is kept in memory but what is not stored yet.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_without_memory_answers_as_one_with() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let mut running = open_with(create(&checkpoints), &checkpoints, 0).unwrap();
    running.register(&issuer).await;
    for round in 0..6_u64 {
        for step in 0..20 {
            let first = round * 1_000 + step * 10;
            running
                .submit(
                    claims(&issuer, first..first + 1 + step % 5),
                    Wait::Integrated,
                )
                .await
                .unwrap();
        }
        verify_whole(&running).await;
        running = open_with(running.crash().await, &checkpoints, 0).unwrap();
        verify_whole(&running).await;
    }
}

/// Lists that grow beyond their page, and beyond what one answer brings, by one leaf and by many at
/// once. The harness reads them from and to many places.
#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = folder.path().join("checkpoints");
    let issuer = Actor::new(&[1], 1);
    let mut running = open(create(&checkpoints), &checkpoints).unwrap();
    running.register(&issuer).await;
    let mut first = 0;
    for count in [6, 1, 1, 1, 1, 90, 1, 400, 3, 700, 1] {
        running
            .submit(claims(&issuer, first..first + count), Wait::Integrated)
            .await
            .unwrap();
        first += count;
        let whole = verify_whole(&running).await;
        let longest = whole.lists().values().map(Vec::len).max();
        assert_eq!(
            longest,
            Some(first as usize),
            "what the issuer said in one predicate type"
        );
        running = open(running.crash().await, &checkpoints).unwrap();
        verify_whole(&running).await;
    }
    running
        .publish(note(&issuer, 5_000_000), Wait::Integrated)
        .await
        .unwrap();
    verify_whole(&running).await;
    // Each row may be longer after a rebuild, and overlap with the next.
    let store = running.crash().await;
    store
        .commit(without(rows(&store, Table::IndexPages)))
        .unwrap();
    verify_whole(&open(store, &checkpoints).unwrap()).await;
}

//! Indexes with little memory beside one with enough: the same roots, cuts and lists, whatever was
//! evicted, in however many parts a step is done, however often the node starts, and for readers of
//! older maps.

use super::load::{self, Loaded};
use super::{Held, Index, StoredPages, budget, look, shard};
use crate::storage::{Batch, Reads, Table, Tables, memory::Memory};
use assay_claims::index::map::{MapError, Proven};
use assay_claims::index::{Commitment, Label, Map, Prefix, Query};
use assay_tlog::Hash;
use assay_tlog::tree::TreeSize;
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, Ordering};

fn label(n: u64) -> Label {
    Label::from_bytes(*Hash::of(&n.to_be_bytes()).as_bytes())
}

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// An index and its store.
struct Kept {
    store: Memory,
    index: Index,
    bytes: u64,
    /// After how many leaves a part of a step is done; 0 is never.
    advances: u64,
}

impl Kept {
    fn new(bytes: u64) -> Self {
        let mut index = Index::empty(0);
        index.budget = bytes;
        let store = Memory::new();
        Kept {
            store,
            index,
            bytes,
            advances: 0,
        }
    }

    /// The same, of which each step is done in parts.
    fn advancing(bytes: u64) -> Self {
        Kept {
            advances: 2 + bytes % 7,
            ..Kept::new(bytes)
        }
    }

    /// One publish step over these leaves, and its batch.
    fn step(&mut self, from: u64, leaves: &[Vec<Label>]) -> Commitment {
        for (leaf, labels) in (from..).zip(leaves) {
            self.index.add(leaf, labels);
            if self.advances > 0 && leaf % self.advances == 0 {
                self.index.advance(&self.store, leaf + 1).unwrap();
            }
        }
        let size = from + leaves.len() as u64;
        let (commitment, rows) = self.index.step(&self.store, size).unwrap();
        let mut batch = Batch::new();
        rows.write(&mut batch);
        self.store.commit(batch).unwrap();
        self.index.evict();
        commitment
    }

    /// The bytes of the map that are in memory.
    fn in_memory(&self) -> u64 {
        let (first, last) = (Prefix::EMPTY.first(), Prefix::EMPTY.last());
        let mut bytes = 0;
        self.index
            .map()
            .each_part(first, &last, &mut |part| bytes += part.slot().bytes());
        bytes
    }

    /// Starts as after a stop.
    fn stopped(&mut self) {
        self.index.store_all(&self.store).unwrap();
        self.loaded(load::parts(&self.store, self.bytes, ALL).unwrap());
    }

    fn loaded(&mut self, loaded: Loaded) {
        self.index = Index::new(loaded, self.bytes);
    }

    fn prove(&self, map: &Map<Held>, query: &Query) -> Result<Proven, String> {
        let proven = map.prove(query, &StoredPages(&self.store));
        proven.map_err(|error| match error {
            MapError::Read(error) => error.to_string(),
            other => other.to_string(),
        })
    }
}

/// Labels of which pages and parts are split now and then, and lists that grow.
fn leaves(numbers: &mut Numbers, count: u64, most: u64) -> Vec<Vec<Label>> {
    (0..count)
        .map(|_| {
            let common = label(numbers.next(1 + most / 20));
            let long = label(u64::MAX - numbers.next(2));
            vec![label(numbers.next(most)), common, long]
        })
        .collect()
}

fn asked(numbers: &mut Numbers, most: u64) -> Vec<Label> {
    let mut asked: Vec<_> = (0..40).map(|_| label(numbers.next(most + 50))).collect();
    asked.push(label(u64::MAX));
    asked.sort();
    asked.dedup();
    asked
}

/// More leaves than there are.
const ALL: TreeSize = TreeSize::new(u64::MAX);

const BUDGETS: [u64; 5] = [0, 1, 3_000, 40_000, 200_000];

#[test]
fn an_index_with_little_memory_is_the_one_with_enough() {
    let mut numbers = Numbers(1);
    let mut roomy = Kept::new(budget(64));
    let mut tight = BUDGETS.map(Kept::advancing);
    tight[3].advances = 0;
    let (mut size, mut older) = (0, Vec::new());
    for round in 0..60 {
        let most = 200 + 60 * round;
        let new = leaves(&mut numbers, 1 + (round % 7) * 20, most);
        let expected = roomy.step(size, &new);
        for kept in &mut tight {
            assert_eq!(kept.step(size, &new), expected);
            let over = kept.index.resident().saturating_sub(kept.bytes);
            assert_eq!(over, 0, "{} bytes, round {round}", kept.bytes);
            // Whoever reads older maps shares most of them.
            assert!(kept.bytes > 0 || kept.in_memory() == 0, "round {round}");
        }
        size += 1 + new.len() as u64;
        older.push((
            roomy.index.map().clone(),
            tight.each_ref().map(|kept| kept.index.map().clone()),
        ));
        if round % 3 != 0 {
            older.drain(..older.len().saturating_sub(6));
        }
        // Readers of this map and of older ones.
        let query = Query::labels(&asked(&mut numbers, most));
        for (before, maps) in &older {
            let expected = roomy.prove(before, &query).unwrap();
            for (kept, map) in tight.iter().zip(maps) {
                assert_eq!(
                    kept.prove(map, &query),
                    Ok(expected.clone()),
                    "round {round}"
                );
            }
        }
        if round % 5 == 4 {
            // Nobody reads what was before a start.
            older.clear();
            tight.iter_mut().for_each(Kept::stopped);
            for kept in &tight {
                assert_eq!(kept.index.map().commitment(), expected);
                assert_eq!(
                    kept.prove(kept.index.map(), &query),
                    roomy.prove(roomy.index.map(), &query)
                );
            }
        }
    }
    assert!(roomy.index.map().commitment().labels > 1_000);
}

fn rows(store: &Memory, table: Table) -> Vec<(Vec<u8>, Bytes)> {
    store.range(table, &[], &[0xff; 64], usize::MAX).unwrap()
}

/// The stored parts are those of the stored pages at every moment, so that a start after a crash
/// needs no page to make them.
#[test]
fn stored_parts_are_those_of_the_stored_pages_at_every_step() {
    let mut numbers = Numbers(2);
    for mut kept in BUDGETS
        .into_iter()
        .flat_map(|it| [Kept::new(it), Kept::advancing(it)])
    {
        let mut size = 0;
        for round in 0..40 {
            let new = leaves(&mut numbers, 1 + round % 30, 100 + 40 * round);
            kept.step(size, &new);
            size += 1 + new.len() as u64;
            let crashed = kept.store.crash();
            let before = rows(&crashed, Table::IndexParts);
            let loaded = load::pages(&crashed, 0, ALL).unwrap();
            assert_eq!(rows(&crashed, Table::IndexParts), before, "round {round}");
            let parts = load::parts(&crashed, 0, ALL).unwrap();
            assert_eq!(shard::row(&parts.shards), shard::row(&loaded.shards));
            assert_eq!(parts.map.commitment(), loaded.map.commitment());
            if kept.bytes == 0 {
                assert_eq!(loaded.map.commitment(), kept.index.map().commitment());
            }
        }
    }
}

/// A part that is gone, another one, or too many: the parts follow from the pages.
#[test]
fn parts_are_mended_from_the_pages() {
    let mut numbers = Numbers(3);
    let mut kept = Kept::new(0);
    kept.step(0, &leaves(&mut numbers, 900, 3_000));
    let parts = rows(&kept.store, Table::IndexParts);
    assert!(parts.len() > 5, "{} parts", parts.len());
    for (at, (key, row)) in parts.iter().enumerate() {
        let mut changes = [Batch::new(), Batch::new(), Batch::new(), Batch::new()];
        changes[0].delete(Table::IndexParts, key.clone());
        let mut bytes = row.to_vec();
        bytes[at] ^= 1;
        changes[1].put(Table::IndexParts, key.clone(), bytes);
        let mut longer = key.clone();
        longer[33] += 1;
        changes[2].put(Table::IndexParts, longer, row.clone());
        let (other, _) = &parts[(at + 1) % parts.len()];
        changes[3].put(Table::IndexParts, other.clone(), row.clone());
        for batch in changes {
            let store = kept.store.crash();
            store.commit(batch).unwrap();
            assert!(load::parts(&store, 0, ALL).is_err(), "part {at}");
            let loaded = load::pages(&store, 0, ALL).unwrap();
            assert_eq!(loaded.map.commitment(), kept.index.map().commitment());
            assert_eq!(rows(&store, Table::IndexParts), parts);
            assert!(load::parts(&store, 0, ALL).is_ok(), "part {at}");
        }
    }
}

/// What is wrong with a page is noticed when it is read: no proof and no step is made of it, and
/// the store says so to the next start.
#[test]
fn a_page_that_is_not_as_its_part_says_is_an_error() {
    let mut numbers = Numbers(4);
    let mut kept = Kept::new(0);
    let known = leaves(&mut numbers, 300, 900);
    kept.step(0, &known);
    kept.stopped();
    let pages = rows(&kept.store, Table::IndexPages);
    let all: Vec<Label> = {
        let mut all: Vec<_> = known.iter().flatten().copied().collect();
        all.sort();
        all.dedup();
        all
    };
    let query = Query::labels(&all);
    assert!(kept.prove(kept.index.map(), &query).is_ok());
    for (at, (key, row)) in pages.iter().enumerate().step_by(3) {
        let mut bytes = row.to_vec();
        let bit = bytes.len() - 1 - at % (bytes.len() - 8);
        bytes[bit] ^= 1;
        let mut changes = [Batch::new(), Batch::new()];
        changes[0].put(Table::IndexPages, key.clone(), bytes);
        changes[1].delete(Table::IndexPages, key.clone());
        for batch in changes {
            let mut other = Kept::new(0);
            other.store = kept.store.crash();
            other.store.commit(batch).unwrap();
            other.loaded(load::parts(&other.store, 0, ALL).unwrap());
            assert!(!load::is_doubted(&other.store).unwrap());
            assert!(other.prove(other.index.map(), &query).is_err(), "page {at}");
            other.index.store_all(&other.store).unwrap();
            assert!(load::is_doubted(&other.store).unwrap(), "a proof found it");
            load::end_doubt(&other.store).unwrap();
            assert!(!load::is_doubted(&other.store).unwrap());
            for (leaf, labels) in (301..).zip(&known) {
                other.index.add(leaf, labels);
            }
            assert!(other.index.step(&other.store, 700).is_err(), "page {at}");
            assert!(load::is_doubted(&other.store).unwrap(), "a step found it");
        }
    }
}

/// Whether a look at all parts and pages finds anything.
fn is_wrong(store: &Memory) -> bool {
    let (mut from, mut wrong) = (Some(Vec::new()), false);
    while let Some(key) = from {
        let looked = look(store, &key).unwrap();
        wrong |= !looked.wrong.is_empty();
        from = looked.next;
    }
    wrong
}

/// Every page and every part counts.
#[test]
fn a_look_finds_what_is_not_as_it_was_written() {
    let mut numbers = Numbers(6);
    let mut kept = Kept::new(0);
    kept.step(0, &leaves(&mut numbers, 6_000, 60_000));
    assert!(!is_wrong(&kept.store));
    assert!(
        rows(&kept.store, Table::IndexParts).len() > 40,
        "several looks"
    );
    for table in [Table::IndexPages, Table::IndexParts] {
        let all = rows(&kept.store, table).into_iter().enumerate();
        for (at, (key, row)) in all.step_by(3) {
            let mut bytes = row.to_vec();
            let length = bytes.len();
            bytes[at % length] ^= 1;
            let store = kept.store.crash();
            let mut batch = Batch::new();
            batch.put(table, key, bytes);
            store.commit(batch).unwrap();
            assert!(is_wrong(&store), "{table:?} {at}");
        }
    }
    let all = rows(&kept.store, Table::IndexPages).into_iter().enumerate();
    for (at, (key, _)) in all.step_by(7) {
        let store = kept.store.crash();
        let mut batch = Batch::new();
        batch.delete(Table::IndexPages, key);
        store.commit(batch).unwrap();
        assert!(is_wrong(&store), "page {at} is gone");
    }
}

/// Says that something has ended, also where it failed.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Parts that are stored between two reads of a look are not taken for damage.
#[test]
fn the_index_may_be_written_while_it_is_looked_at() {
    let mut numbers = Numbers(7);
    let mut kept = Kept::new(0);
    kept.step(0, &leaves(&mut numbers, 900, 4_000));
    let Kept {
        store, mut index, ..
    } = kept;
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let looking = threads.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                assert!(!is_wrong(&store), "look {looks}");
                looks += 1;
            }
            looks
        });
        let ends = Ends(&done);
        let mut size = 901;
        for _ in 0..150 {
            for (leaf, labels) in (size..).zip(leaves(&mut numbers, 40, 4_000)) {
                index.add(leaf, &labels);
            }
            let (_, rows) = index.step(&store, size + 40).unwrap();
            let mut batch = Batch::new();
            rows.write(&mut batch);
            store.commit(batch).unwrap();
            index.evict();
            size += 41;
        }
        drop(ends);
        assert!(looking.join().unwrap() > 3);
    });
}

/// What no hash covers: how far a page or a part is said to go.
#[test]
fn a_page_that_is_said_to_have_leaves_that_are_not_there_is_refused() {
    let mut numbers = Numbers(8);
    let mut kept = Kept::new(0);
    kept.step(0, &leaves(&mut numbers, 60, 300));
    let size = TreeSize::new(60);
    assert!(load::pages(&kept.store.crash(), 0, size).is_ok());
    assert!(load::parts(&kept.store, 0, size).is_ok());
    let below = TreeSize::new(59);
    assert!(load::pages(&kept.store.crash(), 0, below).is_err());
    assert!(load::parts(&kept.store, 0, below).is_err());
    for (key, row) in rows(&kept.store, Table::IndexPages) {
        let mut bytes = row.to_vec();
        bytes[2] = 1;
        let store = kept.store.crash();
        let mut batch = Batch::new();
        batch.put(Table::IndexPages, key, bytes);
        store.commit(batch).unwrap();
        assert!(load::pages(&store, 0, size).is_err());
    }
}

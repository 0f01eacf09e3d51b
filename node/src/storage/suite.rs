//! Checks of the duties that the storage traits state. Every backend must pass every check.
//!
//! They are in the library and not in a test, so that a backend outside this crate can run them
//! too. A check panics on the first duty that is not done. Faults that only one backend can have
//! (damaged files, a second process) are tested beside that backend.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a check reports by panicking"
)]

use super::{Batch, Blobs, Head, Reads, StorageError, Store, Table, Tables};
use assay_tlog::Hash;
use bytes::Bytes;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

/// A backend to be checked: it makes the stores.
pub trait Subject {
    /// Its store.
    type Store: Store;

    /// Returns a new, empty store.
    fn create(&mut self) -> Self::Store;

    /// Ends `store`, the one made last, as a crash would, and opens again what is left.
    fn reopen(&mut self, store: Self::Store) -> Self::Store;
}

/// Runs every check, each on a store of its own.
pub fn run<S: Subject>(subject: &mut S) {
    a_new_store_is_empty(&subject.create());
    what_is_committed_is_read_in_its_own_table(&subject.create());
    later_changes_in_a_batch_win(&subject.create());
    at_or_before_finds_the_nearest_key_below(&subject.create());
    ranges_are_half_open_ordered_and_limited(&subject.create());
    the_head_moves_only_from_what_was_expected(&subject.create());
    exactly_one_of_many_racing_writers_moves_the_head(&subject.create());
    readers_never_see_part_of_a_batch(&subject.create());
    large_values_come_back_whole(&subject.create());
    blobs_are_stored_under_their_own_digest(&subject.create());
    blobs_that_are_not_what_they_say_leave_nothing(&subject.create());
    everything_survives_a_restart(subject);
}

fn a_new_store_is_empty(store: &impl Store) {
    assert_eq!(store.head().unwrap(), None);
    for table in Table::ALL {
        assert_eq!(store.get(table, b"").unwrap(), None);
        assert_eq!(store.at_or_before(table, b"\xff").unwrap(), None);
        assert_eq!(store.range(table, b"", b"\xff", 10).unwrap(), []);
        assert_eq!(
            store.multi_get(table, &[]).unwrap(),
            [] as [Option<Bytes>; 0]
        );
    }
    store.commit(Batch::new()).unwrap();
    assert_eq!(store.head().unwrap(), None);
}

fn what_is_committed_is_read_in_its_own_table(store: &impl Store) {
    let mut batch = Batch::new();
    for table in Table::ALL {
        batch.put(table, *b"key", table.name());
    }
    batch
        .put(Table::Meta, *b"", "empty key")
        .put(Table::Meta, *b"empty value", "");
    store.commit(batch).unwrap();
    for table in Table::ALL {
        assert_eq!(store.get(table, b"key").unwrap().unwrap(), table.name());
    }
    let asked = [
        b"key".to_vec(),
        b"none".to_vec(),
        b"".to_vec(),
        b"key".to_vec(),
        b"empty value".to_vec(),
    ];
    let found = store.multi_get(Table::Meta, &asked).unwrap();
    let wanted: [Option<&[u8]>; 5] = [
        Some(b"meta"),
        None,
        Some(b"empty key"),
        Some(b"meta"),
        Some(b""),
    ];
    assert_eq!(
        found.iter().map(|v| v.as_deref()).collect::<Vec<_>>(),
        wanted,
        "in the order asked for"
    );

    let mut batch = Batch::new();
    batch
        .delete(Table::Meta, *b"key")
        .delete(Table::Meta, *b"never there");
    store.commit(batch).unwrap();
    assert_eq!(store.get(Table::Meta, b"key").unwrap(), None);
    assert_eq!(
        store.get(Table::Tiles, b"key").unwrap().unwrap(),
        "tiles",
        "other tables keep theirs"
    );
}

fn later_changes_in_a_batch_win(store: &impl Store) {
    let mut batch = Batch::new();
    batch
        .put(Table::Tiles, *b"a", "first")
        .put(Table::Tiles, *b"a", "second");
    batch
        .put(Table::Tiles, *b"b", "put")
        .delete(Table::Tiles, *b"b");
    batch
        .delete(Table::Tiles, *b"c")
        .put(Table::Tiles, *b"c", "put");
    store.commit(batch).unwrap();
    assert_eq!(store.get(Table::Tiles, b"a").unwrap().unwrap(), "second");
    assert_eq!(store.get(Table::Tiles, b"b").unwrap(), None);
    assert_eq!(store.get(Table::Tiles, b"c").unwrap().unwrap(), "put");
}

/// Puts the two-byte keys 0002, 0004 … 0200 (hex), each with itself as its value.
fn put_even_keys(store: &impl Store) {
    let mut batch = Batch::new();
    for n in 1..=256_u16 {
        let key = (2 * n).to_be_bytes();
        batch.put(Table::Segments, key, key.to_vec());
    }
    // Neighbors in the alphabet of tables must not show.
    batch
        .put(Table::Tiles, *b"\0\0", "")
        .put(Table::Tiles, *b"\xff", "");
    store.commit(batch).unwrap();
}

fn at_or_before_finds_the_nearest_key_below(store: &impl Store) {
    put_even_keys(store);
    for n in 0..=600_u16 {
        let found = store
            .at_or_before(Table::Segments, &n.to_be_bytes())
            .unwrap();
        let wanted = if n < 2 {
            None
        } else {
            Some((n & !1).min(512).to_be_bytes())
        };
        assert_eq!(
            found.map(|(key, _)| key),
            wanted.map(|key| key.to_vec()),
            "at or before {n}"
        );
    }
    assert_eq!(store.at_or_before(Table::Segments, b"").unwrap(), None);
    let (key, value) = store
        .at_or_before(Table::Segments, b"\0\x04\0")
        .unwrap()
        .unwrap();
    assert_eq!(
        (&key[..], &value[..]),
        (&b"\0\x04"[..], &b"\0\x04"[..]),
        "a longer key comes after its prefix"
    );
}

fn ranges_are_half_open_ordered_and_limited(store: &impl Store) {
    put_even_keys(store);
    for from in 0..12_u16 {
        for to in 0..12_u16 {
            for limit in 0..6 {
                let found = store
                    .range(
                        Table::Segments,
                        &from.to_be_bytes(),
                        &to.to_be_bytes(),
                        limit,
                    )
                    .unwrap();
                let wanted = (from..to).filter(|n| *n > 0 && n % 2 == 0).take(limit);
                let wanted: Vec<_> = wanted
                    .map(|n| {
                        (
                            n.to_be_bytes().to_vec(),
                            Bytes::copy_from_slice(&n.to_be_bytes()),
                        )
                    })
                    .collect();
                assert_eq!(found, wanted, "[{from}, {to}) at most {limit}");
            }
        }
    }
    assert_eq!(
        store
            .range(Table::Segments, b"", b"\xff", usize::MAX)
            .unwrap()
            .len(),
        256
    );
}

fn the_head_moves_only_from_what_was_expected(store: &impl Store) {
    let attempt = |expected: Option<&[u8]>, new: &str| {
        let mut batch = Batch::new();
        batch
            .put(Table::Meta, *b"last", new.to_owned())
            .with_head(expected.map(<[u8]>::to_vec), new.into());
        store.commit(batch)
    };
    assert!(
        matches!(attempt(Some(b""), "no"), Err(StorageError::HeadMoved)),
        "an empty head is not no head"
    );
    assert_eq!(
        store.get(Table::Meta, b"last").unwrap(),
        None,
        "a refused batch leaves nothing"
    );
    attempt(None, "1").unwrap();
    assert!(matches!(attempt(None, "no"), Err(StorageError::HeadMoved)));
    assert!(matches!(
        attempt(Some(b"0"), "no"),
        Err(StorageError::HeadMoved)
    ));
    attempt(Some(b"1"), "2").unwrap();
    assert!(matches!(
        attempt(Some(b"1"), "no"),
        Err(StorageError::HeadMoved)
    ));
    assert_eq!(store.head().unwrap().unwrap(), b"2");
    assert_eq!(store.get(Table::Meta, b"last").unwrap().unwrap(), "2");

    let mut batch = Batch::new();
    batch.put(Table::Meta, *b"beside", "");
    store.commit(batch).unwrap();
    assert_eq!(
        store.head().unwrap().unwrap(),
        b"2",
        "a batch without a head leaves it"
    );
    attempt(Some(b"2"), "3").unwrap();
}

fn exactly_one_of_many_racing_writers_moves_the_head(store: &impl Store) {
    for round in 0..20_u8 {
        let expected = store.head().unwrap();
        let won: Vec<u8> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4_u8)
                .map(|writer| {
                    let expected = expected.clone();
                    scope.spawn(move || {
                        let mut batch = Batch::new();
                        batch
                            .put(Table::Meta, [round, writer], "")
                            .with_head(expected, vec![round, writer]);
                        match store.commit(batch) {
                            Ok(()) => Some(writer),
                            Err(StorageError::HeadMoved) => None,
                            Err(e) => panic!("{e}"),
                        }
                    })
                })
                .collect();
            writers
                .into_iter()
                .filter_map(|writer| writer.join().unwrap())
                .collect()
        });
        assert_eq!(won.len(), 1);
        assert_eq!(store.head().unwrap().unwrap(), [round, won[0]]);
        assert_eq!(
            store
                .range(Table::Meta, &[round], &[round + 1], 9)
                .unwrap()
                .len(),
            1
        );
    }
}

fn readers_never_see_part_of_a_batch(store: &impl Store) {
    let done = AtomicBool::new(false);
    let commit = |n: u64| {
        let value = n.to_be_bytes().to_vec();
        let mut batch = Batch::new();
        batch
            .put(Table::Claims, *b"a", value.clone())
            .put(Table::Meta, *b"y", value.clone())
            .put(Table::Meta, *b"z", value.clone());
        let expected = (n > 0).then(|| (n - 1).to_be_bytes().to_vec());
        batch.with_head(expected, value);
        store.commit(batch).unwrap();
    };
    commit(0);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(Ordering::Acquire) || looks == 0 {
                let a = || store.get(Table::Claims, b"a").unwrap().unwrap();
                let z = || store.get(Table::Meta, b"z").unwrap().unwrap();
                let head = || Bytes::from(store.head().unwrap().unwrap());
                // What is read later is of the same batch or of a later one, in every order.
                let ascending = [a(), z(), head(), z(), a(), head(), a()];
                assert!(ascending.is_sorted(), "{ascending:?}");
                let keys = [b"y".to_vec(), b"z".to_vec()];
                let together = store.multi_get(Table::Meta, &keys).unwrap();
                assert!(together[0].is_some() && together[0] == together[1]);
                let ranged = store.range(Table::Meta, b"y", b"zz", 9).unwrap();
                assert!(ranged.len() == 2 && ranged[0].1 == ranged[1].1);
                looks += 1;
            }
        });
        for n in 1..=100 {
            commit(n);
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
}

fn large_values_come_back_whole(store: &impl Store) {
    // Neither compressible nor aligned to anything.
    let value = |size: usize| -> Vec<u8> {
        (0_u64..)
            .flat_map(|n| *Hash::of(&n.to_be_bytes()).as_bytes())
            .take(size)
            .collect()
    };
    let sizes = [0, 1, 4095, 32 * 1024, 32 * 1024 + 7, 256 * 1024, 300_001];
    let mut batch = Batch::new();
    for (n, size) in sizes.into_iter().enumerate() {
        batch.put(Table::Segments, (n as u64).to_be_bytes(), value(size));
    }
    store.commit(batch).unwrap();
    for (n, size) in sizes.into_iter().enumerate() {
        assert!(
            store
                .get(Table::Segments, &(n as u64).to_be_bytes())
                .unwrap()
                .unwrap()
                == value(size),
            "{size} bytes"
        );
    }
}

/// Gives one byte at a time, so that nothing may rely on reads being full.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let few = buffer.len().min(1 + self.0.len() % 7);
        self.0.read(&mut buffer[..few])
    }
}

fn read_blob(store: &impl Store, key: &Hash) -> Option<Vec<u8>> {
    let mut reader = store.open(key).unwrap()?;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(reader.size(), bytes.len() as u64);
    Some(bytes)
}

fn blobs_are_stored_under_their_own_digest(store: &impl Store) {
    for size in [0, 1, 65_536, 200_000] {
        let blob = vec![b'x'; size];
        let key = Hash::of(&blob);
        assert_eq!(read_blob(store, &key), None);
        assert!(
            !store.put(&key, &mut Dribble(&blob), size as u64).unwrap(),
            "it was not there before"
        );
        assert!(
            store.put(&key, &mut Dribble(&blob), size as u64).unwrap(),
            "it was there already"
        );
        assert!(read_blob(store, &key).unwrap() == blob);
    }
}

fn blobs_that_are_not_what_they_say_leave_nothing(store: &impl Store) {
    let blob = b"content".as_slice();
    let key = Hash::of(blob);
    let other = Hash::of(b"other");
    let put = |key: &Hash, mut bytes: &[u8], size: u64| store.put(key, &mut bytes, size);
    match put(&other, blob, 7) {
        Err(StorageError::WrongDigest { expected, found }) => {
            assert_eq!((expected, found), (other, key))
        }
        wrong => panic!("{wrong:?}"),
    }
    assert!(matches!(
        put(&key, blob, 6),
        Err(StorageError::WrongSize { more: true, .. })
    ));
    assert!(matches!(
        put(&key, blob, 8),
        Err(StorageError::WrongSize { more: false, .. })
    ));
    let mut broken = blob.chain(Broken);
    assert!(matches!(
        store.put(&key, &mut broken, 8),
        Err(StorageError::Source(_))
    ));
    for key in [key, other] {
        assert_eq!(read_blob(store, &key), None);
    }
    assert!(
        !put(&key, blob, 7).unwrap(),
        "what failed before does not stand in the way"
    );
    assert!(matches!(
        put(&key, b"contents", 8),
        Err(StorageError::WrongDigest { .. })
    ));
    assert_eq!(
        read_blob(store, &key).unwrap(),
        blob,
        "a blob never changes"
    );
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }
}

fn everything_survives_a_restart<S: Subject>(subject: &mut S) {
    let mut store = subject.create();
    let blob = b"attachment".as_slice();
    let key = Hash::of(blob);
    store.put(&key, &mut &blob[..], 10).unwrap();
    for n in 0..30_u64 {
        let mut batch = Batch::new();
        batch
            .put(
                Table::Segments,
                n.to_be_bytes(),
                vec![n as u8; 1000 * n as usize],
            )
            .put(Table::Tiles, *b"edge", n.to_string());
        batch.with_head(
            (n > 0).then(|| (n - 1).to_string().into()),
            n.to_string().into(),
        );
        store.commit(batch).unwrap();
        if n % 3 == 0 {
            store = subject.reopen(store);
            assert_eq!(store.head().unwrap().unwrap(), n.to_string().as_bytes());
            assert_eq!(
                store.get(Table::Tiles, b"edge").unwrap().unwrap(),
                n.to_string()
            );
        }
    }
    store = subject.reopen(store);
    let found = store.range(Table::Segments, b"", b"\xff", 100).unwrap();
    let wanted = (0..30_u64).map(|n| {
        (
            n.to_be_bytes().to_vec(),
            Bytes::from(vec![n as u8; 1000 * n as usize]),
        )
    });
    assert!(found.into_iter().eq(wanted));
    assert_eq!(read_blob(&store, &key).unwrap(), blob);
}

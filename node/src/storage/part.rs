//! A part of a store: the rows whose keys begin with a prefix of 32 bytes, seen as a store of their
//! own.
//!
//! A mirrored log is kept so, under the SHA-256 of its origin, in the same rows as a node's own log
//! ([`records`](crate::records)): what works on the one works on the other. For that a part may be
//! all of a store, too.
//!
//! Left out: blobs. A part keeps rows only.

use super::{Batch, Change, Head, Reads, StorageError, Table, Tables};
use assay_tlog::Hash;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

/// What the row of `Meta` begins with that holds the head of a part, before the prefix.
const HEAD: &[u8] = b"head/";

/// The rows of a store whose keys begin with a prefix, without that prefix; or all of them.
///
/// Clones are the same part. There must be no other one with the same prefix that moves its head.
pub struct Part<S: ?Sized> {
    store: Arc<S>,
    /// None for all rows, with the store's own head.
    prefix: Option<Hash>,
    /// Held while the head is compared and moved.
    moving: Arc<Mutex<()>>,
}

impl<S: ?Sized> Clone for Part<S> {
    fn clone(&self) -> Self {
        Part {
            store: self.store.clone(),
            prefix: self.prefix,
            moving: self.moving.clone(),
        }
    }
}

impl<S: ?Sized> std::fmt::Debug for Part<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Part").field(&self.prefix).finish()
    }
}

impl<S: ?Sized> Part<S> {
    /// The rows of `store` under `prefix`.
    pub fn new(store: Arc<S>, prefix: Hash) -> Self {
        Part {
            store,
            prefix: Some(prefix),
            moving: Arc::default(),
        }
    }

    /// All of `store`.
    pub fn all(store: Arc<S>) -> Self {
        Part {
            store,
            prefix: None,
            moving: Arc::default(),
        }
    }

    /// The store that it is a part of.
    pub fn whole(&self) -> &Arc<S> {
        &self.store
    }

    /// What its keys begin with in that store.
    fn prefix(&self) -> &[u8] {
        self.prefix.as_ref().map_or(&[], |prefix| prefix.as_bytes())
    }

    /// Adds the changes of `own`, which is of this part, to a batch of the whole store, so that
    /// they are committed with others. A head in it is left out.
    pub fn append(&self, own: Batch, batch: &mut Batch) {
        batch
            .changes
            .extend(own.changes.into_iter().map(|change| Change {
                key: self.key(&change.key),
                ..change
            }));
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        [self.prefix(), key].concat()
    }

    /// The key within the part, of a row of the part.
    fn own_key(&self, mut key: Vec<u8>) -> Vec<u8> {
        key.drain(..self.prefix().len().min(key.len()));
        key
    }

    fn head_key(&self) -> Vec<u8> {
        [HEAD, self.prefix()].concat()
    }
}

impl<S: Head + Reads + ?Sized> Head for Part<S> {
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
        if self.prefix.is_none() {
            return self.store.head();
        }
        let row = self.store.get(Table::Meta, &self.head_key())?;
        Ok(row.map(|row| row.to_vec()))
    }
}

impl<S: Reads + ?Sized> Reads for Part<S> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.store.get(table, &self.key(key))
    }

    fn multi_get(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>, StorageError> {
        let keys: Vec<_> = keys.iter().map(|key| self.key(key)).collect();
        self.store.multi_get(table, &keys)
    }

    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
        let found = self.store.at_or_before(table, &self.key(key))?;
        let own = found.filter(|(key, _)| key.starts_with(self.prefix()));
        Ok(own.map(|(key, value)| (self.own_key(key), value)))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError> {
        let (from, to) = (self.key(from), self.key(to));
        let mut rows = self.store.range(table, &from, &to, limit)?;
        for (key, _) in &mut rows {
            *key = self.own_key(std::mem::take(key));
        }
        Ok(rows)
    }
}

impl<S: Tables + ?Sized> Tables for Part<S> {
    fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        if self.prefix.is_none() {
            return self.store.commit(batch);
        }
        let mut whole = Batch::new();
        let head = batch.head.clone();
        self.append(batch, &mut whole);
        let Some(head) = head else {
            return self.store.commit(whole);
        };
        let _alone = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        if self.head()? != head.expected {
            return Err(StorageError::HeadMoved);
        }
        whole.put(Table::Meta, self.head_key(), head.new);
        self.store.commit(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory::Memory;
    use crate::storage::suite::{self, Subject};
    use crate::storage::{BlobReader, Blobs};
    use std::io::Read;

    /// A part between neighbors whose rows must never show. Blobs, which a part has not, are the
    /// whole store's.
    struct Between(Part<Memory>);

    impl Between {
        fn new(store: Arc<Memory>) -> Self {
            Between(Part::new(store, Hash::new([7; 32])))
        }
    }

    impl Head for Between {
        fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
            self.0.head()
        }
    }

    impl Reads for Between {
        fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
            self.0.get(table, key)
        }

        fn multi_get(
            &self,
            table: Table,
            keys: &[Vec<u8>],
        ) -> Result<Vec<Option<Bytes>>, StorageError> {
            self.0.multi_get(table, keys)
        }

        fn at_or_before(
            &self,
            table: Table,
            key: &[u8],
        ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
            self.0.at_or_before(table, key)
        }

        fn range(
            &self,
            table: Table,
            from: &[u8],
            to: &[u8],
            limit: usize,
        ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError> {
            self.0.range(table, from, to, limit)
        }
    }

    impl Tables for Between {
        fn commit(&self, batch: Batch) -> Result<(), StorageError> {
            self.0.commit(batch)
        }
    }

    impl Blobs for Between {
        fn put(&self, key: &Hash, bytes: &mut dyn Read, size: u64) -> Result<bool, StorageError> {
            self.0.whole().put(key, bytes, size)
        }

        fn open(&self, key: &Hash) -> Result<Option<BlobReader>, StorageError> {
            self.0.whole().open(key)
        }

        fn size(&self, key: &Hash) -> Result<Option<u64>, StorageError> {
            self.0.whole().size(key)
        }

        fn each(&self, visit: &mut dyn FnMut(Hash, u64)) -> Result<(), StorageError> {
            self.0.whole().each(visit)
        }

        fn free(&self) -> Result<u64, StorageError> {
            self.0.whole().free()
        }
    }

    struct InMemory;

    impl Subject for InMemory {
        type Store = Between;

        fn create(&mut self) -> Between {
            let store = Arc::new(Memory::new());
            for neighbor in [6, 8] {
                let beside = Part::new(store.clone(), Hash::new([neighbor; 32]));
                let mut batch = Batch::new();
                for table in Table::ALL {
                    for key in [&b""[..], b"\0", b"key", b"\xff\xff"] {
                        batch.put(table, key, "a neighbor's");
                    }
                }
                batch.with_head(None, b"a neighbor's".to_vec());
                beside.commit(batch).unwrap();
            }
            Between::new(store)
        }

        fn reopen(&mut self, store: Between) -> Between {
            Between::new(Arc::new(store.0.whole().crash()))
        }
    }

    #[test]
    fn a_part_passes_the_suite() {
        suite::run(&mut InMemory);
    }

    struct All;

    impl Subject for All {
        type Store = Between;

        fn create(&mut self) -> Between {
            Between(Part::all(Arc::new(Memory::new())))
        }

        fn reopen(&mut self, store: Between) -> Between {
            Between(Part::all(Arc::new(store.0.whole().crash())))
        }
    }

    #[test]
    fn all_of_a_store_passes_the_suite() {
        suite::run(&mut All);
    }

    #[test]
    fn changes_of_a_part_are_committed_with_others() {
        let store = Arc::new(Memory::new());
        let part = Part::new(store.clone(), Hash::new([1; 32]));
        let mut own = Batch::new();
        own.put(Table::Meta, *b"a", "own")
            .delete(Table::Tiles, *b"b");
        let mut batch = Batch::new();
        batch.put(Table::Meta, *b"a", "beside");
        part.append(own, &mut batch);
        store.commit(batch).unwrap();
        assert_eq!(part.get(Table::Meta, b"a").unwrap().unwrap(), "own");
        assert_eq!(store.get(Table::Meta, b"a").unwrap().unwrap(), "beside");
    }
}

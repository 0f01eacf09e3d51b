//! A store in memory with a crash model, for tests.
//!
//! It keeps two states apart: what reads see, and what a restart would find on the disk. A sound
//! commit moves both. A [`Fault`] lets the next commit move only one of them, which is how a write
//! can fail in both directions, and how a disk can lie. [`Memory::crash`] gives the store that a
//! restart would open.
//!
//! Left out: faults of blobs, and damage to what was written. The disk tests of
//! [`rocks`](super::rocks) cover that.

use super::{Batch, BlobReader, Blobs, Head, Reads, StorageError, Table, Tables, files};
use assay_tlog::Hash;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong with the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and a restart will not find the batch.
    NotPersisted,
    /// It fails, but a restart will find the batch.
    PersistedButFailed,
    /// It fails with [`StorageError::DiskFull`], and a restart will not find the batch.
    DiskFull,
    /// It succeeds, but the disk lies: a restart will find neither this batch nor any later one.
    /// This breaks the duty of [`Tables::commit`], as a damaged log file does. The checkpoint file
    /// is there to notice it.
    AcknowledgedButLost,
}

/// A store that is gone when it is dropped. Share it in an `Arc`; [`Memory::crash`] makes an
/// independent one.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What reads see.
    seen: Arc<Maps>,
    /// What a restart finds, where that is something else.
    on_disk: Option<Arc<Maps>>,
    /// The fault to come, and how many sound commits come before it.
    fault: Option<(u32, Fault)>,
    poisoned: bool,
    blobs: BTreeMap<Hash, Bytes>,
}

#[derive(Clone, Debug, Default)]
struct Maps {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Bytes>>,
    head: Option<Vec<u8>>,
}

impl Memory {
    /// Returns an empty store.
    pub fn new() -> Self {
        Memory::default()
    }

    /// Lets `fault` happen to the next commit that is not refused for its head.
    pub fn fail_next_commit(&self, fault: Fault) {
        self.fail_commit_after(0, fault);
    }

    /// The same for the commit that comes after so many sound ones.
    pub fn fail_commit_after(&self, sound: u32, fault: Fault) {
        self.state().fault = Some((sound, fault));
    }

    /// Returns the store that a restart after a crash at this moment would open. This one goes on
    /// as it is.
    pub fn crash(&self) -> Memory {
        let state = self.state();
        let found = state.on_disk.as_ref().unwrap_or(&state.seen);
        let after = State {
            seen: Arc::clone(found),
            blobs: state.blobs.clone(),
            ..State::default()
        };
        Memory {
            state: Mutex::new(after),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code below leaves the state half changed, so it is whole even if a test panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Maps {
    fn apply(&mut self, batch: Batch) {
        for change in batch.changes {
            let table = self.tables.entry(change.table).or_default();
            match change.value {
                Some(value) => table.insert(change.key, value),
                None => table.remove(&change.key),
            };
        }
        if let Some(head) = batch.head {
            self.head = Some(head.new);
        }
    }
}

impl Head for Maps {
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.head.clone())
    }
}

impl Reads for Maps {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        Ok(self.tables.get(&table).and_then(|t| t.get(key)).cloned())
    }

    fn multi_get(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>, StorageError> {
        keys.iter().map(|key| self.get(table, key)).collect()
    }

    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
        let up_to = (Bound::Unbounded, Bound::Included(key));
        let found = self
            .tables
            .get(&table)
            .and_then(|t| t.range::<[u8], _>(up_to).next_back());
        Ok(found.map(|(k, v)| (k.clone(), v.clone())))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let within = (Bound::Included(from), Bound::Excluded(to));
        let found = self
            .tables
            .get(&table)
            .into_iter()
            .flat_map(|t| t.range::<[u8], _>(within));
        Ok(found
            .take(limit)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect())
    }
}

impl Head for Memory {
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.state().seen.head()
    }
}

impl Reads for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.state().seen.get(table, key)
    }

    fn multi_get(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>, StorageError> {
        self.state().seen.multi_get(table, keys)
    }

    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
        self.state().seen.at_or_before(table, key)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError> {
        self.state().seen.range(table, from, to, limit)
    }
}

impl Tables for Memory {
    fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let mut state = self.state();
        if state.poisoned {
            return Err(StorageError::Poisoned);
        }
        if !batch.fits(state.seen.head.as_deref()) {
            return Err(StorageError::HeadMoved);
        }
        let fault = match &mut state.fault {
            Some((sound @ 1.., _)) => {
                *sound -= 1;
                None
            }
            due => due.take().map(|(_, fault)| fault),
        };
        let reported = match fault {
            None => Ok(()),
            Some(Fault::AcknowledgedButLost) => {
                let before = Arc::clone(&state.seen);
                state.on_disk.get_or_insert(before);
                Ok(())
            }
            Some(fault) => {
                state.poisoned = true;
                Err(injected(fault))
            }
        };
        if reported.is_ok() {
            Arc::make_mut(&mut state.seen).apply(batch);
        } else if fault == Some(Fault::PersistedButFailed) && state.on_disk.is_none() {
            let mut after = Maps::clone(&state.seen);
            after.apply(batch);
            state.on_disk = Some(Arc::new(after));
        }
        reported
    }
}

fn injected(fault: Fault) -> StorageError {
    let path = PathBuf::from("memory");
    match fault {
        Fault::DiskFull => StorageError::DiskFull {
            path,
            source: io::ErrorKind::StorageFull.into(),
        },
        _ => StorageError::Io {
            doing: "commit to",
            path,
            source: io::Error::other("a fault that a test asked for"),
        },
    }
}

impl Blobs for Memory {
    fn put(&self, key: &Hash, bytes: &mut dyn Read, size: u64) -> Result<bool, StorageError> {
        if self
            .state()
            .blobs
            .get(key)
            .is_some_and(|blob| blob.len() as u64 == size)
        {
            return Ok(true);
        }
        let mut blob = Vec::new();
        files::copy_checked(key, bytes, size, |piece| {
            blob.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(self.state().blobs.insert(*key, blob.into()).is_some())
    }

    fn open(&self, key: &Hash) -> Result<Option<BlobReader>, StorageError> {
        let found = self.state().blobs.get(key).cloned();
        Ok(found.map(|blob| BlobReader::new(blob.len() as u64, Cursor::new(blob))))
    }

    fn size(&self, key: &Hash) -> Result<Option<u64>, StorageError> {
        Ok(self.state().blobs.get(key).map(|blob| blob.len() as u64))
    }

    fn each(&self, visit: &mut dyn FnMut(Hash, u64)) -> Result<(), StorageError> {
        let blobs = self.state().blobs.clone();
        blobs
            .iter()
            .for_each(|(key, blob)| visit(*key, blob.len() as u64));
        Ok(())
    }

    fn free(&self) -> Result<u64, StorageError> {
        Ok(u64::MAX)
    }
}

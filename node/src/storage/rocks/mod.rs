//! The store of a node: RocksDB for tables and head, files for blobs, in one folder under one lock.
//!
//! ```text
//! LOCK      held while the store is open
//! SYNCED    the sequence number of the last acknowledged batch, see `recovery`
//! tables/   RocksDB: a column family for each table, the head in the default one, one
//!           write-ahead log for all
//! blobs/    see `files`; unless they are kept in another folder
//! ```
//!
//! What a start demands before RocksDB may replay its log is in `recovery`.
//!
//! Left out: backups, and options that a person might tune. `options` fits one load: appended
//! segments, small keys of hashes, and a node that stays below 256 MiB.

mod failure;
mod options;
mod recovery;
mod wal;

pub use options::Options;

use super::disk::{self, Lock, sync_folder};
use super::files::Files;
use super::{Batch, BlobReader, Blobs, Change, Head, Reads, StorageError, Table, Tables};
use crate::pace::Pace;
use assay_tlog::Hash;
use bytes::Bytes;
use failure::refused;
use recovery::{Mark, demand_acknowledged, demand_tables, open_strictly};
use rocksdb::{ColumnFamily, DB, DBPinnableSlice, ReadOptions, WriteBatch, WriteOptions};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

const HEAD: &[u8] = b"head";

/// Whoever asks for so many rows at once reads a whole table.
const SCAN: usize = 1024;

/// An open store. Dropping it flushes the tables, so that the next start replays nothing, and then
/// releases the lock.
pub struct Rocks {
    // Fields are dropped in this order: the lock goes last.
    db: DB,
    writer: Mutex<Writer>,
    blobs: Files,
    pace: Arc<Pace>,
    tables: PathBuf,
    _lock: Lock,
}

struct Writer {
    /// The head in the store, kept so that a comparison needs no read.
    head: Option<Vec<u8>>,
    /// None for a store that is not written.
    mark: Option<Mark>,
    poisoned: bool,
}

impl Rocks {
    /// Opens the store in the folder `path`.
    ///
    /// Fails with [`StorageError::Locked`] if another process has it open; with
    /// [`StorageError::Missing`] or [`StorageError::Exists`] if `options.create` does not fit what
    /// is there; and with [`StorageError::Corrupt`], having changed nothing, if something that was
    /// acknowledged is damaged or gone.
    pub fn open(path: &Path, options: Options) -> Result<Self, StorageError> {
        Rocks::with_blobs(path, None, options)
    }

    /// As [`open`](Rocks::open), but blobs are kept in the folder `blobs`, which must be there: a
    /// disk that is not mounted must not be mistaken for an empty one.
    pub fn with_blobs(
        path: &Path,
        blobs: Option<&Path>,
        options: Options,
    ) -> Result<Self, StorageError> {
        if options.create {
            fs::create_dir_all(path).map_err(|e| disk::failure("create", path, e))?;
        } else if !path.is_dir() {
            return Err(StorageError::Missing(path.to_owned()));
        }
        let lock = Lock::take(&path.join("LOCK"))?;
        let tables = Rocks::tables_in(path);
        let mark = if options.create {
            create_mark(path, &tables)?
        } else {
            open_mark(path, &tables)?
        };
        let db = options::open_database(&tables, options)?;
        let blobs = Files::of_store(path, blobs)?;
        sync_folder(path).map_err(|e| disk::failure("sync", path, e))?;
        let head = db
            .get(HEAD)
            .map_err(|e| refused("read the head of", &tables, e))?;
        Ok(Rocks {
            db,
            writer: Mutex::new(Writer {
                head,
                mark: Some(mark),
                poisoned: false,
            }),
            blobs,
            pace: Pace::of(&tables),
            tables,
            _lock: lock,
        })
    }

    /// Opens the store in the folder `path` to read what can be read of it, however damaged it is.
    /// It is left as it is: every commit fails with [`StorageError::Poisoned`].
    ///
    /// Fails as [`open`](Rocks::open) does, but [`StorageError::Corrupt`] only if nothing can be
    /// read.
    pub fn salvage(path: &Path, blobs: Option<&Path>) -> Result<Self, StorageError> {
        if !path.is_dir() {
            return Err(StorageError::Missing(path.to_owned()));
        }
        let lock = Lock::take(&path.join("LOCK"))?;
        let tables = Rocks::tables_in(path);
        demand_tables(&tables)?;
        let scratch = path.join("salvage");
        let db = options::open_damaged(&tables, &scratch)?;
        // RocksDB's own lines, if there are any: nobody reads them.
        disk::remove_folder(&scratch)?;
        let blobs = Files::of_store(path, blobs)?;
        Ok(Rocks {
            db,
            writer: Mutex::new(Writer {
                head: None,
                mark: None,
                poisoned: true,
            }),
            blobs,
            pace: Pace::of(&tables),
            tables,
            _lock: lock,
        })
    }

    /// Fails with [`StorageError::Corrupt`] if a start would, because something that was
    /// acknowledged is damaged or gone. Changes nothing.
    pub fn demand_whole(path: &Path) -> Result<(), StorageError> {
        let tables = Rocks::tables_in(path);
        open_mark(path, &tables)?;
        // A file of the log that only the manifest knows of.
        match open_strictly(&tables) {
            Ok(_) => Ok(()),
            Err(error @ StorageError::Corrupt { .. }) => Err(error),
            Err(error) => Err(StorageError::Corrupt {
                path: tables,
                reason: error.to_string(),
            }),
        }
    }

    /// The folder that says that the folder `path` holds such a store.
    pub fn tables_in(path: &Path) -> PathBuf {
        path.join("tables")
    }

    /// The file that says what was acknowledged of it.
    pub fn mark_in(path: &Path) -> PathBuf {
        path.join("SYNCED")
    }

    fn family(&self, table: Table) -> Result<&ColumnFamily, StorageError> {
        self.db
            .cf_handle(table.name())
            .ok_or_else(|| StorageError::Corrupt {
                path: self.tables.clone(),
                reason: format!("there is no table {}", table.name()),
            })
    }

    fn read_failed(&self, error: rocksdb::Error) -> StorageError {
        refused("read from", &self.tables, error)
    }

    /// Writes `batch` and notes that it was acknowledged. On an error it is unknown whether it was
    /// written.
    fn write(&self, batch: &Batch, writer: &mut Writer) -> Result<(), StorageError> {
        // As large as it will be: it would take three times that on the way.
        let bytes = batch.changes.iter().map(encoded_bytes).sum();
        let mut write = WriteBatch::with_capacity_bytes(bytes);
        for change in &batch.changes {
            let family = self.family(change.table)?;
            match &change.value {
                Some(value) => write.put_cf(family, &change.key, value),
                None => write.delete_cf(family, &change.key),
            }
        }
        if let Some(head) = &batch.head {
            write.put(HEAD, &head.new);
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        self.pace
            .time(|| self.db.write_opt(write, &synced))
            .map_err(|e| refused("write to", &self.tables, e))?;
        // Nobody else writes: this is called under the writer's lock.
        let mark = writer.mark.as_mut().ok_or(StorageError::Poisoned)?;
        mark.advance(self.db.latest_sequence_number())
    }
}

/// About the bytes of a change as RocksDB writes it: its kind, its family, its lengths, and itself.
fn encoded_bytes(change: &Change) -> usize {
    let value = change.value.as_ref().map_or(0, |value| value.len());
    16 + change.key.len() + value
}

fn create_mark(path: &Path, tables: &Path) -> Result<Mark, StorageError> {
    let at = Rocks::mark_in(path);
    if tables.exists() || at.exists() {
        return Err(StorageError::Exists(path.to_owned()));
    }
    let mark = Mark::create(at)?;
    sync_folder(path).map_err(|e| disk::failure("sync", path, e))?;
    Ok(mark)
}

fn open_mark(path: &Path, tables: &Path) -> Result<Mark, StorageError> {
    let at = Rocks::mark_in(path);
    if !tables.exists() && !at.exists() {
        return Err(StorageError::Missing(path.to_owned()));
    }
    let mark = Mark::open(at)?;
    demand_acknowledged(tables, mark.sequence())?;
    Ok(mark)
}

impl std::fmt::Debug for Rocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rocks")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

impl Drop for Rocks {
    fn drop(&mut self) {
        // This only shortens the next start. Whatever fails here is replayed from the log then. A
        // slow disk would take minutes for it, as every table is synced several times.
        if self.pace.is_slow() {
            return;
        }
        let families: Vec<&ColumnFamily> = Table::ALL
            .iter()
            .filter_map(|t| self.db.cf_handle(t.name()))
            .collect();
        let _ = self
            .db
            .flush_cfs_opt(&families, &rocksdb::FlushOptions::default());
        let _ = self.db.flush();
        if let Ok(Writer {
            mark: Some(mark), ..
        }) = self.writer.get_mut()
        {
            mark.sync();
        }
    }
}

impl Head for Rocks {
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.db.get(HEAD).map_err(|e| self.read_failed(e))
    }
}

impl Reads for Rocks {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        let found = self
            .db
            .get_pinned_cf(self.family(table)?, key)
            .map_err(|e| self.read_failed(e))?;
        Ok(found.as_ref().map(copied))
    }

    fn multi_get(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>, StorageError> {
        let ascending = keys.is_sorted();
        let found = self
            .db
            .batched_multi_get_cf(self.family(table)?, keys, ascending);
        found
            .into_iter()
            .map(|found| {
                let found = found.map_err(|e| self.read_failed(e))?;
                Ok(found.as_ref().map(copied))
            })
            .collect()
    }

    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
        let mut at = self.db.raw_iterator_cf(self.family(table)?);
        at.seek_for_prev(key);
        let found = at
            .item()
            .map(|(key, value)| (key.to_vec(), Bytes::copy_from_slice(value)));
        at.status().map_err(|e| self.read_failed(e))?;
        Ok(found)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError> {
        let mut found = Vec::new();
        if from >= to || limit == 0 {
            return Ok(found);
        }
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(to);
        // A scan reads everything once. Caching it would push out what others look up.
        options.fill_cache(table != Table::Segments && limit < SCAN);
        let mut at = self.db.raw_iterator_cf_opt(self.family(table)?, options);
        at.seek(from);
        while let Some((key, value)) = at.item() {
            found.push((key.to_vec(), Bytes::copy_from_slice(value)));
            if found.len() == limit {
                break;
            }
            at.next();
        }
        at.status().map_err(|e| self.read_failed(e))?;
        Ok(found)
    }
}

impl Tables for Rocks {
    fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        // If a thread panicked with the lock, the outcome of its commit is unknown.
        let mut writer = self.writer.lock().map_err(|_| StorageError::Poisoned)?;
        if writer.poisoned {
            return Err(StorageError::Poisoned);
        }
        if !batch.fits(writer.head.as_deref()) {
            return Err(StorageError::HeadMoved);
        }
        if let Err(error) = self.write(&batch, &mut writer) {
            writer.poisoned = true;
            return Err(error);
        }
        if let Some(change) = batch.head {
            writer.head = Some(change.new);
        }
        Ok(())
    }
}

impl Blobs for Rocks {
    fn put(&self, key: &Hash, bytes: &mut dyn Read, size: u64) -> Result<bool, StorageError> {
        self.blobs.put(key, bytes, size)
    }

    fn open(&self, key: &Hash) -> Result<Option<BlobReader>, StorageError> {
        self.blobs.open(key)
    }

    fn size(&self, key: &Hash) -> Result<Option<u64>, StorageError> {
        self.blobs.size(key)
    }

    fn each(&self, visit: &mut dyn FnMut(Hash, u64)) -> Result<(), StorageError> {
        self.blobs.each(visit)
    }

    fn free(&self) -> Result<u64, StorageError> {
        self.blobs.free()
    }
}

fn copied(value: &DBPinnableSlice<'_>) -> Bytes {
    Bytes::copy_from_slice(value)
}

#[cfg(test)]
mod tests;

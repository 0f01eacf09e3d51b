//! A store in pure Rust: redb for tables and head, files for blobs, in one folder under one lock.
//!
//! ```text
//! LOCK          held while the store is open
//! tables.redb   redb: a table for each of ours, and one for the head
//! blobs/        see `files`; unless they are kept in another folder
//! ```
//!
//! It builds without a C++ compiler, which RocksDB takes most of a first build for. It is slower:
//! docs/performance.md has the figures.
//!
//! Every commit is of two phases. With one phase redb finds out by a checksum, which is no
//! cryptographic hash, whether the last commit was written whole, and strangers choose what is in
//! a log. A commit of two phases also makes a start after a crash read little.
//!
//! Left out: reading a damaged file as far as it goes. What redb refuses to open is made anew from
//! a mirror.

use super::disk::{self, Lock, sync_folder};
use super::files::Files;
use super::{Batch, BlobReader, Blobs, Head, Reads, StorageError, Table, Tables};
use crate::pace::Pace;
use ::redb::{
    Builder, Database, ReadOnlyTable, ReadableDatabase, TableDefinition, WriteTransaction,
};
use assay_host::files::demand_regular_or_none;
use assay_tlog::Hash;
use bytes::Bytes;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

const HEAD: &str = "head";

type Map = TableDefinition<'static, &'static [u8], &'static [u8]>;
type OpenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// How to open a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether to make a new store, where there must be none. Otherwise there must be one.
    pub create: bool,
    /// Memory for what was read from disk or is to be written, in MiB.
    pub cache_mib: usize,
}

/// An open store.
pub struct Redb {
    // Fields are dropped in this order: the lock goes last.
    db: Database,
    writer: Mutex<Writer>,
    blobs: Files,
    pace: Arc<Pace>,
    file: PathBuf,
    _lock: Lock,
}

struct Writer {
    /// The head in the store, kept so that a comparison needs no read.
    head: Option<Vec<u8>>,
    poisoned: bool,
}

impl Redb {
    /// Opens the store in the folder `path`. Blobs are kept in the folder `blobs`, if one is named,
    /// which must be there.
    ///
    /// Fails with [`StorageError::Locked`] if another process has it open; with
    /// [`StorageError::Missing`] or [`StorageError::Exists`] if `options.create` does not fit what
    /// is there; and with [`StorageError::Corrupt`] if redb finds the file damaged.
    pub fn open(path: &Path, blobs: Option<&Path>, options: Options) -> Result<Self, StorageError> {
        let file = Redb::file_in(path);
        if options.create {
            fs::create_dir_all(path).map_err(|e| disk::failure("create", path, e))?;
        } else if !file.exists() {
            return Err(StorageError::Missing(path.to_owned()));
        }
        let lock = Lock::take(&path.join("LOCK"))?;
        if options.create && file.exists() {
            return Err(StorageError::Exists(path.to_owned()));
        }
        demand_regular_or_none(&file).map_err(|e| disk::failure("open", &file, e))?;
        let mut builder = Builder::new();
        builder.set_cache_size(options.cache_mib << 20);
        let db = if options.create {
            builder
                .create(&file)
                .map_err(|e| refused("create", &file, e))?
        } else {
            builder.open(&file).map_err(|e| refused("open", &file, e))?
        };
        let blobs = Files::of_store(path, blobs)?;
        let store = Redb {
            db,
            writer: Mutex::new(Writer {
                head: None,
                poisoned: false,
            }),
            blobs,
            pace: Pace::of(&file),
            file,
            _lock: lock,
        };
        store.make_tables()?;
        sync_folder(path).map_err(|e| disk::failure("sync", path, e))?;
        let head = store.head()?;
        *store.writer()? = Writer {
            head,
            poisoned: false,
        };
        Ok(store)
    }

    /// Opens the store in the folder `path` to read it: every commit fails with
    /// [`StorageError::Poisoned`]. Fails as [`open`](Redb::open) does: nothing can be read of a
    /// file that redb finds damaged.
    pub fn open_to_read(
        path: &Path,
        blobs: Option<&Path>,
        cache_mib: usize,
    ) -> Result<Self, StorageError> {
        let options = Options {
            create: false,
            cache_mib,
        };
        let store = Redb::open(path, blobs, options)?;
        store.writer()?.poisoned = true;
        Ok(store)
    }

    /// The file that says that the folder `path` holds such a store.
    pub fn file_in(path: &Path) -> PathBuf {
        path.join("tables.redb")
    }

    /// Makes the tables that are not there: a look-up in one that is missing fails.
    fn make_tables(&self) -> Result<(), StorageError> {
        self.writing(|write| {
            for table in Table::ALL {
                write.open_table(map(table.name()))?;
            }
            write.open_table(map(HEAD))?;
            Ok(())
        })
    }

    fn writer(&self) -> Result<std::sync::MutexGuard<'_, Writer>, StorageError> {
        // If a thread panicked with the lock, the outcome of its commit is unknown.
        self.writer.lock().map_err(|_| StorageError::Poisoned)
    }

    /// Writes durably what `change` does. On an error it is unknown whether it was written.
    fn writing(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), ::redb::Error>,
    ) -> Result<(), StorageError> {
        write(&self.db, change).map_err(|e| refused("write to", &self.file, e))
    }

    /// Reads of one moment in one table.
    fn reading<T>(
        &self,
        name: &'static str,
        ask: impl FnOnce(&OpenTable) -> Result<T, ::redb::StorageError>,
    ) -> Result<T, StorageError> {
        read(&self.db, name, ask).map_err(|e| refused("read from", &self.file, e))
    }
}

fn write(
    db: &Database,
    change: impl FnOnce(&WriteTransaction) -> Result<(), ::redb::Error>,
) -> Result<(), ::redb::Error> {
    let mut write = db.begin_write()?;
    write.set_quick_repair(true);
    change(&write)?;
    write.commit()?;
    Ok(())
}

fn read<T>(
    db: &Database,
    name: &'static str,
    ask: impl FnOnce(&OpenTable) -> Result<T, ::redb::StorageError>,
) -> Result<T, ::redb::Error> {
    let table = db.begin_read()?.open_table(map(name))?;
    Ok(ask(&table)?)
}

const fn map(name: &'static str) -> Map {
    TableDefinition::new(name)
}

/// The error for something that redb refused while `doing` something to `path`.
fn refused(doing: &'static str, path: &Path, error: impl Into<::redb::Error>) -> StorageError {
    use ::redb::Error;
    match error.into() {
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => StorageError::Corrupt {
            path: path.to_owned(),
            reason: error.to_string(),
        },
        Error::Io(error) => disk::failure(doing, path, error),
        Error::Corrupted(reason) => StorageError::Corrupt {
            path: path.to_owned(),
            reason,
        },
        Error::DatabaseAlreadyOpen => StorageError::Locked(path.to_owned()),
        error => disk::failure(doing, path, io::Error::other(error)),
    }
}

impl std::fmt::Debug for Redb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redb")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl Head for Redb {
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.reading(HEAD, |table| {
            let found = table.get(HEAD.as_bytes())?;
            Ok(found.map(|head| head.value().to_vec()))
        })
    }
}

impl Reads for Redb {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.reading(table.name(), |table| {
            let found = table.get(key)?;
            Ok(found.map(|value| Bytes::copy_from_slice(value.value())))
        })
    }

    fn multi_get(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>, StorageError> {
        self.reading(table.name(), |table| {
            let found = keys.iter().map(|key| table.get(key.as_slice()));
            found
                .map(|found| Ok(found?.map(|value| Bytes::copy_from_slice(value.value()))))
                .collect()
        })
    }

    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
        self.reading(table.name(), |table| {
            let found = table.range::<&[u8]>(..=key)?.next_back().transpose()?;
            Ok(found.map(|(key, value)| {
                let value = Bytes::copy_from_slice(value.value());
                (key.value().to_vec(), value)
            }))
        })
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
        self.reading(table.name(), |table| {
            let found = table.range::<&[u8]>(from..to)?.take(limit);
            found
                .map(|found| {
                    let (key, value) = found?;
                    let value = Bytes::copy_from_slice(value.value());
                    Ok((key.value().to_vec(), value))
                })
                .collect()
        })
    }
}

impl Tables for Redb {
    fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        let mut writer = self.writer()?;
        if writer.poisoned {
            return Err(StorageError::Poisoned);
        }
        if !batch.fits(writer.head.as_deref()) {
            return Err(StorageError::HeadMoved);
        }
        let written = self.pace.time(|| {
            self.writing(|write| {
                for table in Table::ALL {
                    apply(write, table, &batch)?;
                }
                if let Some(head) = &batch.head {
                    let mut heads = write.open_table(map(HEAD))?;
                    heads.insert(HEAD.as_bytes(), head.new.as_slice())?;
                }
                Ok(())
            })
        });
        if let Err(error) = written {
            writer.poisoned = true;
            return Err(error);
        }
        if let Some(change) = batch.head {
            writer.head = Some(change.new);
        }
        Ok(())
    }
}

/// Does what a batch changes in one table, in the batch's order.
fn apply(write: &WriteTransaction, table: Table, batch: &Batch) -> Result<(), ::redb::Error> {
    let mut changes = batch
        .changes
        .iter()
        .filter(|it| it.table == table)
        .peekable();
    if changes.peek().is_none() {
        return Ok(());
    }
    let mut open = write.open_table(map(table.name()))?;
    for change in changes {
        match &change.value {
            Some(value) => open.insert(change.key.as_slice(), value.as_ref())?,
            None => open.remove(change.key.as_slice())?,
        };
    }
    Ok(())
}

impl Blobs for Redb {
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

//! The embedded store: RocksDB for tables and head, files for blobs, in one folder under one lock.
//!
//! ```text
//! LOCK      held while the store is open
//! SYNCED    the sequence number of the last acknowledged batch, see `Mark`
//! tables/   RocksDB: one column family for each table, the head in the default one, one write-ahead log for all
//! blobs/    see `files`
//! ```
//!
//! **What recovery may forget.** A log that loses acknowledged entries signs a fork. RocksDB's
//! recovery modes all forgive too much for that (see [`wal`]), so before RocksDB may replay, and
//! thereby delete, its log files,
//!
//! 1. every log file is read and must be whole and without gaps;
//! 2. the last sequence number found must be at or above the mark, in the log or, if the log was
//!    flushed, in the tables;
//! 3. RocksDB itself refuses any damage but an unfinished last record
//!    (`TolerateCorruptedTailRecords`: a process that is killed while it writes leaves one, and
//!    nobody was told that it is there), and misses no log file that its manifest names.
//!
//! On refusal the folder is as it was found. What remains possible: a power cut may take the mark
//! back by some seconds (it is written after each commit but synced only on shutdown), and a folder
//! that was copied back whole is consistent. The anchor and the witnesses are there for that.
//!
//! Left out: backups, and every table option that a person might turn. Tuning here serves one shape
//! of load: appended segments, small keys of hashes, and a node that stays below 256 MiB.

use super::disk::{Lock, failure, sync_folder};
use super::files::Files;
use super::{Batch, BlobReader, Blobs, Head, Reads, Snapshot, StorageError, Table, Tables, wal};
use assay_tlog::Hash;
use bytes::Bytes;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType,
    DBPinnableSlice, DBRecoveryMode, ErrorKind, LruCacheOptions, ReadOptions,
    SnapshotWithThreadMode, WriteBatch, WriteOptions,
};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const MIB: usize = 1024 * 1024;
const HEAD: &[u8] = b"head";

/// How to open a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Makes a new store, and fails if there is one; otherwise there must be one.
    pub create: bool,
    /// Memory for blocks read from disk, their indexes and filters, in MiB.
    pub block_cache_mib: usize,
    /// Memory for what is not written to tables yet, over all tables, in MiB. It also bounds how
    /// much is replayed on start.
    pub write_buffer_mib: usize,
    /// Most files that RocksDB keeps open.
    pub max_open_files: i32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            create: false,
            block_cache_mib: 64,
            write_buffer_mib: 32,
            max_open_files: 512,
        }
    }
}

/// An open store. Dropping it flushes the tables, so that the next start replays nothing, and lets
/// go of the lock.
pub struct Rocks {
    // The order matters when this is dropped: the lock is the last to go.
    db: DB,
    writer: Mutex<Writer>,
    blobs: Files,
    tables: PathBuf,
    _lock: Lock,
}

struct Writer {
    /// The head in the store, so that comparing needs no read.
    head: Option<Vec<u8>>,
    mark: Mark,
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
        let tables = path.join("tables");
        if options.create {
            fs::create_dir_all(path).map_err(|e| failure("create", path, e))?;
        } else if !path.is_dir() {
            return Err(StorageError::Missing(path.to_owned()));
        }
        let lock = Lock::take(&path.join("LOCK"))?;
        let mark_path = path.join("SYNCED");
        let mark = if options.create {
            if tables.exists() || mark_path.exists() {
                return Err(StorageError::Exists(path.to_owned()));
            }
            let mark = Mark::create(mark_path)?;
            sync_folder(path).map_err(|e| failure("sync", path, e))?;
            mark
        } else {
            if !tables.exists() && !mark_path.exists() {
                return Err(StorageError::Missing(path.to_owned()));
            }
            let mark = Mark::open(mark_path)?;
            demand_acknowledged(&tables, mark.sequence)?;
            mark
        };
        let db = open_database(&tables, options)?;
        let blobs = Files::open(&path.join("blobs"))?;
        sync_folder(path).map_err(|e| failure("sync", path, e))?;
        let head = db
            .get(HEAD)
            .map_err(|e| refused("read the head of", &tables, e))?;
        Ok(Rocks {
            db,
            writer: Mutex::new(Writer {
                head,
                mark,
                poisoned: false,
            }),
            blobs,
            tables,
            _lock: lock,
        })
    }

    /// The blobs of this store.
    pub fn blobs(&self) -> &Files {
        &self.blobs
    }

    fn view(&self) -> View<'_> {
        View {
            store: self,
            snapshot: None,
        }
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
        let mut write = WriteBatch::default();
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
        self.db
            .write_opt(write, &synced)
            .map_err(|e| refused("write to", &self.tables, e))?;
        // Nobody else writes: this is called under the writer's lock.
        writer.mark.advance(self.db.latest_sequence_number())
    }
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
        // A shortcut for the next start, no duty: whatever fails here is replayed from the log
        // then.
        let families: Vec<&ColumnFamily> = Table::ALL
            .iter()
            .filter_map(|t| self.db.cf_handle(t.name()))
            .collect();
        let _ = self
            .db
            .flush_cfs_opt(&families, &rocksdb::FlushOptions::default());
        let _ = self.db.flush();
        if let Ok(writer) = self.writer.get_mut() {
            let _ = writer.mark.file.sync_data();
        }
    }
}

impl Head for Rocks {
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.view().head()
    }
}

impl Reads for Rocks {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.view().get(table, key)
    }

    fn multi_get(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>, StorageError> {
        self.view().multi_get(table, keys)
    }

    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
        self.view().at_or_before(table, key)
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StorageError> {
        self.view().range(table, from, to, limit)
    }
}

impl Tables for Rocks {
    fn commit(&self, batch: Batch) -> Result<(), StorageError> {
        // A thread that panicked with the lock left the outcome of its commit unknown.
        let mut writer = self.writer.lock().map_err(|_| StorageError::Poisoned)?;
        if writer.poisoned {
            return Err(StorageError::Poisoned);
        }
        if batch
            .head
            .as_ref()
            .is_some_and(|change| change.expected != writer.head)
        {
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

    fn snapshot(&self) -> Box<dyn Snapshot + '_> {
        Box::new(View {
            store: self,
            snapshot: Some(self.db.snapshot()),
        })
    }
}

impl Blobs for Rocks {
    fn put(&self, key: &Hash, bytes: &mut dyn Read, size: u64) -> Result<bool, StorageError> {
        self.blobs.put(key, bytes, size)
    }

    fn open(&self, key: &Hash) -> Result<Option<BlobReader>, StorageError> {
        self.blobs.open(key)
    }

    fn delete(&self, key: &Hash) -> Result<bool, StorageError> {
        self.blobs.delete(key)
    }
}

/// The store as it was at one moment, or as it is.
struct View<'a> {
    store: &'a Rocks,
    snapshot: Option<SnapshotWithThreadMode<'a, DB>>,
}

impl View<'_> {
    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        if let Some(snapshot) = &self.snapshot {
            options.set_snapshot(snapshot);
        }
        options
    }
}

impl Head for View<'_> {
    fn head(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.store
            .db
            .get_opt(HEAD, &self.options())
            .map_err(|e| self.store.read_failed(e))
    }
}

impl Reads for View<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        let family = self.store.family(table)?;
        let found = self
            .store
            .db
            .get_pinned_cf_opt(family, key, &self.options());
        Ok(found
            .map_err(|e| self.store.read_failed(e))?
            .as_ref()
            .map(copied))
    }

    fn multi_get(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Bytes>>, StorageError> {
        let family = self.store.family(table)?;
        let ascending = keys.is_sorted();
        let found =
            self.store
                .db
                .batched_multi_get_cf_opt(family, keys, ascending, &self.options());

        found
            .into_iter()
            .map(
                |found: Result<Option<DBPinnableSlice<'_>>, _>| match found {
                    Ok(found) => Ok(found.as_ref().map(copied)),
                    Err(e) => Err(self.store.read_failed(e)),
                },
            )
            .collect()
    }

    fn at_or_before(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StorageError> {
        let mut at = self
            .store
            .db
            .raw_iterator_cf_opt(self.store.family(table)?, self.options());
        at.seek_for_prev(key);
        let found = at
            .item()
            .map(|(key, value)| (key.to_vec(), Bytes::copy_from_slice(value)));
        at.status().map_err(|e| self.store.read_failed(e))?;
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
        let mut options = self.options();
        options.set_iterate_upper_bound(to);
        // Whoever reads segments in a row reads the log: what others look up would make room for
        // it, and it is not asked again.
        options.fill_cache(table != Table::Segments);
        let mut at = self
            .store
            .db
            .raw_iterator_cf_opt(self.store.family(table)?, options);
        at.seek(from);
        while let Some((key, value)) = at.item() {
            found.push((key.to_vec(), Bytes::copy_from_slice(value)));
            if found.len() == limit {
                break;
            }
            at.next();
        }
        at.status().map_err(|e| self.store.read_failed(e))?;
        Ok(found)
    }
}

impl Snapshot for View<'_> {}

fn copied(value: &DBPinnableSlice<'_>) -> Bytes {
    Bytes::copy_from_slice(value)
}

/// A file that says how far commits were acknowledged: RocksDB's sequence number after the last of
/// them.
///
/// It is overwritten in place after each commit and not synced, which costs a microsecond. So it is
/// a lower bound of what the log must hold, sharp when a process dies and at worst some seconds old
/// when the power goes.
struct Mark {
    path: PathBuf,
    file: File,
    sequence: u64,
}

impl Mark {
    /// `"asy1" ‖ sequence u64be ‖ crc32c u32be` of what is before it. One sector, so never half
    /// written.
    const LEN: usize = 16;

    fn create(path: PathBuf) -> Result<Self, StorageError> {
        let file = File::create_new(&path).map_err(|e| failure("create", &path, e))?;
        let mut mark = Mark {
            path,
            file,
            sequence: 0,
        };
        mark.advance(0)?;
        mark.file
            .sync_all()
            .map_err(|e| failure("sync", &mark.path, e))?;
        Ok(mark)
    }

    fn open(path: PathBuf) -> Result<Self, StorageError> {
        let corrupt = |reason: &str| StorageError::Corrupt {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let file = match File::options().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(corrupt("the note of what was acknowledged is gone"));
            }
            Err(e) => return Err(failure("open", &path, e)),
        };
        let mut found = Vec::with_capacity(Mark::LEN);
        (&file)
            .take(Mark::LEN as u64 + 1)
            .read_to_end(&mut found)
            .map_err(|e| failure("read", &path, e))?;
        let number = found
            .get(4..12)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_be_bytes);
        match number {
            Some(sequence) if found == Mark::bytes(sequence) => Ok(Mark {
                path,
                file,
                sequence,
            }),
            _ => Err(corrupt("the note of what was acknowledged cannot be read")),
        }
    }

    fn bytes(sequence: u64) -> [u8; Mark::LEN] {
        let mut bytes = *b"asy1\0\0\0\0\0\0\0\0\0\0\0\0";
        bytes[4..12].copy_from_slice(&sequence.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[..12]);
        bytes[12..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    fn advance(&mut self, sequence: u64) -> Result<(), StorageError> {
        self.file
            .write_all_at(&Mark::bytes(sequence), 0)
            .map_err(|e| failure("write", &self.path, e))?;
        self.sequence = sequence;
        Ok(())
    }
}

/// Fails unless the database in `tables` still holds everything up to `acknowledged`. Changes
/// nothing.
fn demand_acknowledged(tables: &Path, acknowledged: u64) -> Result<(), StorageError> {
    // Asked first, because RocksDB makes a folder that it does not find.
    if !tables.join("CURRENT").exists() {
        let reason =
            "its tables are gone (or an `init` was interrupted before it had made any)".to_owned();
        return Err(StorageError::Corrupt {
            path: tables.to_owned(),
            reason,
        });
    }
    if wal::last_sequence(tables)?.is_some_and(|logged| logged >= acknowledged) {
        return Ok(());
    }
    // It is not in the log, so it must have been flushed; the manifest knows. An orderly shutdown
    // ends this way, and there is next to nothing to replay then.
    let mut options = rocksdb::Options::default();
    strict_recovery(&mut options);
    let found =
        DB::open_for_read_only(&options, tables, false).map_err(|e| refused("open", tables, e))?;
    let found = found.latest_sequence_number();
    if found >= acknowledged {
        return Ok(());
    }
    let reason = format!(
        "changes {} to {acknowledged} were acknowledged and are gone; its write-ahead log was cut \
         short or deleted",
        found + 1
    );
    Err(StorageError::Corrupt {
        path: tables.to_owned(),
        reason,
    })
}

fn open_database(tables: &Path, options: Options) -> Result<DB, StorageError> {
    let mut cache = LruCacheOptions::default();
    cache.set_capacity(options.block_cache_mib * MIB);
    // Few shards: a segment of 256 KiB is one block, and a shard must hold more than a few of them.
    cache.set_num_shard_bits(3);
    let cache = Cache::new_lru_cache_opts(&cache);
    let families = Table::ALL
        .map(|table| ColumnFamilyDescriptor::new(table.name(), table_options(table, &cache)));
    DB::open_cf_descriptors(&database_options(options), tables, families)
        .map_err(|e| refused("open", tables, e))
}

fn strict_recovery(options: &mut rocksdb::Options) {
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_track_and_verify_wals_in_manifest(true);
    // Recycled log files hold old records behind the new ones: a torn tail and damage would look
    // alike.
    options.set_recycle_log_file_num(0);
    options.set_manual_wal_flush(false);
}

fn database_options(options: Options) -> rocksdb::Options {
    let mut db = rocksdb::Options::default();
    strict_recovery(&mut db);
    db.create_if_missing(options.create);
    db.set_error_if_exists(options.create);
    // Also in an old store: a later version may know more tables.
    db.create_missing_column_families(true);

    // Memory. All unflushed changes together; the log files behind them bound how long a start
    // replays.
    db.set_db_write_buffer_size(options.write_buffer_mib * MIB);
    db.set_max_total_wal_size(2 * (options.write_buffer_mib * MIB) as u64);
    db.set_max_open_files(options.max_open_files);

    // Two cores are shared with everything else.
    db.set_max_background_jobs(2);
    // Hand written tables to the disk evenly, so that a flush does not hold up the log's sync.
    db.set_bytes_per_sync(MIB as u64);

    // Start quickly, write few logs for people.
    db.set_skip_stats_update_on_db_open(true);
    db.set_stats_dump_period_sec(0);
    db.set_stats_persist_period_sec(0);
    db.set_keep_log_file_num(4);
    db.set_max_log_file_size(4 * MIB);
    db
}

fn table_options(table: Table, cache: &Cache) -> rocksdb::Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    // Inside the cache, so that the cache's size is the bound.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut family = rocksdb::Options::default();
    family.set_write_buffer_size(8 * MIB);
    family.set_compression_type(DBCompressionType::None);
    match table {
        Table::Segments => {
            family.set_write_buffer_size(16 * MIB);
            family.set_compression_type(DBCompressionType::Lz4);
        }
        // Mostly asked for what is not there: is this claim, this leaf, new?
        Table::Claims | Table::LeafHashes => {
            blocks.set_bloom_filter(10.0, false);
            // Every publication asks whether its claim is known, and it almost never is.
            family.set_memtable_prefix_bloom_ratio(0.1);
            family.set_memtable_whole_key_filtering(true);
            blocks.set_optimize_filters_for_memory(true);
        }
        Table::Tiles | Table::Attachments | Table::IndexPages | Table::IndexLists => {}
        Table::Issuers | Table::Meta => family.set_write_buffer_size(MIB),
    }
    family.set_block_based_table_factory(&blocks);
    family
}

/// The error for something that RocksDB refused while `doing` something to `path`.
fn refused(doing: &'static str, path: &Path, error: rocksdb::Error) -> StorageError {
    let path = path.to_owned();
    // RocksDB hands over nothing but a text. These two come from the C library and name ENOSPC and
    // EDQUOT.
    let text: &str = error.as_ref();
    if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
        return StorageError::DiskFull {
            path,
            source: io::Error::other(error),
        };
    }
    match error.kind() {
        ErrorKind::Corruption => {
            let reason = text
                .trim_start_matches("Corruption: ")
                .trim_end_matches('.')
                .to_owned();
            StorageError::Corrupt { path, reason }
        }
        _ => StorageError::Io {
            doing,
            path,
            source: io::Error::other(error),
        },
    }
}

//! How RocksDB is set. The memory limits together keep a node below 256 MiB.

use super::failure::refused;
use crate::storage::{StorageError, Table};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode,
    LruCacheOptions,
};
use std::path::Path;

const MIB: usize = 1024 * 1024;

/// How to open a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether to make a new store. If so, there must be none at the path; if not, there must be
    /// one.
    pub create: bool,
    /// Memory for blocks read from disk, their indexes and filters, in MiB.
    pub block_cache_mib: usize,
    /// Memory for what is not yet written to tables, over all tables, in MiB. It also bounds how
    /// much a start replays.
    pub write_buffer_mib: usize,
    /// How many files RocksDB keeps open at most.
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

/// Opens the database in `tables` with a column family for each table.
pub(super) fn open_database(tables: &Path, options: Options) -> Result<DB, StorageError> {
    let mut cache = LruCacheOptions::default();
    cache.set_capacity(options.block_cache_mib * MIB);
    // Few shards: a segment of 256 KiB is one block, and a shard must hold several.
    cache.set_num_shard_bits(3);
    let cache = Cache::new_lru_cache_opts(&cache);
    let families = Table::ALL
        .map(|table| ColumnFamilyDescriptor::new(table.name(), table_options(table, &cache)));
    DB::open_cf_descriptors(&database_options(options), tables, families)
        .map_err(|e| refused("open", tables, e))
}

/// Opens the database in `tables` for reading, with what can be replayed of its log; and without
/// its log, if the manifest says that a file of it is gone or shorter than it was. `scratch` is a
/// folder for nothing that is kept.
pub(super) fn open_damaged(tables: &Path, scratch: &Path) -> Result<DB, StorageError> {
    let mut options = rocksdb::Options::default();
    options.set_paranoid_checks(false);
    options.set_wal_recovery_mode(DBRecoveryMode::SkipAnyCorruptedRecord);
    // Without this RocksDB wants to write to the manifest that it does not follow these files, has
    // nothing to write it with, and ends the process.
    options.set_track_and_verify_wals_in_manifest(true);
    let families = Table::ALL.map(Table::name);
    DB::open_cf_for_read_only(&options, tables, families, false)
        .or_else(|_| {
            // A secondary reads no log before it is told to, and needs its files open.
            options.set_max_open_files(-1);
            DB::open_cf_as_secondary(&options, tables, scratch, families)
        })
        .map_err(|e| refused("open", tables, e))
}

/// Makes RocksDB's own recovery as strict as it can be while it still starts after a crash.
pub(super) fn strict_recovery(options: &mut rocksdb::Options) {
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_track_and_verify_wals_in_manifest(true);
    // A recycled log file holds old records behind the new ones, so a torn tail would look like
    // damage.
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

    // Memory of all unflushed changes together. The log files behind them bound how long a start
    // replays.
    db.set_db_write_buffer_size(options.write_buffer_mib * MIB);
    db.set_max_total_wal_size(2 * (options.write_buffer_mib * MIB) as u64);
    db.set_max_open_files(options.max_open_files);

    // Two cores are shared with everything else.
    db.set_max_background_jobs(2);
    // Write tables to the disk evenly, so that a flush does not delay the sync of the log.
    db.set_bytes_per_sync(MIB as u64);

    // A quick start, and few log files for people.
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
        // Most look-ups are for keys that are absent: is this claim, this leaf, new?
        Table::Claims | Table::LeafHashes => {
            blocks.set_bloom_filter(10.0, false);
            // Each publication asks whether its claim is known. It almost never is.
            family.set_memtable_prefix_bloom_ratio(0.1);
            family.set_memtable_whole_key_filtering(true);
            blocks.set_optimize_filters_for_memory(true);
        }
        Table::Tiles
        | Table::Attachments
        | Table::IndexPages
        | Table::IndexParts
        | Table::IndexLists
        | Table::Witness => {}
        Table::Issuers | Table::Vouching | Table::Meta => family.set_write_buffer_size(MIB),
    }
    family.set_block_based_table_factory(&blocks);
    family
}

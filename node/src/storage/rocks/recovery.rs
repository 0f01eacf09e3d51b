//! What a start demands of RocksDB's files before RocksDB may touch them.
//!
//! A log that loses acknowledged entries signs a split view. All of RocksDB's recovery modes
//! forgive too much for that (see [`wal`]). So before RocksDB replays its log files, and thereby
//! deletes them:
//!
//! 1. Every log file is read. It must be whole and without gaps.
//! 2. The last sequence number found must be at or above the [`Mark`], in the log or, if the log
//!    was flushed, in the tables.
//! 3. RocksDB itself refuses any damage but an unfinished last record
//!    (`TolerateCorruptedTailRecords`), and misses no log file that its manifest names. A process
//!    that is killed while it writes leaves such a record, and nobody was told that it is there.
//!
//! On refusal the folder is as it was found. Two things cannot be noticed here. A power cut may
//! take the mark back by some seconds, because it is written after each commit but synced only on
//! shutdown. And a folder that was copied back whole is consistent. The checkpoint file is there
//! for both.

use super::failure::refused;
use super::{options, wal};
use crate::storage::{StorageError, disk::failure};
use assay_host::files;
use rocksdb::DB;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A file that says how far commits were acknowledged: RocksDB's sequence number after the last of
/// them.
///
/// It is overwritten in place after each commit and not synced, which costs a microsecond. So it is
/// a lower bound of what the log must hold: exact when a process dies, and at worst some seconds
/// old when the power goes.
pub(super) struct Mark {
    path: PathBuf,
    file: File,
    sequence: u64,
}

impl Mark {
    /// `"asy1" ‖ sequence u64be ‖ crc32c u32be` of the bytes before it. It fits in one sector, so
    /// it is never half written.
    const LEN: usize = 16;

    /// Makes a mark of nothing, durably. The caller syncs the folder.
    pub(super) fn create(path: PathBuf) -> Result<Self, StorageError> {
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

    /// Reads a mark. Fails with [`StorageError::Corrupt`] if it is gone or not what was written.
    pub(super) fn open(path: PathBuf) -> Result<Self, StorageError> {
        let corrupt = |reason: &str| StorageError::Corrupt {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let file = match files::open_with(&path, File::options().read(true).write(true)) {
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

    /// The sequence number of the last acknowledged batch.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Syncs the mark. If that fails, it is older after a power cut, which the start allows for.
    pub(super) fn sync(&self) {
        let _ = self.file.sync_data();
    }

    fn bytes(sequence: u64) -> [u8; Mark::LEN] {
        let mut bytes = *b"asy1\0\0\0\0\0\0\0\0\0\0\0\0";
        bytes[4..12].copy_from_slice(&sequence.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[..12]);
        bytes[12..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// Sets the mark to `sequence`. It survives the process, but a power cut only after
    /// [`Mark::sync`].
    pub(super) fn advance(&mut self, sequence: u64) -> Result<(), StorageError> {
        self.file
            .write_all_at(&Mark::bytes(sequence), 0)
            .map_err(|e| failure("write", &self.path, e))?;
        self.sequence = sequence;
        Ok(())
    }
}

/// Fails with [`StorageError::Io`] if a pipe or a device is among the files of `tables`, which
/// RocksDB would open and wait for.
fn demand_files(tables: &Path) -> Result<(), StorageError> {
    let list = |e| failure("list", tables, e);
    let entries = match fs::read_dir(tables) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(list(e)),
    };
    for entry in entries {
        let path = entry.map_err(list)?.path();
        if !path.is_dir() {
            files::demand_regular_or_none(&path).map_err(|e| failure("open", &path, e))?;
        }
    }
    Ok(())
}

/// Fails with [`StorageError::Corrupt`] if there is no database in `tables`, or if the file is gone
/// or damaged that says of which files it is made: RocksDB says of that only that it cannot be
/// opened, or never ends.
pub(super) fn demand_tables(tables: &Path) -> Result<(), StorageError> {
    demand_files(tables)?;
    let current = tables.join("CURRENT");
    let reason = if current.exists() {
        // What is in it is for RocksDB to judge.
        let named = files::read_text(&current).unwrap_or_default();
        let name = named.trim_end();
        if !name.starts_with("MANIFEST-") {
            return Ok(());
        }
        if tables.join(name).exists() {
            return wal::demand_manifest(&tables.join(name));
        }
        format!("its {name} is gone")
    } else {
        "its tables are gone (or an `init` was interrupted before it had made any)".to_owned()
    };
    Err(StorageError::Corrupt {
        path: tables.to_owned(),
        reason,
    })
}

/// Opens the database in `tables` to read it, as a start does. Fails as that does where the
/// manifest names what is not there. Changes nothing.
pub(super) fn open_strictly(tables: &Path) -> Result<DB, StorageError> {
    let mut database = rocksdb::Options::default();
    options::strict_recovery(&mut database);
    DB::open_for_read_only(&database, tables, false).map_err(|e| refused("open", tables, e))
}

/// Fails with [`StorageError::Corrupt`] unless the database in `tables` still holds everything up
/// to the sequence number `acknowledged`. Changes nothing.
pub(super) fn demand_acknowledged(tables: &Path, acknowledged: u64) -> Result<(), StorageError> {
    // First, because RocksDB makes a folder that it does not find.
    demand_tables(tables)?;
    if wal::last_sequence(tables)?.is_some_and(|logged| logged >= acknowledged) {
        return Ok(());
    }
    // If it is not in the log, it must have been flushed, as an orderly shutdown does, and the
    // manifest says so. Then there is next to nothing to replay.
    let found = open_strictly(tables)?.latest_sequence_number();
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

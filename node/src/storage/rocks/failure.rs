//! RocksDB's errors as [`StorageError`]s.

use crate::storage::StorageError;
use rocksdb::ErrorKind;
use std::io;
use std::path::Path;

/// The error for something that RocksDB refused while `doing` something to `path`.
pub(super) fn refused(doing: &'static str, path: &Path, error: rocksdb::Error) -> StorageError {
    let path = path.to_owned();
    // RocksDB returns only a text. These two are the C library's for ENOSPC and EDQUOT.
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

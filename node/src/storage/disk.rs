//! What every file that must survive a crash needs: a lock, a synced folder, an error that tells a full disk apart.

use super::StorageError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Opens the file at `path`, making it if need be, and takes its lock for as long as the returned file is open.
///
/// The lock is the kernel's (`flock`), so it ends with the process, however that ends. Fails with
/// [`StorageError::Locked`] if somebody else holds it, in this process or another.
pub(crate) fn lock(path: &Path) -> Result<File, StorageError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|e| failure("open", path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::Locked(path.to_owned())),
        Err(TryLockError::Error(e)) => Err(failure("lock", path, e)),
    }
}

/// Makes the names in the folder `path` durable. A file that was made, renamed or removed in it is only certain to stay
/// so after this.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether `error` says that there is no room left.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The error for a system call that failed while `doing` something to `path`.
pub(crate) fn failure(doing: &'static str, path: &Path, source: io::Error) -> StorageError {
    let path = path.to_owned();
    if is_full(&source) { StorageError::DiskFull { path, source } } else { StorageError::Io { doing, path, source } }
}

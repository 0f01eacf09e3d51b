//! What every file that must survive a crash needs: a lock, a synced folder, and an error that
//! tells a full disk apart.

use super::StorageError;
use super::open::{OPEN, Open};
use assay_host::files::open_with;
pub(crate) use assay_host::files::{folder_of, sync_folder};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Where a rebuild makes the tables of a data folder.
pub(crate) const REBUILT: &str = "rebuilt";

/// The file that says that a rebuild has made all tables of a data folder, which are to be put in
/// the place of the old ones.
pub(crate) fn done_file(data: &Path) -> PathBuf {
    data.join(REBUILT).join("DONE")
}

/// The lock of a file, held until this is dropped.
///
/// It is the kernel's (`flock`), so it ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    // Counted until the lock is given back.
    _open: Open<'static>,
}

impl Lock {
    /// Opens the file at `path`, making it if need be, and takes its lock.
    ///
    /// Fails with [`StorageError::Locked`] if somebody else holds it, in this process or another.
    pub(crate) fn take(path: &Path) -> Result<Self, StorageError> {
        let open = OPEN.one_more();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = open_with(path, &options).map_err(|e| failure("open", path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file, _open: open }),
            Err(TryLockError::WouldBlock) => Err(StorageError::Locked(path.to_owned())),
            Err(TryLockError::Error(e)) => Err(failure("lock", path, e)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child process that another thread is starting holds a copy until
        // it is running.
        let _ = self.file.unlock();
    }
}

/// Whether `error` says that there is no room left.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Removes a folder and all that is in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<(), StorageError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failure("remove", path, e)),
        _ => Ok(()),
    }
}

/// The error for a system call that failed while `doing` something to `path`.
pub(crate) fn failure(doing: &'static str, path: &Path, source: io::Error) -> StorageError {
    let path = path.to_owned();
    if is_full(&source) {
        StorageError::DiskFull { path, source }
    } else {
        StorageError::Io {
            doing,
            path,
            source,
        }
    }
}

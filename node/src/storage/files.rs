//! Blobs as files: `aa/bb…` by the hex of their SHA-256, written under `incoming/` first and
//! renamed when whole.
//!
//! Left out: a lock (the store that owns the folder holds one), and any limit on sizes (the caller
//! sets it).

use super::disk::{Lock, failure, sync_folder};
use super::{BlobReader, Blobs, StorageError};
use assay_host::files;
use assay_tlog::Hash;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of a blob is in memory at a time while it is written, in bytes.
const PIECE: usize = 64 * 1024;

/// A folder of blobs.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    /// Tells apart what is being written at the same time.
    next: AtomicU64,
    /// The folder's own lock, if it is not below one that is locked.
    _lock: Option<Lock>,
}

impl Files {
    /// Opens the folder `root`, making it if need be, and clears away what a crash left half
    /// written.
    ///
    /// The caller sees to it that nobody else has the folder open.
    pub fn open(root: &Path) -> Result<Self, StorageError> {
        let incoming = root.join("incoming");
        fs::create_dir_all(&incoming).map_err(|e| failure("create", &incoming, e))?;
        for left_over in fs::read_dir(&incoming).map_err(|e| failure("list", &incoming, e))? {
            let path = left_over.map_err(|e| failure("list", &incoming, e))?.path();
            fs::remove_file(&path).map_err(|e| failure("remove", &path, e))?;
        }
        sync_folder(root).map_err(|e| failure("sync", root, e))?;
        Ok(Files {
            root: root.to_owned(),
            next: AtomicU64::new(0),
            _lock: None,
        })
    }

    /// Opens the folder `root`, which must be there, and locks it.
    pub fn open_alone(root: &Path) -> Result<Self, StorageError> {
        fs::metadata(root).map_err(|e| failure("open", root, e))?;
        let lock = Lock::take(&root.join("LOCK"))?;
        let mut files = Files::open(root)?;
        files._lock = Some(lock);
        Ok(files)
    }

    /// Opens the blobs of the store in the folder `path`: those in it, or those `elsewhere`, in a
    /// folder that must be there.
    pub(crate) fn of_store(path: &Path, elsewhere: Option<&Path>) -> Result<Self, StorageError> {
        match elsewhere {
            None => Files::open(&path.join("blobs")),
            Some(elsewhere) => Files::open_alone(elsewhere),
        }
    }

    /// The folders that blobs stand in, by the first two digits of their names.
    fn folders(&self) -> Result<Vec<(String, PathBuf)>, StorageError> {
        let mut folders = names(&self.root)?;
        folders.retain(|(name, _)| name.len() == 2);
        Ok(folders)
    }

    fn path(&self, key: &Hash) -> PathBuf {
        let hex = key.to_hex();
        let (folder, name) = hex.split_at(2);
        self.root.join(folder).join(name)
    }

    /// Makes the folder that `path` is to stand in, durably, and returns it.
    fn make_folder(&self, path: &Path) -> Result<PathBuf, StorageError> {
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        match fs::create_dir(&folder) {
            Ok(()) => sync_folder(&self.root).map_err(|e| failure("sync", &self.root, e))?,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failure("create", &folder, e)),
        }
        Ok(folder)
    }
}

impl Blobs for Files {
    fn put(&self, key: &Hash, bytes: &mut dyn Read, size: u64) -> Result<bool, StorageError> {
        let path = self.path(key);
        // A file of another length is not this blob, whatever its name says: a disk that was
        // repaired leaves such. It is replaced by content that is checked.
        let there = fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() == size);
        let folder = self.make_folder(&path)?;
        if !there {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            Incoming::write(&self.root, number, key, bytes, size)?.become_file(&path)?;
        }
        // Also when it was there: whoever is storing it at this moment may not have come this far.
        sync_folder(&folder).map_err(|e| failure("sync", &folder, e))?;
        Ok(there)
    }

    fn open(&self, key: &Hash) -> Result<Option<BlobReader>, StorageError> {
        let path = self.path(key);
        match files::open(&path).and_then(|file| Ok((file.metadata()?.len(), file))) {
            Ok((len, file)) => Ok(Some(BlobReader::new(len, file))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failure("open", &path, e)),
        }
    }

    fn size(&self, key: &Hash) -> Result<Option<u64>, StorageError> {
        let path = self.path(key);
        match fs::metadata(&path) {
            Ok(found) => Ok(Some(found.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failure("read", &path, e)),
        }
    }

    fn each(&self, visit: &mut dyn FnMut(Hash, u64)) -> Result<(), StorageError> {
        for (start, folder) in self.folders()? {
            for (rest, path) in names(&folder)? {
                // Anything else in there is not ours.
                let Some(key) = Hash::from_hex(&format!("{start}{rest}")) else {
                    continue;
                };
                match fs::metadata(&path) {
                    Ok(found) => visit(key, found.len()),
                    // It was removed in between.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(e) => return Err(failure("read", &path, e)),
                }
            }
        }
        Ok(())
    }

    fn free(&self) -> Result<u64, StorageError> {
        let disk = rustix::fs::statvfs(&self.root)
            .map_err(|e| failure("ask for the free space of", &self.root, e.into()))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

/// What a folder holds: names and paths.
fn names(folder: &Path) -> Result<Vec<(String, PathBuf)>, StorageError> {
    let list = |e| failure("list", folder, e);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(list)? {
        let entry = entry.map_err(list)?;
        if let Ok(name) = entry.file_name().into_string() {
            names.push((name, entry.path()));
        }
    }
    Ok(names)
}

/// A blob that is written, synced and checked, but does not stand under its name yet. Removed when
/// dropped before that.
struct Incoming {
    path: PathBuf,
}

impl Incoming {
    fn write(
        root: &Path,
        number: u64,
        key: &Hash,
        bytes: &mut dyn Read,
        size: u64,
    ) -> Result<Self, StorageError> {
        let path = root.join("incoming").join(number.to_string());
        let mut file = File::create_new(&path).map_err(|e| failure("create", &path, e))?;
        let incoming = Incoming { path };
        copy_checked(key, bytes, size, |piece| {
            file.write_all(piece)
                .map_err(|e| failure("write", &incoming.path, e))
        })?;
        file.sync_all()
            .map_err(|e| failure("sync", &incoming.path, e))?;
        Ok(incoming)
    }

    fn become_file(self, path: &Path) -> Result<(), StorageError> {
        fs::rename(&self.path, path).map_err(|e| failure("rename", &self.path, e))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What cannot be removed now is removed when the folder is opened next.
        let _ = fs::remove_file(&self.path);
    }
}

/// Passes `bytes` to `write` piece by piece, and succeeds only if they were `size` bytes with the
/// SHA-256 `key`.
pub(super) fn copy_checked(
    key: &Hash,
    bytes: &mut dyn Read,
    size: u64,
    mut write: impl FnMut(&[u8]) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut left = size;
    loop {
        let read = match bytes.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => piece.get(..read).unwrap_or(&piece),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(StorageError::Source(e)),
        };
        left = left
            .checked_sub(read.len() as u64)
            .ok_or(StorageError::WrongSize {
                expected: size,
                more: true,
            })?;
        hasher.update(read);
        write(read)?;
    }
    if left > 0 {
        return Err(StorageError::WrongSize {
            expected: size,
            more: false,
        });
    }
    let found = Hash::new(hasher.finalize().into());
    if found == *key {
        Ok(())
    } else {
        Err(StorageError::WrongDigest {
            expected: *key,
            found,
        })
    }
}

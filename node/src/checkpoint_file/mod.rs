//! The checkpoint file: the signed checkpoints of this log, kept outside the database
//! (docs/design.md 5). The configuration says where it is: `checkpoint_file`.
//!
//! A database can lose its tail, or be put back as it was yesterday. A node that signed from it
//! would go below what it signed before, which is a split view. So every signed checkpoint is
//! appended here, durably, before anybody sees it, and a node that starts compares its tree with
//! the last one. The file is append-only, checksummed and synced, and it is locked while it is
//! open. Its format is in `record`.
//!
//! **What is noticed**: any changed byte; a file that is gone, or is replaced, cut or grown while
//! it is open; a second opener. An unfinished last record is what a crash during
//! [`CheckpointFile::append`] leaves. Nobody has seen its note, so it is dropped.
//!
//! **What cannot be noticed here**, if it happens while no node runs: whole records cut off, a cut
//! into the last record, and an older copy put back. The database knows what was signed before its
//! last commit ([`SIGNED`](crate::records::SIGNED)), unless it was put back too.
//!
//! Left out: what a note says. The caller verifies the note that [`CheckpointFile::open`] returns.

mod record;
#[cfg(test)]
mod tests;

use crate::pace::Pace;
use crate::storage::disk;
use assay_host::files;
use record::{FRAME, MAGIC, NOTE_BYTES, Records};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file longer than this, in bytes, is replaced by one with its last note only. A note has some
/// 200 bytes, so this happens every few thousand checkpoints, and reading the file takes a
/// millisecond.
const COMPACT_ABOVE: u64 = 1024 * 1024;
/// No file gets longer than this, in bytes: compaction leaves one note, and the last append adds
/// one.
const FILE_BYTES: u64 = COMPACT_ABOVE + 2 * (NOTE_BYTES + FRAME) as u64;

/// An open checkpoint file. Dropping it releases the lock.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    file: File,
    /// Bytes in the file, all of whole records.
    len: u64,
    /// Whether an append failed. Then it is unknown what the file ends with.
    broken: bool,
    pace: Arc<Pace>,
}

/// Why the checkpoint file cannot be used. In every case the node must not sign. The text says what
/// an operator can do about it.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFileError {
    /// There is no such file.
    #[error(
        "the checkpoint file {0} is gone. Without it this node cannot know what it has signed, so \
         it does not sign. Restore it from a copy no older than the last published checkpoint; a \
         new log gets one from `assay-node init`"
    )]
    Missing(PathBuf),
    /// There is such a file already. It was left alone.
    #[error(
        "the checkpoint file {0} exists already and is left as it is: this log has been created \
         before"
    )]
    Exists(PathBuf),
    /// Another process, or another part of this one, has the file open.
    #[error(
        "the checkpoint file {0} is locked: another node runs on this log. Stop it first; two of \
         them would sign a fork"
    )]
    Locked(PathBuf),
    /// The file is not what was written. It was left alone.
    #[error(
        "the checkpoint file {path} is damaged: {reason}. This node cannot be sure what it has \
         signed, so it does not sign. Keep the file, check the disk, and restore a copy no older \
         than the last published checkpoint; or, if this data folder is the one that ran last, any \
         copy, and start once with --checkpoint-file-lost-its-end"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file holds no whole note. It was left alone.
    #[error(
        "the checkpoint file {0} has lost its checkpoints: `assay-node init` writes the first one \
         before it is done. This node cannot know what it has signed, so it does not sign. Keep \
         the file, check the disk, and restore a copy no older than the last published checkpoint; \
         or, if this data folder is the one that ran last, any copy, and start once with \
         --checkpoint-file-lost-its-end"
    )]
    Lost(PathBuf),
    /// An earlier append failed. Nothing was written.
    #[error(
        "an earlier write to the checkpoint file {0} failed, so it takes no more. Restart the node"
    )]
    Broken(PathBuf),
    /// The note has no bytes or too many. Nothing was written.
    #[error("a note of {0} bytes does not fit in the checkpoint file")]
    BadLength(usize),
    /// There is no room left on the disk or in the quota.
    #[error(
        "no room left on the disk that holds the checkpoint file {path}; free some space there, \
         then restart the node"
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused.
    #[error(
        "could not {doing} the checkpoint file {path}; the cause below says why. Check the disk \
         and the permissions"
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CheckpointFile {
    /// Makes a file without a note at `path`, whose folder must exist. It is durable on return, and
    /// is opened again only once it has a note.
    ///
    /// Fails with [`CheckpointFileError::Exists`] if anything is there already.
    pub fn create(path: &Path) -> Result<Self, CheckpointFileError> {
        let file = match File::options()
            .read(true)
            .append(true)
            .create_new(true)
            .open(path)
        {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(CheckpointFileError::Exists(path.to_owned()));
            }
            Err(e) => return Err(failure("create", path, e)),
        };
        lock(&file, path)?;
        write_synced(&file, MAGIC).map_err(|e| failure("write", path, e))?;
        disk::sync_folder(disk::folder_of(path))
            .map_err(|e| failure("sync the folder of", path, e))?;
        Ok(CheckpointFile {
            path: path.to_owned(),
            file,
            len: MAGIC.len() as u64,
            broken: false,
            pace: Pace::of(path),
        })
    }

    /// Opens the file at `path` and returns the note that was appended last, verbatim. The
    /// unfinished record of a crash is cut off.
    ///
    /// Fails with [`CheckpointFileError::Missing`], [`CheckpointFileError::Locked`],
    /// [`CheckpointFileError::Corrupt`] or [`CheckpointFileError::Lost`], having changed nothing.
    pub fn open(path: &Path) -> Result<(Self, String), CheckpointFileError> {
        let file = match files::open_with(path, File::options().read(true).append(true)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(CheckpointFileError::Missing(path.to_owned()));
            }
            Err(e) => return Err(failure("open", path, e)),
        };
        lock(&file, path)?;
        let mut opened = CheckpointFile {
            path: path.to_owned(),
            file,
            len: 0,
            broken: false,
            pace: Pace::of(path),
        };
        let corrupt = |reason: String| CheckpointFileError::Corrupt {
            path: path.to_owned(),
            reason,
        };
        let mut bytes = Vec::new();
        (&mut opened.file)
            .take(FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| failure("read", path, e))?;
        if bytes.len() as u64 > FILE_BYTES {
            return Err(corrupt(format!("it has more than {FILE_BYTES} bytes")));
        }
        let Records { last, end } = record::read_all(&bytes).map_err(corrupt)?;
        let last = last.ok_or_else(|| CheckpointFileError::Lost(path.to_owned()))?;
        opened.len = end as u64;
        if end < bytes.len() {
            opened
                .file
                .set_len(opened.len)
                .and_then(|()| opened.file.sync_all())
                .map_err(|e| failure("repair the end of", path, e))?;
        }
        Ok((opened, last.to_owned()))
    }

    /// Appends `note`. On `Ok` it is durable, and the next [`CheckpointFile::open`] returns it.
    ///
    /// On [`CheckpointFileError::BadLength`], [`CheckpointFileError::Broken`] and
    /// [`CheckpointFileError::Corrupt`] nothing was written. On any other error it is unknown
    /// whether it was, and every later append fails. After any error the caller must show the note
    /// to nobody.
    pub fn append(&mut self, note: &str) -> Result<(), CheckpointFileError> {
        if note.is_empty() || note.len() > NOTE_BYTES {
            return Err(CheckpointFileError::BadLength(note.len()));
        }
        if self.broken {
            return Err(CheckpointFileError::Broken(self.path.clone()));
        }
        self.demand_untouched()?;
        self.broken = true;
        let record = record::write(note);
        if self.len + record.len() as u64 > COMPACT_ABOVE {
            let pace = self.pace.clone();
            pace.time(|| self.replace_with(&record))?;
        } else {
            let written = self.pace.time(|| write_synced(&self.file, &record));
            written.map_err(|e| failure("write", &self.path, e))?;
            self.len += record.len() as u64;
        }
        self.broken = false;
        Ok(())
    }

    /// Fails unless the file at the path is the one that is locked, and is as long as it was left.
    fn demand_untouched(&self) -> Result<(), CheckpointFileError> {
        let corrupt = |reason: &str| CheckpointFileError::Corrupt {
            path: self.path.clone(),
            reason: reason.to_owned(),
        };
        if !is_at(&self.file, &self.path).map_err(|e| failure("look at", &self.path, e))? {
            return Err(corrupt(
                "it was removed or replaced while the node was running",
            ));
        }
        let len = self
            .file
            .metadata()
            .map_err(|e| failure("look at", &self.path, e))?
            .len();
        if len == self.len {
            Ok(())
        } else {
            Err(corrupt(
                "somebody else wrote to it or cut it while the node was running",
            ))
        }
    }

    /// Replaces the file by one with `record` alone. At every moment one of the two is whole and in
    /// place.
    fn replace_with(&mut self, record: &[u8]) -> Result<(), CheckpointFileError> {
        self.file = compact(&self.path, record).map_err(|e| failure("compact", &self.path, e))?;
        self.len = (MAGIC.len() + record.len()) as u64;
        Ok(())
    }
}

/// Writes a file with `record` alone beside `path`, locks it, and moves it to `path`.
fn compact(path: &Path, record: &[u8]) -> io::Result<File> {
    let mut new_path = path.to_owned().into_os_string();
    new_path.push(".new");
    // What a crash left of an earlier attempt is useless.
    match fs::remove_file(&new_path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let file = File::options()
        .read(true)
        .append(true)
        .create_new(true)
        .open(&new_path)?;
    // Locked before it gets its name, so that nobody else can lock it first.
    file.try_lock().map_err(io::Error::from)?;
    write_synced(&file, &[MAGIC, record].concat())?;
    fs::rename(&new_path, path)?;
    disk::sync_folder(disk::folder_of(path))?;
    Ok(file)
}

impl Drop for CheckpointFile {
    fn drop(&mut self) {
        // Closing is not enough: a child process that another thread is starting holds a copy until
        // it is running.
        let _ = self.file.unlock();
    }
}

/// Takes the lock of `file`, which was opened at `path`.
fn lock(file: &File, path: &Path) -> Result<(), CheckpointFileError> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(CheckpointFileError::Locked(path.to_owned())),
        Err(TryLockError::Error(e)) => return Err(failure("lock", path, e)),
    }
    // Between open and lock, the holder of the lock may have compacted the file. Then this is the
    // old one.
    match is_at(file, path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(CheckpointFileError::Locked(path.to_owned())),
        Err(e) => Err(failure("look at", path, e)),
    }
}

/// Whether `path` names `file`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

fn write_synced(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

fn failure(doing: &'static str, path: &Path, source: io::Error) -> CheckpointFileError {
    let path = path.to_owned();
    if disk::is_full(&source) {
        CheckpointFileError::DiskFull { path, source }
    } else {
        CheckpointFileError::Io {
            doing,
            path,
            source,
        }
    }
}

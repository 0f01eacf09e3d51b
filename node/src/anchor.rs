//! The anchor: the signed checkpoints of this log, kept outside the database (DESIGN.md, section 5,
//! "Anchor").
//!
//! A database can lose its tail, or be put back as it was yesterday; a node that then signs goes
//! below what it signed before, and that is a fork. So every checkpoint note is appended here,
//! durably, before anybody gets to see it, and a node that starts compares its tree with the last
//! one. The file is ours alone: append-only, checksummed, synced, and locked for as long as it is
//! open.
//!
//! ```text
//! file    = magic record*
//! magic   = "assay-anchor v1\n"
//! record  = length u32be ‖ crc32c(length) u32be ‖ note ‖ crc32c(length ‖ note) u32be
//! ```
//!
//! The length has a checksum of its own, so that a damaged length is never taken for the torn tail
//! of a crash.
//!
//! **What is noticed**: any changed byte; a file that is gone, or is replaced, cut or grown while
//! it is open; a second opener. An unfinished last record is what a crash during [`Anchor::append`]
//! leaves, whose note nobody has seen; it is dropped.
//!
//! **What cannot be noticed here**: while no node runs, cutting off whole records, or cutting into
//! the last one, and putting an older copy back. The database knows a later checkpoint unless it
//! was put back too, and the witnesses know theirs: the sequencer asks both.
//!
//! Left out: what a note says. Whoever opens the anchor verifies the note that it returns.

use crate::storage::disk;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 16] = b"assay-anchor v1\n";
const WORD: usize = 4;
/// Bytes of a record around its note.
const FRAME: usize = 3 * WORD;
/// A file longer than this is written anew with its last note only, in bytes. A note has some 200
/// bytes, so this happens every few thousand checkpoints and reading the file takes a millisecond.
const COMPACT_ABOVE: u64 = 1024 * 1024;
/// Longest note that is kept, in bytes.
const NOTE_BYTES: usize = assay_tlog::limits::NOTE_BYTES;
/// No file gets longer than this, in bytes: compaction leaves one note, and the last append adds
/// one.
const FILE_BYTES: u64 = COMPACT_ABOVE + 2 * (NOTE_BYTES + FRAME) as u64;

/// An open anchor. The lock ends with it.
#[derive(Debug)]
pub struct Anchor {
    path: PathBuf,
    file: File,
    /// Bytes in the file, all of whole records.
    len: u64,
    /// Whether an append failed, so that it is unknown what the file ends with.
    broken: bool,
}

/// Why the anchor cannot be used. The text says what a person can do about it; in every case the
/// node must not sign.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// There is no such file.
    #[error(
        "the anchor {0} is gone. Without it this node cannot know what it has signed, so it does \
         not sign. Restore it from a copy no older than the last published checkpoint; a new log \
         gets one from `assay-node init`"
    )]
    Missing(PathBuf),
    /// There is such a file already; it was left alone.
    #[error("the anchor {0} exists already and is left as it is: this log has been created before")]
    Exists(PathBuf),
    /// Somebody else has the anchor open.
    #[error(
        "the anchor {0} is locked: another node runs on this log. Stop it first; two of them \
         would sign a fork"
    )]
    Locked(PathBuf),
    /// The file is not what was written. It was left alone.
    #[error(
        "the anchor {path} is damaged: {reason}. This node cannot be sure what it has signed, so \
         it does not sign. Keep the file, check the disk, and restore a copy no older than the \
         last published checkpoint"
    )]
    Corrupt {
        /// The anchor.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An earlier append failed. Nothing was written.
    #[error("an earlier write to the anchor {0} failed, so it takes no more. Restart the node")]
    Broken(PathBuf),
    /// The note has no bytes or too many. Nothing was written.
    #[error("a note of {0} bytes cannot be anchored")]
    BadLength(usize),
    /// There is no room left on the disk or in the quota.
    #[error(
        "no room left on the disk that holds the anchor {path}; free some space there, then \
         restart the node"
    )]
    DiskFull {
        /// The anchor.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused.
    #[error(
        "could not {doing} the anchor {path}; the cause below says why. Check the disk and the \
         permissions"
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The anchor.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Anchor {
    /// Makes an anchor without a note at `path`, whose folder must exist. It is durable on return.
    ///
    /// Fails with [`AnchorError::Exists`] if anything is there already.
    pub fn create(path: &Path) -> Result<Self, AnchorError> {
        let file = match File::options()
            .read(true)
            .append(true)
            .create_new(true)
            .open(path)
        {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(AnchorError::Exists(path.to_owned()));
            }
            Err(e) => return Err(failure("create", path, e)),
        };
        lock(&file, path)?;
        write_synced(&file, MAGIC).map_err(|e| failure("write", path, e))?;
        disk::sync_folder(folder_of(path)).map_err(|e| failure("sync the folder of", path, e))?;
        Ok(Anchor {
            path: path.to_owned(),
            file,
            len: MAGIC.len() as u64,
            broken: false,
        })
    }

    /// Opens the anchor at `path` and returns the note that was appended last, verbatim, or `None`
    /// if none ever was.
    ///
    /// Fails with [`AnchorError::Missing`], [`AnchorError::Locked`] or [`AnchorError::Corrupt`] as
    /// those say, having changed nothing. The unfinished record of a crash is cut off.
    pub fn open(path: &Path) -> Result<(Self, Option<String>), AnchorError> {
        let file = match File::options().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(AnchorError::Missing(path.to_owned()));
            }
            Err(e) => return Err(failure("open", path, e)),
        };
        lock(&file, path)?;
        let mut anchor = Anchor {
            path: path.to_owned(),
            file,
            len: 0,
            broken: false,
        };
        let corrupt = |reason: String| AnchorError::Corrupt {
            path: path.to_owned(),
            reason,
        };
        let mut bytes = Vec::new();
        (&mut anchor.file)
            .take(FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| failure("read", path, e))?;
        if bytes.len() as u64 > FILE_BYTES {
            return Err(corrupt(format!("it has more than {FILE_BYTES} bytes")));
        }
        let Records { last, end } = read_records(&bytes).map_err(corrupt)?;
        anchor.len = end as u64;
        if end < bytes.len() {
            let mended = anchor
                .file
                .set_len(anchor.len)
                .and_then(|()| anchor.file.sync_all());
            mended.map_err(|e| failure("mend the end of", path, e))?;
        }
        Ok((anchor, last.map(str::to_owned)))
    }

    /// Appends `note`. On `Ok` it is durable, and the next [`Anchor::open`] returns it.
    ///
    /// On [`AnchorError::BadLength`], [`AnchorError::Broken`] and [`AnchorError::Corrupt`] nothing
    /// was written. On any other error it is unknown whether it was, and every later append fails.
    /// In all cases the caller must not let anybody see the note.
    pub fn append(&mut self, note: &str) -> Result<(), AnchorError> {
        if note.is_empty() || note.len() > NOTE_BYTES {
            return Err(AnchorError::BadLength(note.len()));
        }
        if self.broken {
            return Err(AnchorError::Broken(self.path.clone()));
        }
        self.demand_untouched()?;
        self.broken = true;
        let record = record(note);
        if self.len + record.len() as u64 > COMPACT_ABOVE {
            self.replace_with(&record)?;
        } else {
            write_synced(&self.file, &record).map_err(|e| failure("write", &self.path, e))?;
            self.len += record.len() as u64;
        }
        self.broken = false;
        Ok(())
    }

    /// Fails unless the file that stands at the path is the one that is locked, and is as long as
    /// it was left.
    fn demand_untouched(&self) -> Result<(), AnchorError> {
        let corrupt = |reason: &str| AnchorError::Corrupt {
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

    /// Puts a new file with `record` alone in the place of this one. At every moment one of the
    /// two, whole, stands there.
    fn replace_with(&mut self, record: &[u8]) -> Result<(), AnchorError> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let new_path = PathBuf::from(name);
        // What a crash left of an earlier attempt is of no use.
        match fs::remove_file(&new_path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(failure("compact", &self.path, e));
            }
            _ => {}
        }
        let compact = || {
            let file = File::options()
                .read(true)
                .append(true)
                .create_new(true)
                .open(&new_path)?;
            // Locked before it gets its name, so that there is no moment for somebody else.
            file.try_lock().map_err(io::Error::from)?;
            write_synced(&file, &[MAGIC, record].concat())?;
            fs::rename(&new_path, &self.path)?;
            disk::sync_folder(folder_of(&self.path))?;
            Ok(file)
        };
        self.file = compact().map_err(|e| failure("compact", &self.path, e))?;
        self.len = (MAGIC.len() + record.len()) as u64;
        Ok(())
    }
}

impl Drop for Anchor {
    fn drop(&mut self) {
        // Closing is not enough: a child process that another thread is starting holds a copy until
        // it is running.
        let _ = self.file.unlock();
    }
}

/// Takes the lock of `file`, which was opened at `path`.
fn lock(file: &File, path: &Path) -> Result<(), AnchorError> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(AnchorError::Locked(path.to_owned())),
        Err(TryLockError::Error(e)) => return Err(failure("lock", path, e)),
    }
    // Between opening and locking, whoever held the lock may have compacted the file: this is then
    // the old one.
    match is_at(file, path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(AnchorError::Locked(path.to_owned())),
        Err(e) => Err(failure("look at", path, e)),
    }
}

/// Whether `path` leads to `file`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn write_synced(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

fn failure(doing: &'static str, path: &Path, source: io::Error) -> AnchorError {
    let path = path.to_owned();
    if disk::is_full(&source) {
        AnchorError::DiskFull { path, source }
    } else {
        AnchorError::Io {
            doing,
            path,
            source,
        }
    }
}

fn record(note: &str) -> Vec<u8> {
    // Bounded by NOTE_BYTES, so the cast keeps it.
    let length = (note.len() as u32).to_be_bytes();
    let length_crc = crc32c::crc32c(&length);
    let crc = crc32c::crc32c_append(length_crc, note.as_bytes());
    [
        &length[..],
        &length_crc.to_be_bytes(),
        note.as_bytes(),
        &crc.to_be_bytes(),
    ]
    .concat()
}

#[derive(Debug)]
struct Records<'a> {
    last: Option<&'a str>,
    /// Where the whole records end. Behind it is the unfinished record of a crash, or nothing.
    end: usize,
}

/// Reads a whole file; on an error returns what is wrong with it.
fn read_records(bytes: &[u8]) -> Result<Records<'_>, String> {
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
        return Err(
            "it does not start as an anchor does; if `init` was interrupted, remove it and run \
             that again"
                .into(),
        );
    };
    let mut last = None;
    loop {
        let end = bytes.len() - rest.len();
        match split_record(rest) {
            Ok(Some((note, behind))) => {
                last = Some(note);
                rest = behind;
            }
            Ok(None) => return Ok(Records { last, end }),
            Err(what) => return Err(format!("{what} (record at byte {end})")),
        }
    }
}

/// Splits off the first record of `bytes`; `None` if the file ends before the record does.
fn split_record(bytes: &[u8]) -> Result<Option<(&str, &[u8])>, &'static str> {
    let Some((length, rest)) = bytes.split_first_chunk::<WORD>() else {
        return Ok(None);
    };
    let Some((length_crc, rest)) = rest.split_first_chunk::<WORD>() else {
        return Ok(None);
    };
    let expected = crc32c::crc32c(length);
    if u32::from_be_bytes(*length_crc) != expected {
        return Err("the checksum of a length is wrong");
    }
    let length = u32::from_be_bytes(*length) as usize;
    if length == 0 || length > NOTE_BYTES {
        return Err("a length is out of bounds");
    }
    let Some((note, rest)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let Some((crc, rest)) = rest.split_first_chunk::<WORD>() else {
        return Ok(None);
    };
    if u32::from_be_bytes(*crc) != crc32c::crc32c_append(expected, note) {
        return Err("the checksum of a note is wrong");
    }
    let note = str::from_utf8(note).map_err(|_| "a note is not text")?;
    Ok(Some((note, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A folder, and an anchor in it that holds `notes`.
    fn anchored(notes: &[&str]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        let mut anchor = Anchor::create(&path).unwrap();
        for note in notes {
            anchor.append(note).unwrap();
        }
        (folder, path)
    }

    fn last(path: &Path) -> Result<Option<String>, AnchorError> {
        Anchor::open(path).map(|(_, last)| last)
    }

    #[test]
    fn the_last_note_comes_back_verbatim() {
        let (_folder, path) = anchored(&[]);
        assert_eq!(last(&path).unwrap(), None);
        let (mut anchor, _) = Anchor::open(&path).unwrap();
        for note in ["one\n", "two\n\n\u{2014} é\n", "x"] {
            anchor.append(note).unwrap();
            drop(anchor);
            let found;
            (anchor, found) = Anchor::open(&path).unwrap();
            assert_eq!(found.as_deref(), Some(note));
        }
    }

    #[test]
    fn creation_never_touches_what_is_there_and_opening_never_creates() {
        let (folder, path) = anchored(&["one\n"]);
        assert!(matches!(Anchor::create(&path), Err(AnchorError::Exists(_))));
        assert_eq!(last(&path).unwrap().as_deref(), Some("one\n"));
        let other = folder.path().join("other");
        assert!(matches!(Anchor::open(&other), Err(AnchorError::Missing(_))));
        assert!(!other.exists());
    }

    #[test]
    fn a_second_opener_is_refused_also_after_compaction() {
        let (_folder, path) = anchored(&[]);
        let (mut anchor, _) = Anchor::open(&path).unwrap();
        assert!(matches!(Anchor::open(&path), Err(AnchorError::Locked(_))));
        let note = "n".repeat(COMPACT_ABOVE as usize / 2);
        anchor.append(&note).unwrap();
        anchor.append(&note).unwrap();
        assert!(anchor.len < COMPACT_ABOVE, "compacted");
        assert!(matches!(Anchor::open(&path), Err(AnchorError::Locked(_))));
        drop(anchor);
        assert_eq!(last(&path).unwrap(), Some(note));
    }

    #[test]
    fn an_opener_that_was_overtaken_by_compaction_does_not_get_the_old_file() {
        let (_folder, path) = anchored(&["one\n"]);
        let old = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        drop(Anchor::create(&path).unwrap());
        assert!(matches!(lock(&old, &path), Err(AnchorError::Locked(_))));
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let (_folder, path) = anchored(&["one\n", "two\n", "three\n"]);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                fs::write(&path, &bad).unwrap();
                assert!(
                    matches!(last(&path), Err(AnchorError::Corrupt { .. })),
                    "byte {at} bit {bit}"
                );
                assert_eq!(
                    fs::read(&path).unwrap(),
                    bad,
                    "a damaged anchor is left as it is"
                );
            }
        }
    }

    #[test]
    fn a_cut_file_is_refused_or_ends_with_a_note_that_was_written() {
        let notes = ["one\n", "two\n", "three\n"];
        let (_folder, path) = anchored(&notes);
        let good = fs::read(&path).unwrap();
        for len in 0..good.len() {
            fs::write(&path, &good[..len]).unwrap();
            if len < MAGIC.len() {
                assert!(
                    matches!(last(&path), Err(AnchorError::Corrupt { .. })),
                    "{len} bytes"
                );
                continue;
            }
            let mut ends = notes.iter().scan(MAGIC.len(), |end, note| {
                *end += FRAME + note.len();
                Some((*end, *note))
            });
            let wanted = ends
                .by_ref()
                .take_while(|(end, _)| *end <= len)
                .last()
                .map(|(_, note)| note.to_owned());
            let (mut anchor, found) = Anchor::open(&path).unwrap();
            assert_eq!(found, wanted, "{len} bytes");
            anchor.append("after the crash\n").unwrap();
            drop(anchor);
            assert_eq!(
                last(&path).unwrap().as_deref(),
                Some("after the crash\n"),
                "the torn tail is gone"
            );
        }
    }

    #[test]
    fn what_happens_to_the_file_while_it_is_open_is_noticed() {
        let tampering: [fn(&Path); 4] = [
            |path| fs::remove_file(path).unwrap(),
            |path| {
                let copy = path.with_extension("copy");
                fs::copy(path, &copy).unwrap();
                fs::rename(&copy, path).unwrap();
            },
            |path| {
                File::options()
                    .write(true)
                    .open(path)
                    .unwrap()
                    .set_len(20)
                    .unwrap()
            },
            |path| {
                File::options()
                    .append(true)
                    .open(path)
                    .unwrap()
                    .write_all(b"x")
                    .unwrap()
            },
        ];
        for tamper in tampering {
            let (_folder, path) = anchored(&["one\n"]);
            let (mut anchor, _) = Anchor::open(&path).unwrap();
            tamper(&path);
            let after = fs::read(&path).ok();
            assert!(matches!(
                anchor.append("two\n"),
                Err(AnchorError::Corrupt { .. })
            ));
            assert_eq!(fs::read(&path).ok(), after, "nothing was written");
        }
    }

    #[test]
    fn compaction_keeps_the_last_note_and_survives_what_a_crash_left() {
        let (_folder, path) = anchored(&[]);
        fs::write(path.with_extension("new"), "left over").unwrap();
        let (mut anchor, _) = Anchor::open(&path).unwrap();
        let mut longest = 0;
        for n in 0..40 {
            let note = format!("{n} {}\n", "x".repeat(60_000));
            anchor.append(&note).unwrap();
            longest = longest.max(fs::metadata(&path).unwrap().len());
            assert_eq!(fs::metadata(&path).unwrap().len(), anchor.len);
        }
        assert!(longest > COMPACT_ABOVE / 2 && longest <= COMPACT_ABOVE);
        drop(anchor);
        assert!(last(&path).unwrap().unwrap().starts_with("39 "));
        assert!(!path.with_extension("new").exists());
    }

    #[test]
    fn lengths_out_of_bounds_are_refused_and_harmless() {
        let (_folder, path) = anchored(&["one\n"]);
        let (mut anchor, _) = Anchor::open(&path).unwrap();
        assert!(matches!(anchor.append(""), Err(AnchorError::BadLength(0))));
        assert!(matches!(
            anchor.append(&"x".repeat(NOTE_BYTES + 1)),
            Err(AnchorError::BadLength(_))
        ));
        let longest = "x".repeat(NOTE_BYTES);
        anchor.append(&longest).unwrap();
        anchor.append("two\n").unwrap();
        anchor.append(&longest).unwrap();
        drop(anchor);
        assert_eq!(last(&path).unwrap(), Some(longest));
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(FILE_BYTES + 1).unwrap();
        assert!(matches!(last(&path), Err(AnchorError::Corrupt { .. })));
    }

    #[test]
    fn a_failed_append_ends_the_anchor() {
        // A device that refuses every write, as a full disk does.
        let (_folder, path) = anchored(&["one\n"]);
        let (mut anchor, _) = Anchor::open(&path).unwrap();
        anchor.file = File::open(&path).unwrap();
        assert!(
            matches!(anchor.append("two\n"), Err(AnchorError::Io { .. })),
            "the file is open for reading only"
        );
        assert!(matches!(
            anchor.append("two\n"),
            Err(AnchorError::Broken(_))
        ));
        drop(anchor);
        assert_eq!(last(&path).unwrap().as_deref(), Some("one\n"));
    }
}

//! A file of lines that one process at a time appends to, and that tells after any crash what was
//! written before it.

use crate::{ClientError, files};
use assay_host::files::demand_regular_or_none;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file of lines. It is locked for as long as this lives.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Option<File>,
    whole: u64,
    _lock: File,
}

impl Journal {
    /// Takes the file at `path` and returns it with its text; what is after the last end of a line
    /// was cut off by a crash, and is dropped when something is appended. A file that is missing is
    /// made then, and has no text.
    ///
    /// # Errors
    ///
    /// [`ClientError::State`] if another process has it (then the system gives no reason), or if
    /// it is not a file of UTF-8.
    pub fn open(path: &Path) -> Result<(Self, String), ClientError> {
        let failed = |what: &str, source| state(path, what, source);
        // Before its folder is made, and a file for the lock.
        demand_regular_or_none(path).map_err(|e| failed("cannot read the state file", Some(e)))?;
        let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.exists()) {
            files::create_folder(folder)
                .map_err(|e| failed("cannot make the folder of the state file", Some(e)))?;
        }
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = files::open_lock(Path::new(&lock_path))
            .map_err(|e| failed("cannot lock the state file", Some(e)))?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => failed("another process uses the state file", None),
            TryLockError::Error(e) => failed("cannot lock the state file", Some(e)),
        })?;
        let bytes = match files::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(failed("cannot read the state file", Some(e))),
        };
        let text = whole_characters(&bytes)
            .map_err(|e| failed("the state file is damaged", Some(e)))?
            .to_owned();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let journal = Journal {
            path: path.to_owned(),
            file: None,
            whole: whole as u64,
            _lock: lock,
        };
        Ok((journal, text))
    }

    /// Appends lines. When this returns, they are on stable storage.
    pub fn append(&mut self, lines: &[String]) -> Result<(), ClientError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut text = lines.join("\n");
        text.push('\n');
        self.write(&text)
            .map_err(|e| state(&self.path, "cannot write the state file", Some(e)))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.file.is_none() {
            if !self.path.exists() {
                files::replace(&self.path, b"")?;
            }
            let file = files::open_with(&self.path, OpenOptions::new().append(true))?;
            // Appended to a line that was cut off, both would be lost.
            file.set_len(self.whole)?;
            self.file = Some(file);
        }
        // If a part of it gets written, the next one begins by cutting that off.
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        self.whole += text.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Replaces all lines, so that a crash leaves the old ones or the new ones.
    pub fn replace(&mut self, lines: &[String]) -> Result<(), ClientError> {
        let mut text = lines.join("\n");
        text.push('\n');
        self.file = None;
        self.whole = text.len() as u64;
        files::replace(&self.path, text.as_bytes())
            .map_err(|e| state(&self.path, "cannot write the state file", Some(e)))
    }
}

/// The text that bytes are, but for a character at their end of which a crash left a part.
fn whole_characters(bytes: &[u8]) -> io::Result<&str> {
    match str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(e) if e.error_len().is_none() => {
            let whole = bytes.utf8_chunks().next();
            Ok(whole.map_or("", |chunk| chunk.valid()))
        }
        Err(e) => {
            let at = e.valid_up_to() + 1;
            let why = format!("no UTF-8 at byte {at}; move it away to begin anew");
            Err(io::Error::new(io::ErrorKind::InvalidData, why))
        }
    }
}

fn state(path: &Path, what: &str, source: Option<io::Error>) -> ClientError {
    ClientError::State {
        what: what.to_owned(),
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_not_a_file_of_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, [0xff, 0xfe]).unwrap();
        for path in [folder.path(), Path::new("/dev/null"), path.as_path()] {
            let copy = folder.path().join("link");
            std::os::unix::fs::symlink(path, &copy).unwrap();
            let error = Journal::open(&copy).unwrap_err();
            let ClientError::State { source, .. } = &error else {
                panic!("{path:?}: {error}");
            };
            assert!(source.is_some(), "{path:?}: {error}");
            fs::remove_file(&copy).unwrap();
        }
    }

    #[test]
    fn damage_is_said_where_it_is_and_only_an_end_is_torn() {
        for (bytes, at) in [
            (&b"one\n\xff\n"[..], 5),
            (b"one\n\xc3", 0),
            (b"one\n\xe2\x82", 0),
            (b"one\n\xc3\n", 5),
            (b"one\n\xc3\xc3", 5),
            (b"one\n\xff", 5),
        ] {
            match whole_characters(bytes) {
                Ok(text) => assert_eq!((text, at), ("one\n", 0)),
                Err(error) => {
                    let said = format!("no UTF-8 at byte {at}; move it away to begin anew");
                    assert_eq!(error.to_string(), said);
                }
            }
        }
    }

    #[test]
    fn what_was_written_in_part_is_cut_off_by_what_is_written_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&["one".into()]).unwrap();
        // As a disk that gets full in the middle of a line, and refuses the rest.
        fs::write(&path, "one\ntw").unwrap();
        journal.file = Some(File::open(&path).unwrap());
        journal.append(&["two".into()]).unwrap_err();
        journal.append(&["three".into()]).unwrap();
        journal.append(&["four".into()]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\nthree\nfour\n");
    }

    #[test]
    fn lines_are_kept_and_a_torn_one_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let (mut journal, text) = Journal::open(&path).unwrap();
        assert_eq!(text, "");
        journal.append(&["one".into(), "two".into()]).unwrap();
        assert!(Journal::open(&path).is_err(), "it is taken");
        drop(journal);
        // A name that ends in "ü", of which one byte was written.
        fs::write(&path, b"one\ntwo\nthr\xc3").unwrap();
        let (mut journal, text) = Journal::open(&path).unwrap();
        assert_eq!(text, "one\ntwo\nthr");
        journal.append(&["three".into()]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        journal.replace(&["3".into()]).unwrap();
        journal.append(&["four".into()]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "3\nfour\n");
    }
}

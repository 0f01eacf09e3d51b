//! A time that the store knew, kept outside it: the one line `<seconds since 1970, UTC>`.
//!
//! A store that was copied back from an older day looks healthy, and who goes on from it may sign
//! the opposite of what it signed. The file is raised after the store, so that a store whose floor
//! is below the file's is an older copy.
//!
//! It is raised once a minute, not at every commit: a copy that is younger than that is not
//! noticed.

use crate::files;
use assay_tlog::witness::ClockFloor;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Seconds by which the floor has to rise before it is written.
const EVERY_S: u64 = 60;

/// Why a witness or a mirror must not go on.
#[derive(Debug, thiserror::Error)]
pub enum FloorFileError {
    /// The store is older than what the file knows.
    #[error(
        "the data folder is an older copy: the clock's floor is {stored} in it, and {known} in \
         {path}. Bring back the newer state, or retire the keys and make new ones with `init`. \
         Going on from here may sign the opposite of what was signed",
        path = path.display()
    )]
    OlderStore {
        /// The file.
        path: PathBuf,
        /// The floor in the store, in seconds since 1970 (UTC).
        stored: u64,
        /// The floor in the file.
        known: u64,
    },
    /// The file is not what was written.
    #[error(
        "{path} holds no floor of a clock, which is one line with a decimal number. If the data \
         folder is certainly the newest there is, remove the file",
        path = path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("the floor file {path} cannot be used", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The file of a store that is open.
#[derive(Debug)]
pub struct FloorFile {
    path: PathBuf,
    known: u64,
}

impl FloorFile {
    /// Reads the file, demands that the store is not older, and raises the file to the store's
    /// floor. A missing file is made: the first start, or its removal, by which an operator vouches
    /// for the store.
    pub fn open(path: &Path, stored: ClockFloor) -> Result<Self, FloorFileError> {
        let unusable = |source| FloorFileError::Io {
            path: path.to_owned(),
            source,
        };
        let stored = stored.seconds();
        let malformed = || FloorFileError::Malformed {
            path: path.to_owned(),
        };
        let known = match files::read_text(path) {
            Ok(text) => parse(&text).ok_or_else(malformed)?,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(malformed()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(unusable(error)),
        };
        if stored < known {
            return Err(FloorFileError::OlderStore {
                path: path.to_owned(),
                stored,
                known,
            });
        }
        let file = FloorFile {
            path: path.to_owned(),
            known: stored,
        };
        file.write(stored).map_err(unusable)?;
        Ok(file)
    }

    /// Raises the file to a floor that is durable in the store, if it rose by a minute. A failure
    /// is only reported: the file then knows less, and the store is what counts.
    pub fn raise(&mut self, stored: ClockFloor) {
        let seconds = stored.seconds();
        if seconds < self.known.saturating_add(EVERY_S) {
            return;
        }
        match self.write(seconds) {
            Ok(()) => self.known = seconds,
            Err(error) => {
                let path = self.path.display();
                tracing::error!(%path, %error, "the floor file cannot be written");
            }
        }
    }

    fn write(&self, seconds: u64) -> io::Result<()> {
        files::replace_durably(&self.path, format!("{seconds}\n").as_bytes())
    }
}

fn parse(text: &str) -> Option<u64> {
    let number = text.strip_suffix('\n')?;
    let seconds: u64 = number.parse().ok()?;
    (seconds.to_string() == number).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_older_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.floor");
        let mut file = FloorFile::open(&path, ClockFloor::new(1000)).unwrap();
        file.raise(ClockFloor::new(1059));
        assert_eq!(fs::read_to_string(&path).unwrap(), "1000\n");
        file.raise(ClockFloor::new(1060));
        assert_eq!(fs::read_to_string(&path).unwrap(), "1060\n");
        for stored in [1060, 1061] {
            FloorFile::open(&path, ClockFloor::new(stored)).unwrap();
        }
        let refused = FloorFile::open(&path, ClockFloor::new(1060)).unwrap_err();
        assert!(refused.to_string().contains("retire the keys"), "{refused}");
        for text in [&b""[..], b"1061", b"01061\n", b"+1\n", b"x\n", b"10\xb61\n"] {
            fs::write(&path, text).unwrap();
            let refused = FloorFile::open(&path, ClockFloor::new(2000)).unwrap_err();
            let is_malformed = matches!(refused, FloorFileError::Malformed { .. });
            assert!(is_malformed, "{text:?}: {refused}");
        }
    }
}

//! How far an examination is, in a file: what was interrupted goes on from there.

use super::examine::Reached;
use crate::files;
use assay_tlog::head::VerifiedHead;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often it is written. That much of the work is done again at most.
const EVERY: Duration = Duration::from_secs(5);

/// Why it is not known how far an examination is.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// The file cannot be read, written or removed.
    #[error("{0} cannot keep how far the check is")]
    File(PathBuf, #[source] io::Error),
    /// The file holds something else.
    #[error("{0} does not say how far a check is; name another file, or remove it")]
    Malformed(PathBuf, #[source] serde_json::Error),
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    origin: String,
    size: u64,
    root: String,
    done: u64,
    damaged: BTreeSet<String>,
    reached: Reached,
}

/// Keeps how far the examination of one signed head is, or nothing if no file is named.
pub(super) struct Progress {
    path: Option<PathBuf>,
    kept: Kept,
    written: Instant,
}

impl Progress {
    /// Reads the file, if there is one. What it holds of another head counts for nothing: a node
    /// ran in between.
    pub fn open(path: Option<&Path>, head: &VerifiedHead) -> Result<Self, ProgressError> {
        let fresh = Kept {
            origin: head.origin().to_owned(),
            size: head.size().get(),
            root: head.root().to_hex(),
            done: 0,
            damaged: BTreeSet::new(),
            reached: Reached::default(),
        };
        let kept = path.map(read).transpose()?.flatten();
        let kept = kept.filter(|kept| {
            (&kept.origin, kept.size, &kept.root) == (&fresh.origin, fresh.size, &fresh.root)
        });
        Ok(Progress {
            path: path.map(Path::to_owned),
            kept: kept.unwrap_or(fresh),
            written: Instant::now(),
        })
    }

    /// How many pieces were looked at, and what the next one is.
    pub fn reached(&self) -> (u64, Reached) {
        (self.kept.done, self.kept.reached.clone())
    }

    /// What was found to be damaged.
    pub fn damaged(&self) -> &BTreeSet<String> {
        &self.kept.damaged
    }

    /// Notes what is damaged. Returns whether that is new: what follows from one fault is found by
    /// more than one step, and again after an interruption.
    pub fn note(&mut self, damaged: String) -> bool {
        self.kept.damaged.insert(damaged)
    }

    /// Notes how far it is, in the file every few seconds, and at once if it is `interrupted`.
    pub fn reach(
        &mut self,
        done: u64,
        reached: Reached,
        interrupted: bool,
    ) -> Result<(), ProgressError> {
        (self.kept.done, self.kept.reached) = (done, reached);
        let Some(path) = &self.path else {
            return Ok(());
        };
        if !interrupted && self.written.elapsed() < EVERY {
            return Ok(());
        }
        self.written = Instant::now();
        let written = serde_json::to_value(&self.kept).map_err(io::Error::from);
        written
            .and_then(|json| files::replace_json(path, &json))
            .map_err(|error| ProgressError::File(path.clone(), error))
    }

    /// Removes the file: all was looked at.
    pub fn finish(&self) -> Result<(), ProgressError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ProgressError::File(path.clone(), error))
            }
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<Option<Kept>, ProgressError> {
    match files::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ProgressError::File(path.to_owned(), error)),
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| ProgressError::Malformed(path.to_owned(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next examination would go on behind the end of this one.
    #[test]
    fn a_file_that_cannot_be_removed_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let progress = |path| Progress {
            path: Some(path),
            kept: Kept {
                origin: "log.example/a".into(),
                size: 1,
                root: String::new(),
                done: 1,
                damaged: BTreeSet::new(),
                reached: Reached::default(),
            },
            written: Instant::now(),
        };
        let none = progress(folder.path().join("none"));
        assert!(none.finish().is_ok());
        // A folder is no file.
        let wrong = progress(folder.path().to_owned());
        assert!(wrong.finish().is_err());
    }
}

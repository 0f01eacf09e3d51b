//! The files of misbehavior: `<SHA-256 in hex>.assay-misbehavior`, below a data folder. The folder
//! is made with its first file.

use super::FolderError;
use crate::files;
use crate::storage::disk;
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_tlog::Hash;
use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

const SUFFIX: &str = ".assay-misbehavior";

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// What came of reading a file.
#[derive(Debug)]
pub(super) enum Read {
    /// Its SHA-256 is the one in its name.
    Whole(Vec<u8>),
    /// It is not there, or was damaged and is set aside.
    Nothing,
}

impl Folder {
    pub(super) fn below(data: &Path) -> Self {
        Folder(data.join("misbehavior"))
    }

    /// The ids in the names of its files.
    pub(super) fn ids(&self) -> Result<Vec<Hash>, FolderError> {
        let list = |source| failed("list", &self.0, source);
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(list(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(list)?.file_name();
            // Anything else in there is not ours: what is set aside, and drafts.
            let id = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            ids.extend(id.and_then(Hash::from_hex));
        }
        Ok(ids)
    }

    /// Reads a file. One whose bytes are not those that were written is reported and set aside:
    /// `.damaged` is put behind its name.
    pub(super) fn read(&self, id: &Hash) -> Result<Read, FolderError> {
        let path = self.path(id);
        let mut bytes = Vec::new();
        let read = files::open(&path).and_then(|file| {
            file.take(MISBEHAVIOR_BYTES as u64 + 1)
                .read_to_end(&mut bytes)
        });
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::Nothing),
            Err(error) => return Err(failed("read", &path, error)),
        }
        if Hash::of(&bytes) == *id {
            return Ok(Read::Whole(bytes));
        }
        let mut aside = path.clone().into_os_string();
        aside.push(".damaged");
        fs::rename(&path, &aside).map_err(|error| failed("set aside", &path, error))?;
        metrics::counter!("assay_misbehavior_damaged_total").increment(1);
        tracing::error!(
            path = %path.display(),
            "a file of misbehavior is damaged and was set aside; it convicts nobody. Check the \
             disk, and report the misbehavior again if somebody else has it"
        );
        Ok(Read::Nothing)
    }

    /// Writes a file, unless it is there. It is durable when this returns.
    pub(super) fn write(&self, id: &Hash, text: &[u8]) -> Result<(), FolderError> {
        let path = self.path(id);
        if path.exists() {
            return Ok(());
        }
        match fs::create_dir(&self.0) {
            Ok(()) => disk::sync_folder(disk::folder_of(&self.0))
                .map_err(|error| failed("sync the folder of", &self.0, error))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("make", &self.0, error)),
        }
        files::replace_durably(&path, text).map_err(|error| failed("write", &path, error))
    }

    /// Removes a file, durably, if it is there.
    pub(super) fn remove(&self, id: &Hash) -> Result<(), FolderError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Ok(()) => disk::sync_folder(&self.0).map_err(|error| failed("sync", &self.0, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("remove", &path, error)),
        }
    }

    fn path(&self, id: &Hash) -> PathBuf {
        self.0.join(format!("{id}{SUFFIX}"))
    }
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> FolderError {
    FolderError {
        doing,
        path: path.to_owned(),
        source,
    }
}

//! `assay-node mirror init`: makes the keys and the store of a mirror.
//!
//! Nothing else ever creates them.

use super::run::BLOCK_CACHE_MIB;
use super::store;
use crate::{
    init::{cosigner::NewCosigner, or_take_back},
    keyfile::KeyFileError,
    storage::{
        StorageError, Store,
        backend::{Backend, Job, Opening},
    },
};
use assay_tlog::witness::{ClockFault, ClockFloor};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why there is no new mirror.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something is there already. It was left alone.
    #[error("{path} exists already; init never overwrites", path = path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The clock shows no time that a cosignature can state.
    #[error(transparent)]
    Clock(#[from] ClockFault),
    /// The folder cannot be made.
    #[error("cannot make {path}", path = path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A key file cannot be written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store cannot be made.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Makes the key files and a store below `dir`, the node's folder, and returns the verifier keys:
/// Ed25519, then ML-DSA-44. `now` is what the clock shows, in seconds since 1970 (UTC); who runs
/// `init` has confirmed it. Nothing that exists is overwritten.
pub fn init(dir: &Path, keys: &NewCosigner<'_>, now: u64) -> Result<Vec<String>, InitError> {
    let floor = ClockFloor::new(0).confirmed_by_operator(now)?;
    let [path, ed25519, ml_dsa_44] =
        ["mirror", "mirror.key", "mirror-ml-dsa-44.key"].map(|name| dir.join(name));
    for path in [&ed25519, &ml_dsa_44, &path] {
        if path.exists() {
            return Err(InitError::Exists { path: path.clone() });
        }
    }
    fs::create_dir_all(dir).map_err(|source| InitError::Io {
        path: dir.to_owned(),
        source,
    })?;
    or_take_back(|made| {
        keys.create([&ed25519, &ml_dsa_44], made)?;
        fill(&path, keys.name(), floor, made)
    })?;
    Ok(keys.vkeys())
}

/// Makes the store, and notes its folder.
fn fill(
    path: &Path,
    name: &str,
    floor: ClockFloor,
    made: &mut Vec<PathBuf>,
) -> Result<(), InitError> {
    // One that is there meanwhile is another run's.
    fs::create_dir(path).map_err(|source| InitError::Io {
        path: path.to_owned(),
        source,
    })?;
    made.push(path.to_owned());
    let opening = Opening {
        path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: true,
    };
    Ok(Backend::RocksDb.run(opening, Create { name, floor })??)
}

/// Makes the state in a store that was just made.
struct Create<'a> {
    name: &'a str,
    floor: ClockFloor,
}

impl Job for Create<'_> {
    type Output = Result<(), StorageError>;

    fn run<S: Store + 'static>(self, store: Arc<S>) -> Self::Output {
        store::OWN.create(&*store, self.name, self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_exists_is_overwritten() {
        let new = NewCosigner::in_files("m.example", None).unwrap();
        for name in ["mirror", "mirror.key", "mirror-ml-dsa-44.key"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), "kept").unwrap();
            let error = init(folder.path(), &new, 1_800_000_000).unwrap_err();
            assert!(matches!(error, InitError::Exists { .. }), "{error}");
            let kept = fs::read_to_string(folder.path().join(name)).unwrap();
            assert_eq!(kept, "kept");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_run_that_fails_takes_back_what_it_made() {
        let new = NewCosigner::in_files("m.example", None).unwrap();
        let folder = tempfile::tempdir().unwrap();
        // It is not there, and cannot be made.
        for name in ["mirror", "mirror-ml-dsa-44.key"] {
            let at = folder.path().join(name);
            std::os::unix::fs::symlink("nowhere/at/all", &at).unwrap();
            init(folder.path(), &new, 1_800_000_000).unwrap_err();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{name}");
            fs::remove_file(&at).unwrap();
        }
        init(folder.path(), &new, 1_800_000_000).unwrap();
    }
}

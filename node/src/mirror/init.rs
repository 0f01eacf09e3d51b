//! `assay-node mirror init`: makes the keys and the store of a mirror.
//!
//! Nothing else ever creates them.

use super::run::BLOCK_CACHE_MIB;
use super::store;
use crate::{
    keyfile::{self, KeyFileError, NewKeyError},
    storage::{
        StorageError, Store,
        backend::{Backend, Job, Opening},
    },
};
use assay_keyfile::Passphrase;
use assay_tlog::note::Algorithm;
use assay_tlog::witness::{ClockFault, ClockFloor, WitnessKeys, WitnessKeysError};
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
    /// A key cannot be made.
    #[error(transparent)]
    NewKey(#[from] NewKeyError),
    /// The name cannot be a mirror's.
    #[error(transparent)]
    Keys(#[from] WitnessKeysError),
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

/// Makes two keys and a store below `dir`, the node's folder, and returns the verifier keys:
/// Ed25519, then ML-DSA-44. `now` is what the clock shows, in seconds since 1970 (UTC); who runs
/// `init` has confirmed it. Nothing that exists is overwritten. With a passphrase the keys are
/// encrypted.
pub fn init(
    dir: &Path,
    name: &str,
    now: u64,
    passphrase: Option<&Passphrase>,
) -> Result<Vec<String>, InitError> {
    let ed25519 = keyfile::new_cosigner(name, Algorithm::CosignatureV1)?;
    let ml_dsa_44 = keyfile::new_cosigner(name, Algorithm::MlDsa44)?;
    let keys = WitnessKeys::new(ed25519.clone(), Some(ml_dsa_44.clone()))?;
    let floor = ClockFloor::new(0).confirmed_by_operator(now)?;
    let path = dir.join("mirror");
    let files = [
        (dir.join("mirror.key"), &ed25519),
        (dir.join("mirror-ml-dsa-44.key"), &ml_dsa_44),
    ];
    for path in files.iter().map(|(path, _)| path).chain([&path]) {
        if path.exists() {
            return Err(InitError::Exists { path: path.clone() });
        }
    }
    fs::create_dir_all(dir).map_err(|source| InitError::Io {
        path: dir.to_owned(),
        source,
    })?;
    for (path, key) in files {
        keyfile::create_cosigner(&path, key, passphrase)?;
    }
    let opening = Opening {
        path: &path,
        blobs: None,
        block_cache_mib: BLOCK_CACHE_MIB,
        create: true,
    };
    Backend::RocksDb.run(opening, Create { name, floor })??;
    Ok(keys.verifiers().iter().map(ToString::to_string).collect())
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

//! The keys of a witness, a mirror or an auditor, wherever they are.

use super::cosigner_held_by;
use crate::config::{CosignerKeys, KeyHolder};
use crate::keyfile::{self, KeyFileError};
use crate::rotation::files;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::hash::empty_root;
use assay_tlog::note::{CosignError, CosignerKey, CosigningKey};
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::{WitnessKeys, WitnessKeysError};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{sync::watch, task::spawn_blocking};

/// How soon whoever holds a key is looked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadKeysError {
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key is another one's.
    #[error(
        "the key in {path} has the name {key}, but the configuration says {name}",
        path = path.display()
    )]
    OtherKey {
        /// The key file.
        path: PathBuf,
        /// The name in the key.
        key: String,
        /// The name in the configuration.
        name: String,
    },
    /// The keys cannot be used together.
    #[error(transparent)]
    Keys(#[from] WitnessKeysError),
}

/// Reads the keys: Ed25519, unless somebody else holds it, who is not asked yet; ML-DSA-44 if there
/// is one; and the next ones of a rotation that has begun. Fails with [`LoadKeysError`].
pub fn load(keys: &CosignerKeys) -> Result<WitnessKeys, LoadKeysError> {
    let name = &keys.name;
    let second = keys.ml_dsa_44.as_ref();
    let second = second.map(|path| load_one(name, path)).transpose()?;
    let first: Box<dyn CosigningKey> = match &keys.ed25519 {
        Ok(path) => Box::new(load_one(name, path)?),
        Err(holder) => cosigner_held_by(holder),
    };
    let next = files::load_next(&keys.files())?;
    Ok(WitnessKeys::new(first, second)?.with_next(next)?)
}

fn load_one(name: &str, path: &Path) -> Result<CosignerKey, LoadKeysError> {
    let key = keyfile::load_cosigner(path)?;
    if key.name() != name {
        return Err(LoadKeysError::OtherKey {
            path: path.to_owned(),
            key: key.name().to_owned(),
            name: name.to_owned(),
        });
    }
    Ok(key)
}

/// Looks for whoever holds a key of these, so that the operator knows at once if he is away, and
/// again until he is there or `stop` says so. From then on it shows when he is asked to sign.
///
/// Must be called on a tokio runtime.
pub fn look_for(keys: &WitnessKeys, stop: &watch::Receiver<bool>) {
    if !keys.are_elsewhere() {
        return;
    }
    let (keys, mut stop) = (keys.clone(), stop.clone());
    tokio::spawn(async move {
        loop {
            let looked = keys.clone();
            let found = spawn_blocking(move || looked.look_for().is_ok()).await;
            if found.unwrap_or(true) {
                return;
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    });
}

/// The key that somebody else is to hold of something new. It has cosigned an empty tree of a log
/// that has its own name, which no log has: that contradicts nothing, and shows before anything is
/// made that it can sign.
pub fn asked(holder: &KeyHolder) -> Result<Box<dyn CosigningKey>, CosignError> {
    let key = cosigner_held_by(holder);
    let nothing = Checkpoint {
        origin: key.name().to_owned(),
        size: TreeSize::EMPTY,
        root: empty_root(),
    };
    key.cosign(&nothing, 1)?;
    Ok(key)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use assay_tlog::note::Algorithm;

    /// The key of a cosigner.
    pub fn cosigner(name: &str, seed: u8) -> WitnessKeys {
        let key = CosignerKey::from_seed(name, Algorithm::CosignatureV1, &[seed; 32]).unwrap();
        WitnessKeys::new(key, None).unwrap()
    }

    #[test]
    fn a_key_of_another_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.key");
        let key = keyfile::new_cosigner("w.example", Algorithm::CosignatureV1).unwrap();
        keyfile::create_cosigner(&path, &key, None).unwrap();
        assert_eq!(load_one("w.example", &path).unwrap().name(), "w.example");
        let error = load_one("m.example", &path).unwrap_err();
        assert!(matches!(error, LoadKeysError::OtherKey { .. }), "{error}");
    }
}

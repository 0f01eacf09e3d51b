//! The key files of a witness or a mirror.

use crate::keyfile::{self, KeyFileError};
use assay_tlog::note::CosignerKey;
use assay_tlog::witness::{WitnessKeys, WitnessKeysError};
use std::path::{Path, PathBuf};

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

/// Reads the keys of `name`: Ed25519, and ML-DSA-44 if there is one. Fails with [`LoadKeysError`].
pub fn load(
    name: &str,
    ed25519: &Path,
    ml_dsa_44: Option<&Path>,
) -> Result<WitnessKeys, LoadKeysError> {
    let first = load_one(name, ed25519)?;
    let second = ml_dsa_44.map(|path| load_one(name, path)).transpose()?;
    Ok(WitnessKeys::new(first, second)?)
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

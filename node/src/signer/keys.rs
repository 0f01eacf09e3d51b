//! The key files of a witness or a mirror.

use crate::keyfile::{self, KeyFileError};
use crate::rotation::files;
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

/// Reads the keys of `name`: Ed25519, and ML-DSA-44 if there is one, and the next ones of a rotation
/// that has begun. Fails with [`LoadKeysError`].
pub fn load(
    name: &str,
    ed25519: &Path,
    ml_dsa_44: Option<&Path>,
) -> Result<WitnessKeys, LoadKeysError> {
    let first = load_one(name, ed25519)?;
    let second = ml_dsa_44.map(|path| load_one(name, path)).transpose()?;
    let files: Vec<PathBuf> = [Some(ed25519), ml_dsa_44]
        .into_iter()
        .flatten()
        .map(Path::to_owned)
        .collect();
    let next = files::load_next(&files)?;
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

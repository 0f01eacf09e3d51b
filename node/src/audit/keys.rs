//! What an auditor signs with, and making it: `assay-node audit init`.

use crate::config::AuditConfig;
use crate::keyfile::{self, KeyFileError, NewKeyError};
use crate::reason::with_causes;
use crate::rotation::{files, socket::CosignerRotation};
use arc_swap::ArcSwap;
use assay_keyfile::Passphrase;
use assay_tlog::note::{Algorithm, CosignerKey, VerifierKey};
use assay_tlog::witness::{WitnessKeys, WitnessKeysError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why there are no keys of an auditor.
#[derive(Debug, thiserror::Error)]
pub enum AuditKeysError {
    /// Something is there already. It was left alone.
    #[error("{path} exists already; init never overwrites", path = path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// A key cannot be made.
    #[error(transparent)]
    NewKey(#[from] NewKeyError),
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The keys are no auditor's.
    #[error(transparent)]
    Keys(#[from] WitnessKeysError),
    /// The key is another auditor's.
    #[error(
        "the key in {path} is for the name {key}, but audit.name in the configuration is {name}",
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
    /// The node's witness or mirror has the same name or key.
    #[error(
        "the auditor {0} has the name or a key of this node's witness or mirror. They state \
         different things: make other keys, under another name"
    )]
    Shared(String),
}

/// The files of the keys that [`init`] makes, in the node's folder.
pub const FILES: [&str; 2] = ["audit.key", "audit-ml-dsa-44.key"];

/// Makes two keys in `dir`, the node's folder, and returns the verifier keys: Ed25519, then
/// ML-DSA-44. Nothing that exists is overwritten. With a passphrase they are encrypted.
pub fn init(
    dir: &Path,
    name: &str,
    passphrase: Option<&Passphrase>,
) -> Result<Vec<String>, AuditKeysError> {
    let ed25519 = keyfile::new_cosigner(name, Algorithm::CosignatureV1)?;
    let ml_dsa_44 = keyfile::new_cosigner(name, Algorithm::MlDsa44)?;
    let keys = WitnessKeys::new(ed25519.clone(), Some(ml_dsa_44.clone()))?;
    let paths = FILES.map(|file| dir.join(file));
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        return Err(AuditKeysError::Exists { path: path.clone() });
    }
    for (path, key) in paths.iter().zip([&ed25519, &ml_dsa_44]) {
        keyfile::create_cosigner(path, key, passphrase)?;
    }
    Ok(keys.verifiers().iter().map(ToString::to_string).collect())
}

/// The key files of an auditor.
pub fn key_files(config: &AuditConfig) -> Vec<PathBuf> {
    let first = std::iter::once(&config.key);
    first.chain(&config.ml_dsa_44_key).cloned().collect()
}

/// How the keys of an auditor are rotated.
pub(crate) fn rotation(config: &AuditConfig, keys: Arc<ArcSwap<WitnessKeys>>) -> CosignerRotation {
    let (files, config) = (key_files(config), config.clone());
    CosignerRotation {
        files,
        keys,
        read: Box::new(move || load(&config).map_err(|error| with_causes(&error))),
    }
}

/// Reads the keys of an auditor, and the next ones of a rotation that has begun.
pub fn load(config: &AuditConfig) -> Result<WitnessKeys, AuditKeysError> {
    let ed25519 = load_key(config, &config.key)?;
    let second = config.ml_dsa_44_key.as_ref();
    let ml_dsa_44 = second.map(|path| load_key(config, path)).transpose()?;
    let next = files::load_next(&key_files(config))?;
    Ok(WitnessKeys::new(ed25519, ml_dsa_44)?.with_next(next)?)
}

fn load_key(config: &AuditConfig, path: &Path) -> Result<CosignerKey, AuditKeysError> {
    let key = keyfile::load_cosigner(path)?;
    if key.name() != config.name {
        return Err(AuditKeysError::OtherKey {
            path: path.to_owned(),
            key: key.name().to_owned(),
            name: config.name.clone(),
        });
    }
    Ok(key)
}

/// Fails with [`AuditKeysError::Shared`] if one of these verifier keys is the auditor's, too, or
/// has its name: each states something else.
pub fn refuse_shared<'a>(
    keys: &WitnessKeys,
    others: impl IntoIterator<Item = &'a String>,
) -> Result<(), AuditKeysError> {
    let own = keys.verifiers();
    for other in others.into_iter().flat_map(|text| VerifierKey::parse(text)) {
        let is_shared = own.iter().any(|key| key.public_key() == other.public_key());
        if is_shared || other.name() == keys.name() {
            return Err(AuditKeysError::Shared(keys.name().to_owned()));
        }
    }
    Ok(())
}

//! What an auditor signs with, and making it: `assay-node audit init`.

use crate::config::AuditConfig;
use crate::init::{cosigner::NewCosigner, or_take_back};
use crate::keyfile::KeyFileError;
use crate::rotation::socket::CosignerRotation;
use crate::signer::keys::{self, LoadKeysError};
use arc_swap::ArcSwap;
use assay_tlog::note::VerifierKey;
use assay_tlog::witness::WitnessKeys;
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
    /// A key file cannot be written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The node's witness or mirror has the same name or key.
    #[error(
        "the auditor {0} has the name or a key of this node's witness or mirror. They state \
         different things: make other keys, under another name"
    )]
    Shared(String),
}

/// The files of the keys that [`init`] makes, in the node's folder.
pub const FILES: [&str; 2] = ["audit.key", "audit-ml-dsa-44.key"];

/// Makes the key files in `dir`, the node's folder, and returns the verifier keys: Ed25519, then
/// ML-DSA-44. Nothing that exists is overwritten.
pub fn init(dir: &Path, keys: &NewCosigner<'_>) -> Result<Vec<String>, AuditKeysError> {
    let [ed25519, ml_dsa_44] = FILES.map(|file| dir.join(file));
    for path in [&ed25519, &ml_dsa_44] {
        if path.exists() {
            return Err(AuditKeysError::Exists { path: path.clone() });
        }
    }
    or_take_back(|made| keys.create([&ed25519, &ml_dsa_44], made))?;
    Ok(keys.vkeys())
}

/// How the keys of an auditor are rotated.
pub(crate) fn rotation(config: &AuditConfig, keys: Arc<ArcSwap<WitnessKeys>>) -> CosignerRotation {
    CosignerRotation::new(config.keys(), keys)
}

/// Reads the keys of an auditor, and the next ones of a rotation that has begun.
pub fn load(config: &AuditConfig) -> Result<WitnessKeys, LoadKeysError> {
    keys::load(&config.keys())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::keys::tests::cosigner;

    #[test]
    fn what_exists_stays_and_an_auditor_shares_no_key_and_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let new = NewCosigner::in_files("a.example", None).unwrap();
        init(folder.path(), &new).unwrap();
        for (kept, gone) in [(FILES[0], FILES[1]), (FILES[1], FILES[0])] {
            let [kept, gone] = [kept, gone].map(|file| folder.path().join(file));
            let before = std::fs::read(&kept).unwrap();
            std::fs::remove_file(&gone).unwrap();
            let error = init(folder.path(), &new).unwrap_err();
            assert!(matches!(error, AuditKeysError::Exists { .. }), "{error}");
            assert_eq!(std::fs::read(&kept).unwrap(), before);
            assert!(!gone.exists());
            std::fs::write(&gone, b"").unwrap();
        }

        let own = cosigner("a.example", 1);
        let other = |name, seed| -> Vec<_> {
            let keys = cosigner(name, seed).verifiers();
            keys.iter().map(ToString::to_string).collect()
        };
        refuse_shared(&own, &other("w.example", 2)).unwrap();
        for shared in [other("a.example", 2), other("w.example", 1)] {
            let error = refuse_shared(&own, &shared).unwrap_err();
            assert!(matches!(error, AuditKeysError::Shared(_)), "{error}");
        }
    }
}

//! The keys of a new witness, mirror or auditor.

use super::{held, template::escaped};
use crate::{
    config::KeyHolder,
    keyfile::{self, KeyFileError, NewKeyError},
    signer::keys,
};
use assay_keyfile::Passphrase;
use assay_tlog::note::{Algorithm, CosignError, CosignerKey};
use assay_tlog::witness::{WitnessKeys, WitnessKeysError};
use std::path::{Path, PathBuf};

/// Why there are no such keys.
#[derive(Debug, thiserror::Error)]
pub enum NewCosignerError {
    /// A key cannot be made.
    #[error(transparent)]
    NewKey(#[from] NewKeyError),
    /// The name cannot be a cosigner's.
    #[error(transparent)]
    Keys(#[from] WitnessKeysError),
    /// Whoever is to hold the key does not sign.
    #[error(transparent)]
    Unsigned(#[from] CosignError),
}

/// Two new keys of one name: Ed25519, which somebody else may hold, and ML-DSA-44. Nothing is
/// written yet.
pub struct NewCosigner<'a> {
    ed25519: Result<CosignerKey, KeyHolder>,
    ml_dsa_44: CosignerKey,
    keys: WitnessKeys,
    passphrase: Option<&'a Passphrase>,
}

impl<'a> NewCosigner<'a> {
    /// Makes both. With a passphrase their files are to be encrypted.
    pub fn in_files(
        name: &str,
        passphrase: Option<&'a Passphrase>,
    ) -> Result<Self, NewCosignerError> {
        NewCosigner::new(name, None, passphrase)
    }

    /// The same, unless somebody is to hold the Ed25519 key: that is asked to sign, before anything
    /// is made.
    pub fn new(
        name: &str,
        holder: Option<KeyHolder>,
        passphrase: Option<&'a Passphrase>,
    ) -> Result<Self, NewCosignerError> {
        let ml_dsa_44 = keyfile::new_cosigner(name, Algorithm::MlDsa44)?;
        let second = Some(ml_dsa_44.clone());
        let (ed25519, keys) = match holder {
            Some(holder) => {
                let key = keys::asked(&holder)?;
                (Err(holder), WitnessKeys::new(key, second)?)
            }
            None => {
                let key = keyfile::new_cosigner(name, Algorithm::CosignatureV1)?;
                (Ok(key.clone()), WitnessKeys::new(key, second)?)
            }
        };
        Ok(NewCosigner {
            ed25519,
            ml_dsa_44,
            keys,
            passphrase,
        })
    }

    /// Their name.
    pub fn name(&self) -> &str {
        self.keys.name()
    }

    /// The verifier keys: Ed25519, then ML-DSA-44.
    pub fn vkeys(&self) -> Vec<String> {
        let keys = self.keys.verifiers();
        keys.iter().map(ToString::to_string).collect()
    }

    /// The table `[mirror]` or `[audit]` for its node's configuration.
    pub fn table(&self, table: &str) -> String {
        let name = escaped(self.name());
        let own =
            format!("[{table}]\nname = \"{name}\"\nml_dsa_44_key = \"{table}-ml-dsa-44.key\"\n");
        own + &self.held(table)
    }

    /// The table below that one that says who holds the Ed25519 key; nothing if a file does.
    pub(crate) fn held(&self, table: &str) -> String {
        let holder = self.ed25519.as_ref().err();
        holder.map_or_else(String::new, |holder| held::table(table, holder))
    }

    /// Writes the key files, durably, and notes each: that of the Ed25519 key only if nobody else
    /// holds it. An existing file is never overwritten.
    pub(crate) fn create(
        &self,
        [ed25519, ml_dsa_44]: [&Path; 2],
        made: &mut Vec<PathBuf>,
    ) -> Result<(), KeyFileError> {
        if let Ok(key) = &self.ed25519 {
            keyfile::create_cosigner(ed25519, key, self.passphrase)?;
            made.push(ed25519.to_owned());
        }
        keyfile::create_cosigner(ml_dsa_44, &self.ml_dsa_44, self.passphrase)?;
        made.push(ml_dsa_44.to_owned());
        Ok(())
    }
}

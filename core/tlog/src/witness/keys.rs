//! What a witness signs with, and the logs that it does it for.

use crate::checkpoint::Checkpoint;
use crate::head::LogVerifier;
use crate::note::{Algorithm, CosignError, CosignerKey, CosigningKey, VerifierKey};
use std::sync::Arc;

/// Why keys are not a witness's, or a log cannot be witnessed with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessKeysError {
    /// The first key is not of type 0x04, or the second not of type 0x06.
    #[error("a witness signs with a key of type 0x04, and may have one of type 0x06 beside it")]
    KeyType,
    /// The two keys have different names, or one that ML-DSA-44 cannot state.
    #[error("the keys of a witness have one name, of at most 255 bytes")]
    Name,
    /// The log has the witness's name, or signs with one of its keys.
    #[error("a witness does not witness itself: this log has its name or one of its keys")]
    Itself,
}

/// The keys of one witness: Ed25519, which somebody else may hold, ML-DSA-44 beside it if there is
/// one, and while they are rotated those that will take their place.
#[derive(Debug, Clone)]
pub struct WitnessKeys {
    ed25519: Arc<dyn CosigningKey>,
    ml_dsa_44: Option<CosignerKey>,
    next: Vec<CosignerKey>,
}

impl WitnessKeys {
    /// Takes the keys, which have one name. Fails with [`WitnessKeysError`].
    pub fn new(
        ed25519: impl CosigningKey + 'static,
        ml_dsa_44: Option<CosignerKey>,
    ) -> Result<Self, WitnessKeysError> {
        if ed25519.verifier().algorithm() != Algorithm::CosignatureV1 {
            return Err(WitnessKeysError::KeyType);
        }
        if let Some(other) = &ml_dsa_44 {
            if other.verifier().algorithm() != Algorithm::MlDsa44 {
                return Err(WitnessKeysError::KeyType);
            }
            if other.name() != ed25519.name() || other.name().len() > 255 {
                return Err(WitnessKeysError::Name);
            }
        }
        Ok(WitnessKeys {
            ed25519: Arc::new(ed25519),
            ml_dsa_44,
            next: Vec::new(),
        })
    }

    /// The same keys, and others that sign beside them: those that will take their place. Each has
    /// the name of the first ones, or this fails with [`WitnessKeysError`].
    pub fn with_next(self, next: Vec<CosignerKey>) -> Result<Self, WitnessKeysError> {
        for key in &next {
            if key.name() != self.name() || key.name().len() > 255 {
                return Err(WitnessKeysError::Name);
            }
        }
        Ok(WitnessKeys { next, ..self })
    }

    /// The name of the witness.
    pub fn name(&self) -> &str {
        self.ed25519.name()
    }

    /// The keys that verify what this witness signs: those of now, then those that will take their
    /// place.
    pub fn verifiers(&self) -> Vec<VerifierKey> {
        self.all().map(|key| key.verifier()).collect()
    }

    /// Whether somebody else holds a key, so that signing takes a while.
    pub fn are_elsewhere(&self) -> bool {
        self.all().any(|key| key.is_elsewhere())
    }

    /// Fails with [`CosignError::Elsewhere`] if somebody else holds a key and could not sign, as
    /// far as can be seen without a signature.
    pub fn look_for(&self) -> Result<(), CosignError> {
        self.all().try_for_each(|key| key.look_for())
    }

    /// Signs with every key, and the same time, in seconds since 1970 (UTC). Returns a signature
    /// line for each. Whoever calls keeps what was signed before, so that no two statements
    /// contradict each other. Fails with [`CosignError`].
    pub fn cosign(&self, checkpoint: &Checkpoint, at: u64) -> Result<String, CosignError> {
        let mut lines = String::new();
        for key in self.all() {
            lines.push_str(&key.cosign(checkpoint, at)?);
        }
        Ok(lines)
    }

    fn all(&self) -> impl Iterator<Item = &dyn CosigningKey> {
        let in_files = self.ml_dsa_44.iter().chain(&self.next);
        let in_files = in_files.map(|key| key as &dyn CosigningKey);
        std::iter::once(&*self.ed25519).chain(in_files)
    }

    fn is_of(&self, key: &VerifierKey) -> bool {
        key.name() == self.name()
            || self
                .all()
                .any(|own| own.verifier().public_key() == key.public_key())
    }
}

/// A log that a witness is configured for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedLog {
    verifier: LogVerifier,
    is_convicted: bool,
}

impl WitnessedLog {
    /// Takes a log that this witness is to cosign. Fails with [`WitnessKeysError::Itself`].
    pub fn new(verifier: LogVerifier, witness: &WitnessKeys) -> Result<Self, WitnessKeysError> {
        let is_itself = verifier.origin() == witness.name()
            || verifier.keys().iter().any(|key| witness.is_of(key));
        if is_itself {
            return Err(WitnessKeysError::Itself);
        }
        Ok(WitnessedLog {
            verifier,
            is_convicted: false,
        })
    }

    /// The same log, convicted of misbehavior: nothing that it signs is cosigned any more.
    #[must_use]
    pub fn convicted(self) -> Self {
        WitnessedLog {
            is_convicted: true,
            ..self
        }
    }

    /// Its origin and keys.
    pub fn verifier(&self) -> &LogVerifier {
        &self.verifier
    }

    pub(super) fn is_convicted(&self) -> bool {
        self.is_convicted
    }
}

//! A key of a log, wherever it is. It signs checkpoints of the log that it is named after, and
//! nothing else: who has it hands in a size and a root, and never bytes.

use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::{SignerKey, VerifierKey};
use assay_tlog::tree::TreeSize;

/// A key of a log.
pub trait CheckpointKey: Send + Sync {
    /// The key that verifies what this one signs.
    fn verifier(&self) -> VerifierKey;

    /// Returns the signature line of the checkpoint of the log with this key's name, of this size
    /// and root, line break included.
    fn sign(&self, size: TreeSize, root: Hash) -> Result<String, KeyFailed>;

    /// Fails if the key is somewhere else and could not sign, as far as can be seen without a
    /// signature.
    fn look_for(&self) -> Result<(), KeyFailed> {
        Ok(())
    }
}

/// A key that is somewhere else did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key {key} did not sign: {why}")]
pub struct KeyFailed {
    /// The key, as text.
    pub key: String,
    /// Why not.
    pub why: String,
}

impl CheckpointKey for SignerKey {
    fn verifier(&self) -> VerifierKey {
        SignerKey::verifier(self)
    }

    fn sign(&self, size: TreeSize, root: Hash) -> Result<String, KeyFailed> {
        let body = checkpoint(self.name(), size, root).body();
        Ok(SignerKey::sign(self, &body))
    }
}

/// The checkpoint of the log with this name.
pub fn checkpoint(origin: &str, size: TreeSize, root: Hash) -> Checkpoint {
    Checkpoint {
        origin: origin.to_owned(),
        size,
        root,
    }
}

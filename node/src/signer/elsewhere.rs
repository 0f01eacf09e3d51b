//! A key that is in no file of the node: somebody else holds it and is asked to sign. Here that of
//! a log; [`super::cosigning`] has those that cosign.
//!
//! Whoever copies the node's disk does not have the key. The holder may be away, slow, locked, or
//! not what it says. So what it signed leaves here only when the verifier key has verified it, it
//! has a time to answer in, and it is asked to sign checkpoints and nothing else.

use super::key::{CheckpointKey, KeyFailed, checkpoint};
use assay_tlog::Hash;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::TreeSize;

/// Who holds Ed25519 keys, and signs with them. Each call takes a bounded time, whatever the holder
/// does. An error says who is to blame.
pub trait Holder: Send + Sync {
    /// Who it is, in words of messages.
    fn name(&self) -> String;

    /// Has `key` sign `text`. What is returned proves nothing yet.
    fn sign(&self, key: &VerifierKey, text: &str) -> Result<Vec<u8>, String>;

    /// Fails if it is not there, or does not have `key`, as far as can be seen without a signature.
    fn look_for(&self, key: &VerifierKey) -> Result<(), String>;

    /// Why what it signed is not used.
    fn is_at_fault(&self) -> String {
        format!(
            "{} is at fault: it signed with another key, or something else, and this key does not \
             verify it",
            self.name()
        )
    }
}

/// A key of a log that a holder has.
pub struct HeldKey<H> {
    verifier: VerifierKey,
    holder: H,
}

impl<H: Holder> HeldKey<H> {
    /// The key that `verifier` verifies. The holder is not asked yet.
    pub fn new(verifier: VerifierKey, holder: H) -> Self {
        HeldKey { verifier, holder }
    }

    fn failed(&self, why: String) -> KeyFailed {
        KeyFailed {
            key: self.verifier.to_string(),
            why,
        }
    }
}

impl<H: Holder> CheckpointKey for HeldKey<H> {
    fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    fn sign(&self, size: TreeSize, root: Hash) -> Result<String, KeyFailed> {
        let body = checkpoint(self.verifier.name(), size, root).body();
        let signature = self.holder.sign(&self.verifier, &body);
        let signature = signature.map_err(|why| self.failed(why))?;
        let line = self.verifier.signature_line(&body, &signature);
        line.map_err(|_| self.failed(self.holder.is_at_fault()))
    }

    fn look_for(&self) -> Result<(), KeyFailed> {
        let looked = self.holder.look_for(&self.verifier);
        looked.map_err(|why| self.failed(why))
    }
}

//! The keys of an answer's claims: few sign many, and reading a key costs a quarter of a signature.

use assay_claims::claim::{KeyCache, PublicKey};
use assay_claims::index::answer::ProvenEntries;
use assay_tlog::tree::LeafIndex;
use std::collections::HashMap;

/// The keys that claims state, each read once.
pub(super) struct Keys(HashMap<[u8; 32], PublicKey>);

impl Keys {
    /// Those of the claims in the entries of these leaves.
    pub fn of(answer: &ProvenEntries, leaves: &[LeafIndex]) -> Self {
        let mut keys = HashMap::new();
        let entries = leaves.iter().filter_map(|leaf| answer.entries().get(leaf));
        let claims = entries.filter_map(|entry| entry.claim().ok());
        for signature in claims.flat_map(|claim| &claim.signatures) {
            let stated = <[u8; 32]>::try_from(&signature.public_key[..]);
            if let Ok(bytes) = stated
                && !keys.contains_key(&bytes)
                && let Ok(key) = PublicKey::parse(&bytes)
            {
                keys.insert(bytes, key);
            }
        }
        Keys(keys)
    }
}

impl KeyCache for Keys {
    fn key(&self, bytes: &[u8; 32]) -> Option<PublicKey> {
        self.0.get(bytes).copied()
    }
}

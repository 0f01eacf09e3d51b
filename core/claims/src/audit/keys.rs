//! Keys that were parsed before, in bounded memory.

use crate::claim::{KeyCache, PublicKey, ReplayedClaim};
use std::collections::HashMap;

/// Keys kept decompressed. More issuers than this are rare, and a miss costs only time.
const KEYS: usize = 4096;

/// The keys of claims that were replayed. Whoever replays on several threads locks it.
#[derive(Debug, Default)]
pub struct Keys(HashMap<[u8; 32], PublicKey>);

impl Keys {
    /// Whether it has the keys of a claim, or no room for them.
    pub fn is_done_with(&self, claim: &ReplayedClaim) -> bool {
        let mut signers = claim.signers().iter();
        self.0.len() >= KEYS || signers.all(|(_, key)| self.0.contains_key(key.as_bytes()))
    }

    /// Keeps the keys of a claim, as long as there is room.
    pub fn keep(&mut self, claim: &ReplayedClaim) {
        for (_, key) in claim.signers() {
            if self.0.len() < KEYS {
                self.0.insert(*key.as_bytes(), *key);
            }
        }
    }
}

impl KeyCache for Keys {
    fn key(&self, bytes: &[u8; 32]) -> Option<PublicKey> {
        self.0.get(bytes).copied()
    }
}

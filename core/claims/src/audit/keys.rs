//! Keys that were parsed before, in bounded memory.

use crate::claim::{KeyCache, PublicKey, ReplayedClaim};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Keys kept decompressed. More issuers than this are rare, and a miss costs only time.
const KEYS: usize = 4096;

/// A cache for whoever replays a log.
#[derive(Debug, Default)]
pub struct Keys(RwLock<HashMap<[u8; 32], PublicKey>>);

impl Keys {
    /// Keeps the keys of a claim, as long as there is room.
    pub(super) fn keep(&self, claim: &ReplayedClaim) {
        for (_, key) in claim.signers() {
            if self.key(key.as_bytes()).is_some() {
                continue;
            }
            let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if keys.len() < KEYS {
                keys.insert(*key.as_bytes(), *key);
            }
        }
    }
}

impl KeyCache for Keys {
    fn key(&self, bytes: &[u8; 32]) -> Option<PublicKey> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(bytes).copied()
    }
}

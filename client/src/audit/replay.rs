//! Replaying what the log admitted: every claim verified, every signer's standing checked at its leaf, time never going
//! back, nothing twice.

use super::AuditError;
use assay_core::{
    Hash,
    claim::{self, KeyCache, PublicKey, VerifiedClaim},
    entry::Entry,
    issuer::{self, Registry},
    tree::{LeafIndex, bundle},
};
use bytes::Bytes;
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

/// Keys kept decompressed. More issuers than this are rare, and a miss costs only time.
const KEYS: usize = 4096;

/// What the log has said so far.
#[derive(Default)]
pub(super) struct Replay {
    keys: Keys,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    registry: Registry,
    /// SHA-256(claim id ‖ signer set) of every claim.
    seen: HashSet<Hash>,
    logged_at_ms: u64,
}

impl Replay {
    /// Reads and verifies the claims of a bundle, which do not depend on what came before. Returns each with its
    /// `logged_at_ms`.
    pub fn verify_bundle(&self, first: u64, bytes: &[u8], width: u64) -> Result<Vec<(u64, VerifiedClaim)>, AuditError> {
        let mut claims = Vec::with_capacity(width as usize);
        for (index, bytes) in (first..first + width).zip(bundle::entries(bytes)) {
            let wrong = |reason: String| AuditError::Entry { index, reason };
            let bytes = bytes.map_err(|e| wrong(e.to_string()))?;
            let entry = Entry::parse(Bytes::copy_from_slice(bytes)).map_err(|e| wrong(e.to_string()))?;
            let claim = claim::verify(entry.claim(), &self.keys).map_err(|e| wrong(e.to_string()))?;
            self.keys.keep(&claim);
            claims.push((entry.logged_at_ms(), claim));
        }
        Ok(claims)
    }

    /// Replays the claims of the bundle that starts at `first`, in order.
    pub fn apply(&self, first: u64, claims: Vec<(u64, VerifiedClaim)>) -> Result<(), AuditError> {
        let mut state = self.state();
        for (index, (logged_at_ms, claim)) in (first..).zip(claims) {
            let wrong = |reason: String| AuditError::Entry { index, reason };
            if logged_at_ms < state.logged_at_ms {
                return Err(wrong("it was logged before the entry in front of it".into()));
            }
            state.logged_at_ms = logged_at_ms;
            let authorized = issuer::authorize(&claim, &state.registry).map_err(|e| wrong(e.to_string()))?;
            let signer_set = claim.signer_set();
            if !state.seen.insert(Hash::of_parts(&[claim.id().as_bytes(), signer_set.as_bytes()])) {
                return Err(wrong("the same claim by the same signers is in the log twice".into()));
            }
            if let Some(record) = authorized.change() {
                let at = LeafIndex::new(index);
                state.registry.apply(at, record.clone()).map_err(|e| wrong(e.to_string()))?;
            }
        }
        Ok(())
    }

    /// Issuers registered so far.
    pub fn issuers(&self) -> u64 {
        self.state().registry.issuers().count() as u64
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keys that were parsed before.
#[derive(Default)]
struct Keys(RwLock<HashMap<[u8; 32], PublicKey>>);

impl Keys {
    fn keep(&self, claim: &VerifiedClaim) {
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
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(bytes).copied()
    }
}

//! Replaying the entries of a log, held whole in memory: the rules of `assay_claims::audit`, and
//! the index rebuilt, every commitment held against what comes out.

use super::AuditError;
use crate::cores::Cores;
use assay_claims::audit::{self, Body, Finding, Keys, Leaf, Read, Rule, Rules, Stated};
use assay_claims::claim::{KeyCache, PublicKey, ReplayedClaim, SignatureId};
use assay_claims::index::map::{Resident, Whole};
use assay_claims::index::{Label, Map};
use assay_claims::issuer::Registry;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize};
use bytes::Bytes;
use rayon::slice::ParallelSliceMut;
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

/// What the log has said so far.
#[derive(Default)]
pub(super) struct Replay {
    keys: SharedKeys,
    state: Mutex<State>,
}

/// Keys that were parsed before, by whichever thread.
#[derive(Default)]
struct SharedKeys(RwLock<Keys>);

impl SharedKeys {
    fn keep(&self, claim: &ReplayedClaim) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if !known.is_done_with(claim) {
            drop(known);
            let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
            keys.keep(claim);
        }
    }
}

impl KeyCache for SharedKeys {
    fn key(&self, bytes: &[u8; 32]) -> Option<PublicKey> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.key(bytes)
    }
}

#[derive(Default)]
struct State {
    rules: Rules,
    registry: Registry,
    /// SHA-256 of the id of every signature: half its size.
    signatures: HashSet<Hash>,
    index: Map<Whole>,
    /// Leaves by label, since the last commitment.
    pending: Vec<(Label, LeafIndex)>,
}

impl Replay {
    /// Reads and verifies the entries of a bundle, as far as that does not depend on what came
    /// before.
    pub fn verify_bundle(
        &self,
        first: u64,
        bundle: &Bytes,
        width: u64,
    ) -> Result<Read<()>, AuditError> {
        let first = LeafIndex::new(first);
        let read = audit::read(
            first,
            bundle,
            width as usize,
            &self.keys,
            getrandom::fill,
            |claim| self.keys.keep(claim),
        );
        read.map_err(|e| AuditError::Interrupted(format!("the system gives no random bytes: {e}")))
    }

    /// Replays the next entries, in order.
    pub fn apply(&self, read: Read<()>) -> Result<(), AuditError> {
        let mut state = self.state();
        for Leaf { logged_at_ms, body } in read.leaves {
            match body {
                Body::Claim(claim) => state.claim(logged_at_ms, claim)?,
                Body::Commitment(said) => state.commitment(logged_at_ms, &said)?,
            }
        }
        match read.finding {
            Some(finding) => Err(finding.into()),
            None => Ok(()),
        }
    }

    /// Checks that the last leaf commits to the index. An empty log has none, so nobody may sign
    /// it.
    pub fn finish(&self) -> Result<(), AuditError> {
        let rules = self.state().rules;
        let size = rules.size().get();
        rules
            .ends_committed()
            .map_err(|_| AuditError::Uncommitted { size })
    }

    /// When the log made its last leaf, in milliseconds since 1970 (UTC). Leaves ascend in time.
    pub fn last_at_ms(&self) -> u64 {
        self.state().rules.last_at_ms()
    }

    /// Labels in the index.
    pub fn labels(&self) -> u64 {
        self.state().index.commitment().labels
    }

    /// Issuers registered so far.
    pub fn issuers(&self) -> u64 {
        self.state().registry.issuers().count() as u64
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn claim(&mut self, logged_at_ms: u64, claim: audit::Claim<()>) -> Result<(), AuditError> {
        let seen = &self.signatures;
        let leaf = self.rules.size().next_leaf();
        let admitted = self.rules.claim(
            logged_at_ms,
            claim,
            |id| seen.contains(&half(id)),
            &self.registry,
        )?;
        let ids = admitted.signatures.iter().map(|(_, id)| half(id));
        self.signatures.extend(ids);
        if let Some(record) = admitted.change {
            let applied = self.registry.apply(leaf, record);
            applied.map_err(|e| AuditError::Entry {
                index: leaf.get(),
                reason: e.to_string(),
            })?;
        }
        let labels = admitted.labels.into_iter();
        self.pending.extend(labels.map(|label| (label, leaf)));
        Ok(())
    }

    fn commitment(&mut self, logged_at_ms: u64, said: &Stated) -> Result<(), AuditError> {
        let leaf = self.rules.size().next_leaf();
        let said = self.rules.commitment(logged_at_ms, said)?;
        self.pending.par_sort_unstable();
        let size = TreeSize::new(leaf.get());
        let update = self.index.update(&self.pending, size, &Resident, &Cores);
        let update = update.map_err(|e| AuditError::Index {
            index: leaf.get(),
            reason: e.to_string(),
        })?;
        self.index = update.map;
        self.pending.clear();
        Ok(audit::same_index(leaf, &said, &self.index.commitment())?)
    }
}

fn half(id: &SignatureId) -> Hash {
    Hash::of(&id.to_bytes())
}

impl From<Finding> for AuditError {
    fn from(finding: Finding) -> Self {
        let index = finding.leaf.get();
        let reason = finding.reason;
        match finding.rule {
            Rule::FirstLeaf | Rule::Version | Rule::Commitment | Rule::Index => {
                AuditError::Index { index, reason }
            }
            Rule::Unsupported => AuditError::Unsupported { index, reason },
            Rule::Uncommitted => AuditError::Uncommitted { size: index + 1 },
            Rule::Entry
            | Rule::Claim
            | Rule::Labels
            | Rule::Issuer
            | Rule::Repeated
            | Rule::Time => AuditError::Entry { index, reason },
        }
    }
}

//! Replaying what the log admitted: every signature verified, every signer's standing checked at
//! its leaf, time never going back, a new key of each issuer in every leaf; and the index rebuilt,
//! every commitment held against what comes out.
//!
//! It holds a log to the rules of every mode of admission (docs/design.md 3.5). What a log asks
//! beyond them, such as the threshold of an issuer in one leaf, is its own affair, and so is what a
//! claim says that this reader cannot read.

use super::AuditError;
use assay_claims::claim::{self, KeyCache, PublicKey, ReplayedClaim};
use assay_claims::entry::{Entry, wire};
use assay_claims::index::map::{Join, Resident, Whole};
use assay_claims::index::{
    ADMISSION_VERSION, Commitment, CommitmentError, Label, MAPPING_VERSION, Map,
    checked_labels_of_claim, checked_labels_of_entry,
};
use assay_claims::issuer::{self, IssuerId, Registry};
use assay_claims::limits::SIGNATURES;
use assay_tlog::Hash;
use assay_tlog::tree::{LeafIndex, TreeSize, bundle};
use bytes::Bytes;
use rayon::slice::ParallelSliceMut;
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

/// Keys kept decompressed. More issuers than this are rare, and a miss costs only time.
const KEYS: usize = 4096;

/// All cores: nothing else of a replay can go on for long while the index is brought up to a
/// commitment.
struct Cores;

impl Join for Cores {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        rayon::join(a, b)
    }
}

/// What the log has said so far.
#[derive(Default)]
pub(super) struct Replay {
    keys: Keys,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    registry: Registry,
    /// SHA-256 of the id of every signature: half its size.
    signatures: HashSet<Hash>,
    logged_at_ms: u64,
    index: Map<Whole>,
    /// Leaves by label, since the last commitment.
    pending: Vec<(Label, LeafIndex)>,
    /// The leaf after the last commitment.
    committed: u64,
    /// The version of the rules of admission that the last commitment states.
    admission_version: u32,
}

/// An entry that was read and verified by itself.
pub(super) struct Replayed {
    logged_at_ms: u64,
    body: Body,
}

enum Body {
    Claim(Claim),
    Commitment(Stated),
}

/// What a log says of its index.
struct Stated {
    commitment: Result<Commitment, CommitmentError>,
    admission_version: u32,
}

/// What of a claim is still needed where the entries come in order. The rest is let go where it was
/// made: handing it on cost more than making it.
struct Claim {
    request: issuer::Request,
    /// For whom each signature is, and SHA-256 of its id.
    signatures: Vec<(IssuerId, Hash)>,
    labels: Vec<Label>,
}

impl Claim {
    /// Fails with what no log may take.
    fn of(entry: &Entry, claim: &ReplayedClaim) -> Result<Self, String> {
        let request = issuer::Request::of_replayed(claim).map_err(|e| e.to_string())?;
        let labels = match claim.content() {
            Ok(content) => checked_labels_of_claim(content),
            Err(_) => checked_labels_of_entry(entry),
        };
        let issuers = claim.signers().iter().map(|(issuer, _)| *issuer);
        let ids = claim.signature_ids().map(|id| Hash::of(&id.to_bytes()));
        Ok(Claim {
            request,
            signatures: issuers.zip(ids).collect(),
            labels: labels.map_err(|e| e.to_string())?,
        })
    }

    /// An issuer of whom no key is new, of those that signed this claim. `seen` are the signatures
    /// of all leaves before.
    fn without_new_key(&self, seen: &HashSet<Hash>) -> Option<IssuerId> {
        if self.signatures.iter().all(|(_, id)| !seen.contains(id)) {
            return None;
        }
        let brings = |of: &IssuerId| {
            let mut signatures = self.signatures.iter();
            signatures.any(|(issuer, id)| issuer == of && !seen.contains(id))
        };
        let mut issuers = self.signatures.iter().map(|(issuer, _)| *issuer);
        issuers.find(|issuer| !brings(issuer))
    }
}

impl Replay {
    /// Reads and verifies the entries of a bundle, as far as that does not depend on what came
    /// before. Signatures are verified together: a log is replayed to find what it should not have
    /// admitted, not to rely on a claim.
    pub fn verify_bundle(
        &self,
        first: u64,
        bundle: &Bytes,
        width: u64,
    ) -> Result<Vec<Replayed>, AuditError> {
        let mut entries = Vec::with_capacity(width as usize);
        for (index, bytes) in (first..first + width).zip(bundle::entries(bundle)) {
            let wrong = |reason: String| AuditError::Entry { index, reason };
            let bytes = bytes.map_err(|e| wrong(e.to_string()))?;
            entries.push(Entry::parse(bundle.slice_ref(bytes)).map_err(|e| wrong(e.to_string()))?);
        }
        let claims: Vec<&wire::Claim> = entries
            .iter()
            .filter_map(|entry| entry.claim().ok())
            .collect();
        let mut random = Random::new(&claims).map_err(AuditError::Interrupted)?;
        let mut verified =
            claim::verify_for_replay(&claims, &self.keys, &mut |bytes| random.next(bytes))
                .into_iter();
        let mut replayed = Vec::with_capacity(entries.len());
        for (index, entry) in (first..).zip(&entries) {
            let body = match entry.body() {
                wire::Body::IndexCommitment(said) => Body::Commitment(Stated {
                    commitment: Commitment::of_entry(entry, LeafIndex::new(index)),
                    admission_version: said.admission_version,
                }),
                wire::Body::Claim(_) => {
                    // There is one for each claim, in order.
                    let Some(claim) = verified.next() else {
                        continue;
                    };
                    let wrong = |reason: String| AuditError::Entry { index, reason };
                    let claim = claim.map_err(|e| wrong(e.to_string()))?;
                    self.keys.keep(&claim);
                    Body::Claim(Claim::of(entry, &claim).map_err(wrong)?)
                }
            };
            replayed.push(Replayed {
                logged_at_ms: entry.logged_at_ms(),
                body,
            });
        }
        Ok(replayed)
    }

    /// Replays the entries of the bundle that starts at `first`, in order.
    pub fn apply(&self, first: u64, entries: Vec<Replayed>) -> Result<(), AuditError> {
        let mut state = self.state();
        for (index, Replayed { logged_at_ms, body }) in (first..).zip(entries) {
            if logged_at_ms < state.logged_at_ms {
                let reason = "it was logged before the entry in front of it".into();
                return Err(AuditError::Entry { index, reason });
            }
            state.logged_at_ms = logged_at_ms;
            match body {
                Body::Claim(claim) => state.claim(index, claim)?,
                Body::Commitment(said) => state.commitment(index, said)?,
            }
        }
        Ok(())
    }

    /// Checks that the last leaf, of a log of this size, commits to the index. An empty log has
    /// none, so nobody may sign it.
    pub fn finish(&self, size: u64) -> Result<(), AuditError> {
        if size > 0 && self.state().committed == size {
            Ok(())
        } else {
            Err(AuditError::Uncommitted { size })
        }
    }

    /// When the log made its last leaf, in milliseconds since 1970 (UTC). Leaves ascend in time.
    pub fn last_at_ms(&self) -> u64 {
        self.state().logged_at_ms
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
    fn claim(&mut self, index: u64, claim: Claim) -> Result<(), AuditError> {
        let wrong = |reason: String| AuditError::Entry { index, reason };
        if index == 0 {
            return Err(AuditError::Index {
                index,
                reason: "the first leaf of a log commits to the empty index".into(),
            });
        }
        let repeated = claim.without_new_key(&self.signatures);
        let authorized = claim
            .request
            .hold_to_rules(&self.registry)
            .map_err(|e| wrong(e.to_string()))?;
        if let Some(issuer) = repeated {
            return Err(wrong(format!(
                "the same claim by the same keys of issuer {issuer} is in the log twice"
            )));
        }
        self.signatures
            .extend(claim.signatures.iter().map(|(_, id)| *id));
        let leaf = LeafIndex::new(index);
        if let Some(record) = authorized.change() {
            self.registry
                .apply(leaf, record.clone())
                .map_err(|e| wrong(e.to_string()))?;
        }
        self.pending
            .extend(claim.labels.into_iter().map(|label| (label, leaf)));
        Ok(())
    }

    /// Holds a commitment to the rules about versions (docs/index.md 1.2), and this program to what
    /// it knows: a log that keeps later rules breaks none of them.
    fn versions(&mut self, index: u64, said: &Stated) -> Result<(), AuditError> {
        let unsupported = |reason: String| AuditError::Unsupported { index, reason };
        if let (0, Err(CommitmentError::Unsupported { found })) = (index, &said.commitment) {
            return Err(unsupported(format!(
                "unsupported mapping version {found}; version {MAPPING_VERSION} is supported"
            )));
        }
        let (before, now) = (self.admission_version, said.admission_version);
        if now < before {
            let reason = format!("the admission version falls from {before} to {now}");
            return Err(AuditError::Index { index, reason });
        }
        if now > ADMISSION_VERSION {
            return Err(unsupported(format!(
                "the log admits entries by version {now} of the rules; version \
                 {ADMISSION_VERSION} is supported"
            )));
        }
        self.admission_version = now;
        Ok(())
    }

    fn commitment(&mut self, index: u64, said: Stated) -> Result<(), AuditError> {
        let wrong = |reason: String| AuditError::Index { index, reason };
        self.versions(index, &said)?;
        let said = said.commitment.map_err(|e| wrong(e.to_string()))?;
        self.pending.par_sort_unstable();
        let update = self
            .index
            .update(&self.pending, TreeSize::new(index), &Resident, &Cores)
            .map_err(|e| wrong(e.to_string()))?;
        self.index = update.map;
        self.pending.clear();
        self.committed = index + 1;
        let rebuilt = self.index.commitment();
        if said == rebuilt {
            Ok(())
        } else {
            Err(wrong(format!(
                "the log commits to an index of {} labels with the root {}, but its entries give \
                 {} labels and {}",
                said.labels, said.root, rebuilt.labels, rebuilt.root
            )))
        }
    }
}

/// Bytes of the system's generator, taken at once for a bundle.
struct Random(Vec<[u8; 16]>);

impl Random {
    fn new(claims: &[&wire::Claim]) -> Result<Self, String> {
        let signatures = claims
            .iter()
            .map(|claim| claim.signatures.len().min(SIGNATURES))
            .sum();
        let mut bytes = vec![[0; 16]; signatures];
        getrandom::fill(bytes.as_flattened_mut())
            .map_err(|e| format!("the system gives no random bytes: {e}"))?;
        Ok(Random(bytes))
    }

    /// The next of them. There are as many as there are signatures.
    fn next(&mut self, bytes: &mut [u8; 16]) {
        if let Some(next) = self.0.pop() {
            *bytes = next;
        }
    }
}

/// Keys that were parsed before.
#[derive(Default)]
struct Keys(RwLock<HashMap<[u8; 32], PublicKey>>);

impl Keys {
    fn keep(&self, claim: &ReplayedClaim) {
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
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(bytes)
            .copied()
    }
}

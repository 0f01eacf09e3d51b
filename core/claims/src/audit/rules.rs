//! What holds from leaf to leaf.
//!
//! ```text
//! u64be(leaves) ‖ u64be(time of the last one, ms) ‖ u64be(size of the last commitment)
//!   ‖ u32be(admission version)                                                       28 bytes
//! ```

use super::finding::{Finding, Rule};
use super::leaf::{Claim, Stated};
use crate::claim::SignatureId;
use crate::index::{ADMISSION_VERSION, Commitment, CommitmentError, Label, MAPPING_VERSION};
use crate::issuer::{IssuerId, IssuerRecord, Issuers};
use assay_tlog::tree::{LeafIndex, TreeSize};

/// A claim that may stand at its leaf, and what follows from it for later ones.
#[derive(Debug, Clone)]
pub struct Admitted<T> {
    /// The record that it puts in force.
    pub change: Option<IssuerRecord>,
    /// What names its signatures, with the issuer of each.
    pub signatures: Vec<(IssuerId, SignatureId)>,
    /// What the index finds it under.
    pub labels: Vec<Label>,
    /// What the caller kept of it.
    pub kept: T,
}

/// How far a log was replayed, and what of that the next leaf is held to. Whoever signatures were
/// by, and who is registered, the caller keeps.
///
/// After a finding it is not to be used any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    size: u64,
    logged_at_ms: u64,
    committed: u64,
    admission_version: u32,
}

impl Rules {
    /// Bytes of a record.
    pub const RECORD_BYTES: usize = 28;

    /// How many leaves were replayed.
    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// The size of the tree whose last leaf is the newest commitment; 0 if there was none.
    pub fn committed(&self) -> TreeSize {
        TreeSize::new(self.committed)
    }

    /// When the log made its last leaf, in milliseconds since 1970 (UTC). Leaves ascend in time.
    pub fn last_at_ms(&self) -> u64 {
        self.logged_at_ms
    }

    /// Holds the next leaf, a claim, to the rules. `seen` says which signatures earlier leaves
    /// have, and `issuers` who is registered by them.
    pub fn claim<T>(
        &mut self,
        logged_at_ms: u64,
        claim: Claim<T>,
        seen: impl Fn(&SignatureId) -> bool,
        issuers: &impl Issuers,
    ) -> Result<Admitted<T>, Finding> {
        let leaf = self.next(logged_at_ms)?;
        if leaf.get() == 0 {
            let reason = "the first leaf of a log commits to the empty index";
            return Err(Finding::new(Rule::FirstLeaf, leaf, reason));
        }
        let repeated = claim.without_new_key(&seen);
        let authorized = claim.request.hold_to_rules(issuers);
        let authorized = authorized.map_err(|error| Finding::new(Rule::Issuer, leaf, error))?;
        if let Some(issuer) = repeated {
            let reason =
                format!("the same claim by the same keys of issuer {issuer} is in the log twice");
            return Err(Finding::new(Rule::Repeated, leaf, reason));
        }
        Ok(Admitted {
            change: authorized.change().cloned(),
            signatures: claim.signatures,
            labels: claim.labels,
            kept: claim.kept,
        })
    }

    /// Holds the next leaf, a commitment, to the rules. Returns what it commits to, which is to be
    /// compared with [`same_index`].
    pub fn commitment(&mut self, logged_at_ms: u64, said: &Stated) -> Result<Commitment, Finding> {
        let leaf = self.next(logged_at_ms)?;
        self.versions(leaf, said)?;
        self.committed = self.size;
        let commitment = said.commitment.clone();
        commitment.map_err(|error| Finding::new(Rule::Commitment, leaf, error))
    }

    /// Demands that the last leaf commits to the index. A log without leaves has none, so nobody
    /// may sign it.
    pub fn ends_committed(&self) -> Result<(), Finding> {
        if self.size > 0 && self.committed == self.size {
            return Ok(());
        }
        let leaf = LeafIndex::new(self.size.saturating_sub(1));
        let reason = format!(
            "the last leaf of the checkpoint of size {} does not commit to the index, as it must",
            self.size
        );
        Err(Finding::new(Rule::Uncommitted, leaf, reason))
    }

    /// The record to be stored with everything that the leaves so far left.
    pub fn record(&self) -> [u8; Rules::RECORD_BYTES] {
        let mut record = [0; Rules::RECORD_BYTES];
        record[..8].copy_from_slice(&self.size.to_be_bytes());
        record[8..16].copy_from_slice(&self.logged_at_ms.to_be_bytes());
        record[16..24].copy_from_slice(&self.committed.to_be_bytes());
        record[24..].copy_from_slice(&self.admission_version.to_be_bytes());
        record
    }

    /// Reads a record. `None` if it is none.
    pub fn from_record(record: &[u8]) -> Option<Self> {
        let (numbers, version) = record.as_chunks::<8>();
        let [size, logged_at_ms, committed] = *<&[[u8; 8]; 3]>::try_from(numbers).ok()?;
        let rules = Rules {
            size: u64::from_be_bytes(size),
            logged_at_ms: u64::from_be_bytes(logged_at_ms),
            committed: u64::from_be_bytes(committed),
            admission_version: u32::from_be_bytes(version.try_into().ok()?),
        };
        (rules.committed <= rules.size).then_some(rules)
    }

    /// Goes on to the next leaf.
    fn next(&mut self, logged_at_ms: u64) -> Result<LeafIndex, Finding> {
        let leaf = LeafIndex::new(self.size);
        if logged_at_ms < self.logged_at_ms {
            let reason = "it was logged before the entry in front of it";
            let before = LeafIndex::new(self.size.saturating_sub(1));
            return Err(Finding::new(Rule::Time, leaf, reason).against(before));
        }
        self.logged_at_ms = logged_at_ms;
        self.size += 1;
        Ok(leaf)
    }

    /// Holds a commitment to the rules about versions (docs/index.md 1.2), and this program to what
    /// it knows: a log that keeps later rules breaks none of them.
    fn versions(&mut self, leaf: LeafIndex, said: &Stated) -> Result<(), Finding> {
        if let (0, Err(CommitmentError::Unsupported { found })) = (leaf.get(), &said.commitment) {
            let reason = format!(
                "unsupported mapping version {found}; version {MAPPING_VERSION} is supported"
            );
            return Err(Finding::new(Rule::Unsupported, leaf, reason));
        }
        let (before, now) = (self.admission_version, said.admission_version);
        if now < before {
            let reason = format!("the admission version falls from {before} to {now}");
            let found = Finding::new(Rule::Version, leaf, reason);
            let other = self.committed.checked_sub(1).map(LeafIndex::new);
            return Err(Finding { other, ..found });
        }
        if now > ADMISSION_VERSION {
            let reason = format!(
                "the log admits entries by version {now} of the rules; version \
                 {ADMISSION_VERSION} is supported"
            );
            return Err(Finding::new(Rule::Unsupported, leaf, reason));
        }
        self.admission_version = now;
        Ok(())
    }
}

/// Demands that the commitment at `leaf` says what follows from the entries before it.
pub fn same_index(leaf: LeafIndex, said: &Commitment, rebuilt: &Commitment) -> Result<(), Finding> {
    if said == rebuilt {
        return Ok(());
    }
    let reason = format!(
        "the log commits to an index of {} labels with the root {}, but its entries give {} \
         labels and {}",
        said.labels, said.root, rebuilt.labels, rebuilt.root
    );
    Err(Finding::new(Rule::Index, leaf, reason))
}

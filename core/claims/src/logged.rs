//! A claim that is in a log: what the trust rules and a policy weigh.

use crate::claim::VerifiedClaim;
use assay_tlog::tree::LeafIndex;
use std::sync::Arc;

/// A claim whose signatures verify and whose entry is proven to be in a log.
///
/// Only a verifier of answers makes one. It does not say whether the signers satisfied the records
/// of their issuers at that leaf, or whether anybody should believe them. A clone shares the claim.
#[derive(Debug, Clone)]
pub struct LoggedClaim {
    origin: Arc<str>,
    leaf: LeafIndex,
    logged_at_ms: u64,
    claim: Arc<VerifiedClaim>,
}

impl LoggedClaim {
    /// For verifiers, which have checked the inclusion of the entry that holds the claim.
    pub(crate) fn new(
        origin: Arc<str>,
        leaf: LeafIndex,
        logged_at_ms: u64,
        claim: VerifiedClaim,
    ) -> Self {
        LoggedClaim {
            origin,
            leaf,
            logged_at_ms,
            claim: Arc::new(claim),
        }
    }

    /// Makes one without any proof, for tests of other crates.
    #[cfg(feature = "testing")]
    pub fn for_test(
        origin: Arc<str>,
        leaf: LeafIndex,
        logged_at_ms: u64,
        claim: VerifiedClaim,
    ) -> Self {
        Self::new(origin, leaf, logged_at_ms, claim)
    }

    /// The origin of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its place in the log.
    pub fn leaf(&self) -> LeafIndex {
        self.leaf
    }

    /// When the log says that it accepted the claim, in milliseconds since 1970 (UTC).
    pub fn logged_at_ms(&self) -> u64 {
        self.logged_at_ms
    }

    /// The claim.
    pub fn claim(&self) -> &VerifiedClaim {
        &self.claim
    }
}

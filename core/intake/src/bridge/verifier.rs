//! Who verifies attestations. It takes a clock and what somebody trusts, so it is not done here.

use crate::documents::{Attestation, Evidence};

/// Who verifies attestations.
pub trait Verifier: Sync {
    /// What was found of an attestation, and of all that it says it is about.
    ///
    /// # Errors
    ///
    /// Where nothing was found that could be claimed.
    fn verify(&self, attestation: &Attestation) -> Result<Evidence, NotVerified>;
}

/// Why an attestation is not republished. What was published of it before stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotVerified {
    /// Nobody said whom to trust.
    NoTrust,
    /// It is signed with a key of this name, which was not given.
    NoKey(String),
    /// It does not verify: where it is, and which step failed.
    Failed(String),
}

/// Verifies nothing: nobody said whom to trust.
#[derive(Debug, Clone, Copy)]
pub struct NoTrust;

impl Verifier for NoTrust {
    fn verify(&self, _: &Attestation) -> Result<Evidence, NotVerified> {
        Err(NotVerified::NoTrust)
    }
}

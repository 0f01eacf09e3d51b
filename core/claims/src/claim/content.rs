//! What a claim says and who is said to have signed it.

use super::id::ClaimId;
use super::key::PublicKey;
use crate::entry::wire;
use crate::issuer::IssuerId;
use crate::kind::Body;
use crate::statement::Statement;
use assay_tlog::Hash;

/// What a claim says and who is said to have signed it.
///
/// It is inside of a [`VerifiedClaim`](super::VerifiedClaim) or a
/// [`ReplayedClaim`](super::ReplayedClaim), and says nothing about how the signatures were checked.
/// Take it where that does not matter: to label a claim, to count it, to read it.
#[derive(Debug, Clone)]
pub struct Content {
    pub(super) id: ClaimId,
    pub(super) statement: Statement,
    pub(super) body: Body,
    pub(super) claim: wire::Claim,
    pub(super) signers: Vec<(IssuerId, PublicKey)>,
}

impl Content {
    /// The claim's id.
    pub fn id(&self) -> ClaimId {
        self.id
    }

    /// What is claimed.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What the statement's predicate says, read once.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The claim, as it was given.
    pub fn claim(&self) -> &wire::Claim {
        &self.claim
    }

    /// Who signed, and for which issuer: distinct, in the order of the first signature of each. At
    /// least one. That a key is the issuer's is not checked: see
    /// [`issuer::authorize`](crate::issuer::authorize).
    pub fn signers(&self) -> &[(IssuerId, PublicKey)] {
        &self.signers
    }

    /// Names the set of signers, whatever their order: SHA-256 of `issuer id ‖ key`, 64 bytes each,
    /// sorted. Two claims with the same id and the same signer set are the same publication.
    pub fn signer_set(&self) -> Hash {
        let mut pairs: Vec<[u8; 64]> = self.signers.iter().map(pair).collect();
        pairs.sort_unstable();
        Hash::of(pairs.as_flattened())
    }
}

impl AsRef<Content> for Content {
    fn as_ref(&self) -> &Content {
        self
    }
}

fn pair((issuer, key): &(IssuerId, PublicKey)) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(issuer.as_bytes());
    bytes[32..].copy_from_slice(key.as_bytes());
    bytes
}

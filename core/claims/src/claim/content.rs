//! What a claim says and who is said to have signed it.

use super::id::{ClaimId, SignatureId};
use super::key::PublicKey;
use crate::entry::wire;
use crate::issuer::IssuerId;
use crate::kind::Body;
use crate::statement::Statement;

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

    /// What names its signatures, one for each of [`Self::signers`].
    pub fn signature_ids(&self) -> impl Iterator<Item = SignatureId> {
        let of = |signer| SignatureId::new(self.id, signer);
        self.signers.iter().map(of)
    }
}

impl AsRef<Content> for Content {
    fn as_ref(&self) -> &Content {
        self
    }
}

//! Verifying a claim by itself, strictly.

use super::content::Content;
use super::error::{ClaimError, SignatureFault};
use super::examine::{Examined, KeyCache, Sealed, examine};
use super::id::{ClaimId, SignatureId};
use super::key::PublicKey;
use crate::entry::wire;
use crate::issuer::IssuerId;
use crate::kind::Body;
use crate::statement::Statement;

/// A claim that is well made, every signature of which verifies strictly. Only [`verify`] makes
/// one.
#[derive(Debug, Clone)]
pub struct VerifiedClaim(Content);

impl VerifiedClaim {
    /// What it says and who signed.
    pub fn content(&self) -> &Content {
        &self.0
    }

    /// See [`Content::id`].
    pub fn id(&self) -> ClaimId {
        self.0.id()
    }

    /// See [`Content::statement`].
    pub fn statement(&self) -> &Statement {
        self.0.statement()
    }

    /// See [`Content::body`].
    pub fn body(&self) -> &Body {
        self.0.body()
    }

    /// See [`Content::claim`].
    pub fn claim(&self) -> &wire::Claim {
        self.0.claim()
    }

    /// Gives the claim back, as it was given.
    pub fn into_claim(self) -> wire::Claim {
        self.0.claim
    }

    /// See [`Content::signers`].
    pub fn signers(&self) -> &[(IssuerId, PublicKey)] {
        self.0.signers()
    }

    /// See [`Content::signature_ids`].
    pub fn signature_ids(&self) -> impl Iterator<Item = SignatureId> {
        self.0.signature_ids()
    }
}

impl AsRef<Content> for VerifiedClaim {
    fn as_ref(&self) -> &Content {
        &self.0
    }
}

/// Verifies a claim by itself.
///
/// It guarantees the limits, the payload type, a strict statement whose predicate is what its type
/// says, and that every signature verifies strictly (`verify_strict`, docs/design.md 3.1) under a
/// strong key. The same key for the same issuer counts once. It costs one signature check for each
/// signature, and parses those keys that `cache` does not have.
pub fn verify(claim: &wire::Claim, cache: &impl KeyCache) -> Result<VerifiedClaim, ClaimError> {
    let examined: Examined = examine(claim, cache)?;
    check_strictly(&examined.sealed)?;
    Ok(VerifiedClaim(examined.into_content(claim)))
}

/// Checks the equation of every signature, strictly.
pub(super) fn check_strictly(sealed: &Sealed) -> Result<(), ClaimError> {
    for (i, signed) in sealed.signatures.iter().enumerate() {
        if !signed.key.verifies_strictly(&sealed.pae, &signed.signature) {
            return Err(ClaimError::Signature {
                number: i + 1,
                fault: SignatureFault::Wrong,
            });
        }
    }
    Ok(())
}

//! Claims: an in-toto statement and the signatures over it (docs/design.md 3.2 and 3.3).
//!
//! Scope: whether a claim is well made and its signatures are good. Whether those who signed may
//! speak for the issuers that they name is [`crate::issuer`]'s; whether the claim is logged,
//! [`crate::receipt`]'s.
//!
//! [`VerifiedClaim`] is what may be admitted and relied on. [`ReplayedClaim`] only passed a batch
//! in the replay of a whole log. What both say is their [`Content`].

mod content;
mod error;
mod examine;
mod id;
mod key;
mod replay;
mod sign;
mod verify;

pub use crate::entry::wire;
pub use content::Content;
pub use ed25519_dalek::SigningKey;
pub use error::{ClaimError, SignatureFault};
pub use examine::KeyCache;
pub use id::{ClaimId, PAYLOAD_TYPE, SignatureId};
pub use key::{KeyFault, PublicKey};
pub use replay::{Coefficients, ReplayedClaim, hold_together, verify_for_replay};
pub use sign::sign;
pub use verify::{VerifiedClaim, verify};

#[cfg(test)]
mod tests;

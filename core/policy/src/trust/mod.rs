//! The trust registry: what each claim is worth by itself, and who may say what
//! (docs/design.md 3.4 and 7).
//!
//! Endorsements, withdrawals, key compromises, responses and disputes are claims like any other.
//! Two questions are answered from them. `standing`: does a claim have effect for an issuer that
//! signed it, or why not? `roles`: which roles does an issuer have for a package, and by which
//! chain from an anchor of the policy?
//!
//! What was given is all that is known: that nothing was left out is for whoever fetched it to
//! prove, and for the policy to demand. Left out: whether an answer is complete and fresh, and what
//! follows from what is known ([`crate::verdict`]).

mod compromise;
mod history;
mod limit;
mod roles;
mod spot;
mod standing;
mod unite;
mod walk;

pub use limit::Limit;
pub(crate) use roles::covers;
pub use roles::{Anchor, EndorsementFault, Grant, Link, Role, Roles};
pub(crate) use spot::BETWEEN_LOGS_MS;
pub use spot::{HeardTo, Place};
pub(crate) use standing::Silenced;
pub use standing::{JudgedClaim, Spoken, Standing, Trust, is_final};
pub use walk::{ENDORSEMENTS, ISSUERS, STEPS, Speakers, Walk};

#[cfg(test)]
mod tests;

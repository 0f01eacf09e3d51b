//! Bridges: public data, republished as claims of an issuer that says so.
//!
//! A bridge reads the documents of one source into [`Record`]s. A [`Survey`] of them, held against
//! what the [`Ledger`] says is published, gives the [`Plan`]: what to publish, to replace and to
//! withdraw. Whoever carries it out writes down each [`Held`] before and after it is sent.
//!
//! What a claim of a bridge says is not its issuer's own finding: each has the member `republished`
//! with the source, the record, the SHA-256 of the source's document and its license.
//!
//! Attestations that others signed become claims once a [`Verifier`] has verified them.

mod ledger;
mod plan;
mod record;
mod registry;
mod sources;
#[cfg(test)]
mod tests;
mod verifier;

pub use ledger::{Held, Ledger, LedgerError, Owner, Why};
pub use plan::{Job, Plan, Shrunk, Sight, Survey};
pub use record::{Record, Says};
pub use sources::{BRIDGES, Bridge, bridge};
pub use verifier::{NoTrust, NotVerified, Verifier};

/// Largest document of a source that is read, in bytes, unless the source is one document: the
/// largest public advisories have some mebibytes.
pub const RECORD_BYTES: usize = 16 * 1024 * 1024;

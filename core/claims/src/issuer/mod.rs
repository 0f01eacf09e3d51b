//! Issuers: who may sign for whom, and since when (docs/design.md 3.4).
//!
//! An issuer's id is derived from its first keys, so that nobody can take it and its name proves
//! nothing. Its records, each an `urn:assay:issuer:v1` claim, form a chain: the registration is
//! signed by all of its keys, each later one by the rotation threshold of the record before it
//! (where it has none, by its threshold), by its own threshold, and by every key that was not in
//! the record before. Left out: whether an issuer speaks for a package, which follows from
//! endorsements that a consumer's policy accepts, and never from here.

mod authorize;
mod error;
mod id;
mod record;
mod registry;

pub use authorize::{Authorized, Request, authorize, hold_to_rules};
pub use error::AuthorizeError;
pub use id::{IssuerId, KeySet};
pub use record::{IssuerError, IssuerRecord, Issuers, Quorum, genesis_id, statement};
pub use registry::{Registry, RegistryError};

#[cfg(test)]
mod tests;

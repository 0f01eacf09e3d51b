//! Issuers: who may sign for whom, and since when (docs/design.md 3.4).
//!
//! An issuer's id is derived from its first keys, so that nobody can take it and its name proves
//! nothing. Its records, each an `urn:assay:issuer:v1` claim, form a chain: the registration is
//! signed by all of its keys, each later one by the threshold of the record before it and of
//! itself. Left out: whether an issuer speaks for a package, which follows from endorsements that a
//! consumer's policy accepts, and never from here.

mod authorize;
mod id;
mod record;
mod registry;

pub use authorize::{AuthorizeError, Authorized, Request, authorize};
pub use id::IssuerId;
pub use record::{IssuerError, IssuerRecord, Issuers, genesis_id, statement};
pub use registry::{Registry, RegistryError};

#[cfg(test)]
mod tests;

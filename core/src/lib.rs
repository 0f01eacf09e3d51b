//! What Assay decides without I/O: the Merkle tree and its tiles, signed notes, claims, issuers,
//! receipts, the plan of the sequencer, and what files of dependencies name.
//!
//! Everything here is a pure function of its arguments. There is no clock, no randomness, no file,
//! no socket, no async and no logging in this crate: time and random bytes are arguments, and
//! whoever calls does the I/O. A type whose name starts with `Verified` can only be made by the
//! verifier that it is named after.

pub mod claim;
pub mod component;
pub mod dsse;
pub mod entry;
pub mod hash;
pub mod index;
pub mod issuer;
pub mod json;
pub mod limits;
pub mod logged;
pub mod note;
pub mod policy;
pub mod predicate;
pub mod purl;
pub mod receipt;
pub mod sequencer;
pub mod statement;
pub mod tree;
pub mod trust;
pub mod vers;

pub use hash::Hash;

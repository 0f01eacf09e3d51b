//! Merkle tree logs: RFC 6962 hashing and proofs, C2SP tiles, signed notes, checkpoints,
//! `tlog-proof` and `tlog-policy`. Nothing here knows what an entry says.
//!
//! Every function is a pure function of its arguments: no clock, no randomness, no files, no
//! sockets, no async, no logging. A type whose name starts with `Verified` can only be made by the
//! verifier that it is named after.

pub mod checkpoint;
pub mod hash;
pub mod limits;
pub mod note;
pub mod tlog_policy;
pub mod tlog_proof;
pub mod tree;

pub use hash::Hash;

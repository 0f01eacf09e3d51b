//! What every party must check byte for byte: statements and their signatures, claim types,
//! issuers, entries, the verifiable index, receipts, misbehavior, and the plan of a log's
//! sequencer.
//!
//! Every function is a pure function of its arguments: no clock, no randomness, no files, no
//! sockets, no async, no logging. A type whose name starts with `Verified` can only be made by the
//! verifier that it is named after.

pub mod audit;
pub mod bom_link;
pub mod claim;
pub mod dsse;
pub mod entry;
pub mod index;
pub mod issuer;
pub mod json;
pub mod kind;
pub mod limits;
pub mod logged;
pub mod misbehavior;
mod order;
pub mod purl;
pub mod receipt;
pub mod sequencer;
pub mod statement;
pub mod time;
pub mod vers;
pub mod version;
pub mod vulnerability;

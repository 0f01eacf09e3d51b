//! What a consumer makes of claims: whom to trust for what, what to demand, and the verdict with
//! its reasons. Everything that is returned is data: `assay-client` has the words for it.
//!
//! Every function is a pure function of its arguments: no clock, no randomness, no files, no
//! sockets, no async, no logging.

mod component;
mod facts;
pub mod posture;
pub mod rules;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trust;
pub mod verdict;

pub use component::{Component, InBom};

#[cfg(test)]
mod tests;

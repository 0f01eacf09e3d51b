//! What a consumer makes of claims: whom to trust for what, what to demand, and the verdict with
//! its reasons.
//!
//! Every function is a pure function of its arguments: no clock, no randomness, no files, no
//! sockets, no async, no logging.

pub mod policy;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trust;

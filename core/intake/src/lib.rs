//! What tools write: lock files, SBOMs and package databases, read into the components that they
//! name.
//!
//! Every function is a pure function of its arguments. Nothing is fetched, nothing compressed is
//! expanded, and nothing is judged.

pub mod components;

//! What signs: for a log, and for a witness and a mirror, which have two keys of one name, a store
//! that says whose it is, and a clock that must not run back.
//!
//! - [`log`]: the keys of a log, which sign checkpoints and nothing else, and none that contradicts
//!   what was signed before.
//! - [`agent`]: a key of a log that an ssh-agent holds.
//! - [`keys`]: the key files of a witness or a mirror.
//! - [`own`]: the name and the clock's floor in the store, and `clock-ok`, by which an operator
//!   raises the floor.
//! - [`floor_file`]: what shows that the store is an older copy.

pub mod agent;
pub mod floor_file;
pub mod keys;
pub mod log;
pub mod own;

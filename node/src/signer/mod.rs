//! What a witness and a mirror have in common: two keys of one name, a store that says whose it is,
//! and a clock that must not run back.
//!
//! - [`keys`]: the key files.
//! - [`own`]: the name and the clock's floor in the store, and `clock-ok`, by which an operator
//!   raises the floor.
//! - [`floor_file`]: what shows that the store is an older copy.

pub mod floor_file;
pub mod keys;
pub mod own;

//! What every program of ours takes from the machine that it runs on, done once.
//!
//! - [`address`]: where a person says that a program listens.
//! - [`files`]: opening files that cannot hold up a program, whatever stands at their place.
//! - [`threads`]: whether the system gives any.
//! - `environment`, with the feature `command-line`: variables of the environment.
//!
//! Left out: what is in a file, and where it is, which is for the programs to say.

pub mod address;
#[cfg(feature = "command-line")]
pub mod environment;
pub mod files;
pub mod threads;

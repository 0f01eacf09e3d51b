//! Files with private keys: who may read them, and how they are encrypted at rest.
//!
//! - [`private`]: a file that only its owner may read; made once, replaced as a whole, never lost.
//! - [`age`]: files that a passphrase opens, in the format of the tool `age`.
//! - [`passphrase`]: where a passphrase comes from: a file, a systemd credential, a terminal.
//!
//! Left out: what a key is, which is the caller's.

pub mod age;
pub mod passphrase;
pub mod private;
mod terminal;

pub use age::{AgeError, Passphrase};
pub use passphrase::{Opened, Unlock, UnlockError};
pub use private::PrivateFileError;

//! Misbehavior, as a text that anybody can check without a network (docs/design.md 3.6,
//! docs/federation.md).
//!
//! | kind | shown | by | says |
//! | --- | --- | --- | --- |
//! | split | two roots of one size, or a wrong one of size 0 | log | convicts |
//! | rewrite | the smaller tree is not the beginning of the larger one | log | convicts |
//! | witness | either; or a smaller tree at a later time | witness, mirror | convicts |
//! | commitment, omission, surplus, entry | signed content breaks a rule | log | a breach |
//! | auditor | an auditor cosigned a head with such content | mirror | a breach |
//!
//! The first three are [`VerifiedMisbehavior`]: signed notes that cannot all be true, whatever
//! anybody knows of Assay. They convict for good. The others are a [`VerifiedBreach`]: they rest on
//! rules that this version of the code knows, and convict nobody for good. [`breach`] has their
//! format; this is that of the first three:
//!
//! ```text
//! assay.misbehavior/v1
//! kind split                               or: rewrite, witness
//! culprit log <origin>                     or: witness <name>, mirror <name>
//! actual <base64 of a hash>                if history was rewritten: the root at the smaller size
//! path <n>                                   in the larger tree, and n lines, a hash each, that
//! <base64 of a hash>                         prove it (RFC 6962, section 2.1.2)
//! note <bytes>
//! <a note with the culprit's signatures only>
//! note <bytes>                             the larger tree; of one size, the larger root
//! <another>
//! ```
//!
//! - **No key in a text counts.** The notes are verified with keys that the caller trusts already.
//! - **One encoding.** A text that is not what the verifier writes is refused, so that its SHA-256
//!   names it.
//! - **All keys of one name are one culprit**: who signs one history with Ed25519 and another with
//!   ML-DSA-44 does not escape. Only a time is held against the key that stated it.
//! - A kind or version that is not known is [`MisbehaviorError::Unsupported`], and never guilt.
//!
//! Left out: what follows from a conviction or a breach; and a wrong index root, which nobody can
//! prove from the log's own bytes.

pub mod breach;
mod contradiction;
mod culprit;
mod either;
mod error;
mod judge;
mod reader;
mod text;

pub use breach::{AssayKeys, VerifiedBreach};
pub use contradiction::{KnownKeys, Rewrite, Role, VerifiedMisbehavior};
pub use culprit::Culprit;
pub use either::VerifiedText;
pub use error::MisbehaviorError;
pub use judge::Shown;

#[cfg(test)]
mod tests;

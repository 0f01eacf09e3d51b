//! Replaying a log: what `assay audit` and a node's auditor decide, entry by entry (docs/design.md
//! 3.5).
//!
//! [`read`] takes the entries of a bundle and verifies each by itself. [`Rules`] takes what was
//! read in the order of the leaves and holds it to what came before: times ascend, issuers are
//! registered, each leaf brings a new key of each of its issuers, commitments do not change their
//! versions. What is not kept is a [`Finding`], with the leaves that show it.
//!
//! It holds a log to the rules of every mode of admission. What a log asks beyond them, such as the
//! threshold of an issuer in one leaf, is its own affair, and so is what a claim says that this
//! reader cannot read.
//!
//! Left out: the index, which the caller keeps as it can and compares by [`same_index`]; which
//! signatures were seen and who is registered, which the caller stores; and whether the entries are
//! the log's.

mod finding;
mod keys;
mod leaf;
mod rules;
#[cfg(test)]
mod tests;

pub use finding::{Finding, Rule};
pub use keys::Keys;
pub use leaf::{Body, Claim, Leaf, Read, Stated, read};
pub use rules::{Admitted, Rules, same_index};

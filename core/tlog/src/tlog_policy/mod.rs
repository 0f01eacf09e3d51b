//! C2SP tlog-policy: which logs are known, which witnesses, and how many of those must have
//! cosigned a checkpoint.
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> <all | any | k> <name>…
//! quorum <name | none>
//! ```
//!
//! Read strictly: every name is defined on a line above, is a member of one group at most, and no
//! key stands twice. One rule is ours: witnesses whose keys have the same key name, but for the
//! role at its end ([`operator`]), are one operator, and cannot be counted twice. Left out: asking
//! witnesses, and anything that the text's URLs lead to.

mod fault;
mod policy;
mod read;
mod voices;

pub use fault::{TlogPolicyError, TlogPolicyFault};
pub use policy::{Group, KnownLog, QuorumError, QuorumSize, TlogPolicy, VerifiedQuorum, Witness};
pub use voices::{Role, Voice, Voices, operator};

#[cfg(test)]
mod tests;

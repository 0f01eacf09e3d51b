//! Breaches: what a log signed that breaks a rule of Assay logs (docs/design.md 3.5), and an
//! auditor that cosigned it.
//!
//! ```text
//! assay.misbehavior/v1
//! kind commitment                          or: omission, surplus, entry, auditor
//! culprit log <origin>                     or, of an auditor: mirror <name>
//! shows <kind>                             of an auditor: one of the other four
//! label <64 hex digits>                    of omission and surplus: the label,
//! cut <bytes>                                and the proof of what the commitment says of it,
//! <base64>                                   which opens nothing else
//! list <position> <leaf> [<leaf>]          one or two neighbors in the label's list,
//! path <n>                                   and n lines, a hash each, that prove their place
//! <base64 of a hash>                         (docs/index.md 8.3)
//! entry <leaf> <bytes>                     entries, ascending,
//! <base64>
//! path <n>                                   each with its inclusion in the note's tree
//! <base64 of a hash>                         (RFC 6962, section 2.1.1)
//! note <bytes>
//! <a note with the culprit's signatures only>
//! ```
//!
//! | kind | entries | shown |
//! | --- | --- | --- |
//! | commitment | the last leaf | it does not commit to the index |
//! | | leaf 0 | it does not commit to the empty index |
//! | | two, the later one a commitment | a version changes or falls, or the time falls |
//! | omission | an entry, a commitment after it | the label that the entry has does not list it |
//! | | a commitment | two neighbors in a list do not ascend |
//! | surplus | an entry, a commitment after it | it is listed under a label that it does not have |
//! | | a commitment | a leaf is listed that the commitment does not cover |
//! | entry | one, the last leaf | bounds, labels, a signature, a silent key of a first record |
//! | | two, the last leaf | the time falls; a key of two issuers; a silent new key of a record |
//! | | two or more of a claim, the last leaf | the last of them brings no new key |
//!
//! - **Only Assay logs**: a log that the caller's policy does not call one has no commitments.
//! - **Only versions that are known.** A commitment in the text states the version of the mapping
//!   and of the rules of admission. A mapping never changes in the life of a log and the other
//!   version never falls, so that what a commitment states held for every leaf before it, or the
//!   log broke that rule. Whatever has an unknown version or does not parse is
//!   [`MisbehaviorError::Unsupported`](super::MisbehaviorError::Unsupported).
//! - **Nothing that only a strict check refuses**: a signature must fail the cofactored equation,
//!   too.
//! - **One encoding.** What the text need not hold is refused.
//!
//! A breach convicts nobody for good: a mistake in the rules of this code would be a conviction of
//! every log. [`VerifiedBreach::verifier`] says which version of the code judged; a newer one may
//! judge otherwise, and an operator may set a breach aside.
//!
//! Left out: a wrong index root, for which nobody has a proof by the log itself; and quotas and
//! policies of admission, which are a log's own affair.

mod broken;
mod build;
mod error;
mod judge;
mod search;
mod text;
mod verified;

pub use broken::Broken;
pub use build::{Accuser, BuildError, Built, EntryReader, Listing};
pub use error::BreachError;
pub use verified::{AssayKeys, VERIFIER, VerifiedBreach};

#[cfg(test)]
mod tests;

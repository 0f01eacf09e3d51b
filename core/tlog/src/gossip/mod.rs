//! What a node decides when it compares heads with its peers, so that a log that shows two
//! histories is found (docs/federation.md, "Gossip").
//!
//! ```text
//! head ─ Pool::take ─┬─ known
//!                    ├─ Fork: two roots of one size, evidence at once
//!                    └─ waits ─ Question ─ judge ─┬─ VerifiedLink ─ Pool::link: the tip moves on
//!                                                 ├─ Fork: another root at the older size
//!                                                 └─ nothing: asked again, elsewhere
//! ```
//!
//! | file | decides |
//! | --- | --- |
//! | `heads` | which heads of one log are kept, and what is to be asked about them |
//! | `pool` | the logs that are known, and where a head belongs |
//! | `link` | what an answer proves about two heads |
//! | `deadline` | when to ask again, and when a log is suspect |
//! | `digest` | what to tell a peer, in 16 bytes a head |
//! | `evidence` | which proofs of misbehavior are known, by their ids |
//! | `exchange` | one exchange with a peer, turn by turn |
//! | `sample` | which peers to meet |
//!
//! - **Only verified heads enter**, by keys that the caller configured. No key comes from a peer.
//! - **Whatever strangers send is bounded**, by [`limits`](crate::limits), before it is kept. A log
//!   that signs as many heads as it likes takes 40 KiB.
//! - **Nothing that an honest log signs is a [`Fork`]**, in whatever order it comes.
//! - **A suspect is no culprit.** [`Standing::Suspect`] follows from what waits now, and ends when
//!   that is linked. Only a [`Fork`] convicts, by way of the evidence that a caller makes of it.
//!
//! Scope: decisions. Left out: connections, clocks, random numbers, tiles and proofs, and the texts
//! of evidence, which are the caller's. Heads are compared as logs sign them; what witnesses signed
//! beside them is not kept here.

mod deadline;
mod digest;
mod evidence;
mod exchange;
mod heads;
mod link;
mod pool;
mod sample;

pub use deadline::{MISSED_ASKS, Settings, Standing};
pub use digest::{Line, LogId, NoteId, Salt};
pub use evidence::{CulpritId, EvidenceLine};
pub use exchange::{Exchange, ExchangeFault, Received, Turn, TurnFault};
pub use link::{Answer, Fork, Judged, Question, Source, VerifiedLink};
pub use pool::{AddError, Pool, Taken};
pub use sample::{FAN_OUT, Sampler};

#[cfg(test)]
mod tests;

//! What a log decides that asks witnesses to cosign its checkpoints (C2SP tlog-witness, from the
//! log's side; docs/design.md 6).
//!
//! ```text
//! signed ─ propose ─ ask all ─┬─ quorum, and a short wait for more ─ shown ─ late lines are merged
//!                             └─ all answered without a quorum ─ a newer one may take its place
//! ```
//!
//! One checkpoint at a time is the candidate. All witnesses are asked at once, each from the size
//! that it has, and each has one question at a time. So a witness that is slow or gone delays
//! nobody once the quorum stands.
//!
//! What a witness says of sizes is not signed, and what it signs is verified here. Two answers can
//! end the signing of this log, as [`Stop`]: that a witness has a larger tree of it than was ever
//! signed here, and that it has another history. Either somebody else signs with the log's key, or
//! this disk is old, or the witness lies. It ends unless a quorum can stand without that witness,
//! and quorums of the policy share an honest one; then nothing newer is signed before that quorum
//! has cosigned what was signed last.
//!
//! Scope: decisions. Left out: HTTP, proofs and clocks, which are the node's. A caller asks
//! [`Cosigning::step`] what to do, does it, tells [`Cosigning::answered`] what came of it, and asks
//! again.

mod link;
mod run;
#[cfg(test)]
mod tests;

pub use link::{Failure, Heard, Reply, Stop};
pub use run::{Ask, Cosigning, CosigningError, Event, Settings, Step, WitnessStatus};

/// A moment, by two clocks: one that never goes back, for waiting, and one that knows the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since some start. They never fall.
    pub elapsed_ms: u64,
    /// Seconds since 1970 (UTC).
    pub unix_s: u64,
}

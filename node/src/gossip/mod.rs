//! Gossip: compares heads of logs with peers, so that a log that shows two histories is found
//! (docs/federation.md, "Gossip").
//!
//! ```text
//! own log, witness, mirror ── holding ──┐
//! add-checkpoint that was refused, what
//! a mirror does not follow: seen ───────┤
//! clients: SubmitHeads, POST /heads ────┼──> state ── fork ──> evidence, then the pool
//! peers: serve, meet ───────────────────┘      └── question ── own tiles, else ──> link
//! ```
//!
//! - [`state`]: the pool behind its lock, and what follows from what it says. `suspects`: the
//!   alarms.
//! - [`holding`]: what the node itself has of logs: heads, and tiles to link them with.
//! - `own`: these, all together.
//! - [`known`]: which logs there are, and where they, their mirrors and the peers are.
//! - `serve`, `meet`: both sides of an exchange. `seats`: how many are served at once. `link`:
//!   asking logs and mirrors.
//! - [`rounds`]: the task that does a round every `federation.gossip_interval_ms`.
//! - [`http`]: `GET /heads` and `POST /heads`. The calls of gRPC are in `api::federation`.
//!
//! `core/tlog/src/gossip/` decides. Left out: what a conviction does, which witness, mirror and
//! cosigner ask of [`crate::misbehavior`].

pub mod holding;
pub mod http;
pub mod known;
mod link;
mod meet;
mod own;
pub mod rounds;
mod seats;
pub mod seen;
pub mod serve;
pub mod state;
mod suspects;

#[cfg(test)]
mod tests;

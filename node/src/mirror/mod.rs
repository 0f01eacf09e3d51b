//! A mirror: copies other logs, serves the copies, and cosigns what it holds (C2SP tlog-mirror).
//!
//! ```text
//! site ── checkpoint, tiles, bundles ──> follower ─┐
//!                                    a task a log  ├─ checked ──> copy ── one batch ──> store
//! http ── checkpoints, packages ───────> upload ───┘  one user     └── cosigned ──> shelf ──> http
//!                                                     at a time
//! store ── every bundle, again ──> scrub ──> repair ── from the log or another mirror ──> store
//! ```
//!
//! - [`site`]: what a log publishes, fetched within limits.
//! - [`follower`]: the task of one log. `elsewhere`: what it asks other mirrors for, which
//!   [`sources`] lists. [`run`]: which logs there are, and opening all of it.
//! - [`copied`]: a log, as all of these share it. [`copy`]: what is stored and cosigned of it.
//!   [`store`]: under which keys.
//! - [`upload`], [`incoming`], [`ticket`]: entries that a log brings itself.
//! - [`limits`]: what a log may take of disk and memory.
//! - [`shelf`], [`http`]: what is shown. [`scrub`], [`repair`]: that it stays as it was.
//! - [`init`], [`operator`]: making a mirror, and what its operator says to it.
//!
//! `core/tlog/src/mirror/` decides. Entries are opaque: any log that publishes tiles can be copied.
//! Left out: replaying what entries say, which a mirror's cosignature does not state.

pub mod clock;
pub mod copied;
pub mod copy;
mod elsewhere;
pub mod fault;
pub mod follower;
pub mod http;
pub mod incoming;
pub mod init;
pub mod limits;
pub mod operator;
mod page;
pub mod repair;
pub mod run;
pub mod scrub;
pub mod shelf;
pub mod site;
pub mod sources;
pub mod store;
pub mod ticket;
pub mod upload;

#[cfg(test)]
mod tests;

//! A mirror: copies other logs, serves the copies, and cosigns what it holds (C2SP tlog-mirror).
//!
//! ```text
//! site ── checkpoint, tiles, bundles ──> follower ── checked ──> copy ── one batch ──> store
//!                                        a task a log             └── cosigned ──> shelf ──> http
//! ```
//!
//! - [`site`]: what a log publishes, fetched within limits.
//! - [`follower`]: the task of one log. [`run`]: which logs there are, and opening all of it.
//! - [`copy`]: what is stored and cosigned of one log. [`store`]: under which keys.
//! - [`shelf`], [`http`]: what is shown.
//! - [`init`], [`operator`]: making a mirror, and what its operator says to it.
//!
//! `core/tlog/src/mirror/` decides. Entries are opaque: any log that publishes tiles can be copied.
//! Left out: `add-entries`, by which a log brings its entries itself; repairing and scrubbing; and
//! replaying what entries say, which a mirror's cosignature does not state.

pub mod clock;
pub mod copied;
pub mod copy;
pub mod fault;
pub mod follower;
pub mod http;
pub mod incoming;
pub mod init;
pub mod limits;
pub mod operator;
pub mod repair;
pub mod run;
pub mod scrub;
pub mod shelf;
pub mod site;
pub mod store;
pub mod ticket;
pub mod upload;

#[cfg(test)]
mod tests;

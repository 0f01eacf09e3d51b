//! A witness: cosigns the checkpoints of the logs that it is configured for (C2SP tlog-witness).
//!
//! ```text
//! body ─ parse ─ log ─ signature ─ quota ─┐          ┌─ sign ─ answer
//!                                          decide ─ persist
//!        one of the serving threads        one thread    the same serving thread, or one
//!                                                        that asks whoever holds the key
//! ```
//!
//! - [`config`], [`init`]: the file that says what to witness, and the first run.
//! - [`store`]: what is stored, and under which keys.
//! - [`writer`]: the one thread that decides and persists. Whatever came while the last batch was
//!   being synced becomes the next one, of whichever logs.
//! - [`service`]: a request from its first byte to its answer. [`signing`]: its last step.
//! - [`logs`]: which logs. [`listed`], [`lists`]: those that were taken from lists.
//! - [`http`]: the routes. [`run`]: the process.
//!
//! `core/tlog/src/witness/` decides. A log that contradicted itself is convicted for good
//! (`crate::misbehavior`), and cosigned no more. Left out: mirrors; gossip; and collecting
//! cosignatures for a log of one's own.

pub mod config;
pub mod http;
pub mod init;
pub mod known;
pub mod listed;
pub mod lists;
pub mod logs;
pub mod operator;
pub mod run;
pub mod service;
pub mod signing;
pub mod source;
pub mod store;
pub mod writer;

#[cfg(test)]
mod tests;

//! The sequencer's driver on a store in memory: one that fails in every way, and one whose index
//! was damaged. After each of them the log is opened as a restart would open it, and verified whole
//! from its leaves.

#![allow(clippy::unwrap_used, reason = "what the test sets up itself must work")]

mod damage;
mod faults;
mod harness;
mod stored;

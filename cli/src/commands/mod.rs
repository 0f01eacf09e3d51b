//! One file for each command: its arguments and what it does. No command imports another.

pub mod audit;
pub mod badge;
pub mod bridge;
pub mod check;
pub mod completions;
pub mod endorse;
pub mod export;
pub mod get;
pub mod issuer;
pub mod key;
pub mod lifecycle;
pub mod log;
pub mod lookup;
pub mod man;
pub mod misbehavior;
pub mod monitor;
pub mod peers;
pub mod policy;
pub mod publish;
pub mod receipt;
pub mod require;
pub mod respond;
pub mod verify;
pub mod watch;
pub mod withdraw;

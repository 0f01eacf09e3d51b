//! x
pub mod tlog;

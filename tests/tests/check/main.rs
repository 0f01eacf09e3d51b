//! `assay check`, the program, against real nodes: what it decides, what it says, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod documents;
mod gate;
mod logs;
mod outcomes;
mod strangers;
mod world;

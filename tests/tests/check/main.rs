//! `assay check`, the program, against real nodes: what it decides, what it says, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod ci;
mod documents;
mod export;
mod gate;
mod lifecycle;
mod logs;
mod outcomes;
mod strangers;
mod vex;
mod vsa;

use assay_tests::world;

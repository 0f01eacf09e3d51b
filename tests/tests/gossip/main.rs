//! Gossip between real processes: logs that show two histories are found by all, and peers that lie
//! cost little.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod forks;
mod liars;
mod peer;
mod quiet;
mod submitted;
mod world;

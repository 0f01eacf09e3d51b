//! Other implementations' test vectors, every file of them: `cargo test -p assay-tests --test vectors`.
//!
//! One module a kind of data. `ASSAY_TEST_DATA` may name any other folder of the same layout.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a vector that cannot be read must stop the test")]

mod checkpoint;
mod dsse;
mod ed25519;
mod merkle;
mod purl;
mod signed_note;
mod tlog_policy;
mod tlog_proof;
mod tlog_tiles;

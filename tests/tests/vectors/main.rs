//! Test vectors, every file of them: `cargo test -p assay-tests --test vectors`.
//!
//! One module a kind of data. Those of other projects are in a folder outside (`ASSAY_TEST_DATA`
//! may name any other of the same layout), those of the index in `tests/vectors`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a vector that cannot be read must stop the test"
)]

mod checkpoint;
mod dsse;
mod ed25519;
mod index;
mod merkle;
mod purl;
mod signed_note;
mod tlog_policy;
mod tlog_proof;
mod tlog_tiles;

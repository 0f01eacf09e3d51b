//! Witnesses and logs of other projects, as real processes beside ours.
//!
//! Everything here needs Go; a run without it leaves out `needs_go` by name (`scripts/test`).
//! `tests/interop/README.md` says what each program is and where it comes from.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod needs_go;

//! One question to several logs, and witnesses behind an answer: real processes, and the program as
//! a consumer runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod convicted;
mod logs;
mod mirrors;
mod rotated;
mod watching;
mod witnesses;
mod world;

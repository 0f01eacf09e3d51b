//! For tests, here and in other crates: a log in memory, and policies with conditions of fixed
//! words.

#![allow(clippy::unwrap_used, clippy::panic, reason = "only tests use it")]

mod policies;
mod world;

pub use policies::{NOW_MS, Words, anchor, component, fresh, parse, rule};
pub use world::{
    DAY_MS, Party, START_MS, World, about, endorsement, key, patterns, public, purl, value,
};

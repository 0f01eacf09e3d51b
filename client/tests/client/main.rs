//! The client against a log of these tests' own, which can also lie.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on panics.

mod attachments;
mod audit;
mod fake;
mod heads;
mod issuers;
mod lies;
mod lookups;
mod misbehavior;
mod monitor;
mod news;
mod others;
mod paging;
mod privately;
mod reads;
mod reports;
mod times;
mod watching;

//! The pages for people: a node with a policy, issuers who say things, strangers who say worse
//! ones, and what a reader is shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod addresses;
mod badges;
mod bounds;
mod busy;
mod calendar;
mod compare;
mod counts;
mod feed;
mod judges;
mod missing;
mod pictures;
mod proxied;
mod record;
mod sentences;
mod strangers;
mod unweighed;
mod vex;
mod whole;
mod world;

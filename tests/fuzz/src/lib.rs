//! Fuzz targets: for each reader of core, a function of any bytes that panics unless what the
//! reader promises holds of them.
//!
//! A target asserts more than that nothing panics: what is read and written again is the same, only
//! one spelling of a thing is read, nothing is verified that our keys did not sign, and two readers
//! of one thing agree. It returns whether the bytes were accepted, so that a test can demand that
//! its seeds are: a target that refuses everything holds nothing.
//!
//! Seeds are the files of `corpus/`, and what functions here make: whatever is signed, hashed or
//! binary. All targets run in `make test`, on their seeds and thousands of changed ones, and under
//! libFuzzer in `make fuzz` (`fuzz/`).
//!
//! Left out: the client's configuration and its language of conditions, and what only nodes read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a property that does not hold has to stop the run"
)]

mod claims;
mod components;
mod documents;
mod index;
mod misbehavior;
pub mod mutate;
mod names;
mod notes;
mod policies;
mod predicates;
mod proofs;
mod target;
mod tiles;
mod world;

pub use target::{Seed, Target, corpus};

/// The target that has to fail: whoever runs it and sees nothing has a machine that finds nothing.
pub const CANARY: &str = "canary";

/// Every target but the canary.
pub fn targets() -> Vec<Target> {
    let mut all = Vec::new();
    all.extend(notes::targets());
    all.extend(tiles::targets());
    all.extend(proofs::targets());
    all.extend(claims::targets());
    all.extend(predicates::targets());
    all.extend(misbehavior::targets());
    all.extend(index::targets());
    all.extend(names::targets());
    all.extend(documents::targets());
    all.extend(components::targets());
    all.extend(policies::targets());
    all
}

/// Asserts what is false of every text with a `C` in it.
pub fn canary() -> Target {
    Target::of_text(CANARY, |text| {
        assert!(!text.contains('C'), "the canary sings");
        true
    })
    .with(["canary", "a seed that is left alone"])
}

/// The target of that name, the canary too.
pub fn target(name: &str) -> Option<Target> {
    let mut all = targets();
    all.push(canary());
    all.into_iter().find(|target| target.name == name)
}

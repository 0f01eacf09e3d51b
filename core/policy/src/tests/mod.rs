//! Policies are read, and decide.

mod agreed;
mod artifacts;
mod attacks;
mod boms;
mod builds;
mod deciding;
mod heard;
mod ignoring;
mod latest;
mod logs;
mod loud;
mod meaning;
mod monotone;
mod narrow;
mod products;
mod reading;
mod registries;
mod scopes;
mod showing;
mod unknown;
mod unmet;
mod words;

use crate::Component;
use crate::posture::*;
use crate::rules::*;
use crate::testing::{NOW_MS, Party, Words, World, anchor, component, fresh, parse, rule};
use crate::verdict::*;
use assay_claims::logged::LoggedClaim;

pub(super) fn error(text: &str) -> PolicyError {
    Policy::parse(text, &Words).expect_err(text)
}

/// What a policy decides of `pkg:cargo/a@1`.
pub(super) fn decided(policy: &str, claims: &[LoggedClaim], answers: &[LogAnswer]) -> Verdict {
    evaluate(
        &parse(policy),
        &component("pkg:cargo/a@1"),
        answers,
        claims,
        NOW_MS,
    )
}

pub(super) fn outcome(policy: &str, world: &World) -> Outcome {
    decided(policy, &world.claims, &fresh(world)).outcome()
}

//! The policy file: what a consumer demands of the software that it uses (docs/design.md 7).
//!
//! A policy is one TOML file, [`STARTING`] being the first one that anybody has. It names the logs
//! that must answer, the trust anchors, what must not be, what must be, and examples of its own.
//!
//! Left out: what a policy decides, which is [`crate::verdict`]'s.

mod condition;
mod criteria;
mod duration;
mod example;
mod file;
mod outcome;
mod policy;
mod read;
pub(crate) mod rule;
mod severity;

pub use condition::{CONDITION_BYTES, Compiled, Condition, ConditionLanguage, Variables};
pub use outcome::Outcome;
pub use policy::{
    EnoughLogs, Ignore, Ignored, NamedAnchor, Policy, PolicyError, Registry, RequiredLog,
};
pub use read::POLICY_BYTES;
pub use rule::{ClaimType, Denial, Effect, Requirement, Rule, Sought, Wanted, Whom};
pub use severity::Severity;

pub(crate) use criteria::Criteria;
pub(crate) use duration::{DAY_MS, days};
pub(crate) use example::{Example, ExampleClaim, LogState};

/// The policy to start with, every field explained. It is useful as it is: it warns.
pub const STARTING: &str = include_str!("starting.toml");

//! A policy's own examples: made-up claims, and what the policy should decide.

use super::outcome::Outcome;
use crate::component::Component;
use crate::trust::Role;
use assay_claims::json::Value;
use serde::Deserialize;

/// An example.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) component: Component,
    /// The time at which it is asked, if it says so.
    pub(crate) now_ms: Option<u64>,
    /// How the logs answer.
    pub(crate) logs: LogState,
    pub(crate) expect: Outcome,
    pub(crate) claims: Vec<ExampleClaim>,
}

/// A claim that is made up.
#[derive(Debug, Clone)]
pub(crate) struct ExampleClaim {
    pub(crate) predicate_type: String,
    pub(crate) by: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) age_ms: u64,
    pub(crate) predicate: Value,
}

/// How the logs of an example answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogState {
    Complete,
    Stale,
    Incomplete,
    Silent,
}

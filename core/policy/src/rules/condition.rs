//! Conditions: expressions over a claim, written in the policy in a language that is not read here.
//!
//! The language is CEL, and every implementation of it at hand links locks, threads' parking and a
//! clock by way of its parser. So core knows a condition by what it answers, and `assay-client` has
//! the one that speaks CEL.

use assay_claims::json::Value;
use std::fmt;
use std::sync::Arc;

/// Longest condition, in bytes. What needs more is better said in two rules.
pub const CONDITION_BYTES: usize = 1024;

/// What a condition sees, each under its name: `predicate`, `claim` and `component`.
///
/// - `predicate`: the claim's predicate.
/// - `claim`: `type` (the URI), `kind` (its short name, or the URI), `issuer` (hex; the condition
///   is asked for every issuer of a claim by itself), `roles` (a list of names), `age_days` (whole
///   days since the log took it), `leaf`, `log`.
/// - `component`: `purl`, `type`, `name`, `version`; empty strings for what is not known.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'a> {
    /// The claim's predicate.
    pub predicate: &'a Value,
    /// What there is to say of the claim itself.
    pub claim: &'a Value,
    /// What is asked about.
    pub component: &'a Value,
}

/// A language for conditions.
pub trait ConditionLanguage {
    /// Reads a condition of at most [`CONDITION_BYTES`], or says what is wrong with it and what to
    /// write instead.
    ///
    /// It guarantees that evaluating takes time and memory in proportion to the variables' size at
    /// most, whoever wrote them: no regular expressions, no loops within loops over the same
    /// values.
    fn compile(&self, text: &str) -> Result<Arc<dyn Compiled>, String>;
}

/// A condition that was read.
pub trait Compiled: fmt::Debug + Send + Sync {
    /// Whether it is true. An error says why that cannot be decided; it is never to be taken for
    /// true. The same variables always give the same answer.
    fn holds(&self, variables: Variables<'_>) -> Result<bool, String>;
}

/// A condition of a policy.
#[derive(Debug, Clone)]
pub struct Condition {
    /// As the policy writes it.
    pub text: String,
    pub(crate) compiled: Arc<dyn Compiled>,
}

//! Policies are read, and decide. CEL itself is tested where it is implemented: here conditions are
//! a few fixed words.

mod deciding;
mod latest;
mod monotone;
mod reading;
mod showing;
mod unknown;

use super::*;
use crate::trust::world::{Party, START_MS, World};
use assay_claims::json::Value;
use assay_claims::logged::LoggedClaim;
use std::sync::Arc;

/// The words that stand for conditions: `true`, `false`, `error`, and `passed` for a predicate
/// whose verdict is `pass`.
#[derive(Debug)]
pub(super) struct Words;

#[derive(Debug)]
struct Word(String);

impl ConditionLanguage for Words {
    fn compile(&self, text: &str) -> Result<Arc<dyn Compiled>, String> {
        match text {
            "nonsense" => Err("is no condition".into()),
            word => Ok(Arc::new(Word(word.to_owned()))),
        }
    }
}

impl Compiled for Word {
    fn holds(&self, variables: Variables<'_>) -> Result<bool, String> {
        match self.0.as_str() {
            "true" => Ok(true),
            "error" => Err("there is no such field".into()),
            "passed" => {
                Ok(variables.predicate.get("verdict").and_then(Value::as_str) == Some("pass"))
            }
            "old" => Ok(variables.claim.get("age_days").and_then(Value::as_u64) > Some(10)),
            "named a" => Ok(variables.component.get("name").and_then(Value::as_str) == Some("a")),
            _ => Ok(false),
        }
    }
}

pub(super) fn parse(text: &str) -> Policy {
    Policy::parse(text, &Words).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

pub(super) fn error(text: &str) -> PolicyError {
    Policy::parse(text, &Words).expect_err(text)
}

/// An anchor with these roles for everything.
pub(super) fn anchor(party: &Party, roles: &[&str]) -> String {
    let roles: Vec<String> = roles.iter().map(|role| format!("{role:?}")).collect();
    format!(
        "[[anchor]]\nname = \"it\"\nissuer = \"{}\"\nroles = [{}]\nscopes = \
         [\"pkg:*\"]\nmay_delegate = 2\n",
        party.id,
        roles.join(", ")
    )
}

/// A rule with these lines besides its name, scope, outcome and reason.
pub(super) fn rule(kind: &str, outcome: &str, lines: &str) -> String {
    format!(
        "[[{kind}]]\nname = \"{kind} {}\"\nscopes = [\"pkg:*\"]\noutcome = \"{outcome}\"\nreason \
         = \"because.\"\n{lines}\n",
        assay_tlog::Hash::of(lines.as_bytes())
    )
}

/// A complete answer of a log, made now.
pub(super) fn fresh(world: &World) -> Vec<LogAnswer> {
    vec![LogAnswer {
        origin: world.origin.into(),
        answer: Answer::Complete { head_at_ms: NOW_MS },
    }]
}

/// Ten days after the world began.
pub(super) const NOW_MS: u64 = START_MS + 10 * duration::DAY_MS;

pub(super) fn component(purl: &str) -> Component {
    Component::of_purl(purl).unwrap()
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

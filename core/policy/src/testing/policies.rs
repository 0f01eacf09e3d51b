//! Policies, read with conditions that are a few fixed words: CEL is tested where it is
//! implemented.

use super::world::{DAY_MS, Party, START_MS, World};
use crate::Component;
use crate::rules::{Compiled, ConditionLanguage, Policy, Variables};
use crate::verdict::{Answer, LogAnswer};
use assay_claims::json::Value;
use assay_tlog::Hash;
use std::sync::Arc;

/// The words that stand for conditions: `true`, `false`, `error`, and `passed` and `failed` for a
/// predicate whose verdict is that.
#[derive(Debug)]
pub struct Words;

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
            "failed" => {
                Ok(variables.predicate.get("verdict").and_then(Value::as_str) == Some("fail"))
            }
            "passed" => {
                Ok(variables.predicate.get("verdict").and_then(Value::as_str) == Some("pass"))
            }
            "old" => Ok(variables.claim.get("age_days").and_then(Value::as_u64) > Some(10)),
            "by a scanner" => Ok(has_role(&variables, "scanner")),
            "not by a scanner" => Ok(!has_role(&variables, "scanner")),
            "named a" => Ok(variables.component.get("name").and_then(Value::as_str) == Some("a")),
            _ => Ok(false),
        }
    }
}

fn has_role(variables: &Variables<'_>, name: &str) -> bool {
    match variables.claim.get("roles") {
        Some(Value::Array(roles)) => roles.iter().any(|role| role.as_str() == Some(name)),
        _ => false,
    }
}

/// Reads a policy.
///
/// # Panics
///
/// If it is none.
pub fn parse(text: &str) -> Policy {
    Policy::parse(text, &Words).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// An anchor with these roles for everything.
pub fn anchor(party: &Party, roles: &[&str]) -> String {
    let roles: Vec<String> = roles.iter().map(|role| format!("{role:?}")).collect();
    format!(
        "[[anchor]]\nname = \"it\"\nissuer = \"{}\"\nroles = [{}]\nscopes = \
         [\"pkg:*\"]\nmay_delegate = 2\n",
        party.id,
        roles.join(", ")
    )
}

/// A rule with these lines besides its name, scope, outcome and reason.
pub fn rule(kind: &str, outcome: &str, lines: &str) -> String {
    format!(
        "[[{kind}]]\nname = \"{kind} {}\"\nscopes = [\"pkg:*\"]\noutcome = \"{outcome}\"\nreason \
         = \"because.\"\n{lines}\n",
        Hash::of(lines.as_bytes())
    )
}

/// A complete answer of a log, made now.
pub fn fresh(world: &World) -> Vec<LogAnswer> {
    vec![LogAnswer {
        origin: world.origin.into(),
        answer: Answer::Complete { head_at_ms: NOW_MS },
    }]
}

/// Ten days after the world began.
pub const NOW_MS: u64 = START_MS + 10 * DAY_MS;

/// What has this purl.
pub fn component(purl: &str) -> Component {
    Component::of_purl(purl).unwrap()
}

//! The policy file as TOML has it: names and types of keys. What the values mean is `read`'s.

use super::example::LogState;
use serde::Deserialize;
use toml::Spanned;

/// A value with its place in the text.
pub(super) type At<T> = Spanned<T>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) version: At<u32>,
    pub(super) unknown: Option<Unknown>,
    pub(super) max_head_age: Option<At<String>>,
    pub(super) tlog_policy: Option<At<String>>,
    pub(super) quorum: Option<At<u32>>,
    pub(super) required_logs: Option<At<RequiredLogs>>,
    #[serde(default)]
    pub(super) log: Vec<At<Log>>,
    #[serde(default)]
    pub(super) witness: Vec<At<Witness>>,
    #[serde(default)]
    pub(super) anchor: Vec<Anchor>,
    #[serde(default)]
    pub(super) registry: Vec<Registry>,
    #[serde(default)]
    pub(super) ignore: Vec<At<Ignore>>,
    #[serde(default)]
    pub(super) criterion: Vec<Criterion>,
    #[serde(default)]
    pub(super) deny: Vec<At<Deny>>,
    #[serde(default)]
    pub(super) require: Vec<Require>,
    #[serde(default)]
    pub(super) test: Vec<Test>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unknown {
    Deny,
    Warn,
    Allow,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "has to be \"all\", or some of the logs: { least = 2, of = [\"a.example/log\"] }"
)]
pub(super) enum RequiredLogs {
    Word(AllLogs),
    Least(LeastLogs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AllLogs {
    All,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeastLogs {
    pub(super) least: u32,
    pub(super) of: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) origin: Option<At<String>>,
    pub(super) key: Option<At<String>>,
    pub(super) url: Option<At<String>>,
    #[serde(default)]
    pub(super) mirrors: Vec<At<String>>,
    pub(super) max_head_age: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Witness {
    pub(super) name: At<String>,
    pub(super) key: At<String>,
    pub(super) url: Option<At<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Anchor {
    pub(super) name: At<String>,
    pub(super) issuer: At<String>,
    pub(super) roles: At<Vec<At<String>>>,
    pub(super) scopes: At<Vec<At<String>>>,
    #[serde(default)]
    pub(super) may_delegate: Option<At<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Registry {
    pub(super) r#type: At<String>,
    pub(super) mirrors: At<Vec<At<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ignore {
    pub(super) issuer: Option<At<String>>,
    pub(super) claim: Option<At<String>>,
    pub(super) vulnerability: Option<At<String>>,
    pub(super) rule: Option<At<String>>,
    pub(super) scopes: Option<At<Vec<At<String>>>>,
    pub(super) reason: At<String>,
    pub(super) until: At<Day>,
}

/// A date, in quotation marks or as TOML has it.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "has to be a date, such as \"2026-12-31\"")]
pub(super) enum Day {
    Text(String),
    Date(toml::value::Datetime),
}

impl Day {
    /// As it is written.
    pub(super) fn text(&self) -> String {
        match self {
            Day::Text(text) => text.clone(),
            Day::Date(date) => date.to_string(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Criterion {
    pub(super) name: At<String>,
    pub(super) implies: At<Vec<At<String>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sought {
    Affected,
    Vulnerable,
    Unsupported,
    Claim,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Effect {
    Deny,
    Warn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deny {
    pub(super) name: At<String>,
    pub(super) scopes: At<Vec<At<String>>>,
    #[serde(rename = "if")]
    pub(super) sought: Sought,
    pub(super) severity: Option<At<String>>,
    pub(super) claims: Option<At<Vec<At<String>>>>,
    pub(super) from: At<Vec<At<String>>>,
    pub(super) cleared_by: Option<At<Vec<At<String>>>>,
    pub(super) when: Option<At<String>>,
    pub(super) outcome: Effect,
    pub(super) reason: At<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Require {
    pub(super) name: At<String>,
    pub(super) scopes: At<Vec<At<String>>>,
    pub(super) claims: At<Vec<At<String>>>,
    pub(super) from: At<Vec<At<String>>>,
    pub(super) issuers: Option<At<u32>>,
    pub(super) max_age: Option<At<String>>,
    pub(super) criteria: Option<At<Vec<At<String>>>>,
    pub(super) when: Option<At<String>>,
    pub(super) outcome: Effect,
    pub(super) reason: At<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    pub(super) name: At<String>,
    pub(super) component: Option<At<String>>,
    pub(super) on: Option<At<Day>>,
    pub(super) logs: Option<LogState>,
    pub(super) expect: At<String>,
    #[serde(default)]
    pub(super) claims: Vec<TestClaim>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestClaim {
    #[serde(rename = "type")]
    pub(super) kind: At<String>,
    pub(super) by: At<String>,
    #[serde(default)]
    pub(super) roles: Vec<At<String>>,
    pub(super) age: Option<At<String>>,
    pub(super) predicate: At<toml::Table>,
}

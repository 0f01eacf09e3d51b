//! The examples of a policy file.

use super::values::Reader;
use crate::component::Component;
use crate::rules::example::{Example, ExampleClaim, LogState};
use crate::rules::file;
use crate::rules::outcome::Outcome;
use crate::rules::policy::PolicyError;
use crate::rules::rule::{ClaimType, Which};
use assay_claims::json::Value;
use assay_claims::kind::{Body, Timestamp};

impl Reader<'_> {
    pub(super) fn example(&self, test: &file::Test) -> Result<Example, PolicyError> {
        let component = match &test.component {
            Some(purl) => Component::of_purl(purl.get_ref()).map_err(|e| {
                self.fault(
                    "test.component",
                    purl.span(),
                    format!("is no package URL: {e}"),
                )
            })?,
            None => Component::default(),
        };
        let on = test.on.as_ref().map(|on| {
            let day = Timestamp::parse_beginning(&on.get_ref().text())
                .and_then(|day| u64::try_from(day.unix_ms()).ok());
            day.ok_or_else(|| {
                self.fault(
                    "test.on",
                    on.span(),
                    "has to be a date since 1970, such as \"2026-06-01\"",
                )
            })
        });
        let expect = Outcome::of_name(test.expect.get_ref()).ok_or_else(|| {
            let names = Outcome::ALL.map(Outcome::name).join(", ");
            self.fault(
                "test.expect",
                test.expect.span(),
                format!("has to be one of {names}"),
            )
        })?;
        Ok(Example {
            name: self.words("test.name", &test.name)?,
            component,
            now_ms: on.transpose()?,
            logs: test.logs.unwrap_or(LogState::Complete),
            expect,
            claims: test
                .claims
                .iter()
                .map(|claim| self.example_claim(claim))
                .collect::<Result<_, _>>()?,
        })
    }

    fn example_claim(&self, claim: &file::TestClaim) -> Result<ExampleClaim, PolicyError> {
        let ty = self.claim_type("test.claims.type", &claim.kind)?;
        let predicate = table(claim.predicate.get_ref());
        let uri = type_uri(&ty, &predicate);
        let body = Body::read(&uri, &predicate).map_err(|e| {
            self.fault(
                "test.claims.predicate",
                claim.predicate.span(),
                format!("is no {}: {e}", ty.word),
            )
        })?;
        let age_ms = claim
            .age
            .as_ref()
            .map(|age| self.duration("test.claims.age", age))
            .transpose()?
            .unwrap_or(0);
        let roles = claim
            .roles
            .iter()
            .map(|role| self.role("test.claims.roles", role))
            .collect::<Result<_, _>>()?;
        Ok(ExampleClaim {
            predicate_type: uri,
            by: self.words("test.claims.by", &claim.by)?,
            roles,
            age_ms,
            predicate,
            body,
        })
    }
}

/// The URI of a made-up claim's type: what its `@context` states, if the type goes by that, or else
/// the first that the type goes by.
fn type_uri(ty: &ClaimType, predicate: &Value) -> String {
    let kind = match &ty.which {
        Which::Kind(kind) => *kind,
        Which::Uri(uri) => return uri.clone(),
    };
    let stated = predicate.get("@context").and_then(Value::as_str);
    let mut uris = kind.uris();
    let first = uris.next().unwrap_or_default();
    let uri = uris.find(|uri| stated == Some(*uri)).unwrap_or(first);
    uri.to_owned()
}

/// A TOML table as JSON; dates become strings. A number that JSON does not have becomes null.
fn table(table: &toml::Table) -> Value {
    Value::Object(
        table
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
    )
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Boolean(bit) => (*bit).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => Value::Array(items.iter().map(json).collect()),
        toml::Value::Table(members) => table(members),
        toml::Value::Integer(number) => Value::from(&serde_json::Value::from(*number)),
        toml::Value::Float(number) => Value::from(&serde_json::Value::from(*number)),
    }
}

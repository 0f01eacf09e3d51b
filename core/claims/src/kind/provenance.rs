//! SLSA provenance, v1 (`https://slsa.dev/provenance/v1`) and v0.2: how something was built.
//!
//! The claim says that its issuer hands on this provenance, not that the builder made it: whoever
//! trusts the builder verifies the signed original, which is an attachment.

use super::descriptor::{check_descriptor, check_digests};
use super::error::PredicateError;
use super::node::Node;
use super::predicate::{self, Predicate, TypeOf};
use crate::json::Value;

/// How something was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The builder's id: a URI.
    pub builder: String,
    /// The kind of build: a URI.
    pub build_type: String,
}

impl Predicate for Provenance {
    const NAME: &'static str = "provenance";
    const TYPES: &'static [TypeOf<Self>] = &[
        TypeOf::new(
            "provenance (SLSA v1)",
            &["https://slsa.dev/provenance/v1"],
            Self::read_v1,
        ),
        TypeOf::new(
            "provenance (SLSA v0.2)",
            &["https://slsa.dev/provenance/v0.2"],
            Self::read_v0_2,
        ),
    ];
}

impl Provenance {
    /// Reads a predicate of the type that goes by `uri`, wherever it stands; `None` if that type is
    /// no provenance.
    pub fn read(uri: &str, predicate: &Node<'_, '_>) -> Option<Result<Self, PredicateError>> {
        predicate::find::<Self>(uri).map(|known| known.read_at(predicate))
    }

    fn read_v1(predicate: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check_v1(predicate)?;
        Ok(Provenance {
            builder: text_at(predicate.value(), "/runDetails/builder/id"),
            build_type: text_at(predicate.value(), "/buildDefinition/buildType"),
        })
    }

    fn read_v0_2(predicate: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check_v0_2(predicate)?;
        Ok(Provenance {
            builder: text_at(predicate.value(), "/builder/id"),
            build_type: text_at(predicate.value(), "/buildType"),
        })
    }
}

fn text_at(predicate: &Value, pointer: &str) -> String {
    let text = predicate.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Specification: slsa.dev/spec/v1.0/provenance.
fn check_v1(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    let definition = predicate.need("buildDefinition")?;
    definition.need("buildType")?.text()?;
    definition.need("externalParameters")?.object()?;
    if let Some(parameters) = definition.get("internalParameters") {
        parameters.object()?;
    }
    check_resources(&definition, "resolvedDependencies")?;
    let details = predicate.need("runDetails")?;
    let builder = details.need("builder")?;
    builder.need("id")?.text()?;
    check_resources(&builder, "builderDependencies")?;
    check_resources(&details, "byproducts")?;
    check_metadata(&details, &["startedOn", "finishedOn"])
}

/// Specification: slsa.dev/spec/v0.2/provenance.
fn check_v0_2(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    predicate.need("builder")?.need("id")?.text()?;
    predicate.need("buildType")?.text()?;
    if let Some(materials) = predicate.get("materials") {
        for material in materials.items()? {
            material.optional_text("uri")?;
            if let Some(digests) = material.get("digest") {
                check_digests(&digests)?;
            }
        }
    }
    check_metadata(predicate, &["buildStartedOn", "buildFinishedOn"])
}

fn check_resources(parent: &Node<'_, '_>, key: &'static str) -> Result<(), PredicateError> {
    let Some(list) = parent.get(key) else {
        return Ok(());
    };
    list.items()?
        .try_for_each(|resource| check_descriptor(&resource))
}

fn check_metadata(parent: &Node<'_, '_>, times: &[&'static str]) -> Result<(), PredicateError> {
    let Some(metadata) = parent.get("metadata") else {
        return Ok(());
    };
    metadata.object()?;
    for key in times {
        if let Some(time) = metadata.get(key) {
            time.instant()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::kind::check;

    #[test]
    fn slsa_v1_is_checked() {
        let good = r#"{"buildDefinition":{"buildType":"t","externalParameters":{},"resolvedDependencies":[{"uri":"u"}]},
            "runDetails":{"builder":{"id":"b"},"metadata":{"startedOn":"2026-01-01T00:00:00Z"},"byproducts":[{"digest":{"sha1":"68bc59901773ab4c051dfcea0cc4201a1567ab32"}}]}}"#;
        let outcome = |text: &str| {
            check(
                "https://slsa.dev/provenance/v1",
                &crate::json::parse(text.as_bytes()).unwrap(),
            )
        };
        outcome(good).unwrap();
        for (from, to, path) in [
            (
                r#""buildType":"t","#,
                "",
                "$.predicate.buildDefinition.buildType",
            ),
            (
                r#""externalParameters":{}"#,
                r#""externalParameters":[]"#,
                "$.predicate.buildDefinition.externalParameters",
            ),
            (
                r#"{"uri":"u"}"#,
                r#"{"name":"u"}"#,
                "$.predicate.buildDefinition.resolvedDependencies[0]",
            ),
            (r#"{"id":"b"}"#, "{}", "$.predicate.runDetails.builder.id"),
            (
                r#""2026-01-01T00:00:00Z""#,
                r#""now""#,
                "$.predicate.runDetails.metadata.startedOn",
            ),
            (
                r#""68bc"#,
                r#""68BC"#,
                "$.predicate.runDetails.byproducts[0].digest.sha1",
            ),
        ] {
            assert!(good.contains(from), "{from}");
            assert_eq!(outcome(&good.replacen(from, to, 1)).unwrap_err().path, path);
        }
    }
}

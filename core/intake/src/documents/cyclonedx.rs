//! CycloneDX JSON, 1.2 to 1.7. What it says of vulnerabilities becomes VEX claims of their own
//! beside that of the BOM, or instead, if it lists nothing else.

use super::draft::Prepared;
use super::error::DocumentError;
use super::sbom::{Description, prepare_as};
use super::subjects::{Subjects, digests};
use super::tool::{Source, Takes, Tool};
use super::vex::cyclonedx;
use assay_claims::json::Value;
use assay_claims::kind::node::Node;
use assay_claims::kind::sbom::Sbom;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.get("bomFormat").is_some()),
    prepare,
};

/// A BOM as VEX: what it says of vulnerabilities, and nothing else.
pub(super) const VEX: Tool = Tool {
    takes: Takes::Value(|value| value.get("bomFormat").is_some() && cyclonedx::has_vex(value)),
    prepare: |source| {
        Sbom::CycloneDx.check(&source.root())?;
        cyclonedx::read(source)?.claims(source, MEDIA_TYPE)
    },
};

const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let has = |pointer: &str| {
        let value = source.value.pointer(pointer);
        value.is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()))
    };
    let mut claims = Vec::new();
    let has_vex = cyclonedx::has_vex(source.value);
    if !has_vex || has("/components") || has("/services") || has("/metadata/component") {
        claims = prepare_as(Sbom::CycloneDx, source, MEDIA_TYPE, describe)?;
    } else {
        Sbom::CycloneDx.check(&source.root())?;
    }
    if has_vex {
        let said = cyclonedx::read(source)?;
        if claims.is_empty() {
            return said.claims(source, MEDIA_TYPE);
        }
        said.beside(&mut claims, source, MEDIA_TYPE)?;
    }
    Ok(claims)
}

fn describe(bom: &Node<'_, '_>) -> Description {
    let mut subjects = Subjects::default();
    let mut summary = vec![(
        "format".to_owned(),
        format!("CycloneDX {}", bom.shown("specVersion").unwrap_or_default()),
    )];
    if let Some(metadata) = bom.get("metadata")
        && let Some(component) = metadata.get("component")
    {
        let name = component.shown("name");
        subjects.suggest(
            name,
            component.shown("purl"),
            digests(component.get("hashes"), "alg", "content"),
        );
        summary.extend(name.map(|name| ("about".to_owned(), name.to_owned())));
        summary.extend(
            component
                .shown("version")
                .map(|version| ("version".to_owned(), version.to_owned())),
        );
    }
    for (key, label) in [
        ("components", "components"),
        (
            "vulnerabilities",
            "vulnerabilities (VEX, in claims of their own)",
        ),
    ] {
        if let Some(list) = bom.value().get(key).and_then(Value::as_array) {
            summary.push((label.into(), list.len().to_string()));
        }
    }
    Description { subjects, summary }
}

//! CycloneDX JSON, 1.2 to 1.7. That includes CycloneDX VEX.

use super::sbom::{Description, prepare_as};
use super::subjects::{Subjects, digests};
use super::tool::{Takes, Tool};
use assay_claims::json::Value;
use assay_claims::kind::node::Node;
use assay_claims::kind::sbom::Sbom;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.get("bomFormat").is_some()),
    prepare: |source| {
        prepare_as(
            Sbom::CycloneDx,
            source,
            "application/vnd.cyclonedx+json",
            describe,
        )
    },
};

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
        ("vulnerabilities", "vulnerabilities (VEX)"),
    ] {
        if let Some(list) = bom.value().get(key).and_then(Value::as_array) {
            summary.push((label.into(), list.len().to_string()));
        }
    }
    Description { subjects, summary }
}

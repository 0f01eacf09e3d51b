//! SPDX 2.2 and 2.3 in JSON.

use super::sbom::{Description, prepare_as};
use super::subjects::{Subjects, digests};
use super::tool::{Takes, Tool};
use assay_claims::json::Value;
use assay_claims::kind::node::Node;
use assay_claims::kind::sbom::Sbom;
use std::collections::HashSet;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.get("spdxVersion").is_some()),
    prepare: |source| prepare_as(Sbom::Spdx2, source, "application/spdx+json", describe),
};

fn describe(document: &Node<'_, '_>) -> Description {
    let mut subjects = Subjects::default();
    let list = |key: &str| {
        document
            .value()
            .get(key)
            .and_then(Value::as_array)
            .unwrap_or_default()
    };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let described = list("documentDescribes")
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let related = list("relationships").iter().filter_map(|relationship| {
        let describes = text(relationship, "relationshipType").as_deref() == Some("DESCRIBES");
        let whole = text(relationship, "spdxElementId").as_deref() == Some("SPDXRef-DOCUMENT");
        text(relationship, "relatedSpdxElement").filter(|_| describes && whole)
    });
    let described: HashSet<String> = described.chain(related).collect();
    if let Some(packages) = document.get("packages") {
        for package in packages.items().into_iter().flatten() {
            if package
                .shown("SPDXID")
                .is_some_and(|id| described.contains(id))
            {
                suggest(&package, &mut subjects);
            }
        }
    }
    let summary = vec![
        (
            "format".to_owned(),
            document
                .shown("spdxVersion")
                .unwrap_or_default()
                .replace('-', " "),
        ),
        (
            "about".to_owned(),
            document.shown("name").unwrap_or_default().to_owned(),
        ),
        ("packages".to_owned(), list("packages").len().to_string()),
        ("files".to_owned(), list("files").len().to_string()),
    ];
    Description { subjects, summary }
}

/// A package with all its purls: one subject each, the same checksums.
fn suggest(package: &Node<'_, '_>, subjects: &mut Subjects) {
    let references = package
        .value()
        .get("externalRefs")
        .and_then(Value::as_array)
        .unwrap_or_default();
    let checksums = digests(package.get("checksums"), "algorithm", "checksumValue");
    let mut purls = HashSet::new();
    for reference in references {
        let field = |key: &str| reference.get(key).and_then(Value::as_str);
        if let Some(purl) =
            field("referenceLocator").filter(|_| field("referenceType") == Some("purl"))
            && purls.insert(purl)
        {
            subjects.suggest(package.shown("name"), Some(purl), checksums.clone());
        }
    }
    if purls.is_empty() {
        subjects.suggest(package.shown("name"), None, checksums);
    }
}

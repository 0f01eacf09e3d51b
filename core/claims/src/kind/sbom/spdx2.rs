//! SPDX 2.2 and 2.3 in JSON.

use super::Description;
use crate::json::Value;
use crate::kind::PredicateError;
use crate::kind::node::{Node, quoted};
use crate::kind::subject::{Subjects, digests};
use std::collections::HashSet;

/// Specification: SPDX 2.3, clauses 6 (document creation information) and 11 (relationships).
pub(super) fn check(document: &Node<'_, '_>) -> Result<(), PredicateError> {
    document
        .need("spdxVersion")?
        .one_of(&["SPDX-2.2", "SPDX-2.3"])?;
    document.need("SPDXID")?.one_of(&["SPDXRef-DOCUMENT"])?;
    for key in ["dataLicense", "name", "documentNamespace"] {
        document.need(key)?.text()?;
    }
    let creation = document.need("creationInfo")?;
    creation.need("created")?.instant()?;
    let creators = creation.need("creators")?;
    let mut any = false;
    for creator in creators.items()? {
        any = true;
        // Some tools write {"Person": "…"} for "Person: …".
        if creator.object().is_err() {
            creator.text()?;
        }
    }
    if !any {
        return Err(creators.fault("names no creator"));
    }
    check_relationships(document, &elements(document)?)
}

/// The identifiers that the document gives to its elements.
fn elements<'v>(document: &Node<'v, '_>) -> Result<HashSet<&'v str>, PredicateError> {
    let mut ids = HashSet::from(["SPDXRef-DOCUMENT"]);
    for key in ["packages", "files", "snippets"] {
        let Some(list) = document.get(key) else {
            continue;
        };
        for element in list.items()? {
            ids.insert(element.need("SPDXID")?.text()?);
        }
    }
    Ok(ids)
}

/// Each relationship joins elements of the document, elements of other documents, or none.
fn check_relationships(
    document: &Node<'_, '_>,
    known: &HashSet<&str>,
) -> Result<(), PredicateError> {
    let Some(relationships) = document.get("relationships") else {
        return Ok(());
    };
    for relationship in relationships.items()? {
        relationship.need("relationshipType")?.text()?;
        for key in ["spdxElementId", "relatedSpdxElement"] {
            let end = relationship.need(key)?;
            let id = end.text()?;
            let elsewhere = id.starts_with("DocumentRef-") || ["NONE", "NOASSERTION"].contains(&id);
            if !elsewhere && !known.contains(id) {
                return Err(end.fault(format!(
                    "leads to {}, which the document does not hold",
                    quoted(id)
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn describe(document: &Node<'_, '_>) -> Description {
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

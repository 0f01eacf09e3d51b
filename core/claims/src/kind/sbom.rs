//! Software bills of materials: CycloneDX (`https://cyclonedx.org/bom`) and SPDX
//! (`https://spdx.dev/Document`, version 3 `https://spdx.dev/Document/v3`).
//!
//! The predicate is the document. What is checked is what makes a document readable: its format and
//! version, the fields that are always required, and that its dependencies and relationships lead
//! to something. The rest of its schema is not.

use super::error::PredicateError;
use super::node::{Node, quoted};
use super::predicate::{Predicate, TypeOf};
use crate::json::Value;
use std::collections::HashSet;

/// A software bill of materials, by its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sbom {
    /// CycloneDX JSON.
    CycloneDx,
    /// SPDX 2 JSON.
    Spdx2,
    /// SPDX 3 JSON-LD.
    Spdx3,
}

impl Predicate for Sbom {
    const NAME: &'static str = "sbom";
    const TYPES: &'static [TypeOf<Self>] = &[
        TypeOf::new("sbom (CycloneDX)", CYCLONEDX, Self::read_cyclonedx),
        TypeOf::new("sbom (SPDX 2)", SPDX_2, Self::read_spdx2),
        TypeOf::new("sbom (SPDX 3)", SPDX_3, Self::read_spdx3),
    ];
}

const CYCLONEDX: &[&str] = &[
    "https://cyclonedx.org/bom",
    "https://cyclonedx.org/bom/v1.2",
    "https://cyclonedx.org/bom/v1.3",
    "https://cyclonedx.org/bom/v1.4",
    "https://cyclonedx.org/bom/v1.5",
    "https://cyclonedx.org/bom/v1.6",
    "https://cyclonedx.org/bom/v1.7",
];

const SPDX_2: &[&str] = &[
    "https://spdx.dev/Document",
    "https://spdx.dev/Document/v2.2",
    "https://spdx.dev/Document/v2.3",
];

const SPDX_3: &[&str] = &[
    "https://spdx.dev/Document/v3",
    "https://spdx.dev/Document/v3.0",
];

impl Sbom {
    /// The URI that new claims with a document of this format have.
    pub fn uri(self) -> &'static str {
        match self {
            Sbom::CycloneDx => CYCLONEDX[0],
            Sbom::Spdx2 => SPDX_2[0],
            Sbom::Spdx3 => SPDX_3[0],
        }
    }

    /// Checks a document of this format.
    pub fn check(self, document: &Node<'_, '_>) -> Result<(), PredicateError> {
        match self {
            Sbom::CycloneDx => check_cyclonedx(document),
            Sbom::Spdx2 => check_spdx2(document),
            Sbom::Spdx3 => check_spdx3(document),
        }
    }

    fn read_cyclonedx(bom: &Node<'_, '_>) -> Result<Self, PredicateError> {
        Sbom::CycloneDx.check(bom).map(|()| Sbom::CycloneDx)
    }

    fn read_spdx2(document: &Node<'_, '_>) -> Result<Self, PredicateError> {
        Sbom::Spdx2.check(document).map(|()| Sbom::Spdx2)
    }

    fn read_spdx3(document: &Node<'_, '_>) -> Result<Self, PredicateError> {
        Sbom::Spdx3.check(document).map(|()| Sbom::Spdx3)
    }
}

/// The versions that are read.
pub const CYCLONEDX_VERSIONS: &[&str] = &["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

/// Specification: CycloneDX, `bom-1.x.schema.json`. Of `dependencies`, that each leads to something
/// that the BOM holds, to an entry of `dependencies`, or by BOM-Link to another BOM.
fn check_cyclonedx(bom: &Node<'_, '_>) -> Result<(), PredicateError> {
    bom.need("bomFormat")?.one_of(&["CycloneDX"])?;
    bom.need("specVersion")?.one_of(CYCLONEDX_VERSIONS)?;
    if let Some(version) = bom.get("version")
        && version.value().as_u64().is_none_or(|version| version == 0)
    {
        return Err(version.fault("is no whole number from 1"));
    }
    if let Some(serial) = bom.get("serialNumber") {
        serial.text()?;
    }
    if let Some(metadata) = bom.get("metadata") {
        if let Some(timestamp) = metadata.get("timestamp") {
            timestamp.instant()?;
        }
        if let Some(component) = metadata.get("component") {
            check_component(&component)?;
        }
    }
    check_list(bom, "components", check_component)?;
    check_list(bom, "services", check_service)?;
    check_list(bom, "vulnerabilities", check_vulnerability)?;
    check_dependencies(bom)
}

fn check_list(
    parent: &Node<'_, '_>,
    key: &'static str,
    check: fn(&Node<'_, '_>) -> Result<(), PredicateError>,
) -> Result<(), PredicateError> {
    let Some(list) = parent.get(key) else {
        return Ok(());
    };
    list.items()?.try_for_each(|item| check(&item))
}

fn check_component(component: &Node<'_, '_>) -> Result<(), PredicateError> {
    component.need("type")?.text()?;
    component.need("name")?.text()?;
    for key in ["version", "purl", "cpe", "group"] {
        if let Some(text) = component.get(key) {
            text.string()?;
        }
    }
    if let Some(hashes) = component.get("hashes") {
        for hash in hashes.items()? {
            hash.need("alg")?.text()?;
            hash.need("content")?.text()?;
        }
    }
    check_list(component, "components", check_component)
}

fn check_service(service: &Node<'_, '_>) -> Result<(), PredicateError> {
    service.need("name")?.text()?;
    check_list(service, "services", check_service)
}

fn check_vulnerability(vulnerability: &Node<'_, '_>) -> Result<(), PredicateError> {
    vulnerability.object()?;
    vulnerability.optional_text("id")?;
    if let Some(affects) = vulnerability.get("affects") {
        for target in affects.items()? {
            target.need("ref")?.text()?;
        }
    }
    Ok(())
}

/// What dependencies can lead to: whatever has a `bom-ref`, and packages by their purl, as older
/// tools do it.
fn collect<'v>(value: &'v Value, known: &mut HashSet<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text) if key == "bom-ref" || key == "purl" => {
                        _ = known.insert(text)
                    }
                    _ => collect(value, known),
                }
            }
        }
        _ => {}
    }
}

fn check_dependencies(bom: &Node<'_, '_>) -> Result<(), PredicateError> {
    let Some(dependencies) = bom.get("dependencies") else {
        return Ok(());
    };
    let mut known = HashSet::new();
    collect(bom.value(), &mut known);
    for dependency in dependencies.items()? {
        known.insert(dependency.need("ref")?.text()?);
    }
    for dependency in dependencies.items()? {
        for key in ["dependsOn", "provides"] {
            let Some(targets) = dependency.get(key) else {
                continue;
            };
            for target in targets.items()? {
                let name = target.text()?;
                if !known.contains(name) && !name.starts_with("urn:cdx:") {
                    return Err(target.fault(format!(
                        "leads to {}, which the BOM does not hold",
                        quoted(name)
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Specification: SPDX 2.3, clauses 6 (document creation information) and 11 (relationships).
fn check_spdx2(document: &Node<'_, '_>) -> Result<(), PredicateError> {
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

/// Specification: SPDX 3.0.1, serialization in JSON-LD. The graph holds exactly one `SpdxDocument`.
fn check_spdx3(document: &Node<'_, '_>) -> Result<(), PredicateError> {
    let context = document.need("@context")?;
    let contexts = match context.value() {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };

    if !contexts.into_iter().any(|context: &Value| {
        context
            .as_str()
            .is_some_and(|uri| uri.starts_with("https://spdx.org/rdf/3."))
    }) {
        return Err(
            context.fault("is not that of SPDX 3, https://spdx.org/rdf/3.0.1/spdx-context.jsonld")
        );
    }
    let graph = document.need("@graph")?;
    let mut documents = 0;
    for element in graph.items()? {
        let kind = element
            .get("type")
            .map_or_else(|| element.need("@type"), Ok)?;
        if kind.text()? == "SpdxDocument" {
            documents += 1;
        }
        if kind.string()? == "CreationInfo" {
            element.need("specVersion")?.text()?;
            element.need("created")?.instant()?;
        }
    }
    if documents == 1 {
        return Ok(());
    }
    Err(graph.fault(format!(
        "holds {documents} elements of type SpdxDocument, and has to hold one"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,
        "components":[{"type":"library","name":"a","bom-ref":"a"}],
        "dependencies":[{"ref":"a","dependsOn":["b","urn:cdx:c"],"provides":["a"]},{"ref":"b"}]}"#;

    const SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"n",
        "dataLicense":"CC0-1.0","documentNamespace":"https://e.org/n","creationInfo":{
        "created":"2026-01-01T00:00:00Z","creators":["Tool: t"]},"files":[{"SPDXID":"SPDXRef-a"}],
        "relationships":[{"relationshipType":"DEPENDS_ON","spdxElementId":"SPDXRef-a",
        "relatedSpdxElement":"NONE"},{"relationshipType":"DESCRIBES",
        "spdxElementId":"SPDXRef-DOCUMENT","relatedSpdxElement":"DocumentRef-b:SPDXRef-c"}]}"#;

    /// Where a document is wrong once a part of it is another one.
    fn wrong(sbom: Sbom, good: &str, from: &str, to: &str) -> String {
        let check = |text: &str| {
            let value = crate::json::parse(text.as_bytes()).unwrap();
            sbom.check(&Node::root("$", &value))
        };
        assert_eq!(check(good), Ok(()));
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        check(&bad).unwrap_err().path
    }

    #[test]
    fn the_version_and_the_dependencies_of_a_cyclonedx_bom_are_checked() {
        let (version, list) = (r#""version":1"#, "$.dependencies[0]");
        for (from, to, path) in [
            (version, r#""version":0"#, "$.version".to_owned()),
            (version, r#""version":"1""#, "$.version".to_owned()),
            (r#"["b","#, r#"["d","#, format!("{list}.dependsOn[0]")),
            ("urn:cdx:c", "urn:c", format!("{list}.dependsOn[1]")),
            (r#"["a"]"#, r#"["c"]"#, format!("{list}.provides[0]")),
        ] {
            assert_eq!(wrong(Sbom::CycloneDx, CYCLONEDX, from, to), path, "{to}");
        }
    }

    #[test]
    fn the_creators_and_the_relationships_of_an_spdx_document_are_checked() {
        let ends = "$.relationships";
        for (from, to, path) in [
            (r#"["Tool: t"]"#, "[]", "$.creationInfo.creators".to_owned()),
            (
                r#""SPDXRef-a","#,
                r#""SPDXRef-d","#,
                format!("{ends}[0].spdxElementId"),
            ),
            ("NONE", "NO", format!("{ends}[0].relatedSpdxElement")),
            (
                "DocumentRef-b:",
                "",
                format!("{ends}[1].relatedSpdxElement"),
            ),
        ] {
            assert_eq!(wrong(Sbom::Spdx2, SPDX, from, to), path, "{to}");
        }
    }
}

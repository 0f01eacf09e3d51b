//! CycloneDX JSON, 1.2 to 1.7.

use super::Description;
use crate::json::Value;
use crate::kind::PredicateError;
use crate::kind::node::{Node, quoted};
use crate::kind::subject::{Subjects, digests};
use std::collections::HashSet;

/// The versions that are read.
pub const VERSIONS: &[&str] = &["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

/// Specification: CycloneDX, `bom-1.x.schema.json`. Of `dependencies`, that each leads to something
/// that the BOM holds, to an entry of `dependencies`, or by BOM-Link to another BOM.
pub(super) fn check(bom: &Node<'_, '_>) -> Result<(), PredicateError> {
    bom.need("bomFormat")?.one_of(&["CycloneDX"])?;
    bom.need("specVersion")?.one_of(VERSIONS)?;
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

pub(super) fn describe(bom: &Node<'_, '_>) -> Description {
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

//! CycloneDX JSON, 1.2 to 1.7.

use super::Description;
use crate::json::Value;
use crate::predicate::PredicateError;
use crate::predicate::node::{Node, quoted};
use crate::predicate::subject::{Subjects, digests};
use std::collections::HashSet;

const VERSIONS: &[&str] = &["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

/// Specification: CycloneDX, `bom-1.x.schema.json`. Of `dependencies`, that each leads to a component of the BOM, to an
/// entry of `dependencies`, or by BOM-Link to another BOM.
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
    let mut refs = HashSet::new();
    if let Some(metadata) = bom.get("metadata") {
        if let Some(timestamp) = metadata.get("timestamp") {
            timestamp.instant()?;
        }
        if let Some(component) = metadata.get("component") {
            check_component(&component, &mut refs)?;
        }
    }
    check_list(bom, "components", &mut refs, check_component)?;
    check_list(bom, "services", &mut refs, check_service)?;
    check_list(bom, "vulnerabilities", &mut refs, check_vulnerability)?;
    check_dependencies(bom, refs)
}

type Refs<'v> = HashSet<&'v str>;

fn check_list<'v>(
    parent: &Node<'v, '_>,
    key: &'static str,
    refs: &mut Refs<'v>,
    check: fn(&Node<'v, '_>, &mut Refs<'v>) -> Result<(), PredicateError>,
) -> Result<(), PredicateError> {
    let Some(list) = parent.get(key) else { return Ok(()) };
    list.items()?.try_for_each(|item| check(&item, refs))
}

fn remember<'v>(node: &Node<'v, '_>, refs: &mut Refs<'v>) -> Result<(), PredicateError> {
    refs.extend(node.optional_text("bom-ref")?);
    Ok(())
}

fn check_component<'v>(component: &Node<'v, '_>, refs: &mut Refs<'v>) -> Result<(), PredicateError> {
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
    remember(component, refs)?;
    check_list(component, "components", refs, check_component)
}

fn check_service<'v>(service: &Node<'v, '_>, refs: &mut Refs<'v>) -> Result<(), PredicateError> {
    service.need("name")?.text()?;
    remember(service, refs)?;
    check_list(service, "services", refs, check_service)
}

fn check_vulnerability<'v>(vulnerability: &Node<'v, '_>, refs: &mut Refs<'v>) -> Result<(), PredicateError> {
    vulnerability.object()?;
    vulnerability.optional_text("id")?;
    remember(vulnerability, refs)?;
    if let Some(affects) = vulnerability.get("affects") {
        for target in affects.items()? {
            target.need("ref")?.text()?;
        }
    }
    Ok(())
}

fn check_dependencies<'v>(bom: &Node<'v, '_>, mut known: Refs<'v>) -> Result<(), PredicateError> {
    let Some(dependencies) = bom.get("dependencies") else { return Ok(()) };
    for dependency in dependencies.items()? {
        known.insert(dependency.need("ref")?.text()?);
    }
    for dependency in dependencies.items()? {
        for key in ["dependsOn", "provides"] {
            let Some(targets) = dependency.get(key) else { continue };
            for target in targets.items()? {
                let name = target.text()?;
                if !known.contains(name) && !name.starts_with("urn:cdx:") {
                    return Err(target.fault(format!("leads to {}, which the BOM does not hold", quoted(name))));
                }
            }
        }
    }
    Ok(())
}

pub(super) fn describe(bom: &Node<'_, '_>) -> Description {
    let mut subjects = Subjects::default();
    let mut summary =
        vec![("format".to_owned(), format!("CycloneDX {}", bom.shown("specVersion").unwrap_or_default()))];
    if let Some(metadata) = bom.get("metadata")
        && let Some(component) = metadata.get("component")
    {
        let name = component.shown("name");
        subjects.suggest(name, component.shown("purl"), digests(component.get("hashes"), "alg", "content"));
        summary.extend(name.map(|name| ("about".to_owned(), name.to_owned())));
        summary.extend(component.shown("version").map(|version| ("version".to_owned(), version.to_owned())));
    }
    for (key, label) in [("components", "components"), ("vulnerabilities", "vulnerabilities (VEX)")] {
        if let Some(list) = bom.value().get(key).and_then(Value::as_array) {
            summary.push((label.into(), list.len().to_string()));
        }
    }
    Description { subjects, summary }
}

//! As a CycloneDX 1.6 document of vulnerabilities.

use super::{Publisher, Statement, VexExport};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The document. It has no vulnerability if there is nothing to hand on.
pub fn document(export: &VexExport, publisher: &Publisher) -> Value {
    let statements = export.statements.iter();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": export.at(),
            "authors": [{"name": publisher.name}],
            "tools": {"components": [{
                "type": "application",
                "name": "assay",
                "version": env!("CARGO_PKG_VERSION"),
            }]},
        },
        "components": components(export),
        "vulnerabilities": statements.map(vulnerability).collect::<Vec<_>>(),
    })
}

/// The components, each once, those of a product below it.
fn components(export: &VexExport) -> Vec<Value> {
    let mut alone: BTreeMap<&str, Value> = BTreeMap::new();
    let mut parts: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
    for one in &export.statements {
        if let Some(product) = &one.product {
            let of = parts.entry(product).or_default();
            let part = component(&one.component, &within(product, &one.component));
            of.insert(&one.component, part);
        }
        if !one.within {
            let whole = component(&one.component, &one.component);
            alone.insert(&one.component, whole);
        }
    }
    for (product, of) in parts {
        let whole = alone
            .entry(product)
            .or_insert_with(|| component(product, product));
        whole["components"] = of.into_values().collect();
    }
    alone.into_values().collect()
}

fn component(purl: &str, reference: &str) -> Value {
    let (path, version) = match purl
        .split(['?', '#'])
        .next()
        .and_then(|p| p.split_once('@'))
    {
        Some((path, version)) => (path, Some(version)),
        None => (purl, None),
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut object = json!({"type": "library", "bom-ref": reference, "name": name, "purl": purl});
    if let Some(version) = version {
        object["version"] = version.into();
    }
    object
}

fn within(product: &str, component: &str) -> String {
    format!("{product} > {component}")
}

fn vulnerability(one: &Statement) -> Value {
    let mut affects = Vec::new();
    if !one.within {
        affects.push(json!({"ref": one.component}));
    }
    if let Some(product) = &one.product {
        affects.push(json!({"ref": within(product, &one.component)}));
    }
    let mut analysis = json!({
        "state": state(one.status),
        "detail": detail(one),
        "lastUpdated": one.at(),
    });
    let justification = one
        .justification
        .as_deref()
        .and_then(super::super::vex::label);
    if one.status == "not_affected"
        && let Some(label) = justification
    {
        analysis["justification"] = label.into();
    }
    let claims = one.claims.iter();
    let names = one
        .names()
        .map(|name| json!({"id": name, "source": {"name": list(name)}}));
    json!({
        "bom-ref": format!("{} in {}", one.vulnerability, one.component),
        "id": one.vulnerability,
        "references": names.skip(1).collect::<Vec<_>>(),
        "analysis": analysis,
        "affects": affects,
        "properties": claims
            .map(|claim| json!({"name": "assay:claim", "value": claim}))
            .collect::<Vec<_>>(),
    })
}

/// The list that a name of a vulnerability is of, by how it begins.
pub(super) fn list(name: &str) -> &str {
    match name.split_once('-') {
        Some((list, _)) if !list.is_empty() => list,
        _ => "other",
    }
}

fn detail(one: &Statement) -> String {
    let texts = one.impact.iter().chain(&one.action).chain(&one.voices);
    let texts: Vec<&str> = texts.map(String::as_str).collect();
    super::super::vex::prose(&texts.join(" "))
}

fn state(status: &str) -> &'static str {
    match status {
        "not_affected" => "not_affected",
        "fixed" => "resolved",
        "affected" => "exploitable",
        _ => "in_triage",
    }
}

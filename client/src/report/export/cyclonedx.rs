//! As a CycloneDX 1.6 document of vulnerabilities.

use super::{Publisher, Statement, VexExport};
use crate::plain;
use assay_claims::purl::Purl;
use assay_claims::time::rfc3339_of_ms;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The document. It has no vulnerability if there is nothing to hand on.
pub fn document(export: &VexExport, publisher: &Publisher) -> Value {
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
        "vulnerabilities": vulnerabilities(export),
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

/// A component, with its name and version as they are and not as a package URL has them: who reads
/// a version beside another one in the package URL does not know which is meant.
fn component(purl: &str, reference: &str) -> Value {
    let mut object = json!({"type": "library", "bom-ref": reference, "name": purl, "purl": purl});
    let Ok(read) = Purl::canonicalize(purl) else {
        return object;
    };
    object["name"] = plain(read.name()).into();
    for (key, text) in [("group", read.namespace()), ("version", read.version())] {
        if let Some(text) = text {
            object[key] = plain(text).into();
        }
    }
    object
}

fn within(product: &str, component: &str) -> String {
    format!("{product} > {component}")
}

/// What is said alike of one vulnerability in some components.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Alike<'a> {
    vulnerability: &'a str,
    /// Those that let a tool drop a finding come last: Trivy reads the last of a vulnerability
    /// only.
    clears: bool,
    status: &'a str,
    justification: Option<&'static str>,
}

fn vulnerabilities(export: &VexExport) -> Vec<Value> {
    let mut all: BTreeMap<Alike<'_>, Vec<&Statement>> = BTreeMap::new();
    for one in &export.statements {
        let label = one.justification.as_deref();
        let label = label.and_then(super::super::vex::label);
        let alike = Alike {
            vulnerability: &one.vulnerability,
            clears: one.clears(),
            status: one.status,
            justification: label.filter(|_| one.status == "not_affected"),
        };
        all.entry(alike).or_default().push(one);
    }
    let all = all.iter();
    all.map(|(alike, statements)| vulnerability(alike, statements, export))
        .collect()
}

fn vulnerability(alike: &Alike<'_>, statements: &[&Statement], export: &VexExport) -> Value {
    let (mut affects, mut names, mut claims) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for one in statements {
        affects.extend(references(one, export));
        names.extend(&one.aliases);
        claims.extend(&one.claims);
    }
    let state = state(alike.status);
    let at_ms = statements.iter().map(|one| one.at_ms).max();
    let mut analysis = json!({
        "state": state,
        "detail": details(statements),
        "lastUpdated": rfc3339_of_ms(at_ms.unwrap_or_default()),
    });
    let mut name = format!("{}: {state}", alike.vulnerability);
    if let Some(label) = alike.justification {
        analysis["justification"] = label.into();
        name = format!("{name}, {label}");
    }
    let (affects, names, claims) = (affects.iter(), names.iter(), claims.iter());
    json!({
        "bom-ref": name,
        "id": alike.vulnerability,
        "references": names
            .map(|name| json!({"id": name, "source": {"name": list(name)}}))
            .collect::<Vec<_>>(),
        "analysis": analysis,
        "affects": affects.map(|of| json!({"ref": of})).collect::<Vec<_>>(),
        "properties": claims
            .map(|claim| json!({"name": "assay:claim", "value": claim}))
            .collect::<Vec<_>>(),
    })
}

/// What points at the components that a statement is about: here, and in the BOMs that they were
/// read from, by which Trivy knows them.
fn references(one: &Statement, export: &VexExport) -> Vec<String> {
    let mut references = Vec::new();
    if !one.within {
        references.push(one.component.clone());
    }
    if let Some(product) = &one.product {
        references.push(within(product, &one.component));
    }
    let product = one.product.clone().filter(|_| one.within);
    let links = export.links.get(&(one.component.clone(), product));
    references.extend(links.into_iter().flatten().cloned());
    references
}

/// The list that a name of a vulnerability is of, by how it begins.
pub(super) fn list(name: &str) -> &str {
    match name.split_once('-') {
        Some((list, _)) if !list.is_empty() => list,
        _ => "other",
    }
}

/// What they say; of which component, if it is of several.
fn details(statements: &[&Statement]) -> String {
    let mut all = Vec::new();
    for one in statements {
        let texts = one.impact.iter().chain(&one.action).chain(&one.voices);
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        let text = super::super::vex::prose(&texts.join(" ").replace('\n', " "));
        all.push(if statements.len() > 1 {
            format!("Of {}: {text}", one.component)
        } else {
            text
        });
    }
    all.join(" ")
}

fn state(status: &str) -> &'static str {
    match status {
        "not_affected" => "not_affected",
        "fixed" => "resolved",
        "affected" => "exploitable",
        _ => "in_triage",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_has_its_name_and_version_as_they_are() {
        for (purl, expected) in [
            (
                "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64",
                ["debian", "libstdc++6", "1:12.2.0-14+deb12u1"],
            ),
            ("pkg:npm/%40e/lib@1.0.0%2B7", ["@e", "lib", "1.0.0+7"]),
            ("pkg:cargo/lib", ["", "lib", ""]),
        ] {
            let made = component(purl, "r");
            let parts = ["group", "name", "version"];
            let parts = parts.map(|key| made[key].as_str().unwrap_or_default());
            assert_eq!(parts, expected, "{purl}");
            assert_eq!(made["purl"], purl);
        }
    }
}

//! As OpenVEX v0.2.0.

use super::{Publisher, Statement, VexExport};
use assay_claims::kind::vex::{CONTEXT, Status};
use serde_json::{Value, json};

/// The document. It has no statement if there is nothing to hand on.
pub fn document(export: &VexExport, publisher: &Publisher) -> Value {
    json!({
        "@context": CONTEXT,
        "@id": format!("urn:sha256:{}", export.id(publisher)),
        "author": publisher.name,
        "timestamp": export.at(),
        "version": 1,
        "tooling": concat!("assay ", env!("CARGO_PKG_VERSION")),
        "statements": export.statements.iter().map(statement).collect::<Vec<_>>(),
    })
}

fn statement(one: &Statement) -> Value {
    let mut vulnerability = json!({"name": one.vulnerability});
    if !one.aliases.is_empty() {
        vulnerability["aliases"] = one.aliases.clone().into();
    }
    let mut statement = json!({
        "vulnerability": vulnerability,
        "timestamp": one.at(),
        "products": products(one),
        "status": one.status,
        "status_notes": one.voices(),
    });
    if one.status == Status::NotAffected.as_str() {
        if let Some(justification) = &one.justification {
            statement["justification"] = justification.clone().into();
        }
        if !one.impact.is_empty() {
            statement["impact_statement"] = one.impact.join("\n").into();
        }
    }
    if one.status == Status::Affected.as_str() {
        statement["action_statement"] = one.action.join("\n").into();
    }
    statement
}

/// The component by itself, unless it is said of it in the product alone; and the component in the
/// product, which scanners of images ask for.
fn products(one: &Statement) -> Vec<Value> {
    let component = named(&one.component);
    let mut products = Vec::new();
    if let Some(product) = &one.product {
        let mut product = named(product);
        product["subcomponents"] = json!([component]);
        products.push(product);
    }
    if !one.within {
        products.insert(0, component);
    }
    products
}

fn named(purl: &str) -> Value {
    json!({"@id": purl, "identifiers": {"purl": purl}})
}

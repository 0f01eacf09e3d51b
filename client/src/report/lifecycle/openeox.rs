//! As the draft of OpenEoX's shell: an object of Core v1.0 for each component and issuer, beside
//! the product that it is of.

use super::{Calendar, Day, Entry};
use serde_json::{Value, json};

/// The schema of Core v1.0.
const CORE: &str = "https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json";

/// The document. What may be of another version is not in it.
pub fn document(calendar: &Calendar) -> Value {
    let entries = calendar.entries.iter();
    let statements = entries.filter(|entry| entry.is_of_this).map(statement);
    json!({"statements": statements.collect::<Vec<_>>()})
}

fn statement(entry: &Entry) -> Value {
    let mut core = json!({"$schema": CORE, "last_updated": entry.last_updated});
    for (what, day) in &entry.dates {
        core[what.field()] = match day {
            Day::Open => "tba".into(),
            Day::Known { at, .. } => at.clone().into(),
        };
    }
    let mut product = json!({"vendor_name": entry.who});
    let name = match (&entry.product, &entry.package) {
        (Some(name), _) => name,
        (None, Some((package, _))) => package,
        (None, None) => &entry.component,
    };
    product["product_name"] = name.clone().into();
    let mut statement = json!({"core": core});
    if let Some((_, version)) = &entry.package {
        if let Some(version) = version {
            product["product_version"] = version.clone().into();
        }
        statement["product_identification_helper"] = json!({"purls": [entry.component]});
    }
    statement["product"] = product;
    statement
}

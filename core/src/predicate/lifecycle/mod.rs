//! `urn:assay:lifecycle:v1`: until when somebody supports something.
//!
//! The predicate's top level holds the fields of OpenEoX Core v1.0, and beside them what Core leaves to its shell:
//!
//! | field | |
//! | --- | --- |
//! | `general_availability`, `end_of_sales`, `end_of_security_support`, `end_of_life` | an RFC 3339 date-time or date, or `tba`; the last two are required |
//! | `last_updated` | RFC 3339 date-time, required: when these dates were last looked at |
//! | `product` | optional: `name`, `vendor` |
//! | `versions` | optional: which versions the dates are of: `range` (a `vers:` URI), `cycle` (what the project calls a line of releases), or `version` (one version) |
//! | `role` | optional: what the issuer is to the product, such as `upstream` or `supplier`. Both may state dates, and both stand |
//!
//! Documents that become such claims: OpenEoX Core and shell, and the API of endoflife.date.

mod endoflife;
mod openeox;

use super::document::{Document, DocumentError, Prepared, not_taken};
use super::node::Node;
use super::{PredicateError, PredicateType, time};
use crate::json::Value;

pub(super) const TYPE: PredicateType = PredicateType { name: "lifecycle", uris: &["urn:assay:lifecycle:v1"], check };

/// Still to be announced.
const TBA: &str = "tba";

fn check(predicate: &Node<'_, '_>) -> Result<(), PredicateError> {
    for key in ["end_of_life", "end_of_security_support"] {
        predicate.need(key)?;
    }
    for key in ["end_of_life", "end_of_security_support", "end_of_sales", "general_availability"] {
        let Some(date) = predicate.get(key) else { continue };
        let text = date.string()?;
        if text != TBA && !time::is_date(text) && time::instant(text).is_none() {
            return Err(date.fault("is neither an RFC 3339 date nor `tba`"));
        }
    }
    predicate.need("last_updated")?.instant()?;
    predicate.optional_text("role")?;
    if let Some(product) = predicate.get("product") {
        product.need("name")?.text()?;
        product.optional_text("vendor")?;
    }
    if let Some(versions) = predicate.get("versions") {
        let mut any = false;
        for key in ["range", "cycle", "version"] {
            any |= versions.optional_text(key)?.is_some();
        }
        if let Some(range) = versions.get("range").filter(|range| !range.string().is_ok_and(|r| r.starts_with("vers:")))
        {
            return Err(range.fault("is no version range: it has to begin with vers:"));
        }
        if !any {
            return Err(versions.fault("has none of range, cycle and version"));
        }
    }
    Ok(())
}

pub(super) fn prepare(document: &Document, now: &str) -> Result<Vec<Prepared>, DocumentError> {
    if document.body().starts_with(b"---") {
        let advice = "publish what its API answers, https://endoflife.date/api/<product>.json";
        return Err(DocumentError::NotTaken(format!("product pages of endoflife.date are not taken: {advice}")));
    }
    let value = document.json()?;
    let root = Node::root("$", &value);
    match &value {
        Value::Array(_) => endoflife::prepare(document, &root, now),
        Value::Object(_) if value.get("statements").is_some() => openeox::prepare_shell(document, &root),
        Value::Object(_) if root.shown("$schema") == Some(openeox::CORE_SCHEMA) => {
            openeox::prepare_core(document, &root)
        }
        _ => Err(not_taken("lifecycle", "OpenEoX Core, OpenEoX shells and the JSON of endoflife.date's API", &value)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn dates_are_dates_or_to_be_announced() {
        let good = r#"{"general_availability":"2020-01-01","end_of_security_support":"2030-01-01T00:00:00Z","end_of_life":"tba",
            "last_updated":"2026-01-01T00:00:00Z","product":{"name":"p"},"versions":{"range":"vers:cargo/>=1|<2"},"role":"upstream"}"#;
        let outcome = |text: &str| check("urn:assay:lifecycle:v1", &crate::json::parse(text.as_bytes()).unwrap());
        outcome(good).unwrap();
        for (from, to, path) in [
            (r#""tba""#, r#""never""#, "$.predicate.end_of_life"),
            (r#""end_of_life":"tba","#, "", "$.predicate.end_of_life"),
            (r#""end_of_security_support""#, r#""end_of_support""#, "$.predicate.end_of_security_support"),
            (r#""2020-01-01""#, r#""2020""#, "$.predicate.general_availability"),
            (r#""2026-01-01T00:00:00Z""#, r#""2026-01-01""#, "$.predicate.last_updated"),
            (r#"{"name":"p"}"#, "{}", "$.predicate.product.name"),
            (r#""vers:cargo/>=1|<2""#, r#"">=1""#, "$.predicate.versions.range"),
            (r#"{"range":"vers:cargo/>=1|<2"}"#, "{}", "$.predicate.versions"),
            (r#""upstream""#, "7", "$.predicate.role"),
        ] {
            assert!(good.contains(from), "{from}");
            assert_eq!(outcome(&good.replacen(from, to, 1)).unwrap_err().path, path);
        }
    }
}

//! OpenEoX: Core v1.0 objects, and the draft of the shell, which puts them beside the products that
//! they are of.

use super::document::push;
use super::draft::{Draft, Prepared, Summary};
use super::error::DocumentError;
use super::subjects::{Subjects, digests};
use super::tool::{Source, Takes, Tool};
use assay_claims::json::{Value, object};
use assay_claims::kind::lifecycle::TBA;
use assay_claims::kind::node::Node;
use assay_claims::kind::{Kind, PredicateError};

pub(super) const CORE: Tool = Tool {
    takes: Takes::Value(is_core),
    prepare: prepare_core,
};

pub(super) const SHELL: Tool = Tool {
    takes: Takes::Value(|value| value.get("statements").is_some()),
    prepare: prepare_shell,
};

/// The `$schema` of OpenEoX Core v1.0.
const CORE_SCHEMA: &str = "https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json";

const FIELDS: &[&str] = &[
    "$schema",
    "general_availability",
    "end_of_sales",
    "end_of_security_support",
    "end_of_life",
    "last_updated",
];

/// Most statements of a shell: each becomes a claim of its own.
const STATEMENTS: usize = 1000;

fn is_core(value: &Value) -> bool {
    value.get("$schema").and_then(Value::as_str) == Some(CORE_SCHEMA)
}

fn prepare_core(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let core = source.root();
    check_core(&core)?;
    let prepared = finish(
        source,
        &core,
        source.value.clone(),
        Subjects::default(),
        vec![],
    )?;
    Ok(vec![prepared])
}

fn prepare_shell(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let shell = source.root();
    let statements = shell.need("statements")?;
    let mut claims = Vec::new();
    for statement in statements.items()? {
        if claims.len() == STATEMENTS {
            return Err(statements
                .fault(format!(
                    "holds more than {STATEMENTS} statements; publish it in parts"
                ))
                .into());
        }
        claims.push(prepare_statement(source, &statement)?);
    }
    if claims.is_empty() {
        return Err(statements.fault("holds no statement").into());
    }
    Ok(claims)
}

fn prepare_statement(
    source: &Source<'_>,
    statement: &Node<'_, '_>,
) -> Result<Prepared, DocumentError> {
    let core = statement.need("core")?;
    check_core(&core)?;
    let mut predicate = core.value().clone();
    let mut summary = Vec::new();
    let mut product_name = None;
    if let Some(product) = statement.get("product") {
        product_name = product.optional_text("product_name")?;
        let version = product.optional_text("product_version")?;
        let vendor = product.optional_text("vendor_name")?;
        if let Some(name) = product_name {
            let named = object([
                ("name", Some(name.into())),
                ("vendor", vendor.map(Value::from)),
            ]);
            push(&mut predicate, "product", named);
            summary.push(("product".to_owned(), name.to_owned()));
        }
        if let Some(version) = version {
            if let Some(versions) = versions(version) {
                push(&mut predicate, "versions", versions);
            }
            summary.push(("version".to_owned(), version.to_owned()));
        }
    }
    let mut subjects = Subjects::default();
    if let Some(helper) = statement.get("product_identification_helper") {
        suggest(&helper, product_name, &mut subjects)?;
    }
    finish(source, &core, predicate, subjects, summary)
}

/// Which versions a product's version stands for: more than one where it is written as a range,
/// with a wildcard at its end, or as all of them. `None` for all.
fn versions(stated: &str) -> Option<Value> {
    let wildcard = [".x", ".X", ".*"];
    let cycle = wildcard
        .into_iter()
        .find_map(|end| stated.strip_suffix(end));
    let (key, text) = match stated {
        "*" | "all" | "vers:all/*" => return None,
        range if range.starts_with("vers:") => ("range", range),
        one => cycle.map_or(("version", one), |cycle| ("cycle", cycle)),
    };
    Some(object([(key, Some(text.into()))]))
}

/// OpenEoX Core v1.0, `core.json`: it is closed, so a field that it does not know is an error.
fn check_core(core: &Node<'_, '_>) -> Result<(), PredicateError> {
    core.need("$schema")?.one_of(&[CORE_SCHEMA])?;
    for (key, field) in core.members()? {
        if !FIELDS.contains(&key) {
            return Err(
                field.fault("is no field of OpenEoX Core v1.0, which knows no others than its own")
            );
        }
        if key != "$schema" && (key == "last_updated" || field.string()? != TBA) {
            field.instant()?;
        }
    }
    for key in ["end_of_life", "end_of_security_support", "last_updated"] {
        core.need(key)?;
    }
    Ok(())
}

/// The product's purls, and its files by their hashes.
fn suggest(
    helper: &Node<'_, '_>,
    product: Option<&str>,
    subjects: &mut Subjects,
) -> Result<(), PredicateError> {
    if let Some(purls) = helper.get("purls") {
        for purl in purls.items()? {
            subjects.suggest(product, Some(purl.text()?), vec![]);
        }
    }
    if let Some(files) = helper.get("hashes") {
        for file in files.items()? {
            let hashes = digests(file.get("file_hashes"), "algorithm", "value");
            subjects.suggest(file.optional_text("filename")?.or(product), None, hashes);
        }
    }
    Ok(())
}

fn finish(
    source: &Source<'_>,
    core: &Node<'_, '_>,
    predicate: Value,
    subjects: Subjects,
    mut summary: Summary,
) -> Result<Prepared, DocumentError> {
    for (key, label) in [
        ("end_of_security_support", "end of security support"),
        ("end_of_life", "end of life"),
    ] {
        summary.extend(
            core.shown(key)
                .map(|date| (label.to_owned(), date.to_owned())),
        );
    }
    let mut draft = Draft::new(Kind::Lifecycle, predicate, subjects, summary);
    draft.bound_subjects();
    source
        .document
        .inline_or_referenced(draft, "application/json")
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::check;

    const CORE: &str = r#"{"$schema":"https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json",
        "end_of_life":"tba","end_of_security_support":"2028-03-31T23:59:59Z","last_updated":"2025-06-15T10:00:00Z"}"#;

    #[test]
    fn core_is_taken_as_it_is() {
        let prepared = prepare("lifecycle", "x.json", CORE.as_bytes(), "")
            .unwrap()
            .remove(0);
        assert_eq!(prepared.predicate_type, "urn:assay:lifecycle:v1");
        assert_eq!(
            prepared.predicate,
            assay_claims::json::parse(CORE.as_bytes()).unwrap()
        );
        check(&prepared.predicate_type, &prepared.predicate).unwrap();
    }

    #[test]
    fn a_version_of_a_product_can_stand_for_many() {
        for (stated, expected) in [
            ("5.2", r#"{"version":"5.2"}"#),
            ("5.x", r#"{"cycle":"5"}"#),
            ("5.2.*", r#"{"cycle":"5.2"}"#),
            (
                "vers:npm/>=5.0.0|<6.0.0",
                r#"{"range":"vers:npm/>=5.0.0|<6.0.0"}"#,
            ),
            ("all", ""),
            ("*", ""),
        ] {
            let shell = format!(
                r#"{{"statements":[{{"core":{CORE},"product":{{"product_name":"p",
                "product_version":"{stated}"}}}}]}}"#
            );
            let prepared = prepare("lifecycle", "x.json", shell.as_bytes(), "").unwrap();
            let predicate = &prepared[0].predicate;
            check(&prepared[0].predicate_type, predicate).unwrap();
            let versions = predicate.get("versions").map(|versions| versions.to_json());
            assert_eq!(versions.unwrap_or_default(), expected, "{stated}");
        }
    }

    #[test]
    fn a_shell_without_statements_is_refused() {
        let error = prepare("lifecycle", "x.json", br#"{"statements":[]}"#, "").unwrap_err();
        assert_eq!(error.to_string(), "$.statements: holds no statement");
    }

    #[test]
    fn core_is_closed_and_its_times_have_a_form() {
        for (from, to, place) in [
            (r#""end_of_life""#, r#""end_of_live""#, "$.end_of_live"),
            (r#""end_of_life":"tba","#, "", "$.end_of_life"),
            (
                r#""end_of_life":"tba""#,
                r#""end_of_life":"2028-01-01""#,
                "$.end_of_life",
            ),
            (r#""2025-06-15T10:00:00Z""#, r#""tba""#, "$.last_updated"),
        ] {
            let error = prepare(
                "lifecycle",
                "x.json",
                CORE.replacen(from, to, 1).as_bytes(),
                "",
            )
            .unwrap_err();
            assert_eq!(error.place(), place, "{error}");
            let shell = format!(
                r#"{{"statements":[{{"core":{}}}]}}"#,
                CORE.replacen(from, to, 1)
            );
            let error = prepare("lifecycle", "x.json", shell.as_bytes(), "").unwrap_err();
            assert_eq!(
                error.place(),
                place.replacen('$', "$.statements[0].core", 1),
                "{error}"
            );
        }
    }
}

//! OpenVEX documents in JSON, v0.0.1 and v0.2.0.
//!
//! The predicate is the document, and its type URI is the document's own `@context`, version
//! included, as `vexctl` does it. A document that does not fit a claim becomes several, each with
//! some of its statements.

use super::document::Document;
use super::draft::{Draft, Prepared, Summary, fits};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use super::vex::{Frame, Piece, later_version, pack};
use crate::text::shown;
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::vex::{Product, Status, Vex, VexStatement};
use assay_claims::statement::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// Most products of a statement in one claim, where the document does not fit one.
const PIECE: usize = 20;

/// Most products of a document that an error names.
const PRODUCTS: usize = 5;

/// The members of a statement, of v0.0.1 and v0.2.0, and `severity`, which is Assay's own.
const STATEMENT: &[&str] = &[
    "@id",
    "version",
    "vulnerability",
    "vuln_description",
    "timestamp",
    "last_updated",
    "products",
    "subcomponents",
    "status",
    "severity",
    "supplier",
    "status_notes",
    "justification",
    "impact_statement",
    "action_statement",
    "action_statement_timestamp",
];

/// The members of a product. A part has all but the last.
const PRODUCT: &[&str] = &["@id", "identifiers", "hashes", "subcomponents"];

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_openvex),
    prepare,
};

fn is_openvex(value: &Value) -> bool {
    let context = value.get("@context").and_then(Value::as_str);
    context.is_some_and(Vex::is_context)
}

/// Checks that some statement of a document is about each subject. A look-up of any other subject
/// would find a claim that is not about it.
pub(super) fn products(
    _: &Document,
    prepared: &[Prepared],
    subjects: &[Subject],
) -> Result<(), DocumentError> {
    let mut statements = Vec::new();
    for claim in prepared {
        statements.extend(Vex::read(&Node::root("$", &claim.predicate))?.statements);
    }
    for subject in subjects {
        let (purl, digests) = (subject.purl(), subject.digests());
        if !statements.iter().any(|one| one.is_about(purl, digests)) {
            return Err(DocumentError::NotTaken(format!(
                "no statement in it is about {}; its products are {}. Leave --subject out to \
                 publish it about those, name one of them, or add the product to the document",
                subject_name(subject),
                product_names(&statements)
            )));
        }
    }
    Ok(())
}

fn subject_name(subject: &Subject) -> String {
    let digest = subject.digests().first();
    let digest = digest.map(|(algorithm, value)| format!("{algorithm}:{value}"));
    let name = subject.uri().or(subject.name()).map(str::to_owned);
    shown(&name.or(digest).unwrap_or_default())
}

/// The first products of a document, for people.
fn product_names(statements: &[VexStatement]) -> String {
    let products = statements.iter().flat_map(|one| &one.products);
    let names: BTreeSet<String> = products.map(Product::name).collect();
    let first: Vec<&str> = names.iter().take(PRODUCTS).map(String::as_str).collect();
    let more = if names.len() > PRODUCTS { ", …" } else { "" };
    format!("{}{more}", shown(&first.join(", ")))
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let vex = Vex::read(&root)?;
    let (mut subjects, summary) = describe(&root)?;
    subjects.notes.extend(later_version(vex.version));
    let predicate_type = root.need("@context")?.text()?.to_owned();
    if fits(source.value, &subjects) {
        let draft = Draft {
            predicate_type,
            predicate: source.value.clone(),
            subjects,
            summary,
        };
        return Ok(vec![draft.prepared(None)]);
    }
    // A large document is not copied as a whole.
    drop((vex.statements, subjects));
    let members = source.value.as_object().unwrap_or_default().iter();
    let members = members.filter(|(key, _)| key != "statements").cloned();
    let mut notes =
        vec!["it does not fit one claim, and every claim has some of its statements".into()];
    notes.extend(later_version(vex.version));
    let frame = Frame {
        predicate_type,
        members: members.collect(),
        summary,
        media_type: "application/json".to_owned(),
        notes,
    };
    pack(source.document, frame, pieces(&root)?)
}

/// The statements, each of some products. Those that speak against something come last, so that no
/// part of the document that is logged after them takes them back.
fn pieces(root: &Node<'_, '_>) -> Result<Vec<Piece>, PredicateError> {
    let (mut clearing, mut against) = (Vec::new(), Vec::new());
    for statement in root.need("statements")?.items()? {
        let members = statement.object()?;
        let products: Vec<&Value> = match statement.get("products") {
            Some(products) => products.items()?.map(|product| product.value()).collect(),
            None => Vec::new(),
        };
        let mut some: Vec<&[&Value]> = products.chunks(PIECE).collect();
        if some.is_empty() {
            some.push(&[]);
        }
        for products in some {
            let mut subjects = Subjects::default();
            for product in products {
                suggest(&Node::root("$", product), &mut subjects);
            }
            suggest_parts(&statement, products, &mut subjects);
            let mut statement = members.to_vec();
            for (key, value) in &mut statement {
                if key == "products" {
                    *value = Value::Array(products.iter().map(|one| (*one).clone()).collect());
                }
            }
            let clears = ["not_affected", "fixed"];
            let status = members.iter().find(|(key, _)| key == "status");
            let status = status.and_then(|(_, status)| status.as_str());
            let list = if status.is_some_and(|status| clears.contains(&status)) {
                &mut clearing
            } else {
                &mut against
            };
            list.push(Piece {
                statement: Value::Object(statement),
                subjects,
            });
        }
    }
    clearing.append(&mut against);
    Ok(clearing)
}

fn describe(root: &Node<'_, '_>) -> Result<(Subjects, Summary), PredicateError> {
    let mut subjects = Subjects::default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for statement in root.need("statements")?.items()? {
        *counts
            .entry(statement.need("status")?.string()?)
            .or_default() += 1;
        check_scope(&statement, &mut subjects.notes)?;
        if let Some(products) = statement.get("products") {
            for product in products.items()? {
                suggest(&product, &mut subjects);
            }
            let products: Vec<&Value> = products.items()?.map(|one| one.value()).collect();
            suggest_parts(&statement, &products, &mut subjects);
        }
    }
    subjects.notes.sort();
    subjects.notes.dedup();
    let mut summary = vec![("author".to_owned(), root.need("author")?.text()?.to_owned())];
    summary.extend(
        counts
            .iter()
            .map(|(status, count)| ((*status).to_owned(), count.to_string())),
    );
    Ok((subjects, summary))
}

/// Refuses a statement that may be about less than is read of it: with parts that are none or that
/// are of no product, or, if it says that something does no harm, with a member that no version of
/// OpenVEX has. Elsewhere such a member is noted.
fn check_scope(statement: &Node<'_, '_>, notes: &mut Vec<String>) -> Result<(), PredicateError> {
    let clears = matches!(statement.shown("status"), Some("not_affected" | "fixed"));
    check_members(statement, STATEMENT, clears, notes)?;
    let mut any = false;
    if let Some(products) = statement.get("products") {
        for product in products.items()? {
            any = true;
            check_members(&product, PRODUCT, clears, notes)?;
            check_parts(&product, clears, notes)?;
        }
    }
    match statement.get("subcomponents") {
        Some(parts) if !any => Err(parts.fault("are of no product: the statement names none")),
        _ => check_parts(statement, clears, notes),
    }
}

fn check_parts(
    whole: &Node<'_, '_>,
    clears: bool,
    notes: &mut Vec<String>,
) -> Result<(), PredicateError> {
    // A product can be a string.
    let parts = whole.value().get("subcomponents");
    let Some(parts) = parts.and_then(|_| whole.get("subcomponents")) else {
        return Ok(());
    };
    let known = PRODUCT.get(..3).unwrap_or(PRODUCT);
    for part in parts.items()? {
        if Product::read(part.value()) == Product::default() {
            return Err(part.fault("has none of @id, identifiers and hashes"));
        }
        check_members(&part, known, clears, notes)?;
    }
    Ok(())
}

fn check_members(
    node: &Node<'_, '_>,
    known: &[&str],
    clears: bool,
    notes: &mut Vec<String>,
) -> Result<(), PredicateError> {
    let members = node.value().as_object().unwrap_or_default().iter();
    for (key, value) in members {
        if known.contains(&key.as_str()) || *value == Value::Null {
            continue;
        }
        let note = format!("{} is no member of OpenVEX, and is not read", quoted(key));
        if clears {
            return Err(node.fault(format!(
                "says that something does no harm, and may mean only a part of it: {note}; leave \
                 it out if it narrows nothing"
            )));
        }
        notes.push(note);
    }
    Ok(())
}

/// Suggests the parts that a statement calls affected: of a part of which nobody can tell in which
/// product it is, the statement counts.
fn suggest_parts(statement: &Node<'_, '_>, products: &[&Value], subjects: &mut Subjects) {
    if statement.shown("status") != Some(Status::Affected.as_str()) {
        return;
    }
    let wholes = products.iter().copied().chain([statement.value()]);
    let parts = wholes.filter_map(|whole| whole.get("subcomponents")?.as_array());
    for part in parts.flatten() {
        suggest(&Node::root("$", part), subjects);
    }
}

fn suggest(product: &Node<'_, '_>, subjects: &mut Subjects) {
    let id = product.value().as_str().or_else(|| product.shown("@id"));
    let identified = product
        .value()
        .pointer("/identifiers/purl")
        .and_then(Value::as_str);
    let purl = id.filter(|id| id.starts_with("pkg:")).or(identified);
    subjects.suggest(
        id.filter(|_| purl.is_none()),
        purl,
        Product::read(product.value()).digests,
    );
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::check;
    use assay_claims::kind::vex::Vex;

    const NEW: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/v","author":"A","version":1,
        "timestamp":"2026-01-01T00:00:00Z","statements":[
        {"vulnerability":{"name":"CVE-1"},"status":"not_affected","justification":"component_not_present","products":[
          {"@id":"pkg:cargo/a@1","subcomponents":[{"@id":"pkg:cargo/b"}]},
          {"identifiers":{"purl":"pkg:cargo/c@1"},"hashes":{"sha-256":"0000000000000000000000000000000000000000000000000000000000000000"}}]},
        {"vulnerability":{"name":"CVE-2"},"status":"affected","action_statement":"update","timestamp":"2026-01-02T00:00:00Z"}]}"#;

    const OLD: &str = r#"{"@context":"https://openvex.dev/ns","@id":"https://e.org/v","author":"A","version":"1",
        "timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","products":["pkg:cargo/a@1"],"status":"fixed"}]}"#;

    #[test]
    fn the_type_is_the_context_of_the_document() {
        for (text, predicate_type, subjects) in [
            (NEW, "https://openvex.dev/ns/v0.2.0", 2),
            (OLD, "https://openvex.dev/ns", 1),
        ] {
            let prepared = prepare("vex", "v.json", text.as_bytes(), "")
                .unwrap()
                .remove(0);
            assert_eq!(prepared.predicate_type, predicate_type);
            assert_eq!(
                prepared.predicate,
                assay_claims::json::parse(text.as_bytes()).unwrap()
            );
            assert_eq!(prepared.subjects.len(), subjects);
            check(predicate_type, &prepared.predicate).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, place) in [
            ("openvex.dev/ns/v0.2.0", "openvex.dev/ns/v9", "$.@context"),
            (r#""@id":"https"#, r#""id":"https"#, "$.@id"),
            (r#""author":"A""#, r#""author":"""#, "$.author"),
            (r#""version":1"#, r#""version":0"#, "$.version"),
            (
                r#""timestamp":"2026-01-01T00:00:00Z","#,
                "",
                "$.statements[0]",
            ),
            (
                r#""2026-01-02T00:00:00Z""#,
                r#""soon""#,
                "$.statements[1].timestamp",
            ),
            (
                r#"{"name":"CVE-1"}"#,
                "{}",
                "$.statements[0].vulnerability.name",
            ),
            (
                r#""status":"affected""#,
                r#""status":"ok""#,
                "$.statements[1].status",
            ),
            (
                r#","justification":"component_not_present""#,
                "",
                "$.statements[0]",
            ),
            (
                r#""component_not_present""#,
                r#""trust me""#,
                "$.statements[0].justification",
            ),
            (r#","action_statement":"update""#, "", "$.statements[1]"),
            (
                r#"{"@id":"pkg:cargo/b"}"#,
                "{}",
                "$.statements[0].products[0].subcomponents[0]",
            ),
        ] {
            assert!(NEW.contains(from), "{from}");
            let error =
                prepare("vex", "v.json", NEW.replacen(from, to, 1).as_bytes(), "").unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
        let none = r#"{"@context":"https://openvex.dev/ns","@id":"i","author":"A","timestamp":"2026-01-01T00:00:00Z","statements":[]}"#;
        assert_eq!(
            prepare("vex", "v.json", none.as_bytes(), "")
                .unwrap_err()
                .place(),
            "$.statements"
        );
    }

    #[test]
    fn what_may_narrow_a_statement_that_clears_is_read_or_refused() {
        let document = |statement: &str| {
            format!(
                r#"{{"@context":"https://openvex.dev/ns/v0.0.1","@id":"i","author":"A","timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":"CVE-1",{statement}}}]}}"#
            )
        };
        let said = |statement: &str| prepare("vex", "v.json", document(statement).as_bytes(), "");
        let product = r#""products":["pkg:npm/app@1"],"subcomponents":["pkg:npm/lib@1"]"#;
        let claim = said(&format!(r#"{product},"status":"fixed""#))
            .unwrap()
            .remove(0);
        let vex = Vex::parse(&claim.predicate).unwrap();
        assert_eq!(
            vex.statements[0].products[0].parts[0].name(),
            "pkg:npm/lib@1"
        );
        let at = "$.statements[0]";
        for (statement, place) in [
            (r#""subcomponents":["pkg:npm/lib@1"]"#, ".subcomponents"),
            (
                r#""products":["a"],"subcomponents":"pkg:npm/lib@1""#,
                ".subcomponents",
            ),
            (
                r#""products":["a"],"subcomponents":[{}]"#,
                ".subcomponents[0]",
            ),
            (r#""products":["a"],"components":["pkg:npm/lib@1"]"#, ""),
            (
                r#""products":[{"@id":"a","versions":"<2"}]"#,
                ".products[0]",
            ),
            (
                r#""products":[{"@id":"a","subcomponents":[{"@id":"b","subcomponents":[]}]}]"#,
                ".products[0].subcomponents[0]",
            ),
        ] {
            for status in ["fixed", "not_affected"] {
                let why = r#""justification":"component_not_present""#;
                let error = said(&format!(r#"{statement},"status":"{status}",{why}"#)).unwrap_err();
                assert_eq!(error.place(), format!("{at}{place}"), "{error}");
            }
        }
        // Against something it counts, and whoever publishes it is told.
        let statement =
            r#""products":["a"],"versions":"<2","status":"affected","action_statement":"a""#;
        let claim = said(statement).unwrap().remove(0);
        let note = r#""versions" is no member of OpenVEX, and is not read"#;
        assert!(claim.summary.iter().any(|(_, text)| text == note));
    }

    #[test]
    fn a_document_that_does_not_fit_becomes_several_claims_and_loses_nothing() {
        let statement = |i: usize, status: &str| {
            format!(
                r#"{{"vulnerability":"CVE-2026-{i:04}","products":["pkg:npm/p{i}@1"],"status":"{status}","impact_statement":"{}","action_statement":"a"}}"#,
                "x".repeat(100)
            )
        };
        let many: Vec<String> = (0..300)
            .map(|i| {
                statement(
                    i,
                    if i % 2 == 0 {
                        "affected"
                    } else {
                        "not_affected"
                    },
                )
            })
            .collect();
        let products: Vec<String> = (0..900).map(|i| format!(r#""pkg:npm/q{i}@1""#)).collect();
        for (statements, count) in [
            (many.join(","), 300),
            (
                statement(7, "affected").replace(r#""pkg:npm/p7@1""#, &products.join(",")),
                900,
            ),
        ] {
            let text = format!(
                r#"{{"@context":"https://openvex.dev/ns","@id":"i","author":"A","version":2,"timestamp":"2026-01-01T00:00:00Z","statements":[{statements}]}}"#
            );
            let claims = prepare("vex", "v.json", text.as_bytes(), "").unwrap();
            assert!(claims.len() > 1);
            let mut notes = claims[0].summary.iter();
            assert!(notes.any(|(_, note)| note.contains("a later version of the document")));
            let mut said = 0;
            for claim in &claims {
                check(&claim.predicate_type, &claim.predicate).unwrap();
                assert_eq!(claim.attachment.as_ref().unwrap().bytes, text);
                let vex = Vex::parse(&claim.predicate).unwrap();
                let products = vex.statements.iter().map(|one| one.products.len());
                said += products.sum::<usize>();
                assert!(claim.subjects.len() <= 100 && vex.id == "i");
            }
            assert_eq!(said, count);
        }
    }
}

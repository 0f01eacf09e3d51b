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
use super::vex::{Beside, Frame, NO_ACTION, Piece, beside, later_version, pack};
use crate::text::shown;
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::vex::{Product, Status, Vex, VexStatement};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use std::borrow::Cow;
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
    value.get("@context").and_then(context).is_some()
}

/// The context of OpenVEX: what stands there, or the one of it in a list, as JSON-LD has contexts.
/// Those beside it can add members, of which none is read.
fn context(value: &Value) -> Option<&str> {
    let of_openvex = |one: &Value| one.as_str().is_some_and(Vex::is_context);
    match value {
        Value::Array(list) => {
            let mut contexts = list.iter().filter(|one| of_openvex(one));
            let first = contexts.next()?;
            contexts
                .all(|other| other == first)
                .then_some(first.as_str()?)
        }
        one => one.as_str().filter(|_| of_openvex(one)),
    }
}

/// The same as OpenVEX spells it, where that is known.
fn canonical_context(value: &Value) -> Option<&str> {
    context(value).map(|context| Vex::context(context).unwrap_or(context))
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
    let (document, note) = completed(source.value);
    let root = Node::root("$", document.as_ref());
    if root.value().get("statements").is_none() {
        let reason = "the document holds no statement, so that there is nothing to claim; \
                      govulncheck writes that where it found nothing: publish the JSON of its scan";
        return Err(DocumentError::NotTaken(reason.into()));
    }
    let vex = Vex::read(&root)?;
    let (mut subjects, summary) = describe(&root)?;
    let told: Vec<String> = later_version(vex.version).into_iter().chain(note).collect();
    let predicate_type = root.need("@context")?.text()?.to_owned();
    if fits(&document, &subjects) {
        subjects.notes.extend(told);
        let draft = Draft {
            predicate_type,
            predicate: document.into_owned(),
            subjects,
            summary,
        };
        return Ok(vec![draft.prepared(None)]);
    }
    // A large document is not copied as a whole.
    drop((vex.statements, subjects));
    let members = document.as_object().unwrap_or_default().iter();
    let members = members.filter(|(key, _)| key != "statements").cloned();
    let mut notes =
        vec!["it does not fit one claim, and every claim has some of its statements".into()];
    notes.extend(told);
    let frame = Frame {
        predicate_type,
        members: members.collect(),
        summary,
        media_type: "application/json".to_owned(),
        notes,
    };
    pack(source.document, frame, pieces(&root)?)
}

/// A document as OpenVEX demands it, with what people are told of what it did not have. It is only
/// copied if it has to be changed.
fn completed(document: &Value) -> (Cow<'_, Value>, Option<String>) {
    let is_spelled = document.get("@context").is_none_or(|stated| {
        let canonical = canonical_context(stated);
        canonical.is_none() || canonical == stated.as_str()
    });
    let statements = document.get("statements").and_then(Value::as_array);
    if is_spelled && !statements.into_iter().flatten().any(lacks_action) {
        return (Cow::Borrowed(document), None);
    }
    let mut document = document.clone();
    let note = complete(&mut document);
    (Cow::Owned(document), note)
}

/// Puts what tools write into the form that OpenVEX demands: its `@context`, and what is to be done
/// where something is called affected, which govulncheck leaves out. Returns what people are told.
fn complete(document: &mut Value) -> Option<String> {
    let mut completed = 0;
    let Value::Object(members) = document else {
        return None;
    };
    for (key, value) in members {
        if key == "@context"
            && let Some(context) = canonical_context(value)
        {
            *value = context.to_owned().into();
        } else if key == "statements"
            && let Value::Array(statements) = value
        {
            completed += statements.iter_mut().filter_map(state_no_action).count();
        }
    }
    (completed > 0).then(|| {
        format!(
            "OpenVEX demands of what is affected that it says what to do; where this document says \
             nothing of it ({completed} times), the claim has {}",
            quoted(NO_ACTION)
        )
    })
}

/// Whether a statement calls something affected, and says nothing of what to do.
fn lacks_action(statement: &Value) -> bool {
    let status = statement.get("status").and_then(Value::as_str);
    let action = statement.get("action_statement");
    status == Some(Status::Affected.as_str()) && action.is_none_or(|it| *it == Value::Null)
}

/// Says of a statement that calls something affected that nothing is said of what to do, if so.
fn state_no_action(statement: &mut Value) -> Option<()> {
    if !lacks_action(statement) {
        return None;
    }
    let Value::Object(members) = statement else {
        return None;
    };
    members.retain(|(key, _)| key != "action_statement");
    members.push(("action_statement".to_owned(), NO_ACTION.into()));
    Some(())
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
/// OpenVEX has, or with identifiers of several versions. Elsewhere such a member is noted.
fn check_scope(statement: &Node<'_, '_>, notes: &mut Vec<String>) -> Result<(), PredicateError> {
    let clears = matches!(statement.shown("status"), Some("not_affected" | "fixed"));
    check_members(statement, STATEMENT, clears, notes)?;
    let mut any = false;
    if let Some(products) = statement.get("products") {
        for product in products.items()? {
            any = true;
            check_members(&product, PRODUCT, clears, notes)?;
            check_identifiers(&product, clears)?;
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
        check_identifiers(&part, clears)?;
    }
    Ok(())
}

/// Refuses what clears something whose identifiers name different versions, or one of them none:
/// they hold together, and which version is meant nobody can tell.
fn check_identifiers(product: &Node<'_, '_>, clears: bool) -> Result<(), PredicateError> {
    let ids = Product::read(product.value()).ids;
    let mut purls = ids.iter().filter_map(|id| Purl::canonicalize(id).ok());
    let Some(first) = purls.next().filter(|_| clears) else {
        return Ok(());
    };
    let other = ids.iter().find(|id| match Purl::canonicalize(id) {
        Ok(purl) => {
            let is_same = purl.is_same_package(&first) || first.is_same_package(&purl);
            is_same && !purl.is_same_version(&first) && !first.is_same_version(&purl)
        }
        Err(_) => beside(&first, id) != Beside::Agrees,
    });
    match other {
        None => Ok(()),
        Some(other) => Err(product.fault(format!(
            "says that something does no harm, and not in which version: {} and {} do not name \
             the same one; write the version that is meant into the purl",
            quoted(first.as_str()),
            quoted(other)
        ))),
    }
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
    let purl = id.filter(|id| Purl::begins(id)).or(identified);
    subjects.suggest(
        id.filter(|_| purl.is_none()),
        purl,
        Product::read(product.value()).digests,
    );
}

#[cfg(test)]
mod tests;

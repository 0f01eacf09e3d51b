//! SPDX 3.0 in JSON-LD.

use super::Description;
use crate::json::Value;
use crate::kind::PredicateError;
use crate::kind::node::Node;
use crate::kind::subject::{Subjects, digests};
use std::collections::HashSet;

/// How often `rootElement` is followed: from the document to a BOM, and from there to what the BOM
/// is of.
const ROOT_STEPS: usize = 4;

/// Specification: SPDX 3.0.1, serialization in JSON-LD. The graph holds exactly one `SpdxDocument`.
pub(super) fn check(document: &Node<'_, '_>) -> Result<(), PredicateError> {
    let context = document.need("@context")?;
    let contexts = match context.value() {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };

    if !contexts.into_iter().any(|context: &Value| {
        context
            .as_str()
            .is_some_and(|uri| uri.starts_with("https://spdx.org/rdf/3."))
    }) {
        return Err(
            context.fault("is not that of SPDX 3, https://spdx.org/rdf/3.0.1/spdx-context.jsonld")
        );
    }
    let graph = document.need("@graph")?;
    let mut documents = 0;
    for element in graph.items()? {
        let kind = element
            .get("type")
            .map_or_else(|| element.need("@type"), Ok)?;
        if kind.text()? == "SpdxDocument" {
            documents += 1;
        }
        if kind.string()? == "CreationInfo" {
            element.need("specVersion")?.text()?;
            element.need("created")?.instant()?;
        }
    }
    if documents == 1 {
        return Ok(());
    }
    Err(graph.fault(format!(
        "holds {documents} elements of type SpdxDocument, and has to hold one"
    )))
}

pub(super) fn describe(document: &Node<'_, '_>) -> Description {
    let graph = document
        .value()
        .get("@graph")
        .and_then(Value::as_array)
        .unwrap_or_default();
    let mut subjects = Subjects::default();
    for element in roots(graph) {
        let node = Node::root("$", element);
        suggest(&node, &mut subjects);
    }
    let of_kind = |kind: &str| {
        graph
            .iter()
            .filter(|element| text(element, "type") == Some(kind))
            .count()
            .to_string()
    };
    let version = graph
        .iter()
        .find_map(|element| text(element, "specVersion"))
        .unwrap_or("3");
    let mut summary = vec![("format".to_owned(), format!("SPDX {version}"))];
    let name = graph
        .iter()
        .find(|element| text(element, "type") == Some("SpdxDocument"))
        .and_then(|d| text(d, "name"));
    summary.extend(name.map(|name| ("about".to_owned(), name.to_owned())));
    summary.push(("packages".into(), of_kind("software_Package")));
    summary.push(("files".into(), of_kind("software_File")));
    Description { subjects, summary }
}

/// What the document is about: its root elements, those of its root BOMs, and so on.
pub fn roots(graph: &[Value]) -> Vec<&Value> {
    let mut wanted: HashSet<&str> = HashSet::new();
    for element in graph
        .iter()
        .filter(|element| text(element, "type") == Some("SpdxDocument"))
    {
        wanted.extend(root_ids(element));
    }
    for _ in 0..ROOT_STEPS {
        let found = graph
            .iter()
            .filter(|element| text(element, "spdxId").is_some_and(|id| wanted.contains(id)));
        let next: Vec<_> = found.flat_map(root_ids).collect();
        wanted.extend(next);
    }
    graph
        .iter()
        .filter(|element| text(element, "spdxId").is_some_and(|id| wanted.contains(id)))
        .collect()
}

fn root_ids(element: &Value) -> impl Iterator<Item = &str> {
    element
        .get("rootElement")
        .and_then(Value::as_array)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
}

fn suggest(element: &Node<'_, '_>, subjects: &mut Subjects) {
    let hashes = digests(element.get("verifiedUsing"), "algorithm", "hashValue");
    let identifiers = element
        .value()
        .get("externalIdentifier")
        .and_then(Value::as_array)
        .unwrap_or_default();
    let identified = identifiers.iter().find(|id| {
        matches!(
            text(id, "externalIdentifierType"),
            Some("packageUrl" | "purl")
        )
    });
    let purl = element
        .shown("software_packageUrl")
        .or_else(|| text(identified?, "identifier"));
    subjects.suggest(element.shown("name"), purl, hashes);
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

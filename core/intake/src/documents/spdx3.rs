//! SPDX 3.0 in JSON-LD. What it says of vulnerabilities becomes VEX claims of their own beside that
//! of the BOM.

use super::sbom::{Description, prepare_as};
use super::subjects::{Subjects, digests};
use super::tool::{Takes, Tool};
use super::vex::spdx3;
use assay_claims::json::Value;
use assay_claims::kind::node::{Node, Read};
use assay_claims::kind::sbom::Sbom;
use std::collections::HashSet;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.get("@graph").is_some()),
    prepare: |source| {
        let mut claims = prepare_as(Sbom::Spdx3, source, MEDIA_TYPE, describe)?;
        if spdx3::has_vex(source.value) {
            spdx3::read(source)?.beside(&mut claims, source, MEDIA_TYPE)?;
        }
        Ok(claims)
    },
};

/// A document as VEX: what it says of vulnerabilities, and nothing else.
pub(super) const VEX: Tool = Tool {
    takes: Takes::Value(|value| value.get("@graph").is_some() && spdx3::has_vex(value)),
    prepare: |source| {
        Sbom::Spdx3.check(&source.root())?;
        spdx3::read(source)?.claims(source, MEDIA_TYPE)
    },
};

const MEDIA_TYPE: &str = "application/spdx+json";

/// How often `rootElement` is followed: from the document to a BOM, and from there to what the BOM
/// is of.
const ROOT_STEPS: usize = 4;

fn describe(document: &Node<'_, '_>) -> Description {
    let graph = document
        .value()
        .get("@graph")
        .and_then(Value::as_array)
        .unwrap_or_default();
    let mut subjects = Subjects::default();
    for element in roots(graph.iter()) {
        let node = Node::root("$", element);
        suggest(&node, &mut subjects);
    }
    let of_kind = |kind: &str| {
        graph
            .iter()
            .filter(|element| text(*element, "type") == Some(kind))
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
        .find(|element| text(*element, "type") == Some("SpdxDocument"))
        .and_then(|d| text(d, "name"));
    summary.extend(name.map(|name| ("about".to_owned(), name.to_owned())));
    summary.push(("packages".into(), of_kind("software_Package")));
    summary.push(("files".into(), of_kind("software_File")));
    if spdx3::has_vex(document.value()) {
        let note = "what it says of vulnerabilities (VEX) becomes claims of its own";
        summary.push(("note".into(), note.into()));
    }
    Description { subjects, summary }
}

/// What the document is about: its root elements, those of its root BOMs, and so on.
pub(crate) fn roots<'v, V: Read<'v>>(graph: impl Iterator<Item = V> + Clone) -> Vec<V> {
    let mut wanted: HashSet<&str> = HashSet::new();
    for element in graph.clone() {
        if text(element, "type").is_some_and(|kind| kind.ends_with("SpdxDocument")) {
            wanted.extend(root_ids(element));
        }
    }
    for _ in 0..ROOT_STEPS {
        let found = graph
            .clone()
            .filter(|element| text(*element, "spdxId").is_some_and(|id| wanted.contains(id)));
        let next: Vec<_> = found.flat_map(root_ids).collect();
        wanted.extend(next);
    }
    graph
        .filter(|element| text(*element, "spdxId").is_some_and(|id| wanted.contains(id)))
        .collect()
}

fn root_ids<'v>(element: impl Read<'v>) -> impl Iterator<Item = &'v str> {
    let ids = element.member("rootElement").and_then(Read::items);
    ids.into_iter().flatten().filter_map(Read::string)
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
            text(*id, "externalIdentifierType"),
            Some("packageUrl" | "purl")
        )
    });
    let purl = element
        .shown("software_packageUrl")
        .or_else(|| text(identified?, "identifier"));
    subjects.suggest(element.shown("name"), purl, hashes);
}

fn text<'v>(value: impl Read<'v>, key: &str) -> Option<&'v str> {
    value.member(key).and_then(Read::string)
}

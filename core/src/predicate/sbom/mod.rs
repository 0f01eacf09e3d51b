//! Software bills of materials: CycloneDX (`https://cyclonedx.org/bom`) and SPDX (`https://spdx.dev/Document`, version 3
//! `https://spdx.dev/Document/v3`).
//!
//! The predicate is the document itself if it fits, else the claim references it. What is checked is what makes a
//! document readable: its format and version, the fields that are always required, and that its dependencies and
//! relationships lead to something. The rest of its schema is not.

mod cyclonedx;
mod spdx2;
mod spdx3;
mod tag_value;

use super::PredicateType;
use super::document::{Document, DocumentError, Draft, Prepared, not_taken};
use super::node::Node;
use super::subject::Subjects;

pub(super) const CYCLONEDX: PredicateType = PredicateType {
    name: "sbom (CycloneDX)",
    uris: &[
        "https://cyclonedx.org/bom",
        "https://cyclonedx.org/bom/v1.2",
        "https://cyclonedx.org/bom/v1.3",
        "https://cyclonedx.org/bom/v1.4",
        "https://cyclonedx.org/bom/v1.5",
        "https://cyclonedx.org/bom/v1.6",
        "https://cyclonedx.org/bom/v1.7",
    ],
    check: cyclonedx::check,
};

pub(super) const SPDX_2: PredicateType = PredicateType {
    name: "sbom (SPDX 2)",
    uris: &["https://spdx.dev/Document", "https://spdx.dev/Document/v2.2", "https://spdx.dev/Document/v2.3"],
    check: spdx2::check,
};

pub(super) const SPDX_3: PredicateType = PredicateType {
    name: "sbom (SPDX 3)",
    uris: &["https://spdx.dev/Document/v3", "https://spdx.dev/Document/v3.0"],
    check: spdx3::check,
};

/// What a format says of a document.
struct Description {
    subjects: Subjects,
    summary: Vec<(String, String)>,
}

pub(super) fn prepare(document: &Document) -> Result<Vec<Prepared>, DocumentError> {
    if tag_value::is_tag_value(document.body()) {
        return Ok(vec![tag_value::prepare(document)?]);
    }
    let bom = document.json()?;
    let root = Node::root("$", &bom);
    let (known, media_type, describe): (_, _, fn(&Node<'_, '_>) -> Description) = if bom.get("bomFormat").is_some() {
        (&CYCLONEDX, "application/vnd.cyclonedx+json", cyclonedx::describe)
    } else if bom.get("spdxVersion").is_some() {
        (&SPDX_2, "application/spdx+json", spdx2::describe)
    } else if bom.get("@graph").is_some() {
        (&SPDX_3, "application/spdx+json", spdx3::describe)
    } else {
        return Err(not_taken("sbom", "CycloneDX JSON, SPDX JSON and SPDX tag-value", &bom));
    };
    (known.check)(&root)?;
    let Description { subjects, summary } = describe(&root);
    let mut draft = Draft { predicate_type: known.uris[0].into(), predicate: bom.clone(), subjects, summary };
    draft.bound_subjects();
    Ok(vec![document.inline_or_referenced(draft, media_type)?])
}

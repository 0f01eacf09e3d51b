//! Parts that an SBOM has in other documents: they are told and counted, as nobody knows what is in
//! those.

use super::fault::Fault;
use super::list::List;
use std::collections::BTreeSet;

/// Counts a part that stands in another document: what is in it is not known.
pub(super) fn part(what: &str, list: &mut List) -> Result<(), Fault> {
    let reason = "stands in another document, which is not read: check that, too";
    list.unidentified(None, what, reason)
}

/// Says that a document names another one, of which it is not said that parts are in it.
pub(super) fn note(what: &str, list: &mut List) {
    let remark = "other documents that it refers to, which are not read";
    list.remark(remark, None, what);
}

/// Tells what a reference of CycloneDX to a BOM leads to, unless that is the BOM of this number
/// itself. A BOM-Link leads to parts; another address may be where this BOM is published.
pub(super) fn link(url: &str, serial: Option<&str>, list: &mut List) -> Result<(), Fault> {
    let Some(link) = url.strip_prefix("urn:cdx:") else {
        note(url, list);
        return Ok(());
    };
    let ours = serial.and_then(|serial| serial.strip_prefix("urn:uuid:"));
    if link.split('/').next() == ours {
        return Ok(());
    }
    part(url, list)
}

/// Which of two elements of SPDX 2 a relationship makes a part of the other, or something that it
/// needs.
fn part_of<'a>(from: &'a str, kind: &str, to: &'a str) -> Option<&'a str> {
    match kind {
        "CONTAINS" | "DEPENDS_ON" | "DESCRIBES" | "DYNAMIC_LINK" | "HAS_PREREQUISITE"
        | "STATIC_LINK" => Some(to),
        "CONTAINED_BY" | "PACKAGE_OF" | "PREREQUISITE_FOR" => Some(from),
        kind if kind.ends_with("DEPENDENCY_OF") => Some(from),
        _ => None,
    }
}

/// Tells what stands in other documents of SPDX 2: those that it declares, and its relationships.
pub(super) fn of_spdx<'a>(
    declared: &BTreeSet<&'a str>,
    related: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
    list: &mut List,
) -> Result<(), Fault> {
    let parts = related.filter_map(|(from, kind, to)| part_of(from, kind, to));
    let parts: BTreeSet<&str> = parts.filter(|id| id.starts_with(DOCUMENT)).collect();
    for id in &parts {
        part(id, list)?;
    }
    let known: BTreeSet<&str> = parts.iter().filter_map(|id| id.split(':').next()).collect();
    for document in declared.difference(&known) {
        note(document, list);
    }
    Ok(())
}

/// What the names of other documents begin with in SPDX 2.
const DOCUMENT: &str = "DocumentRef-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_and_other_documents_are_told() {
        let declared = BTreeSet::from(["DocumentRef-base", "DocumentRef-other"]);
        for (from, kind, to, expected) in [
            ("SPDXRef-a", "CONTAINS", "DocumentRef-base:SPDXRef-b", 1),
            ("SPDXRef-a", "DEPENDS_ON", "DocumentRef-base:SPDXRef-b", 1),
            ("DocumentRef-base:b", "BUILD_DEPENDENCY_OF", "SPDXRef-a", 1),
            ("DocumentRef-base:b", "CONTAINED_BY", "SPDXRef-a", 1),
            ("DocumentRef-base:b", "CONTAINS", "SPDXRef-a", 0),
            ("SPDXRef-a", "CONTAINED_BY", "DocumentRef-base:b", 0),
            (
                "SPDXRef-DOCUMENT",
                "AMENDS",
                "DocumentRef-base:SPDXRef-DOCUMENT",
                0,
            ),
            ("SPDXRef-a", "CONTAINS", "SPDXRef-b", 0),
        ] {
            let mut list = List::default();
            let related = [(from, kind, to), (from, kind, to)].into_iter();
            of_spdx(&declared, related, &mut list).unwrap();
            let found = list.finish(false);
            let parts = found
                .unidentified
                .iter()
                .filter(|one| one.what.starts_with("Doc"));
            assert_eq!(parts.count(), expected, "{from} {kind} {to}");
            let told = &found.notes[0].text;
            assert!(told.ends_with("DocumentRef-other"), "{told}");
            assert_eq!(told.contains("DocumentRef-base"), expected == 0, "{told}");
        }
    }

    #[test]
    fn a_link_to_another_bom_leads_to_parts() {
        let ours = Some("urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79");
        for (url, serial, parts, notes) in [
            ("urn:cdx:0a/1#b", ours, 1, 0),
            ("urn:cdx:0a/1", None, 1, 0),
            ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1", ours, 0, 0),
            ("https://host/bom.json", ours, 0, 1),
        ] {
            let mut list = List::default();
            link(url, serial, &mut list).unwrap();
            let found = list.finish(false);
            let said = found.unidentified.iter().filter(|one| one.what == url);
            assert_eq!((said.count(), found.notes.len()), (parts, notes), "{url}");
        }
    }
}

//! Software bills of materials: CycloneDX (`https://cyclonedx.org/bom`) and SPDX
//! (`https://spdx.dev/Document`, version 3 `https://spdx.dev/Document/v3`).
//!
//! The predicate is the document itself if it fits, else the claim references it. What is checked
//! is what makes a document readable: its format and version, the fields that are always required,
//! and that its dependencies and relationships lead to something. The rest of its schema is not.

pub mod cyclonedx;
mod spdx2;
pub mod spdx3;
pub mod tag_value;

use super::document::{Document, DocumentError, Draft, Prepared, not_taken};
use super::node::Node;
use super::subject::Subjects;
use super::{PredicateError, PredicateType};

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
};

pub(super) const SPDX_2: PredicateType = PredicateType {
    name: "sbom (SPDX 2)",
    uris: &[
        "https://spdx.dev/Document",
        "https://spdx.dev/Document/v2.2",
        "https://spdx.dev/Document/v2.3",
    ],
};

pub(super) const SPDX_3: PredicateType = PredicateType {
    name: "sbom (SPDX 3)",
    uris: &[
        "https://spdx.dev/Document/v3",
        "https://spdx.dev/Document/v3.0",
    ],
};

/// A software bill of materials, by its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sbom {
    /// CycloneDX JSON.
    CycloneDx,
    /// SPDX 2 JSON.
    Spdx2,
    /// SPDX 3 JSON-LD.
    Spdx3,
}

impl Sbom {
    pub(super) fn read_cyclonedx(bom: &Node<'_, '_>) -> Result<Self, PredicateError> {
        cyclonedx::check(bom).map(|()| Sbom::CycloneDx)
    }

    pub(super) fn read_spdx2(document: &Node<'_, '_>) -> Result<Self, PredicateError> {
        spdx2::check(document).map(|()| Sbom::Spdx2)
    }

    pub(super) fn read_spdx3(document: &Node<'_, '_>) -> Result<Self, PredicateError> {
        spdx3::check(document).map(|()| Sbom::Spdx3)
    }
}

/// A format: its type, its media type, and who describes its documents.
struct Format {
    known: &'static PredicateType,
    check: fn(&Node<'_, '_>) -> Result<(), PredicateError>,
    media_type: &'static str,
    describe: fn(&Node<'_, '_>) -> Description,
}

const FORMATS: [(&str, Format); 3] = [
    (
        "bomFormat",
        Format {
            known: &CYCLONEDX,
            check: cyclonedx::check,
            media_type: "application/vnd.cyclonedx+json",
            describe: cyclonedx::describe,
        },
    ),
    (
        "spdxVersion",
        Format {
            known: &SPDX_2,
            check: spdx2::check,
            media_type: "application/spdx+json",
            describe: spdx2::describe,
        },
    ),
    (
        "@graph",
        Format {
            known: &SPDX_3,
            check: spdx3::check,
            media_type: "application/spdx+json",
            describe: spdx3::describe,
        },
    ),
];

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
    let Some((_, format)) = FORMATS.iter().find(|(key, _)| bom.get(key).is_some()) else {
        return Err(not_taken(
            "sbom",
            "CycloneDX JSON, SPDX JSON and SPDX tag-value",
            &bom,
        ));
    };
    (format.check)(&root)?;
    let Description { subjects, summary } = (format.describe)(&root);
    let mut draft = Draft {
        predicate_type: format.known.uris[0].into(),
        predicate: bom.clone(),
        subjects,
        summary,
    };
    draft.bound_subjects();
    Ok(vec![
        document.inline_or_referenced(draft, format.media_type)?,
    ])
}

#[cfg(test)]
mod tests {
    use crate::kind::{check, prepare};

    const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:x","version":1,
        "metadata":{"timestamp":"2026-01-01T00:00:00Z","component":{"type":"application","name":"own","version":"1.0",
          "purl":"pkg:cargo/own@1.0","bom-ref":"root","hashes":[{"alg":"SHA-256","content":"0000000000000000000000000000000000000000000000000000000000000000"}]}},
        "components":[{"type":"library","name":"a","bom-ref":"a","components":[{"type":"library","name":"b","bom-ref":"b"}]}],
        "services":[{"name":"s","bom-ref":"s"}],
        "vulnerabilities":[{"id":"CVE-1","affects":[{"ref":"a"}]}],
        "dependencies":[{"ref":"root","dependsOn":["a","s","urn:cdx:other/1#x","node"]},{"ref":"node","dependsOn":["b"]}]}"#;

    const SPDX_2: &str = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","dataLicense":"CC0-1.0","name":"own",
        "documentNamespace":"https://example.org/own","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: t"]},
        "packages":[{"SPDXID":"SPDXRef-a","name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:cargo/a@1"}]}],
        "files":[{"SPDXID":"SPDXRef-f"}],
        "relationships":[
          {"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-a"},
          {"spdxElementId":"SPDXRef-f","relationshipType":"OTHER","relatedSpdxElement":"DocumentRef-x:SPDXRef-y"},
          {"spdxElementId":"SPDXRef-f","relationshipType":"OTHER","relatedSpdxElement":"NONE"}]}"#;

    const SPDX_3: &str = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1","created":"2026-01-01T00:00:00Z"},
        {"type":"SpdxDocument","spdxId":"https://e.org/d","rootElement":["https://e.org/bom"]},
        {"type":"software_Sbom","spdxId":"https://e.org/bom","rootElement":["https://e.org/a"]},
        {"type":"software_Package","spdxId":"https://e.org/a","name":"a","software_packageUrl":"pkg:cargo/a@1"},
        {"type":"software_Package","spdxId":"https://e.org/b","name":"b","software_packageUrl":"pkg:cargo/b@1"}]}"#;

    #[test]
    fn the_document_is_the_predicate_and_what_it_is_about_the_subject() {
        for (text, predicate_type, purl) in [
            (CYCLONEDX, "https://cyclonedx.org/bom", "pkg:cargo/own@1.0"),
            (SPDX_2, "https://spdx.dev/Document", "pkg:cargo/a@1"),
            (SPDX_3, "https://spdx.dev/Document/v3", "pkg:cargo/a@1"),
        ] {
            let claims = prepare("sbom", "own.json", text.as_bytes(), "").unwrap();
            assert_eq!(
                (claims.len(), claims[0].predicate_type.as_str()),
                (1, predicate_type)
            );
            assert_eq!(
                claims[0].predicate,
                crate::json::parse(text.as_bytes()).unwrap()
            );
            assert_eq!(
                (claims[0].subjects.len(), claims[0].subjects[0].uri()),
                (1, Some(purl))
            );
            check(predicate_type, &claims[0].predicate).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, from, to, place) in [
            (CYCLONEDX, "CycloneDX", "CDX", "$.bomFormat"),
            (CYCLONEDX, r#""1.6""#, r#""1""#, "$.specVersion"),
            (CYCLONEDX, r#""version":1,"#, r#""version":0,"#, "$.version"),
            (
                CYCLONEDX,
                "2026-01-01T",
                "2026-01-01 ",
                "$.metadata.timestamp",
            ),
            (
                CYCLONEDX,
                r#""type":"application","#,
                "",
                "$.metadata.component.type",
            ),
            (
                CYCLONEDX,
                r#""name":"b""#,
                r#""name":"""#,
                "$.components[0].components[0].name",
            ),
            (
                CYCLONEDX,
                r#""alg":"SHA-256","#,
                "",
                "$.metadata.component.hashes[0].alg",
            ),
            (CYCLONEDX, r#"{"name":"s","#, "{", "$.services[0].name"),
            (
                CYCLONEDX,
                r#"[{"ref":"a"}]"#,
                "[{}]",
                "$.vulnerabilities[0].affects[0].ref",
            ),
            (
                CYCLONEDX,
                r#""dependsOn":["b"]"#,
                r#""dependsOn":["c"]"#,
                "$.dependencies[1].dependsOn[0]",
            ),
            (
                CYCLONEDX,
                r#""dependsOn":["b"]"#,
                r#""provides":["c"]"#,
                "$.dependencies[1].provides[0]",
            ),
            (SPDX_2, r#""SPDX-2.3""#, "2", "$.spdxVersion"),
            (
                SPDX_2,
                r#""SPDXRef-DOCUMENT","data"#,
                r#""SPDXRef-X","data"#,
                "$.SPDXID",
            ),
            (SPDX_2, r#""name":"own""#, r#""names":"own""#, "$.name"),
            (
                SPDX_2,
                "2026-01-01T",
                "2026-01-01 ",
                "$.creationInfo.created",
            ),
            (SPDX_2, r#"["Tool: t"]"#, "[]", "$.creationInfo.creators"),
            (
                SPDX_2,
                r#"["Tool: t"]"#,
                "[1]",
                "$.creationInfo.creators[0]",
            ),
            (
                SPDX_2,
                r#"{"SPDXID":"SPDXRef-f"}"#,
                "{}",
                "$.files[0].SPDXID",
            ),
            (
                SPDX_2,
                r#""relatedSpdxElement":"SPDXRef-a""#,
                r#""relatedSpdxElement":"SPDXRef-b""#,
                "$.relationships[0].relatedSpdxElement",
            ),
            (SPDX_3, "spdx.org/rdf/3", "spdx.org/rdf/4", "$.@context"),
            (SPDX_3, "SpdxDocument", "SpdxDocuments", "$.@graph"),
            (
                SPDX_3,
                r#"{"type":"CreationInfo","#,
                "{",
                "$.@graph[0].@type",
            ),
            (SPDX_3, "2026-01-01T", "2026-01-01 ", "$.@graph[0].created"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = prepare(
                "sbom",
                "own.json",
                text.replacen(from, to, 1).as_bytes(),
                "",
            )
            .unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
    }

    #[test]
    fn other_formats_are_sent_elsewhere() {
        for (text, advice) in [
            ("<?xml version=\"1.0\"?><bom/>", "export it as JSON"),
            (r#"{"document":{"csaf_version":"2.0"}}"#, "OpenVEX"),
            (r#"{"version":"2.1.0","runs":[]}"#, "publish scan"),
        ] {
            let error = prepare("sbom", "x", text.as_bytes(), "").unwrap_err();
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
}

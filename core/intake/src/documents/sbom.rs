//! Claims of software bills of materials, of whatever format: the document is the predicate if it
//! fits, else the claim references it.

use super::document::Document;
use super::draft::{Draft, Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::Source;
use crate::components::WRAPPERS;
use assay_claims::json::Value;
use assay_claims::kind::node::Node;
use assay_claims::kind::sbom::Sbom;

/// What a format says of a document.
pub(super) struct Description {
    /// What it is about.
    pub subjects: Subjects,
    /// What people are told of it.
    pub summary: Summary,
}

/// The value of a document in JSON, out of the wrapper in which GitHub's API answers with SBOMs, or
/// that of `docker buildx`.
pub(super) fn value(document: &Document) -> Result<Value, DocumentError> {
    let value = document.json()?;
    let mut wrapped = WRAPPERS.iter();
    match wrapped.find_map(|(_, key)| value.get(key)) {
        Some(inner) if inner.get("spdxVersion").is_some() && value.get("spdxVersion").is_none() => {
            Ok(inner.clone())
        }
        _ => Ok(value),
    }
}

/// The claim of a document in JSON, checked as its format asks.
pub(super) fn prepare_as(
    format: Sbom,
    source: &Source<'_>,
    media_type: &str,
    describe: fn(&Node<'_, '_>) -> Description,
) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    format.check(&root)?;
    let Description { subjects, summary } = describe(&root);
    let mut draft = Draft {
        predicate_type: format.uri().to_owned(),
        predicate: source.value.clone(),
        subjects,
        summary,
    };
    draft.bound_subjects();
    let prepared = source.document.inline_or_referenced(draft, media_type)?;
    Ok(vec![prepared])
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::check;

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
    fn what_tools_wrap_is_read_as_what_is_in_it() {
        let bare = prepare("sbom", "own.json", SPDX_2.as_bytes(), "").unwrap();
        for key in ["sbom", "SPDX"] {
            let wrapped = format!(r#"{{"{key}":{SPDX_2}}}"#);
            let read = prepare("sbom", "own.json", wrapped.as_bytes(), "");
            assert_eq!(read.unwrap(), bare, "{key}");
        }
        for other in [
            format!(r#"{{"sbom":{{"sbom":{SPDX_2}}}}}"#),
            format!(r#"{{"bom":{SPDX_2}}}"#),
            r#"{"sbom":{}}"#.to_owned(),
        ] {
            assert!(
                prepare("sbom", "own.json", other.as_bytes(), "").is_err(),
                "{other}"
            );
        }
    }

    #[test]
    fn the_document_is_the_predicate_and_what_it_is_about_the_subject() {
        for (text, predicate_type, purl) in [
            (CYCLONEDX, "https://cyclonedx.org/bom", "pkg:cargo/own@1.0"),
            (SPDX_2, "https://spdx.dev/Document", "pkg:cargo/a@1"),
            (SPDX_3, "https://spdx.dev/Document/v3", "pkg:cargo/a@1"),
        ] {
            let claims = prepare("sbom", "own.json", text.as_bytes(), "").unwrap();
            let vex = usize::from(text.contains("vulnerabilities"));
            assert_eq!(
                (claims.len(), claims[0].predicate_type.as_str()),
                (1 + vex, predicate_type)
            );
            assert_eq!(
                claims[0].predicate,
                assay_claims::json::parse(text.as_bytes()).unwrap()
            );
            assert_eq!(
                (claims[0].subjects.len(), claims[0].subjects[0].uri()),
                (1, Some(purl))
            );
            check(predicate_type, &claims[0].predicate).unwrap();
        }
    }

    fn assert_named((text, from, to, place): (&str, &str, &str, &str)) {
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

    #[test]
    fn what_is_wrong_in_cyclonedx_is_named() {
        for wrong in [
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
        ] {
            assert_named(wrong);
        }
    }

    #[test]
    fn what_is_wrong_in_spdx_is_named() {
        for wrong in [
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
            assert_named(wrong);
        }
    }

    #[test]
    fn other_formats_are_sent_elsewhere() {
        for (text, advice) in [
            ("<?xml version=\"1.0\"?><bom/>", "export it as JSON"),
            (r#"{"document":{"csaf_version":"2.0"}}"#, "publish vex"),
            (r#"{"version":"2.1.0","runs":[]}"#, "publish scan"),
        ] {
            let error = prepare("sbom", "x", text.as_bytes(), "").unwrap_err();
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
}

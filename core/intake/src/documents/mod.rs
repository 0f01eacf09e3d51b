//! Documents of tools, made into claims.
//!
//! A claim that is prepared here has its predicate, suggested subjects, a summary for people, and
//! the document itself as an attachment where the predicate names it. Each tool is one file; the
//! table below says which kind of document it belongs to. A tool more is a file and its place in
//! the table.
//!
//! Left out: fetching or expanding anything, verifying other people's signatures, and judging what
//! a document says.

mod advice;
mod cargo_audit;
mod cargo_vet;
mod cyclonedx;
mod document;
mod draft;
mod endoflife;
mod error;
mod findings;
mod in_toto;
mod openeox;
mod openvex;
mod osv_scanner;
mod practice;
mod provenance;
mod sarif;
mod sbom;
mod scan;
mod scorecard;
mod security_insights;
mod spdx2;
mod spdx3;
mod spdx_tag_value;
mod subjects;
mod tool;

pub(crate) use document::Document;
pub use draft::{Attachment, Prepared};
pub use error::DocumentError;
pub use openvex::read_openvex;
pub(crate) use spdx3::roots;

use crate::{toml, yaml};
use advice::not_taken;
use assay_claims::json::Value;
use assay_claims::kind::node::quoted;
use tool::{Source, Takes, Tool};

/// A kind of documents.
struct Row {
    /// Its name: that of the claims' kind, or `statement` for claims of any kind.
    kind: &'static str,
    /// What is taken, for people.
    wanted: &'static str,
    /// How a document is read that no tool recognizes by its bytes.
    value: fn(&Document) -> Result<Value, DocumentError>,
    /// The tools. The first that recognizes a document makes the claims of it.
    tools: &'static [Tool],
}

const TABLE: &[Row] = &[
    Row {
        kind: "scan",
        wanted: "SARIF 2.1.0 and the JSON of osv-scanner and of cargo-audit",
        value: Document::json,
        tools: &[sarif::TOOL, cargo_audit::TOOL, osv_scanner::TOOL],
    },
    Row {
        kind: "sbom",
        wanted: "CycloneDX JSON, SPDX JSON and SPDX tag-value",
        value: Document::json,
        tools: &[
            spdx_tag_value::TOOL,
            cyclonedx::TOOL,
            spdx2::TOOL,
            spdx3::TOOL,
        ],
    },
    Row {
        kind: "vex",
        wanted: "OpenVEX JSON",
        value: Document::json,
        tools: &[openvex::TOOL],
    },
    Row {
        kind: "lifecycle",
        wanted: "OpenEoX Core, OpenEoX shells and the JSON of endoflife.date's API",
        value: Document::json,
        tools: &[
            endoflife::PAGE,
            endoflife::V0,
            endoflife::V1,
            openeox::SHELL,
            openeox::CORE,
        ],
    },
    Row {
        kind: "provenance",
        wanted: "SLSA provenance as an in-toto statement, a DSSE envelope or a Sigstore bundle",
        value: Document::json,
        tools: &[provenance::TOOL],
    },
    Row {
        kind: "scorecard",
        wanted: "the JSON that `scorecard --format=json` writes",
        value: Document::json,
        tools: &[scorecard::TOOL],
    },
    Row {
        kind: "audit",
        wanted: "`audits.toml` of cargo-vet",
        value: toml::parse,
        tools: &[cargo_vet::TOOL],
    },
    Row {
        kind: "practice",
        wanted: "SECURITY-INSIGHTS v2, or baseline and data (the fields of \
                 urn:assay:practice:v1) as YAML or JSON",
        value: yaml::parse,
        tools: &[security_insights::TOOL, practice::TOOL],
    },
    Row {
        kind: "statement",
        wanted: "an in-toto Statement",
        value: Document::json,
        tools: &[in_toto::TOOL],
    },
];

/// The kinds of documents that [`prepare`] takes.
pub const KINDS: &[&str] = &{
    let mut kinds = [""; TABLE.len()];
    let mut i = 0;
    while i < TABLE.len() {
        kinds[i] = TABLE[i].kind;
        i += 1;
    }
    kinds
};

/// Makes claims of a document: usually one, and one for each statement in it where it holds
/// several.
///
/// `kind` is one of [`KINDS`]; `file_name` names the attachment, its folders being dropped; `now`
/// is an RFC 3339 time that stands where the document gives none and the predicate needs one. Every
/// predicate that is returned passes [`check`](assay_claims::kind::check), makes a valid statement
/// with the suggested subjects, and takes with them at most 28 KiB as compact JSON.
///
/// # Errors
///
/// Where the document is too large, compressed, malformed, of no tool of the kind, or not what its
/// format asks for.
pub fn prepare(
    kind: &str,
    file_name: &str,
    bytes: &[u8],
    now: &str,
) -> Result<Vec<Prepared>, DocumentError> {
    let document = Document::new(file_name, bytes)?;
    let Some(row) = TABLE.iter().find(|row| row.kind == kind) else {
        return Err(DocumentError::NotTaken(format!(
            "{} is no kind; there are {}",
            quoted(kind),
            KINDS.join(", ")
        )));
    };
    let claims = row.prepare(&document, now)?;
    claims.into_iter().map(Prepared::check).collect()
}

impl Row {
    fn prepare(&self, document: &Document, now: &str) -> Result<Vec<Prepared>, DocumentError> {
        for tool in self.tools {
            if let Takes::Bytes(takes) = tool.takes
                && takes(document.body())
            {
                let value = &Value::Null;
                return (tool.prepare)(&Source {
                    document,
                    value,
                    now,
                });
            }
        }
        let value = &(self.value)(document)?;
        for tool in self.tools {
            if let Takes::Value(takes) = tool.takes
                && takes(value)
            {
                return (tool.prepare)(&Source {
                    document,
                    value,
                    now,
                });
            }
        }
        Err(not_taken(self.kind, self.wanted, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::limits;

    const HEX: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn every_limit_is_kept() {
        let large = vec![b' '; limits::DOCUMENT_BYTES + 1];
        assert_eq!(
            prepare("scan", "x", &large, ""),
            Err(DocumentError::TooLarge(large.len()))
        );
        let many = |item: &str, n: usize| vec![item; n].join(",");
        let run = r#"{"tool":{"driver":{"name":"t"}},"results":[]}"#;
        let statement = r#"{"core":{"$schema":"https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json",
            "end_of_life":"tba","end_of_security_support":"tba","last_updated":"2026-01-01T00:00:00Z"}}"#;
        let now = "2026-11-22T18:41:48Z";
        for (kind, item, before, after, limit) in [
            ("scan", run, r#"{"version":"2.1.0","runs":["#, "]}", 100),
            ("lifecycle", statement, r#"{"statements":["#, "]}", 1000),
            ("lifecycle", r#"{"cycle":"1","eol":false}"#, "[", "]", 1000),
        ] {
            let outcome = |n| {
                prepare(
                    kind,
                    "x",
                    format!("{before}{}{after}", many(item, n)).as_bytes(),
                    now,
                )
            };
            assert_eq!(outcome(limit).unwrap().len(), limit);
            assert!(
                outcome(limit + 1)
                    .unwrap_err()
                    .to_string()
                    .contains("more than")
            );
        }
        let lines = prepare("provenance", "x", "{}\n".repeat(1001).as_bytes(), now).unwrap_err();
        assert!(
            lines.to_string().contains("more than 1000 lines"),
            "{lines}"
        );
        let subject = format!(r#"{{"digest":{{"sha256":"{HEX}"}},"name":"#);
        let subjects: Vec<_> = (0..=limits::SUBJECTS)
            .map(|i| format!("{subject}\"{i}\"}}"))
            .collect();
        let crowd = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://e.org/x","subject":[{}]}}"#,
            subjects.join(",")
        );
        let error = prepare("statement", "x", crowd.as_bytes(), now).unwrap_err();
        assert_eq!(error.place(), "$.subject", "{error}");
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        assert!(
            prepare("sboms", "x", b"{}", "")
                .unwrap_err()
                .to_string()
                .contains("sbom, vex")
        );
    }
}

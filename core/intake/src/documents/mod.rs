//! Documents of tools, made into claims.
//!
//! A claim that is prepared here has its predicate, suggested subjects, a summary for people, and
//! the document itself as an attachment where the predicate names it. Each tool is one file; the
//! table below says which kind of document it belongs to. A tool more is a file and its place in
//! the table.
//!
//! Left out: fetching or expanding anything, verifying other people's signatures ([`attestations`]
//! says what there is to verify), and judging what a document says.

mod about;
mod advice;
mod attested;
mod cargo_audit;
mod cargo_vet;
mod cle;
mod cyclonedx;
mod document;
mod draft;
mod ecosystem;
mod endoflife;
mod error;
mod findings;
mod in_toto;
mod informational;
mod openeox;
mod openvex;
mod osv_scanner;
mod practice;
mod provenance;
mod registry_status;
mod reports;
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
mod vex;

pub use attested::{Attestation, Attestations, Evidence, LogEntry, Mismatch, Signer};
pub(crate) use document::Document;
pub use draft::{Attachment, Prepared};
pub use error::DocumentError;
pub(crate) use spdx3::roots;
pub(crate) use vex::osv::{is_yaml as is_osv_yaml, value as osv_value};
pub(crate) use vex::rustsec::{front_matter, is_withdrawn};
pub(crate) use vex::{contradicts, has_vex};

use crate::{toml, yaml};
use advice::not_taken;
use assay_claims::json::Value;
use assay_claims::kind::node::quoted;
use assay_claims::statement::Subject;
use tool::{Source, Takes, Tool};

/// A kind of documents.
struct Row {
    /// Its name: that of the claims' kind, or `statement` for claims of any kind.
    kind: &'static str,
    /// What it is, in a line of help.
    help: &'static str,
    /// What is taken, for people.
    wanted: &'static str,
    /// How a document is read that no tool recognizes by its bytes.
    value: fn(&Document) -> Result<Value, DocumentError>,
    /// The tools. The first that recognizes a document makes the claims of it.
    tools: &'static [Tool],
    /// What the claims can be about, if the caller says it.
    about: about::Rule,
    /// Whether its documents may be attestations that can be verified.
    is_attested: bool,
}

const TABLE: &[Row] = &[
    Row {
        kind: "scan",
        help: "Results of a scan: SARIF, or the JSON of osv-scanner, cargo-audit, grype, Trivy, \
               audits of npm, pnpm and Bun, pip-audit, govulncheck or Dependency-Check",
        wanted: "SARIF 2.1.0 and the JSON of osv-scanner, cargo-audit, grype, Trivy, audits of \
                 npm, pnpm and Bun, pip-audit, govulncheck and Dependency-Check",
        value: Document::json,
        tools: &[
            advice::CARGO_DENY,
            advice::YARN_AUDIT,
            reports::govulncheck::TOOL,
            sarif::TOOL,
            cargo_audit::TOOL,
            osv_scanner::TOOL,
            reports::grype::TOOL,
            reports::trivy::TOOL,
            reports::npm_audit::TOOL,
            reports::npm_advisories::BY_NUMBER,
            reports::npm_advisories::BY_PACKAGE,
            reports::pip_audit::TOOL,
            reports::dependency_check::TOOL,
        ],
        about: about::any,
        is_attested: false,
    },
    Row {
        kind: "sbom",
        help: "A software bill of materials: CycloneDX or SPDX",
        wanted: "CycloneDX JSON, SPDX JSON and SPDX tag-value",
        value: sbom::value,
        tools: &[
            spdx_tag_value::TOOL,
            cyclonedx::TOOL,
            spdx2::TOOL,
            spdx3::TOOL,
        ],
        about: about::any,
        is_attested: false,
    },
    Row {
        kind: "vex",
        help: "Whether vulnerabilities apply: OpenVEX, CSAF, CycloneDX VEX, SPDX 3, OSV records, \
               advisories of RustSec",
        wanted: "the JSON of OpenVEX, CSAF, OSV records, GitHub advisories, and CycloneDX and \
                 SPDX 3 with VEX, OSV records in YAML, and advisories of RustSec",
        value: vex::osv::value,
        tools: &[
            vex::rustsec::TOOL,
            openvex::TOOL,
            vex::csaf::TOOL,
            cyclonedx::VEX,
            spdx3::VEX,
            vex::osv::TOOL,
            vex::ghsa::TOOL,
        ],
        about: openvex::products,
        is_attested: false,
    },
    Row {
        kind: "lifecycle",
        help: "Support dates: OpenEoX, CLE (ECMA-428), or an answer of endoflife.date",
        wanted: "OpenEoX Core, OpenEoX shells, CLE and the JSON of endoflife.date's API",
        value: Document::json,
        tools: &[
            endoflife::PAGE,
            endoflife::V0,
            endoflife::V1,
            openeox::SHELL,
            openeox::CORE,
            cle::TOOL,
        ],
        about: about::every_version,
        is_attested: false,
    },
    Row {
        kind: "provenance",
        help: "How it was built: SLSA provenance; and with a trusted root, which verifies them, \
               Sigstore bundles 0.1 to 0.3 and the attestations of npm and PyPI, whatever they \
               attest",
        wanted: "SLSA provenance as an in-toto statement, a DSSE envelope or a Sigstore bundle",
        value: Document::json,
        tools: &[provenance::TOOL],
        about: about::what_it_states,
        is_attested: true,
    },
    Row {
        kind: "scorecard",
        help: "An OpenSSF Scorecard result",
        wanted: "the JSON that `scorecard --format=json` writes",
        value: Document::json,
        tools: &[scorecard::TOOL],
        about: about::any,
        is_attested: false,
    },
    Row {
        kind: "audit",
        help: "Code reviews: audits.toml of cargo-vet",
        wanted: "`audits.toml` of cargo-vet",
        value: toml::parse,
        tools: &[advice::CREV, cargo_vet::TOOL],
        about: about::what_it_names,
        is_attested: false,
    },
    Row {
        kind: "practice",
        help: "How it is made, and which data it handles: SECURITY-INSIGHTS",
        wanted: "SECURITY-INSIGHTS v2, or baseline and data (the fields of \
                 urn:assay:practice:v1) as YAML or JSON",
        value: yaml::parse,
        tools: &[security_insights::TOOL, practice::TOOL],
        about: about::any,
        is_attested: false,
    },
    Row {
        kind: "registry-status",
        help: "What a registry marks releases and projects as: npm's packuments (`deprecated`), \
               and PyPI's JSON API and simple index (yanked, archived, deprecated, quarantined)",
        wanted: "packuments of npm, and PyPI's JSON API and simple index in JSON",
        value: Document::json,
        tools: &[
            registry_status::npm::TOOL,
            registry_status::npm::RELEASE,
            registry_status::pypi::API,
            registry_status::pypi::INDEX,
        ],
        about: about::what_it_names,
        is_attested: false,
    },
    Row {
        kind: "statement",
        help: "A finished in-toto statement",
        wanted: "an in-toto Statement",
        value: Document::json,
        tools: &[in_toto::TOOL],
        about: about::what_it_states,
        is_attested: false,
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

/// The kinds of documents that [`prepare`] takes, each with what it is in a line of help.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|row| (row.kind, row.help))
}

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
    prepare_about(kind, file_name, bytes, &[], now)
}

/// Makes claims of a document as [`prepare`] does, about `subjects`: what the document says that it
/// is about is left out, unless there are none.
///
/// # Errors
///
/// As [`prepare`], and where the document is not about a subject: then a look-up of that subject
/// would find a claim that says nothing of it, or something false.
pub fn prepare_about(
    kind: &str,
    file_name: &str,
    bytes: &[u8],
    subjects: &[Subject],
    now: &str,
) -> Result<Vec<Prepared>, DocumentError> {
    let (row, document) = (row(kind)?, Document::new(file_name, bytes)?);
    let mut claims = row.prepare(&document, now)?;
    if !subjects.is_empty() {
        (row.about)(&document, &claims, subjects)?;
        for claim in &mut claims {
            if !claim.is_beside {
                claim.subjects = subjects.to_vec();
            }
        }
    }
    claims.iter_mut().for_each(Prepared::note_unfound);
    Ok(claims)
}

/// The attestations of a document of this kind, which can be verified; `None` if it is none that
/// can be. [`Attestations::claim`] makes the claims of them.
///
/// # Errors
///
/// Where the document is too large, compressed, or malformed.
pub fn attestations(
    kind: &str,
    file_name: &str,
    bytes: &[u8],
) -> Result<Option<Attestations>, DocumentError> {
    if !row(kind)?.is_attested {
        return Ok(None);
    }
    Attestations::read(Document::new(file_name, bytes)?)
}

/// Makes claims of a document as [`prepare`] does, of which `value` was read.
pub(crate) fn prepare_value(
    kind: &str,
    document: &Document,
    value: &Value,
    now: &str,
) -> Result<Vec<Prepared>, DocumentError> {
    let claims = row(kind)?.prepare_value(document, value, now)?;
    claims.into_iter().map(Prepared::check).collect()
}

/// Whether a tool of this kind recognizes a document by its value.
pub(crate) fn takes(kind: &str, value: &Value) -> bool {
    let tools = row(kind).map_or(&[][..], |row| row.tools);
    let mut tools = tools.iter();
    tools.any(|tool| matches!(tool.takes, Takes::Value(takes) if takes(value)))
}

fn row(kind: &str) -> Result<&'static Row, DocumentError> {
    TABLE.iter().find(|row| row.kind == kind).ok_or_else(|| {
        let (kind, kinds) = (quoted(kind), KINDS.join(", "));
        DocumentError::NotTaken(format!("{kind} is no kind; there are {kinds}"))
    })
}

impl Row {
    fn prepare(&self, document: &Document, now: &str) -> Result<Vec<Prepared>, DocumentError> {
        let claims = self.prepare_unchecked(document, now)?;
        claims.into_iter().map(Prepared::check).collect()
    }

    fn prepare_unchecked(
        &self,
        document: &Document,
        now: &str,
    ) -> Result<Vec<Prepared>, DocumentError> {
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
        self.prepare_value(document, &(self.value)(document)?, now)
    }

    fn prepare_value(
        &self,
        document: &Document,
        value: &Value,
        now: &str,
    ) -> Result<Vec<Prepared>, DocumentError> {
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
    use crate::limits::DOCUMENT_BYTES;
    use assay_claims::limits;

    const HEX: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn every_limit_is_kept() {
        let large = vec![b' '; DOCUMENT_BYTES + 1];
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

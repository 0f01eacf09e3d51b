//! What a document looks like, for errors that send it elsewhere.

use super::error::DocumentError;
use super::tool::{Takes, Tool};
use assay_claims::json::Value;
use assay_claims::kind::node::quoted;
use assay_claims::kind::vex::Vex;

/// Says what the document looks like, for errors that send it elsewhere.
pub fn not_taken(kind: &str, wanted: &str, document: &Value) -> DocumentError {
    let seen = looks_like(document);
    DocumentError::NotTaken(format!("{kind} takes {wanted}; the document {seen}"))
}

/// What cargo-deny writes to standard error, a JSON object a line. It is no report: what passes is
/// not in it.
pub(super) const CARGO_DENY: Tool = Tool {
    takes: Takes::Bytes(is_cargo_deny),
    prepare: |_| {
        let advice = "the document looks like diagnostics of cargo-deny, which are not taken: \
                      publish the SARIF that `cargo deny --format sarif` writes, or the JSON of \
                      cargo-audit";
        Err(DocumentError::NotTaken(advice.into()))
    },
};

fn is_cargo_deny(bytes: &[u8]) -> bool {
    let text = beginning(bytes);
    let kinds = ["diagnostic", "log", "summary"];
    text.starts_with('{')
        && text.contains("\"fields\":{")
        && kinds
            .into_iter()
            .any(|kind| text.contains(&format!("\"type\":\"{kind}\"")))
}

/// Reviews of cargo-crev, which are text between marks.
pub(super) const CREV: Tool = Tool {
    takes: Takes::Bytes(|bytes| {
        let text = beginning(bytes);
        ["-----BEGINCREV", "-----BEGINPACKAGEREVIEW"]
            .into_iter()
            .any(|mark| text.contains(mark))
    }),
    prepare: |_| {
        let advice = "the document looks like proofs of cargo-crev, whose signatures are not \
                      verified here, so that they are not taken: publish reviews as `audits.toml` \
                      of cargo-vet";
        Err(DocumentError::NotTaken(advice.into()))
    },
};

/// What yarn's audits write, a JSON object a line.
pub(super) const YARN_AUDIT: Tool = Tool {
    takes: Takes::Bytes(is_yarn_audit),
    prepare: |_| {
        let advice = "the document looks like what `yarn audit --json` writes, which is not taken: \
                      publish what osv-scanner says of yarn.lock";
        Err(DocumentError::NotTaken(advice.into()))
    },
};

/// yarn 1 says of each line what it is, and begins with what it says of the run; later ones have
/// each advisory below the package that it is of.
fn is_yarn_audit(bytes: &[u8]) -> bool {
    let text = beginning(bytes);
    let kinds = ["auditAdvisory", "auditSummary", "auditAction"];
    let of_first = kinds
        .into_iter()
        .any(|kind| text.contains(&format!("{{\"type\":\"{kind}\"")));
    let of_later = text.starts_with("{\"value\":") && text.contains("\"children\":{\"ID\":");
    of_first || of_later
}

/// The beginning of a document, without white space.
fn beginning(bytes: &[u8]) -> String {
    const BEGINNING: usize = 4096;
    let beginning = bytes.get(..BEGINNING).unwrap_or(bytes);
    let text = String::from_utf8_lossy(beginning);
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn looks_like(document: &Value) -> String {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let has = |key: &str| document.get(key).is_some();
    if text("/bomFormat").is_some() {
        "looks like CycloneDX: use `publish sbom`, or `publish vex` if it says whether \
         vulnerabilities apply"
            .into()
    } else if has("spdxVersion") || has("@graph") {
        "looks like SPDX: use `publish sbom`".into()
    } else if text("/document/csaf_version").is_some() {
        "looks like CSAF: use `publish vex`, if it has `product_status`".into()
    } else if text("/@context").is_some_and(Vex::is_context) {
        "looks like OpenVEX: use `publish vex`".into()
    } else if has("runs") {
        "looks like SARIF: use `publish scan`".into()
    } else if has("matches") && has("descriptor") {
        "looks like a report of grype: use `publish scan`".into()
    } else if has("SchemaVersion") && has("ArtifactName") {
        "looks like a report of Trivy: use `publish scan`".into()
    } else if has("auditReportVersion") {
        "looks like a report of npm audit: use `publish scan`".into()
    } else if let Some(other) = other_scanner(document) {
        other.into()
    } else if has("dependencies") && (has("fixes") || has("scanInfo")) {
        "looks like a report of pip-audit or Dependency-Check: use `publish scan`".into()
    } else if has("affected") && has("modified") {
        "looks like an OSV record, which is an advisory: use `publish vex`. What a scan found with \
         it is in SARIF or the JSON of osv-scanner: use `publish scan`"
            .into()
    } else if has("ghsa_id") {
        "looks like an advisory of GitHub's API: use `publish vex`".into()
    } else if has("scorecard") {
        "looks like a Scorecard result: use `publish scorecard`".into()
    } else if has("_type") || has("payloadType") || has("dsseEnvelope") {
        "looks like an in-toto statement or envelope: use `publish provenance` or `publish \
         statement`"
            .into()
    } else if has("$id") && has("properties") {
        "looks like a JSON schema".into()
    } else {
        shape(document)
    }
}

const SOURCE_CODE: &str = "looks like a report of Semgrep or Bandit, which look at source code and \
     not at dependencies: publish their SARIF";
const CLUSTER: &str = "looks like a report of Trivy about a cluster: publish the JSON of `trivy \
     image` of each image";
const TRACK: &str = "looks like findings of Dependency-Track: export its VEX (CycloneDX), and use \
     `publish vex`; publish scans as the scanners wrote them";
const FAILED: &str = "looks like an error of npm audit, or of the like, which found out nothing: \
     run it again";
const COMPOSER: &str = "looks like a report of composer audit: publish what osv-scanner says of \
     composer.lock";
const SNYK: &str = "looks like a report of Snyk: publish the SARIF that \
     `snyk test --sarif-file-output=FILE` writes";

/// What documents of tools look like whose reports are not read, by the members that they have, and
/// what to publish in their place.
const LOOKS: &[(&[&str], &str)] = &[
    (&["/advisories", "/abandoned"], COMPOSER),
    (&["/advisories", "/ignored-advisories"], COMPOSER),
    (&["/dependencyCount", "/packageManager"], SNYK),
    (&["/dependencyCount", "/projectName"], SNYK),
    (
        &["/vulnerabilities", "/scan/scanner"],
        "looks like a report of GitLab's scanners: publish what Trivy or grype \
         themselves write",
    ),
    (
        &["/results", "/created_at"],
        "looks like a report of bundler-audit: publish what osv-scanner says of \
         Gemfile.lock",
    ),
    (&["/results", "/paths"], SOURCE_CODE),
    (&["/results", "/metrics"], SOURCE_CODE),
    (
        &["/projects", "/parameters"],
        "looks like what `dotnet list package` writes: publish what osv-scanner or \
         Trivy says of packages.lock.json",
    ),
    (
        &["/report_meta"],
        "looks like a report of Safety: publish what pip-audit or osv-scanner says",
    ),
    (
        &["/invocation", "/scanner", "/metadata"],
        "looks like the predicate of an attestation of a scan: publish the report \
         that stands in its `scanner.result`",
    ),
    (
        &["/artifacts", "/artifactRelationships"],
        "looks like an SBOM of syft: publish what grype finds in it, and with \
         `publish sbom` the CycloneDX or SPDX that syft writes",
    ),
    (
        &["/imageScanFindings"],
        "looks like findings of Amazon ECR: publish what Trivy or grype finds in \
         the image",
    ),
    (&["/ClusterName"], CLUSTER),
    (&["/apiVersion", "/kind", "/report"], CLUSTER),
    (
        &["/manifest_hash", "/package_vulnerabilities"],
        "looks like a report of Clair: publish what Trivy or grype says of the \
         image",
    ),
    (&["/findings", "/meta/application"], TRACK),
    (&["/findings", "/meta", "/project"], TRACK),
    (&["/error/code"], FAILED),
    (&["/error/summary"], FAILED),
    (&["/method", "/statusCode"], FAILED),
];

/// What the report of a scanner looks like that is not read, and what to publish instead.
fn other_scanner(document: &Value) -> Option<&'static str> {
    let has = |pointer: &&str| document.pointer(pointer).is_some();
    let mut looks = LOOKS.iter();
    looks.find_map(|(members, advice)| members.iter().all(has).then_some(*advice))
}

/// What a list looks like, by the first in it.
fn looks_like_list(first: Option<&Value>) -> &'static str {
    let has = |key: &str| first.is_some_and(|one| one.get(key).is_some());
    if has("security_advisory") || has("security_vulnerability") {
        "is a list of Dependabot's alerts, which leaves out what was dismissed: publish what \
         osv-scanner says of the lock file"
    } else if has("ghsa_id") {
        "is a list of advisories of GitHub's API: publish each in a file of its own, with \
         `publish vex`"
    } else if has("vulns") && has("name") {
        "is a list of dependencies as pip-audit 1 wrote it: write it with a later pip-audit"
    } else if has("Target") {
        "is a list as Trivy wrote it before its schema 2: write it with Trivy 0.20 or later"
    } else {
        "is an array"
    }
}

/// What a document is that looks like nothing that is known.
fn shape(document: &Value) -> String {
    match document {
        Value::Object(members) if members.is_empty() => "is an empty object".into(),
        Value::Object(members) => {
            let keys: Vec<_> = members.iter().take(4).map(|(key, _)| quoted(key)).collect();
            format!("has {}", keys.join(", "))
        }
        Value::Array(items) => looks_like_list(items.first()).into(),
        _ => "is neither an object nor an array".into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;

    #[test]
    fn reports_of_other_tools_are_sent_to_those_that_are_taken() {
        for (text, said) in [
            (r#"{"ClusterName":"k","Resources":[]}"#, "trivy image"),
            (
                r#"{"apiVersion":"v1","kind":"VulnerabilityReport","report":{}}"#,
                "trivy image",
            ),
            (r#"{"advisories":{},"abandoned":{}}"#, "composer audit"),
            (
                r#"{"version":1,"parameters":"","projects":[]}"#,
                "dotnet list",
            ),
            (
                r#"{"version":"1.3","meta":{},"project":{},"findings":[]}"#,
                "Dependency-Track",
            ),
            (r#"{"report_meta":{}}"#, "Safety"),
            (
                r#"{"invocation":{},"scanner":{},"metadata":{}}"#,
                "scanner.result",
            ),
            (
                r#"{"artifacts":[],"artifactRelationships":[]}"#,
                "what grype finds",
            ),
            (r#"{"imageScanFindings":{}}"#, "Amazon ECR"),
            (r#"[{"security_advisory":{}}]"#, "Dependabot"),
            (r#"[{"id":1}]"#, "is an array"),
            (r#"{"a":[],"b":1}"#, "has \"a\", \"b\""),
        ] {
            let refused = prepare("scan", "x", text.as_bytes(), "")
                .unwrap_err()
                .to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn audits_of_yarn_are_sent_to_another_scanner() {
        for text in [
            "{\"type\":\"auditAdvisory\",\"data\":{}}\n{\"type\":\"auditSummary\",\"data\":{}}\n",
            "{\"type\":\"auditSummary\",\"data\":{}}\n",
            "{\"type\":\"info\",\"data\":\"a\"}\n{\"type\":\"auditSummary\",\"data\":{}}\n",
            "{\"value\":\"a\",\"children\":{\"ID\":1}}\n",
        ] {
            let refused = prepare("scan", "x", text.as_bytes(), "")
                .unwrap_err()
                .to_string();
            assert!(
                refused.contains("what osv-scanner says of yarn.lock"),
                "{refused}"
            );
        }
    }
}

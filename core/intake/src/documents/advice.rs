//! What a document looks like, for errors that send it elsewhere.

use super::error::DocumentError;
use assay_claims::json::Value;
use assay_claims::kind::node::quoted;
use assay_claims::kind::vex::Vex;

/// Says what the document looks like, for errors that send it elsewhere.
pub fn not_taken(kind: &str, wanted: &str, document: &Value) -> DocumentError {
    let seen = looks_like(document);
    DocumentError::NotTaken(format!("{kind} takes {wanted}; the document {seen}"))
}

fn looks_like(document: &Value) -> String {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let has = |key: &str| document.get(key).is_some();
    if text("/bomFormat").is_some() {
        "looks like CycloneDX: use `publish sbom`, which also takes CycloneDX VEX".into()
    } else if has("spdxVersion") || has("@graph") {
        "looks like SPDX: use `publish sbom`".into()
    } else if text("/document/csaf_version").is_some() {
        "looks like CSAF, which is not taken: convert it to OpenVEX for `publish vex`".into()
    } else if text("/@context").is_some_and(Vex::is_context) {
        "looks like OpenVEX: use `publish vex`".into()
    } else if has("runs") {
        "looks like SARIF: use `publish scan`".into()
    } else if has("scorecard") {
        "looks like a Scorecard result: use `publish scorecard`".into()
    } else if has("_type") || has("payloadType") || has("dsseEnvelope") {
        "looks like an in-toto statement or envelope: use `publish provenance` or `publish \
         statement`"
            .into()
    } else if has("$id") && has("properties") {
        "looks like a JSON schema".into()
    } else {
        match document {
            Value::Object(members) if members.is_empty() => "is an empty object".into(),
            Value::Object(members) => {
                let keys: Vec<_> = members.iter().take(4).map(|(key, _)| quoted(key)).collect();
                format!("has {}", keys.join(", "))
            }
            Value::Array(_) => "is an array".into(),
            _ => "is neither an object nor an array".into(),
        }
    }
}

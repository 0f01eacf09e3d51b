//! Informational advisories of RustSec, of which most are of no vulnerability: that a crate is not
//! maintained is a matter of support.

use assay_claims::json::Value;

/// Kinds that are no vulnerability. What is `unsound` may be one.
const HARMLESS: [&str; 2] = ["notice", "unmaintained"];

/// Whether an informational advisory of this kind is of no vulnerability.
pub(super) fn is_harmless(kind: &str) -> bool {
    HARMLESS.contains(&kind)
}

/// The kind, if what an OSV record says of a package (one of `affected`) is of no vulnerability.
pub(super) fn harmless(affected: &Value) -> Option<&str> {
    let kind = affected.pointer("/database_specific/informational")?;
    kind.as_str().filter(|kind| is_harmless(kind))
}

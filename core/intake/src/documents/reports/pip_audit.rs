//! `pip-audit --format json` (pypa/pip-audit, `pip_audit/_format/json.py`).

use super::super::ecosystem;
use super::super::findings::Findings;
use super::super::scan::Scan;
use super::super::tool::{Takes, Tool};
use super::{found_in, nothing_scanned, scan, texts};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::purl::Purl;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| {
        value.get("dependencies").is_some() && value.get("fixes").is_some()
    }),
    prepare: |source| read(&source.root())?.of_json(source),
};

/// What a report found. A dependency that it skipped was not looked at, and then the scan is not
/// whole.
fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    let mut skipped: Vec<String> = Vec::new();
    let mut any = false;
    for dependency in root.need("dependencies")?.items()? {
        let name = dependency.need("name")?.text()?;
        if dependency.get("skip_reason").is_some() {
            skipped.push(name.to_owned());
            continue;
        }
        any = true;
        let version = dependency.need("version")?.text()?;
        let purl = ecosystem::purl("PyPI", name, Some(version));
        for found in dependency.need("vulns")?.items()? {
            let finding = findings.entry(found.need("id")?.text()?);
            finding.aliases(&texts(found.value().get("aliases"), None));
            found_in(
                finding,
                name,
                Some(version),
                purl.as_ref().map(Purl::as_str),
            );
        }
    }
    let mut summary = Vec::new();
    if !skipped.is_empty() {
        let label = "skipped by pip-audit, so that the scan is not whole";
        summary.push((label.to_owned(), skipped.join(", ")));
    }
    if !any {
        summary.push(nothing_scanned());
    }
    Ok(Scan {
        is_whole: any && skipped.is_empty(),
        summary,
        ..scan("pkg:pypi/pip-audit", findings)
    })
}

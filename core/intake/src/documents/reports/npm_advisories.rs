//! Reports that list the advisories of npm's registry as it answers with them: `npm audit --json`
//! of npm 6, `pnpm audit --json`, and `bun audit --json`.

use super::super::ecosystem;
use super::super::findings::{Finding, Findings};
use super::super::scan::Scan;
use super::super::tool::{Takes, Tool};
use super::npm_audit::{identifier, rate_by_npm};
use super::{found_in, nothing_scanned, scan, texts};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::purl::Purl;

/// npm 6 and pnpm (pnpm/pnpm, `deps/compliance/audit`).
pub(in super::super) const BY_NUMBER: Tool = Tool {
    takes: Takes::Value(|value| {
        // One that has something else in these places is of another tool.
        let has = |key: &str| {
            value
                .get(key)
                .is_some_and(|list| list.as_object().is_some())
        };
        has("advisories") && has("metadata")
    }),
    prepare: |source| read_by_number(&source.root())?.of_json(source),
};

/// Bun (oven-sh/bun, `src/cli/audit_command.zig`).
pub(in super::super) const BY_PACKAGE: Tool = Tool {
    takes: Takes::Value(is_by_package),
    prepare: |source| read_by_package(&source.root())?.of_json(source),
};

/// Whether it has lists of advisories and nothing else. One of none says nothing of what it is.
fn is_by_package(value: &Value) -> bool {
    let packages = value.as_object().unwrap_or_default();
    !packages.is_empty()
        && packages.iter().all(|(_, list)| {
            let list = list.as_array().unwrap_or_default();
            !list.is_empty() && list.iter().all(is_advisory)
        })
}

/// Whether one of them is an advisory.
fn is_advisory(one: &Value) -> bool {
    one.get("vulnerable_versions").is_some() && one.get("severity").is_some()
}

/// Advisories by their numbers, each with the versions of its package that were found. npm gives
/// each of its reports a number, too.
fn read_by_number(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    for (_, advisory) in root.need("advisories")?.members()? {
        let name = advisory.need("module_name")?.text()?;
        let finding = take(&advisory, &mut findings)?;
        let Some(found) = advisory.get("findings") else {
            found_in(finding, name, None, None);
            continue;
        };
        for place in found.items()? {
            let version = place.shown("version");
            let purl = ecosystem::purl("npm", name, version);
            found_in(finding, name, version, purl.as_ref().map(Purl::as_str));
        }
    }
    let counts = ["totalDependencies", "dependencies"].into_iter();
    let mut counts = counts.filter_map(|key| root.value().get("metadata")?.get(key)?.as_u64());
    let is_empty = counts.next().unwrap_or_default() == 0 && findings.len() == 0;
    let tool = match root.get("runId") {
        Some(_) => "pkg:npm/npm",
        None => "pkg:npm/pnpm",
    };
    Ok(Scan {
        is_whole: !is_empty,
        summary: is_empty.then(nothing_scanned).into_iter().collect(),
        ..scan(tool, findings)
    })
}

/// Advisories by the names of their packages, of which it does not say the versions.
fn read_by_package(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let mut findings = Findings::default();
    for (name, list) in root.members()? {
        for advisory in list.items()? {
            found_in(take(&advisory, &mut findings)?, name, None, None);
        }
    }
    Ok(scan("pkg:npm/bun", findings))
}

/// Takes an advisory up. Of several CVEs none is its other name: what clears one would clear all.
fn take<'f>(
    advisory: &Node<'_, '_>,
    findings: &'f mut Findings,
) -> Result<&'f mut Finding, PredicateError> {
    let stated = advisory.shown("github_advisory_id").map(str::to_owned);
    let id = stated.filter(|id| !id.is_empty());
    let id = match id {
        Some(id) => id,
        None => identifier(advisory, "id")?,
    };
    let finding = findings.entry(&id);
    if let [cve] = texts(advisory.value().get("cves"), None)[..] {
        finding.aliases(&[cve]);
    }
    rate_by_npm(advisory, finding);
    Ok(finding)
}

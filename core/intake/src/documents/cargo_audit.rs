//! The JSON of cargo-audit (`cargo audit --json`): rustsec's `Report`.
//!
//! Vulnerabilities become results, and so do warnings of what is unsound, which may be one.
//! Other warnings (unmaintained, yanked …) are counted in the summary and stay in the attachment.

use super::draft::{Prepared, Summary};
use super::ecosystem;
use super::error::DocumentError;
use super::findings::Findings;
use super::reports::nothing_scanned;
use super::scan::Scan;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::{Value, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_report),
    prepare,
};

fn is_report(value: &Value) -> bool {
    value.get("vulnerabilities").is_some() && value.get("lockfile").is_some()
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    read(&source.root())?.of_json(source)
}

fn read(root: &Node<'_, '_>) -> Result<Scan, PredicateError> {
    let vulnerabilities = root.need("vulnerabilities")?;
    let list = vulnerabilities.need("list")?;
    let mut findings = Findings::default();
    let mut count = 0;
    for vulnerability in list.items()? {
        count += 1;
        read_vulnerability(&vulnerability, &mut findings)?;
    }
    // A report that contradicts itself was cut or edited.
    if let Some(stated) = vulnerabilities.get("count")
        && stated.value().as_u64() != Some(count)
    {
        return Err(stated.fault(format!("says otherwise than the list, which has {count}")));
    }
    if let Some(found) = vulnerabilities.get("found")
        && found.value().as_bool() != Some(count > 0)
    {
        return Err(found.fault(format!("says otherwise than the list, which has {count}")));
    }
    let warnings = root.get("warnings");
    if let Some(unsound) = warnings.as_ref().and_then(|all| all.get("unsound")) {
        for warning in unsound.items()? {
            read_vulnerability(&warning, &mut findings)?;
        }
    }
    let counts = ["/lockfile/dependency-count", "/database/advisory-count"];
    let mut counts = counts.into_iter().filter_map(|at| root.value().pointer(at));
    let is_empty = counts.any(|count| count.as_u64() == Some(0));
    let mut summary = summary(root)?;
    if is_empty {
        summary.push(nothing_scanned());
    }
    let narrowed = root
        .get("settings")
        .and_then(|settings| narrowed(settings.value()));
    if let Some(setting) = narrowed {
        let note = format!(
            "cargo-audit was told to look at some advisories only ({setting}): that it found no \
             others says nothing"
        );
        summary.push(("note".to_owned(), note));
    }
    Ok(Scan {
        uri: "pkg:cargo/cargo-audit".into(),
        version: None,
        database: database(root)?,
        findings,
        is_whole: !is_empty && narrowed.is_none(),
        looks_for_known: true,
        times: None,
        ignored: ignored(root)?,
        // It says how many packages its lock file has, and not which file that is.
        scanned: vec![],
        subjects: Subjects::default(),
        summary,
    })
}

fn read_vulnerability(
    vulnerability: &Node<'_, '_>,
    findings: &mut Findings,
) -> Result<(), PredicateError> {
    let advisory = vulnerability.need("advisory")?;
    let package = vulnerability.need("package")?;
    let finding = findings.entry(advisory.need("id")?.text()?);
    if let Some(cvss) = advisory.optional_text("cvss")? {
        finding.severity(
            if cvss.starts_with("CVSS:4") {
                "CVSS_V4"
            } else {
                "CVSS_V3"
            },
            cvss,
        );
    }
    if let Some(aliases) = advisory.get("aliases") {
        let aliases: Result<Vec<&str>, _> = aliases.items()?.map(|alias| alias.text()).collect();
        finding.aliases(&aliases?);
    }
    let (name, version) = (
        package.need("name")?.text()?,
        package.need("version")?.text()?,
    );
    let purl = ecosystem::purl("crates.io", name, Some(version));
    finding.annotate(object([
        ("package", Some(name.into())),
        ("version", Some(version.into())),
        ("ecosystem", Some("crates.io".into())),
        ("purl", purl.map(|purl| purl.as_str().into())),
    ]));
    Ok(())
}

/// The setting by which advisories were left out without a trace, if there is one.
fn narrowed(settings: &Value) -> Option<&'static str> {
    let mut all = ["severity", "target_arch", "target_os"].into_iter();
    all.find(|key| match settings.get(key) {
        None | Some(Value::Null) => false,
        Some(value) => value.as_array().is_none_or(|list| !list.is_empty()),
    })
}

/// The advisory database, if the report dates it.
fn database(root: &Node<'_, '_>) -> Result<Option<Value>, PredicateError> {
    let Some(database) = root.get("database") else {
        return Ok(None);
    };
    let Some(updated) = database.get("last-updated") else {
        return Ok(None);
    };
    updated.instant()?;
    Ok(Some(object([
        ("uri", Some("pkg:github/rustsec/advisory-db".into())),
        (
            "version",
            database.optional_text("last-commit")?.map(Value::from),
        ),
        ("lastUpdate", Some(updated.string()?.into())),
    ])))
}

fn ignored(root: &Node<'_, '_>) -> Result<Vec<Value>, PredicateError> {
    let Some(settings) = root.get("settings") else {
        return Ok(vec![]);
    };
    let Some(ignored) = settings.get("ignore") else {
        return Ok(vec![]);
    };
    ignored
        .items()?
        .map(|id| id.text().map(Value::from))
        .collect()
}

fn summary(root: &Node<'_, '_>) -> Result<Summary, PredicateError> {
    let mut summary = Vec::new();
    if let Some(count) = root
        .value()
        .pointer("/lockfile/dependency-count")
        .and_then(Value::as_u64)
    {
        summary.push(("dependencies".to_owned(), count.to_string()));
    }
    if let Some(warnings) = root.get("warnings") {
        for (kind, list) in warnings.members()? {
            summary.push((
                format!("warnings: {kind}"),
                list.items()?.count().to_string(),
            ));
        }
    }
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::check;
    use assay_claims::kind::scan::Vulns;

    /// Written for this test after rustsec's `Report`; the advisory is made up.
    const REPORT: &str = r#"{
      "database": {"advisory-count": 700, "last-commit": "84c633df9cfd422193fd3dc104a5e7cbfca9d328", "last-updated": "2026-06-13T13:10:24Z"},
      "lockfile": {"dependency-count": 12},
      "settings": {"target_arch": [], "target_os": [], "severity": null, "ignore": ["RUSTSEC-2020-0001"], "informational_warnings": ["unmaintained"]},
      "vulnerabilities": {"found": true, "count": 2, "list": [
        {"advisory": {"id": "RUSTSEC-2026-9999", "package": "left-shift", "title": "Shifts too far", "description": "…",
            "date": "2026-01-01", "aliases": ["CVE-2026-99999"], "related": [], "collection": "crates", "categories": [],
            "keywords": [], "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "informational": null, "references": [],
            "source": null, "url": null, "withdrawn": null, "license": "CC0-1.0"},
         "versions": {"patched": [">=1.0.1"], "unaffected": []}, "affected": null,
         "package": {"name": "left-shift", "version": "1.0.0", "source": null, "checksum": null, "dependencies": [], "replace": null}},
        {"advisory": {"id": "RUSTSEC-2026-9999", "package": "left-shift", "aliases": ["CVE-2026-99999"], "cvss": null},
         "versions": {"patched": [">=1.0.1"], "unaffected": []}, "affected": null,
         "package": {"name": "left-shift", "version": "0.9.0"}}
      ]},
      "warnings": {"yanked": [{"kind": "yanked", "package": {"name": "gone", "version": "0.1.0"}, "advisory": null}]}
    }"#;

    const NOW: &str = "2026-11-22T18:41:48Z";

    #[test]
    fn a_report_becomes_one_result_an_advisory() {
        let prepared = prepare("scan", "audit.json", REPORT.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        check(&prepared.predicate_type, &prepared.predicate).unwrap();
        let text = prepared.predicate.to_json();
        assert!(text.starts_with(concat!(
            r#"{"scanner":{"uri":"pkg:cargo/cargo-audit","db":{"uri":"pkg:github/rustsec/advisory-db","#,
            r#""version":"84c633df9cfd422193fd3dc104a5e7cbfca9d328","lastUpdate":"2026-06-13T13:10:24Z"},"#,
            r#""ignored":["RUSTSEC-2020-0001"],"result":[{"id":"RUSTSEC-2026-9999","#,
            r#""severity":[{"method":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],"#,
            r#""annotations":[{"aliases":["CVE-2026-99999"]},{"package":"left-shift","version":"1.0.0","ecosystem":"crates.io","purl":"pkg:cargo/left-shift@1.0.0"},"#,
            r#"{"package":"left-shift","version":"0.9.0","ecosystem":"crates.io","purl":"pkg:cargo/left-shift@0.9.0"}]},"#,
            r#"{"id":"CVE-2026-99999","severity":[],"annotations":[{"aliasOf":"RUSTSEC-2026-9999"}]}]},"#,
        )), "{text}");
        assert_eq!(prepared.attachment.unwrap().bytes, REPORT);
        assert!(
            prepared
                .summary
                .contains(&("warnings: yanked".into(), "1".into()))
        );
    }

    #[test]
    fn what_is_unsound_is_found_and_other_warnings_are_told() {
        let warning = |kind: &str| {
            format!(
                r#""{kind}": [{{"kind": "{kind}", "package": {{"name": "b", "version": "0.2.0"}},
                    "advisory": {{"id": "RUSTSEC-2026-0001", "aliases": ["CVE-2026-1"],
                    "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}}}], "yanked""#
            )
        };
        for (kind, expected) in [("unsound", 2), ("unmaintained", 0), ("notice", 0)] {
            let text = REPORT.replacen(r#""yanked""#, &warning(kind), 1);
            let claim = prepare("scan", "audit.json", text.as_bytes(), NOW)
                .unwrap()
                .remove(0);
            let results = claim.predicate.pointer("/scanner/result").unwrap();
            let names = results.as_array().unwrap().iter();
            let names = names.filter_map(|one| one.get("id")?.as_str());
            let found = names.filter(|id| ["RUSTSEC-2026-0001", "CVE-2026-1"].contains(id));
            assert_eq!(found.count(), expected, "{kind}");
            let told = (format!("warnings: {kind}"), "1".to_owned());
            assert!(claim.summary.contains(&told), "{kind}");
        }
    }

    #[test]
    fn a_report_of_some_advisories_is_not_whole() {
        for (from, to, is_whole) in [
            ("", "", true),
            (r#""severity": null"#, r#""severity": "high""#, false),
            (r#""target_os": []"#, r#""target_os": ["linux"]"#, false),
            (r#""target_arch": []"#, r#""target_arch": "x86_64""#, false),
            (r#""target_arch": []"#, r#""target_arch": null"#, true),
            (r#""advisory-count": 700"#, r#""advisory-count": 0"#, false),
        ] {
            let text = REPORT.replacen(from, to, 1);
            let claim = prepare("scan", "audit.json", text.as_bytes(), NOW).unwrap();
            let scan = Vulns::parse(&claim[0].predicate).unwrap();
            assert_eq!(scan.is_complete, is_whole, "{to}");
            let mut lines = claim[0].summary.iter();
            let told = lines.any(|(_, text)| text.contains("says nothing"));
            assert_eq!(told, !is_whole, "{to}");
        }
    }

    #[test]
    fn a_report_that_contradicts_itself_is_refused() {
        for (from, to, place) in [
            (r#""count": 2"#, r#""count": 0"#, "$.vulnerabilities.count"),
            (
                r#""found": true"#,
                r#""found": false"#,
                "$.vulnerabilities.found",
            ),
            (
                r#""version": "0.9.0""#,
                r#""version": 9"#,
                "$.vulnerabilities.list[1].package.version",
            ),
            (r#""list": ["#, r#""lists": ["#, "$.vulnerabilities.list"),
            (
                r#""2026-06-13T13:10:24Z""#,
                r#""yesterday""#,
                "$.database.last-updated",
            ),
        ] {
            let error = prepare(
                "scan",
                "audit.json",
                REPORT.replacen(from, to, 1).as_bytes(),
                NOW,
            )
            .unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
    }
}

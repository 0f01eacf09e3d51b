//! Records of OSV (ossf/osv-schema): the versions of packages that a vulnerability affects.
//!
//! Versions that are in an order that is known here are a range; of others the record's own list
//! is taken, version by version. A range whose order is not known stays one: then it counts against
//! every version of the package of which nobody can tell.

use super::super::draft::Prepared;
use super::super::ecosystem;
use super::super::error::DocumentError;
use super::super::informational::harmless;
use super::super::tool::{Source, Takes, Tool};
use super::order::{Bound, constraints};
use super::{Named, Ratings, Said, Statement, push_name};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use assay_claims::vers;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| {
        ["id", "modified", "affected"]
            .into_iter()
            .all(|key| value.get(key).is_some())
    }),
    prepare,
};

/// What stands for the versions of a package of which a record names only commits: a range that is
/// none of its type's, so that of no version it can be told whether it is in it.
const COMMITS: &str = "commits";

/// Most versions of one package that are listed.
const VERSIONS: usize = 20_000;

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    if let Some(withdrawn) = root.get("withdrawn") {
        let reason = "says that the record was withdrawn; withdraw the claims that were made of it \
                      with `assay withdraw`";
        return Err(withdrawn.fault(reason).into());
    }
    let modified = root.need("modified")?;
    modified.instant()?;
    let id = root.need("id")?.text()?;
    let aliases = aliases(&root, id)?;
    let mut said = Said {
        id: format!("https://osv.dev/vulnerability/{id}"),
        author: "not stated".to_owned(),
        version: 1,
        timestamp: Some(modified.string()?.to_owned()),
        format: "OSV".to_owned(),
        statements: Vec::new(),
        names: 0,
        aggregate: Ratings::default(),
        notes: Vec::new(),
    };
    let summary = root.shown("summary").map(str::to_owned);
    let (mut is_harmless, of_record) = (false, ratings(root.value()));
    for affected in root.need("affected")?.items()? {
        if let Some(kind) = harmless(affected.value()) {
            let note = format!("what is informational ({kind}) is no vulnerability, and left out");
            said.notes.push(note);
            is_harmless = true;
            continue;
        }
        let ratings = ratings(affected.value()).or(of_record.clone());
        for product in products(&affected, &mut said.notes)? {
            let statement = Statement {
                vulnerability: id.to_owned(),
                aliases: aliases.clone(),
                status: Status::Affected,
                justification: None,
                reason: summary.clone(),
                product,
                part: None,
                ratings: ratings.clone(),
                timestamp: None,
            };
            said.push(&affected, statement)?;
        }
    }
    if said.statements.is_empty() && is_harmless {
        let reason = "the OSV record is informational and of no vulnerability; say that support \
                      has ended with `assay publish lifecycle`";
        return Err(DocumentError::NotTaken(reason.into()));
    }
    if said.statements.is_empty() {
        let reason = "the OSV record names no package that has a package URL here: publish a scan \
                      by osv-scanner, or OpenVEX";
        return Err(said.nothing(reason));
    }
    said.claims(source, "application/json")
}

/// How severe a record says that a vulnerability is, or what it says of a package by itself, which
/// counts before that (OSV schema, "severity" and "affected[].severity").
fn ratings(value: &Value) -> Ratings {
    let mut ratings = Ratings::default();
    let list = value.get("severity").and_then(Value::as_array);
    for one in list.unwrap_or_default() {
        let method = one.get("type").and_then(Value::as_str);
        ratings.add_at(method.unwrap_or("CVSS"), one, "/score");
    }
    for part in ["database_specific", "ecosystem_specific"] {
        ratings.add_at("database", value, &format!("/{part}/severity"));
        // What Debian calls it; and RustSec's vector.
        ratings.add_at("urgency", value, &format!("/{part}/urgency"));
        let cvss = value.pointer(&format!("/{part}/cvss"));
        ratings.add_cvss(cvss, None);
    }
    ratings
}

/// The other names of a vulnerability. A record that is made of one other is of the same.
fn aliases(root: &Node<'_, '_>, id: &str) -> Result<Vec<String>, PredicateError> {
    let mut aliases = Vec::new();
    if let Some(list) = root.get("aliases") {
        for alias in list.items()? {
            push_name(root, &mut aliases, alias.text()?)?;
        }
    }
    if let Some(list) = root.get("upstream") {
        let mut all = list.items()?;
        if let (Some(one), None) = (all.next(), all.next()) {
            push_name(root, &mut aliases, one.text()?)?;
        }
    }
    aliases.retain(|alias| alias != id);
    Ok(aliases)
}

/// The versions of a package that a record calls affected.
fn products(
    affected: &Node<'_, '_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Named>, PredicateError> {
    let Some(package) = affected.get("package") else {
        notes.push("what is affected by its commits is left out".to_owned());
        return Ok(Vec::new());
    };
    let (system, name) = (
        package.need("ecosystem")?.text()?,
        package.need("name")?.text()?,
    );
    let purl = match package.optional_text("purl")? {
        Some(purl) => Purl::canonicalize(purl)
            .map(|purl| ecosystem::of_release(purl.without_case(), system))
            .map_err(|e| e.to_string()),
        None => ecosystem::purl_or_why(system, name, None),
    };
    let purl = match purl {
        Ok(purl) => purl,
        Err(why) => {
            notes.push(ecosystem::without_purl(system, name, &why));
            return Ok(Vec::new());
        }
    };
    let ty = purl.ty().to_owned();
    let any = Named {
        purls: vec![purl],
        ..Named::default()
    };
    let mut listed = Vec::new();
    if let Some(versions) = affected.get("versions") {
        for version in versions.items()? {
            if listed.len() == VERSIONS {
                return Err(versions.fault(format!("lists more than {VERSIONS} versions")));
            }
            let version = version.text()?;
            let missing = ty == "golang" && version.starts_with(|c: char| c.is_ascii_digit());
            let v = if missing { "v" } else { "" };
            listed.push(any.in_version(&format!("{v}{version}")));
        }
    }
    let mut ranges = ranges(affected, &any, &ty, listed.is_empty())?;
    if ranges.is_empty() && listed.is_empty() {
        let names_commits = affected.value().pointer("/ranges/0").is_some();
        if !names_commits {
            // Neither versions nor ranges: all of them, as the schema has it.
            return Ok(vec![any]);
        }
        notes.push(format!(
            "of {} only commits are named: which versions are affected cannot be decided",
            quoted(name)
        ));
        return Ok(vec![any.in_range(COMMITS)]);
    }
    ranges.extend(listed);
    Ok(ranges)
}

/// The ranges of versions that a record calls affected. Those whose order is not known are left out
/// where the record lists the versions, unless the range has no end and the list has.
fn ranges(
    affected: &Node<'_, '_>,
    any: &Named,
    ty: &str,
    alone: bool,
) -> Result<Vec<Named>, PredicateError> {
    let mut ranges = Vec::new();
    if let Some(list) = affected.get("ranges") {
        for range in list.items()? {
            let kind = range
                .need("type")?
                .one_of(&["SEMVER", "ECOSYSTEM", "GIT"])?;
            if kind == "GIT" {
                continue;
            }
            let scheme = match kind {
                _ if vers::is_ordered(ty) => ty,
                "SEMVER" => "semver",
                _ => ty,
            };
            let bounds = bounds(&range.need("events")?, scheme, ty)?;
            let last = bounds.rsplit('|').next().unwrap_or_default();
            let is_open = last == "*" || last.starts_with(">=");
            let vers = format!("vers:{scheme}/{bounds}");
            if vers::is_ordered(scheme) || is_open || alone {
                ranges.push(any.in_range(&vers));
            }
        }
    }
    Ok(ranges)
}

/// The events of a range as the constraints of a `vers:` range. Their order in the record means
/// nothing (OSV schema, "Evaluation").
fn bounds(events: &Node<'_, '_>, scheme: &str, ty: &str) -> Result<String, PredicateError> {
    let mut bounds: Vec<Bound<'_>> = Vec::new();
    let (mut any, mut from_all) = (false, false);
    for event in events.items()? {
        for (key, version) in event.members()? {
            let version = version.text()?;
            any = true;
            match key {
                "introduced" if version == "0" => from_all = true,
                "introduced" => bounds.push((">=", version)),
                "limit" if version == "*" => {}
                "fixed" | "limit" => bounds.push(("<", version)),
                "last_affected" => bounds.push(("<=", version)),
                _ => return Err(event.fault("is no event that is known")),
            }
        }
    }
    if !any {
        return Err(events.fault("holds no event"));
    }
    Ok(constraints(scheme, ty, bounds, from_all))
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::vex::Vex;
    use assay_claims::vers::{self, Applies};

    fn products(affected: &str) -> Result<Vec<String>, String> {
        let text = format!(
            r#"{{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z","aliases":["CVE-1"],"affected":[{affected}]}}"#
        );
        let claims = prepare("vex", "r.json", text.as_bytes(), "").map_err(|e| e.place())?;
        let mut products = Vec::new();
        for claim in claims {
            for one in Vex::parse(&claim.predicate).unwrap().statements {
                assert_eq!(
                    (one.vulnerability.as_str(), one.aliases.len()),
                    ("GHSA-1", 1)
                );
                assert_eq!(one.status.as_str(), "affected");
                products.push(one.products[0].name());
            }
        }
        Ok(products)
    }

    fn of(ecosystem: &str, name: &str, more: &str) -> Result<Vec<String>, String> {
        products(&format!(
            r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}}{more}}}"#
        ))
    }

    fn range(kind: &str, events: &str) -> String {
        format!(r#","ranges":[{{"type":"{kind}","events":[{events}]}}]"#)
    }

    #[test]
    fn ranges_and_versions_are_what_is_affected() {
        let until_2 = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;
        let twice = r#"{"introduced":"1.0.0"},{"fixed":"1.5.0"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"}"#;
        let grouped =
            r#"{"introduced":"2.0.0"},{"introduced":"1.0.0"},{"fixed":"2.10.0"},{"fixed":"1.5.0"}"#;
        for (ecosystem, more, expected) in [
            (
                "npm",
                range("SEMVER", until_2),
                &["pkg:npm/a?vers=vers:npm%2F%3C2.0.0"][..],
            ),
            (
                "crates.io",
                range("SEMVER", twice),
                &[
                    "pkg:cargo/a?vers=vers:cargo%2F%3E%3D1.0.0%7C%3C1.5.0%7C%3E%3D2.0.0%7C%3C%3D2.1.0",
                ],
            ),
            (
                "npm",
                range("SEMVER", r#"{"introduced":"0"}"#),
                &["pkg:npm/a?vers=vers:npm%2F%2A"],
            ),
            (
                "Hex",
                range("SEMVER", until_2),
                &["pkg:hex/a?vers=vers:hex%2F%3C2.0.0"],
            ),
            (
                "npm",
                range("SEMVER", grouped),
                &["pkg:npm/a?vers=vers:npm%2F%3E%3D1.0.0%7C%3C1.5.0%7C%3E%3D2.0.0%7C%3C2.10.0"],
            ),
            (
                "npm",
                range("SEMVER", r#"{"fixed":"1.0.0"},{"introduced":"0"}"#),
                &["pkg:npm/a?vers=vers:npm%2F%3C1.0.0"],
            ),
        ] {
            let products = of(ecosystem, "a", &more).unwrap();
            assert_eq!(products, expected, "{ecosystem} {more}");
        }
    }

    #[test]
    fn ranges_are_joined_and_lists_stand_beside_them() {
        let until_2 = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;
        let joined =
            r#"{"introduced":"0"},{"fixed":"1.5.0"},{"introduced":"1.5.0"},{"fixed":"2.0.0"}"#;
        for (ecosystem, more, expected) in [
            // A range that goes on where it ends, and one that begins within another.
            (
                "npm",
                range("SEMVER", joined),
                &["pkg:npm/a?vers=vers:npm%2F%3C2.0.0"][..],
            ),
            (
                "npm",
                range("SEMVER", r#"{"introduced":"0"},{"introduced":"3.0.0"}"#),
                &["pkg:npm/a?vers=vers:npm%2F%2A"],
            ),
            // Of versions in an order that is not known the list alone is taken.
            (
                "PyPI",
                format!(
                    r#"{},"versions":["1.0","1.1"]"#,
                    range("ECOSYSTEM", until_2)
                ),
                &[
                    "pkg:pypi/a?vers=vers:pypi%2F%3C2.0.0",
                    "pkg:pypi/a@1.0",
                    "pkg:pypi/a@1.1",
                ],
            ),
            (
                "PyPI",
                range("ECOSYSTEM", until_2),
                &["pkg:pypi/a?vers=vers:pypi%2F%3C2.0.0"],
            ),
            ("npm", String::new(), &["pkg:npm/a"]),
        ] {
            let products = of(ecosystem, "a", &more).unwrap();
            assert_eq!(products, expected, "{ecosystem} {more}");
        }
    }

    /// Which versions were made of commits nobody can tell: neither that all are affected, nor that
    /// one is not.
    #[test]
    fn of_commits_it_cannot_be_told_which_versions_they_are() {
        let commits = range("GIT", r#"{"introduced":"0"},{"fixed":"6f1"}"#);
        for ecosystem in ["npm", "PyPI", "Bioconductor"] {
            let products = of(ecosystem, "a", &commits).unwrap();
            let ty = &ecosystem.to_lowercase();
            assert_eq!(products, [format!("pkg:{ty}/a?vers=commits")]);
            assert_eq!(
                vers::contains(super::COMMITS, ty, "1.0.0"),
                Applies::Undecided
            );
        }
        let text = format!(
            r#"{{"id":"G","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"a"}}{commits}}}]}}"#
        );
        let claims = prepare("vex", "r.json", text.as_bytes(), "").unwrap();
        let mut said = claims[0].summary.iter();
        assert!(said.any(|(_, note)| note.contains("of \"a\" only commits are named")));
        // Versions and other ranges beside them are what is said.
        let listed = format!(r#"{commits},"versions":["1.0"]"#);
        assert_eq!(of("npm", "a", &listed).unwrap(), ["pkg:npm/a@1.0"]);
        // An empty list of ranges names nothing.
        let none = r#","ranges":[],"versions":[]"#;
        assert_eq!(of("npm", "a", none).unwrap(), ["pkg:npm/a"]);
    }

    #[test]
    fn a_list_ends_and_a_range_without_an_end_does_not() {
        for (events, expected) in [
            (
                r#"{"introduced":"0"},{"fixed":"2"}"#,
                &["pkg:bioconductor/a@1.0"][..],
            ),
            (
                r#"{"introduced":"0"}"#,
                &[
                    "pkg:bioconductor/a?vers=vers:bioconductor%2F%2A",
                    "pkg:bioconductor/a@1.0",
                ],
            ),
            (
                r#"{"introduced":"1"}"#,
                &[
                    "pkg:bioconductor/a?vers=vers:bioconductor%2F%3E%3D1",
                    "pkg:bioconductor/a@1.0",
                ],
            ),
        ] {
            let more = format!(r#"{},"versions":["1.0"]"#, range("ECOSYSTEM", events));
            assert_eq!(
                of("Bioconductor", "a", &more).unwrap(),
                expected,
                "{events}"
            );
        }
    }

    #[test]
    fn a_record_that_is_made_of_one_other_is_of_the_same() {
        for (upstream, expected) in [
            (r#""CVE-2""#, &["CVE-1", "CVE-2"][..]),
            (r#""CVE-1""#, &["CVE-1"]),
            (r#""CVE-2","CVE-3""#, &["CVE-1"]),
            ("", &["CVE-1"]),
        ] {
            let text = format!(
                r#"{{"id":"DEBIAN-CVE-1","modified":"2026-01-01T00:00:00Z","aliases":["CVE-1"],"upstream":[{upstream}],"affected":[{{"package":{{"ecosystem":"npm","name":"a"}}}}]}}"#
            );
            let claim = prepare("vex", "r.json", text.as_bytes(), "")
                .unwrap()
                .remove(0);
            let vex = Vex::parse(&claim.predicate).unwrap();
            assert_eq!(vex.statements[0].aliases, expected, "{upstream}");
        }
        let many: Vec<String> = (0..102).map(|i| format!(r#""CVE-{i}""#)).collect();
        let text = format!(
            r#"{{"id":"A","modified":"2026-01-01T00:00:00Z","aliases":[{}],"affected":[]}}"#,
            many.join(",")
        );
        let error = prepare("vex", "r.json", text.as_bytes(), "").unwrap_err();
        assert_eq!(error.place(), "$");
    }

    #[test]
    fn what_is_informational_is_no_vulnerability() {
        let kind = |kind| format!(r#","database_specific":{{"informational":{kind}}}"#);
        for harmless in [r#""unmaintained""#, r#""notice""#] {
            let refused = of("crates.io", "a", &kind(harmless));
            assert_eq!(refused, Err("$".to_owned()), "{harmless}");
        }
        for other in [r#""unsound""#, "null"] {
            let products = of("crates.io", "a", &kind(other)).unwrap();
            assert_eq!(products, ["pkg:cargo/a"], "{other}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(of("Nowhere", "a", ""), Err("$".into()));
        let path = "$.affected[0].ranges[0]";
        assert_eq!(
            of("npm", "a", &range("TIME", "")),
            Err(format!("{path}.type"))
        );
        assert_eq!(
            of("npm", "a", &range("SEMVER", "")),
            Err(format!("{path}.events"))
        );
        let event = range("SEMVER", r#"{"mended":"1"}"#);
        assert_eq!(of("npm", "a", &event), Err(format!("{path}.events[0]")));
        assert_eq!(of("npm", "", ""), Err("$.affected[0].package.name".into()));
        let many = vec![r#""1.0""#; super::VERSIONS + 1].join(",");
        let error = of("npm", "a", &format!(r#","versions":[{many}]"#));
        assert_eq!(error, Err("$.affected[0].versions".into()));
        let text = r#"{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z","withdrawn":"2026-02-01T00:00:00Z","affected":[]}"#;
        let error = prepare("vex", "r.json", text.as_bytes(), "").unwrap_err();
        assert_eq!(error.place(), "$.withdrawn");
    }
}

//! Advisories of GitHub's API (`GET /advisories/GHSA-…`, and those of a repository): the versions
//! of packages that a vulnerability affects. One of a repository that is not published is refused:
//! a log is public, and forgets nothing.

use super::super::draft::Prepared;
use super::super::ecosystem;
use super::super::error::DocumentError;
use super::super::tool::{Source, Takes, Tool};
use super::order::{Bound, any_of};
use super::product::is_version;
use super::{Named, Ratings, Said, Statement, words};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::vex::Status;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| {
        value.get("ghsa_id").is_some() && value.get("vulnerabilities").is_some()
    }),
    prepare,
};

/// What GitHub calls the ecosystems of OSV.
const ECOSYSTEMS: [(&str, &str); 12] = [
    ("npm", "npm"),
    ("pip", "PyPI"),
    ("rust", "crates.io"),
    ("go", "Go"),
    ("maven", "Maven"),
    ("rubygems", "RubyGems"),
    ("nuget", "NuGet"),
    ("composer", "Packagist"),
    ("erlang", "Hex"),
    ("pub", "Pub"),
    ("swift", "SwiftURL"),
    ("actions", "GitHub Actions"),
];

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    if let Some(withdrawn) = root.optional_text("withdrawn_at")? {
        let reason = format!(
            "was withdrawn at {}; withdraw the claims that were made of it with `assay withdraw`",
            quoted(withdrawn)
        );
        return Err(root.fault(reason).into());
    }
    is_published(&root)?;
    let updated = root.need("updated_at")?;
    updated.instant()?;
    let id = root.need("ghsa_id")?.text()?;
    let mut said = Said {
        id: format!("https://github.com/advisories/{id}"),
        author: "GitHub".to_owned(),
        version: 1,
        timestamp: Some(updated.string()?.to_owned()),
        format: "GitHub advisory".to_owned(),
        statements: Vec::new(),
        names: 0,
        aggregate: Ratings::default(),
        notes: Vec::new(),
    };
    let cve = root.optional_text("cve_id")?.map(str::to_owned);
    let ratings = ratings(root.value());
    for affected in root.need("vulnerabilities")?.items()? {
        let Some(product) = product(&affected, &mut said.notes)? else {
            continue;
        };
        let statement = Statement {
            vulnerability: id.to_owned(),
            aliases: cve.iter().cloned().collect(),
            status: Status::Affected,
            justification: None,
            reason: root.shown("summary").map(str::to_owned),
            product,
            part: None,
            ratings: ratings.clone(),
            timestamp: None,
        };
        said.push(&affected, statement)?;
    }
    if said.statements.is_empty() {
        let reason = "the advisory names no package that has a package URL here: publish a scan by \
                      osv-scanner, or OpenVEX";
        return Err(said.nothing(reason));
    }
    said.claims(source, "application/json")
}

/// Refuses an advisory whose state in its repository is another one than published. Those of
/// GitHub's own database have no state.
fn is_published(root: &Node<'_, '_>) -> Result<(), PredicateError> {
    let Some(state) = root.get("state") else {
        return Ok(());
    };
    let states = ["published", "closed", "withdrawn", "draft", "triage"];
    match state.one_of(&states)? {
        "published" => Ok(()),
        "closed" | "withdrawn" => Err(state.fault(
            "says that its repository rejected it or took it back; withdraw the claims that were \
             made of it with `assay withdraw`",
        )),
        _ => Err(state.fault(
            "says that the advisory is not public, and a log is public and forgets nothing; \
             publish it when it is published",
        )),
    }
}

/// How severe an advisory says that it is. A score of zero without a vector is none.
fn ratings(advisory: &Value) -> Ratings {
    let mut ratings = Ratings::default();
    ratings.add_at("database", advisory, "/severity");
    for at in [
        "/cvss",
        "/cvss_severities/cvss_v3",
        "/cvss_severities/cvss_v4",
    ] {
        ratings.add_cvss(advisory.pointer(&format!("{at}/vector_string")), None);
    }
    ratings
}

/// The versions of a package that an advisory calls affected.
fn product(
    affected: &Node<'_, '_>,
    notes: &mut Vec<String>,
) -> Result<Option<Named>, PredicateError> {
    let package = affected.need("package")?;
    let (system, name) = (
        package.need("ecosystem")?.text()?,
        package.need("name")?.text()?,
    );
    let known = ECOSYSTEMS
        .iter()
        .find(|(theirs, _)| theirs.eq_ignore_ascii_case(system));
    let osv = known.map_or("", |(_, osv)| osv);
    let purl = match ecosystem::purl_or_why(osv, name, None) {
        Ok(purl) => purl,
        Err(why) => {
            notes.push(ecosystem::without_purl(system, name, &why));
            return Ok(None);
        }
    };
    let ty = purl.ty().to_owned();
    let any = Named {
        purls: vec![purl],
        ..Named::default()
    };
    let Some(range) = affected.get("vulnerable_version_range") else {
        return Ok(Some(any));
    };
    let text = range.text()?;
    let known = words::range(&ty, text).or_else(|| in_parts(&ty, text));
    let known = known.ok_or_else(|| {
        range.fault(format!(
            "has {}, which is no range of versions that can be told; write it as \
             `>= 1.0.0, < 1.2.0`, with `||` between several, or leave it out if all versions are \
             affected",
            quoted(text)
        ))
    })?;
    Ok(Some(any.in_range(&known)))
}

/// A range as GitHub writes it, of any versions that a package can have.
fn in_parts(ty: &str, text: &str) -> Option<String> {
    if text.len() > words::LENGTH {
        return None;
    }
    let groups = text.split("||").map(|group| group.split(',').map(bound));
    let groups = groups.map(Iterator::collect::<Option<Vec<_>>>);
    let all = any_of(ty, ty, &groups.collect::<Option<Vec<_>>>()?)?;
    Some(format!("vers:{ty}/{all}"))
}

fn bound(text: &str) -> Option<Bound<'_>> {
    let text = text.trim();
    let mut signs = ["<=", ">=", "<", ">", "="].into_iter();
    let signed = signs.find_map(|sign| Some((sign, text.strip_prefix(sign)?.trim())));
    let Some((sign, version)) = signed else {
        return is_version(text).then(|| ("=", text.into()));
    };
    // Behind a sign stands a version, whatever it looks like.
    let is_one = !version.is_empty()
        && !version.contains(|c: char| c.is_whitespace() || "<>=|*^~!".contains(c))
        && !words::is_open(version);
    is_one.then(|| (sign, version.into()))
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::vex::Vex;

    fn product(affected: &str) -> Result<String, String> {
        let text = format!(
            r#"{{"ghsa_id":"GHSA-1","cve_id":"CVE-1","updated_at":"2026-01-01T00:00:00Z","withdrawn_at":null,"vulnerabilities":[{affected}]}}"#
        );
        let claims = prepare("vex", "g.json", text.as_bytes(), "").map_err(|e| e.place())?;
        let vex = Vex::parse(&claims[0].predicate).unwrap();
        let one = &vex.statements[0];
        assert_eq!((one.status.as_str(), one.aliases.len()), ("affected", 1));
        Ok(one.products[0].name())
    }

    #[test]
    fn an_advisory_says_which_versions_are_affected() {
        for (system, range, expected) in [
            (
                "npm",
                ">= 1.0.0, < 1.2.0",
                "pkg:npm/a?vers=vers:npm%2F%3E%3D1.0.0%7C%3C1.2.0",
            ),
            (
                "npm",
                "< 1.10.0, >= 1.9.0",
                "pkg:npm/a?vers=vers:npm%2F%3E%3D1.9.0%7C%3C1.10.0",
            ),
            (
                "rust",
                "<= 0.3.1",
                "pkg:cargo/a?vers=vers:cargo%2F%3C%3D0.3.1",
            ),
            ("npm", "= 1.0.0", "pkg:npm/a?vers=vers:npm%2F1.0.0"),
            (
                "npm",
                ">= 1.0.0, <= 1.0.0",
                "pkg:npm/a?vers=vers:npm%2F1.0.0",
            ),
            (
                "npm",
                "< 1.2.3 || >= 2.0.0, < 2.1.0",
                "pkg:npm/a?vers=vers:npm%2F%3C1.2.3%7C%3E%3D2.0.0%7C%3C2.1.0",
            ),
            (
                "npm",
                "1.x",
                "pkg:npm/a?vers=vers:npm%2F%3E%3D1.0.0-0%7C%3C2.0.0-0",
            ),
            ("npm", "<1.2.0", "pkg:npm/a?vers=vers:npm%2F%3C1.2.0"),
            ("npm", "All versions", "pkg:npm/a?vers=vers:npm%2F%2A"),
            (
                "composer",
                "= dev-main",
                "pkg:composer/v/a?vers=vers:composer%2Fdev-main",
            ),
            // Nobody can tell what is below a word, which is said for all that.
            (
                "npm",
                "< Hoxton.SR1",
                "pkg:npm/a?vers=vers:npm%2F%3CHoxton.SR1",
            ),
        ] {
            let name = if system == "composer" { "v/a" } else { "a" };
            let affected = format!(
                r#"{{"package":{{"ecosystem":"{system}","name":"{name}"}},"vulnerable_version_range":"{range}"}}"#
            );
            assert_eq!(product(&affected).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_range_or_no_package_is_refused() {
        for wrong in [
            "~ 1",
            "some",
            "< 2.x",
            "< ^2",
            "< 1.x || >= 2.0.0",
            ">= 2.0.0, < 1.0.0",
            "= 1.0.0, = 2.0.0",
            "<",
        ] {
            let affected = format!(
                r#"{{"package":{{"ecosystem":"npm","name":"a"}},"vulnerable_version_range":"{wrong}"}}"#
            );
            let path = "$.vulnerabilities[0].vulnerable_version_range";
            assert_eq!(product(&affected), Err(path.to_owned()), "{wrong}");
        }
        let nowhere = r#"{"package":{"ecosystem":"other","name":"a"}}"#;
        assert_eq!(product(nowhere), Err("$".to_owned()));
        let withdrawn = r#"{"ghsa_id":"G","updated_at":"2026-01-01T00:00:00Z","withdrawn_at":"2026-01-02T00:00:00Z","vulnerabilities":[]}"#;
        let error = prepare("vex", "g.json", withdrawn.as_bytes(), "").unwrap_err();
        assert!(error.to_string().contains("was withdrawn at"), "{error}");
    }

    #[test]
    fn what_a_repository_has_not_published_is_refused() {
        let of = |state: &str| {
            let text = format!(
                r#"{{"ghsa_id":"GHSA-1","updated_at":"2026-01-01T00:00:00Z"{state},"vulnerabilities":[
                {{"package":{{"ecosystem":"npm","name":"a"}}}}]}}"#
            );
            prepare("vex", "g.json", text.as_bytes(), "")
        };
        for state in ["", r#","state":"published""#, r#","state":null"#] {
            assert_eq!(of(state).unwrap().len(), 1, "{state}");
        }
        for (state, why) in [
            ("draft", "is not public"),
            ("triage", "is not public"),
            ("closed", "rejected it"),
            ("withdrawn", "took it back"),
            ("other", "published"),
        ] {
            let error = of(&format!(r#","state":"{state}""#)).unwrap_err();
            assert_eq!(error.place(), "$.state");
            assert!(error.to_string().contains(why), "{state}: {error}");
        }
    }
}

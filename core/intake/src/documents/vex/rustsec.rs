//! Advisories of RustSec's database: Markdown behind a block of TOML.
//!
//! An advisory says which versions of a crate are patched and which were never affected. All others
//! are affected.

use super::super::cargo_vet::range;
use super::super::document::Document;
use super::super::draft::Prepared;
use super::super::error::DocumentError;
use super::super::informational::is_harmless;
use super::super::tool::{Source, Takes, Tool};
use super::{Named, Ratings, Said, Statement, push_name};
use crate::toml;
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::purl::{Components, Purl};
use assay_claims::time;
use semver::VersionReq;

/// How an advisory begins.
const FENCE: &[u8] = b"```toml";

/// Most requirements of one advisory.
const REQUIREMENTS: usize = 1000;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Bytes(|body| body.starts_with(FENCE)),
    prepare,
};

/// The block of TOML that an advisory begins with. Errors say the line of the document.
pub(crate) fn front_matter(document: &Document) -> Result<Value, DocumentError> {
    let line = |reason: &str| DocumentError::Line {
        line: 1,
        reason: reason.to_owned(),
    };
    let body = document.body().strip_prefix(FENCE);
    let body = body.ok_or_else(|| line("is not ```toml, with which an advisory begins"))?;
    // The block keeps its first end of a line, so that its lines are those of the document.
    let mut fences = body.windows(4).enumerate();
    let end = fences.find(|(_, bytes)| *bytes == b"\n```");
    let (end, _) = end.ok_or_else(|| line("begins a block of TOML that has no end"))?;
    let block = body.get(..=end).unwrap_or_default();
    toml::parse(&Document::new("advisory", block)?)
}

/// Whether the advisory was withdrawn.
pub(crate) fn is_withdrawn(matter: &Value) -> bool {
    matter.pointer("/advisory/withdrawn").is_some()
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let matter = front_matter(source.document)?;
    let root = Node::root("$", &matter);
    let advisory = root.need("advisory")?;
    if let Some(withdrawn) = advisory.get("withdrawn") {
        let reason = "says that the advisory was withdrawn; withdraw the claims that were made of \
                      it with `assay withdraw`";
        return Err(withdrawn.fault(reason).into());
    }
    of_vulnerability(&advisory)?;
    let id = advisory.need("id")?.text()?;
    let date = advisory.need("date")?;
    let day = date.string()?;
    if !time::is_date(day) {
        return Err(date.fault("is no date such as 2026-11-22").into());
    }
    let package = advisory.need("package")?;
    let purl = Purl::build(Components {
        ty: "cargo".to_owned(),
        name: package.text()?.to_owned(),
        ..Components::default()
    })
    .map_err(|e| package.fault(format!("has no package URL: {e}")))?;
    let any = Named {
        purls: vec![purl],
        ..Named::default()
    };
    let Some(range) = affected(&root)? else {
        let reason = "the advisory calls no version affected, so that there is nothing to claim";
        return Err(DocumentError::NotTaken(reason.into()));
    };
    let mut said = Said {
        id: format!("https://rustsec.org/advisories/{id}.html"),
        author: "not stated".to_owned(),
        version: 1,
        timestamp: Some(format!("{day}T00:00:00Z")),
        format: "RustSec advisory".to_owned(),
        statements: Vec::new(),
        names: 0,
        aggregate: Ratings::default(),
        notes: Vec::new(),
    };
    let mut ratings = Ratings::default();
    ratings.add_cvss(advisory.value().get("cvss"), None);
    let statement = Statement {
        vulnerability: id.to_owned(),
        aliases: aliases(&advisory, id)?,
        status: Status::Affected,
        justification: None,
        reason: title(source.document.body()),
        product: any.in_range(&range),
        part: None,
        ratings,
        timestamp: None,
    };
    said.push(&root, statement)?;
    said.claims(source, "text/markdown")
}

/// Refused if the advisory says that it is of no vulnerability.
fn of_vulnerability(advisory: &Node<'_, '_>) -> Result<(), DocumentError> {
    let kind = advisory.optional_text("informational")?;
    let Some(kind) = kind.filter(|kind| is_harmless(kind)) else {
        return Ok(());
    };
    let reason = format!(
        "the advisory is informational ({kind}) and of no vulnerability; say that support has \
         ended with `assay publish lifecycle`"
    );
    Err(DocumentError::NotTaken(reason))
}

/// The versions that are neither patched nor were ever affected.
fn affected(root: &Node<'_, '_>) -> Result<Option<String>, PredicateError> {
    let versions = root.need("versions")?;
    versions.need("patched")?;
    let mut requirements = Vec::new();
    for key in ["patched", "unaffected"] {
        let Some(list) = versions.get(key) else {
            continue;
        };
        for one in list.items()? {
            if requirements.len() == REQUIREMENTS {
                return Err(list.fault(format!("lists more than {REQUIREMENTS} ranges")));
            }
            let text = one.text()?;
            let requirement = VersionReq::parse(text)
                .map_err(|_| one.fault(format!("has {}, which is no range", quoted(text))))?;
            requirements.push(requirement);
        }
    }
    Ok(range::outside(&requirements))
}

fn aliases(advisory: &Node<'_, '_>, id: &str) -> Result<Vec<String>, PredicateError> {
    let mut aliases = Vec::new();
    if let Some(list) = advisory.get("aliases") {
        for alias in list.items()? {
            push_name(advisory, &mut aliases, alias.text()?)?;
        }
    }
    aliases.retain(|alias| alias != id);
    Ok(aliases)
}

/// The first heading of the text.
fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let heading = text.lines().find_map(|line| line.strip_prefix("# "))?;
    Some(heading.trim().to_owned()).filter(|heading| !heading.is_empty())
}

#[cfg(test)]
mod tests {
    use super::REQUIREMENTS;
    use crate::documents::prepare;
    use assay_claims::kind::vex::Vex;
    use assay_claims::purl::Purl;
    use assay_claims::vers::{self, Applies, QUALIFIER};

    const ADVISORY: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"a\"\n\
        date = \"2099-01-02\"\naliases = [\"CVE-2099-1\"]\n\n[versions]\n\
        patched = [\">= 1.2.3\", \"^0.9.4\"]\nunaffected = [\"< 0.5.0\"]\n```\n\n\
        # Reads beyond the end\n\nText with ``` in it.\n";

    fn place(from: &str, to: &str) -> String {
        assert!(ADVISORY.contains(from), "{from}");
        let text = ADVISORY.replacen(from, to, 1);
        prepare("vex", "a.md", text.as_bytes(), "")
            .unwrap_err()
            .place()
    }

    #[test]
    fn versions_that_are_not_patched_are_affected() {
        let claims = prepare("vex", "a.md", ADVISORY.as_bytes(), "").unwrap();
        let vex = Vex::parse(&claims[0].predicate).unwrap();
        let one = &vex.statements[0];
        assert_eq!(
            (one.vulnerability.as_str(), one.status.as_str()),
            ("RUSTSEC-2099-0001", "affected")
        );
        assert_eq!(one.aliases, ["CVE-2099-1"]);
        assert_eq!(
            one.products[0].name(),
            "pkg:cargo/a?vers=vers:cargo%2F%3E%3D0.5.0%7C%3C0.9.4%7C%3E%3D0.10.0-0%7C%3C1.2.3"
        );
        let json = claims[0].predicate.to_json();
        assert!(json.contains("Reads beyond the end"), "{json}");
    }

    #[test]
    fn a_version_alone_can_be_patched_or_never_affected() {
        for (from, to) in [
            (r#""^0.9.4""#, r#""=1.0.5""#),
            (r#""< 0.5.0""#, r#""=1.0.5""#),
        ] {
            let text = ADVISORY.replacen(from, to, 1);
            let claims = prepare("vex", "a.md", text.as_bytes(), "").unwrap();
            let vex = Vex::parse(&claims[0].predicate).unwrap();
            let purl = Purl::parse(&vex.statements[0].products[0].name()).unwrap();
            let range = purl.qualifier(QUALIFIER).unwrap();
            for (version, expected) in [
                ("1.0.4", Applies::Yes),
                ("1.0.5", Applies::No),
                ("1.0.6", Applies::Yes),
                ("1.2.3", Applies::No),
            ] {
                let said = vers::contains(range, "cargo", version);
                assert_eq!(said, expected, "{range} {version}");
            }
        }
    }

    #[test]
    fn what_is_informational_is_no_vulnerability() {
        for (kind, expected) in [
            ("unmaintained", false),
            ("notice", false),
            ("unsound", true),
        ] {
            let kind = format!("informational = \"{kind}\"\naliases");
            let text = ADVISORY.replacen("aliases", &kind, 1);
            let claims = prepare("vex", "a.md", text.as_bytes(), "");
            assert_eq!(claims.is_ok(), expected, "{kind}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let many = vec!["\"^0.9.4\""; REQUIREMENTS].join(", ");
        for (from, to, expected) in [
            ("\"^0.9.4\"", &*many, "$.versions.patched"),
            ("package = \"a\"\n", "", "$.advisory.package"),
            ("2099-01-02", "soon", "$.advisory.date"),
            (">= 1.2.3", "newer", "$.versions.patched[0]"),
            ("patched = ", "mended = ", "$.versions.patched"),
            ("\n```\n", "\n", "line 1"),
            ("id = ", "id : ", "line 3, column 4"),
            (
                "aliases",
                "withdrawn = \"2099-02-01\"\naliases",
                "$.advisory.withdrawn",
            ),
            ("\"^0.9.4\"", "\"*\"", "$"),
        ] {
            assert_eq!(place(from, to), expected, "{from} {to}");
        }
    }
}

//! Records of OSV (ossf/osv-schema): the versions of packages that a vulnerability affects.
//!
//! Versions that are in an order that is known here are a range; of others the record's own list
//! is taken, version by version. A range whose order is not known stays one: then it counts against
//! every version of the package of which nobody can tell.

use super::super::document::Document;
use super::super::draft::Prepared;
use super::super::error::DocumentError;
use super::super::informational::harmless;
use super::super::tool::{Source, Takes, Tool};
use super::order::{Bound, in_parts, may_go_on, of_events};
use super::{Named, Ratings, Said, Statement, push_name};
use crate::yaml;
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

/// What stands for the versions of a range whose events do not say which they are: as `COMMITS`.
const EVENTS: &str = "events";

/// Most bytes of a range, of which a purl has room for as many when it is encoded.
const RANGE_BYTES: usize = 400;

/// Most versions of one package that are listed.
const VERSIONS: usize = 20_000;

/// Whether a document is a record in YAML, as the databases of Python and R have theirs.
pub(crate) fn is_yaml(body: &[u8]) -> bool {
    ["id:", "affected:"].into_iter().all(|key| {
        let mut lines = body.split(|byte| *byte == b'\n');
        lines.any(|line| line.starts_with(key.as_bytes()))
    })
}

/// The value of a record in YAML, or of any document in JSON.
pub(crate) fn value(document: &Document) -> Result<Value, DocumentError> {
    if is_yaml(document.body()) {
        yaml::parse(document)
    } else {
        document.json()
    }
}

fn media_type(document: &Document) -> &'static str {
    if is_yaml(document.body()) {
        "application/yaml"
    } else {
        "application/json"
    }
}

/// A version. In YAML one of two numbers looks like a number, and is what is written.
fn version<'v>(node: &Node<'v, '_>) -> Result<&'v str, PredicateError> {
    match node.value() {
        Value::Number(number) if !number.as_str().contains(['e', 'E', '-']) => Ok(number.as_str()),
        _ => node.text(),
    }
}

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
    said.claims(source, media_type(source.document))
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
    let mut all = Vec::new();
    for purl in package::purls(affected, notes)? {
        all.extend(of_package(affected, purl, notes)?);
    }
    Ok(all)
}

/// The versions of a package that has this purl.
fn of_package(
    affected: &Node<'_, '_>,
    purl: Purl,
    notes: &mut Vec<String>,
) -> Result<Vec<Named>, PredicateError> {
    let name = purl.name().to_owned();
    let ty = purl.ty().to_owned();
    let any = Named {
        purls: vec![purl],
        ..Named::default()
    };
    let mut listed = Vec::new();
    if let Some(versions) = affected.get("versions") {
        for one in versions.items()? {
            if listed.len() == VERSIONS {
                return Err(versions.fault(format!("lists more than {VERSIONS} versions")));
            }
            let version = version(&one)?;
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
            quoted(&name)
        ));
        return Ok(vec![any.in_range(COMMITS)]);
    }
    ranges.extend(listed);
    Ok(ranges)
}

/// The ranges of versions that a record calls affected. Those whose order is not known are left out
/// where the record lists the versions, unless the range has no end and the list has, or may have
/// none.
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
            let events = Events::read(&range.need("events")?)?;
            let begun = (events.bounds.as_slice(), events.from_all);
            let bounds = of_events(scheme, ty, begun, &events.limits);
            let Some(bounds) = bounds else {
                if alone || may_go_on(scheme, ty, (&events.bounds, &events.limits)) {
                    ranges.push(any.in_range(EVENTS));
                }
                continue;
            };
            let last = bounds.rsplit('|').next().unwrap_or_default();
            let is_open = last == "*" || last.starts_with(">=");
            if !package::has_order(affected) {
                if is_open || alone {
                    ranges.push(any.in_range(EVENTS));
                }
            } else if vers::is_ordered(scheme) || is_open || alone {
                let parts = in_parts(&bounds, RANGE_BYTES).into_iter();
                ranges.extend(parts.map(|part| any.in_range(&format!("vers:{scheme}/{part}"))));
            }
        }
    }
    Ok(ranges)
}

/// The events of a range. Their order in the record means nothing (OSV schema, "Evaluation").
struct Events<'v> {
    /// Where it begins and ends.
    bounds: Vec<Bound<'v>>,
    /// Whether it begins with the first version of all.
    from_all: bool,
    /// What it is below, if anything.
    limits: Vec<Bound<'v>>,
}

impl<'v> Events<'v> {
    fn read(events: &Node<'_, 'v>) -> Result<Self, PredicateError> {
        let (mut bounds, mut limits): (Vec<Bound<'v>>, Vec<Bound<'v>>) = (Vec::new(), Vec::new());
        let (mut any, mut from_all, mut unlimited) = (false, false, false);
        for event in events.items()? {
            for (key, at) in event.members()? {
                let version = version(&at)?;
                any = true;
                match key {
                    "introduced" if version == "0" => from_all = true,
                    "introduced" => bounds.push((">=", version.into())),
                    "limit" if version == "*" => unlimited = true,
                    "limit" => limits.push(("<", version.into())),
                    "fixed" => bounds.push(("<", version.into())),
                    "last_affected" => bounds.push(("<=", version.into())),
                    _ => return Err(event.fault("is no event that is known")),
                }
            }
        }
        if !any {
            return Err(events.fault("holds no event"));
        }
        if unlimited {
            limits.clear();
        }
        Ok(Events {
            bounds,
            from_all,
            limits,
        })
    }
}

mod package;
#[cfg(test)]
mod tests;

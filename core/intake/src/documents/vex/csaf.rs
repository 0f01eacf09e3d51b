//! CSAF 2.0 and 2.1 (OASIS), whose profile 5 is VEX; whatever its profile, a document that says of
//! products how they stand to vulnerabilities is read.
//!
//! A product is known by the purls and digests of its `product_identification_helper`, in the
//! version that its branch names. What clears some units of it, by serial or model numbers, clears
//! not all. A product that is part of another, by `relationships`, is so
//! here. A document that is not for everybody is refused: a log is public, and forgets nothing.

mod helper;
mod module;
mod release;
mod span;
mod tree;

use super::super::draft::Prepared;
use super::super::error::DocumentError;
use super::super::tool::{Source, Takes, Tool};
use super::{Ratings, Said, Statement, justification, push_name};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::vulnerability::is_listed;
use span::Spans;
use std::collections::{HashMap, HashSet};
use tree::Tree;

pub(in super::super) const TOOL: Tool = Tool {
    takes: Takes::Value(|value| value.pointer("/document/csaf_version").is_some()),
    prepare,
};

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let document = root.need("document")?;
    let version = document.need("csaf_version")?.one_of(&["2.0", "2.1"])?;
    for_everybody(&document)?;
    let tracking = document.need("tracking")?;
    let publisher = document.need("publisher")?;
    let timestamp = tracking.need("current_release_date")?;
    timestamp.instant()?;
    let mut said = Said {
        id: format!(
            "{}#{}",
            publisher.shown("namespace").unwrap_or("urn:csaf"),
            tracking.need("id")?.text()?
        ),
        author: publisher.need("name")?.text()?.to_owned(),
        version: number(&tracking)?,
        timestamp: Some(timestamp.string()?.to_owned()),
        format: format!("CSAF {version}"),
        statements: Vec::new(),
        names: 0,
        aggregate: Ratings::default(),
        notes: Vec::new(),
    };
    let status = tracking.need("status")?;
    let status = status.one_of(&["draft", "interim", "final"])?;
    if status != "final" {
        let note = format!("the document calls itself {status}");
        said.notes.push(note);
    }
    said.aggregate
        .add_at("aggregate", document.value(), "/aggregate_severity/text");
    let mut tree = Tree::read(&root)?;
    said.notes.append(&mut tree.notes);
    if let Some(vulnerabilities) = root.get("vulnerabilities") {
        for vulnerability in vulnerabilities.items()? {
            read(&vulnerability, &tree, &mut said)?;
        }
    }
    let is_less = status == DRAFT && leave_out_cleared(&mut said);
    if said.statements.is_empty() {
        return Err(DocumentError::NotTaken(nothing_said(&root, is_less).into()));
    }
    said.claims(source, "application/json")
}

/// What a document calls itself that its publisher has not decided on (CSAF 2.0, 3.2.1.12.7).
const DRAFT: &str = "draft";

/// Leaves out what a draft clears: its publisher asks whether it is so. What it says against
/// something counts. Whether there was anything.
fn leave_out_cleared(said: &mut Said) -> bool {
    let before = said.statements.len();
    said.statements.retain(|one| !one.status.clears());
    let left_out = before - said.statements.len();
    if left_out > 0 {
        said.notes.push(format!(
            "what a draft says does no harm is left out ({left_out} times); publish the document \
             when it is final"
        ));
    }
    left_out > 0
}

/// Why there is nothing to claim, perhaps because it was left out.
fn nothing_said(root: &Node<'_, '_>, is_less: bool) -> &'static str {
    let list = root.value().get("vulnerabilities");
    let all = list.and_then(Value::as_array).unwrap_or_default();
    if is_less {
        "the CSAF document calls itself draft, and what it clears does not count; publish it when \
         it is final"
    } else if all
        .iter()
        .any(|one| one.pointer("/product_status/recommended").is_some())
    {
        "the CSAF document says only which versions are recommended, and of no product whether a \
         vulnerability applies, so that there is nothing to claim; a document of the same \
         publisher that is VEX says that"
    } else {
        "the CSAF document has no product_status: it says of no product whether a vulnerability \
         applies, so that there is nothing to claim"
    }
}

/// Refuses a document that not everybody may see, and one that is none any more.
fn for_everybody(document: &Node<'_, '_>) -> Result<(), PredicateError> {
    let label = document.value().pointer("/distribution/tlp/label");
    if let Some(label) = label.and_then(Value::as_str)
        && !["WHITE", "CLEAR"].contains(&label)
    {
        let reason = format!(
            "is TLP:{}, and a log is public and forgets nothing; ask its publisher for one that is \
             TLP:CLEAR",
            quoted(label)
        );
        return Err(Node::root("$.document.distribution", document.value()).fault(reason));
    }
    let category = document.need("category")?;
    match category.text()? {
        "csaf_withdrawn" | "csaf_superseded" => Err(category.fault(
            "says that the document was taken back; withdraw the claims that were made of it with \
             `assay withdraw`",
        )),
        _ => Ok(()),
    }
}

/// The document's version as a number that rises with it: a whole number, or a semantic version.
fn number(tracking: &Node<'_, '_>) -> Result<u64, PredicateError> {
    let version = tracking.need("version")?;
    let text = version.text()?;
    let number = match text.parse::<u64>() {
        Ok(number) => Some(number),
        Err(_) => semver::Version::parse(text).ok().map(|version| {
            let parts = [version.major, version.minor, version.patch];
            parts
                .iter()
                .fold(0, |number, part| (number << 16) | (*part).min(0xffff))
        }),
    };
    let number =
        number.ok_or_else(|| version.fault("is neither a number nor a semantic version"))?;
    Ok(number.max(1))
}

/// The groups of `product_status` (CSAF 2.1, 3.2.4.12), and what they say. `recommended` and
/// `unknown` say nothing of whether a vulnerability applies.
const GROUPS: [(&str, Option<Status>); 9] = [
    ("known_affected", Some(Status::Affected)),
    ("first_affected", Some(Status::Affected)),
    ("last_affected", Some(Status::Affected)),
    ("known_not_affected", Some(Status::NotAffected)),
    ("fixed", Some(Status::Fixed)),
    ("first_fixed", Some(Status::Fixed)),
    ("under_investigation", Some(Status::UnderInvestigation)),
    ("recommended", None),
    ("unknown", Some(Status::UnderInvestigation)),
];

fn read(
    vulnerability: &Node<'_, '_>,
    tree: &Tree<'_>,
    said: &mut Said,
) -> Result<(), PredicateError> {
    let (id, aliases) = names(vulnerability)?;
    let Some(groups) = vulnerability.get("product_status") else {
        said.notes
            .push(format!("{} has no product_status", quoted(&id)));
        return Ok(());
    };
    let flags = of_products(vulnerability, "flags", tree, |flag| {
        Ok(flag.need("label")?.text()?.to_owned())
    })?;
    let impacts = of_products(vulnerability, "threats", tree, |threat| {
        let is_impact = threat.need("category")?.text()? == "impact";
        Ok(threat
            .shown("details")
            .filter(|_| is_impact)
            .unwrap_or_default()
            .to_owned())
    })?;
    let remedies = of_products(vulnerability, "remediations", tree, |remedy| {
        let (category, details) = (remedy.need("category")?.text()?, remedy.shown("details"));
        Ok(format!("{category}: {}", details.unwrap_or_default()))
    })?;
    let (scores, spans) = (scores(vulnerability)?, Spans::read(&groups, tree)?);
    for (group, products) in groups.members()? {
        let Some((_, status)) = GROUPS.iter().find(|(name, _)| *name == group) else {
            return Err(products.fault("is no group of product_status that is known"));
        };
        let Some(status) = *status else {
            continue;
        };
        for product in products.items()? {
            let name = product.text()?;
            let flag = flags.get(name).and_then(|label| justification(label));
            let reason = match status {
                Status::NotAffected => impacts.get(name).or(flags.get(name)),
                _ => remedies.get(name),
            };
            let ratings = ratings(scores.get(name), impacts.get(name)).or(said.aggregate.clone());
            for (about, part) in spans.find(tree, &product, (group, status.clears()))? {
                let statement = Statement {
                    vulnerability: id.clone(),
                    aliases: aliases.clone(),
                    status,
                    justification: flag.filter(|_| status == Status::NotAffected),
                    reason: reason.filter(|reason| !reason.is_empty()).cloned(),
                    product: about,
                    part,
                    ratings: ratings.clone(),
                    timestamp: None,
                };
                said.push(&product, statement)?;
            }
        }
    }
    Ok(())
}

/// What a product's scores come to, with what its vendor calls the impact (CSAF 2.1, 3.2.4.13).
fn ratings(scores: Option<&Ratings>, impact: Option<&String>) -> Ratings {
    let mut ratings = scores.cloned().unwrap_or_default();
    if let Some(impact) = impact {
        ratings.add("impact", impact);
    }
    ratings
}

/// How severe a vulnerability is in each product: `scores` of 2.0, `metrics` of 2.1.
fn scores(vulnerability: &Node<'_, '_>) -> Result<HashMap<String, Ratings>, PredicateError> {
    let mut all: HashMap<String, Ratings> = HashMap::new();
    for (key, content) in [("scores", ""), ("metrics", "/content")] {
        let Some(list) = vulnerability.get(key) else {
            continue;
        };
        for item in list.items()? {
            let mut ratings = Ratings::default();
            let metrics = item.value();
            for cvss in ["cvss_v2", "cvss_v3", "cvss_v4"] {
                let at = |member: &str| metrics.pointer(&format!("{content}/{cvss}/{member}"));
                ratings.add_cvss(at("vectorString"), at("baseScore"));
            }
            let word = format!("{content}/qualitative_severity_rating");
            ratings.add_at("vendor", metrics, &word);
            let Some(products) = item.get("products") else {
                continue;
            };
            for product in products.items()? {
                let known = all.entry(product.text()?.to_owned()).or_default();
                *known = std::mem::take(known).and(&ratings);
            }
        }
    }
    Ok(all)
}

/// What a vulnerability is called, and its other names: those of lists of vulnerabilities. Others
/// of `ids` are numbers of trackers.
fn names(vulnerability: &Node<'_, '_>) -> Result<(String, Vec<String>), PredicateError> {
    let mut names: Vec<String> = Vec::new();
    names.extend(vulnerability.optional_text("cve")?.map(str::to_owned));
    let mut first = None;
    if let Some(ids) = vulnerability.get("ids") {
        for id in ids.items()? {
            let id = id.need("text")?.text()?;
            first = first.or(Some(id));
            if is_listed(id) {
                push_name(vulnerability, &mut names, id)?;
            }
        }
    }
    if names.is_empty() {
        names.extend(first.map(str::to_owned));
    }
    match names.split_first() {
        Some((name, others)) => Ok((name.clone(), others.to_vec())),
        None => Err(vulnerability.fault("has neither cve nor ids")),
    }
}

/// What a list of a vulnerability says of products, by these; the first that it says of each. Empty
/// texts are passed over.
fn of_products(
    vulnerability: &Node<'_, '_>,
    key: &'static str,
    tree: &Tree<'_>,
    read: impl Fn(&Node<'_, '_>) -> Result<String, PredicateError>,
) -> Result<HashMap<String, String>, PredicateError> {
    let (mut said, mut groups) = (HashMap::new(), HashSet::new());
    let Some(list) = vulnerability.get(key) else {
        return Ok(said);
    };
    for item in list.items()? {
        let text = read(&item)?;
        if text.is_empty() {
            continue;
        }
        for product in tree.members(&item, &mut groups)? {
            said.entry(product).or_insert_with(|| text.clone());
        }
    }
    Ok(said)
}

//! VEX in SPDX 3: its profile Security (spdx-spec, `model/Security`).

use super::super::spdx3::roots;
use super::super::subjects::all_digests;
use super::super::tool::Source;
use super::{Named, Ratings, Said, Statement, justification, push_name};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, Read, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use assay_claims::time;
use assay_tlog::Hash;
use std::collections::{HashMap, HashSet};

/// The assessments of VEX.
const ASSESSMENTS: [(&str, Status); 4] = [
    ("VexAffectedVulnAssessmentRelationship", Status::Affected),
    (
        "VexNotAffectedVulnAssessmentRelationship",
        Status::NotAffected,
    ),
    ("VexFixedVulnAssessmentRelationship", Status::Fixed),
    (
        "VexUnderInvestigationVulnAssessmentRelationship",
        Status::UnderInvestigation,
    ),
];

/// Whether a document says anything of vulnerabilities.
pub(in super::super) fn has_vex<'v>(document: impl Read<'v>) -> bool {
    let graph = document.member("@graph").and_then(Read::items);
    graph
        .into_iter()
        .flatten()
        .any(|element| status(element).is_some() || is_associated(element))
}

fn graph(document: &Value) -> &[Value] {
    let graph = document.get("@graph").and_then(Value::as_array);
    graph.unwrap_or_default()
}

fn text<'v>(element: impl Read<'v>, key: &str) -> Option<&'v str> {
    element.member(key).and_then(Read::string)
}

/// A type or a member without the name of its profile.
fn local(name: &str) -> &str {
    name.rsplit(['_', '/', ':', '#']).next().unwrap_or(name)
}

fn class<'v>(element: impl Read<'v>) -> &'v str {
    let class = text(element, "type").or(text(element, "@type"));
    local(class.unwrap_or_default())
}

/// A member of the profile, with the profile's name before it or without.
fn member<'v>(element: &'v Value, name: &str) -> Option<&'v str> {
    text(element, &format!("security_{name}")).or_else(|| text(element, name))
}

fn status<'v>(element: impl Read<'v>) -> Option<Status> {
    let class = class(element);
    let known = ASSESSMENTS.iter().find(|(name, _)| *name == class);
    known.map(|(_, status)| *status)
}

/// Whether an element says that a package has a vulnerability, and nothing of whether it matters.
fn is_associated<'v>(element: impl Read<'v>) -> bool {
    text(element, "relationshipType").map(local) == Some("hasAssociatedVulnerability")
}

/// What a document says of vulnerabilities.
pub(in super::super) fn read(source: &Source<'_>) -> Result<Said, PredicateError> {
    let root = source.root();
    let graph_node = root.need("@graph")?;
    let graph = graph(root.value());
    let names = Names::of(&graph_node, graph)?;
    let creation = graph
        .iter()
        .find(|element| class(*element) == "CreationInfo");
    let created = creation.and_then(|info| text(info, "created"));
    let document = graph
        .iter()
        .find(|element| class(*element) == "SpdxDocument");
    let author = creation.and_then(|info| info.get("createdBy")?.as_array()?.first()?.as_str());
    let author = author.map(|id| {
        names
            .by_id
            .get(id)
            .and_then(|one| text(*one, "name"))
            .unwrap_or(id)
    });
    let id = document.and_then(|document| text(document, "spdxId"));
    let version = creation
        .and_then(|info| text(info, "specVersion"))
        .unwrap_or("3");
    let mut said = Said {
        id: match id {
            Some(id) => id.to_owned(),
            None => format!("sha256:{}", Hash::of(source.document.bytes()).to_hex()),
        },
        author: author.unwrap_or("not stated").to_owned(),
        version: 1,
        timestamp: created.map(str::to_owned),
        format: format!("SPDX {version} VEX"),
        statements: Vec::new(),
        names: 0,
        aggregate: Ratings::default(),
        notes: Vec::new(),
    };
    let mut assessed: HashSet<(String, String)> = HashSet::new();
    for element in graph_node.items()? {
        if let Some(status) = status(element.value()) {
            assess(
                &element,
                status,
                source.now,
                &names,
                &mut assessed,
                &mut said,
            )?;
        }
    }
    associated(&graph_node, &names, &assessed, &mut said)?;
    Ok(said)
}

/// Why an assessment is left out: it does not hold yet, or not any more (SPDX 3, Core, class
/// Relationship), or it clears something for a time, which a claim cannot say.
fn out_of_time(
    element: &Node<'_, '_>,
    status: Status,
    now: &str,
) -> Result<Option<String>, PredicateError> {
    let now = time::instant(now);
    let at = |key: &'static str| match element.get(key) {
        Some(time) => Ok(Some((time.string()?, time.instant()?))),
        None => Ok(None),
    };
    if let Some((text, start)) = at("startTime")?
        && now.is_none_or(|now| start > now)
    {
        let why = format!("an assessment that holds only from {text} on is left out");
        return Ok(Some(why));
    }
    let Some((text, end)) = at("endTime")? else {
        return Ok(None);
    };
    if now.is_none_or(|now| end <= now) {
        return Ok(Some(format!(
            "an assessment that holds only until {text} is left out"
        )));
    }
    Ok(status.clears().then(|| {
        format!(
            "an assessment that says only until {text} that something does no harm is left out: a \
             claim has no end"
        )
    }))
}

fn assess(
    element: &Node<'_, '_>,
    status: Status,
    now: &str,
    names: &Names<'_>,
    assessed: &mut HashSet<(String, String)>,
    said: &mut Said,
) -> Result<(), PredicateError> {
    let value = element.value();
    let vulnerability = element.need("from")?.text()?;
    let (id, aliases) = names.vulnerability(element, vulnerability)?;
    if member(value, "withdrawnTime").is_some() {
        said.notes
            .push("an assessment that was withdrawn is left out".to_owned());
        return Ok(());
    }
    if let Some(why) = out_of_time(element, status, now)? {
        said.notes.push(why);
        return Ok(());
    }
    let reason = match status {
        Status::NotAffected => member(value, "impactStatement"),
        _ => member(value, "actionStatement"),
    };
    let reason = reason.or_else(|| member(value, "statusNotes"));
    let time = ["modifiedTime", "publishedTime"]
        .into_iter()
        .find_map(|key| member(value, key));
    let label = member(value, "justificationType");
    for to in element.need("to")?.items()? {
        let to = to.text()?;
        assessed.insert((vulnerability.to_owned(), to.to_owned()));
        // An assessment can be of one element as it stands in what it is made of.
        let within = member(value, "assessedElement");
        if let Some(part) = within {
            assessed.insert((vulnerability.to_owned(), part.to_owned()));
        }
        let (product, part) = match within {
            Some(part) if part != to => names.apart(element, to, part)?,
            _ => names.place(element, to)?,
        };
        let statement = Statement {
            vulnerability: id.clone(),
            aliases: aliases.clone(),
            status,
            justification: label
                .map(local)
                .and_then(justification)
                .filter(|_| status == Status::NotAffected),
            reason: reason.map(str::to_owned),
            product,
            part,
            ratings: names.ratings(vulnerability, [Some(to), within]),
            timestamp: time.map(str::to_owned),
        };
        said.push(element, statement)?;
    }
    Ok(())
}

/// Packages that are said to have a vulnerability of which nobody says whether it matters.
fn associated(
    graph: &Node<'_, '_>,
    names: &Names<'_>,
    assessed: &HashSet<(String, String)>,
    said: &mut Said,
) -> Result<(), PredicateError> {
    for element in graph.items()? {
        if !is_associated(element.value()) {
            continue;
        }
        let from = element.need("from")?.text()?;
        for to in element.need("to")?.items()? {
            let to = to.text()?;
            if assessed.contains(&(to.to_owned(), from.to_owned())) {
                continue;
            }
            let (id, aliases) = names.vulnerability(&element, to)?;
            let (product, part) = names.place(&element, from)?;
            let statement = Statement {
                vulnerability: id,
                aliases,
                status: Status::UnderInvestigation,
                justification: None,
                reason: None,
                product,
                part,
                ratings: names.ratings(to, [Some(from), None]),
                timestamp: None,
            };
            said.push(&element, statement)?;
        }
    }
    Ok(())
}

/// The elements of a graph, by their ids.
struct Names<'v> {
    by_id: HashMap<&'v str, &'v Value>,
    /// Ids that several elements have, which are not the same.
    twice: HashSet<&'v str>,
    /// How severe vulnerabilities are in elements.
    scores: HashMap<(&'v str, &'v str), Ratings>,
    /// What the document is about, if that is one thing.
    own: Option<(&'v str, Named)>,
}

impl<'v> Names<'v> {
    fn of(node: &Node<'_, '_>, graph: &'v [Value]) -> Result<Self, PredicateError> {
        let (mut by_id, mut twice) = (HashMap::new(), HashSet::new());
        for element in graph {
            if let Some(id) = text(element, "spdxId")
                && by_id
                    .insert(id, element)
                    .is_some_and(|known| known != element)
            {
                twice.insert(id);
            }
        }
        let products = ["Package", "File"];
        let mut own = roots(graph.iter())
            .into_iter()
            .filter(|root| products.contains(&class(*root)));
        let (first, mut more) = (own.next(), own);
        let first = first.filter(|first| more.all(|one| one == *first));
        let mut names = Names {
            by_id,
            twice,
            scores: scores(graph),
            own: None,
        };
        for root in roots(graph.iter()) {
            names.element(node, text(root, "spdxId").unwrap_or_default())?;
        }
        names.own = first.and_then(|own| Some((text(own, "spdxId")?, named(own))));
        Ok(names)
    }

    /// The element of an id. Refused if it is that of several: nobody can tell which is meant
    /// (SPDX 3, Core, class Element: "spdxId" identifies it uniquely).
    fn element(&self, node: &Node<'_, '_>, id: &str) -> Result<Option<&'v Value>, PredicateError> {
        if self.twice.contains(id) {
            return Err(node.fault(format!(
                "names {}, the spdxId of several elements, so that nobody can tell which is \
                 meant; have the tool that wrote the document give each its own",
                quoted(id)
            )));
        }
        Ok(self.by_id.get(id).copied())
    }

    fn named(&self, node: &Node<'_, '_>, id: &str) -> Result<Named, PredicateError> {
        Ok(match self.element(node, id)? {
            Some(element) => named(element),
            None => Named::of_text(id),
        })
    }

    /// One element, and another that is a part of it.
    fn apart(
        &self,
        node: &Node<'_, '_>,
        whole: &str,
        part: &str,
    ) -> Result<(Named, Option<Named>), PredicateError> {
        Ok((self.named(node, whole)?, Some(self.named(node, part)?)))
    }

    /// How severe a vulnerability is in the first of these elements of which that is said.
    fn ratings(&self, vulnerability: &str, elements: [Option<&str>; 2]) -> Ratings {
        let elements = elements.into_iter().flatten();
        let mut found = elements.filter_map(|one| self.scores.get(&(vulnerability, one)));
        found.next().cloned().unwrap_or_default()
    }

    /// The product that an element is or is a part of, and the part.
    fn place(
        &self,
        node: &Node<'_, '_>,
        id: &str,
    ) -> Result<(Named, Option<Named>), PredicateError> {
        let named = self.named(node, id)?;
        Ok(match &self.own {
            Some((own, product)) if *own != id => (product.clone(), Some(named)),
            _ => (named, None),
        })
    }

    /// The name of a vulnerability that `node` speaks of, and its other names.
    fn vulnerability(
        &self,
        node: &Node<'_, '_>,
        id: &str,
    ) -> Result<(String, Vec<String>), PredicateError> {
        let Some(element) = self.element(node, id)? else {
            return Ok((id.to_owned(), Vec::new()));
        };
        let mut all: Vec<String> = Vec::new();
        let identifiers = element.get("externalIdentifier").and_then(Value::as_array);
        for identifier in identifiers.unwrap_or_default() {
            let kind = text(identifier, "externalIdentifierType").map(local);
            let name = text(identifier, "identifier");
            if let (Some("cve" | "securityOther"), Some(name)) = (kind, name) {
                let known = all.len();
                push_name(node, &mut all, name)?;
                if kind == Some("cve") && all.len() > known {
                    all.rotate_right(1);
                }
            }
        }
        if all.is_empty() {
            all.push(text(element, "name").unwrap_or(id).to_owned());
        }
        let name = all.remove(0);
        Ok((name, all))
    }
}

/// How severe vulnerabilities are in elements, by the assessments that score them with CVSS.
fn scores(graph: &[Value]) -> HashMap<(&str, &str), Ratings> {
    let mut scores: HashMap<(&str, &str), Ratings> = HashMap::new();
    for element in graph {
        let class = class(element);
        if !class.starts_with("Cvss") || !class.ends_with("VulnAssessmentRelationship") {
            continue;
        }
        let security = |name: &str| {
            let full = element.get(&format!("security_{name}"));
            full.or_else(|| element.get(name))
        };
        let mut ratings = Ratings::default();
        ratings.add_cvss(security("vectorString"), security("score"));
        if let Some(Value::String(word)) = security("severity") {
            ratings.add("CVSS", local(word));
        }
        let to = element.get("to").and_then(Value::as_array);
        let to = to.unwrap_or_default().iter().filter_map(Value::as_str);
        for about in to.chain(member(element, "assessedElement")) {
            if let Some(from) = text(element, "from") {
                let known = scores.entry((from, about)).or_default();
                *known = std::mem::take(known).and(&ratings);
            }
        }
    }
    scores
}

fn named(element: &Value) -> Named {
    let root = Node::root("$", element);
    let identifiers = element.get("externalIdentifier").and_then(Value::as_array);
    let identifier = |kinds: &[&str]| {
        let mut all = identifiers.unwrap_or_default().iter();
        let found = all.find(|one| {
            let kind = text(*one, "externalIdentifierType").map(local);
            kind.is_some_and(|kind| kinds.contains(&kind))
        });
        text(found?, "identifier")
    };
    let purl = text(element, "software_packageUrl").or(identifier(&["packageUrl", "purl"]));
    let purl = purl.and_then(|purl| Purl::canonicalize(purl).ok());
    Named {
        id: text(element, "spdxId").map(str::to_owned),
        name: text(element, "name").map(str::to_owned),
        purls: purl.into_iter().collect(),
        cpe: identifier(&["cpe23", "cpe22"]).map(str::to_owned),
        digests: all_digests(root.get("verifiedUsing"), "algorithm", "hashValue"),
        link: None,
    }
    .with_version(text(element, "software_packageVersion"))
}

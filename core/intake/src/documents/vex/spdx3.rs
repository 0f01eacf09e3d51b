//! VEX in SPDX 3: its profile Security (spdx-spec, `model/Security`).

mod names;

use super::super::spdx3::roots;
use super::super::tool::Source;
use super::{Ratings, Said, Statement, justification, push_name};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, Read, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::time;
use assay_tlog::Hash;
use names::{Names, class, local, member, text};
use std::collections::HashSet;

/// The assessments of VEX, and the `relationshipType` that SPDX 3 demands of each.
const ASSESSMENTS: [(&str, Status, &str); 4] = [
    (
        "VexAffectedVulnAssessmentRelationship",
        Status::Affected,
        "affects",
    ),
    (
        "VexNotAffectedVulnAssessmentRelationship",
        Status::NotAffected,
        "doesNotAffect",
    ),
    (
        "VexFixedVulnAssessmentRelationship",
        Status::Fixed,
        "fixedIn",
    ),
    (
        "VexUnderInvestigationVulnAssessmentRelationship",
        Status::UnderInvestigation,
        "underInvestigationFor",
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

fn status<'v>(element: impl Read<'v>) -> Option<Status> {
    let class = class(element);
    let known = ASSESSMENTS.iter().find(|(name, _, _)| *name == class);
    known.map(|(_, status, _)| *status)
}

/// Refuses an assessment that says two things, by its class and by what it calls the relationship;
/// and one that something is not affected without a reason, as OpenVEX without one is refused
/// (SPDX 3.0.1, Security, class VexNotAffectedVulnAssessmentRelationship).
fn check(element: &Node<'_, '_>, status: Status) -> Result<(), PredicateError> {
    if let Some(stated) = element.get("relationshipType") {
        let (class, name) = (class(element.value()), stated.text()?);
        let mut known = ASSESSMENTS.iter().filter(|(known, _, _)| *known == class);
        if let Some((_, _, demanded)) = known.find(|(_, _, demanded)| local(name) != *demanded) {
            return Err(stated.fault(format!(
                "is {}, and SPDX 3 demands {demanded} of {class}: nobody can tell which of the two \
                 is meant; have whoever wrote the document say one thing",
                quoted(name)
            )));
        }
    }
    let reasons = ["justificationType", "impactStatement"].into_iter();
    let mut reasons = reasons.filter_map(|name| member(element.value(), name));
    if status != Status::NotAffected || reasons.any(|reason| !reason.is_empty()) {
        return Ok(());
    }
    Err(element.fault(
        "says not affected with neither security_justificationType nor security_impactStatement, \
         of which SPDX 3 demands one; have whoever wrote the document say why",
    ))
}

/// The elements that a relationship leads to: a list, or one alone, as JSON-LD has it.
fn targets<'v>(element: &Node<'v, '_>) -> Result<Vec<&'v str>, PredicateError> {
    let to = element.need("to")?;
    if to.value().as_str().is_some() {
        return Ok(vec![to.text()?]);
    }
    let all = to.items()?.map(|one| one.text());
    all.collect()
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
    let names = Names::of(&graph_node, graph, &roots(graph.iter()))?;
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
    check(element, status)?;
    let reason = match status {
        Status::NotAffected => member(value, "impactStatement"),
        _ => member(value, "actionStatement"),
    };
    let reason = reason.or_else(|| member(value, "statusNotes"));
    let time = ["modifiedTime", "publishedTime"]
        .into_iter()
        .find_map(|key| member(value, key));
    let label = member(value, "justificationType");
    for to in targets(element)? {
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
        let (product, part) = names.meant((product, part), status, &mut said.notes);
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
        for to in targets(&element)? {
            if assessed.contains(&(to.to_owned(), from.to_owned())) {
                continue;
            }
            let (id, aliases) = names.vulnerability(&element, to)?;
            let status = Status::UnderInvestigation;
            let place = names.place(&element, from)?;
            let (product, part) = names.meant(place, status, &mut said.notes);
            let statement = Statement {
                vulnerability: id,
                aliases,
                status,
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

impl Names<'_> {
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

//! VEX in CycloneDX, 1.4 to 1.7: `vulnerabilities` of a BOM (CycloneDX, `bom-1.6.schema.json`).
//!
//! An analysis in the BOM of a product is of its components as they are used there. A vulnerability
//! that is listed without an analysis affects what it is listed for: that is what the list says.

mod names;

use super::super::tool::Source;
use super::{Named, Ratings, Said, Statement, justification, push_name};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, Read, quoted};
use assay_claims::kind::vex::Status;
use assay_tlog::Hash;
use names::Names;

/// Whether a BOM says anything of vulnerabilities.
pub(in super::super) fn has_vex<'v>(bom: impl Read<'v>) -> bool {
    let list = bom.member("vulnerabilities").and_then(Read::items);
    list.is_some_and(|mut list| list.next().is_some())
}

/// What a BOM says of vulnerabilities.
pub(in super::super) fn read(source: &Source<'_>) -> Result<Said, PredicateError> {
    let bom = source.root();
    let names = Names::of(bom.value());
    let authors = [
        "/metadata/authors/0/name",
        "/metadata/manufacturer/name",
        "/metadata/supplier/name",
        "/metadata/component/supplier/name",
        "/metadata/component/publisher",
    ];
    let mut authors = authors.into_iter();
    let author = authors.find_map(|at| bom.value().pointer(at).and_then(Value::as_str));
    let timestamp = match bom
        .get("metadata")
        .and_then(|data| time(&data, "timestamp").transpose())
    {
        Some(time) => Some(time?),
        None => None,
    };
    let mut said = Said {
        id: match names.serial {
            Some(serial) => serial.to_owned(),
            None => format!("sha256:{}", Hash::of(source.document.bytes()).to_hex()),
        },
        author: author.unwrap_or("not stated").to_owned(),
        version: names.version,
        timestamp,
        format: format!(
            "CycloneDX {} VEX",
            bom.shown("specVersion").unwrap_or_default()
        ),
        statements: Vec::new(),
        names: 0,
        aggregate: Ratings::default(),
        notes: Vec::new(),
    };
    let mut unplaced = Vec::new();
    for vulnerability in bom.need("vulnerabilities")?.items()? {
        read_vulnerability(&vulnerability, &names, (&mut said, &mut unplaced))?;
    }
    leave_out_unplaced(&mut said, unplaced);
    Ok(said)
}

/// Leaves out what clears nothing that the document names, where it names something: whoever
/// publishes it says what it is about for all of it, and would clear that. `unplaced` are the
/// vulnerabilities of which it is left out already.
fn leave_out_unplaced(said: &mut Said, mut unplaced: Vec<String>) {
    if said.statements.iter().any(Statement::is_identified) {
        said.statements.retain(|one| {
            let is_unplaced = one.status.clears() && one.product == Named::default();
            if is_unplaced {
                unplaced.push(one.vulnerability.clone());
            }
            !is_unplaced
        });
    }
    if unplaced.is_empty() {
        return;
    }
    let first: Vec<&str> = unplaced.iter().take(SHOWN).map(String::as_str).collect();
    let more = if unplaced.len() > SHOWN { ", …" } else { "" };
    said.notes.push(format!(
        "it does not say of what these are no danger, and nothing is cleared of them: {}{more}; \
         name it in `affects`",
        first.join(", ")
    ));
}

/// Most vulnerabilities that a note names.
const SHOWN: usize = 5;

fn time(node: &Node<'_, '_>, key: &'static str) -> Result<Option<String>, PredicateError> {
    let Some(time) = node.get(key) else {
        return Ok(None);
    };
    time.instant()?;
    Ok(Some(time.string()?.to_owned()))
}

fn read_vulnerability(
    vulnerability: &Node<'_, '_>,
    names: &Names<'_>,
    (said, unplaced): (&mut Said, &mut Vec<String>),
) -> Result<(), PredicateError> {
    let id = vulnerability.optional_text("id")?;
    let mut ids: Vec<String> = id.map(str::to_owned).into_iter().collect();
    if let Some(references) = vulnerability.get("references") {
        for reference in references.items()? {
            push_name(vulnerability, &mut ids, reference.need("id")?.text()?)?;
        }
    }
    let named = ids.split_first();
    let (id, aliases) = named.ok_or_else(|| vulnerability.fault("has no id"))?;
    if vulnerability.get("rejected").is_some() {
        said.notes
            .push(format!("{} was rejected, and is left out", quoted(id)));
        return Ok(());
    }
    let (analyzed, reason) = analysis(vulnerability)?;
    let ratings = ratings(vulnerability.value());
    let said_of = said_of(vulnerability, names, analyzed)?;
    if said_of.is_empty() {
        unplaced.push(id.clone());
    }
    for SaidOf { status, place } in said_of {
        let (product, part) = names.meant(place, status, &mut said.notes);
        let statement = Statement {
            vulnerability: id.clone(),
            aliases: aliases.to_vec(),
            status,
            justification: reason
                .justification
                .filter(|_| status == Status::NotAffected),
            reason: reason.text.clone(),
            product,
            part,
            ratings: ratings.clone(),
            timestamp: reason.timestamp.clone(),
        };
        said.push(vulnerability, statement)?;
    }
    Ok(())
}

/// What is said of something.
struct SaidOf {
    status: Status,
    /// A product, and the part of it that is meant.
    place: (Named, Option<Named>),
}

/// What is said of a vulnerability, of each thing that it is listed for. Where that is nothing, it
/// is said of the product, or of whatever the publisher names if there is none. A BOM that lists
/// more than the product leaves open which of it is cleared: then nothing is.
fn said_of(
    vulnerability: &Node<'_, '_>,
    names: &Names<'_>,
    analyzed: Option<Status>,
) -> Result<Vec<SaidOf>, PredicateError> {
    let mut all = Vec::new();
    let affects = vulnerability.get("affects");
    let affects = affects.as_ref().map(|list| list.items()).transpose()?;
    for affected in affects.into_iter().flatten() {
        let reference = affected.need("ref")?;
        let meant = names.resolve(&reference, reference.text()?)?;
        for (status, named) in versions(&affected, analyzed, meant.named)? {
            let place = match &meant.whole {
                Some(whole) => (whole.clone(), Some(named)),
                None => names.place(named),
            };
            all.push(SaidOf { status, place });
        }
        if let Some(here) = meant.here {
            for (status, named) in versions(&affected, analyzed, here)? {
                if !status.clears() {
                    let place = names.place(named);
                    all.push(SaidOf { status, place });
                }
            }
        }
    }
    let status = analyzed.unwrap_or(Status::Affected);
    if all.is_empty() && !(status.clears() && names.lists_parts) {
        let place = (names.own.clone().unwrap_or_default(), None);
        all.push(SaidOf { status, place });
    }
    Ok(all)
}

/// How severe a vulnerability is by each source that rates it.
fn ratings(vulnerability: &Value) -> Ratings {
    let mut ratings = Ratings::default();
    let list = vulnerability.get("ratings").and_then(Value::as_array);
    for rating in list.unwrap_or_default() {
        let method = rating.get("method").and_then(Value::as_str);
        let is_cvss = method.is_none_or(|method| method.starts_with("CVSS"));
        let cvss = |key| rating.get(key).filter(|_| is_cvss);
        ratings.add_cvss(cvss("vector"), cvss("score"));
        ratings.add_at(method.unwrap_or("database"), rating, "/severity");
    }
    ratings
}

/// What an analysis says besides its state.
#[derive(Default)]
struct Reason {
    justification: Option<&'static str>,
    text: Option<String>,
    timestamp: Option<String>,
}

fn analysis(vulnerability: &Node<'_, '_>) -> Result<(Option<Status>, Reason), PredicateError> {
    let mut reason = Reason {
        text: vulnerability.shown("recommendation").map(str::to_owned),
        ..Reason::default()
    };
    let Some(analysis) = vulnerability.get("analysis") else {
        return Ok((None, reason));
    };
    let status = match analysis.get("state") {
        Some(state) => Some(match state.one_of(STATES)? {
            "exploitable" => Status::Affected,
            "in_triage" => Status::UnderInvestigation,
            "resolved" | "resolved_with_pedigree" => Status::Fixed,
            _ => Status::NotAffected,
        }),
        None => None,
    };
    let label = analysis.shown("justification");
    reason.justification = label.and_then(justification);
    let mut texts: Vec<String> = Vec::new();
    if reason.justification.is_none() {
        texts.extend(label.map(str::to_owned));
    }
    texts.extend(analysis.shown("detail").map(str::to_owned));
    if let Some(responses) = analysis
        .value()
        .pointer("/response")
        .and_then(Value::as_array)
    {
        texts.extend(
            responses
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned),
        );
    }
    texts.extend(reason.text.take());
    reason.text = (!texts.is_empty()).then(|| texts.join(". "));
    reason.timestamp = match time(&analysis, "lastUpdated")? {
        None => time(&analysis, "firstIssued")?,
        updated => updated,
    };
    Ok((status, reason))
}

const STATES: &[&str] = &[
    "resolved",
    "resolved_with_pedigree",
    "exploitable",
    "in_triage",
    "false_positive",
    "not_affected",
];

/// What is said of what a vulnerability is listed for: of its versions, each for itself, or of the
/// whole.
fn versions(
    affected: &Node<'_, '_>,
    analyzed: Option<Status>,
    named: Named,
) -> Result<Vec<(Status, Named)>, PredicateError> {
    let mut all = Vec::new();
    if let Some(versions) = affected.get("versions") {
        for version in versions.items()? {
            let status = match version.get("status") {
                Some(status) => Some(status.one_of(&["affected", "unaffected", "unknown"])?),
                None => None,
            };
            let status = of_version(analyzed, status);
            let stated = match (
                version.optional_text("version")?,
                version.optional_text("range")?,
            ) {
                (Some(one), None) => named.in_stated_version(one, status.clears()),
                (None, Some(range)) => named.in_stated_range(range),
                _ => return Err(version.fault("has to have one of version and range")),
            };
            // What speaks against what a BOM lists does so whichever version that is of.
            let link = named.link.clone().filter(|_| !status.clears());
            let link = link.or(stated.link.clone());
            all.push((status, stated.linked(link)));
        }
    }
    if all.is_empty() {
        all.push((analyzed.unwrap_or(Status::Affected), named));
    }
    Ok(all)
}

/// What is said of a version with this status of its own, where the analysis came to that. A
/// version that is called affected is not cleared by it.
fn of_version(analyzed: Option<Status>, status: Option<&str>) -> Status {
    match (status, analyzed) {
        (Some("unaffected"), Some(Status::Fixed)) => Status::Fixed,
        (Some("unaffected"), _) => Status::NotAffected,
        (Some("unknown"), _) => Status::UnderInvestigation,
        (Some(_), Some(Status::Fixed | Status::NotAffected)) => Status::Affected,
        (_, analyzed) => analyzed.unwrap_or(Status::Affected),
    }
}

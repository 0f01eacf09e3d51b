//! VEX in CycloneDX, 1.4 to 1.7: `vulnerabilities` of a BOM (CycloneDX, `bom-1.6.schema.json`).
//!
//! An analysis in the BOM of a product is of its components as they are used there. A vulnerability
//! that is listed without an analysis affects what it is listed for: that is what the list says.

use super::super::subjects::all_digests;
use super::super::tool::Source;
use super::product::{contradiction, contradicts};
use super::{Named, Ratings, Said, Statement, justification, push_name};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, Read, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use assay_tlog::Hash;
use std::collections::{HashMap, HashSet};

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
        version: bom
            .value()
            .get("version")
            .and_then(Value::as_u64)
            .unwrap_or(1)
            .max(1),
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
    for vulnerability in bom.need("vulnerabilities")?.items()? {
        read_vulnerability(&vulnerability, &names, &mut said)?;
    }
    Ok(said)
}

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
    said: &mut Said,
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
    let mut add = |status: Status, product: Named, part: Option<Named>| {
        let (product, part) = names.meant((product, part), status, &mut said.notes);
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
        said.push(vulnerability, statement)
    };
    let mut any = false;
    if let Some(affects) = vulnerability.get("affects") {
        for affected in affects.items()? {
            any = true;
            let reference = affected.need("ref")?;
            let (whole, named) = names.resolve(&reference, reference.text()?)?;
            for (status, named) in versions(&affected, analyzed, named)? {
                let (product, part) = match &whole {
                    Some(whole) => (whole.clone(), Some(named)),
                    None => names.place(named),
                };
                add(status, product, part)?;
            }
        }
    }
    if !any {
        // Without a product it is about whatever the publisher says.
        let own = names.own.clone().unwrap_or_default();
        add(analyzed.unwrap_or(Status::Affected), own, None)?;
    }
    Ok(())
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
            let named = match (
                version.optional_text("version")?,
                version.optional_text("range")?,
            ) {
                (Some(one), None) => named.in_stated_version(one, status.clears()),
                (None, Some(range)) => named.in_stated_range(range),
                _ => return Err(version.fault("has to have one of version and range")),
            };
            all.push((status, named));
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

/// What a BOM names, by its references.
struct Names<'v> {
    serial: Option<&'v str>,
    /// The product that it is about.
    own: Option<Named>,
    by_ref: HashMap<&'v str, &'v Value>,
    /// References that several components have, which are not the same.
    twice: HashSet<&'v str>,
}

impl<'v> Names<'v> {
    fn of(bom: &'v Value) -> Self {
        let (mut by_ref, mut twice) = (HashMap::new(), HashSet::new());
        let own = bom.pointer("/metadata/component");
        let mut open: Vec<&Value> = own.into_iter().collect();
        let lists = ["components", "services"];
        for key in lists {
            open.extend(bom.get(key).and_then(Value::as_array).unwrap_or_default());
        }
        while let Some(component) = open.pop() {
            if let Some(name) = component.get("bom-ref").and_then(Value::as_str) {
                let known = by_ref.insert(name, component);
                if known.is_some_and(|known| named(known) != named(component)) {
                    twice.insert(name);
                }
            }
            for key in lists {
                open.extend(
                    component
                        .get(key)
                        .and_then(Value::as_array)
                        .unwrap_or_default(),
                );
            }
        }
        Names {
            serial: bom.get("serialNumber").and_then(Value::as_str),
            own: own.map(named),
            by_ref,
            twice,
        }
    }

    /// The component that a reference of the BOM itself leads to. Refused if it leads to several:
    /// nobody can tell which is meant (CycloneDX, "bom-ref": unique within the BOM).
    fn component(
        &self,
        node: &Node<'_, '_>,
        reference: &str,
    ) -> Result<Option<Named>, PredicateError> {
        if self.twice.contains(reference) {
            return Err(node.fault(format!(
                "is the bom-ref {} of several components, so that nobody can tell which is meant; \
                 have the tool that wrote the BOM give each its own",
                quoted(reference)
            )));
        }
        Ok(self.by_ref.get(reference).map(|one| named(one)))
    }

    /// What a reference leads to: a component of the BOM, or what a BOM-Link or a purl names. What
    /// is in another BOM is so as a part of what that is of, which comes first.
    fn resolve(
        &self,
        node: &Node<'_, '_>,
        reference: &str,
    ) -> Result<(Option<Named>, Named), PredicateError> {
        if let Some(component) = self.component(node, reference)? {
            return Ok((None, component));
        }
        let Some(link) = reference.strip_prefix("urn:cdx:") else {
            return Ok((None, Named::of_text(reference)));
        };
        let (bom, element) = match link.split_once('#') {
            Some((bom, element)) => (bom, Some(decoded(element))),
            None => (link, None),
        };
        let serial = self
            .serial
            .and_then(|serial| serial.strip_prefix("urn:uuid:"));
        let is_own = serial.is_some() && bom.split('/').next() == serial;
        let unknown = || Named::of_text(reference);
        if is_own {
            let found = match &element {
                None => self.own.clone(),
                Some(element) => self.component(node, element)?,
            };
            return Ok((None, found.unwrap_or_else(unknown)));
        }
        let whole = Named::of_text(&format!("urn:cdx:{bom}"));
        // What a BOM elsewhere calls its component is its own affair, unless it is a purl.
        let part = match element {
            Some(element) if Purl::canonicalize(&element).is_ok() => Named::of_text(&element),
            _ => unknown(),
        };
        Ok((Some(whole), part))
    }

    /// What is meant by a product and a part of it, in a statement with this status.
    fn meant(
        &self,
        (product, part): (Named, Option<Named>),
        status: Status,
        notes: &mut Vec<String>,
    ) -> (Named, Option<Named>) {
        let mut meant = |named: Named| self.disputed(named, status.clears(), notes);
        (meant(product), part.map(meant))
    }

    /// What is meant by a component whose version is not that of its purl: both by what speaks
    /// against it, and neither by what clears it.
    fn disputed(&self, named: Named, clears: bool, notes: &mut Vec<String>) -> Named {
        let component = named.id.as_deref().and_then(|id| self.by_ref.get(id));
        let stated = component.and_then(|one| one.get("version")?.as_str());
        let Some(stated) = stated.filter(|stated| !stated.is_empty()) else {
            return named;
        };
        let mut purls = named.purls.iter();
        let Some(purl) = purls.find(|purl| contradicts(purl, stated, false)) else {
            return named;
        };
        let note = contradiction(purl, stated);
        if !notes.contains(&note) {
            notes.push(note);
        }
        if clears {
            let version = purl.version().unwrap_or_default();
            return named.in_range(&format!("{version} {stated}"));
        }
        let other = named.in_stated_version(stated, false);
        named.and(&other)
    }

    /// The product that a statement about something is of, and the part of it.
    fn place(&self, named: Named) -> (Named, Option<Named>) {
        match &self.own {
            Some(own) if !own.is_same(&named) => (own.clone(), Some(named)),
            _ => (named, None),
        }
    }
}

fn named(component: &Value) -> Named {
    let root = Node::root("$", component);
    let text = |key| component.get(key).and_then(Value::as_str);
    let purl = text("purl").and_then(|purl| Purl::canonicalize(purl).ok());
    Named {
        id: text("bom-ref").map(str::to_owned),
        name: text("name").map(str::to_owned),
        purls: purl.into_iter().collect(),
        cpe: text("cpe").map(str::to_owned),
        digests: all_digests(root.get("hashes"), "alg", "content"),
    }
    .with_version(text("version"))
}

/// Percent-encoding undone where it is whole; what is not is as it stands.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

//! CLE (ECMA-428): a component's lifecycle, as events that are only ever added.
//!
//! Each set of versions that an end is of becomes a claim. `endOfMarketing` is the end of sales,
//! `endOfSupport` that of security support: of several support policies, that of the first to end,
//! as not everybody has the others. `endOfLife` ends all work, so security support as well, where
//! no event says when that ends. An end of life that no event states is `tba`. Of two events of one
//! kind, the one with the higher id counts; a withdrawn event does not, unless the withdrawal was
//! withdrawn.

use super::draft::{Draft, Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::{Value, object};
use assay_claims::kind::lifecycle::TBA;
use assay_claims::kind::node::Node;
use assay_claims::kind::{Kind, PredicateError};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_cle),
    prepare,
};

/// The event types of ECMA-428, section 7.
const TYPES: &[&str] = &[
    "released",
    "endOfDevelopment",
    "endOfSupport",
    "endOfLife",
    "endOfDistribution",
    "endOfMarketing",
    "supersededBy",
    "componentRenamed",
    "withdrawn",
];

/// Most sets of versions of a component: each becomes a claim.
const SETS: usize = 1000;

/// Which versions an event is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Of<'v> {
    All,
    Version(&'v str),
    Range(&'v str),
}

/// When something ends, and the instant of that, by which dates are compared.
type End<'v> = (i64, &'v str);

/// What events say of a set of versions.
#[derive(Default)]
struct Ends<'v> {
    sales: Option<End<'v>>,
    /// By support policy.
    support: BTreeMap<&'v str, End<'v>>,
    life: Option<End<'v>>,
}

/// What all events together say.
#[derive(Default)]
struct Said<'v> {
    released: BTreeMap<&'v str, &'v str>,
    ends: BTreeMap<Of<'v>, Ends<'v>>,
}

fn is_cle(value: &Value) -> bool {
    let schema = value.get("$schema").and_then(Value::as_str);
    let is_named = schema.is_some_and(|schema| schema.contains("/cle.v1."));
    value.get("events").is_some() && (is_named || value.get("identifier").is_some())
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    for key in ["index", "next"] {
        if let Some(page) = root.get(key) {
            let advice = "says that this is one page of several, of which others may withdraw its \
                events; put the events of all pages into one document";
            return Err(page.fault(advice).into());
        }
    }
    let mut subjects = Subjects::default();
    for purl in identifiers(&root)? {
        subjects.suggest(None, Some(purl), vec![]);
    }
    let last_updated = match root.get("updatedAt") {
        Some(at) => at.instant().and_then(|_| at.string())?,
        None => source.now,
    };
    let events = root.need("events")?;
    let said = read(&events)?;
    if said.ends.is_empty() {
        let nothing = "no event of this document says that anything ends, so that there is nothing \
            to claim";
        return Err(DocumentError::NotTaken(nothing.to_owned()));
    }
    let mut claims = Vec::new();
    for (of, ends) in said.in_order() {
        let released = match of {
            Of::Version(version) => said.released.get(version).copied(),
            Of::All | Of::Range(_) => None,
        };
        let mut draft = ends.draft(of, released, last_updated);
        draft.subjects.list.clone_from(&subjects.list);
        draft.subjects.notes.clone_from(&subjects.notes);
        draft.bound_subjects();
        let document = source.document;
        claims.push(document.inline_or_referenced(draft, "application/json")?);
    }
    Ok(claims)
}

/// One package URL, or several of the same component.
fn identifiers<'v>(root: &Node<'v, '_>) -> Result<Vec<&'v str>, PredicateError> {
    let Some(node) = root.get("identifier") else {
        return Ok(Vec::new());
    };
    if node.value().as_str().is_some() {
        return Ok(vec![node.text()?]);
    }
    let mut purls = Vec::new();
    for item in node.items()? {
        purls.push(item.text()?);
    }
    Ok(purls)
}

/// Reads the events from the newest to the oldest: then each withdrawal is known before what it
/// withdraws, and the first event of a kind is the one that counts.
fn read<'v>(events: &Node<'v, '_>) -> Result<Said<'v>, DocumentError> {
    let mut by_id = BTreeMap::new();
    for (at, event) in events.items()?.enumerate() {
        let id = id(&event, "id")?;
        event.need("type")?.one_of(TYPES)?;
        for key in ["effective", "published"] {
            event.need(key)?.instant()?;
        }
        if by_id.insert(id, at).is_some() {
            return Err(event.fault("has the id of another event").into());
        }
    }
    let mut said = Said::default();
    let mut withdrawn = BTreeSet::new();
    let all: Vec<Node<'v, '_>> = events.items()?.collect();
    let newest_first = by_id.iter().rev();
    for (own, event) in newest_first.filter_map(|(id, at)| Some((id, all.get(*at)?))) {
        let ty = event.need("type")?.string()?;
        if withdrawn.contains(own) {
            continue;
        }
        if ty == "withdrawn" {
            let target = id(event, "eventId")?;
            if target >= *own {
                let fault = event.need("eventId")?.fault("is not of an earlier event");
                return Err(fault.into());
            }
            withdrawn.insert(target);
            continue;
        }
        said.take(ty, event)?;
        if said.ends.len() > SETS {
            let fault = events.fault(format!("has ends of more than {SETS} sets of versions"));
            return Err(fault.into());
        }
    }
    Ok(said)
}

fn id<'v>(event: &Node<'v, '_>, key: &'v str) -> Result<u64, PredicateError> {
    let node = event.need(key)?;
    let id = node.value().as_u64();
    id.ok_or_else(|| node.fault("has to be a whole number"))
}

impl<'v> Said<'v> {
    /// Sets of versions with their ends. Of claims of one date the last counts, and sets may
    /// overlap: so those whose support ends first come last, and what is only not sold any more
    /// says nothing of support where something else does.
    fn in_order(&self) -> Vec<(&Of<'v>, &Ends<'v>)> {
        let has_ends = self.ends.values().any(|ends| ends.first().is_some());
        let all = self.ends.iter();
        let mut all: Vec<_> = all
            .filter(|(_, ends)| !has_ends || ends.first().is_some())
            .collect();
        all.sort_by_key(|(_, ends)| Reverse(ends.first().map_or(i64::MAX, |end| end.0)));
        all
    }

    /// Takes an event, unless a newer one of its kind was taken.
    fn take(&mut self, ty: &str, event: &Node<'v, '_>) -> Result<(), PredicateError> {
        let effective = event.need("effective")?;
        let end = (effective.timestamp()?.unix_ms(), effective.string()?);
        if ty == "released" {
            let version = event.need("version")?.text()?;
            self.released.entry(version).or_insert(end.1);
            return Ok(());
        }
        if !["endOfMarketing", "endOfSupport", "endOfLife"].contains(&ty) {
            return Ok(());
        }
        for of in versions(event)? {
            let ends = self.ends.entry(of).or_default();
            match ty {
                "endOfMarketing" => _ = ends.sales.get_or_insert(end),
                "endOfLife" => _ = ends.life.get_or_insert(end),
                _ => {
                    let policy = event.need("supportId")?.text()?;
                    ends.support.entry(policy).or_insert(end);
                }
            }
        }
        Ok(())
    }
}

fn versions<'v>(event: &Node<'v, '_>) -> Result<Vec<Of<'v>>, PredicateError> {
    let Some(list) = event.get("versions") else {
        return Ok(vec![Of::All]);
    };
    let mut all = Vec::new();
    for item in list.items()? {
        let range = item.get("range");
        if item.value().as_str().is_some() {
            all.push(Of::Version(item.text()?));
        } else if let Some(range) = range {
            let text = range.text()?;
            if !text.starts_with("vers:") {
                let reason = "is no version range: it has to begin with vers:";
                return Err(range.fault(reason));
            }
            all.push(Of::Range(text));
        } else {
            all.push(Of::Version(item.need("version")?.text()?));
        }
    }
    if all.is_empty() {
        return Err(list.fault("names no version"));
    }
    Ok(all)
}

impl<'v> Ends<'v> {
    /// When support ends: with the first of what supports it, or with its life.
    fn first(&self) -> Option<&End<'v>> {
        self.support.values().chain(&self.life).min()
    }

    fn draft(&self, of: &Of<'_>, released: Option<&str>, last_updated: &str) -> Draft {
        let first = self.first();
        let date = |end: Option<&End<'_>>| end.map_or(TBA, |(_, date)| *date).to_owned();
        let (security, life) = (date(first), date(self.life.as_ref()));
        let (key, versions) = match of {
            Of::All => ("", "all"),
            Of::Version(version) => ("version", *version),
            Of::Range(range) => ("range", *range),
        };
        let scope = (!key.is_empty()).then(|| object([(key, Some(versions.into()))]));
        let sales = self.sales.map(|(_, date)| Value::from(date));
        let predicate = object([
            ("general_availability", released.map(Value::from)),
            ("end_of_sales", sales),
            ("end_of_security_support", Some(security.as_str().into())),
            ("end_of_life", Some(life.as_str().into())),
            ("last_updated", Some(last_updated.into())),
            ("versions", scope),
        ]);
        let summary = Summary::from([
            ("versions".to_owned(), versions.to_owned()),
            ("end of security support".to_owned(), security),
            ("end of life".to_owned(), life),
        ]);
        Draft::new(Kind::Lifecycle, predicate, Subjects::default(), summary)
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepare;

    const NOW: &str = "2026-11-22T18:41:48Z";

    fn document(events: &[&str]) -> String {
        let events: Vec<String> = events
            .iter()
            .enumerate()
            .map(|(id, event)| {
                format!(r#"{{"id":{id},"published":"2026-01-01T00:00:00Z",{event}}}"#)
            })
            .collect();
        format!(
            r#"{{"$schema":"https://ecma-tc54.github.io/ECMA-428/cle.v1.0.0.json",
            "identifier":"pkg:npm/a","updatedAt":"2026-02-01T00:00:00Z","events":[{}]}}"#,
            events.join(",")
        )
    }

    fn event(ty: &str, year: u32, more: &str) -> String {
        format!(r#""type":"{ty}","effective":"{year}-01-01T00:00:00Z"{more}"#)
    }

    const V1: &str = r#","versions":[{"version":"1.0.0"}]"#;

    /// Of each claim: versions, end of security support, end of life, by their years.
    fn said(events: &[String]) -> Vec<String> {
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let claims = prepare("lifecycle", "cle.json", document(&events).as_bytes(), NOW);
        let mut lines = Vec::new();
        for claim in claims.unwrap() {
            assert_eq!(claim.subjects[0].uri(), Some("pkg:npm/a"));
            let year = |key: &str| {
                let date = claim.predicate.get(key).and_then(|date| date.as_str());
                date.map_or("-", |date| &date[..date.len().min(4)])
                    .to_owned()
            };
            let versions = claim.predicate.get("versions");
            let versions = versions.map_or("all".to_owned(), |versions| versions.to_json());
            lines.push(format!(
                "{versions} {} {} {} {}",
                year("general_availability"),
                year("end_of_sales"),
                year("end_of_security_support"),
                year("end_of_life")
            ));
        }
        lines
    }

    fn refusal(text: &str) -> String {
        let refused = prepare("lifecycle", "cle.json", text.as_bytes(), NOW);
        refused.unwrap_err().to_string()
    }

    #[test]
    fn each_set_of_versions_is_a_claim() {
        let support = |year, id: &str, versions: &str| {
            let more = format!(r#"{versions},"supportId":"{id}""#);
            event("endOfSupport", year, &more)
        };
        let range = r#","versions":[{"range":"vers:npm/>=2.0.0|<3.0.0"},"9"]"#;
        let events = [
            event("released", 2020, r#","version":"1.0.0""#),
            event("endOfMarketing", 2024, V1),
            support(2027, "extended", V1),
            support(2025, "standard", V1),
            event("endOfLife", 2028, V1),
            event("endOfLife", 2030, range),
            support(2040, "standard", ""),
            event("endOfDistribution", 2001, r#","versions":["8"]"#),
        ];
        let expected = [
            "all - - 2040 tba",
            r#"{"version":"9"} - - 2030 2030"#,
            r#"{"range":"vers:npm/>=2.0.0|<3.0.0"} - - 2030 2030"#,
            r#"{"version":"1.0.0"} 2020 2024 2025 2028"#,
        ];
        assert_eq!(said(&events), expected);
    }

    #[test]
    fn what_is_only_not_sold_any_more_hides_no_end() {
        let events = [
            event("endOfMarketing", 2024, V1),
            event("endOfLife", 2024, ""),
        ];
        assert_eq!(said(&events), ["all - - 2024 2024"]);
        assert_eq!(said(&events[..1]).len(), 1);
        // What lives no longer is not supported either.
        let events = [
            event("endOfSupport", 2030, r#","supportId":"s""#),
            event("endOfLife", 2025, ""),
        ];
        assert_eq!(said(&events), ["all - - 2025 2025"]);
    }

    #[test]
    fn the_last_word_counts_and_what_was_withdrawn_does_not() {
        let first = event("endOfLife", 2027, V1);
        let later = event("endOfLife", 2029, V1);
        let withdraws = |id: u32| event("withdrawn", 2026, &format!(r#","eventId":{id}"#));
        let life = |events: &[String]| {
            let line = said(events).remove(0);
            line.rsplit(' ').next().map(str::to_owned)
        };
        let two = [first.clone(), later.clone()];
        assert_eq!(life(&two).as_deref(), Some("2029"));
        let back = [&two[..], &[withdraws(1)]].concat();
        assert_eq!(life(&back).as_deref(), Some("2027"));
        let again = [&back[..], &[withdraws(2)]].concat();
        assert_eq!(life(&again).as_deref(), Some("2029"));
    }

    #[test]
    fn what_is_no_whole_lifecycle_is_refused_where_it_is_wrong() {
        let life = event("endOfLife", 2027, V1);
        let good = document(&[&life]);
        let page = good.replace(r#""events""#, r#""next":"https://e.org/2","events""#);
        let same = document(&[&life, &life]).replace(r#""id":1"#, r#""id":0"#);
        let itself = event("withdrawn", 2026, r#","eventId":1"#);
        for (text, place) in [
            (page, "$.next"),
            (same, "$.events[1]: has the id of another"),
            (document(&[&life, &itself]), "$.events[1].eventId"),
            (good.replace("endOfLife", "endOfTime"), "$.events[0].type"),
            (
                good.replace("2027-01-01T", "2027-01-01 at "),
                "$.events[0].effective",
            ),
            (good.replace(r#""id":0"#, r#""id":"0""#), "$.events[0].id"),
            (
                good.replace("version\"", "range\""),
                "$.events[0].versions[0].range",
            ),
            (document(&[&event("endOfSupport", 2027, V1)]), "supportId"),
            (
                document(&[&event("endOfLife", 2027, r#","versions":[]"#)]),
                "$.events[0].versions: names no version",
            ),
            (
                document(&[&event("released", 2027, r#","version":"1""#)]),
                "nothing to claim",
            ),
        ] {
            let refusal = refusal(&text);
            assert!(refusal.contains(place), "{place}: {refusal}");
        }
    }

    #[test]
    fn sets_of_versions_are_bounded() {
        let versions = |count: usize| {
            let all: Vec<String> = (0..count).map(|n| format!("\"{n}\"")).collect();
            let more = format!(r#","versions":[{}]"#, all.join(","));
            document(&[&event("endOfLife", 2027, &more)])
        };
        let most = versions(super::SETS);
        let claims = prepare("lifecycle", "cle.json", most.as_bytes(), NOW);
        assert_eq!(claims.unwrap().len(), super::SETS);
        assert!(refusal(&versions(super::SETS + 1)).contains("more than 1000"));
    }
}

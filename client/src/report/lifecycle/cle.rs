//! In CLE (ECMA-428): a document for each package and issuer, as a document is of one component and
//! has no place for who says so but the description of a support policy.

use super::{Calendar, Day, Entry, What};
use assay_claims::time::{Timestamp, rfc3339_of_ms};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The schema of CLE 1.0.
const SCHEMA: &str = "https://ecma-tc54.github.io/ECMA-428/cle.v1.0.0.json";
/// The support policy that `endOfSupport` is of.
const POLICY: &str = "security";

/// The documents, in the order of packages and issuers. What is to be announced has no event, and
/// what may be of another version or has no package URL is in no document.
pub fn documents(calendar: &Calendar) -> Vec<Value> {
    let mut of: BTreeMap<(&str, &str), Vec<(&Entry, &Option<String>)>> = BTreeMap::new();
    for entry in calendar.entries.iter().filter(|entry| entry.is_of_this) {
        if let Some((package, version)) = &entry.package {
            let entries = of.entry((package, &entry.issuer_id)).or_default();
            entries.push((entry, version));
        }
    }
    let documents = of.iter();
    documents
        .filter_map(|((package, _), entries)| document(package, entries))
        .collect()
}

/// The document of a package, or none if nothing has a date.
fn document(package: &str, entries: &[(&Entry, &Option<String>)]) -> Option<Value> {
    let mut events = Vec::new();
    for (entry, version) in entries {
        for (what, day) in &entry.dates {
            if let Day::Known { at, .. } = day {
                let event = event(package, version.as_deref(), *what, at);
                events.extend(event.map(|event| (entry.logged_ms, event)));
            }
        }
    }
    // Ids grow in the order in which events were published.
    events.sort_by_key(|(logged_ms, _)| *logged_ms);
    let mut list = Vec::new();
    for (id, (logged_ms, mut event)) in (1u64..).zip(events) {
        event["id"] = id.into();
        event["published"] = rfc3339_of_ms(logged_ms).into();
        list.insert(0, event);
    }
    let looked = entries.iter().filter_map(|(entry, _)| {
        let at = Timestamp::parse(&entry.last_updated)?;
        u64::try_from(at.unix_ms()).ok()
    });
    let (first, _) = entries.first().filter(|_| !list.is_empty())?;
    let mut document = json!({
        "$schema": SCHEMA,
        "identifier": package,
        "updatedAt": rfc3339_of_ms(looked.max().unwrap_or(first.logged_ms)),
    });
    if list.iter().any(|event| event.get("supportId").is_some()) {
        let description = format!(
            "Vulnerabilities are mended, according to {} (issuer {})",
            first.who, first.issuer_id
        );
        document["definitions"] = json!({"support": [{"id": POLICY, "description": description}]});
    }
    document["events"] = list.into();
    Some(document)
}

/// The event of a date. A release without a version is none.
fn event(package: &str, version: Option<&str>, what: What, at: &str) -> Option<Value> {
    let mut event = json!({"effective": at});
    event["type"] = match what {
        What::Available => {
            event["version"] = version?.into();
            event["type"] = "released".into();
            return Some(event);
        }
        What::Sales => "endOfMarketing",
        What::Security => "endOfSupport",
        What::Life => "endOfLife",
    }
    .into();
    if what == What::Security {
        event["supportId"] = POLICY.into();
    }
    let ty = package.trim_start_matches("pkg:").split('/').next();
    event["versions"] = match version {
        Some(version) => json!([{"version": version}]),
        None => json!([{"range": format!("vers:{}/*", ty.unwrap_or_default())}]),
    };
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(issuer: &str, version: Option<&str>, dates: &[(What, Option<&str>)]) -> Entry {
        let day = |date: &Option<&str>| match date {
            None => Day::Open,
            Some(date) => Day::Known {
                day: (*date).into(),
                at: format!("{date}T23:59:59Z"),
            },
        };
        Entry {
            component: "pkg:npm/a".into(),
            package: Some(("pkg:npm/a".into(), version.map(str::to_owned))),
            product: None,
            dates: dates
                .iter()
                .map(|(what, date)| (*what, day(date)))
                .collect(),
            is_of_this: true,
            last_updated: "2026-01-01T01:00:00+01:00".into(),
            who: "makers (maintainer)".into(),
            issuer_id: issuer.repeat(32),
            claim_id: "22".repeat(32),
            logged_ms: 1_769_846_909_000,
        }
    }

    fn written(entries: Vec<Entry>) -> Vec<Value> {
        documents(&Calendar {
            entries,
            silent: vec![],
            incomplete: vec![],
        })
    }

    const ALL: [(What, Option<&str>); 4] = [
        (What::Available, Some("2020-01-01")),
        (What::Sales, Some("2024-01-01")),
        (What::Security, Some("2026-01-01")),
        (What::Life, Some("2028-01-01")),
    ];

    #[test]
    fn a_document_has_one_issuer_and_its_newest_event_first() {
        let two = vec![entry("11", Some("1"), &ALL), entry("33", Some("1"), &ALL)];
        let documents = written(two);
        assert_eq!(documents.len(), 2);
        let events = documents[0]["events"].as_array().unwrap();
        let ids: Vec<_> = events
            .iter()
            .map(|event| event["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids, [4, 3, 2, 1]);
        let policy = &documents[1]["definitions"]["support"][0];
        let who = policy["description"].as_str().unwrap();
        assert!(who.contains("makers") && who.contains("3333"), "{who}");
    }

    #[test]
    fn what_has_no_date_or_may_be_of_another_version_is_in_no_document() {
        let mut unsure = entry("11", Some("1"), &ALL);
        unsure.is_of_this = false;
        let mut unnamed = entry("11", Some("1"), &ALL);
        unnamed.package = None;
        let open = entry("11", Some("1"), &[(What::Life, None)]);
        assert_eq!(written(vec![unsure, unnamed, open]), Vec::<Value>::new());
    }
}

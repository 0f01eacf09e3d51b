//! What a run keeps elsewhere than in itself: at the top of the log, or in other files (SARIF
//! 2.1.0, 3.13.5, 3.14.2, 3.15 and 3.16).

use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use std::collections::HashSet;

/// Properties at the top of the log, each for one of its runs.
const INLINE: &str = "inlineExternalProperties";

/// How a run refers to what it keeps elsewhere, in the standard and in its drafts.
const REFERENCES: [&str; 2] = ["externalPropertyFileReferences", "externalPropertyFiles"];

/// What a run keeps elsewhere.
pub(super) struct External<'v> {
    /// The run's own GUID.
    run: Option<String>,
    /// Those of the properties that it refers to.
    referenced: HashSet<String>,
    log: &'v Value,
    own: &'v Value,
}

impl<'v> External<'v> {
    /// What this run of the log keeps elsewhere.
    pub fn of(log: &'v Value, run: &'v Value) -> Self {
        let referenced = references(run).flat_map(|(_, list)| items(list).iter());
        External {
            run: (run.get("automationDetails")).and_then(|details| guid(details, "guid")),
            referenced: referenced.filter_map(|one| guid(one, "guid")).collect(),
            log,
            own: run,
        }
    }

    /// Whether properties at the top of the log are this run's.
    pub fn has(&self, properties: &Value) -> bool {
        let stated = guid(properties, "runGuid");
        (stated.is_some() && stated == self.run)
            || guid(properties, "guid").is_some_and(|guid| self.referenced.contains(&guid))
    }

    /// Whether some of what tells how the run ended, and what it found, is not in the log, so that
    /// nobody who has the log alone knows it.
    pub fn is_missing(&self) -> bool {
        let inline = self.log.get(INLINE).map(items).unwrap_or_default();
        let with_results = inline.iter().filter(|one| one.get("results").is_some());
        let there: HashSet<String> = with_results.filter_map(|one| guid(one, "guid")).collect();
        let missing = references(self.own).any(|(key, list)| match (key, list.as_array()) {
            ("results", Some(list)) => !list.iter().all(|one| is_among(one, &there)),
            ("invocations", Some(list)) => !list.is_empty(),
            ("results" | "invocations", None) => *list != Value::Null,
            _ => false,
        });
        let mut ends = inline.iter().filter(|one| one.get("invocations").is_some());
        missing || ends.any(|one| self.has(one))
    }
}

/// Whether a reference is to properties with one of these GUIDs, and to no other file.
fn is_among(reference: &Value, there: &HashSet<String>) -> bool {
    let is_there = guid(reference, "guid").is_some_and(|guid| there.contains(&guid));
    is_there && reference.get("location").is_none()
}

/// Refuses a log in which results at its top are of none of its runs: whichever they are of, it
/// would be taken for one that found less than it did.
pub(super) fn refuse_strays(root: &Node<'_, '_>) -> Result<(), PredicateError> {
    let Some(inline) = root.get(INLINE) else {
        return Ok(());
    };
    let runs = root
        .value()
        .get("runs")
        .map(items)
        .unwrap_or_default()
        .iter();
    let runs: Vec<_> = runs.map(|run| External::of(root.value(), run)).collect();
    for properties in inline.items()? {
        let value = properties.value();
        let any = value
            .get("results")
            .is_some_and(|list| *list != Value::Null);
        if any && !runs.iter().any(|run| run.has(value)) {
            return Err(properties.fault(
                "has results of no run: give it the `runGuid` of its run, or put them into it",
            ));
        }
    }
    Ok(())
}

/// Hands out each list of results that is the run's: its own, and those at the top of the log.
/// Returns whether there are any.
pub(super) fn each_list<'v>(
    root: &Node<'v, '_>,
    run: &Node<'v, '_>,
    external: &External<'_>,
    mut read: impl FnMut(&Node<'v, '_>) -> Result<(), PredicateError>,
) -> Result<bool, PredicateError> {
    let mut any = false;
    if let Some(own) = run.get("results") {
        read(&own)?;
        any = true;
    }
    if let Some(inline) = root.get(INLINE) {
        for properties in inline.items()?.filter(|one| external.has(one.value())) {
            if let Some(results) = properties.get("results") {
                read(&results)?;
                any = true;
            }
        }
    }
    Ok(any)
}

/// The references of a run: what each is to, and the list.
fn references(run: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = REFERENCES
        .iter()
        .filter_map(move |key| run.get(key)?.as_object());
    all.flatten().map(|(key, list)| (key.as_str(), list))
}

fn items(list: &Value) -> &[Value] {
    list.as_array().unwrap_or_default()
}

/// A GUID, in which case means nothing.
fn guid(value: &Value, key: &str) -> Option<String> {
    let guid = value.get(key)?.as_str().filter(|guid| !guid.is_empty())?;
    Some(guid.to_ascii_lowercase())
}

//! What several kinds read from a predicate's JSON for the index (docs/index.md 3.4), whether or
//! not the predicate is well-formed.

use crate::claim::ClaimId;
use crate::json::Value;

/// The member `target`, if it is a claim id: 64 characters, each of `0123456789abcdef`.
pub(super) fn target(predicate: &Value) -> Option<ClaimId> {
    ClaimId::from_hex(predicate.get("target")?.as_str()?)
}

/// The items of an array. What is none has none.
pub(super) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).unwrap_or_default()
}

/// The severities that the member `severity` lists, method and score, in the form of in-toto's
/// vulns. What is malformed is passed over.
pub(super) fn severities(value: &Value) -> Vec<(String, String)> {
    let text = |severity: &Value, key| severity.get(key)?.as_str().map(str::to_owned);
    let severities = items(value.get("severity")).iter();
    severities
        .filter_map(|one| Some((text(one, "method")?, text(one, "score")?)))
        .collect()
}

/// The member `key` of an object, and then every item of its list `aliases`.
pub(super) fn with_aliases<'v>(object: &'v Value, key: &str) -> Vec<&'v Value> {
    object
        .get(key)
        .into_iter()
        .chain(items(object.get("aliases")))
        .collect()
}

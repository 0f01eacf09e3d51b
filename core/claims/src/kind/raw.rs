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

/// The member `key` of an object, and then every item of its list `aliases`.
pub(super) fn with_aliases<'v>(object: &'v Value, key: &str) -> Vec<&'v Value> {
    object
        .get(key)
        .into_iter()
        .chain(items(object.get("aliases")))
        .collect()
}

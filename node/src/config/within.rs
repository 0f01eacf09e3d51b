//! Numbers that are in a range.

use std::{fmt::Display, ops::RangeInclusive};

/// Fails with a text for people if `value`, which stands as `name` in the configuration, is not in
/// the range.
pub(super) fn within<T: PartialOrd + Display>(
    name: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    let (first, last) = range.into_inner();
    Err(format!(
        "{name} is {value}; it must be from {first} to {last}"
    ))
}

//! Room for the first file about somebody, although all room is taken: by throw-away logs that a
//! peer brings, say, each with as many files as one may have.

use super::kept::{Limits, Listed};
use assay_claims::misbehavior::Culprit;
use assay_tlog::Hash;
use std::collections::BTreeMap;

/// The ids of those files that make room for a new one if they go. `None` if no room can be made.
///
/// Only for the first file about its culprit others go, and never the last one about theirs: those
/// who have most of them lose some.
pub(super) fn out<'a>(
    files: impl Iterator<Item = &'a Listed>,
    new: &Listed,
    limits: Limits,
) -> Option<Vec<Hash>> {
    let mut of_each: BTreeMap<&Culprit, Vec<&Listed>> = BTreeMap::new();
    let (mut count, mut bytes) = (0, 0);
    for file in files {
        of_each.entry(&file.culprit).or_default().push(file);
        count += 1;
        bytes += file.bytes;
    }
    let is_first = !of_each.contains_key(&new.culprit);
    let mut out = Vec::new();
    while count >= limits.files || bytes + new.bytes > limits.bytes {
        let most = of_each.values_mut().max_by_key(|held| held.len())?;
        if !is_first || most.len() < 2 {
            return None;
        }
        let last = most.pop()?;
        out.push(last.id);
        count -= 1;
        bytes -= last.bytes;
    }
    Some(out)
}

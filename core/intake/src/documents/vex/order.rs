//! The bounds of ranges of versions, in the order that `vers:` ranges need.

use assay_claims::vers::{self, Applies};
use std::cmp::Ordering;

/// Most bounds of a range that are put in order.
const BOUNDS: usize = 1000;

/// A comparator of `vers:` ranges, such as `<`, and a version.
pub(super) type Bound<'v> = (&'v str, &'v str);

/// The constraints of a range of versions of a package of a type: the bounds in ascending order,
/// whatever order a document has them in, as far as the order of the versions is known here. A
/// range that ends where the next begins goes on. `from_all` says that it begins before all of
/// them.
pub(super) fn constraints(
    scheme: &str,
    ty: &str,
    mut bounds: Vec<Bound<'_>>,
    from_all: bool,
) -> String {
    let order = |one: &str, other: &str| {
        let is = |sign| vers::contains(&format!("vers:{scheme}/{sign}{other}"), ty, one);
        match (is("<"), is(">")) {
            (Applies::Yes, _) => Some(Ordering::Less),
            (_, Applies::Yes) => Some(Ordering::Greater),
            (Applies::No, Applies::No) => Some(Ordering::Equal),
            _ => None,
        }
    };
    let mut versions = bounds.windows(2).map(|two| order(two[0].1, two[1].1));
    let is_known = bounds.len() <= BOUNDS && versions.all(|order| order.is_some());
    if is_known {
        // Of one version the end comes before the next beginning.
        bounds.sort_by(|one, other| {
            let by_version = order(one.1, other.1).unwrap_or(Ordering::Equal);
            by_version.then(opens(one.0).cmp(&opens(other.0)))
        });
        bounds = joined(bounds, from_all, |one, other| {
            order(one, other) == Some(Ordering::Equal)
        });
    }
    if bounds.is_empty() {
        return "*".to_owned();
    }
    let bounds = bounds
        .iter()
        .map(|(sign, version)| format!("{sign}{version}"));
    bounds.collect::<Vec<_>>().join("|")
}

/// Whether a range goes on above a bound.
fn opens(sign: &str) -> bool {
    sign.starts_with('>')
}

/// Ascending bounds without those between which nothing is left out: a beginning within what has
/// begun, and an end where the next begins.
fn joined<'v>(
    bounds: Vec<Bound<'v>>,
    from_all: bool,
    is_same: impl Fn(&str, &str) -> bool,
) -> Vec<Bound<'v>> {
    let (mut kept, mut begun): (Vec<Bound<'v>>, bool) = (Vec::new(), from_all);
    for (sign, version) in bounds {
        let last = kept.last().copied();
        let same = last.filter(|(_, before)| is_same(before, version));
        match (opens(sign), same) {
            (true, Some(("<" | "<=", _))) if sign == ">=" => {
                kept.pop();
                begun = true;
            }
            (true, _) if begun => {}
            (opens, _) => {
                begun = opens;
                kept.push((sign, version));
            }
        }
    }
    kept
}

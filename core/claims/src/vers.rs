//! Version ranges (`vers:`, purl-spec's VERSION-RANGE-SPEC): whether a version is in one, where
//! that can be decided.
//!
//! Versions are put in order for the types that use semantic versioning: cargo, npm, golang, and
//! `semver` itself. For all others a range of everything and single versions are decided, and
//! nothing else: an order that is only nearly the ecosystem's own would be wrong without anybody
//! noticing.

use semver::Version;
use std::cmp::Ordering;

/// Whether a version of a package of this type is in the range; `None` if that cannot be decided
/// here, or if it is not a range, or one of another type.
pub fn holds(range: &str, package_type: &str, version: &str) -> Option<bool> {
    let (scheme, constraints) = range.strip_prefix("vers:")?.split_once('/')?;
    if constraints == "*" {
        return Some(true);
    }
    if scheme != package_type && scheme != "semver" {
        return None;
    }
    let constraints = constraints
        .split('|')
        .map(Constraint::read)
        .collect::<Option<Vec<_>>>()?;

    if constraints
        .iter()
        .filter(|constraint: &&Constraint<'_>| constraint.comparator == Comparator::Equal)
        .any(|constraint| constraint.version == version)
    {
        return Some(true);
    }
    if !SEMANTIC.contains(&scheme) {
        // Versions whose texts differ may be the same one.
        return None;
    }
    within(&constraints, &semantic(version)?)
}

/// Types whose versions are semantic ones.
const SEMANTIC: [&str; 4] = ["cargo", "npm", "golang", "semver"];

/// A semantic version; `1` and `1.5`, as ranges are written by hand, are `1.0.0` and `1.5.0`.
fn semantic(version: &str) -> Option<Version> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let missing = if version.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        2_usize.saturating_sub(version.matches('.').count())
    } else {
        0
    };
    Version::parse(&format!("{version}{}", ".0".repeat(missing))).ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparator {
    Equal,
    Unequal,
    Below,
    UpTo,
    From,
    Above,
}

struct Constraint<'a> {
    comparator: Comparator,
    version: &'a str,
}

impl<'a> Constraint<'a> {
    /// Longer comparators first: `<=` begins with `<`.
    fn read(text: &'a str) -> Option<Self> {
        const COMPARATORS: [(&str, Comparator); 6] = [
            ("!=", Comparator::Unequal),
            ("<=", Comparator::UpTo),
            (">=", Comparator::From),
            ("<", Comparator::Below),
            (">", Comparator::Above),
            ("=", Comparator::Equal),
        ];
        let found = COMPARATORS
            .iter()
            .find_map(|(sign, comparator)| Some((text.strip_prefix(sign)?, *comparator)));
        let (version, comparator) = found.unwrap_or((text, Comparator::Equal));
        // Percent-encoding is left alone: no semantic version needs it.
        (!version.is_empty() && !version.contains('%')).then_some(Constraint {
            comparator,
            version,
        })
    }
}

/// The algorithm of the specification, "Checking if a version is contained within a range". Its
/// constraints must be in order and their versions distinct, or it is not a range.
fn within(constraints: &[Constraint<'_>], version: &Version) -> Option<bool> {
    let constraints = constraints
        .iter()
        .map(|one: &Constraint<'_>| Some((one.comparator, semantic(one.version)?)))
        .collect::<Option<Vec<_>>>()?;
    if !constraints.is_sorted_by(|a, b| a.1.cmp_precedence(&b.1) == Ordering::Less) {
        return None;
    }
    if let Some((comparator, _)) = constraints
        .iter()
        .find(|(_, one)| one.cmp_precedence(version) == Ordering::Equal)
    {
        return Some(matches!(
            comparator,
            Comparator::Equal | Comparator::UpTo | Comparator::From
        ));
    }

    let bounds: Vec<_> = constraints
        .iter()
        .filter(|one: &&(Comparator, Version)| {
            !matches!(one.0, Comparator::Equal | Comparator::Unequal)
        })
        .collect();
    let opens = |comparator: Comparator| matches!(comparator, Comparator::Above | Comparator::From);
    // The version stands between the last bound below it and the first one above it.
    let above =
        bounds.partition_point(|(_, bound)| bound.cmp_precedence(version) == Ordering::Less);
    let (before, after) = (
        above.checked_sub(1).and_then(|at| bounds.get(at)),
        bounds.get(above),
    );
    match (before, after) {
        (None, None)
            if constraints
                .iter()
                .all(|(comparator, _)| *comparator == Comparator::Unequal) =>
        {
            Some(true)
        }
        (None, None) => Some(false),
        (None, Some((after, _))) => Some(!opens(*after)),
        (Some((before, _)), None) => Some(opens(*before)),
        (Some((before, _)), Some((after, _))) => Some(opens(*before) && !opens(*after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_in_a_range_or_not() {
        for (range, within, without) in [
            (
                "vers:cargo/>=1.0.0|<2.0.0",
                &["1.0.0", "1.9.9"][..],
                &["0.9.0", "2.0.0", "1.0.0-rc.1"][..],
            ),
            (
                "vers:cargo/>1.0.0|<=2.0.0",
                &["1.0.1", "2.0.0"],
                &["1.0.0", "2.0.1"],
            ),
            (
                "vers:cargo/<2.0.0",
                &["0.0.1", "2.0.0-a"],
                &["2.0.0", "3.0.0"],
            ),
            ("vers:cargo/>=2.0.0", &["2.0.0", "3.0.0"], &["1.9.9"]),
            (
                "vers:npm/1.2.3|>=2.0.0|<5.0.0",
                &["1.2.3", "2.0.0", "4.9.0"],
                &["1.2.4", "5.0.0"],
            ),
            (
                "vers:npm/<1.0.0|>=2.0.0|!=2.1.0|<3.0.0",
                &["0.1.0", "2.0.5", "2.2.0"],
                &["1.0.0", "1.5.0", "2.1.0", "3.0.0"],
            ),
            ("vers:npm/!=2.0.0", &["1.0.0"], &["2.0.0"]),
            ("vers:npm/=2.0.0", &["2.0.0", "2.0.0+build"], &["1.0.0"]),
            (
                "vers:npm/>=1|<2.1",
                &["1.0.0", "2.0.9"],
                &["2.1.0", "2.1.1"],
            ),
            ("vers:cargo/*", &["anything"], &[]),
        ] {
            let package_type = range[5..].split('/').next().unwrap();
            within.iter().for_each(|one| {
                assert_eq!(holds(range, package_type, one), Some(true), "{range} {one}")
            });
            without.iter().for_each(|one| {
                assert_eq!(
                    holds(range, package_type, one),
                    Some(false),
                    "{range} {one}"
                )
            });
        }
        assert_eq!(holds("vers:golang/<v1.2.0", "golang", "v1.1.0"), Some(true));
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        for (range, package_type, version) in [
            ("vers:cargo/>=1.0.0", "npm", "1.0.0"),
            ("vers:pypi/>=1.0", "pypi", "1.1"),
            ("vers:pypi/1.0", "pypi", "1.0.0"),
            ("vers:cargo/>=1.0.0", "cargo", "one"),
            ("vers:cargo/>=one", "cargo", "1.0.0"),
            ("vers:cargo/>=2.0.0|<1.0.0", "cargo", "1.5.0"),
            ("vers:cargo/>=1.0.0|", "cargo", "1.5.0"),
            ("cargo/>=1.0.0", "cargo", "1.5.0"),
        ] {
            assert_eq!(
                holds(range, package_type, version),
                None,
                "{range} {version}"
            );
        }
        assert_eq!(holds("vers:pypi/1.0|2.0", "pypi", "2.0"), Some(true));
    }
}
